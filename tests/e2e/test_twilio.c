/* test_twilio.c - calls over Twilio as people use them: the guide's own request, every outcome, refusals, ends from all sides.
 * Twilio is nexus-sandbox; the phones are registered, their legs simulated. */
#include "e2e.h"
#include "twilio_gw.h"

#include <json-c/json.h>
#include <stdio.h>

enum { SOON_MS = 15000 };

static struct sandbox_run sandbox;
static struct user alice;
static const char *server;

static void begin(void)
{
	static bool begun;

	if (!begun) {
		static const char *const settings[] = { "twilio.creates_per_second=100", "calls.ring_seconds=20", NULL };
		assert_true(twilio_gw_prepare(&gw, &sandbox, server, "20", false, settings));
		assert_true(gateway_run(&gw) && gateway_sip_start(&gw));
		assert_true(user_make(&gw, "alice", &alice) && user_register(&gw, lab, &alice, 0));
		begun = true;
	}
	assert_true(sandbox_no_faults(&sandbox));
}

static void expect_end(const char *id, const char *status, const char *reason)
{
	struct told told;

	if (!api_wait(&gw, &alice, id, "ended", SOON_MS, &told) || strcmp(told.status, status) != 0 || strcmp(told.reason, reason) != 0)
		fail_msg("%s: %s (%s), expected %s (%s)", id, told.status, told.reason, status, reason);
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
}

static void the_guides_own_request_makes_a_call(void)
{
	struct http_reply *reply;
	char id[96], sid[64], parent[24], child[24];

	begin();
	reply = gateway_http(&gw, "POST", "/api/v1/opensips/call/initiate", alice.key,
		"{\"fromNumber\": \"+1234567890\",\"toNumber\": \"+0987654321\",\"useTwilio\": true}");
	assert_int_equal(reply->status, 201);
	snprintf(id, sizeof(id), "%s", json_text(reply->json, "session.sessionId"));
	snprintf(sid, sizeof(sid), "%s", json_text(reply->json, "session.twilioCallSid"));
	assert_string_equal(json_text(reply->json, "session.sipCredentials.username"), alice.username);
	assert_int_equal(strncmp(sid, "CA", 2), 0);
	expect_end(id, "completed", "hangup_callee");
	assert_int_equal(sandbox_truth(&sandbox, id, parent, child), 1);
	assert_string_equal(parent, "completed");
	assert_string_equal(child, "completed");
}

static void every_outcome_has_its_reason(void)
{
	static const struct {
		const char *to, *status, *reason;
	} rows[] = {
		{ "+9991005", "completed", "hangup_callee" }, { "+999200", "busy", "callee_busy" },
		{ "+999201", "no-answer", "callee_no_answer" }, { "+999202", "busy", "callee_busy" },
		{ "+999203", "failed", "callee_unreachable" }, { "+999205", "busy", "callee_busy" },
	};
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	struct told told[ROWS];

	begin();
	for (int i = 0; i < ROWS; i++)
		assert_int_equal(twilio_gw_call(&gw, &alice, rows[i].to, NULL, &told[i]), 201);
	for (int i = 0; i < ROWS; i++) {
		struct told end;
		if (!api_wait(&gw, &alice, told[i].id, "ended", SOON_MS, &end) || strcmp(end.status, rows[i].status) != 0 ||
			strcmp(end.reason, rows[i].reason) != 0)
			fail_msg("%s: %s (%s)", rows[i].to, end.status, end.reason);
	}
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
}

static void the_callee_can_ring_first(void)
{
	struct told told;
	struct json_object *truth;
	char path[160];

	begin();
	assert_int_equal(twilio_gw_call(&gw, &alice, "+9991005", ",\"ringFirst\":\"callee\"", &told), 201);
	expect_end(told.id, "completed", "hangup_callee");
	snprintf(path, sizeof(path), "/sandbox/v1/calls?session=%s", told.id);
	truth = sandbox_get(&sandbox, path);
	assert_non_null(strstr(json_object_to_json_string_ext(truth, JSON_C_TO_STRING_NOSLASHESCAPE), "sip:"));
	json_object_put(truth);
	assert_int_equal(twilio_gw_call(&gw, &alice, "+999200", ",\"ringFirst\":\"callee\"", &told), 201);
	expect_end(told.id, "busy", "callee_busy");
}

static void refusals_name_the_wrong_field(void)
{
	static const struct {
		const char *from, *to;
		int http;
		const char *code, *field;
		int number;
	} rows[] = {
		{ TWILIO_FROM, "+999421211", 422, "invalid_destination", "toNumber", 21211 },
		{ TWILIO_FROM, "+999413224", 422, "invalid_destination", "toNumber", 13224 },
		{ TWILIO_FROM, "+999421215", 422, "destination_not_allowed", "toNumber", 21215 },
		{ "+15005550007", "+9991005", 422, "caller_id_not_allowed", "fromNumber", 21210 },
		{ "+15005550001", "+9991005", 422, "caller_id_not_allowed", "fromNumber", 21212 },
		{ TWILIO_FROM, "+999420003", 502, "twilio_auth", "", 20003 },
	};
	char body[256];

	begin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_reply *reply;

		/* the number that is refused is Twilio's first party */
		snprintf(body, sizeof(body), "{\"fromNumber\":\"%s\",\"toNumber\":\"%s\",\"useTwilio\":true,\"ringFirst\":\"callee\"}",
			rows[i].from, rows[i].to);
		reply = gateway_http(&gw, "POST", "/api/v1/opensips/call/initiate", alice.key, body);
		if (reply->status != rows[i].http || strcmp(json_text(reply->json, "error.code"), rows[i].code) != 0)
			fail_msg("%s: %d %s", rows[i].to, reply->status, reply->body);
		if (*rows[i].field)
			assert_string_equal(json_text(reply->json, "error.details.0.field"), rows[i].field);
	}
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
}

static void what_twilio_cannot_dial_is_refused_at_once(void)
{
	struct told told;

	begin();
	assert_int_equal(twilio_gw_call(&gw, &alice, "alice", NULL, &told), 400);
	assert_int_equal(gateway_http(&gw, "POST", "/api/v1/opensips/call/initiate", alice.key,
		"{\"fromNumber\":\"+12\",\"toNumber\":\"alice\",\"useTwilio\":false,\"ringFirst\":\"callee\"}")->status, 400);
}

static void a_call_is_ended_in_every_state(void)
{
	static const char *const states[] = { "queued", "ringing", "in-progress" };
	struct told told;
	char parent[24], child[24];

	begin();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(twilio_gw_call(&gw, &alice, i == 1 ? "+99910160" : "+999102", NULL, &told), 201);
		if (i)
			assert_true(api_wait(&gw, &alice, told.id, states[i], SOON_MS, &told));
		assert_int_equal(api_end(&gw, &alice, told.id), 200);
		expect_end(told.id, i == 2 ? "completed" : "canceled", "ended_by_api");
		sandbox_truth(&sandbox, told.id, parent, child);
		if (strcmp(parent, "completed") != 0 && strcmp(parent, "canceled") != 0)
			fail_msg("%s is still %s at Twilio", told.id, parent);
	}
}

static void an_end_that_twilio_does_not_take_is_repeated_and_told(void)
{
	struct told told;
	struct http_reply *reply;
	char path[160];

	begin();
	assert_int_equal(twilio_gw_call(&gw, &alice, "+999102", NULL, &told), 201);
	assert_true(api_wait(&gw, &alice, told.id, "in-progress", SOON_MS, &told));
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"unavailable\",\"on\":\"update\",\"count\":2}"));
	snprintf(path, sizeof(path), "/api/v1/opensips/call/%s/end", told.id);
	reply = gateway_http(&gw, "POST", path, alice.key, NULL);
	assert_int_equal(reply->status, 200);
	assert_string_equal(json_text(reply->json, "session.status"), "in-progress");
	assert_string_equal(json_text(reply->json, "session.error.code"), "twilio_failed");
	expect_end(told.id, "completed", "ended_by_api");
}

/* The first part that is not in its place; NULL: all are. */
static const char *out_of_order(const char *timeline, const char *const *parts)
{
	for (const char *at = timeline; *parts; parts++) {
		at = strstr(at, *parts);
		if (!at)
			return *parts;
	}
	return NULL;
}

/* The timeline in a format, once it tells this in this order: entries are stored a tenth of a second after the fact. */
static const char *timeline_tells(const char *id, const char *format, const char *const *parts)
{
	const char *wrong = NULL;

	for (int tries = 0; tries < 100; tries++, nap_ms(50)) {
		assert_int_equal(gateway_ctl(&gw, "call trace %s --full --format %s", id, format), 0);
		wrong = out_of_order(gateway_ctl_out(), parts);
		if (!wrong)
			return gateway_ctl_out();
	}
	print_message("%s\n", gateway_ctl_out());
	fail_msg("%s is not at its place", wrong);
	return NULL;
}
#define TELLS(id, format, ...) timeline_tells(id, format, (const char *const[]){ __VA_ARGS__, NULL })

static void the_timeline_shows_what_twilio_was_asked_and_told(void)
{
	static const char *const story[] = { "http             <- POST", "-- call.queued", "twilio           -> POST /Calls.json\n",
		"X-Nexus-Leg=(left out)\n", "StatusCallbackEvent: completed\n", "twilio           <- 201 (POST, ", ": queued, CA", "-- call.placed",
		"twilio   caller  <- webhook: ringing, sequence 1\n", "-- call.caller_ringing", "twilio   callee  <- webhook: in-progress",
		"-- call.callee_answered", "<- webhook refused (forged): it says completed, sequence 9\n", "twilio           -> POST /Calls/CA",
		".json Status=completed\n", "-- call.completed", NULL };
	struct told told;
	char path[160], url[256];
	struct http_reply reply;
	const char *text;

	begin();
	assert_int_equal(twilio_gw_call(&gw, &alice, "+999102", NULL, &told), 201);
	assert_true(api_wait(&gw, &alice, told.id, "in-progress", SOON_MS, &told));
	snprintf(path, sizeof(path), "/twilio/v1/status/%s", told.id);
	snprintf(url, sizeof(url), "%s%s", gw.url, path);
	http_send(&(struct http_request){ .method = "POST", .url = url,
		.body = "CallSid=CA00000000000000000000000000000009&CallStatus=completed&SequenceNumber=9",
		.headers = { "Content-Type: application/x-www-form-urlencoded" } }, &reply);
	assert_int_equal(reply.status, 403);
	http_free(&reply);
	assert_int_equal(api_end(&gw, &alice, told.id), 200);
	expect_end(told.id, "completed", "ended_by_api");
	text = timeline_tells(told.id, "text", story);
	assert_null(strstr(text, SANDBOX_TOKEN));
	TELLS(told.id, "json", "\"kind\":\"twilio\",\"leg\":\"callee\",\"sent\":false,\"summary\":\"webhook: ringing, sequence 1\"");
	TELLS(told.id, "svg", ">Twilio</text>", ">POST /Calls.json</text>", ">callee: webhook: ringing, sequence 1</text>");
}

static void the_timeline_shows_faults_and_what_was_looked_for(void)
{
	struct told told;

	begin();
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"callback_lost\"}"));
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"reset_after_commit\",\"count\":1}"));
	assert_int_equal(twilio_gw_call(&gw, &alice, "+999102", NULL, &told), 201);
	TELLS(told.id, "text", "-> POST /Calls.json\n", "<- no answer (POST, ", "-> GET /Calls.json?From=", "<- 200 (GET, ", "calls\n",
		"<- found in Twilio's list: CA");
	assert_int_equal(api_end(&gw, &alice, told.id), 200);
	assert_true(api_wait(&gw, &alice, told.id, "ended", SOON_MS, &told));
	assert_true(sandbox_no_faults(&sandbox));
	assert_int_equal(twilio_gw_call(&gw, &alice, "+999421215", ",\"ringFirst\":\"callee\"", &told), 422);
	assert_int_equal(gateway_ctl(&gw, "call list --user alice --limit 1"), 0);
	snprintf(told.id, sizeof(told.id), "%s", json_text(gateway_ctl_json(), "0.sessionId"));
	TELLS(told.id, "text", "-> POST /Calls.json\n", "<- 400 (POST, ", "), Twilio's 21215: allow the country");
}

static void nexusctl_uses_the_same_words(void)
{
	begin();
	assert_int_equal(gateway_ctl(&gw, "call start --user alice --from %s --to +9991005 --twilio --wait ended", TWILIO_FROM), 0);
	assert_string_equal(json_text(gateway_ctl_json(), "endReason"), "hangup_callee");
	assert_int_not_equal(
		gateway_ctl(&gw, "call start --user alice --from +15005550007 --to +9991005 --twilio --ring-first callee --wait ended"), 0);
	assert_non_null(strstr(gateway_ctl_err(), "caller_id_not_allowed"));
}

static void calls_that_wait_in_line_are_stopped_by_a_freeze(void)
{
	struct told told;
	char parent[24], child[24];

	begin();
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"rate_limit\",\"count\":1,\"retryAfter\":3}"));
	assert_int_equal(twilio_gw_call(&gw, &alice, "+9991005", NULL, &told), 201);
	assert_int_equal(gateway_ctl(&gw, "calls freeze --reason test"), 0);
	expect_end(told.id, "failed", "not_allowed");
	assert_int_equal(sandbox_truth(&sandbox, told.id, parent, child), 0);
	assert_int_equal(gateway_ctl(&gw, "call show %s", told.id), 0);
	assert_string_equal(json_text(gateway_ctl_json(), "error.code"), "calls_frozen");
	assert_int_equal(gateway_ctl(&gw, "calls thaw"), 0);
}

static void a_token_that_is_corrected_is_used_at_once(void)
{
	const char *const *env;
	struct told told;

	begin();
	env = gw.env;
	assert_int_equal(gateway_stop(&gw), 0);
	gw.env = NULL;
	assert_int_equal(nxv_secret_set(gw.ctx, "twilio.auth_token", "mistyped", NULL), NXV_OK);
	assert_true(gateway_run(&gw) && gateway_sip_start(&gw));
	assert_int_equal(phone_register(alice.phone, 600), 200);
	assert_int_equal(twilio_gw_call(&gw, &alice, "+9991005", NULL, &told), 502);
	assert_int_equal(nxv_secret_set(gw.ctx, "twilio.auth_token", SANDBOX_TOKEN, NULL), NXV_OK);
	assert_int_equal(twilio_gw_call(&gw, &alice, "+9991005", NULL, &told), 201);
	expect_end(told.id, "completed", "hangup_callee");
	assert_int_equal(gateway_stop(&gw), 0);
	gw.env = env;
	assert_true(gateway_run(&gw) && gateway_sip_start(&gw));
	assert_int_equal(phone_register(alice.phone, 600), 200);
}

/* Needs the sandbox gone: the last one. */
static void twilio_down_is_503_and_nothing_was_placed(void)
{
	struct told told;

	begin();
	sandbox_stop(&sandbox);
	assert_int_equal(twilio_gw_call(&gw, &alice, "+9991005", NULL, &told), 503);
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
	assert_int_equal(gateway_stop(&gw), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		E2E(the_guides_own_request_makes_a_call),
		E2E(every_outcome_has_its_reason),
		E2E(the_callee_can_ring_first),
		E2E(refusals_name_the_wrong_field),
		E2E(what_twilio_cannot_dial_is_refused_at_once),
		E2E(a_call_is_ended_in_every_state),
		E2E(an_end_that_twilio_does_not_take_is_repeated_and_told),
		E2E(the_timeline_shows_what_twilio_was_asked_and_told),
		E2E(the_timeline_shows_faults_and_what_was_looked_for),
		E2E(nexusctl_uses_the_same_words),
		E2E(calls_that_wait_in_line_are_stopped_by_a_freeze),
		E2E(a_token_that_is_corrected_is_used_at_once),
		E2E(twilio_down_is_503_and_nothing_was_placed),
	};
	const struct e2e_suite suite = { .name = "calls over Twilio", .tests = tests, .count = sizeof(tests) / sizeof(tests[0]),
		.seconds = 170, .bare = true };

	server = argc > 1 ? argv[1] : "";
	return e2e_main(argc, argv, &suite);
}
