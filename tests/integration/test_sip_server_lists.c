/* test_sip_server_lists.c - each SIP server found: lists longer than a datagram, a restart under the driver's feet, and
 * stronger digests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "sip_server/call_steps.h"

enum { CALLS = 60, PHONES = 250 };

static const struct sip_driver *driver;

static size_t lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void every_dialog_is_listed_however_large(void **state)
{
	struct fixture *f = fixture_start(driver, NULL);
	struct client *bob = client_open("bob", f->port), *service = client_open(FIXTURE_SERVICE, f->port);
	struct call call = { .a = service, .b = bob };
	char ids[CALLS][64], headers[160], one[128];
	static char list[64 * 1024];
	struct sip_status status;

	(void)state;
	fixture_user(f, "bob", "user_b", 100, 0);
	assert_int_equal(client_register(bob, 300), 200);
	for (int i = 0; i < CALLS; i++) {
		/* Long descriptions of media make a few dialogs fill OpenSIPS' datagram. */
		client_body(service, 3000);
		snprintf(headers, sizeof(headers), "X-Nexus-Session: session_%d\r\nX-Nexus-Leg: b\r\nContent-Type: application/sdp\r\n", i);
		assert_true(call_ring(&call, NULL, headers));
		snprintf(ids[i], sizeof(ids[i]), "%s", call.id);
		client_forget(service);
		client_forget(bob);
	}
	assert_int_equal(fixture_dialogs(f, list, sizeof(list)), NXV_OK);
	assert_int_equal(lines(list), CALLS);
	for (int i = 0; i < CALLS; i++) {
		snprintf(one, sizeof(one), "%.60s session_%d b ", ids[i], i);
		assert_non_null(strstr(list, one));
	}
	assert_int_equal(fixture_status(f, &status), NXV_OK);
	assert_int_equal(status.active_dialogs, CALLS);
	client_close(bob);
	client_close(service);
	assert_true(fixture_stop(f));
}

static void every_contact_is_listed_however_many(void **state)
{
	struct fixture *f = fixture_start(driver, NULL);
	static char list[256 * 1024];
	struct sip_status status;
	char name[40];

	(void)state;
	for (int i = 0; i < PHONES; i++) {
		struct client *c;

		snprintf(name, sizeof(name), "user_17000000000000%03d", i);
		fixture_user(f, name, "user_x", 1, 0);
		c = client_open(name, f->port);
		assert_int_equal(client_register(c, 300), 200);
		client_close(c);
	}
	assert_int_equal(fixture_contacts(f, NULL, list, sizeof(list)), NXV_OK);
	assert_int_equal(lines(list), PHONES);
	assert_int_equal(fixture_status(f, &status), NXV_OK);
	assert_int_equal(status.registrations, PHONES);
	assert_true(fixture_stop(f));
}

static void a_restarted_server_is_found_again_and_told_as_a_gap(void **state)
{
	struct fixture *f = fixture_start(driver, NULL);
	struct client *bob = client_open("bob", f->port);
	struct call call = { .a = client_open(FIXTURE_SERVICE, f->port), .b = bob };
	int gaps;
	char list[256];

	(void)state;
	fixture_user(f, "bob", "user_b", 5, 0);
	assert_int_equal(client_register(bob, 300), 200);
	gaps = fixture_gaps(f);
	assert_true(gaps >= 1);
	sleep(6); /* so that the location timer has written the registration down */
	fixture_restart(f, true);
	assert_true(fixture_gaps(f) > gaps);
	assert_int_equal(fixture_contacts(f, "bob", list, sizeof(list)), NXV_OK);
	assert_int_equal(lines(list), 1);
	assert_true(call_up(&call, NULL, "X-Nexus-Session: session_1\r\n"));
	call_hangup(&call, true);
	assert_string_equal(fixture_events(f, call.id, "ringing answered ended:caller"), "ringing answered ended:caller");
	fixture_restart(f, false);
	assert_int_equal(fixture_end(f, "any"), NXV_E_UNREACHABLE);
	client_close(call.a);
	client_close(bob);
	fixture_stop(f);
}

static void stronger_digests_are_spoken(void **state)
{
	const bool opensips = strcmp(driver->name, "opensips") == 0;
	struct fixture *f = fixture_start(driver, &(struct fixture_opts){ .digest = opensips ? "SHA-512-256, SHA-256" : "SHA-256" });
	struct client *bob = client_open("bob", f->port);

	(void)state;
	fixture_user(f, "bob", "user_b", 5, 0);
	client_secret(bob, "SHA-256", NULL);
	assert_int_equal(client_register(bob, 60), 200);
	client_secret(bob, "SHA-256", "wrong");
	assert_int_equal(client_register(bob, 60), 403);
	client_secret(bob, "SHA-512-256", NULL);
	assert_int_equal(client_register(bob, 60), opensips ? 200 : 401);
	client_secret(bob, "MD5", NULL); /* not offered */
	assert_int_equal(client_register(bob, 60), 401);
	client_close(bob);
	assert_true(fixture_stop(f));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_dialog_is_listed_however_large),
		cmocka_unit_test(every_contact_is_listed_however_many),
		cmocka_unit_test(a_restarted_server_is_found_again_and_told_as_a_gap),
		cmocka_unit_test(stronger_digests_are_spoken),
	};

	driver = fixture_driver(argc > 1 ? argv[1] : "opensips");
	return cmocka_run_group_tests_name(driver->name, tests, NULL, NULL);
}
