/* test_sip_server_access.c - each SIP server found, with the configuration we render: who gets in, and who does not. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "sip_server/server_fixture.h"
#include "sip_server/sip_client.h"

static const struct sip_driver *driver;
static struct fixture *f;

static int start(void **state)
{
	(void)state;
	f = fixture_start(driver, NULL);
	fixture_user(f, "alice", "user_a", 2, 0);
	fixture_user(f, "bob", "user_b", 5, 0);
	fixture_user(f, "old", "user_b", 5, time(NULL) - 1);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	return fixture_stop(f) ? 0 : -1;
}

static void status_tells_version_and_counts(void **state)
{
	struct sip_status status;
	struct client *bob = client_open("bob", f->port);

	(void)state;
	assert_int_equal(client_register(bob, 60), 200);
	assert_int_equal(fixture_status(f, &status), NXV_OK);
	assert_true(status.version[0] >= '3' && strchr(status.version, '.'));
	assert_true(status.uptime_seconds >= 0 && status.uptime_seconds < 60);
	assert_int_equal(status.registrations, 1);
	assert_int_equal(status.active_dialogs, 0);
	assert_int_equal(client_register(bob, 0), 200);
	client_close(bob);
}

static void assert_locations(const char *username, const char *expected)
{
	assert_string_equal(fixture_locations(f, username, expected), expected);
}

static void registering_is_seen_and_can_be_taken_back(void **state)
{
	struct client *alice = client_open("alice", f->port);
	char list[512], expected[128];

	(void)state;
	assert_int_equal(client_register(alice, 60), 200);
	assert_locations("alice", "+");
	snprintf(expected, sizeof(expected), "alice sip:alice@127.0.0.1:%d\n", client_port(alice));
	assert_int_equal(fixture_contacts(f, "alice", list, sizeof(list)), NXV_OK);
	assert_string_equal(list, expected);
	assert_int_equal(fixture_contacts(f, NULL, list, sizeof(list)), NXV_OK);
	assert_string_equal(list, expected);
	assert_int_equal(fixture_contacts(f, "bob", list, sizeof(list)), NXV_OK);
	assert_string_equal(list, "");
	assert_int_equal(fixture_unregister(f, "alice"), NXV_OK);
	assert_locations("alice", "+-");
	assert_int_equal(fixture_contacts(f, NULL, list, sizeof(list)), NXV_OK);
	assert_string_equal(list, "");
	assert_int_equal(fixture_unregister(f, "alice"), NXV_OK);
	assert_int_equal(client_register(alice, 60), 200);
	assert_int_equal(client_register(alice, 0), 200);
	assert_locations("alice", "+-+-");
	client_close(alice);
}

/* A program on the same machine: it can send to the address of events, but neither is it believed nor can it listen there. */
static void events_of_somebody_else_are_not_believed(void **state)
{
	static const char *const forged[] = {
		"{\"kind\":\"registered\",\"from\":\"mallory\",\"contact\":\"sip:m@x\",\"sec\":1,\"usec\":0,\"n\":1}",
		"{\"kind\":\"registered\",\"from\":\"mallory\",\"contact\":\"sip:m@x\",\"sec\":1,\"usec\":0,\"n\":1,\"key\":\"\"}",
		"{\"method\":\"E_NEXUS\",\"params\":{\"kind\":\"registered\",\"from\":\"mallory\",\"sec\":1,\"usec\":0,\"key\":\"guess\"}}",
		"{\"method\":\"E_UL_CONTACT_INSERT\",\"params\":{\"aor\":\"mallory@nexus.test\",\"uri\":\"sip:m@x\"}}" };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)atoi(strchr(f->set.events, ':') + 1)) };
	struct client *bob = client_open("bob", f->port);
	const int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
		listener = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(forged) / sizeof(*forged); i++)
		assert_true(sendto(udp, forged[i], strlen(forged[i]), 0, (struct sockaddr *)&to, sizeof(to)) > 0);
	assert_int_not_equal(bind(listener, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_not_equal(connect(tcp, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(client_register(bob, 60), 200); /* later than the forged ones */
	assert_non_null(strchr(fixture_locations(f, "bob", "+"), '+'));
	assert_locations("mallory", "");
	assert_int_equal(fixture_unregister(f, "bob"), NXV_OK);
	close(udp);
	close(tcp);
	close(listener);
	client_close(bob);
}

static void wrong_credentials_are_refused(void **state)
{
	struct client *c = client_open("bob", f->port), *nobody = client_open("nobody", f->port), *old = client_open("old", f->port),
		*service = client_open(FIXTURE_SERVICE, f->port);

	(void)state;
	client_secret(c, NULL, "wrong");
	assert_int_equal(client_register(c, 60), 403);
	client_secret(c, NULL, NULL);
	assert_int_equal(message_status(client_request(c, "REGISTER", "sip:" FIXTURE_DOMAIN, "sip:alice@" FIXTURE_DOMAIN, NULL)), 403);
	assert_int_equal(message_status(client_request(c, "REGISTER", "sip:evil.test", "sip:bob@evil.test", NULL)), 403);
	assert_int_equal(client_register(nobody, 60), 403);
	assert_int_equal(client_register(old, 60), 403);
	assert_int_equal(client_register(service, 60), 403);
	client_close(c);
	client_close(nobody);
	client_close(old);
	client_close(service);
}

static void an_eleventh_contact_is_refused(void **state)
{
	struct client *c[11];

	(void)state;
	for (int i = 0; i < 11; i++) {
		c[i] = client_open("bob", f->port);
		assert_int_equal(client_register(c[i], 60) == 200, i < 10);
	}
	assert_int_equal(fixture_unregister(f, "bob"), NXV_OK);
	for (int i = 0; i < 11; i++)
		client_close(c[i]);
}

/* Text with "%" where the NUL goes, which no C string holds. */
static void send_with_nul(const char *text)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)f->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const size_t len = strlen(text);
	char data[1024];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && len < sizeof(data));
	memcpy(data, text, len);
	for (size_t i = 0; i < len; i++)
		if (data[i] == '%')
			data[i] = '\0';
	assert_int_equal(sendto(fd, data, len, 0, (struct sockaddr *)&to, sizeof(to)), (ssize_t)len);
	close(fd);
}

/* OpenSIPS 3.6.8 crashes when it answers such a request; one datagram from anybody would end every call. */
static void a_nul_in_a_header_ends_no_server(void **state)
{
	static const char *const vias[] = { "SIP/2.0/UDP 127.0.0.1%", "SIP/2.0/UDP 127.0.0%\r.1:1;rport;branch=z9hG4bKn",
		"SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKn;rport=5%" };
	struct client *bob = client_open("bob", f->port);
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(vias) / sizeof(*vias); i++) {
		snprintf(text, sizeof(text), "OPTIONS sip:" FIXTURE_DOMAIN " SIP/2.0\r\nVia: %s\r\nMax-Forwards: 7\r\nFrom: <sip:n@127.0.0.1>;tag=n\r\n"
			"To: <sip:" FIXTURE_DOMAIN ">\r\nCall-ID: n%zu\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", vias[i], i);
		send_with_nul(text);
		usleep(100 * 1000);
		assert_int_equal(kill(f->pid, 0), 0);
		assert_int_equal(client_register(bob, 60), 200);
	}
	client_close(bob);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_tells_version_and_counts),
		cmocka_unit_test(registering_is_seen_and_can_be_taken_back),
		cmocka_unit_test(events_of_somebody_else_are_not_believed),
		cmocka_unit_test(wrong_credentials_are_refused),
		cmocka_unit_test(an_eleventh_contact_is_refused),
		cmocka_unit_test(a_nul_in_a_header_ends_no_server),
	};

	driver = fixture_driver(argc > 1 ? argv[1] : "opensips");
	return cmocka_run_group_tests_name(driver->name, tests, start, stop);
}
