/* test_sip_server_idle.c - each SIP server found: connections over which nobody has shown a credential are dropped when
 * they are silent, and a phone that registered over one stays reachable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "sip_server/call_steps.h"
#include "sip_server/sip_stream.h"

/* The servers' own readers keep a connection that has spoken for 5 s more, and their timers are coarse. */
enum { IDLE_SECONDS = 3, DROPPED_MS = 20000 };

static const struct sip_driver *driver;
static struct fixture *f;

static int start(void **state)
{
	(void)state;
	f = fixture_start(driver, &(struct fixture_opts){ .idle_seconds = IDLE_SECONDS });
	fixture_user(f, "alice", "user_a", 5, 0);
	fixture_user(f, "bob", "user_b", 5, 0);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	return fixture_stop(f) ? 0 : -1;
}

static struct stream *connection(void)
{
	struct stream *stream = stream_open(&(struct stream_opts){ .port = f->port }, NULL);

	assert_non_null(stream);
	return stream;
}

static void idle_connections_are_dropped_but_not_a_registered_phones(void **state)
{
	static const char options[] = "OPTIONS sip:" FIXTURE_DOMAIN " SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKi\r\nMax-Forwards: 7\r\n"
		"From: <sip:i@127.0.0.1>;tag=i\r\nTo: <sip:" FIXTURE_DOMAIN ">\r\nCall-ID: idle\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
	struct stream *silent = connection(), *stranger = connection();
	struct stream *refused = connection();
	struct client *wrong = client_open_stream("alice", refused);
	struct call call = { .a = client_open("alice", f->port), .b = client_open_stream("bob", connection()) };

	(void)state;
	stream_send(stranger, options);
	client_claim_contact(call.b, "sip:bob@192.0.2.1;transport=tcp");
	client_secret(wrong, NULL, "wrong");
	assert_int_equal(client_register(wrong, 60), 403);
	assert_int_equal(client_register(call.b, 60), 200);
	assert_true(stream_ended(silent, DROPPED_MS));
	assert_true(stream_ended(stranger, DROPPED_MS));
	assert_true(stream_ended(refused, DROPPED_MS));
	sleep(2 * IDLE_SECONDS);
	assert_true(call_up(&call, NULL, NULL));
	call_hangup(&call, true);
	assert_string_equal(fixture_events(f, call.id, "call ringing answered ended:caller"), "call ringing answered ended:caller");
	stream_close(silent);
	stream_close(stranger);
	client_close(wrong);
	client_close(call.a);
	client_close(call.b);
}

/* It need not be registered to call; its connection must outlive the silence of the call. OpenSIPS cannot: it keeps the
 * connections of registered phones only. */
static void a_caller_over_tcp_keeps_its_connection(void **state)
{
	struct stream *stream;
	struct call call;

	(void)state;
	if (strcmp(driver->name, "opensips") == 0)
		skip();
	stream = connection();
	call = (struct call){ .a = client_open_stream("alice", stream), .b = client_open("bob", f->port) };
	client_claim_contact(call.a, "sip:alice@192.0.2.1;transport=tcp");
	assert_int_equal(client_register(call.b, 60), 200);
	assert_true(call_ring(&call, NULL, NULL));
	assert_false(stream_ended(stream, 3 * IDLE_SECONDS * 1000));
	call_answer(&call);
	call_hangup(&call, false);
	client_register(call.b, 0);
	client_close(call.a);
	client_close(call.b);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_connections_are_dropped_but_not_a_registered_phones),
		cmocka_unit_test(a_caller_over_tcp_keeps_its_connection),
	};

	driver = fixture_driver(argc > 1 ? argv[1] : "opensips");
	return cmocka_run_group_tests_name(driver->name, tests, start, stop);
}
