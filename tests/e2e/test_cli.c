/* test_cli.c - nexusctl beside a nexusd that runs, and alone: exit statuses, and two processes on one state folder. */
#include "pair.h"

#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { DONE, FAILED, WRONG_USE, NOT_FOUND, REFUSED, UNREACHABLE };

static int http_status(const char *key)
{
	return gateway_http(&gw, "GET", "/api/v1/opensips/health", key, NULL)->status;
}

static void wrong_use_is_2(void)
{
	static const char *const lines[] = { "fly", "keys", "keys fly", "keys create", "keys create --user u", "keys show",
		"call start --user alice --from +1", "keys list --nonsense", "credentials create --user", "call list --status flying" };
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int status = gateway_ctl(&gw, "%s", lines[i]);
		if (status != WRONG_USE || !gateway_ctl_err()[0]) {
			fail_msg("nexusctl %s: %d, %s", lines[i], status, gateway_ctl_err());
		}
	}
}

static void unknown_things_are_3(void)
{
	static const char *const lines[] = { "keys show key_x", "keys toggle key_x", "keys delete key_x", "keys rotate key_x",
		"credentials revoke user_1", "call show session_1_x", "call end session_1_x" };
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int status = gateway_ctl(&gw, "%s", lines[i]);
		if (status != NOT_FOUND) {
			fail_msg("nexusctl %s: %d, %s", lines[i], status, gateway_ctl_err());
		}
	}
}

static void refusals_are_4(void)
{
	assert_int_equal(gateway_ctl(&gw, "init"), REFUSED); /* there is an admin key already */
	assert_int_equal(gateway_ctl(&gw, "call start --user alice --from +1555 --to +15551234567"), REFUSED);
	assert_int_equal(gateway_ctl(&gw, "call start --user nobody --from +1555 --to bob"), REFUSED);
}

static void life_of_a_key(void)
{
	char id[64], secret[160];
	assert_int_equal(gateway_ctl(&gw, "keys create --user zoe --name test --permissions call,sip,recording"), DONE);
	struct json_object *key = gateway_ctl_json();
	assert_true(strncmp(json_text(key, "key"), "sk_voip_", 8) == 0);
	assert_string_equal(json_text(key, "userId"), "zoe");
	assert_string_equal(json_text(key, "service"), "voip");
	snprintf(id, sizeof(id), "%s", json_text(key, "id"));
	snprintf(secret, sizeof(secret), "%s", json_text(key, "key"));
	assert_int_equal(http_status(secret), 200);
	assert_int_equal(gateway_ctl(&gw, "keys show %s", id), DONE);
	assert_null(strstr(gateway_ctl_out(), secret));
	assert_int_equal(gateway_ctl(&gw, "keys list --user zoe"), DONE);
	assert_non_null(strstr(gateway_ctl_out(), id));
	assert_int_equal(gateway_ctl(&gw, "keys rotate %s", id), DONE);
	assert_int_equal(http_status(secret), 401);
	snprintf(secret, sizeof(secret), "%s", json_text(gateway_ctl_json(), "key"));
	snprintf(id, sizeof(id), "%s", json_text(gateway_ctl_json(), "id"));
	assert_int_equal(http_status(secret), 200);
	assert_int_equal(gateway_ctl(&gw, "keys delete %s", id), DONE);
	assert_int_equal(http_status(secret), 401);
	assert_int_equal(gateway_ctl(&gw, "keys show %s", id), NOT_FOUND);
}

/* What one process changes, the other sees on its very next request. */
static void a_key_disabled_here_is_refused_there_at_once(void)
{
	for (int i = 0; i < 10; i++) {
		assert_int_equal(gateway_ctl(&gw, "keys disable %s", alice.key_id), DONE);
		assert_int_equal(http_status(alice.key), 401);
		assert_int_equal(gateway_ctl(&gw, "keys %s %s", i % 2 ? "enable" : "toggle", alice.key_id), DONE);
		assert_int_equal(http_status(alice.key), 200);
	}
}

static void one_engine_per_state_folder(void)
{
	const char *const argv[] = { NEXUSD_PATH, "--state", gw.state, "--listen", "127.0.0.1:0", NULL };
	char *err = NULL;
	int status = proc_run(argv, NULL, &err, 10000);
	assert_int_equal(status, 1);
	assert_non_null(strstr(err, "engine"));
	free(err);
	assert_int_equal(http_status(alice.key), 200); /* the first one is unharmed */
}

static void sip_server_is_shown_checked_and_restarted(void)
{
	assert_int_equal(gateway_ctl(&gw, "sip status"), DONE);
	assert_string_equal(json_text(gateway_ctl_json(), "opensipsStatus"), "running");
	assert_int_equal(gateway_ctl(&gw, "health"), DONE);
	assert_int_equal(gateway_ctl(&gw, "sip render"), DONE);
	assert_true(strlen(gateway_ctl_out()) > 1000);
	assert_int_equal(gateway_ctl(&gw, "sip stop"), DONE);
	assert_int_equal(gateway_ctl(&gw, "health"), UNREACHABLE);
	int status = gateway_ctl(&gw, "sip check");
	if (status != DONE) {
		fail_msg("sip check: %d %s %s", status, gateway_ctl_out(), gateway_ctl_err());
	}
	assert_int_equal(gateway_ctl(&gw, "sip start"), DONE);
	assert_int_equal(gateway_ctl(&gw, "health"), DONE);
	assert_int_equal(phone_register(alice.phone, 600), 200);
	assert_int_equal(phone_register(bob.phone, 600), 200);
}

static void call_watch_tells_until_the_end(void)
{
	struct told call;
	pair_reset();
	pair_start(&call);
	const char *const argv[] = { NEXUSCTL_PATH, "--state", gw.state, "--json", "call", "watch", call.id, NULL };
	struct proc *watch = proc_start(argv, NULL, NULL);
	assert_true(phone_wait(bob.phone, 0, PHONE_ACKED, SOON_MS));
	assert_true(proc_wait_output(watch, "callee_answered", SOON_MS));
	phone_hangup(bob.phone, 0);
	int status = proc_wait(watch, SOON_MS);
	char *out = proc_output(watch);
	proc_stop(watch, 1000);
	bool complete = strstr(out, "call.queued") && strstr(out, "call.completed");
	free(out);
	assert_int_equal(status, DONE);
	assert_true(complete);
	pair_expect(&call, "completed", "hangup_callee");
}

/* ---- without any nexusd */

static struct gateway alone;

static bool alone_user(const char *id, struct user *out)
{
	*out = (struct user){ .phone = NULL };
	snprintf(out->id, sizeof(out->id), "%s", id);
	if (gateway_ctl(&alone, "credentials create --user %s", id) != DONE) {
		return false;
	}
	snprintf(out->username, sizeof(out->username), "%s", json_text(gateway_ctl_json(), "username"));
	snprintf(out->password, sizeof(out->password), "%s", json_text(gateway_ctl_json(), "password"));
	return user_register(&alone, lab, out, 0);
}

static void nexusctl_alone_starts_the_server_and_carries_a_call(void)
{
	struct user eve, fred;
	assert_true(gateway_prepare(&alone, gw.server, NULL));
	assert_int_equal(gateway_ctl(&alone, "health"), UNREACHABLE);
	assert_int_equal(gateway_ctl(&alone, "call start --user eve --from +1555 --to fred"), REFUSED); /* no such user */
	assert_int_equal(gateway_ctl(&alone, "sip start"), DONE);
	assert_int_equal(gateway_ctl(&alone, "sip status"), DONE);
	assert_string_equal(json_text(gateway_ctl_json(), "opensipsStatus"), "running");
	int64_t pid = json_number(gateway_ctl_json(), "pid");
	assert_true(alone_user("eve", &eve) && alone_user("fred", &fred));
	phone_script(fred.phone, (struct phone_script){ .manner = PHONE_ANSWERS, .talk_ms = 300 });
	assert_int_equal(gateway_ctl(&alone, "call start --user eve --from +1555 --to fred"), DONE);
	assert_true(phone_at_ms(fred.phone, 0, PHONE_ACKED) != 0);
	assert_true(phone_wait(eve.phone, 0, PHONE_BYE, SOON_MS));
	assert_non_null(strstr(gateway_ctl_out(), "hangup_callee"));
	assert_int_equal(slots_wait(&alone, "eve", 0, SOON_MS), 0);

	assert_true(gateway_run(&alone)); /* a later engine adopts the server as it is */
	assert_true(gateway_sip_start(&alone));
	assert_int_equal(gateway_ctl(&alone, "sip status"), DONE);
	assert_int_equal(json_number(gateway_ctl_json(), "pid"), pid);
	assert_int_equal(gateway_stop(&alone), 0);
}

static void nothing_is_left_of_it(void)
{
	int64_t deadline = now_ms() + SOON_MS;
	if (!alone.ctx) {
		skip();
	}
	while (gateway_ctl(&alone, "health") != UNREACHABLE && now_ms() < deadline) {
		nap_ms(50);
	}
	assert_int_equal(gateway_ctl(&alone, "health"), UNREACHABLE);
	gateway_close(&alone);
}

static const struct CMUnitTest tests[] = {
	E2E(wrong_use_is_2), E2E(unknown_things_are_3), E2E(refusals_are_4), E2E(life_of_a_key),
	E2E(a_key_disabled_here_is_refused_there_at_once), E2E(one_engine_per_state_folder),
	E2E(sip_server_is_shown_checked_and_restarted), E2E(call_watch_tells_until_the_end),
	E2E(nexusctl_alone_starts_the_server_and_carries_a_call), E2E(nothing_is_left_of_it),
};

int main(int argc, char **argv)
{
	const struct e2e_suite suite = { "nexusctl", tests, sizeof(tests) / sizeof(tests[0]), NULL, 90, pair_setup, false };
	return e2e_main(argc, argv, &suite);
}
