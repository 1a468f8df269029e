/* test_crash.c - nexusd killed in the middle of calls, and the SIP server under it: afterwards calls and slots are right. */
#include "pair.h"

#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>

static void kill_nexusd(void)
{
	proc_signal(gw.nexusd, SIGKILL);
	assert_int_equal(proc_wait(gw.nexusd, SOON_MS), 128 + SIGKILL);
	proc_stop(gw.nexusd, 0);
	gw.nexusd = NULL;
}

static void restart(void)
{
	assert_true(gateway_run(&gw));
	assert_true(gateway_sip_start(&gw));
}

/* Whatever it was, it has ended, holds no slot, and says why. */
static void assert_over(const char *id)
{
	struct told call;
	assert_true(api_wait(&gw, &alice, id, "ended", 15000, &call));
	print_message("%s, %s\n", call.status, call.reason);
	assert_string_not_equal(call.reason, "");
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
	struct http_reply *reply = gateway_http(&gw, "GET", "/api/v1/opensips/health", alice.key, NULL);
	assert_int_equal(json_number(reply->json, "activeCalls"), 0);
}

static void a_call_goes_on_without_the_gateway_and_ends_with_it(void)
{
	struct told call;
	pair_reset();
	pair_talk(&call);
	kill_nexusd();
	nap_ms(300);
	assert_int_equal(phone_calls_up(alice.phone), 1);
	assert_int_equal(phone_calls_up(bob.phone), 1);
	restart();
	assert_true(api_get(&gw, &alice, call.id, &call));
	if (strcmp(call.status, "in-progress") == 0) { /* it was taken up again: the API can end it */
		assert_int_equal(slots_wait(&gw, "alice", 1, SOON_MS), 1);
		assert_int_equal(api_end(&gw, &alice, call.id), 200);
	}
	assert_over(call.id);
	assert_true(phone_wait(alice.phone, 0, PHONE_ENDED, SOON_MS));
	assert_true(phone_wait(bob.phone, 0, PHONE_ENDED, SOON_MS));
}

static void a_hangup_after_the_restart_is_noticed(void)
{
	struct told call;
	pair_reset();
	pair_talk(&call);
	kill_nexusd();
	restart();
	phone_hangup(alice.phone, 0);
	assert_true(phone_wait(bob.phone, 0, PHONE_ENDED, 15000));
	assert_over(call.id);
}

static void a_hangup_while_the_gateway_is_down_is_noticed(void)
{
	struct told call;
	pair_reset();
	pair_talk(&call);
	kill_nexusd();
	phone_hangup(alice.phone, 0);
	nap_ms(200);
	restart();
	assert_over(call.id);
	assert_true(phone_wait(bob.phone, 0, PHONE_ENDED, 15000));
}

static void a_call_that_rang_is_closed(void)
{
	struct told call;
	pair_reset();
	phone_script(bob.phone, (struct phone_script){ .manner = PHONE_RINGS });
	pair_start(&call);
	assert_true(phone_wait(bob.phone, 0, PHONE_RINGING, SOON_MS));
	kill_nexusd();
	restart();
	assert_over(call.id);
	assert_true(phone_wait(alice.phone, 0, PHONE_ENDED, 15000));
	assert_true(phone_wait(bob.phone, 0, PHONE_ENDED, 15000));
}

static void a_dialled_call_is_found_again(void)
{
	struct told call;
	pair_reset();
	assert_int_equal(phone_dial(alice.phone, bob.username), 0);
	assert_true(phone_wait(bob.phone, 0, PHONE_ACKED, SOON_MS));
	pair_find_dialled(&call);
	assert_true(api_wait(&gw, &alice, call.id, "in-progress", SOON_MS, &call));
	kill_nexusd();
	restart();
	assert_true(api_get(&gw, &alice, call.id, &call));
	assert_string_equal(call.status, "in-progress");
	assert_int_equal(slots_wait(&gw, "alice", 1, SOON_MS), 1);
	phone_hangup(alice.phone, 0);
	assert_over(call.id);
}

static void a_sip_server_that_dies_is_started_again(void)
{
	struct told call;
	pair_reset();
	pair_talk(&call);
	assert_int_equal(gateway_ctl(&gw, "sip status"), 0);
	int64_t pid = json_number(gateway_ctl_json(), "pid"), again = pid, deadline = now_ms() + 20000;
	assert_true(pid > 1);
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
	while ((again == pid || again <= 0 || gateway_ctl(&gw, "health") != 0) && now_ms() < deadline) {
		nap_ms(50);
		gateway_ctl(&gw, "sip status");
		again = json_number(gateway_ctl_json(), "pid");
	}
	assert_int_equal(gateway_ctl(&gw, "health"), 0);
	assert_true(again != pid);
	assert_over(call.id);
	phone_hangup(alice.phone, 0);
	phone_hangup(bob.phone, 0);
	assert_int_equal(phone_register(alice.phone, 600), 200);
	assert_int_equal(phone_register(bob.phone, 600), 200);
	pair_reset();
	pair_talk(&call);
	phone_hangup(bob.phone, 0);
	pair_expect(&call, "completed", "hangup_callee");
}

static void a_credential_revoked_without_the_gateway_is_unregistered(void)
{
	struct user carol;
	struct nxv_registration_list *list = NULL;
	size_t left = 1;
	pair_reset();
	assert_true(user_make(&gw, "carol", &carol));
	assert_true(user_register(&gw, lab, &carol, 0));
	kill_nexusd();
	assert_int_equal(gateway_ctl(&gw, "credentials revoke %s", carol.username), 0);
	restart();
	for (int64_t deadline = now_ms() + SOON_MS; left && now_ms() < deadline;) {
		assert_int_equal(nxv_sip_registrations(gw.ctx, NULL, &list, NULL), NXV_OK);
		left = 0;
		for (size_t i = 0; i < list->count; i++)
			left += strcmp(list->items[i]->username, carol.username) == 0;
		nxv_registration_list_free(list);
		nap_ms(left ? 20 : 0);
	}
	assert_int_equal(left, 0);
}

static const struct CMUnitTest tests[] = {
	E2E(a_call_goes_on_without_the_gateway_and_ends_with_it), E2E(a_hangup_after_the_restart_is_noticed),
	E2E(a_hangup_while_the_gateway_is_down_is_noticed), E2E(a_call_that_rang_is_closed), E2E(a_dialled_call_is_found_again),
	E2E(a_credential_revoked_without_the_gateway_is_unregistered), E2E(a_sip_server_that_dies_is_started_again),
};

int main(int argc, char **argv)
{
	const struct e2e_suite suite = { "crashes", tests, sizeof(tests) / sizeof(tests[0]), NULL, 150, pair_setup, false };
	return e2e_main(argc, argv, &suite);
}
