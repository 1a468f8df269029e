/* test_nexusd_policy.c - every refusal of a telephone call, as HTTP tells it and as nexusctl tells it. */
#include <nexusvoip/nexusvoip.h>
#include <stdlib.h>
#include <string.h>

#include "nexusd.h"

static struct made_key alice;

static bool over_twilio;

static const char *body(const char *from, const char *to)
{
	static char text[200];

	snprintf(text, sizeof(text), "{\"fromNumber\":\"%s\",\"toNumber\":\"%s\",\"useTwilio\":%s}", from, to,
		over_twilio ? "true" : "false");
	return text;
}

static struct http_reply *refuses(const char *from, const char *to, int status, const char *code, const char *words)
{
	struct http_reply *reply = ask("POST", "/api/v1/opensips/call/initiate", alice.secret, body(from, to));

	if (reply->status != status || strcmp(error_code(reply), code) != 0 || !strstr(reply->body, words))
		fail_msg("%s to %s: %d %s instead of %d %s \"%s\"", from, to, reply->status, reply->body, status, code, words);
	return reply;
}

static void destination_outside_the_list_is_422(void **state)
{
	struct http_reply *reply;

	(void)state;
	reply = refuses("+15550100", "+34911234567", 422, "destination_not_allowed", "no prefix of calls.allow");
	assert_string_equal(json_text(reply->json, "error.details.0.field"), "toNumber");
	refuses("+15550100", "+18761234567", 422, "destination_not_allowed", "excludes +1876");
	refuses("+15550100", "+19005551234", 422, "destination_not_allowed", "premium");
	refuses("+15550100", "sip:+34911234567@any.example", 422, "destination_not_allowed", "no prefix of calls.allow");
}

static void calls_over_twilio_pass_the_same_rules(void **state)
{
	(void)state;
	over_twilio = true;
	refuses("+15550100", "+34911234567", 422, "destination_not_allowed", "no prefix of calls.allow");
	refuses("+15550100", "+19005551234", 422, "destination_not_allowed", "premium");
	refuses("+15550100", "+44999", 422, "emergency_number", "telephone of your own");
	refuses("+15550100", "911", 422, "emergency_number", "telephone of your own");
	refuses("+15550199", "+15550111", 422, "caller_id_not_allowed", "nexusctl callers add");
	assert_int_equal(gateway_ctl(&nexusd, "calls freeze"), 0);
	refuses("+15550100", "+15550111", 503, "calls_frozen", "nexusctl calls thaw");
	assert_int_equal(gateway_ctl(&nexusd, "calls thaw"), 0);
	over_twilio = false;
}

static void emergency_number_is_422_in_every_spelling(void **state)
{
	static const char *const numbers[] = { "112", "911", "+1911", "+44999", "sip:112@nexus.local" };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		refuses("+15550100", numbers[i], 422, "emergency_number", "telephone of your own");
}

static void caller_id_of_another_is_422(void **state)
{
	struct http_reply *reply = refuses("+15550199", "+15550111", 422, "caller_id_not_allowed", "nexusctl callers add +15550199 --user alice");

	(void)state;
	assert_string_equal(json_text(reply->json, "error.details.0.field"), "fromNumber");
	refuses("alice", "+15550111", 422, "caller_id_not_allowed", "needs a number as caller ID");
}

static void frozen_calls_are_503_with_a_time_to_come_back(void **state)
{
	struct http_reply *reply;

	(void)state;
	assert_int_equal(gateway_ctl(&nexusd, "calls freeze --reason fraud"), 0);
	assert_true(json_true(gateway_ctl_json(), "frozen"));
	reply = refuses("+15550100", "+15550111", 503, "calls_frozen", "fraud; whoever");
	assert_string_equal(http_header(reply, "Retry-After"), "60");
	reply = ask("GET", "/api/v1/opensips/health", nexusd.admin_key, NULL);
	assert_true(json_true(reply->json, "callsFrozen"));
	gateway_ctl(&nexusd, "health"); /* 5: no SIP server runs */
	assert_true(json_true(gateway_ctl_json(), "callsFrozen"));
	reply = ask("POST", "/api/v1/opensips/call/initiate", alice.secret, body("+15550100", "bob"));
	assert_string_not_equal(error_code(reply), "calls_frozen"); /* phones here still call each other */
	assert_int_equal(gateway_ctl(&nexusd, "calls thaw"), 0);
	reply = ask("POST", "/api/v1/opensips/call/initiate", alice.secret, body("+15550100", "+15550111"));
	assert_string_not_equal(error_code(reply), "calls_frozen");
	reply = ask("GET", "/api/v1/opensips/health", nexusd.admin_key, NULL);
	assert_false(json_true(reply->json, "callsFrozen"));
}

/* Change the store behind the gateway's back. */
static void sql(const char *text)
{
	char db[160];
	const char *const argv[] = { "sqlite3", db, ".timeout 5000", text, NULL };
	char *err = NULL;

	snprintf(db, sizeof(db), "%s/nexusvoip.db", nexusd.state);
	if (proc_run(argv, NULL, &err, 10000) != 0)
		fail_msg("sqlite3: %s", err ? err : "");
	free(err);
}

/* A telephone call of alice, an hour ago, that lasted so long. */
static void past_call(const char *id, const char *key_id, int minutes)
{
	char text[600];

	snprintf(text, sizeof(text),
		"INSERT INTO session (id, state, status, direction, carrier, from_number, to_number, user_id, key_id, started_at_ms, ringing_at_ms,"
		" answered_at_ms, ended_at_ms) SELECT '%s', 'ended', 'completed', 'outbound-api', 'sip', '+15550100', '+15550111', 'alice', '%s', t, t, t,"
		" t + %d FROM (SELECT (strftime('%%s', 'now') - 3600) * 1000 AS t)", id, key_id, minutes * 60000);
	sql(text);
}

static void calls_and_minutes_of_a_day_are_429_until_they_are_a_day_old(void **state)
{
	struct http_reply *reply;
	int64_t wait_s;

	(void)state;
	if (!proc_installed("sqlite3")) {
		print_message("SKIPPED: no sqlite3\n");
		skip();
	}
	past_call("s1", "key_other", 1);
	past_call("s2", alice.id, 1);
	reply = ask("POST", "/api/v1/opensips/call/initiate", alice.secret, body("+15550100", "+15550111"));
	assert_string_not_equal(error_code(reply), "call_cap");
	past_call("s3", "key_other", 1);
	reply = refuses("+15550100", "+15550111", 429, "call_cap", "this user has started 3 telephone calls within 24 hours");
	wait_s = strtoll(http_header(reply, "Retry-After"), NULL, 10);
	assert_in_range(wait_s, 22 * 3600, 23 * 3600 + 1);
	assert_int_equal(gateway_ctl(&nexusd, "call start --user alice --from +15550100 --to +15550111 --no-twilio"), 4);
	assert_non_null(strstr(gateway_ctl_err(), "limits.user_calls_per_day"));
	sql("DELETE FROM session WHERE id = 's3'");
	past_call("s4", alice.id, 4);
	sql("DELETE FROM session WHERE id = 's1'");
	refuses("+15550100", "+15550111", 429, "minute_cap", "this API key has used 5 telephone minutes within 24 hours, the most allowed is 5");
	sql("DELETE FROM session");
}

static void ctl_refuses(const char *from, const char *to, int rc, const char *code, const char *words)
{
	int got = gateway_ctl(&nexusd, "call start --user alice --from %s --to %s --no-twilio", from, to);

	if (got != rc || !strstr(gateway_ctl_err(), code) || !strstr(gateway_ctl_err(), words))
		fail_msg("%s to %s: %d %s instead of %d %s \"%s\"", from, to, got, gateway_ctl_err(), rc, code, words);
}

static void nexusctl_tells_each_refusal_in_the_same_words(void **state)
{
	(void)state;
	ctl_refuses("+15550100", "+34911234567", 4, "\"destination_not_allowed\"", "no prefix of calls.allow");
	ctl_refuses("+15550100", "+19005551234", 4, "\"destination_not_allowed\"", "premium");
	ctl_refuses("+15550100", "911", 4, "\"emergency_number\"", "telephone of your own");
	ctl_refuses("no@caller", "112", 4, "\"emergency_number\"", "telephone of your own"); /* before any other fault */
	ctl_refuses("+15550199", "+15550111", 4, "\"caller_id_not_allowed\"", "nexusctl callers add");
	assert_int_equal(gateway_ctl(&nexusd, "--set calls.strict_e164=true call start --user alice --from +15550100 --to +0987654321"), 2);
	assert_non_null(strstr(gateway_ctl_err(), "toNumber"));
	assert_int_equal(gateway_ctl(&nexusd, "calls freeze"), 0);
	ctl_refuses("+15550100", "+15550111", 5, "\"calls_frozen\"", "nexusctl calls thaw");
	assert_int_equal(gateway_ctl(&nexusd, "calls state"), 0);
	assert_true(json_true(gateway_ctl_json(), "frozen"));
	assert_int_equal(gateway_ctl(&nexusd, "calls thaw"), 0);
	assert_false(json_true(gateway_ctl_json(), "frozen"));
}

static void callers_are_added_listed_and_removed(void **state)
{
	(void)state;
	assert_int_equal(gateway_ctl(&nexusd, "callers add +15550177 --user alice"), 0);
	assert_int_equal(gateway_ctl(&nexusd, "callers list --user alice"), 0);
	assert_string_equal(json_text(gateway_ctl_json(), "0.number"), "+15550177");
	ask("POST", "/api/v1/opensips/call/initiate", alice.secret, body("+15550177", "+15550111"));
	assert_int_equal(gateway_ctl(&nexusd, "callers remove +15550177 --user alice"), 0);
	refuses("+15550177", "+15550111", 422, "caller_id_not_allowed", "+15550177");
	assert_int_equal(gateway_ctl(&nexusd, "callers remove +15550177 --user alice"), 3);
	assert_int_equal(gateway_ctl(&nexusd, "callers add 5550177 --user alice"), 2);
}

static int start(void **state)
{
	static const char *const settings[] = { "calls.allow=+1 !+1876", "calls.caller_ids=+15550100", "trunk.host=127.0.0.1", "trunk.port=9", "twilio.account_sid=AC1", "twilio.base_url=http://127.0.0.1:9",
		"limits.user_calls_per_day=3", "limits.key_minutes_per_day=5", "limits.requests_per_minute=100000", NULL };

	(void)state;
	if (nexusd_setup_with(settings) != 0)
		return -1;
	alice = make_key("alice", "[\"call\",\"sip\"]");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(destination_outside_the_list_is_422),
		cmocka_unit_test(calls_over_twilio_pass_the_same_rules),
		cmocka_unit_test(emergency_number_is_422_in_every_spelling),
		cmocka_unit_test(caller_id_of_another_is_422),
		cmocka_unit_test(calls_and_minutes_of_a_day_are_429_until_they_are_a_day_old),
		cmocka_unit_test(nexusctl_tells_each_refusal_in_the_same_words),
		cmocka_unit_test(callers_are_added_listed_and_removed),
		cmocka_unit_test(frozen_calls_are_503_with_a_time_to_come_back),
	};
	proc_guard(110);
	return cmocka_run_group_tests(tests, start, nexusd_teardown);
}
