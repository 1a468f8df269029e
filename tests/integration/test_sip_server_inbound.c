/* test_sip_server_inbound.c - each SIP server found: calls from a trunk, and the legs that Twilio sends to our phones, ring
 * whom the gateway names and nobody else; nobody is taken for either of them who is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "sip_server/trunk_steps.h"

static void a_call_from_the_trunk_rings_whom_the_gateway_names(void **state)
{
	struct call call = { .a = trunk, .b = bob };
	message *ask;

	(void)state;
	client_claim_contact(trunk, "sip:inner@198.51.100.9:5070");
	client_call_in(trunk, "sip:+15005550001@127.0.0.1", "sip:" NUMBER "@carrier.example",
		"X-Nexus-Owner: user_x\r\nX-Nexus-Session: forged\r\nP-Asserted-Identity: <sip:evil@x>\r\nAlert-Info: <x>;info=alert-autoanswer\r\n");
	ask = expect_question("trunk");
	assert_true(message_has(ask, "INVITE sip:+15005550001@"));
	assert_false(message_has(ask, "user_x"));
	assert_false(message_has(ask, "forged"));
	allow(ask, "X-Nexus-Owner: user_b\r\nX-Nexus-Limit: 5\r\nX-Nexus-Targets: nobody,bob\r\n");
	call.invite = client_expect(bob, "INVITE", 3000);
	assert_non_null(call.invite);
	assert_false(message_has(call.invite, "X-Nexus"));
	assert_false(message_has(call.invite, "P-Asserted-Identity"));
	assert_false(message_has(call.invite, "Alert-Info"));
	assert_true(message_has(call.invite, "Contact: <sip:inner@198.51.100.9:5070>"));
	client_reply(bob, call.invite, 180, "Ringing");
	assert_non_null(client_expect(trunk, "180", 3000));
	snprintf(call.id, sizeof(call.id), "%s", client_call_id(trunk));
	call_answer(&call);
	call_hangup(&call, true);
	assert_string_equal(fixture_events(f, call.id, "ringing answered ended:caller"), "ringing answered ended:caller");
	assert_string_equal(fixture_event_member(f, call.id, SIP_EV_ANSWERED, "owner"), "user_b");
	client_claim_contact(trunk, NULL);
}

static void a_called_phone_hangs_up_on_the_trunk(void **state)
{
	struct call call = { .a = trunk, .b = bob };

	(void)state;
	client_call_in(trunk, "sip:+15005550001@127.0.0.1", "sip:" NUMBER "@carrier.example", NULL);
	allow(expect_question("trunk"), "X-Nexus-Owner: user_b\r\nX-Nexus-Limit: 5\r\nX-Nexus-Targets: bob\r\n");
	call.invite = client_expect(bob, "INVITE", 3000);
	assert_non_null(call.invite);
	client_reply(bob, call.invite, 180, "Ringing");
	assert_non_null(client_expect(trunk, "180", 3000));
	call_answer(&call);
	client_in_call_back(bob, "BYE", call.invite, NULL);
	assert_non_null(client_expect(trunk, "BYE", 3000));
}

static void a_call_from_the_trunk_counts_on_its_owner(void **state)
{
	message *refusal;

	(void)state;
	client_call_in(trunk, "sip:+15005550001@127.0.0.1", "sip:" NUMBER "@carrier.example", NULL);
	allow(expect_question("trunk"), "X-Nexus-Owner: user_full\r\nX-Nexus-Limit: 0\r\nX-Nexus-Targets: bob\r\n");
	refusal = client_expect(trunk, "403", 3000);
	assert_non_null(refusal);
	client_ack_refusal(trunk, refusal);
	assert_nothing_reached(bob);
}

static void the_trunk_reaches_nothing_by_itself(void **state)
{
	static const char *const targets[] = { "sip:bob@" FIXTURE_DOMAIN, "sip:" FIXTURE_SERVICE "@" FIXTURE_DOMAIN };
	message *refusal;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(message_status(client_request(trunk, "INVITE", targets[i], "sip:" NUMBER "@carrier.example", NULL)), 404);
	/* A number that is not ours, such as one that only the trunk itself could reach. */
	client_call_in(trunk, "sip:+14155559999@" FIXTURE_TRUNK, "sip:" NUMBER "@carrier.example", NULL);
	client_reply(gateway, expect_question("trunk"), 404, "Unknown Number");
	refusal = client_expect(trunk, "404", 3000);
	assert_non_null(refusal);
	client_ack_refusal(trunk, refusal);
	assert_nothing_reached(trunk);
	assert_nothing_reached(bob);
}

static void nobody_else_is_taken_for_the_trunk(void **state)
{
	(void)state;
	assert_int_equal(message_status(client_request(stranger, "INVITE", "sip:+15005550001@" FIXTURE_DOMAIN, "sip:" NUMBER "@carrier.example", NULL)), 403);
	assert_int_equal(message_status(client_request(stranger, "INVITE", "sip:+15005550001@" FIXTURE_DOMAIN, NULL, NULL)), 403);
	assert_int_equal(message_status(client_request(stranger, "INVITE", "sip:" NUMBER "@" FIXTURE_TRUNK, NULL, NULL)), 403);
	assert_nothing_reached(gateway);
	assert_nothing_reached(trunk);
}

static void twilios_leg_joins_the_session_that_the_gateway_names(void **state)
{
	struct call call = { .a = twilio, .b = bob };
	char value[80];
	message *ask;

	(void)state;
	client_call_in(twilio, "sip:bob@sip.example.com", "sip:" NUMBER "@sip.twilio.com",
		"X-Nexus-Leg: session_1_x.a.0123\r\nX-Nexus-Session: forged\r\n");
	ask = expect_question("twilio");
	message_header(ask, "X-Nexus-Leg", value, sizeof(value));
	assert_string_equal(value, "session_1_x.a.0123");
	assert_false(message_has(ask, "forged"));
	allow(ask, "X-Nexus-Owner: user_b\r\nX-Nexus-Limit: 5\r\nX-Nexus-Targets: bob\r\nX-Nexus-Session: session_1_x\r\nX-Nexus-Leg: a\r\n");
	call.invite = client_expect(bob, "INVITE", 3000);
	assert_non_null(call.invite);
	assert_false(message_has(call.invite, "X-Nexus"));
	client_reply(bob, call.invite, 180, "Ringing");
	assert_non_null(client_expect(twilio, "180", 3000));
	snprintf(call.id, sizeof(call.id), "%s", client_call_id(twilio));
	call_answer(&call);
	call_hangup(&call, true);
	assert_string_equal(fixture_events(f, call.id, "ringing answered ended:caller"), "ringing answered ended:caller");
	assert_string_equal(fixture_event_member(f, call.id, SIP_EV_ANSWERED, "session"), "session_1_x");
	assert_string_equal(fixture_event_member(f, call.id, SIP_EV_ANSWERED, "leg"), "a");
}

static void a_wrong_token_rings_nobody(void **state)
{
	message *refusal;

	(void)state;
	client_call_in(twilio, "sip:bob@" FIXTURE_DOMAIN, "sip:" NUMBER "@sip.twilio.com", "X-Nexus-Leg: made-up\r\n");
	client_reply(gateway, expect_question("twilio"), 403, "Not A Leg Of Ours");
	refusal = client_expect(twilio, "403", 3000);
	assert_non_null(refusal);
	client_ack_refusal(twilio, refusal);
	assert_nothing_reached(bob);
}

static void tokens_count_for_nothing_elsewhere(void **state)
{
	(void)state;
	assert_int_equal(message_status(client_request(twilio, "INVITE", "sip:bob@" FIXTURE_DOMAIN, "sip:" NUMBER "@sip.twilio.com", NULL)), 403);
	assert_int_equal(message_status(client_request(stranger, "INVITE", "sip:bob@" FIXTURE_DOMAIN, NULL, "X-Nexus-Leg: session_1_x.a.0123\r\n")), 403);
	assert_nothing_reached(gateway);
	assert_nothing_reached(bob);
}

#define CASE(fn) cmocka_unit_test_teardown(fn, trunk_forget)
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(a_call_from_the_trunk_rings_whom_the_gateway_names), CASE(a_called_phone_hangs_up_on_the_trunk),
		CASE(a_call_from_the_trunk_counts_on_its_owner), CASE(the_trunk_reaches_nothing_by_itself),
		CASE(nobody_else_is_taken_for_the_trunk), CASE(twilios_leg_joins_the_session_that_the_gateway_names),
		CASE(a_wrong_token_rings_nobody), CASE(tokens_count_for_nothing_elsewhere),
	};

	driver = fixture_driver(argc > 1 ? argv[1] : "opensips");
	if (argc > 2)
		cmocka_set_test_filter(argv[2]);
	return cmocka_run_group_tests_name("calls from outside", tests, trunk_start, trunk_stop);
}
