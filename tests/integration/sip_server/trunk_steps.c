/* trunk_steps.c - see trunk_steps.h. */
#include "trunk_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "sip/control/common.h"

const struct sip_driver *driver;
struct fixture *f;
struct client *alice, *bob, *gateway, *trunk, *twilio, *stranger;
static char key[33];

static int start_with(const char *trunk_username)
{
	const struct fixture_opts opts = { .outside = true, .trunk_username = trunk_username };

	f = fixture_start(driver, &opts);
	common_ask_key(&f->set, key);
	fixture_user(f, "alice", "user_a", 20, 0);
	fixture_user(f, "bob", "user_b", 20, 0);
	alice = client_open("alice", f->port);
	bob = client_open("bob", f->port);
	stranger = client_open("stranger", f->port);
	gateway = client_open_at(FIXTURE_SERVICE, f->port, "127.0.0.1", f->gateway_port);
	trunk = client_open_at("14155550123", f->port, FIXTURE_TRUNK, f->trunk_port);
	twilio = client_open_at("twilio", f->port, FIXTURE_TWILIO, 0);
	return client_register(bob, 300) == 200 ? 0 : -1;
}

int trunk_start(void **state)
{
	(void)state;
	return start_with(NULL);
}

int trunk_start_digest(void **state)
{
	(void)state;
	return start_with("nexus-trunk");
}

int trunk_stop(void **state)
{
	struct client *all[] = { alice, bob, gateway, trunk, twilio, stranger };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		client_close(all[i]);
	return fixture_stop(f) ? 0 : -1;
}

int trunk_forget(void **state)
{
	struct client *all[] = { alice, bob, gateway, trunk, twilio, stranger };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		client_forget(all[i]);
	return 0;
}

message *expect_question(const char *kind)
{
	message *ask = client_expect(gateway, "INVITE", 3000);
	char value[80];

	assert_non_null(ask);
	message_header(ask, "X-Nexus-Key", value, sizeof(value));
	assert_string_equal(value, key);
	message_header(ask, "X-Nexus-Ask", value, sizeof(value));
	assert_string_equal(value, kind);
	return ask;
}

void allow(message *ask, const char *headers)
{
	char all[512];

	snprintf(all, sizeof(all), "X-Nexus-Key: %s\r\n%s", key, headers);
	client_reply_with(gateway, ask, 302, "Moved Temporarily", all);
	assert_non_null(client_expect(gateway, "ACK", 3000));
}

message *dial_out(const char *dialled)
{
	char uri[96], value[80];
	message *ask, *invite;

	snprintf(uri, sizeof(uri), "sip:%s@" FIXTURE_DOMAIN, dialled);
	client_dial(alice, uri, NULL, NULL);
	ask = expect_question("phone");
	message_header(ask, "X-Nexus-Owner", value, sizeof(value));
	assert_string_equal(value, "user_a");
	allow(ask, "X-Nexus-Number: " NUMBER "\r\nX-Nexus-Caller-Id: " SHOWN "\r\n");
	invite = client_expect(trunk, "INVITE", 3000);
	assert_non_null(invite);
	return invite;
}

void assert_nothing_reached(struct client *c)
{
	assert_null(client_expect(c, "INVITE", 300));
}
