/* test_calls.c - calls by API between two real phones, and every way that they end. */
#include "pair.h"

#include <stdio.h>

static struct user carol; /* has a credential, but no phone */

static bool setup(void)
{
	return pair_setup() && user_make(&gw, "carol", &carol);
}

static const struct phone_script busy = { .manner = PHONE_REFUSES, .code = 486 };
static const struct phone_script declines = { .manner = PHONE_REFUSES, .code = 603, .ring_ms = 150 };
static const struct phone_script rings = { .manner = PHONE_RINGS };

static void call_ends_when_caller_hangs_up(void)
{
	struct told call;
	pair_reset();
	pair_talk(&call);
	phone_hangup(alice.phone, 0);
	pair_expect(&call, "completed", "hangup_caller");
	assert_true(phone_at_ms(bob.phone, 0, PHONE_BYE) != 0);
}

static void call_ends_when_callee_hangs_up(void)
{
	struct told call;
	pair_reset();
	pair_talk(&call);
	phone_hangup(bob.phone, 0);
	pair_expect(&call, "completed", "hangup_callee");
	assert_true(phone_at_ms(alice.phone, 0, PHONE_BYE) != 0);
}

static void call_ends_when_api_asks(void)
{
	struct told call;
	pair_reset();
	pair_talk(&call);
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	pair_expect(&call, "completed", "ended_by_api");
	assert_int_equal(api_end(&gw, &alice, call.id), 200); /* again: nothing changes */
	int64_t seq = call.seq;
	assert_true(api_get(&gw, &alice, call.id, &call));
	assert_int_equal(call.seq, seq);
}

static void initiate_answers_while_the_callers_phone_rings(void)
{
	struct told call;
	pair_reset();
	phone_script(alice.phone, rings);
	int64_t before = now_ms();
	pair_start(&call);
	assert_true(now_ms() - before < 1500);
	assert_string_equal(call.status, "ringing");
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	pair_expect(&call, "canceled", "ended_by_api");
	assert_true(phone_at_ms(alice.phone, 0, PHONE_CANCELED) != 0);
	assert_int_equal(phone_calls(bob.phone), 0);
}

static void cancel_while_callee_rings(void)
{
	struct told call;
	pair_reset();
	phone_script(bob.phone, rings);
	pair_start(&call);
	assert_true(phone_wait(bob.phone, 0, PHONE_RINGING, SOON_MS));
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	pair_expect(&call, "canceled", "ended_by_api");
	assert_true(phone_at_ms(bob.phone, 0, PHONE_CANCELED) != 0);
	assert_true(phone_at_ms(alice.phone, 0, PHONE_BYE) != 0);
}

static void caller_hangs_up_while_callee_rings(void)
{
	struct told call;
	pair_reset();
	phone_script(bob.phone, rings);
	pair_start(&call);
	assert_true(phone_wait(bob.phone, 0, PHONE_RINGING, SOON_MS));
	phone_hangup(alice.phone, 0);
	assert_true(phone_wait(bob.phone, 0, PHONE_CANCELED, SOON_MS));
	pair_expect(&call, "canceled", "hangup_caller");
}

static void callee_that_answers_as_it_is_cancelled_is_hung_up(void)
{
	struct told call;
	pair_reset();
	phone_script(bob.phone, (struct phone_script){ .manner = PHONE_CROSSES });
	pair_start(&call);
	assert_true(phone_wait(bob.phone, 0, PHONE_RINGING, SOON_MS));
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	assert_true(phone_wait(bob.phone, 0, PHONE_BYE, SOON_MS));
	assert_true(phone_wait(bob.phone, 0, PHONE_ACKED, SOON_MS)); /* two processes of the server may turn the two round */
	assert_true(api_wait(&gw, &alice, call.id, "ended", SOON_MS, &call));
	assert_string_equal(call.status, "canceled");
	assert_string_equal(call.reason, "ended_by_api");
	assert_int_equal(slots_wait(&gw, alice.id, 0, SOON_MS), 0);
}

/* Her BYE meets the re-INVITE that brings her the callee's address; whoever wins, she hung up. */
static void a_hangup_that_crosses_the_join_is_a_hangup(void)
{
	for (int i = 0; i < 10; i++) {
		struct told call;
		pair_reset();
		phone_script(alice.phone, (struct phone_script){ .manner = PHONE_ANSWERS });
		phone_script(bob.phone, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 20 });
		pair_start(&call);
		assert_true(phone_wait(bob.phone, 0, PHONE_ANSWERED, SOON_MS));
		phone_hangup(alice.phone, 0);
		assert_true(phone_wait(bob.phone, 0, PHONE_BYE, SOON_MS));
		assert_true(api_wait(&gw, &alice, call.id, "ended", SOON_MS, &call));
		assert_string_equal(call.reason, "hangup_caller");
		assert_int_equal(slots_wait(&gw, alice.id, 0, SOON_MS), 0);
	}
}

static void caller_is_busy(void)
{
	struct told call;
	pair_reset();
	phone_script(alice.phone, busy);
	pair_start(&call);
	pair_expect(&call, "busy", "caller_busy");
	assert_int_equal(call.sip_code, 486);
	assert_int_equal(phone_calls(bob.phone), 0);
}

static void caller_declines(void)
{
	struct told call;
	pair_reset();
	phone_script(alice.phone, declines);
	pair_start(&call);
	pair_expect(&call, "busy", "caller_rejected");
	assert_int_equal(call.sip_code, 603);
	assert_int_equal(phone_calls(bob.phone), 0);
}

static void caller_does_not_answer(void)
{
	struct told call;
	pair_reset();
	phone_script(alice.phone, rings);
	pair_start(&call);
	assert_true(phone_wait(alice.phone, 0, PHONE_CANCELED, SOON_MS));
	pair_expect(&call, "no-answer", "caller_no_answer");
	assert_near(call.ended_ms - call.started_ms, 3000, 500);
	assert_int_equal(phone_calls(bob.phone), 0);
}

static void caller_is_not_registered(void)
{
	struct told call;
	pair_reset();
	assert_int_equal(api_initiate(&gw, &carol, bob.username, &call), 409);
	assert_int_equal(slots_wait(&gw, carol.id, 0, 2000), 0);
	struct http_reply *reply = gateway_http(&gw, "GET", "/api/v1/opensips/calls?limit=1", carol.key, NULL);
	api_read(json_at(reply->json, "calls.0"), &call);
	assert_string_equal(call.status, "failed");
	assert_string_equal(call.reason, "caller_not_registered");
	assert_int_equal(phone_calls(bob.phone), 0);
}

static void callee_is_busy(void)
{
	struct told call;
	pair_reset();
	phone_script(bob.phone, busy);
	pair_start(&call);
	pair_expect(&call, "busy", "callee_busy");
	assert_int_equal(call.sip_code, 486);
	assert_true(phone_at_ms(alice.phone, 0, PHONE_BYE) != 0);
}

static void callee_declines(void)
{
	struct told call;
	pair_reset();
	phone_script(bob.phone, declines);
	pair_start(&call);
	pair_expect(&call, "busy", "callee_rejected");
	assert_int_equal(call.sip_code, 603);
}

static void callee_does_not_answer(void)
{
	struct told call;
	pair_reset();
	phone_script(bob.phone, rings);
	pair_start(&call);
	assert_true(phone_wait(bob.phone, 0, PHONE_CANCELED, SOON_MS));
	pair_expect(&call, "no-answer", "callee_no_answer");
	assert_near(call.ended_ms - phone_at_ms(bob.phone, 0, PHONE_RINGING), 3000, 500);
	assert_true(phone_at_ms(alice.phone, 0, PHONE_BYE) != 0);
}

static void callee_is_not_registered(void)
{
	struct told call;
	pair_reset();
	assert_int_equal(api_initiate(&gw, &alice, carol.username, &call), 201);
	pair_expect(&call, "failed", "callee_not_registered");
}

static void phones_without_a_common_codec(void)
{
	struct told call;
	struct phone_opts opts = { .username = carol.username, .password = carol.password, .domain = gw.domain, .server = gw.sip, .payload = 8 };
	struct phone *phone = phone_new(lab, &opts);
	pair_reset();
	assert_int_equal(phone_register(phone, 60), 200);
	assert_int_equal(api_initiate(&gw, &alice, carol.username, &call), 201);
	pair_expect(&call, "failed", "media_incompatible");
	assert_int_equal(phone_register(phone, 0), 200);
	phone_free(phone);
}

static void hold_by_either_party_keeps_the_call(void)
{
	struct told call;
	pair_reset();
	pair_talk(&call);
	struct phone *phones[] = { alice.phone, bob.phone };
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(phone_hold(phones[i], 0, true), 200);
		assert_int_equal(phone_hold(phones[i], 0, false), 200);
	}
	struct phone_call b;
	assert_true(phone_call(bob.phone, 0, &b));
	assert_true(b.reinvites >= 2); /* alice's hold and its end reached bob */
	assert_true(api_get(&gw, &alice, call.id, &call));
	assert_string_equal(call.status, "in-progress");
	phone_hangup(bob.phone, 0);
	pair_expect(&call, "completed", "hangup_callee");
}

static void every_phone_of_the_callee_rings_and_one_answers(void)
{
	struct told call;
	pair_reset();
	struct phone *second = user_phone(&gw, lab, &bob, 0);
	assert_int_equal(phone_register(second, 60), 200);
	phone_script(second, rings);
	phone_script(bob.phone, rings);
	assert_int_equal(api_initiate(&gw, &alice, "bob", &call), 201);
	assert_true(phone_wait(bob.phone, 0, PHONE_RINGING, SOON_MS));
	assert_true(phone_wait(second, 0, PHONE_RINGING, SOON_MS));
	phone_answer(bob.phone, 0);
	assert_true(phone_wait(second, 0, PHONE_CANCELED, SOON_MS));
	assert_true(api_wait(&gw, &alice, call.id, "in-progress", SOON_MS, &call));
	phone_hangup(alice.phone, 0);
	pair_expect(&call, "completed", "hangup_caller");
	assert_int_equal(phone_register(second, 0), 200);
	phone_free(second);
}

static void a_phone_on_tcp_is_called_like_any_other(void)
{
	struct told call;
	struct phone_opts opts = { .username = carol.username, .password = carol.password, .domain = gw.domain, .server = gw.sip, .tcp = true };
	struct phone *phone = phone_new(lab, &opts);
	pair_reset();
	assert_non_null(phone);
	assert_int_equal(phone_register(phone, 60), 200);
	assert_int_equal(api_initiate(&gw, &alice, carol.username, &call), 201);
	assert_true(phone_wait(phone, 0, PHONE_ACKED, SOON_MS));
	assert_true(api_wait(&gw, &alice, call.id, "in-progress", SOON_MS, &call));
	phone_hangup(phone, 0);
	assert_true(api_wait(&gw, &alice, call.id, "ended", SOON_MS, &call));
	assert_string_equal(call.reason, "hangup_callee");
	assert_int_equal(slots_wait(&gw, alice.id, 0, 2000), 0);
	assert_int_equal(phone_register(phone, 0), 200);
	phone_free(phone);
}

static void auto_answer_is_passed_to_the_callers_phone_only(void)
{
	struct phone_call a, b;
	struct told call;
	char body[256];
	pair_reset();
	snprintf(body, sizeof(body), "{\"fromNumber\":\"+15550001111\",\"toNumber\":\"%s\",\"useTwilio\":false,\"autoAnswer\":true}", bob.username);
	struct http_reply *reply = gateway_http(&gw, "POST", "/api/v1/opensips/call/initiate", alice.key, body);
	assert_int_equal(reply->status, 201);
	api_read(json_at(reply->json, "session"), &call);
	assert_true(phone_wait(bob.phone, 0, PHONE_ACKED, SOON_MS));
	assert_true(phone_call(alice.phone, 0, &a) && a.auto_answer);
	assert_true(phone_call(bob.phone, 0, &b) && !b.auto_answer);
	assert_string_equal(b.peer, "+15550001111");
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	pair_expect(&call, "completed", "ended_by_api");
}

static const struct CMUnitTest tests[] = {
	E2E(call_ends_when_caller_hangs_up), E2E(call_ends_when_callee_hangs_up), E2E(call_ends_when_api_asks),
	E2E(initiate_answers_while_the_callers_phone_rings), E2E(cancel_while_callee_rings),
	E2E(caller_hangs_up_while_callee_rings), E2E(callee_that_answers_as_it_is_cancelled_is_hung_up), E2E(a_hangup_that_crosses_the_join_is_a_hangup), E2E(caller_is_busy),
	E2E(caller_declines), E2E(caller_does_not_answer), E2E(caller_is_not_registered), E2E(callee_is_busy),
	E2E(callee_declines), E2E(callee_does_not_answer), E2E(callee_is_not_registered), E2E(phones_without_a_common_codec),
	E2E(hold_by_either_party_keeps_the_call), E2E(every_phone_of_the_callee_rings_and_one_answers),
	E2E(a_phone_on_tcp_is_called_like_any_other), E2E(auto_answer_is_passed_to_the_callers_phone_only),
};

int main(int argc, char **argv)
{
	static const char *const settings[] = { "calls.ring_seconds=3", NULL };
	const struct e2e_suite suite = { "calls", tests, sizeof(tests) / sizeof(tests[0]), settings, 110, setup, false };
	return e2e_main(argc, argv, &suite);
}
