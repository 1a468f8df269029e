/* test_twilio_limits.c - calls over Twilio at the edges of what can be known: a line that moves at one a second, calls whose end is
 * never told, and a gateway started again without Twilio's secret. */
#include "e2e.h"
#include "twilio_gw.h"

#include <signal.h>
#include <stdio.h>

enum { SOON_MS = 20000, LINE = 4 };

static struct sandbox_run sandbox;
static struct user alice;
static const char *server;

/* The watchdog bites five seconds after the create, long before Twilio's own limit. */
#define WATCHDOG "NXV_TEST_WATCHDOG=-605000"
static const char *const with_secret[] = { "NEXUSVOIP_TWILIO_AUTH_TOKEN=" SANDBOX_TOKEN, WATCHDOG, NULL };
static const char *const without_secret[] = { WATCHDOG, NULL };

static void begin(void)
{
	static bool begun;
	static const char *const settings[] = { "calls.ring_seconds=5", "limits.max_call_seconds=600", "http.initiate_wait_ms=0", NULL };

	if (!begun) {
		assert_true(twilio_gw_prepare(&gw, &sandbox, server, "20", false, settings));
		gw.program = NEXUSD_PACED_PATH;
		gw.env = with_secret;
		assert_true(gateway_run(&gw) && gateway_sip_start(&gw));
		assert_true(user_make(&gw, "alice", &alice) && user_register(&gw, lab, &alice, 0));
		begun = true;
	}
	assert_true(sandbox_no_faults(&sandbox));
}

static struct json_object *show(const char *id)
{
	char path[160];

	snprintf(path, sizeof(path), "/api/v1/opensips/call/%s", id);
	return gateway_http(&gw, "GET", path, alice.key, NULL)->json;
}

static void place_up(struct told *told)
{
	assert_int_equal(twilio_gw_call(&gw, &alice, "+999102", NULL, told), 201);
	assert_true(api_wait(&gw, &alice, told->id, "in-progress", SOON_MS, told));
}

static void expect_end(const char *id, const char *status, const char *reason)
{
	struct told told;

	if (!api_wait(&gw, &alice, id, "ended", SOON_MS, &told) || strcmp(told.status, status) != 0 || strcmp(told.reason, reason) != 0)
		fail_msg("%s: %s (%s), expected %s (%s)", id, told.status, told.reason, status, reason);
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
}

/* Place in line, 0 once it stands in none. */
static int64_t place_of(const char *id)
{
	int64_t place = json_number(show(id), "session.queuePosition");

	return place < 0 ? 0 : place;
}

static void a_line_of_one_a_second_shows_each_its_place(void)
{
	struct told told[LINE];
	char parent[24], child[24];
	int64_t last = LINE, place;

	begin();
	for (int i = 0; i < LINE; i++)
		assert_int_equal(twilio_gw_call(&gw, &alice, "+9991005", NULL, &told[i]), 201);
	for (int i = 0; i < 200 && !(place = place_of(told[LINE - 1].id)); i++)
		nap_ms(10); /* the SIP server is asked about the phone first */
	assert_in_range(place, 1, LINE - 1); /* the first went at once */
	assert_int_equal(gateway_ctl(&gw, "call show %s", told[LINE - 1].id), 0);
	assert_true(json_number(gateway_ctl_json(), "queuePosition") >= 0);
	for (; place; nap_ms(20)) { /* it only moves up */
		assert_string_equal(json_text(show(told[LINE - 1].id), "session.status"), "queued");
		place = place_of(told[LINE - 1].id);
		assert_true(place <= last);
		last = place;
	}
	for (int i = 0; i < LINE; i++) {
		expect_end(told[i].id, "completed", "hangup_callee");
		assert_int_equal(sandbox_truth(&sandbox, told[i].id, parent, child), 1);
	}
}

static void a_call_past_every_limit_is_ended_at_twilio(void)
{
	struct told told;
	char parent[24], child[24];

	begin();
	place_up(&told);
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"callback_lost\"}"));
	expect_end(told.id, "completed", "max_duration");
	assert_int_equal(sandbox_truth(&sandbox, told.id, parent, child), 1);
	assert_string_equal(parent, "completed");
}

static void a_call_of_which_twilio_says_nothing_more_is_given_up(void)
{
	struct told told;

	begin();
	place_up(&told);
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"callback_lost\"}"));
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"unavailable\",\"on\":[\"fetch\",\"list\",\"update\"]}"));
	expect_end(told.id, "completed", "server_lost");
	assert_int_equal(gateway_ctl(&gw, "call trace %s", told.id), 0);
	assert_non_null(strstr(gateway_ctl_out(), "Status=completed"));
	assert_non_null(strstr(gateway_ctl_out(), "503 (POST, "));
}

static void start_again(const char *const *env)
{
	proc_signal(gw.nexusd, SIGKILL);
	proc_stop(gw.nexusd, 5000);
	gw.env = env;
	assert_true(gateway_run(&gw));
}

static void without_the_secret_a_call_is_not_said_to_have_ended(void)
{
	struct told told;
	char parent[24], child[24], *log;

	begin();
	place_up(&told);
	start_again(without_secret);
	assert_string_equal(json_text(show(told.id), "session.status"), "in-progress");
	assert_string_equal(json_text(show(told.id), "session.error.code"), "twilio_not_configured");
	log = proc_read_file(gw.nexusd_log);
	assert_non_null(strstr(log, "Twilio has this call and cannot be asked about it"));
	free(log);
	assert_int_equal(api_end(&gw, &alice, told.id), 200);
	assert_string_equal(json_text(show(told.id), "session.status"), "in-progress");
	assert_int_equal(slots_wait(&gw, "alice", 1, 0), 1);
	start_again(with_secret);
	expect_end(told.id, "completed", "ended_by_api");
	sandbox_truth(&sandbox, told.id, parent, child);
	assert_string_equal(parent, "completed");
	assert_int_equal(gateway_stop(&gw), 0);
	sandbox_stop(&sandbox);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		E2E(a_line_of_one_a_second_shows_each_its_place),
		E2E(a_call_past_every_limit_is_ended_at_twilio),
		E2E(a_call_of_which_twilio_says_nothing_more_is_given_up),
		E2E(without_the_secret_a_call_is_not_said_to_have_ended),
	};
	const struct e2e_suite suite = { .name = "Twilio's limits", .tests = tests, .count = sizeof(tests) / sizeof(tests[0]),
		.seconds = 150, .bare = true };

	server = argc > 1 ? argv[1] : "";
	return e2e_main(argc, argv, &suite);
}
