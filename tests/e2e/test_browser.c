/* test_browser.c - calls of real browsers: Chromium with the example's page, sound both ways, every way to end; what
 * happens beside plain phones, to a tab that dies, and to a page of a foreign origin. */
#include "pair.h"
#include "tabs.h"

#include <stdio.h>

enum { TONE_A = 440, TONE_B = 1000, TONE_D = 660, TONE_E = 1300, TONE_SLACK = 60, LOST_MS = 40000,
	ASKED_TWICE_MS = 18000, TAB_MS = 15000 /* a browser on a busy machine */ };

static struct user carol, dave, erin; /* carol has a plain phone, dave and erin one and a browser each */
static char ws_url[64];

static bool setup(void)
{
	return user_make(&gw, "alice", &alice) && user_make(&gw, "bob", &bob) && user_make(&gw, "carol", &carol) &&
		user_make(&gw, "dave", &dave) && user_make(&gw, "erin", &erin) && user_register(&gw, lab, &carol, 0) && user_register(&gw, lab, &dave, 0) &&
		user_register(&gw, lab, &erin, 0) && tab_open("erin", false) && tab_register("erin", &gw, &erin, ws_url, TONE_E) &&
		tab_open("alice", false) && tab_open("bob", false) && tab_open("dave", false) &&
		tab_register("alice", &gw, &alice, ws_url, TONE_A) && tab_register("bob", &gw, &bob, ws_url, TONE_B) &&
		tab_register("dave", &gw, &dave, ws_url, TONE_D);
}

static void start(const struct user *from, const struct user *to, struct told *call)
{
	assert_int_equal(api_initiate(&gw, from, to->username, call), 201);
}

static void newest_call(const struct user *of, struct told *call)
{
	struct http_reply *reply = gateway_http(&gw, "GET", "/api/v1/opensips/calls?limit=1", of->key, NULL);
	*call = (struct told){ .http_status = reply->status };
	api_read(json_at(reply->json, "calls.0"), call);
}

/* alice's browser, then bob's. */
static void ring_bob(struct told *call)
{
	start(&alice, &bob, call);
	assert_true(tab_wait("alice", "ringing", TAB_MS));
	assert_true(api_wait(&gw, &alice, call->id, "ringing", TAB_MS, call));
	tab_run("alice", "await phone.answer()");
	assert_true(tab_wait("bob", "ringing: +15550001111", TAB_MS));
}

static void talk(struct told *call)
{
	ring_bob(call);
	tab_run("bob", "await phone.answer()");
	assert_true(tab_wait("alice", "talking", TAB_MS));
	assert_true(tab_wait("bob", "talking", TAB_MS));
	assert_true(api_wait(&gw, &alice, call->id, "in-progress", TAB_MS, call));
}

static void expect_tone(const char *tab, int hz)
{
	int heard = tab_hears(tab);
	assert_near(heard, hz, TONE_SLACK);
}

static void hear_each_other(void)
{
	expect_tone("alice", TONE_B);
	expect_tone("bob", TONE_A);
}

static void expect_end(const struct user *of, struct told *call, const char *status, const char *reason)
{
	assert_true(api_wait(&gw, of, call->id, "ended", TAB_MS, call));
	assert_string_equal(call->reason, reason);
	assert_string_equal(call->status, status);
	assert_int_equal(slots_wait(&gw, of->id, 0, 2000), 0);
}

static void tabs_are_free(void)
{
	assert_true(tab_wait("alice", "over", TAB_MS));
	assert_true(tab_wait("bob", "over", TAB_MS));
}

static void browsers_hear_each_other_until_the_api_ends_it(void)
{
	struct told call;
	talk(&call);
	hear_each_other();
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	expect_end(&alice, &call, "completed", "ended_by_api");
	tabs_are_free();
}

static void callers_browser_hangs_up(void)
{
	struct told call;
	talk(&call);
	tab_run("alice", "phone.hangup()");
	expect_end(&alice, &call, "completed", "hangup_caller");
	tabs_are_free();
}

static void callees_browser_hangs_up(void)
{
	struct told call;
	talk(&call);
	tab_run("bob", "phone.hangup()");
	expect_end(&alice, &call, "completed", "hangup_callee");
	tabs_are_free();
}

static void callees_browser_declines(void)
{
	struct told call;
	ring_bob(&call);
	tab_run("bob", "phone.hangup()");
	expect_end(&alice, &call, "busy", "callee_rejected");
	tabs_are_free();
}

static void ringing_browsers_stop_when_the_api_ends_the_call(void)
{
	struct told call;
	start(&alice, &bob, &call);
	assert_true(tab_wait("alice", "ringing", TAB_MS));
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	expect_end(&alice, &call, "canceled", "ended_by_api");
	assert_true(tab_wait("alice", "over: Canceled (remote)", TAB_MS));
	ring_bob(&call);
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	expect_end(&alice, &call, "canceled", "ended_by_api");
	tabs_are_free();
}

static void a_browser_holds_and_resumes(void)
{
	struct told call;
	talk(&call);
	tab_run("alice", "await phone.hold()");
	assert_true(tab_wait("bob", "held", TAB_MS));
	tab_run("alice", "await phone.hold()");
	assert_true(tab_wait("alice", "talking", TAB_MS));
	assert_true(tab_wait("bob", "talking", TAB_MS));
	hear_each_other();
	tab_run("bob", "phone.hangup()");
	expect_end(&alice, &call, "completed", "hangup_callee");
	tabs_are_free();
}

static void a_browser_dials_another(void)
{
	struct told call;
	tab_run("alice", "await phone.dial('%s')", bob.username);
	assert_true(tab_wait("bob", "ringing", TAB_MS));
	tab_run("bob", "await phone.answer()");
	assert_true(tab_wait("alice", "talking", TAB_MS));
	hear_each_other();
	pair_find_dialled(&call);
	tab_run("alice", "phone.hangup()");
	expect_end(&alice, &call, "completed", "hangup_caller");
	tabs_are_free();
}

/* More than 8 KB: descriptions and the messages that hold them. */
static void long_descriptions_pass(void)
{
	static const char grow[] = "window.onDescription = (sdp) => sdp + 'a=x-filler:'.concat('0'.repeat(100), '\\r\\n').repeat(%d)";
	struct told call;
	tab_run("alice", grow, 110);
	tab_run("bob", grow, 110);
	talk(&call);
	assert_in_range(atoi(tab_run("alice", "return told.length")), 12000, 20000);
	assert_in_range(atoi(tab_run("bob", "return told.length")), 12000, 20000);
	hear_each_other();
	tab_run("alice", "phone.hangup()");
	expect_end(&alice, &call, "completed", "hangup_caller");
	tabs_are_free();
	tab_run("alice", "window.onDescription = null");
	tab_run("bob", "window.onDescription = null");
}

static void a_browser_and_a_plain_phone_are_told_so_at_once(void)
{
	const struct user *const pairs[][2] = { { &alice, &carol }, { &carol, &alice } };
	for (size_t i = 0; i < 2; i++) {
		struct told call;
		phone_forget(carol.phone);
		assert_int_equal(api_initiate(&gw, pairs[i][0], pairs[i][1]->username, &call), 422);
		newest_call(pairs[i][0], &call);
		assert_string_equal(call.status, "failed");
		assert_string_equal(call.reason, "media_incompatible");
		assert_int_equal(call.ringing_ms, 0);
		assert_in_range(call.ended_ms - call.started_ms, 0, 1000);
		assert_int_equal(slots_wait(&gw, pairs[i][0]->id, 0, 2000), 0);
		struct phone_call seen;
		assert_false(phone_call(carol.phone, 0, &seen));
		assert_string_not_equal(tab_run("alice", "return phone.session ? 'busy' : 'free'"), "busy");
	}
}

/* dave has both: whoever calls, the one that can talk rings, and only that one. */
static void of_a_phone_and_a_browser_the_fitting_one_rings(void)
{
	struct phone_script answers = { .manner = PHONE_ANSWERS, .ring_ms = 100 };
	struct phone_call seen;
	struct told call;
	phone_forget(dave.phone);
	phone_script(dave.phone, answers);
	start(&alice, &dave, &call);
	assert_true(tab_wait("alice", "ringing", TAB_MS));
	tab_run("alice", "await phone.answer()");
	assert_true(tab_wait("dave", "ringing", TAB_MS));
	tab_run("dave", "await phone.answer()");
	assert_true(tab_wait("alice", "talking", TAB_MS));
	expect_tone("alice", TONE_D);
	assert_false(phone_call(dave.phone, 0, &seen));
	tab_run("alice", "phone.hangup()");
	expect_end(&alice, &call, "completed", "hangup_caller");
	assert_true(tab_wait("dave", "over", TAB_MS));

	tab_run("dave", "phone.say('idle')");
	phone_forget(carol.phone);
	phone_script(carol.phone, answers);
	start(&carol, &dave, &call);
	assert_true(api_wait(&gw, &carol, call.id, "in-progress", TAB_MS, &call));
	assert_true(phone_wait(dave.phone, 0, PHONE_ACKED, TAB_MS));
	assert_true(tab_wait("dave", "idle", 0));
	assert_int_equal(api_end(&gw, &carol, call.id), 200);
	expect_end(&carol, &call, "completed", "ended_by_api");
}

/* Both have both: all of the caller's phones ring, and the one picked up decides which of the callee's do. */
static void where_both_have_both_the_phone_picked_up_decides(void)
{
	struct phone_script answers = { .manner = PHONE_ANSWERS, .ring_ms = 100 }, rings = { .manner = PHONE_RINGS };
	struct phone_call seen;
	struct told call;
	phone_forget(dave.phone);
	phone_forget(erin.phone);
	phone_script(dave.phone, rings);
	start(&dave, &erin, &call);
	assert_true(tab_wait("dave", "ringing", TAB_MS));
	assert_true(phone_wait(dave.phone, 0, PHONE_RINGING, TAB_MS));
	tab_run("dave", "await phone.answer()");
	assert_true(tab_wait("erin", "ringing", TAB_MS));
	tab_run("erin", "await phone.answer()");
	assert_true(tab_wait("dave", "talking", TAB_MS));
	expect_tone("dave", TONE_E);
	assert_false(phone_call(erin.phone, 0, &seen));
	tab_run("erin", "phone.hangup()");
	expect_end(&dave, &call, "completed", "hangup_callee");
	assert_true(tab_wait("dave", "over", TAB_MS));

	tab_run("erin", "phone.say('idle')");
	phone_forget(dave.phone);
	phone_script(dave.phone, answers);
	phone_script(erin.phone, answers);
	start(&dave, &erin, &call);
	assert_true(api_wait(&gw, &dave, call.id, "in-progress", TAB_MS, &call));
	assert_true(phone_wait(erin.phone, 0, PHONE_ACKED, TAB_MS));
	assert_true(tab_wait("dave", "over", TAB_MS));
	assert_true(tab_wait("erin", "idle", 0));
	assert_int_equal(api_end(&gw, &dave, call.id), 200);
	expect_end(&dave, &call, "completed", "ended_by_api");
}

/* The WebSocket dies with the tab; nobody says good-bye. */
static void call_of_a_tab_that_died_is_ended(void)
{
	struct told call;
	talk(&call);
	assert_true(tab_do("bob", "crash"));
	assert_true(api_wait(&gw, &alice, call.id, "ended", LOST_MS, &call));
	assert_string_equal(call.status, "completed");
	assert_string_equal(call.reason, "callee_lost");
	assert_true(tab_wait("alice", "over", TAB_MS));
	assert_int_equal(slots_wait(&gw, alice.id, 0, 2000), 0);
	assert_true(tab_open("bob", false));
	assert_true(tab_register("bob", &gw, &bob, ws_url, TONE_B));
}

/* The sound does not flow over the WebSocket: the page makes another, and says so. */
static void a_call_outlives_its_websocket(void)
{
	struct told call;
	talk(&call);
	tab_run("bob", "phone.ua.transport.socket._ws.close()");
	nap_ms(ASKED_TWICE_MS);
	assert_true(api_get(&gw, &alice, call.id, &call));
	assert_string_equal(call.status, "in-progress");
	hear_each_other();
	tab_run("alice", "phone.hangup()");
	expect_end(&alice, &call, "completed", "hangup_caller");
	tabs_are_free();
}

static void a_page_that_was_reloaded_rings_again(void)
{
	struct told call;
	assert_true(tab_do("bob", "reload"));
	assert_true(tab_register("bob", &gw, &bob, ws_url, TONE_B));
	talk(&call);
	hear_each_other();
	tab_run("bob", "phone.hangup()");
	expect_end(&alice, &call, "completed", "hangup_callee");
	tabs_are_free();
}

static void a_page_of_another_origin_is_refused(void)
{
	if (strcmp(gw.server, "opensips") == 0) {
		print_message("OpenSIPS compares no origins: nothing to see\n");
		return;
	}
	assert_true(tab_open("eve", true));
	tab_run("eve", "phone.register({ url: '%s', domain: '%s', username: '%s', password: '%s' })", ws_url, gw.domain, bob.username,
		bob.password);
	assert_true(tab_wait("eve", "not connected", TAB_MS));
	assert_true(tab_do("eve", "close"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		E2E(browsers_hear_each_other_until_the_api_ends_it),
		E2E(callers_browser_hangs_up),
		E2E(callees_browser_hangs_up),
		E2E(callees_browser_declines),
		E2E(ringing_browsers_stop_when_the_api_ends_the_call),
		E2E(a_browser_holds_and_resumes),
		E2E(a_browser_dials_another),
		E2E(long_descriptions_pass),
		E2E(a_browser_and_a_plain_phone_are_told_so_at_once),
		E2E(of_a_phone_and_a_browser_the_fitting_one_rings),
		E2E(where_both_have_both_the_phone_picked_up_decides),
		E2E(call_of_a_tab_that_died_is_ended),
		E2E(a_call_outlives_its_websocket),
		E2E(a_page_that_was_reloaded_rings_again),
		E2E(a_page_of_another_origin_is_refused),
	};
	static char listen[64], origins[96];
	static const char *const settings[] = { listen, origins, NULL };
	const struct e2e_suite suite = { "browsers", tests, sizeof(tests) / sizeof(tests[0]), settings, 170, setup, false };

	proc_guard(suite.seconds);
	const char *why = argc > 1 && proc_installed(argv[1]) ? tabs_open() : NULL; /* else the frame says it */
	if (why) {
		printf("%s\n", why);
		return strncmp(why, "SKIPPED", 7) == 0 ? 77 : 1;
	}
	unsigned port = proc_free_port(1);
	snprintf(listen, sizeof(listen), "sip.ws_listen=127.0.0.1:%u", port);
	snprintf(origins, sizeof(origins), "sip.ws_origins=%s", strcmp(argv[1], "kamailio") == 0 ? tabs_origin() : "*");
	snprintf(ws_url, sizeof(ws_url), "ws://127.0.0.1:%u", port);
	int status = e2e_main(argc, argv, &suite);
	tabs_close();
	return status;
}
