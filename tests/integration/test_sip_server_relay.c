/* test_sip_server_relay.c - each SIP server found: nobody can send anything through it to where it does not serve,
 * with whatever credentials, headers or dialogs. A trap listens where the forged requests want to go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "sip_server/call_steps.h"

static const struct sip_driver *driver;
static struct fixture *f;
static struct client *alice, *bob, *stranger, *trap;
static char trap_uri[64], trap_route[96];

static int start(void **state)
{
	(void)state;
	f = fixture_start(driver, NULL);
	fixture_user(f, "alice", "user_a", 20, 0);
	fixture_user(f, "bob", "user_b", 20, 0);
	alice = client_open("alice", f->port);
	bob = client_open("bob", f->port);
	stranger = client_open("stranger", f->port);
	trap = client_open("trap", f->port);
	snprintf(trap_uri, sizeof(trap_uri), "sip:trap@127.0.0.1:%d", client_port(trap));
	snprintf(trap_route, sizeof(trap_route), "Route: <sip:127.0.0.1:%d;lr>\r\n", client_port(trap));
	return client_register(bob, 300) == 200 ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	client_close(alice);
	client_close(bob);
	client_close(stranger);
	client_close(trap);
	return fixture_stop(f) ? 0 : -1;
}

static int forget(void **state)
{
	(void)state;
	client_forget(alice);
	client_forget(bob);
	client_forget(stranger);
	return 0;
}

/* Whatever it might be: the trap keeps all that comes. */
static void assert_trap_is_empty(void)
{
	static const char *const methods[] = { "INVITE", "ACK", "BYE", "CANCEL", "MESSAGE", "SUBSCRIBE", "NOTIFY", "OPTIONS", "REFER",
		"PUBLISH", "INFO", "UPDATE", "REGISTER" };

	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		assert_null(client_expect(trap, methods[i], i == 0 ? 300 : 0));
}

static void no_method_leaves_the_domain(void **state)
{
	static const char *const methods[] = { "INVITE", "MESSAGE", "SUBSCRIBE", "NOTIFY", "OPTIONS", "REFER", "PUBLISH", "INFO", "REGISTER" };

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		int status = message_status(client_request(alice, methods[i], trap_uri, NULL, NULL));

		assert_in_range(status, 403, 404);
		status = message_status(client_request(stranger, methods[i], trap_uri, NULL, NULL));
		assert_in_range(status, 403, 404);
		status = message_status(client_request(stranger, methods[i], trap_uri, "sip:someone@elsewhere.test", NULL));
		assert_in_range(status, 403, 404);
	}
	assert_trap_is_empty();
}

static void strangers_cannot_call_anyone(void **state)
{
	(void)state;
	assert_int_equal(message_status(client_request(stranger, "INVITE", "sip:bob@" FIXTURE_DOMAIN, NULL, NULL)), 403);
	assert_int_equal(message_status(client_request(stranger, "INVITE", "sip:bob@" FIXTURE_DOMAIN, "sip:alice@" FIXTURE_DOMAIN, NULL)), 403);
	assert_int_equal(message_status(client_request(alice, "INVITE", "sip:bob@" FIXTURE_DOMAIN, "sip:bob@" FIXTURE_DOMAIN, NULL)), 403);
	assert_int_equal(message_status(client_request(alice, "INVITE", "sip:bob@" FIXTURE_DOMAIN, "sip:alice@elsewhere.test", NULL)), 403);
	client_secret(stranger, "none", NULL); /* gives no credentials at all */
	assert_int_equal(message_status(client_request(stranger, "INVITE", "sip:bob@" FIXTURE_DOMAIN, NULL, NULL)), 407);
	client_secret(stranger, NULL, NULL);
	assert_null(client_expect(bob, "INVITE", 300));
}

static void a_preloaded_route_is_not_followed(void **state)
{
	struct call call = { .a = alice, .b = bob };
	char own_and_trap[200];

	(void)state;
	assert_true(call_ring(&call, NULL, trap_route));
	assert_false(message_has(call.invite, "\r\nRoute:"));
	client_cancel(alice);
	client_reply(bob, client_expect(bob, "CANCEL", 3000), 200, "OK");
	client_reply(bob, call.invite, 487, "Request Terminated");
	client_ack_refusal(alice, client_expect(alice, "487", 3000));
	snprintf(own_and_trap, sizeof(own_and_trap), "Route: <sip:127.0.0.1:%d;lr>\r\n%s", f->port, trap_route);
	assert_int_equal(message_status(client_request(alice, "INVITE", "sip:nobody@" FIXTURE_DOMAIN, NULL, own_and_trap)), 404);
	assert_in_range(message_status(client_request(alice, "MESSAGE", "sip:bob@" FIXTURE_DOMAIN, NULL, own_and_trap)), 403, 405);
	assert_trap_is_empty();
}

static void a_forged_tag_opens_nothing(void **state)
{
	static const char *const methods[] = { "INVITE", "BYE", "INFO", "MESSAGE", "REFER", "UPDATE", "NOTIFY", "ACK" };
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		client_request(stranger, "OPTIONS", "sip:" FIXTURE_DOMAIN, NULL, NULL); /* a new Call-ID */
		snprintf(text, sizeof(text), "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKforged%zu;rport\r\nMax-Forwards: 70\r\n"
			"Route: <sip:127.0.0.1:%d;lr;did=1.1>\r\n%sFrom: <sip:stranger@" FIXTURE_DOMAIN ">;tag=x\r\nTo: <%s>;tag=y\r\nCall-ID: %s\r\n"
			"CSeq: 1 %s\r\nContent-Length: 0\r\n\r\n", methods[i], trap_uri, client_port(stranger), i, f->port, trap_route, trap_uri,
			client_call_id(stranger), methods[i]);
		client_raw(stranger, text);
		if (strcmp(methods[i], "ACK") != 0)
			assert_int_equal(message_status(client_expect(stranger, "4", 3000)), 481);
	}
	assert_trap_is_empty();
}

static void a_live_call_is_no_way_out_either(void **state)
{
	struct call call = { .a = alice, .b = bob };
	message *m;

	(void)state;
	assert_true(call_ring(&call, NULL, NULL));
	call_answer(&call);
	client_in_call(alice, "INFO", call.answer, trap_uri, trap_route);
	m = client_expect(bob, "INFO", 3000);
	assert_non_null(m);
	assert_false(message_has(m, "\r\nRoute:"));
	client_reply(bob, m, 200, "OK");
	assert_non_null(client_expect(alice, "200", 3000));
	client_in_call(alice, "BYE", call.answer, trap_uri, trap_route);
	m = client_expect(bob, "BYE", 3000);
	assert_non_null(m);
	client_reply(bob, m, 200, "OK");
	assert_trap_is_empty();
}

static void a_registration_cannot_point_at_others(void **state)
{
	struct client *mallory = client_open("alice", f->port);
	char claims[6][160];

	(void)state;
	snprintf(claims[0], sizeof(claims[0]), "%s", trap_uri);
	snprintf(claims[1], sizeof(claims[1]), "sip:alice@127.0.0.1:%d;maddr=127.0.0.1:%d", client_port(mallory), client_port(trap));
	snprintf(claims[2], sizeof(claims[2]), "sip:alice@localhost:%d", client_port(trap));
	snprintf(claims[3], sizeof(claims[3]), "sip:x@127.0.0.1:%d>,<sip:y@127.0.0.1:%d", client_port(trap), client_port(trap));
	snprintf(claims[4], sizeof(claims[4]), "sip:x@127.0.0.1:%d>;received=\"sip:127.0.0.1:%d\"\r\nX-Rest: <", client_port(mallory),
		client_port(trap));
	snprintf(claims[5], sizeof(claims[5]), "sip:x@127.0.0.1:%d>;\r\n Received = sip:127.0.0.1:%d\r\nX-Rest: <", client_port(mallory),
		client_port(trap));
	for (size_t i = 0; i < sizeof(claims) / sizeof(*claims); i++) {
		client_claim_contact(mallory, claims[i]);
		client_register(mallory, 60);
		client_forget(mallory);
		client_dial(bob, "sip:alice@" FIXTURE_DOMAIN, NULL, NULL);
		client_expect(mallory, "INVITE", 500);
		client_cancel(bob);
		assert_trap_is_empty();
		fixture_unregister(f, "alice");
	}
	client_close(mallory);
}

/* What phones show as the caller's identity, and what makes them answer by themselves, is not for a caller to say. */
static void a_caller_cannot_claim_an_identity_or_open_a_phone(void **state)
{
	static const char *const forbidden[] = { "P-Asserted-Identity: ", "P-Preferred-Identity: ", "remote-party-id: ", "Call-Info: ",
		"ALERT-INFO: ", "Answer-Mode: ", "Priv-Answer-Mode: " };
	struct call call = { .a = alice, .b = bob };
	char headers[512] = "Subject: kept\r\n";
	size_t used = strlen(headers);

	(void)state;
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++)
		used += (size_t)snprintf(headers + used, sizeof(headers) - used, "%s<sip:boss@" FIXTURE_DOMAIN ">;answer-after=0\r\n", forbidden[i]);
	assert_true(call_ring(&call, NULL, headers));
	assert_true(message_has(call.invite, "Subject: kept"));
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++)
		assert_false(message_has(call.invite, forbidden[i]));
	client_cancel(alice);
	client_reply(bob, client_expect(bob, "CANCEL", 3000), 200, "OK");
	client_reply(bob, call.invite, 487, "Request Terminated");
	client_ack_refusal(alice, client_expect(alice, "487", 3000));
}

/* A phone may show either of two From headers; only the first was compared with the credential. */
static void a_second_caller_is_not_passed_on(void **state)
{
	static const char *const second[] = { "From: <sip:boss@" FIXTURE_DOMAIN ">;tag=x\r\n", "f: <sip:boss@" FIXTURE_DOMAIN ">;tag=x\r\n",
		"To: <sip:boss@" FIXTURE_DOMAIN ">\r\n", "CSeq: 9 INVITE\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(second) / sizeof(*second); i++) {
		client_dial(alice, "sip:bob@" FIXTURE_DOMAIN, NULL, second[i]);
		assert_null(client_expect(bob, "INVITE", 300));
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_method_leaves_the_domain, forget),
		cmocka_unit_test_setup(strangers_cannot_call_anyone, forget),
		cmocka_unit_test_setup(a_preloaded_route_is_not_followed, forget),
		cmocka_unit_test_setup(a_forged_tag_opens_nothing, forget),
		cmocka_unit_test_setup(a_live_call_is_no_way_out_either, forget),
		cmocka_unit_test_setup(a_registration_cannot_point_at_others, forget),
		cmocka_unit_test_setup(a_caller_cannot_claim_an_identity_or_open_a_phone, forget),
		cmocka_unit_test_setup(a_second_caller_is_not_passed_on, forget),
	};

	driver = fixture_driver(argc > 1 ? argv[1] : "opensips");
	return cmocka_run_group_tests_name(driver->name, tests, start, stop);
}
