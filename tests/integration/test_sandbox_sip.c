/* test_sandbox_sip.c - the SIP leg of nexus-sandbox with test phones at its end: ringing, answer, sound, hang-ups, refusals. */
#include "proc.h"
#include "gateway.h"
#include "sandbox.h"

#include <nexusvoip/twilio.h>

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WAIT_MS = 15000 };

static struct sandbox_run sandbox;
static struct lab *lab;
static struct phone *phone;
static nxv_twilio *twilio;
static struct nxv_error err;

/* The phone is the SIP server, too: what the sandbox sends to its proxy rings it. */
static int set_up(void **state)
{
	struct nxv_twilio_opts opts = NXV_TWILIO_OPTS_INIT;
	char own[32], proxy[32];

	(void)state;
	lab = lab_open();
	snprintf(own, sizeof(own), "127.0.0.1:%u", proc_free_port(1));
	phone = lab ? phone_new(lab, &(struct phone_opts){ .username = "alice", .password = "secret", .domain = "example.net", .server = own,
					     .tone_hz = 700 }) : NULL;
	if (!phone)
		return -1;
	snprintf(proxy, sizeof(proxy), "127.0.0.1:%u", phone_port(phone));
	if (!sandbox_start(&sandbox, (const char *const[]){ "--sip-proxy", proxy, "--sip-listen", own, "--speed", "4", NULL }))
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
	lab_close(lab);
	return sandbox_stop(&sandbox);
}

static int after(void **state)
{
	(void)state;
	phone_forget(phone);
	return 0;
}

static void place(const char *to, const char *twiml, char sid[40])
{
	struct nxv_twilio_call_opts opts = NXV_TWILIO_CALL_OPTS_INIT;
	struct nxv_twilio_call *call = NULL;

	opts.to = to;
	opts.from = "+12025550123";
	opts.twiml = twiml;
	opts.timeout_seconds = 40;
	if (nxv_twilio_call_create(twilio, &opts, &call, &err))
		fail_msg("%s: %s", err.code, err.message);
	snprintf(sid, 40, "%s", call->sid);
	nxv_twilio_call_free(call);
}

/* The call, or with child its first child, reaches this status. */
static void status_is(const char *sid, bool child, const char *status)
{
	struct nxv_twilio_call_list_opts opts = NXV_TWILIO_CALL_LIST_OPTS_INIT;
	char last[24] = "none";

	opts.parent_sid = sid;
	for (int64_t until = now_ms() + WAIT_MS; now_ms() < until; nap_ms(20)) {
		struct nxv_twilio_call_list *list = NULL;
		struct nxv_twilio_call *call = NULL;

		if (child)
			assert_int_equal(nxv_twilio_call_list(twilio, &opts, &list, &err), NXV_OK);
		else
			assert_int_equal(nxv_twilio_call_fetch(twilio, sid, &call, &err), NXV_OK);
		snprintf(last, sizeof(last), "%s", call ? call->status : list->count ? list->items[0]->status : "none");
		nxv_twilio_call_free(call);
		nxv_twilio_call_list_free(list);
		if (strcmp(last, status) == 0)
			return;
	}
	fail_msg("%s is %s, not %s", sid, last, status);
}

static void until_heard(double hz, double share)
{
	double heard = 0;

	for (int64_t until = now_ms() + WAIT_MS; now_ms() < until && heard < share; nap_ms(50))
		heard = phone_heard(phone, hz);
	if (heard < share)
		fail_msg("%.0f Hz are %.2f of what was heard in %u packets", hz, heard, phone_heard_packets(phone));
}

static void the_phone_rings_hears_itself_and_is_hung_up(void **state)
{
	struct phone_call seen;
	char sid[40];

	(void)state;
	phone_script(phone, (struct phone_script){ .manner = PHONE_ANSWERS, .code = 200, .ring_ms = 100, .talk_ms = 0 });
	place("sip:alice@example.net?X-Token=a%20b", "<Response><Dial callerId=\"+1234567890\"><Number>+999102</Number></Dial></Response>", sid);
	assert_true(phone_wait(phone, 0, PHONE_ACKED, WAIT_MS));
	status_is(sid, true, "in-progress");
	until_heard(700, 0.5); /* its own tone comes back */
	assert_int_equal(nxv_twilio_call_end(twilio, sid, NULL, &err), NXV_OK);
	assert_true(phone_wait(phone, 0, PHONE_ENDED, WAIT_MS));
	assert_true(phone_call(phone, 0, &seen));
	assert_false(seen.bye_was_ours);
	assert_string_equal(seen.peer, "+12025550123");
	status_is(sid, false, "completed");
	status_is(sid, true, "completed");
}

static void who_hangs_up_at_the_phone_ends_both_calls(void **state)
{
	char sid[40];

	(void)state;
	phone_script(phone, (struct phone_script){ .manner = PHONE_ANSWERS, .code = 200, .ring_ms = 0, .talk_ms = 0 });
	place("sip:alice@example.net", "<Response><Dial><Number>+999102</Number></Dial></Response>", sid);
	status_is(sid, true, "in-progress");
	phone_hangup(phone, 0);
	status_is(sid, false, "completed");
	status_is(sid, true, "completed");
}

static void the_callee_who_hangs_up_ends_the_dial_and_the_phone_is_let_go(void **state)
{
	struct phone_call seen;
	char sid[40];

	(void)state;
	phone_script(phone, (struct phone_script){ .manner = PHONE_ANSWERS, .code = 200, .ring_ms = 0, .talk_ms = 0 });
	place("sip:alice@example.net", "<Response><Dial><Number>+9991002</Number></Dial></Response>", sid);
	assert_true(phone_wait(phone, 0, PHONE_ENDED, WAIT_MS));
	assert_true(phone_call(phone, 0, &seen));
	assert_false(seen.bye_was_ours);
	status_is(sid, true, "completed");
}

static void a_phone_on_hold_comes_back(void **state)
{
	char sid[40];

	(void)state;
	phone_script(phone, (struct phone_script){ .manner = PHONE_ANSWERS, .code = 200, .ring_ms = 0, .talk_ms = 0 });
	place("sip:alice@example.net", "<Response><Say loop=\"100\">Somebody speaks for a long while to this phone.</Say></Response>", sid);
	assert_true(phone_wait(phone, 0, PHONE_ACKED, WAIT_MS));
	until_heard(440, 0.5);
	assert_int_equal(phone_hold(phone, 0, true), 200);
	assert_int_equal(phone_hold(phone, 0, false), 200);
	until_heard(440, 0.5);
	assert_int_equal(nxv_twilio_call_end(twilio, sid, NULL, &err), NXV_OK);
	assert_true(phone_wait(phone, 0, PHONE_ENDED, WAIT_MS));
}

static void a_refusal_is_told_as_twilio_tells_it(void **state)
{
	static const struct {
		int code;
		const char *status;
	} rows[] = { { 486, "busy" }, { 603, "busy" }, { 480, "no-answer" }, { 404, "failed" }, { 500, "failed" } };
	char sid[40];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		phone_script(phone, (struct phone_script){ .manner = PHONE_REFUSES, .code = rows[i].code, .ring_ms = 50, .talk_ms = 0 });
		place("sip:alice@example.net", "<Response><Pause/></Response>", sid);
		status_is(sid, false, rows[i].status);
	}
}

static void a_ringing_phone_is_taken_back(void **state)
{
	char sid[40];

	(void)state;
	phone_script(phone, (struct phone_script){ .manner = PHONE_RINGS, .code = 0, .ring_ms = 0, .talk_ms = 0 });
	place("sip:alice@example.net", "<Response><Pause/></Response>", sid);
	assert_true(phone_wait(phone, 0, PHONE_RINGING, WAIT_MS));
	status_is(sid, false, "ringing");
	assert_int_equal(nxv_twilio_call_end(twilio, sid, NULL, &err), NXV_OK);
	assert_true(phone_wait(phone, 0, PHONE_CANCELED, WAIT_MS));
	status_is(sid, false, "canceled");
	place("sip:alice@example.net", "<Response><Pause/></Response>", sid);
	assert_true(phone_wait(phone, 1, PHONE_CANCELED, WAIT_MS)); /* after 40 seconds, of which four go into one */
	status_is(sid, false, "no-answer");
}

static void an_answer_that_crosses_the_cancel_is_hung_up(void **state)
{
	char sid[40];

	(void)state;
	phone_script(phone, (struct phone_script){ .manner = PHONE_CROSSES, .code = 200, .ring_ms = 0, .talk_ms = 0 });
	place("sip:alice@example.net", "<Response><Pause/></Response>", sid);
	assert_true(phone_wait(phone, 0, PHONE_RINGING, WAIT_MS));
	assert_int_equal(nxv_twilio_call_end(twilio, sid, NULL, &err), NXV_OK);
	assert_true(phone_wait(phone, 0, PHONE_ENDED, WAIT_MS));
	status_is(sid, false, "canceled");
}

static void a_dialled_phone_rings_too(void **state)
{
	char sid[40];

	(void)state;
	phone_script(phone, (struct phone_script){ .manner = PHONE_ANSWERS, .code = 200, .ring_ms = 50, .talk_ms = 0 });
	place("+999102", "<Response><Dial timeLimit=\"12\"><Sip>sip:alice@example.net?X-Token=1</Sip></Dial></Response>", sid);
	assert_true(phone_wait(phone, 0, PHONE_ACKED, WAIT_MS));
	status_is(sid, true, "in-progress");
	assert_true(phone_wait(phone, 0, PHONE_ENDED, WAIT_MS)); /* the time limit */
	status_is(sid, true, "completed");
	status_is(sid, false, "completed");
}

static void two_phones_hear_each_other(void **state)
{
	char sid[40];

	(void)state; /* both legs ring the same phone: its tone comes back by way of the other leg */
	phone_script(phone, (struct phone_script){ .manner = PHONE_ANSWERS, .code = 200, .ring_ms = 0, .talk_ms = 0 });
	place("sip:alice@example.net", "<Response><Dial><Sip>sip:bob@example.net</Sip></Dial></Response>", sid);
	assert_true(phone_wait(phone, 1, PHONE_ACKED, WAIT_MS));
	status_is(sid, true, "in-progress");
	until_heard(700, 0.5);
	phone_hangup(phone, 1);
	assert_true(phone_wait(phone, 0, PHONE_ENDED, WAIT_MS));
	status_is(sid, false, "completed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_phone_rings_hears_itself_and_is_hung_up, after),
		cmocka_unit_test_teardown(who_hangs_up_at_the_phone_ends_both_calls, after),
		cmocka_unit_test_teardown(the_callee_who_hangs_up_ends_the_dial_and_the_phone_is_let_go, after),
		cmocka_unit_test_teardown(a_phone_on_hold_comes_back, after),
		cmocka_unit_test_teardown(a_refusal_is_told_as_twilio_tells_it, after),
		cmocka_unit_test_teardown(a_ringing_phone_is_taken_back, after),
		cmocka_unit_test_teardown(an_answer_that_crosses_the_cancel_is_hung_up, after),
		cmocka_unit_test_teardown(a_dialled_phone_rings_too, after),
		cmocka_unit_test_teardown(two_phones_hear_each_other, after),
	};

	proc_guard(110);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
