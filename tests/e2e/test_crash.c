/* test_crash.c - nexusd killed in the middle of calls, and the SIP server under it: afterwards calls and slots are right. */
#include "pair.h"

#include <json-c/json.h>
#include <pthread.h>
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

static void assert_up(const char *id)
{
	struct told call;
	assert_true(api_get(&gw, &alice, id, &call));
	assert_string_equal(call.status, "in-progress");
}

static void a_call_goes_on_without_the_gateway(void)
{
	struct told call;
	pair_reset();
	pair_talk(&call);
	kill_nexusd();
	nap_ms(300);
	assert_int_equal(phone_calls_up(alice.phone), 1);
	assert_int_equal(phone_calls_up(bob.phone), 1);
	restart();
	assert_up(call.id);
	assert_int_equal(slots_wait(&gw, "alice", 1, SOON_MS), 1);
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	pair_expect(&call, "completed", "ended_by_api");
}

/* Like any phone, again after a 491: the SIP server's workers may let one phone's offer overtake the other's ACK. */
static int change(struct phone *phone, int number, bool hold)
{
	int code = 491;
	for (int tries = 0; code == 491 && tries < 5; tries++) {
		nap_ms(tries * 20);
		code = phone_hold(phone, number, hold);
	}
	return code;
}

/* What a phone may do during a call: hold, resume, and a description again for its session timer. */
static void assert_alive(int number)
{
	struct user *both[] = { &alice, &bob };
	for (size_t i = 0; i < 2; i++) {
		struct phone_call before, after;
		assert_true(phone_call(both[1 - i]->phone, number, &before));
		for (int k = 0; k < 3; k++)
			assert_int_equal(change(both[i]->phone, number, k == 0), 200);
		assert_true(phone_call(both[1 - i]->phone, number, &after));
		assert_true(after.reinvites >= before.reinvites + 2);
	}
}

static void assert_follows(struct user *first, struct user *second)
{
	int64_t said = phone_at_ms(first->phone, 0, PHONE_BYE), heard = phone_at_ms(second->phone, 0, PHONE_BYE);
	assert_true(said && heard);
	assert_near(heard, said, SLACK_MS);
}

static void phones_hold_and_hang_up_as_if_nothing_had_happened(void)
{
	static const char *const reasons[] = { "hangup_caller", "hangup_callee", "ended_by_api" };
	for (int i = 0; i < 3; i++) {
		struct told call;
		pair_reset();
		pair_talk(&call);
		kill_nexusd();
		restart();
		assert_alive(0);
		assert_up(call.id);
		if (i < 2) {
			phone_hangup(i == 0 ? alice.phone : bob.phone, 0);
		} else {
			assert_int_equal(api_end(&gw, &alice, call.id), 200);
		}
		pair_expect(&call, "completed", reasons[i]);
		if (i < 2) {
			assert_follows(i == 0 ? &alice : &bob, i == 0 ? &bob : &alice);
		}
	}
}

static void a_call_outlives_two_gateways(void)
{
	struct told call;
	pair_reset();
	pair_talk(&call);
	for (int i = 0; i < 2; i++) {
		kill_nexusd();
		restart();
	}
	assert_alive(0);
	kill_nexusd();
	restart();
	kill_nexusd();
	restart();
	assert_alive(0);
	phone_hangup(bob.phone, 0);
	pair_expect(&call, "completed", "hangup_callee");
	assert_follows(&bob, &alice);
}

/* A hold that is under way while the test does something else. */
struct holding {
	pthread_t thread;
	struct phone *phone;
	int number;
	bool hold;
	int code;
};

static void *hold_thread(void *arg)
{
	struct holding *h = arg;
	h->code = phone_hold(h->phone, h->number, h->hold);
	return NULL;
}

static void begin_hold(struct holding *h, struct phone *phone, int number, bool hold)
{
	*h = (struct holding){ .phone = phone, .number = number, .hold = hold };
	assert_int_equal(pthread_create(&h->thread, NULL, hold_thread, h), 0);
}

static int end_hold(struct holding *h)
{
	pthread_join(h->thread, NULL);
	return h->code;
}

/* The phone's request is repeated until the next gateway answers it; or the old one just did. */
static void a_hold_under_way_is_answered_by_the_next_gateway(void)
{
	for (int i = 0; i < 6; i++) {
		struct told call;
		struct holding h;
		pair_reset();
		pair_talk(&call);
		begin_hold(&h, i % 2 ? bob.phone : alice.phone, 0, true);
		nap_ms(i / 2 * 2);
		kill_nexusd();
		restart();
		assert_int_equal(end_hold(&h), 200);
		assert_alive(0);
		phone_hangup(alice.phone, 0);
		pair_expect(&call, "completed", "hangup_caller");
		assert_follows(&alice, &bob);
	}
}

/* Killed while the callee's answer is taken and the two are joined: either the call comes up, or it is said that it did not. */
static void a_call_just_answered_is_joined_or_closed(void)
{
	int joined = 0;
	for (int ms = 0; ms <= 12; ms += 2) {
		struct told call;
		pair_reset();
		pair_start(&call);
		assert_true(phone_wait(bob.phone, 0, PHONE_ANSWERED, SOON_MS));
		nap_ms(ms);
		kill_nexusd();
		restart();
		assert_true(api_get(&gw, &alice, call.id, &call));
		if (strcmp(call.status, "in-progress") == 0) {
			joined++;
			assert_true(phone_wait(alice.phone, 0, PHONE_JOINED, SOON_MS));
			nap_ms(300); /* B is told as well: offers of phones would be refused with 491 meanwhile */
			assert_alive(0);
			phone_hangup(alice.phone, 0);
			pair_expect(&call, "completed", "hangup_caller");
		} else {
			assert_over(call.id);
			assert_true(phone_wait(alice.phone, 0, PHONE_ENDED, SOON_MS));
			assert_true(phone_wait(bob.phone, 0, PHONE_ENDED, SOON_MS));
		}
	}
	assert_true(joined > 0);
}

enum { STORM_CALLS = 5, STORM_KILLS = 20 };

/* Several calls, one of which is being held or resumed, and the gateway killed at any moment: none is cut. */
static void twenty_kills_cut_no_call(void)
{
	struct told calls[STORM_CALLS];
	unsigned seed = (unsigned)now_ms();
	print_message("seed %u\n", seed);
	srand(seed);
	pair_reset();
	for (int i = 0; i < STORM_CALLS; i++) {
		pair_start(&calls[i]);
		assert_true(phone_wait(alice.phone, i, PHONE_JOINED, SOON_MS));
		assert_true(phone_wait(bob.phone, i, PHONE_ACKED, SOON_MS));
		assert_true(api_wait(&gw, &alice, calls[i].id, "in-progress", SOON_MS, &calls[i]));
	}
	for (int i = 0; i < STORM_KILLS; i++) {
		struct holding h;
		begin_hold(&h, i % 2 ? bob.phone : alice.phone, rand() % STORM_CALLS, i % 4 < 2);
		nap_ms(rand() % 8);
		kill_nexusd();
		restart();
		int code = end_hold(&h);
		assert_true(code == 200 || code == 491);
		assert_int_equal(phone_calls_up(alice.phone), STORM_CALLS);
		assert_int_equal(phone_calls_up(bob.phone), STORM_CALLS);
		assert_int_equal(slots_wait(&gw, "alice", STORM_CALLS, SOON_MS), STORM_CALLS);
		for (int k = 0; k < STORM_CALLS; k++) {
			assert_up(calls[k].id);
		}
	}
	for (int i = 0; i < STORM_CALLS; i++) {
		if (i % 3 == 2) {
			assert_int_equal(api_end(&gw, &alice, calls[i].id), 200);
		} else {
			phone_hangup(i % 3 ? bob.phone : alice.phone, i);
		}
		assert_true(api_wait(&gw, &alice, calls[i].id, "ended", SOON_MS, &calls[i]));
		assert_string_equal(calls[i].reason, i % 3 == 2 ? "ended_by_api" : i % 3 ? "hangup_callee" : "hangup_caller");
		assert_true(phone_wait(alice.phone, i, PHONE_ENDED, SOON_MS));
		assert_true(phone_wait(bob.phone, i, PHONE_ENDED, SOON_MS));
	}
	assert_over(calls[0].id);
}

/* Whoever follows a call's events sees that some may be missing. */
static void events_tell_of_the_gap(void)
{
	struct nxv_event_opts opts = NXV_EVENT_OPTS_INIT;
	struct nxv_event_list *list = NULL;
	struct told call;
	pair_reset();
	pair_talk(&call);
	kill_nexusd();
	restart();
	opts.subject = call.id;
	assert_int_equal(nxv_event_pull(gw.ctx, &opts, &list, NULL), NXV_OK);
	assert_string_equal(list->items[list->count - 1]->type, "call.recovered");
	nxv_event_list_free(list);
	opts.subject = "gateway";
	assert_int_equal(nxv_event_pull(gw.ctx, &opts, &list, NULL), NXV_OK);
	assert_true(list->count > 0);
	assert_string_equal(list->items[list->count - 1]->type, "gateway.recovered");
	assert_string_equal(list->items[list->count - 1]->data, "calls=1 kept=1");
	nxv_event_list_free(list);
	phone_hangup(alice.phone, 0);
	pair_expect(&call, "completed", "hangup_caller");
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

static void wait_for_nobody_up(void)
{
	for (int i = 0; i < 200 && phone_calls_up(alice.phone) + phone_calls_up(bob.phone); i++)
		nap_ms(20);
	assert_int_equal(phone_calls_up(alice.phone) + phone_calls_up(bob.phone), 0);
}

/* The phones hear each other still, but nobody can say for how long. */
static void a_sip_server_that_is_stopped_ends_its_calls(void)
{
	struct told call;
	pair_reset();
	pair_talk(&call);
	assert_int_equal(gateway_ctl(&gw, "sip stop"), 0);
	assert_over(call.id);
	assert_true(api_get(&gw, &alice, call.id, &call));
	assert_string_equal(call.reason, "server_lost");
	assert_true(gateway_sip_start(&gw));
	phone_hangup(alice.phone, 0);
	phone_hangup(bob.phone, 0);
	wait_for_nobody_up();
}

static const struct CMUnitTest tests[] = {
	E2E(a_call_goes_on_without_the_gateway), E2E(phones_hold_and_hang_up_as_if_nothing_had_happened),
	E2E(a_call_outlives_two_gateways), E2E(a_hold_under_way_is_answered_by_the_next_gateway),
	E2E(a_call_just_answered_is_joined_or_closed), E2E(twenty_kills_cut_no_call), E2E(events_tell_of_the_gap),
	E2E(a_hangup_while_the_gateway_is_down_is_noticed), E2E(a_call_that_rang_is_closed), E2E(a_dialled_call_is_found_again),
	E2E(a_credential_revoked_without_the_gateway_is_unregistered), E2E(a_sip_server_that_dies_is_started_again),
	E2E(a_sip_server_that_is_stopped_ends_its_calls),
};

int main(int argc, char **argv)
{
	const struct e2e_suite suite = { "crashes", tests, sizeof(tests) / sizeof(tests[0]), NULL, 150, pair_setup, false };
	return e2e_main(argc, argv, &suite);
}
