/* test_sip_server_calls.c - each SIP server found: calls between two endpoints, in every way they can end, and what
 * the server tells of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "sip_server/call_steps.h"

enum { RACES = 40 };

static const struct sip_driver *driver;
static struct fixture *f;
static struct client *alice, *bob, *carol, *service;

static int start(void **state)
{
	(void)state;
	f = fixture_start(driver, NULL);
	fixture_user(f, "alice", "user_a", 2, 0);
	fixture_user(f, "bob", "user_b", 50, 0);
	fixture_user(f, "carol", "user_a", 2, 0);
	alice = client_open("alice", f->port);
	bob = client_open("bob", f->port);
	carol = client_open("carol", f->port);
	service = client_open(FIXTURE_SERVICE, f->port);
	return client_register(bob, 300) == 200 ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	client_close(alice);
	client_close(bob);
	client_close(carol);
	client_close(service);
	return fixture_stop(f) ? 0 : -1;
}

static int forget(void **state)
{
	(void)state;
	client_forget(alice);
	client_forget(bob);
	client_forget(carol);
	client_forget(service);
	return 0;
}

static void assert_events(const char *call_id, const char *expected)
{
	assert_string_equal(fixture_events(f, call_id, expected), expected);
}

static void a_dialled_call_is_told_from_start_to_end(void **state)
{
	struct call call = { .a = alice, .b = bob };
	char contact[64];

	(void)state;
	assert_true(call_up(&call, NULL, "X-Nexus-Session: forged\r\nx-nexus-owner: forged\r\nX-Nexus-Targets: carol\r\n"));
	call_hangup(&call, false);
	assert_events(call.id, "call ringing answered ended:callee");
	snprintf(contact, sizeof(contact), "sip:bob@127.0.0.1:%d", client_port(bob));
	assert_string_equal(fixture_event_member(f, call.id, SIP_EV_CALL, "owner"), "user_a");
	assert_string_equal(fixture_event_member(f, call.id, SIP_EV_CALL, "from"), "alice");
	assert_string_equal(fixture_event_member(f, call.id, SIP_EV_CALL, "to"), "bob");
	assert_string_equal(fixture_event_member(f, call.id, SIP_EV_CALL, "session"), "");
	assert_string_equal(fixture_event_member(f, call.id, SIP_EV_CALL, "leg"), "");
	assert_string_equal(fixture_event_member(f, call.id, SIP_EV_ANSWERED, "contact"), contact);
	assert_true(call_up(&call, NULL, NULL));
	call_hangup(&call, true);
	assert_events(call.id, "call ringing answered ended:caller");
}

/* The message as a phone sees it that heeds no Record-Route, or a wrong one. */
static message *with_route(message *m, const char *route, char *out, size_t size)
{
	const char *end = strstr(m, "\r\n");
	char *at = out;

	at += snprintf(out, size, "%.*s%s%s", (int)(end - m), m, route ? "\r\nRecord-Route: " : "", route ? route : "");
	snprintf(at, size - (size_t)(at - out), "%s", end);
	while ((at = strstr(at, "\r\nRecord-Route:")))
		at[2] = 'X';
	return out;
}

/* The callee must not be able to keep the caller's call, and its place under the limit, for hours. */
static void a_hang_up_without_our_route_ends_the_call_too(void **state)
{
	struct call call = { .a = alice, .b = bob };
	char text[4096], strict[64];
	const char *const routes[] = { NULL, "<sip:127.0.0.9:9;lr>", strict };

	(void)state;
	snprintf(strict, sizeof(strict), "<sip:127.0.0.1:%d>", f->port);
	for (int i = 0; i < 6; i++) {
		const bool by_caller = i % 2;

		assert_true(call_up(&call, NULL, NULL));
		if (by_caller)
			call.answer = with_route(call.answer, routes[i / 2], text, sizeof(text));
		else
			call.invite = with_route(call.invite, routes[i / 2], text, sizeof(text));
		call_hangup(&call, by_caller);
		assert_events(call.id, by_caller ? "call ringing answered ended:caller" : "call ringing answered ended:callee");
		client_forget(alice);
		client_forget(bob);
	}
}

static void nexus_headers_never_reach_a_phone(void **state)
{
	struct call call = { .a = alice, .b = bob };
	message *m;

	(void)state;
	assert_true(call_ring(&call, NULL, "X-Nexus-Session: forged\r\nx-NEXUS-Whatever: 1\r\n"));
	assert_false(message_has(call.invite, "x-nexus"));
	client_reply(bob, call.invite, 200, "OK");
	call.answer = client_expect(alice, "200", 3000);
	assert_false(message_has(call.answer, "x-nexus"));
	client_in_call(alice, "ACK", call.answer, NULL, "X-Nexus-Session: forged\r\n");
	m = client_expect(bob, "ACK", 3000);
	assert_non_null(m);
	assert_false(message_has(m, "x-nexus"));
	client_in_call_back(bob, "INFO", call.invite, "X-Nexus-Session: forged\r\n");
	m = client_expect(alice, "INFO", 3000);
	assert_non_null(m);
	assert_false(message_has(m, "x-nexus"));
	client_reply(alice, m, 200, "OK");
	m = client_expect(bob, "200", 3000);
	assert_non_null(m);
	assert_false(message_has(m, "x-nexus"));
	snprintf(call.id, sizeof(call.id), "%s", client_call_id(alice));
	call_hangup(&call, true);
}

static void a_busy_phone_fails_the_call_with_its_own_code(void **state)
{
	struct call call = { .a = alice, .b = bob };
	message *m;

	(void)state;
	assert_true(call_ring(&call, NULL, NULL));
	client_reply(bob, call.invite, 486, "Busy Here");
	m = client_expect(alice, "486", 3000);
	assert_non_null(m);
	client_ack_refusal(alice, m);
	assert_events(call.id, "call ringing failed:486");
	assert_string_equal(fixture_event_member(f, call.id, SIP_EV_FAILED, "reason"), "Busy Here");
}

static void calls_that_reach_nobody_are_told_too(void **state)
{
	(void)state;
	assert_int_equal(message_status(client_request(alice, "INVITE", "sip:carol@" FIXTURE_DOMAIN, NULL, NULL)), 480);
	assert_events(client_call_id(alice), "call failed:480");
	assert_int_equal(message_status(client_request(alice, "INVITE", "sip:stranger@" FIXTURE_DOMAIN, NULL, NULL)), 404);
	assert_events(client_call_id(alice), "call failed:404");
	assert_int_equal(message_status(client_request(alice, "INVITE", "sip:+34600000000@" FIXTURE_DOMAIN, NULL, NULL)), 404);
	assert_events(client_call_id(alice), "call failed:404");
	assert_string_equal(fixture_event_member(f, client_call_id(alice), SIP_EV_FAILED, "reason"), "No trunk");
}

/* B is told to stop ringing, A gets this answer. */
static void expect_stopped(struct call *call, const char *code)
{
	message *cancel = client_expect(call->b, "CANCEL", 3000), *refusal;

	assert_non_null(cancel);
	client_reply(call->b, cancel, 200, "OK");
	client_reply(call->b, call->invite, 487, "Request Terminated");
	refusal = client_expect(call->a, code, 3000);
	assert_non_null(refusal);
	client_ack_refusal(call->a, refusal);
}

static void expect_cancelled(struct call *call)
{
	expect_stopped(call, "487");
}

static void the_caller_gives_up_while_it_rings(void **state)
{
	struct call call = { .a = alice, .b = bob };

	(void)state;
	assert_true(call_ring(&call, NULL, NULL));
	client_cancel(alice);
	expect_cancelled(&call);
	assert_events(call.id, "call ringing failed:487");
}

static void end_works_while_it_rings_and_after_the_answer(void **state)
{
	struct call call = { .a = alice, .b = bob };

	(void)state;
	assert_true(call_ring(&call, NULL, NULL));
	assert_int_equal(fixture_end(f, call.id), NXV_OK);
	expect_stopped(&call, "408"); /* A did not cancel it, so 487 is none of its answers */
	assert_events(call.id, "call ringing failed:408");
	assert_true(call_up(&call, NULL, NULL));
	assert_int_equal(fixture_end(f, call.id), NXV_OK);
	call_expect_both_byes(&call, 2000);
	assert_events(call.id, "call ringing answered ended:control");
	assert_int_equal(fixture_end(f, "no-such-call"), NXV_E_NOT_FOUND);
}

static void a_call_ends_when_its_time_is_over(void **state)
{
	struct call call = { .a = alice, .b = bob };

	(void)state;
	assert_true(call_up(&call, NULL, NULL));
	call_expect_both_byes(&call, 6000);
	assert_events(call.id, "call ringing answered ended:timeout");
}

static void the_limit_counts_the_owner_over_all_credentials(void **state)
{
	struct call first = { .a = alice, .b = bob }, second = { .a = carol, .b = bob };
	struct client *third = client_open("alice", f->port);
	message *m;

	(void)state;
	assert_true(call_ring(&first, NULL, NULL));
	assert_true(call_ring(&second, NULL, NULL));
	m = client_request(third, "INVITE", "sip:bob@" FIXTURE_DOMAIN, NULL, NULL);
	assert_int_equal(message_status(m), 403);
	assert_true(message_has(m, "Call limit reached"));
	assert_events(client_call_id(third), "call failed:403");
	client_cancel(alice);
	expect_cancelled(&first);
	client_cancel(carol);
	expect_cancelled(&second);
	assert_true(call_ring(&first, NULL, NULL));
	client_cancel(alice);
	expect_cancelled(&first);
	client_close(third);
}

static void the_gateway_is_believed_and_its_targets_ring_together(void **state)
{
	struct call call = { .a = service, .b = bob }, second = { .a = alice, .b = bob };
	message *other, *cancel;

	(void)state;
	assert_int_equal(client_register(carol, 60), 200);
	assert_true(call_ring(&call, "sip:+34911222333@" FIXTURE_DOMAIN, "X-Nexus-Session: session_1\r\nX-Nexus-Leg: a\r\n"
		"X-Nexus-Owner: user_a\r\nX-Nexus-Limit: 1\r\nX-Nexus-Max: 2\r\nX-Nexus-Targets: carol, alice\r\n"));
	assert_false(message_has(call.invite, "x-nexus"));
	other = client_expect(carol, "INVITE", 3000);
	assert_non_null(other);
	assert_false(message_has(other, "x-nexus"));
	client_reply(carol, other, 180, "Ringing");
	assert_non_null(client_expect(service, "180", 3000));
	call_answer(&call);
	cancel = client_expect(carol, "CANCEL", 3000);
	assert_non_null(cancel);
	client_reply(carol, cancel, 200, "OK");
	client_reply(carol, other, 487, "Request Terminated");
	/* One of the owner's two calls is taken by the gateway's, so alice has one left. */
	assert_true(call_ring(&second, NULL, NULL));
	assert_int_equal(message_status(client_request(carol, "INVITE", "sip:bob@" FIXTURE_DOMAIN, NULL, NULL)), 403);
	client_cancel(alice);
	expect_cancelled(&second);
	call_expect_both_byes(&call, 4000);
	assert_events(call.id, "ringing answered ended:timeout");
	assert_string_equal(fixture_event_member(f, call.id, SIP_EV_ANSWERED, "session"), "session_1");
	assert_string_equal(fixture_event_member(f, call.id, SIP_EV_ANSWERED, "leg"), "a");
	assert_string_equal(fixture_event_member(f, call.id, SIP_EV_ANSWERED, "owner"), "user_a");
	assert_int_equal(client_register(carol, 0), 200);
}

static struct client *carols_stream(void)
{
	struct stream *stream = stream_open(&(struct stream_opts){ .port = f->port }, NULL);
	struct client *c;
	static int n;
	char contact[64];

	assert_non_null(stream);
	c = client_open_stream("carol", stream);
	snprintf(contact, sizeof(contact), "sip:carol@192.0.2.%d;transport=tcp", ++n);
	client_claim_contact(c, contact);
	assert_int_equal(client_register(c, 60), 200);
	return c;
}

/* Kamailio looks which phones ring while another of its processes is about to hear of one more. */
static void a_phone_that_rings_as_another_answers_is_told_to_stop(void **state)
{
	struct client *quick = carols_stream(), *slow = carols_stream();
	struct call call = { .a = alice, .b = quick };

	(void)state;
	for (int i = 0; i < RACES; i++) {
		message *other, *cancel;

		client_dial(alice, "sip:carol@" FIXTURE_DOMAIN, NULL, NULL);
		snprintf(call.id, sizeof(call.id), "%s", client_call_id(alice));
		call.invite = client_expect(quick, "INVITE", 3000);
		other = client_expect(slow, "INVITE", 3000);
		assert_true(call.invite && other);
		client_reply(quick, call.invite, 180, "Ringing");
		if (i % 2)
			client_reply(slow, other, 180, "Ringing");
		client_reply(quick, call.invite, 200, "OK");
		if (i % 2 == 0) {
			usleep((useconds_t)(i % 16) * 20);
			client_reply(slow, other, 180, "Ringing");
		}
		call.answer = client_expect(alice, "200", 3000);
		assert_non_null(call.answer);
		client_in_call(alice, "ACK", call.answer, NULL, NULL);
		assert_non_null(client_expect(quick, "ACK", 3000));
		cancel = client_expect(slow, "CANCEL", 3000);
		if (!cancel)
			fail_msg("in call %d the other phone rings on", i);
		client_reply(slow, cancel, 200, "OK");
		client_reply(slow, other, 487, "Request Terminated");
		call_hangup(&call, true);
		client_forget(alice);
		client_forget(quick);
		client_forget(slow);
	}
	assert_int_equal(fixture_unregister(f, "carol"), NXV_OK);
	client_close(quick);
	client_close(slow);
}

static void a_refused_leg_of_the_gateway_is_told_with_its_session(void **state)
{
	struct call one = { .a = alice, .b = bob };
	message *m;

	(void)state;
	assert_true(call_ring(&one, NULL, NULL));
	m = client_request(service, "INVITE", "sip:bob@" FIXTURE_DOMAIN, "sip:+34911222333@" FIXTURE_DOMAIN,
		"X-Nexus-Session: session_2\r\nX-Nexus-Leg: a\r\nX-Nexus-Owner: user_a\r\nX-Nexus-Limit: 1\r\n");
	assert_int_equal(message_status(m), 403);
	assert_events(client_call_id(service), "failed:403");
	assert_string_equal(fixture_event_member(f, client_call_id(service), SIP_EV_FAILED, "session"), "session_2");
	m = client_request(service, "INVITE", "sip:carol@" FIXTURE_DOMAIN, NULL, "X-Nexus-Session: session_2\r\nX-Nexus-Leg: b\r\n");
	assert_int_equal(message_status(m), 480);
	assert_events(client_call_id(service), "failed:480");
	client_cancel(alice);
	expect_cancelled(&one);
}

static void dialogs_are_listed_early_and_confirmed(void **state)
{
	struct call call = { .a = service, .b = bob };
	char list[1024], expected[256];

	(void)state;
	assert_int_equal(fixture_dialogs(f, list, sizeof(list)), NXV_OK);
	assert_string_equal(list, "");
	assert_true(call_ring(&call, NULL, "X-Nexus-Session: session_3\r\nX-Nexus-Leg: a\r\nX-Nexus-Owner: user_b\r\nX-Nexus-Limit: 9\r\n"));
	assert_int_equal(fixture_dialogs(f, list, sizeof(list)), NXV_OK);
	snprintf(expected, sizeof(expected), "%s session_3 a user_b %s bob early\n", call.id, FIXTURE_SERVICE);
	assert_string_equal(list, expected);
	call_answer(&call);
	assert_int_equal(fixture_dialogs(f, list, sizeof(list)), NXV_OK);
	snprintf(expected, sizeof(expected), "%s session_3 a user_b %s bob confirmed\n", call.id, FIXTURE_SERVICE);
	assert_string_equal(list, expected);
	call_hangup(&call, true);
	assert_int_equal(fixture_dialogs(f, list, sizeof(list)), NXV_OK);
	assert_string_equal(list, "");
}

static void expect_ending(const char *list, const char *call_id, const char *rest)
{
	char line[200];

	snprintf(line, sizeof(line), "%s %s\n", call_id, rest);
	if (!strstr(list, line))
		fail_msg("no \"%.150s\" in:\n%s", line, list);
}

/* For a gateway that was away: what it could not be told. */
static void how_calls_ended_is_remembered(void **state)
{
	struct call up = { .a = alice, .b = bob }, busy = { .a = alice, .b = bob }, ours = { .a = service, .b = bob };
	const int64_t since_ms = (int64_t)time(NULL) * 1000;
	static char list[64 * 1024], phrase[2600];

	(void)state;
	memset(phrase, 'b', sizeof(phrase) - 1);
	assert_true(call_up(&up, NULL, NULL));
	call_hangup(&up, true);
	assert_events(up.id, "call ringing answered ended:caller");
	client_forget(bob);
	for (int i = 0; i < 3; i++) { /* the second one is too long to be kept, the third no text: neither hides anything */
		assert_true(call_ring(&busy, NULL, NULL));
		client_reply(bob, busy.invite, 486, i == 0 ? "Busy = Here" : i == 1 ? phrase : "Bes\xe4tt \xff\xfe");
		client_ack_refusal(alice, client_expect(alice, "486", 3000));
		assert_events(busy.id, "call ringing failed:486");
		client_forget(bob);
		assert_int_equal(fixture_endings(f, since_ms, list, sizeof(list)), NXV_OK);
		expect_ending(list, busy.id, "  user_a alice bob failed:486 rang");
	}
	assert_true(call_up(&ours, NULL, "X-Nexus-Session: session_9\r\nX-Nexus-Leg: b\r\n"));
	call_hangup(&ours, false);
	fixture_events(f, ours.id, "ringing answered ended:callee");
	assert_int_equal(fixture_endings(f, since_ms, list, sizeof(list)), NXV_OK);
	expect_ending(list, up.id, "  user_a alice bob ended:caller0 rang answered");
	expect_ending(list, ours.id, "session_9 b  nexus-gateway bob ended:callee0 rang answered");
	assert_null(strstr(list, "WRONG"));
	assert_true(strstr(list, up.id) < strstr(list, ours.id));
	assert_int_equal(fixture_endings(f, since_ms + 3600000, list, sizeof(list)), NXV_OK);
	assert_string_equal(list, "");
}

static void no_end_was_told_twice(void **state)
{
	(void)state;
	usleep(500 * 1000);
	assert_string_equal(fixture_told_twice(f), "");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_dialled_call_is_told_from_start_to_end, forget),
		cmocka_unit_test_setup(a_hang_up_without_our_route_ends_the_call_too, forget),
		cmocka_unit_test_setup(nexus_headers_never_reach_a_phone, forget),
		cmocka_unit_test_setup(a_busy_phone_fails_the_call_with_its_own_code, forget),
		cmocka_unit_test_setup(calls_that_reach_nobody_are_told_too, forget),
		cmocka_unit_test_setup(the_caller_gives_up_while_it_rings, forget),
		cmocka_unit_test_setup(end_works_while_it_rings_and_after_the_answer, forget),
		cmocka_unit_test_setup(a_call_ends_when_its_time_is_over, forget),
		cmocka_unit_test_setup(the_limit_counts_the_owner_over_all_credentials, forget),
		cmocka_unit_test_setup(the_gateway_is_believed_and_its_targets_ring_together, forget),
		cmocka_unit_test_setup(a_phone_that_rings_as_another_answers_is_told_to_stop, forget),
		cmocka_unit_test_setup(a_refused_leg_of_the_gateway_is_told_with_its_session, forget),
		cmocka_unit_test_setup(dialogs_are_listed_early_and_confirmed, forget),
		cmocka_unit_test_setup(how_calls_ended_is_remembered, forget),
		cmocka_unit_test(no_end_was_told_twice),
	};

	driver = fixture_driver(argc > 1 ? argv[1] : "opensips");
	return cmocka_run_group_tests_name(driver->name, tests, start, stop);
}
