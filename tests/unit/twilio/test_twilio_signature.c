/* test_twilio_signature.c - signatures of webhooks, on vectors that Twilio's own helper computed, and bodies as they come. */
#include <nexusvoip/twilio.h>

#include "base/buf.h"
#include "twilio/form.h"

#include <json-c/json.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct json_object *vectors;

static const char *text(struct json_object *vector, const char *member)
{
	return json_object_get_string(json_object_object_get(vector, member));
}

static nxv_status check(struct json_object *vector, const struct nxv_twilio_payload *payload)
{
	return nxv_twilio_signature_check(text(vector, "token"), text(vector, "url"), payload, text(vector, "signature"), NULL);
}

static nxv_status expected(struct json_object *vector)
{
	return json_object_get_boolean(json_object_object_get(vector, "valid")) ? NXV_OK : NXV_E_DENIED;
}

static size_t read_params(struct json_object *vector, struct nxv_twilio_param *params, size_t room)
{
	struct json_object *list = json_object_object_get(vector, "params");
	size_t n = json_object_array_length(list);

	assert_true(n <= room);
	for (size_t i = 0; i < n; i++) {
		struct json_object *pair = json_object_array_get_idx(list, i);
		params[i].name = json_object_get_string(json_object_array_get_idx(pair, 0));
		params[i].value = json_object_get_string(json_object_array_get_idx(pair, 1));
	}
	return n;
}

static void every_vector_is_judged_as_by_twilios_helper(void **state)
{
	struct json_object *list = json_object_object_get(vectors, "params");

	(void)state;
	assert_true(json_object_array_length(list) > 20);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *vector = json_object_array_get_idx(list, i);
		struct nxv_twilio_payload payload = NXV_TWILIO_PAYLOAD_INIT;
		struct nxv_twilio_param params[32], turned[32];

		payload.params = params;
		payload.param_count = read_params(vector, params, 32);
		if (check(vector, &payload) != expected(vector))
			fail_msg("%s", text(vector, "name"));
		for (size_t k = 0; k < payload.param_count; k++)
			turned[k] = params[payload.param_count - 1 - k];
		payload.params = turned;
		if (check(vector, &payload) != expected(vector))
			fail_msg("%s, in another order", text(vector, "name"));
	}
}

static void a_form_may_be_given_as_it_came(void **state)
{
	struct json_object *list = json_object_object_get(vectors, "params");

	(void)state;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *vector = json_object_array_get_idx(list, i);
		struct nxv_twilio_payload payload = NXV_TWILIO_PAYLOAD_INIT;
		struct nxv_twilio_param params[32];
		struct buf body = BUF_INIT;
		size_t n = read_params(vector, params, 32);

		for (size_t k = 0; k < n; k++)
			form_add(&body, params[k].name, params[k].value);
		payload.body = body.data;
		payload.body_len = body.len;
		if (check(vector, &payload) != expected(vector))
			fail_msg("%s, as a body", text(vector, "name"));
		buf_free(&body);
	}
}

static void json_bodies_are_held_to_their_digest(void **state)
{
	struct json_object *list = json_object_object_get(vectors, "bodies");

	(void)state;
	assert_true(json_object_array_length(list) > 5);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *vector = json_object_array_get_idx(list, i);
		struct nxv_twilio_payload payload = NXV_TWILIO_PAYLOAD_INIT;

		payload.body = text(vector, "body");
		payload.body_len = strlen(text(vector, "body"));
		if (check(vector, &payload) != expected(vector))
			fail_msg("%s", text(vector, "name"));
	}
}

static void what_is_missing_is_refused(void **state)
{
	struct nxv_twilio_payload payload = NXV_TWILIO_PAYLOAD_INIT;
	struct nxv_error err = NXV_ERROR_INIT;

	(void)state;
	assert_int_equal(nxv_twilio_signature_check("t", "https://e.net/", &payload, NULL, &err), NXV_E_DENIED);
	assert_string_equal(err.code, "bad_signature");
	assert_int_equal(nxv_twilio_signature_check("t", "https://e.net/", NULL, "", &err), NXV_E_DENIED);
	assert_int_equal(nxv_twilio_signature_check("", "https://e.net/", NULL, "x", &err), NXV_E_INVALID);
	assert_int_equal(nxv_twilio_signature_check("t", "e.net/", NULL, "x", &err), NXV_E_INVALID);
	assert_int_equal(nxv_twilio_signature_check("t", "", NULL, "x", &err), NXV_E_INVALID);
	assert_int_equal(nxv_twilio_signature_check("t", "https://", NULL, "x", &err), NXV_E_DENIED);
}

/* A NUL would end the text that is signed before the text that is read. */
static void a_body_with_a_nul_is_refused(void **state)
{
	static const char *const bodies[] = { "CallSid=CA1%00x", "CallSid%00=CA1" };
	static const char raw[] = "CallSid=CA1\0x=1";
	struct form form;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(form_parse(bodies[i], strlen(bodies[i]), &form, NULL), NXV_E_INVALID);
	assert_int_equal(form_parse(raw, sizeof(raw) - 1, &form, NULL), NXV_E_INVALID);
}

static void forms_are_read_as_browsers_write_them(void **state)
{
	static const char body[] = "a=1&b=x+y%2B%26&&c&d=&a=2&e=%zz%4&f=%C3%A9";
	struct form form;

	(void)state;
	assert_int_equal(form_parse(body, strlen(body), &form, NULL), NXV_OK);
	assert_int_equal(form.count, 7);
	assert_string_equal(form_get(&form, "a"), "1");
	assert_string_equal(form_get(&form, "b"), "x y+&");
	assert_string_equal(form_get(&form, "c"), "");
	assert_string_equal(form_get(&form, "d"), "");
	assert_string_equal(form.params[4].value, "2");
	assert_string_equal(form_get(&form, "e"), "%zz%4");
	assert_string_equal(form_get(&form, "f"), "é");
	assert_null(form_get(&form, "g"));
	form_free(&form);
	assert_int_equal(form_parse(NULL, 0, &form, NULL), NXV_OK);
	assert_int_equal(form.count, 0);
	form_free(&form);
}

static void too_many_parameters_are_refused(void **state)
{
	struct buf body = BUF_INIT;
	struct form form;

	(void)state;
	for (int i = 0; i < FORM_PARAMS_MAX; i++)
		form_add(&body, "a", "b");
	assert_int_equal(form_parse(body.data, body.len, &form, NULL), NXV_OK);
	form_free(&form);
	form_add(&body, "a", "b");
	assert_int_equal(form_parse(body.data, body.len, &form, NULL), NXV_E_INVALID);
	buf_free(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_vector_is_judged_as_by_twilios_helper),
		cmocka_unit_test(a_form_may_be_given_as_it_came),
		cmocka_unit_test(json_bodies_are_held_to_their_digest),
		cmocka_unit_test(what_is_missing_is_refused),
		cmocka_unit_test(a_body_with_a_nul_is_refused),
		cmocka_unit_test(forms_are_read_as_browsers_write_them),
		cmocka_unit_test(too_many_parameters_are_refused),
	};
	int failed;

	vectors = json_object_from_file(TEST_DATA "/twilio/signatures.json");
	failed = vectors ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
	json_object_put(vectors);
	return failed;
}
