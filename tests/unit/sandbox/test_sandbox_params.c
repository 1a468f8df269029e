/* test_sandbox_params.c - what the sandbox takes: parameters, numbers, sip: addresses; and what it signs. */
#include "events.h"
#include "numbers.h"
#include "params.h"
#include "sip_uri.h"
#include "ulaw.h"

#include <nexusvoip/twilio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The error that a body meets; 0: none. */
static int check(const struct param *table, const char *body)
{
	struct refusal refusal = { 0 };
	struct form form;

	assert_int_equal(form_parse(body, strlen(body), &form, NULL), NXV_OK);
	(void)params_check(table, &form, &refusal);
	form_free(&form);
	return refusal.code;
}

static void unknown_and_wrong_parameters_are_refused(void **state)
{
	(void)state;
	assert_int_equal(check(params_create, "To=%2B12&From=%2B13&Url=http%3A%2F%2Fe.net&Timeout=600&StatusCallbackEvent=initiated&"
					      "StatusCallbackEvent=completed&MachineDetection=Enable&Record=true"), 0);
	assert_int_equal(check(params_create, "StatusCallbackEvent=ringing+answered"), 0);
	assert_int_equal(check(params_create, "Tp=%2B12"), 20001);
	assert_int_equal(check(params_create, "Statuscallback=http%3A%2F%2Fe.net"), 20001);
	assert_int_equal(check(params_create, "To=%2B12&To=%2B13"), 20422);
	assert_int_equal(check(params_create, "Timeout=601"), 20422);
	assert_int_equal(check(params_create, "Timeout=x"), 20422);
	assert_int_equal(check(params_create, "Url=ftp%3A%2F%2Fe.net"), 21205);
	assert_int_equal(check(params_create, "StatusCallback=%2Frelative"), 21609);
	assert_int_equal(check(params_create, "StatusCallbackEvent=ended"), 20422);
	assert_int_equal(check(params_create, "SendDigits=12x"), 21208);
	assert_int_equal(check(params_create, "Method=PUT"), 20422);
	assert_int_equal(check(params_create, "Record=yes"), 20422);
	assert_int_equal(check(params_create, "ApplicationSid=AP1"), 21218);
	assert_int_equal(check(params_list, "StartTime%3E=2026-01-02&EndTime%3C=2026-01-02T03%3A04%3A05Z&PageSize=1000"), 0);
	assert_int_equal(check(params_list, "StartTime=yesterday"), 20422);
	assert_int_equal(check(params_list, "PageSize=1001"), 20422);
	assert_int_equal(check(params_create, "To=%E9&From=%2B13"), 20422);
	assert_int_equal(check(params_create, "StatusCallback=http%3A%2F%2Fe.net%2F%FF"), 20422);
	assert_int_equal(check(params_create, "%FF=1"), 20422);
	assert_int_equal(check(params_create, "CallReason=%C3%A9"), 0);
}

static void days_and_moments_are_read(void **state)
{
	int64_t at;

	(void)state;
	assert_true(param_time("1970-01-02", false, &at));
	assert_int_equal(at, 86400);
	assert_true(param_time("1970-01-02", true, &at));
	assert_int_equal(at, 2 * 86400 - 1);
	assert_true(param_time("1970-01-01T00:01:02Z", true, &at));
	assert_int_equal(at, 62);
	assert_false(param_time("1970-1-1", false, &at));
	assert_false(param_time("1970-01-01T00:01", false, &at));
	assert_false(param_time("1970-01-01x", false, &at));
}

static void numbers_do_what_the_table_says(void **state)
{
	struct plan *plan = plan_make("+99910042");

	(void)state;
	assert_int_equal(plan->outcome, OUTCOME_ANSWER);
	assert_int_equal(plan->talk_ms, 42000);
	plan_free(plan);
	plan = plan_make("sip:+9991017@example.net;transport=tcp?X-A=b");
	assert_int_equal(plan->ring_ms, 7000);
	plan_free(plan);
	plan = plan_make("sip:alice@example.net");
	assert_int_equal(plan->talk_ms, 0);
	plan_free(plan);
	assert_int_equal(number_refusal_to("+999421215"), 21215);
	assert_int_equal(number_refusal_to("+99942121"), 0);
	assert_int_equal(number_refusal_from("+15005550001"), 21212);
	assert_int_equal(number_refusal_to("+0987654321"), 0);
}

/* "X-" headers only, and none that would break out of its line. */
static void headers_of_an_address_become_lines(void **state)
{
	struct buf lines = BUF_INIT;
	char *target = sip_uri_target("sip:a@b:5061;transport=tls?X-A=1&Subject=x");

	(void)state;
	assert_string_equal(target, "sip:a@b:5061;transport=tls");
	sip_uri_headers("sip:a@b?X-A=a%20b&Subject=x&x-b=%0d%0aVia:%20x&X-C=%41&X-D&X%20E=1&X-F=%", &lines);
	assert_string_equal(lines.data, "X-A: a b\r\nX-C: A\r\nX-F: %\r\n");
	buf_free(&lines);
	free(target);
}

static void signatures_are_those_that_the_library_checks(void **state)
{
	static const char url[] = "http://127.0.0.1:8080/twilio/v1/status/session_1?x=1";
	struct nxv_twilio_payload payload = NXV_TWILIO_PAYLOAD_INIT;
	struct pairs pairs = { 0 };
	char signature[40], *form;

	(void)state;
	pairs_add(&pairs, "To", "sip:a@b?X=1&Y=é");
	pairs_add(&pairs, "CallSid", "CA1");
	pairs_add(&pairs, "From", "+1 2");
	pairs_add(&pairs, "Empty", "");
	pairs_add_int(&pairs, "SequenceNumber", 3);
	form = pairs_form(&pairs);
	assert_true(pairs_sign(&pairs, "token", url, signature));
	payload.body = form;
	payload.body_len = strlen(form);
	assert_int_equal(nxv_twilio_signature_check("token", url, &payload, signature, NULL), NXV_OK);
	assert_int_equal(nxv_twilio_signature_check("other", url, &payload, signature, NULL), NXV_E_DENIED);
	free(form);
	pairs_clear(&pairs);
}

static void ulaw_survives_its_own_way_back(void **state)
{
	(void)state;
	for (int code = 0; code < 256; code++)
		if (code != 0x7f) /* the other zero */
			assert_int_equal(ulaw_encode(ulaw_decode((uint8_t)code)), code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_and_wrong_parameters_are_refused),
		cmocka_unit_test(days_and_moments_are_read),
		cmocka_unit_test(numbers_do_what_the_table_says),
		cmocka_unit_test(headers_of_an_address_become_lines),
		cmocka_unit_test(signatures_are_those_that_the_library_checks),
		cmocka_unit_test(ulaw_survives_its_own_way_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
