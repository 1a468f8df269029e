/* test_sip_server_trunk.c - each SIP server found: numbers that phones dial, and the gateway's own calls to numbers, leave
 * through a trunk that knows us by address or by digest; its refusals come back in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sip_server/trunk_steps.h"

static void a_dialled_number_leaves_through_the_trunk(void **state)
{
	struct call call = { .a = alice, .b = trunk };

	(void)state;
	call.invite = dial_out("0014155550123");
	assert_int_equal(strncmp(call.invite, "INVITE sip:" NUMBER "@" FIXTURE_TRUNK, strlen("INVITE sip:" NUMBER "@" FIXTURE_TRUNK)), 0);
	assert_true(message_has(call.invite, "From: <sip:" SHOWN "@" FIXTURE_TRUNK ">"));
	assert_true(message_has(call.invite, "To: <sip:" NUMBER "@" FIXTURE_TRUNK ">"));
	assert_true(message_has(call.invite, "P-Asserted-Identity: <sip:" SHOWN "@" FIXTURE_TRUNK ">"));
	assert_false(message_has(call.invite, "X-Nexus"));
	assert_false(message_has(call.invite, "Proxy-Authorization"));
	client_reply(trunk, call.invite, 183, "Session Progress");
	assert_non_null(client_expect(alice, "183", 3000));
	snprintf(call.id, sizeof(call.id), "%s", client_call_id(alice));
	call_answer(&call);
	assert_true(message_has(call.answer, "From: <sip:alice@" FIXTURE_DOMAIN ">"));
	assert_true(message_has(call.answer, "To: <sip:0014155550123@" FIXTURE_DOMAIN ">"));
	call_hangup(&call, true);
	assert_string_equal(fixture_events(f, call.id, "ringing answered ended:caller"), "ringing answered ended:caller");
	assert_string_equal(fixture_event_member(f, call.id, SIP_EV_RINGING, "to"), NUMBER);
	assert_string_equal(fixture_event_member(f, call.id, SIP_EV_RINGING, "owner"), "user_a");
}

static void the_trunk_can_hang_up(void **state)
{
	struct call call = { .a = alice, .b = trunk };

	(void)state;
	call.invite = dial_out("+14155550123");
	client_reply(trunk, call.invite, 180, "Ringing");
	assert_non_null(client_expect(alice, "180", 3000));
	snprintf(call.id, sizeof(call.id), "%s", client_call_id(alice));
	call_answer(&call);
	call_hangup(&call, false);
	assert_string_equal(fixture_events(f, call.id, "ringing answered ended:callee"), "ringing answered ended:callee");
}

static void the_trunks_own_contact_and_route_are_kept(void **state)
{
	struct call call = { .a = alice, .b = trunk };
	message *bye;

	(void)state;
	client_claim_contact(trunk, "sip:inner@198.51.100.9:5070");
	call.invite = dial_out("+14155550123");
	client_reply_with(trunk, call.invite, 200, "OK", "");
	call.answer = client_expect(alice, "200", 3000);
	assert_non_null(call.answer);
	assert_true(message_has(call.answer, "<sip:inner@198.51.100.9:5070>"));
	client_in_call(alice, "ACK", call.answer, NULL, "Route: <sip:198.51.100.8;lr>\r\n");
	assert_non_null(client_expect(trunk, "ACK", 3000));
	client_in_call(alice, "BYE", call.answer, NULL, "Route: <sip:198.51.100.8;lr>\r\n");
	bye = client_expect(trunk, "BYE", 3000);
	assert_non_null(bye);
	assert_int_equal(strncmp(bye, "BYE sip:inner@198.51.100.9:5070 ", 32), 0);
	assert_true(message_has(bye, "Route: <sip:198.51.100.8;lr>"));
	client_reply(trunk, bye, 200, "OK");
	assert_non_null(client_expect(alice, "200", 3000));
	client_claim_contact(trunk, NULL);
}

static void the_gateway_ends_a_trunk_call(void **state)
{
	struct call call = { .a = alice, .b = trunk };

	(void)state;
	call.invite = dial_out(NUMBER);
	client_reply(trunk, call.invite, 180, "Ringing");
	assert_non_null(client_expect(alice, "180", 3000));
	snprintf(call.id, sizeof(call.id), "%s", client_call_id(alice));
	call_answer(&call);
	assert_int_equal(fixture_end(f, call.id), NXV_OK);
	call_expect_both_byes(&call, 3000);
}

static void the_trunks_refusals_reach_the_phone(void **state)
{
	static const struct { int sent, seen; const char *reason; } codes[] = { { 486, 486, "Busy Here" }, { 404, 404, "Not Found" },
		{ 403, 403, "Forbidden" }, { 503, 503, "Service Unavailable" }, { 480, 480, "No Answer" }, { 302, 503, "Moved" } };

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		char expected[32], id[64];
		message *refusal, *invite = dial_out(NUMBER);

		snprintf(id, sizeof(id), "%s", client_call_id(alice));
		client_reply(trunk, invite, codes[i].sent, codes[i].reason);
		assert_non_null(client_expect(trunk, "ACK", 3000));
		snprintf(expected, sizeof(expected), "%d", codes[i].seen);
		refusal = client_expect(alice, expected, 3000);
		assert_non_null(refusal);
		client_ack_refusal(alice, refusal);
		snprintf(expected, sizeof(expected), "failed:%d", codes[i].seen);
		assert_string_equal(fixture_events(f, id, expected), expected);
	}
}

static void a_cancelled_call_is_taken_back(void **state)
{
	message *cancel, *invite = dial_out(NUMBER);

	(void)state;
	client_reply(trunk, invite, 180, "Ringing");
	assert_non_null(client_expect(alice, "180", 3000));
	client_cancel(alice);
	cancel = client_expect(trunk, "CANCEL", 3000);
	assert_non_null(cancel);
	client_reply(trunk, cancel, 200, "OK");
	client_reply(trunk, invite, 487, "Request Terminated");
	assert_non_null(client_expect(alice, "487", 3000));
	assert_string_equal(fixture_events(f, client_call_id(alice), "ringing failed:487"), "ringing failed:487");
}

static void a_trunk_that_asks_for_a_password_is_named_when_there_is_none(void **state)
{
	message *refusal, *invite = dial_out(NUMBER);

	(void)state;
	client_reply_with(trunk, invite, 407, "Proxy Authentication Required", "Proxy-Authenticate: Digest realm=\"trunk.test\",nonce=\"abc\"\r\n");
	assert_non_null(client_expect(trunk, "ACK", 3000));
	refusal = client_expect(alice, "503", 3000);
	assert_non_null(refusal);
	client_ack_refusal(alice, refusal);
	assert_true(message_has(refusal, "Trunk Refuses Our Credentials"));
	assert_false(message_has(refusal, "Proxy-Authenticate"));
}

static void a_silent_trunk_is_told_in_words(void **state)
{
	message *refusal;

	(void)state;
	dial_out(NUMBER);
	refusal = client_expect(alice, "503", 12000);
	assert_non_null(refusal);
	client_ack_refusal(alice, refusal);
	assert_true(message_has(refusal, "Trunk Does Not Answer"));
}

static void the_gateways_refusal_keeps_a_call_from_the_trunk(void **state)
{
	message *ask, *refusal;

	(void)state;
	client_dial(alice, "sip:+19005550123@" FIXTURE_DOMAIN, NULL, NULL);
	ask = expect_question("phone");
	client_reply(gateway, ask, 403, "Destination Not Allowed");
	refusal = client_expect(alice, "403", 3000);
	assert_non_null(refusal);
	client_ack_refusal(alice, refusal);
	assert_true(message_has(refusal, "Destination Not Allowed"));
	assert_string_equal(fixture_events(f, client_call_id(alice), "failed:403"), "failed:403");
	assert_string_equal(fixture_event_member(f, client_call_id(alice), SIP_EV_FAILED, "reason"), "Destination Not Allowed");
	assert_nothing_reached(trunk);
}

static void an_answer_without_the_key_lets_nothing_through(void **state)
{
	message *ask, *refusal;

	(void)state;
	client_dial(alice, "sip:" NUMBER "@" FIXTURE_DOMAIN, NULL, NULL);
	ask = expect_question("phone");
	client_reply_with(gateway, ask, 302, "Moved", "X-Nexus-Number: " NUMBER "\r\nX-Nexus-Caller-Id: " SHOWN "\r\n");
	refusal = client_expect(alice, "503", 3000);
	assert_non_null(refusal);
	client_ack_refusal(alice, refusal);
	assert_nothing_reached(trunk);
}

static void without_the_gateway_no_number_is_called(void **state)
{
	message *refusal;

	(void)state;
	client_dial(alice, "sip:" NUMBER "@" FIXTURE_DOMAIN, NULL, NULL);
	expect_question("phone");
	refusal = client_expect(alice, "503", 6000);
	assert_non_null(refusal);
	client_ack_refusal(alice, refusal);
	assert_true(message_has(refusal, "The Gateway Does Not Run"));
	assert_nothing_reached(trunk);
}

static void the_gateways_own_leg_leaves_without_a_question(void **state)
{
	message *invite;

	(void)state;
	client_dial(gateway, "sip:" NUMBER "@" FIXTURE_DOMAIN, "sip:" SHOWN "@" FIXTURE_DOMAIN,
		"X-Nexus-Session: session_1_x\r\nX-Nexus-Leg: b\r\nX-Nexus-Caller-Id: " SHOWN "\r\n");
	invite = client_expect(trunk, "INVITE", 3000);
	assert_non_null(invite);
	assert_true(message_has(invite, "From: <sip:" SHOWN "@" FIXTURE_TRUNK ">"));
	assert_false(message_has(invite, "X-Nexus"));
	client_reply(trunk, invite, 486, "Busy Here");
	assert_non_null(client_expect(gateway, "486", 3000));
	assert_string_equal(fixture_events(f, client_call_id(gateway), "failed:486"), "failed:486");
	assert_string_equal(fixture_event_member(f, client_call_id(gateway), SIP_EV_FAILED, "session"), "session_1_x");
}

/* ---- a trunk with digest */

static void challenge(message *invite)
{
	client_reply_with(trunk, invite, 407, "Proxy Authentication Required",
		"Proxy-Authenticate: Digest realm=\"trunk.test\",nonce=\"abc123\",qop=\"auth\",algorithm=MD5\r\n");
	assert_non_null(client_expect(trunk, "ACK", 3000));
}

static void the_server_answers_the_trunks_challenge(void **state)
{
	struct call call = { .a = alice, .b = trunk };
	char first[32], second[32], bye[32];
	message *invite = dial_out(NUMBER), *seen;

	(void)state;
	message_header(invite, "CSeq", first, sizeof(first));
	challenge(invite);
	call.invite = client_expect(trunk, "INVITE", 3000);
	assert_non_null(call.invite);
	message_header(call.invite, "CSeq", second, sizeof(second));
	assert_string_not_equal(first, second);
	assert_true(message_has(call.invite, "username=\"nexus-trunk\""));
	assert_true(message_has(call.invite, "uri=\"sip:" NUMBER "@" FIXTURE_TRUNK));
	assert_true(message_has(call.invite, "From: <sip:" SHOWN "@" FIXTURE_TRUNK ">"));
	assert_true(message_has(call.invite, "P-Asserted-Identity: <sip:" SHOWN "@" FIXTURE_TRUNK ">"));
	assert_false(message_has(call.invite, "pw-nexus-trunk"));
	client_reply(trunk, call.invite, 180, "Ringing");
	seen = client_expect(alice, "180", 3000);
	assert_non_null(seen);
	assert_false(message_has(seen, "Proxy-Authenticate"));
	call_answer(&call);
	client_in_call(alice, "BYE", call.answer, NULL, NULL);
	seen = client_expect(trunk, "BYE", 3000);
	assert_non_null(seen);
	message_header(seen, "CSeq", bye, sizeof(bye));
	assert_true(atoi(bye) > atoi(second));
	client_reply(trunk, seen, 200, "OK");
	seen = client_expect(alice, "200", 3000);
	assert_non_null(seen);
}

static int count(message *m, const char *text)
{
	int n = 0;

	for (const char *at = m; (at = strstr(at, text)); at += strlen(text))
		n++;
	return n;
}

static void the_gateways_own_leg_is_dressed_once(void **state)
{
	message *invite, *refusal;

	(void)state;
	client_dial(gateway, "sip:" NUMBER "@" FIXTURE_DOMAIN, "sip:" SHOWN "@" FIXTURE_DOMAIN,
		"X-Nexus-Session: session_2_x\r\nX-Nexus-Leg: b\r\nX-Nexus-Caller-Id: " SHOWN "\r\n");
	challenge(client_expect(trunk, "INVITE", 3000));
	invite = client_expect(trunk, "INVITE", 3000);
	assert_non_null(invite);
	assert_int_equal(count(invite, "From: <sip:" SHOWN "@" FIXTURE_TRUNK ">;tag="), 1);
	assert_int_equal(count(invite, "To: <sip:" NUMBER "@" FIXTURE_TRUNK ">\r\n"), 1);
	assert_int_equal(count(invite, "P-Asserted-Identity: "), 1);
	client_reply(trunk, invite, 486, "Busy Here");
	refusal = client_expect(gateway, "486", 3000);
	assert_non_null(refusal);
	client_ack_refusal(gateway, refusal);
}

static void a_wrong_trunk_password_is_told_once(void **state)
{
	message *refusal;

	(void)state;
	challenge(dial_out(NUMBER));
	challenge(client_expect(trunk, "INVITE", 3000));
	refusal = client_expect(alice, "503", 3000);
	assert_non_null(refusal);
	client_ack_refusal(alice, refusal);
	assert_true(message_has(refusal, "Trunk Refuses Our Credentials"));
	assert_nothing_reached(trunk);
	assert_string_equal(fixture_events(f, client_call_id(alice), "failed:503"), "failed:503");
	assert_string_equal(fixture_event_member(f, client_call_id(alice), SIP_EV_FAILED, "reason"), "Trunk Refuses Our Credentials");
}

static void another_realm_gets_no_answer(void **state)
{
	message *invite = dial_out(NUMBER), *refusal;

	(void)state;
	client_reply_with(trunk, invite, 407, "Proxy Authentication Required",
		"Proxy-Authenticate: Digest realm=\"elsewhere\",nonce=\"abc123\",qop=\"auth\",algorithm=MD5\r\n");
	refusal = client_expect(alice, "503", 3000);
	assert_non_null(refusal);
	client_ack_refusal(alice, refusal);
	assert_nothing_reached(trunk);
}

#define CASE(fn) cmocka_unit_test_teardown(fn, trunk_forget)
int main(int argc, char **argv)
{
	const struct CMUnitTest by_address[] = {
		CASE(a_dialled_number_leaves_through_the_trunk), CASE(the_trunk_can_hang_up),
		CASE(the_trunks_own_contact_and_route_are_kept), CASE(the_gateway_ends_a_trunk_call),
		CASE(the_trunks_refusals_reach_the_phone), CASE(a_cancelled_call_is_taken_back),
		CASE(a_trunk_that_asks_for_a_password_is_named_when_there_is_none), CASE(a_silent_trunk_is_told_in_words),
		CASE(the_gateways_refusal_keeps_a_call_from_the_trunk), CASE(an_answer_without_the_key_lets_nothing_through),
		CASE(without_the_gateway_no_number_is_called), CASE(the_gateways_own_leg_leaves_without_a_question),
	};
	const struct CMUnitTest by_digest[] = {
		CASE(the_server_answers_the_trunks_challenge), CASE(the_gateways_own_leg_is_dressed_once),
		CASE(a_wrong_trunk_password_is_told_once), CASE(another_realm_gets_no_answer),
	};
	int failed;

	driver = fixture_driver(argc > 1 ? argv[1] : "opensips");
	if (argc > 2)
		cmocka_set_test_filter(argv[2]);
	failed = cmocka_run_group_tests_name("trunk by address", by_address, trunk_start, trunk_stop);
	return failed + cmocka_run_group_tests_name("trunk by digest", by_digest, trunk_start_digest, trunk_stop);
}
