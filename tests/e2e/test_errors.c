/* test_errors.c - every error that the API can answer, provoked; and safe retries. */
#include "pair.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>

static struct user nobody; /* has a key, but no credential */

static bool setup(void)
{
	struct nxv_key_opts opts = NXV_KEY_OPTS_INIT;
	struct nxv_key *key = NULL;
	opts.user_id = "nobody";
	opts.name = "no phone";
	opts.permissions = NXV_PERM_CALL | NXV_PERM_SIP;
	if (!pair_setup() || nxv_key_create(gw.ctx, &opts, &key, NULL) != NXV_OK) {
		return false;
	}
	snprintf(nobody.key, sizeof(nobody.key), "%s", key->secret);
	nxv_key_free(key);
	return true;
}

#define CALL "/api/v1/opensips/call/initiate"
#define TO(who) "{\"fromNumber\":\"+15550001111\",\"toNumber\":\"" who "\",\"useTwilio\":false}"

/* The answer is this error, in the envelope. */
static void expect(struct http_reply *reply, int status, const char *code)
{
	if (reply->status != status || strcmp(json_text(reply->json, "error.code"), code) != 0) {
		fail_msg("wanted %d %s, got %d %s", status, code, reply->status, reply->body);
	}
	assert_non_null(json_at(reply->json, "success"));
	assert_false(json_true(reply->json, "success"));
	assert_true(strlen(json_text(reply->json, "error.message")) > 10);
	assert_string_equal(json_text(reply->json, "requestId"), http_header(reply, "X-Request-Id"));
	assert_string_not_equal(json_text(reply->json, "requestId"), "");
}

static void expect_400(const char *path, const char *body, const char *field)
{
	struct http_reply *reply = gateway_http(&gw, "POST", path, gw.admin_key, body);
	if (reply->status != 400) {
		fail_msg("%s %s: %d %s", path, body, reply->status, reply->body);
	}
	const char *problem = json_text(reply->json, "error.details.0.problem");
	if (field && (strcmp(json_text(reply->json, "error.details.0.field"), field) != 0 || !problem[0])) {
		fail_msg("%s should name %s: %s", body, field, reply->body);
	}
}

static void bad_input_is_400_and_names_the_field(void)
{
	static const char generate[] = "/api/v1/keys/voip/generate";
	expect_400(CALL, "{", NULL);
	expect_400(CALL, "[]", NULL);
	expect_400(CALL, "{\"fromNumber\":\"+15550001111\"}", "toNumber");
	expect_400(CALL, "{\"fromNumber\":\"abc def\",\"toNumber\":\"bob\",\"useTwilio\":false}", "fromNumber");
	expect_400(CALL, "{\"fromNumber\":\"+1555\",\"toNumber\":\"bob\",\"useTwilio\":\"no\"}", "useTwilio");
	expect_400(CALL, "{\"fromNumber\":\"+1555\",\"toNumber\":\"bob\",\"colour\":1}", "colour");
	expect_400(CALL, "{\"fromNumber\":\"+1555\",\"toNumber\":\"bob\",\"toNumber\":\"bob\"}", NULL);
	expect_400(generate, "{\"userId\":\"x\",\"name\":\"n\",\"permissions\":[\"fly\"]}", "permissions.0");
	expect_400(generate, "{\"userId\":\"\",\"name\":\"n\",\"permissions\":[\"call\"]}", "userId");
	expect_400("/api/v1/opensips/generate-credentials", "{}", "userId");
}

static void unknown_keys_are_401_alike(void)
{
	static const char *const keys[] = { NULL, "", "x", "sk_voip_abc123...", "sk_voip_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	char first[512] = "";
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct http_reply *reply = gateway_http(&gw, "GET", "/api/v1/opensips/health", keys[i], NULL);
		assert_int_equal(reply->status, 401);
		assert_true(strncmp(http_header(reply, "WWW-Authenticate"), "Bearer", 6) == 0);
		if (i > 0) {
			assert_string_equal(json_text(reply->json, "error.code"), first);
		}
		snprintf(first, sizeof(first), "%s", json_text(reply->json, "error.code"));
	}
}

static void forbidden_is_403(void)
{
	expect(gateway_http(&gw, "POST", "/api/v1/keys/voip/generate", alice.key, "{\"userId\":\"alice\",\"name\":\"n\",\"permissions\":[\"call\"]}"), 403, "forbidden");
	expect(gateway_http(&gw, "POST", "/api/v1/opensips/generate-credentials", alice.key, "{\"userId\":\"bob\"}"), 403, "forbidden");
}

static void unknown_things_are_404(void)
{
	expect(gateway_http(&gw, "GET", "/api/v1/opensips/call/session_1_x", alice.key, NULL), 404, "not_found");
	expect(gateway_http(&gw, "POST", "/api/v1/opensips/call/session_1_x/end", alice.key, NULL), 404, "not_found");
	expect(gateway_http(&gw, "DELETE", "/api/v1/keys/key_x", gw.admin_key, NULL), 404, "not_found");
	expect(gateway_http(&gw, "GET", "/api/v1/nothing", alice.key, NULL), 404, "not_found");
}

static void wrong_methods_types_and_sizes(void)
{
	struct http_reply *reply = gateway_http(&gw, "PUT", CALL, alice.key, "{}");
	expect(reply, 405, "method_not_allowed");
	assert_non_null(strstr(http_header(reply, "Allow"), "POST"));
	char url[160];
	snprintf(url, sizeof(url), "%s" CALL, gw.url);
	struct http_request request = { .method = "POST", .url = url, .key = alice.key, .body = "a=1",
		.headers = { "Content-Type: application/x-www-form-urlencoded" } };
	struct http_reply form;
	http_send(&request, &form);
	int status = form.status;
	http_free(&form);
	assert_int_equal(status, 415);
	size_t size = 70000;
	char *big = malloc(size + 1);
	memset(big, ' ', size);
	big[size] = '\0';
	memcpy(big, "{", 1);
	expect(gateway_http(&gw, "POST", CALL, alice.key, big), 413, "body_too_large");
	free(big);
}

static void conflicts_are_409(void)
{
	struct phone *phone = alice.phone;
	expect(gateway_http(&gw, "POST", CALL, nobody.key, TO("bob")), 409, "no_sip_credentials");
	assert_int_equal(phone_register(phone, 0), 200);
	expect(gateway_http(&gw, "POST", CALL, alice.key, TO("bob")), 409, "phone_not_registered");
	assert_int_equal(phone_register(phone, 600), 200);
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
}

static void what_cannot_be_called_is_422(void)
{
	expect(gateway_http(&gw, "POST", CALL, alice.key, TO("+15557654321")), 422, "no_trunk");
	expect(gateway_http(&gw, "POST", CALL, alice.key, TO("user_999")), 422, "unknown_destination");
	expect(gateway_http(&gw, "POST", CALL, alice.key, TO("sip:bob@elsewhere.example")), 422, "destination_not_allowed");
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
}

static void twilio_is_503_until_configured(void)
{
	struct http_reply *reply = gateway_http(&gw, "POST", CALL, alice.key, "{\"fromNumber\":\"+1234567890\",\"toNumber\":\"+0987654321\",\"useTwilio\":true}");
	expect(reply, 503, "twilio_not_configured");
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
}

static void a_retried_initiate_places_one_call(void)
{
	static const char header[] = "Idempotency-Key: 4f6c2d3e-first";
	struct told first, again;
	pair_reset();
	phone_script(alice.phone, (struct phone_script){ .manner = PHONE_RINGS });
	struct http_reply *reply = gateway_http_with(&gw, "POST", CALL, alice.key, TO("bob"), header);
	assert_int_equal(reply->status, 201);
	api_read(json_at(reply->json, "session"), &first);
	assert_string_equal(http_header(reply, "Idempotent-Replayed"), "");
	reply = gateway_http_with(&gw, "POST", CALL, alice.key, TO("bob"), header);
	assert_int_equal(reply->status, 201);
	api_read(json_at(reply->json, "session"), &again);
	assert_string_equal(http_header(reply, "Idempotent-Replayed"), "true");
	assert_string_equal(again.id, first.id);
	expect(gateway_http_with(&gw, "POST", CALL, alice.key, TO("alice"), header), 422, "idempotency_mismatch");
	assert_int_equal(phone_calls(alice.phone), 1);
	assert_int_equal(api_end(&gw, &alice, first.id), 200);
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
}

static void a_retried_generate_gives_the_same_key(void)
{
	static const char header[] = "Idempotency-Key: generate-1", path[] = "/api/v1/keys/voip/generate";
	static const char body[] = "{\"userId\":\"alice\",\"name\":\"once\",\"permissions\":[\"call\"]}";
	char key[160];
	struct http_reply *reply = gateway_http_with(&gw, "POST", path, gw.admin_key, body, header);
	assert_int_equal(reply->status, 201);
	snprintf(key, sizeof(key), "%s", json_text(reply->json, "key.key"));
	reply = gateway_http_with(&gw, "POST", path, gw.admin_key, body, header);
	assert_int_equal(reply->status, 201);
	assert_string_equal(json_text(reply->json, "key.key"), key);
	assert_string_equal(http_header(reply, "Idempotent-Replayed"), "true");
}

static void request_ids_are_kept_and_recorded(void)
{
	static const char header[] = "X-Request-Id: my-own-request-1";
	struct http_reply *reply = gateway_http_with(&gw, "GET", "/api/v1/opensips/health", alice.key, NULL, header);
	assert_string_equal(http_header(reply, "X-Request-Id"), "my-own-request-1");
	assert_int_equal(gateway_ctl(&gw, "usage list --user alice --limit 5"), 0);
	assert_non_null(strstr(gateway_ctl_out(), "my-own-request-1"));
	assert_int_equal(gateway_ctl(&gw, "usage export --user alice"), 0);
	assert_non_null(strstr(gateway_ctl_out(), "my-own-request-1"));
	reply = gateway_http_with(&gw, "POST", "/api/v1/keys/voip/generate", alice.key, "{}", "X-Request-Id: refused-1");
	assert_int_equal(reply->status, 403);
	assert_int_equal(gateway_ctl(&gw, "usage list --user alice --limit 1"), 0);
	assert_non_null(strstr(gateway_ctl_out(), "refused-1")); /* refused uses are on record too */
}

static void secrets_are_in_no_file(void)
{
	const char *const secrets[] = { alice.key, alice.password, gw.admin_key };
	for (size_t i = 0; i < 3; i++) {
		const char *const argv[] = { "grep", "-rlaF", "--exclude=.curlrc", "-e", secrets[i], gw.state, NULL };
		char *out = NULL;
		int status = proc_run(argv, &out, NULL, 10000);
		print_message("%s", out);
		free(out);
		assert_int_equal(status, 1); /* found nowhere */
	}
}

/* Last: takes a table away, so that the store fails. */
static void a_broken_store_is_500_and_tells_nothing(void)
{
	char path[128];
	sqlite3 *db = NULL;
	snprintf(path, sizeof(path), "%s/nexusvoip.db", gw.state);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 2000);
	assert_int_equal(sqlite3_exec(db, "ALTER TABLE session RENAME TO away", NULL, NULL, NULL), SQLITE_OK);
	struct http_reply *reply = gateway_http(&gw, "GET", "/api/v1/opensips/call/session_1_x", alice.key, NULL);
	int status = reply->status;
	bool tells = strstr(reply->body, "SELECT") || strstr(reply->body, "table") || strstr(reply->body, gw.state);
	int restored = sqlite3_exec(db, "ALTER TABLE away RENAME TO session", NULL, NULL, NULL);
	sqlite3_close(db);
	assert_int_equal(status, 500);
	assert_false(tells);
	assert_int_equal(restored, SQLITE_OK);
	assert_int_equal(gateway_http(&gw, "GET", "/api/v1/opensips/call/session_1_x", alice.key, NULL)->status, 404);
}

static void a_hung_sip_server_makes_initiate_a_502(void)
{
	pair_reset();
	assert_int_equal(gateway_ctl(&gw, "sip status"), 0);
	pid_t server = (pid_t)json_number(gateway_ctl_json(), "pid");
	assert_true(server > 1);
	assert_int_equal(kill(-server, SIGSTOP), 0);
	struct http_reply *reply = gateway_http(&gw, "POST", CALL, alice.key, TO("bob"));
	assert_int_equal(kill(-server, SIGCONT), 0);
	expect(reply, 502, "sip_server_lost");
	assert_non_null(strstr(json_text(reply->json, "error.details.0.problem"), "server_lost"));
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
}

static void without_a_sip_server_initiate_is_503(void)
{
	assert_int_equal(gateway_ctl(&gw, "sip stop"), 0);
	expect(gateway_http(&gw, "POST", CALL, alice.key, TO("bob")), 503, "sip_server_not_running");
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
	struct http_reply *reply = gateway_http(&gw, "GET", "/api/v1/opensips/health", alice.key, NULL);
	assert_int_equal(reply->status, 200);
	assert_string_equal(json_text(reply->json, "opensipsStatus"), "stopped");
	assert_false(json_true(reply->json, "serverUptime"));
}

static const struct CMUnitTest tests[] = {
	E2E(bad_input_is_400_and_names_the_field), E2E(unknown_keys_are_401_alike), E2E(forbidden_is_403), E2E(unknown_things_are_404),
	E2E(wrong_methods_types_and_sizes), E2E(conflicts_are_409), E2E(what_cannot_be_called_is_422),
	E2E(twilio_is_503_until_configured), E2E(a_retried_initiate_places_one_call), E2E(a_retried_generate_gives_the_same_key),
	E2E(request_ids_are_kept_and_recorded), E2E(secrets_are_in_no_file), E2E(a_broken_store_is_500_and_tells_nothing),
	E2E(a_hung_sip_server_makes_initiate_a_502), E2E(without_a_sip_server_initiate_is_503),
};

int main(int argc, char **argv)
{
	static const char *const settings[] = { "http.initiate_wait_ms=8000", NULL }; /* longer than a hung server is waited for */
	const struct e2e_suite suite = { "errors", tests, sizeof(tests) / sizeof(tests[0]), settings, 60, setup, false };
	return e2e_main(argc, argv, &suite);
}
