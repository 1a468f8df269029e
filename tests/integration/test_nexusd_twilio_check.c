/* test_nexusd_twilio_check.c - `nexusctl twilio check` against an API that answers as told, and the gateway's own URL. */
#include <nexusvoip/nexusvoip.h>
#include <string.h>

#include "../unit/http/fake_http.h"
#include "nexusd.h"

#define TOKEN "token-5f1d-never-shown"
#define CALLS "{\"calls\":[]}"
#define ACTIVE "{\"status\":\"active\",\"type\":\"Full\"}"
#define NUMBERS "{\"incoming_phone_numbers\":[{\"phone_number\":\"+15550100\"}]}"
#define VERIFIED "{\"outgoing_caller_ids\":[{\"phone_number\":\"+15550101\"}]}"

static struct fake api;

/* An answer whose Date is off by so many seconds. */
static struct fake_step answer(int status, int off_seconds, const char *body)
{
	static char texts[16][1024];
	static size_t next;
	char *text = texts[next++ % 16], date[64];
	time_t at = time(NULL) + off_seconds;
	struct tm tm;

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &tm));
	snprintf(text, sizeof(texts[0]), "HTTP/1.1 %d Word\r\nDate: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
		date, strlen(body), body);
	return (struct fake_step){ .kind = FAKE_ANSWER, .text = text };
}

/* Run the check with this public URL ("": none) and more words in front. */
static int check(const char *public_url, const char *more)
{
	int rc = gateway_ctl(&nexusd, "--set twilio.account_sid=AC00000000000000000000000000000001 --set twilio.base_url=%s%s%s%s twilio check",
		api.url, *public_url ? " --set http.public_url=" : "", public_url, more);

	if (strstr(gateway_ctl_out(), TOKEN) || strstr(gateway_ctl_err(), TOKEN))
		fail_msg("the token is shown: %s%s", gateway_ctl_out(), gateway_ctl_err());
	return rc;
}

static void found(const char *name, const char *result, const char *words)
{
	struct json_object *list = gateway_ctl_json();

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		if (strcmp(json_text(item, "check"), name) != 0)
			continue;
		if (strcmp(json_text(item, "result"), result) != 0 || !strstr(json_text(item, "message"), words))
			fail_msg("%s is not \"%s\" with \"%s\"", json_object_to_json_string(item), result, words);
		return;
	}
	fail_msg("no check \"%s\" in %s", name, gateway_ctl_out());
}

static void all_is_well_when_all_is_well(void **state)
{
	const struct fake_step steps[] = { answer(200, 0, CALLS), answer(200, 0, ACTIVE), answer(200, 0, NUMBERS), answer(200, 0, VERIFIED) };

	(void)state;
	fake_open(&api, steps, 4);
	assert_int_equal(check(nexusd.url, " --set calls.caller_ids=+15550100,+15550101"), 0);
	found("credentials", "ok", "the account's token");
	found("account", "ok", "active");
	found("clock", "ok", "within 10 s");
	found("webhook_token", "ok", "callbacks");
	found("public_url", "ok", "leads to a gateway");
	found("caller_ids", "ok", "all 2");
	assert_int_equal(api.requests, 4);
	assert_memory_equal(api.seen[0], "GET /2010-04-01/Accounts/AC00000000000000000000000000000001/Calls.json?PageSize=1 ", 80);
	fake_close(&api);
}

static void sandbox_is_told_from_twilio(void **state)
{
	static const char calls[] = "HTTP/1.1 200 OK\r\nServer: nexus-sandbox\r\nContent-Length: 12\r\n\r\n" CALLS;
	const struct fake_step steps[] = { { .kind = FAKE_ANSWER, .text = calls }, answer(200, 0, ACTIVE) };

	(void)state;
	fake_open(&api, steps, 2);
	assert_int_equal(check(nexusd.url, " --set calls.caller_ids=+15550100,+15550101"), 0);
	found("credentials", "ok", "the account's token");
	found("sandbox", "warning", "not Twilio: no real call is placed");
	found("caller_ids", "skipped", "it takes any caller ID");
	assert_int_equal(api.requests, 2);
	fake_close(&api);
}

static void wrong_token_is_told_and_ends_what_needs_it(void **state)
{
	const struct fake_step steps[] = { answer(401, 0, "{\"code\":20003,\"message\":\"Authenticate\",\"status\":401}") };

	(void)state;
	fake_open(&api, steps, 1);
	assert_int_equal(check(nexusd.url, ""), 5);
	found("credentials", "failed", "check the account SID and its token");
	found("clock", "ok", "");
	found("public_url", "ok", "");
	found("webhook_token", "skipped", "cannot be told");
	assert_int_equal(api.requests, 1);
	fake_close(&api);
}

static void wrong_token_is_told_where_an_api_key_places_the_calls(void **state)
{
	const struct fake_step steps[] = { answer(200, 0, CALLS), answer(200, 0, ACTIVE), answer(200, 0, NUMBERS), answer(200, 0, VERIFIED),
		answer(401, 0, "{\"code\":20003,\"message\":\"Authenticate\",\"status\":401}") };
	const char *const more = " --set twilio.api_key_sid=SK1 --set calls.caller_ids=+15550100";

	(void)state;
	assert_int_equal(nxv_secret_set(nexusd.ctx, "twilio.api_key_secret", TOKEN "2", NULL), NXV_OK);
	fake_open(&api, steps, 5);
	assert_int_equal(check(nexusd.url, more), 1);
	found("credentials", "ok", "the API key");
	found("webhook_token", "failed", "taken for a forgery");
	assert_non_null(strstr(api.seen[0], "Basic U0sx")); /* SK1 */
	assert_non_null(strstr(api.seen[4], "Basic QUMw")); /* AC0 */
	fake_close(&api);
	assert_int_equal(nxv_secret_unset(nexusd.ctx, "twilio.api_key_secret", NULL), NXV_OK);
}

static void skewed_clock_is_told_in_seconds(void **state)
{
	const struct fake_step ahead[] = { answer(200, -3650, CALLS), answer(200, 0, ACTIVE) }, behind[] = { answer(200, 60, CALLS), answer(200, 0, ACTIVE) };

	(void)state;
	fake_open(&api, ahead, 2);
	assert_int_equal(check(nexusd.url, ""), 1);
	found("clock", "failed", " 36");
	found("clock", "failed", "s ahead of Twilio's");
	fake_close(&api);
	fake_open(&api, behind, 2);
	assert_int_equal(check(nexusd.url, ""), 1);
	found("clock", "failed", "s behind Twilio's");
	fake_close(&api);
}

static void account_that_is_suspended_or_on_trial_is_told(void **state)
{
	const struct fake_step suspended[] = { answer(200, 0, CALLS), answer(200, 0, "{\"status\":\"suspended\"}"), answer(404, 0, "{}") };
	const struct fake_step trial[] = { answer(200, 0, CALLS), answer(200, 0, "{\"status\":\"active\",\"type\":\"Trial\"}"), answer(404, 0, "{}") };

	(void)state;
	fake_open(&api, suspended, 3);
	assert_int_equal(check(nexusd.url, ""), 1);
	found("account", "failed", "the account is suspended");
	found("caller_ids", "skipped", "cannot be read");
	fake_close(&api);
	fake_open(&api, trial, 3);
	assert_int_equal(check(nexusd.url, ""), 0);
	found("account", "warning", "verified numbers only");
	fake_close(&api);
}

static void public_url_that_leads_elsewhere_nowhere_or_is_missing_is_told(void **state)
{
	const struct fake_step steps[] = { answer(200, 0, CALLS), answer(200, 0, ACTIVE), answer(200, 0, "{\"status\":\"live\"}") };
	char nowhere[64];

	(void)state;
	fake_open(&api, steps, 3);
	assert_int_equal(check(api.url, ""), 1);
	found("public_url", "failed", "is no gateway (HTTP 200)");
	fake_close(&api);
	snprintf(nowhere, sizeof(nowhere), "http://127.0.0.1:%u", proc_free_port(1));
	fake_open(&api, steps, 2);
	assert_int_equal(check(nowhere, ""), 5);
	found("public_url", "failed", "is nexusd running");
	fake_close(&api);
	fake_open(&api, steps, 2);
	assert_int_equal(check("", ""), 0);
	found("public_url", "warning", "calls are polled");
	fake_close(&api);
}

static void caller_id_that_is_not_the_accounts_is_named(void **state)
{
	const struct fake_step steps[] = { answer(200, 0, CALLS), answer(200, 0, ACTIVE), answer(200, 0, NUMBERS), answer(200, 0, VERIFIED) };

	(void)state;
	fake_open(&api, steps, 4);
	assert_int_equal(nxv_caller_add(nexusd.ctx, "alice", "+15550199", NULL), NXV_OK);
	assert_int_equal(check(nexusd.url, " --set calls.caller_ids=+15550100"), 1);
	found("caller_ids", "failed", "+15550199 is neither bought from nor verified");
	assert_int_equal(nxv_caller_remove(nexusd.ctx, "alice", "+15550199", NULL), NXV_OK);
	fake_close(&api);
}

static void silent_or_garbled_api_is_told(void **state)
{
	const struct fake_step html[] = { { .kind = FAKE_ANSWER, .text = "HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>" } };
	const struct fake_step gone[] = { { .kind = FAKE_RESET } };

	(void)state;
	fake_open(&api, html, 1);
	assert_int_equal(check(nexusd.url, ""), 5);
	found("credentials", "failed", "");
	fake_close(&api);
	fake_open(&api, gone, 1);
	assert_int_equal(check(nexusd.url, ""), 5);
	found("credentials", "failed", "");
	fake_close(&api);
}

static void without_account_or_token_it_says_how_to_set_them(void **state)
{
	const struct fake_step steps[] = { answer(200, 0, CALLS), answer(200, 0, "{}") };

	(void)state;
	assert_int_equal(gateway_ctl(&nexusd, "twilio check"), 5);
	assert_non_null(strstr(gateway_ctl_err(), "twilio.account_sid"));
	fake_open(&api, steps, 2);
	assert_int_equal(check(nexusd.url, " --set twilio.api_key_sid=SK1"), 1);
	found("credentials", "failed", "nexusctl secrets set twilio.api_key_secret");
	assert_int_equal(api.requests, 0);
	fake_close(&api);
}

static void nexusd_says_at_its_start_when_its_secrets_cannot_be_used(void **state)
{
	char *log;

	(void)state;
	assert_int_equal(nxv_secret_rotate(nexusd.ctx, "a passphrase that nexusd has not", NULL), NXV_OK);
	assert_int_equal(gateway_stop(&nexusd), 0);
	assert_true(gateway_run(&nexusd));
	log = proc_read_file(nexusd.nexusd_log);
	assert_non_null(log);
	assert_non_null(strstr(log, "stored secrets cannot be used: the secrets are sealed by a passphrase: give it by NEXUSVOIP_SECRETS_PASSPHRASE"));
	assert_null(strstr(log, "that nexusd has not"));
	free(log);
	assert_int_equal(nxv_secret_rotate(nexusd.ctx, NULL, NULL), NXV_OK);
	assert_int_equal(gateway_stop(&nexusd), 0);
	assert_true(gateway_run(&nexusd));
	log = proc_read_file(nexusd.nexusd_log);
	assert_null(strstr(log, "stored secrets"));
	assert_null(strstr(log, TOKEN));
	free(log);
}

static int start(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nexusd_setup(state) != 0)
		return -1;
	if (nxv_secret_set(nexusd.ctx, "twilio.auth_token", TOKEN, &err) != NXV_OK)
		fail_msg("%s", err.message);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well_when_all_is_well),
		cmocka_unit_test(sandbox_is_told_from_twilio),
		cmocka_unit_test(wrong_token_is_told_and_ends_what_needs_it),
		cmocka_unit_test(wrong_token_is_told_where_an_api_key_places_the_calls),
		cmocka_unit_test(skewed_clock_is_told_in_seconds),
		cmocka_unit_test(account_that_is_suspended_or_on_trial_is_told),
		cmocka_unit_test(public_url_that_leads_elsewhere_nowhere_or_is_missing_is_told),
		cmocka_unit_test(caller_id_that_is_not_the_accounts_is_named),
		cmocka_unit_test(silent_or_garbled_api_is_told),
		cmocka_unit_test(nexusd_says_at_its_start_when_its_secrets_cannot_be_used),
		cmocka_unit_test(without_account_or_token_it_says_how_to_set_them),
	};
	proc_guard(110);
	return cmocka_run_group_tests(tests, start, nexusd_teardown);
}
