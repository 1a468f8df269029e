/* test_sip_server_web.c - each SIP server found: every listener answers, and a browser's phone, whose Contact names no
 * real host, is reached in every direction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "sip_server/call_steps.h"
#include "sip_server/sip_stream.h"

#define ORIGIN "https://app.example.com"

static const struct sip_driver *driver;
static struct fixture *f;

static int start(void **state)
{
	(void)state;
	/* OpenSIPS compares no origins, and says so when it is asked to: see the unit test of render(). */
	f = fixture_start(driver, &(struct fixture_opts){ .origins = strcmp(driver->name, "kamailio") == 0 ?
		"https://other.example.com, " ORIGIN : "*", .tls = true });
	fixture_user(f, "alice", "user_a", 5, 0);
	fixture_user(f, "bob", "user_b", 5, 0);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	return fixture_stop(f) ? 0 : -1;
}

static struct client *browser(const char *username)
{
	struct stream *stream = stream_open(&(struct stream_opts){ .port = f->ws_port, .ws = true, .origin = ORIGIN }, NULL);

	assert_non_null(stream);
	return client_open_stream(username, stream);
}

static void options_is_answered_on_every_listener(void **state)
{
	const struct stream_opts listeners[] = { { f->port, false, false, NULL }, { f->ws_port, false, true, ORIGIN },
		{ f->tls_port, true, false, NULL }, { f->wss_port, true, true, ORIGIN } };
	struct client *udp = client_open("alice", f->port);

	(void)state;
	assert_int_equal(message_status(client_request(udp, "OPTIONS", "sip:" FIXTURE_DOMAIN, NULL, NULL)), 200);
	client_close(udp);
	for (size_t i = 0; i < 4; i++) {
		struct stream *stream = stream_open(&listeners[i], NULL);
		struct client *c;

		assert_non_null(stream);
		c = client_open_stream("alice", stream);
		assert_int_equal(message_status(client_request(c, "OPTIONS", "sip:" FIXTURE_DOMAIN, NULL, NULL)), 200);
		client_close(c);
	}
}

static void foreign_origins_are_refused(void **state)
{
	int status;

	(void)state;
	if (strcmp(driver->name, "opensips") == 0)
		skip();
	assert_null(stream_open(&(struct stream_opts){ .port = f->ws_port, .ws = true, .origin = "https://evil.example.com" }, &status));
	assert_int_equal(status, 403);
	assert_null(stream_open(&(struct stream_opts){ .port = f->ws_port, .ws = true }, &status));
	assert_int_equal(status, 403);
	assert_null(stream_open(&(struct stream_opts){ .port = f->wss_port, .tls = true, .ws = true, .origin = "null" }, &status));
	assert_int_equal(status, 403);
}

static void a_browser_is_called_and_hung_up_on(void **state)
{
	struct call call = { .a = browser("alice"), .b = browser("bob") };

	(void)state;
	assert_int_equal(client_register(call.b, 60), 200);
	assert_true(call_up(&call, NULL, NULL));
	call_hangup(&call, true);
	assert_string_equal(fixture_events(f, call.id, "call ringing answered ended:caller"), "call ringing answered ended:caller");
	assert_true(call_up(&call, NULL, NULL));
	call_hangup(&call, false);
	client_register(call.b, 0);
	client_close(call.a);
	client_close(call.b);
}

static void a_browsers_own_call_is_ended_by_the_server_on_both_sides(void **state)
{
	struct call call = { .a = browser("alice"), .b = browser("bob") };

	(void)state;
	assert_int_equal(client_register(call.b, 60), 200);
	assert_true(call_up(&call, NULL, NULL));
	assert_int_equal(fixture_end(f, call.id), NXV_OK);
	call_expect_both_byes(&call, 3000);
	assert_string_equal(fixture_events(f, call.id, "call ringing answered ended:control"), "call ringing answered ended:control");
	client_register(call.b, 0);
	client_close(call.a);
	client_close(call.b);
}

/* Nobody translates their sound: the caller hears so before anything rings. */
static void a_browser_and_a_plain_phone_are_kept_apart(void **state)
{
	struct client *plain = client_open("alice", f->port), *web = browser("bob");

	(void)state;
	assert_int_equal(client_register(web, 60), 200);
	assert_int_equal(client_register(plain, 60), 200);
	assert_int_equal(message_status(client_request(plain, "INVITE", "sip:bob@" FIXTURE_DOMAIN, NULL, NULL)), 488);
	assert_string_equal(fixture_events(f, client_call_id(plain), "call failed:488"), "call failed:488");
	assert_int_equal(message_status(client_request(web, "INVITE", "sip:alice@" FIXTURE_DOMAIN, NULL, NULL)), 488);
	assert_string_equal(fixture_events(f, client_call_id(web), "call failed:488"), "call failed:488");
	client_register(web, 0);
	client_register(plain, 0);
	client_close(plain);
	client_close(web);
}

static void of_a_users_phones_only_those_ring_that_can_talk(void **state)
{
	struct client *plain = client_open("bob", f->port), *web = browser("bob");
	struct call call = { .a = client_open("alice", f->port), .b = plain };

	(void)state;
	assert_int_equal(client_register(web, 60), 200);
	assert_int_equal(client_register(plain, 60), 200);
	assert_true(call_up(&call, NULL, NULL));
	call_hangup(&call, true);
	assert_null(client_expect(web, "INVITE", 300));
	client_register(web, 0);
	client_register(plain, 0);
	client_close(call.a);
	client_close(plain);
	client_close(web);
}

static void a_browser_that_left_does_not_hold_up_its_caller(void **state)
{
	struct client *bob = browser("bob"), *alice = browser("alice");
	const char *told;

	(void)state;
	assert_int_equal(client_register(bob, 60), 200);
	client_close(bob);
	usleep(200 * 1000); /* Kamailio forgets it now; OpenSIPS when it cannot send */
	assert_true(message_status(client_request(alice, "INVITE", "sip:bob@" FIXTURE_DOMAIN, NULL, NULL)) >= 400);
	told = fixture_events(f, client_call_id(alice), "call failed:480");
	assert_string_equal(told, "call failed:480");
	fixture_unregister(f, "bob");
	client_close(alice);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_is_answered_on_every_listener),
		cmocka_unit_test(foreign_origins_are_refused),
		cmocka_unit_test(a_browser_is_called_and_hung_up_on),
		cmocka_unit_test(a_browsers_own_call_is_ended_by_the_server_on_both_sides),
		cmocka_unit_test(a_browser_and_a_plain_phone_are_kept_apart),
		cmocka_unit_test(of_a_users_phones_only_those_ring_that_can_talk),
		cmocka_unit_test(a_browser_that_left_does_not_hold_up_its_caller),
	};

	driver = fixture_driver(argc > 1 ? argv[1] : "opensips");
	return cmocka_run_group_tests_name(driver->name, tests, start, stop);
}
