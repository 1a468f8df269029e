/* test_sandbox_callbacks.c - what nexus-sandbox tells by callbacks: order, signature, repetition, faults; and the TwiML it asks for. */
#include "gateway.h"
#include "hook.h"
#include "proc.h"
#include "sandbox.h"

#include <nexusvoip/twilio.h>

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WAIT_MS = 20000, ALL = NXV_TWILIO_INITIATED | NXV_TWILIO_RINGING | NXV_TWILIO_ANSWERED | NXV_TWILIO_COMPLETED };

static struct sandbox_run sandbox;
static struct hook *hook;
static nxv_twilio *twilio;
static struct nxv_error err;

static int set_up(void **state)
{
	struct nxv_twilio_opts opts = NXV_TWILIO_OPTS_INIT;

	(void)state;
	hook = hook_open();
	if (!hook || !sandbox_start(&sandbox, (const char *const[]){ "--speed", "20", NULL }))
		return -1;
	opts.account_sid = SANDBOX_ACCOUNT;
	opts.auth_token = SANDBOX_TOKEN;
	opts.base_url = sandbox.url;
	return nxv_twilio_open(&opts, &twilio, &err) == NXV_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	nxv_twilio_close(twilio);
	hook_close(hook);
	return sandbox_stop(&sandbox);
}

static int after(void **state)
{
	(void)state;
	nap_ms(50); /* what is still under way */
	hook_forget(hook);
	return sandbox_no_faults(&sandbox) ? 0 : -1;
}

/* Place a call that tells of itself at /status/NAME. */
static void place_with(const char *to, const char *name, unsigned events, const char *twiml, const char *url)
{
	struct nxv_twilio_call_opts opts = NXV_TWILIO_CALL_OPTS_INIT;
	struct nxv_twilio_call *call = NULL;
	char callback[160];

	snprintf(callback, sizeof(callback), "%s/status/%s", hook_url(hook), name);
	opts.to = to;
	opts.from = "+12025550123";
	opts.twiml = twiml;
	opts.url = url;
	opts.status_callback = callback;
	opts.status_callback_events = events;
	if (nxv_twilio_call_create(twilio, &opts, &call, &err))
		fail_msg("%s: %s", err.code, err.message);
	nxv_twilio_call_free(call);
}

static void place(const char *to, const char *name, unsigned events)
{
	place_with(to, name, events, "<Response><Pause length=\"600\"/></Response>", NULL);
}

/* The statuses that came, in their order. */
static void told(const char *want)
{
	char got[400] = "";

	for (size_t i = 0; i < hook_count(hook); i++) {
		struct hook_request r = hook_request(hook, i);

		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i ? " " : "", hook_param(&r, "CallStatus"));
	}
	assert_string_equal(got, want);
}

static void events_come_signed_and_in_order(void **state)
{
	(void)state;
	place("+9991002", "s1", ALL);
	assert_true(hook_wait(hook, 4, WAIT_MS));
	told("initiated ringing in-progress completed");
	for (size_t i = 0; i < 4; i++) {
		struct hook_request r = hook_request(hook, i);
		struct nxv_twilio_payload payload = NXV_TWILIO_PAYLOAD_INIT;
		char url[320], number[24];

		snprintf(url, sizeof(url), "%s%s", hook_url(hook), r.path);
		snprintf(number, sizeof(number), "%zu", i);
		payload.body = r.body;
		payload.body_len = strlen(r.body);
		assert_string_equal(r.path, "/status/s1");
		assert_string_equal(hook_param(&r, "SequenceNumber"), number);
		assert_string_equal(hook_param(&r, "To"), "+9991002");
		assert_string_equal(hook_param(&r, "CallbackSource"), "call-progress-events");
		assert_int_equal(strlen(hook_header(&r, "I-Twilio-Idempotency-Token")), 36);
		assert_int_equal(nxv_twilio_signature_check(SANDBOX_TOKEN, url, &payload, hook_header(&r, "X-Twilio-Signature"), &err), NXV_OK);
		assert_string_equal(hook_param(&r, "CallDuration"), i == 3 ? "2" : "");
		assert_string_equal(hook_param(&r, "Duration"), i == 3 ? "1" : "");
	}
}

static void only_the_events_asked_for_are_sent(void **state)
{
	(void)state;
	place("+999200", "s2", NXV_TWILIO_RINGING | NXV_TWILIO_COMPLETED);
	assert_true(hook_wait(hook, 2, WAIT_MS));
	nap_ms(100);
	told("ringing busy");
	assert_string_equal(hook_param(&(struct hook_request[]){ hook_request(hook, 1) }[0], "SipResponseCode"), "486");
}

static void faults_lose_delay_double_and_reorder(void **state)
{
	struct hook_request first, second;

	(void)state;
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"callback_lost\",\"event\":\"ringing\",\"count\":1}"));
	place("+9991001", "lost", ALL);
	assert_true(hook_wait(hook, 3, WAIT_MS));
	nap_ms(100);
	told("initiated in-progress completed");
	hook_forget(hook);
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"callback_late\",\"event\":\"ringing\",\"count\":1,\"delayMs\":1500}"));
	place("+9991001", "late", ALL);
	assert_true(hook_wait(hook, 4, WAIT_MS));
	told("initiated in-progress completed ringing");
	hook_forget(hook);
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"callback_doubled\",\"event\":\"completed\",\"count\":1}"));
	place("+9991001", "doubled", ALL);
	assert_true(hook_wait(hook, 5, WAIT_MS));
	told("initiated ringing in-progress completed completed");
	first = hook_request(hook, 3);
	second = hook_request(hook, 4);
	assert_string_equal(hook_header(&first, "I-Twilio-Idempotency-Token"), hook_header(&second, "I-Twilio-Idempotency-Token"));
	assert_string_equal(first.body, second.body);
	hook_forget(hook);
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"callback_reordered\",\"event\":\"in-progress\",\"count\":1}"));
	place("+9991001", "reordered", ALL);
	assert_true(hook_wait(hook, 4, WAIT_MS));
	told("initiated ringing completed in-progress");
}

static void repetitions_are_made_as_asked_for(void **state)
{
	struct hook_request first, last;

	(void)state;
	hook_answer(hook, 204, NULL, 2);
	place("+999205", "again#rc=3&rp=5xx", NXV_TWILIO_COMPLETED);
	assert_true(hook_wait(hook, 3, WAIT_MS));
	nap_ms(200);
	told("busy busy busy");
	first = hook_request(hook, 0);
	last = hook_request(hook, 2);
	assert_string_equal(first.path, "/status/again");
	assert_string_equal(hook_header(&first, "I-Twilio-Idempotency-Token"), hook_header(&last, "I-Twilio-Idempotency-Token"));
	hook_forget(hook);
	hook_answer(hook, 204, NULL, 2);
	place("+999205", "once", NXV_TWILIO_COMPLETED);
	assert_true(hook_wait(hook, 1, WAIT_MS));
	nap_ms(200);
	told("busy"); /* an answer is an answer */
}

static void twiml_is_asked_for_and_the_action_told(void **state)
{
	char url[80], twiml[300];
	struct hook_request r;

	(void)state;
	snprintf(url, sizeof(url), "%s/twiml", hook_url(hook));
	hook_answer(hook, 200, "<Response><Hangup/></Response>", 0);
	place_with("+999102", "url", NXV_TWILIO_COMPLETED, NULL, url);
	assert_true(hook_wait(hook, 2, WAIT_MS));
	r = hook_request(hook, 0);
	assert_string_equal(r.path, "/twiml");
	assert_string_equal(hook_param(&r, "CallStatus"), "in-progress");
	hook_forget(hook);
	hook_answer(hook, 200, "<Response><Say>Busy</Say></Response>", 0);
	snprintf(twiml, sizeof(twiml), "<Response><Dial action=\"%s/action\"><Number>+999200</Number></Dial></Response>", hook_url(hook));
	place_with("+999102", "action", NXV_TWILIO_COMPLETED, twiml, NULL);
	assert_true(hook_wait(hook, 2, WAIT_MS));
	r = hook_request(hook, 0);
	assert_string_equal(r.path, "/action");
	assert_string_equal(hook_param(&r, "DialCallStatus"), "busy");
	assert_int_equal(strlen(hook_param(&r, "DialCallSid")), 34);
}

static void notes_of(const char *session, int64_t *notes, int64_t *last)
{
	struct json_object *json, *call, *value;
	char path[100];

	snprintf(path, sizeof(path), "/sandbox/v1/calls?session=%s", session);
	json = sandbox_get(&sandbox, path);
	call = json_object_array_get_idx(json_object_object_get(json, "calls"), 0);
	assert_true(json_object_object_get_ex(call, "notes", &value));
	*notes = json_object_get_int64(value);
	assert_true(json_object_object_get_ex(call, "lastNote", &value));
	*last = json_object_get_int64(value);
	json_object_put(json);
}

static void bad_twiml_ends_the_call_and_a_strange_verb_is_noted(void **state)
{
	int64_t notes, last;

	(void)state;
	place_with("+999102", "bad", NXV_TWILIO_COMPLETED, "<Response><Dial></Response>", NULL);
	assert_true(hook_wait(hook, 1, WAIT_MS));
	told("completed");
	notes_of("bad", &notes, &last);
	assert_int_equal(notes, 1);
	assert_int_equal(last, 12100);
	place_with("+999102", "strange", NXV_TWILIO_COMPLETED, "<Response><Whistle/><Hangup/></Response>", NULL);
	assert_true(hook_wait(hook, 2, WAIT_MS));
	notes_of("strange", &notes, &last);
	assert_int_equal(last, 12200);
}

static void truth_counts_the_creates_of_a_session(void **state)
{
	char parent[24], child[24];

	(void)state;
	place("+999205", "twice", NXV_TWILIO_COMPLETED);
	place_with("+999102", "twice", NXV_TWILIO_COMPLETED, "<Response><Dial><Number>+999205</Number></Dial></Response>", NULL);
	assert_true(hook_wait(hook, 2, WAIT_MS));
	assert_int_equal(sandbox_truth(&sandbox, "twice", parent, child), 2);
	assert_string_equal(parent, "completed");
	assert_string_equal(child, "busy");
	assert_int_equal(sandbox_truth(&sandbox, "never", parent, child), 0);
}

#define CASE(fn) cmocka_unit_test_teardown(fn, after)
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(events_come_signed_and_in_order),
		CASE(only_the_events_asked_for_are_sent),
		CASE(faults_lose_delay_double_and_reorder),
		CASE(repetitions_are_made_as_asked_for),
		CASE(twiml_is_asked_for_and_the_action_told),
		CASE(bad_twiml_ends_the_call_and_a_strange_verb_is_noted),
		CASE(truth_counts_the_creates_of_a_session),
	};

	proc_guard(110);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
