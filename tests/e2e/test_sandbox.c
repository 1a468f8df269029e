/* test_sandbox.c - nexusd --sandbox as a newcomer meets it: calls over Twilio without Twilio, and a phone that really rings, by
 * way of the SIP server. */
#include "e2e.h"

#include <json-c/json.h>
#include <stdio.h>

enum { SOON_MS = 20000 };

static struct user alice;
static const char *server;

static void begin(void)
{
	static bool begun;

	if (!begun) {
		assert_true(gateway_prepare(&gw, server, NULL));
		gw.arg = "--sandbox";
		assert_true(gateway_run(&gw) && gateway_sip_start(&gw));
		assert_true(user_make(&gw, "alice", &alice) && user_register(&gw, lab, &alice, 700));
		begun = true;
	}
	phone_forget(alice.phone);
	phone_script(alice.phone, (struct phone_script){ .manner = PHONE_ANSWERS, .code = 200, .ring_ms = 200 });
}

static void call(const char *to, const char *more, struct told *told)
{
	struct http_reply *reply;
	char body[200];

	snprintf(body, sizeof(body), "{\"fromNumber\": \"+1234567890\",\"toNumber\": \"%s\",\"useTwilio\": true%s}", to, more);
	reply = gateway_http(&gw, "POST", "/api/v1/opensips/call/initiate", alice.key, body);
	if (reply->status != 201)
		fail_msg("%d %s", reply->status, reply->body);
	api_read(json_at(reply->json, "session"), told);
}

/* One session, one slot, and it ends so. */
static void expect_end(const char *id, const char *status, const char *reason)
{
	struct told told;

	if (!api_wait(&gw, &alice, id, "ended", SOON_MS, &told) || strcmp(told.status, status) != 0 || strcmp(told.reason, reason) != 0)
		fail_msg("%s: %s (%s), expected %s (%s)", id, told.status, told.reason, status, reason);
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
}

static void until_heard(double hz)
{
	double heard = 0;

	for (int64_t until = now_ms() + SOON_MS; now_ms() < until && heard < 0.5; nap_ms(50))
		heard = phone_heard(alice.phone, hz);
	if (heard < 0.5)
		fail_msg("%.0f Hz are %.2f of what was heard in %u packets", hz, heard, phone_heard_packets(alice.phone));
}

static void the_guides_own_request_rings_the_phone_and_comes_to_its_end(void)
{
	struct phone_call seen;
	struct told told;

	begin();
	call("+0987654321", "", &told);
	assert_true(phone_wait(alice.phone, 0, PHONE_ACKED, SOON_MS));
	assert_true(api_wait(&gw, &alice, told.id, "in-progress", SOON_MS, &told));
	assert_int_equal(slots_wait(&gw, "alice", 1, SOON_MS), 1);
	until_heard(700); /* its own tone, as an echo */
	assert_true(phone_wait(alice.phone, 0, PHONE_ENDED, 40000));
	assert_true(phone_call(alice.phone, 0, &seen));
	assert_false(seen.bye_was_ours);
	assert_int_equal(lab_nexus_headers(lab), 0);
	assert_int_equal(phone_calls(alice.phone), 1);
	expect_end(told.id, "completed", "hangup_callee");
}

static void who_hangs_up_at_the_phone_ends_the_call(void)
{
	struct told told;

	begin();
	call("+999102", "", &told);
	assert_true(api_wait(&gw, &alice, told.id, "in-progress", SOON_MS, &told));
	phone_hangup(alice.phone, 0);
	expect_end(told.id, "completed", "hangup_caller");
}

static void the_api_ends_the_call_at_the_phone(void)
{
	struct phone_call seen;
	struct told told;

	begin();
	call("+999102", "", &told);
	assert_true(api_wait(&gw, &alice, told.id, "in-progress", SOON_MS, &told));
	assert_int_equal(api_end(&gw, &alice, told.id), 200);
	assert_true(phone_wait(alice.phone, 0, PHONE_ENDED, SOON_MS));
	assert_true(phone_call(alice.phone, 0, &seen));
	assert_false(seen.bye_was_ours);
	expect_end(told.id, "completed", "ended_by_api");
}

static void a_phone_that_is_busy_or_does_not_want_says_so(void)
{
	struct told told;

	begin();
	phone_script(alice.phone, (struct phone_script){ .manner = PHONE_REFUSES, .code = 486, .ring_ms = 100 });
	call("+999102", "", &told);
	expect_end(told.id, "busy", "caller_busy");
	assert_int_equal(phone_calls(alice.phone), 1);
}

static void a_busy_number_is_told_while_the_phone_is_up(void)
{
	struct told told;

	begin();
	call("+999200", "", &told);
	assert_true(phone_wait(alice.phone, 0, PHONE_ENDED, SOON_MS));
	expect_end(told.id, "busy", "callee_busy");
}

static void the_number_can_ring_first(void)
{
	struct told told;

	begin();
	call("+999102", ",\"ringFirst\":\"callee\"", &told);
	assert_true(phone_wait(alice.phone, 0, PHONE_ACKED, SOON_MS));
	until_heard(700);
	phone_hangup(alice.phone, 0);
	expect_end(told.id, "completed", "hangup_caller");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		E2E(the_guides_own_request_rings_the_phone_and_comes_to_its_end),
		E2E(who_hangs_up_at_the_phone_ends_the_call),
		E2E(the_api_ends_the_call_at_the_phone),
		E2E(a_phone_that_is_busy_or_does_not_want_says_so),
		E2E(a_busy_number_is_told_while_the_phone_is_up),
		E2E(the_number_can_ring_first),
	};
	const struct e2e_suite suite = { .name = "the sandbox", .tests = tests, .count = sizeof(tests) / sizeof(tests[0]),
		.seconds = 170, .bare = true };

	server = argc > 1 ? argv[1] : "";
	return e2e_main(argc, argv, &suite);
}
