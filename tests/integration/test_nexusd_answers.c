/* test_nexusd_answers.c - the shapes, codes and headers of answers, without a SIP server. */
#include "nexusd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BODY                                                                                                       \
	"{\"userId\":\"user_123\",\"name\":\"Production VoIP Key\",\"permissions\":[\"call\",\"sip\",\"recording\"]}"
#define CALL_BODY "{\"fromNumber\":\"+1234567890\",\"toNumber\":\"+0987654321\",\"useTwilio\":true}"

static void assert_envelope(const struct http_reply *reply, int status, const char *code)
{
	if (reply->status != status || strcmp(error_code(reply), code) != 0)
		fail_msg("%d %s expected, got %d %s", status, code, reply->status, reply->body);
	assert_false(json_true(reply->json, "success"));
	assert_string_not_equal(json_text(reply->json, "error.message"), "");
	assert_string_equal(json_text(reply->json, "requestId"), http_header(reply, "X-Request-Id"));
	assert_string_equal(http_header(reply, "Content-Type"), "application/json");
}

static void generate_answers_in_the_guides_shape(void **state)
{
	struct http_reply *reply = ask("POST", "/api/v1/keys/voip/generate", nexusd.admin_key, KEY_BODY);

	(void)state;
	assert_int_equal(reply->status, 201);
	assert_true(json_true(reply->json, "success"));
	assert_int_equal(strncmp(json_text(reply->json, "key.id"), "key_", 4), 0);
	assert_int_equal(strncmp(json_text(reply->json, "key.key"), "sk_voip_", 8), 0);
	assert_string_equal(json_text(reply->json, "key.service"), "voip");
	assert_string_equal(json_text(reply->json, "key.userId"), "user_123");
	assert_true(json_true(reply->json, "key.metadata.opensips_enabled"));
	assert_true(json_true(reply->json, "key.metadata.twilio_integration"));
	assert_int_equal(json_object_array_length(json_at(reply->json, "key.metadata.permissions")), 3);
	assert_string_equal(http_header(reply, "Cache-Control"), "no-store");
}

static void lists_never_show_a_secret(void **state)
{
	struct http_reply *reply = ask("GET", "/api/v1/keys?userId=user_123", nexusd.admin_key, NULL);

	(void)state;
	assert_int_equal(reply->status, 200);
	assert_non_null(json_at(reply->json, "keys.0.prefix"));
	assert_null(json_at(reply->json, "keys.0.key"));
}

static void lists_page_by_cursor_and_link(void **state)
{
	struct http_reply *reply;
	char first[64], path[300];

	(void)state;
	make_key("pager", "[\"call\"]");
	make_key("pager", "[\"call\"]");
	reply = ask("GET", "/api/v1/keys?userId=pager&limit=1", nexusd.admin_key, NULL);
	assert_int_equal(json_object_array_length(json_at(reply->json, "keys")), 1);
	snprintf(first, sizeof(first), "%s", json_text(reply->json, "keys.0.id"));
	assert_int_equal(sscanf(http_header(reply, "Link"), "<%255[^>]>; rel=\"next\"", path), 1);
	reply = ask("GET", path, nexusd.admin_key, NULL);
	assert_int_equal(reply->status, 200);
	assert_string_not_equal(json_text(reply->json, "keys.0.id"), first);
	assert_null(json_at(reply->json, "nextCursor"));
	assert_string_equal(http_header(reply, "Link"), "");
}

static void keys_that_are_no_keys_are_answered_alike(void **state)
{
	struct made_key off = make_key("off", "[\"call\"]"), gone = make_key("gone", "[\"call\"]");
	char path[128], first[1024] = "";
	char unknown[160];
	const char *bad[6];

	(void)state;
	snprintf(path, sizeof(path), "/api/v1/keys/%s/toggle", off.id);
	assert_int_equal(ask("POST", path, nexusd.admin_key, NULL)->status, 200);
	snprintf(path, sizeof(path), "/api/v1/keys/%s", gone.id);
	assert_int_equal(ask("DELETE", path, nexusd.admin_key, NULL)->status, 200);
	snprintf(unknown, sizeof(unknown), "%s", nexusd.admin_key);
	unknown[12] = unknown[12] == 'x' ? 'y' : 'x';
	bad[0] = NULL, bad[1] = "nonsense", bad[2] = unknown, bad[3] = off.secret, bad[4] = gone.secret,
	bad[5] = "sk_voip_";
	for (size_t i = 0; i < 6; i++) {
		struct http_reply *reply =
			ask_with("GET", "/api/v1/opensips/health", bad[i], NULL, "X-Request-Id: same");

		assert_envelope(reply, 401, "unauthenticated");
		assert_string_equal(http_header(reply, "WWW-Authenticate"), "Bearer");
		if (i == 0)
			snprintf(first, sizeof(first), "%s", reply->body);
		assert_string_equal(reply->body, first);
	}
	assert_int_equal(
		ask_with("GET", "/api/v1/opensips/health", NULL, NULL, "Authorization: Basic YTpi")->status, 401);
}

static void unknown_keys_are_counted_but_not_logged(void **state)
{
	char *log;

	(void)state;
	assert_int_equal(
		ask_with("GET", "/api/v1/keys", "sk_voip_stranger", NULL, "X-Request-Id: from-a-stranger")->status,
		401);
	assert_null(strstr(ask("GET", "/metrics", NULL, NULL)->body, "nexusd_unknown_keys_total 0\n"));
	log = proc_output(nexusd.nexusd);
	assert_null(strstr(log, "stranger"));
	assert_null(strstr(log, nexusd.admin_key));
	assert_non_null(strstr(log, "module=access"));
	free(log);
}

static void wrong_paths_and_methods_say_what_is_right(void **state)
{
	struct http_reply *reply;

	(void)state;
	assert_envelope(ask("GET", "/api/v1/nothing", nexusd.admin_key, NULL), 404, "not_found");
	assert_envelope(ask("GET", "/api/v1/keys/", nexusd.admin_key, NULL), 404, "not_found");
	assert_envelope(ask("GET", "/api/v1/opensips/call/session_1_x", nexusd.admin_key, NULL), 404, "not_found");
	reply = ask("DELETE", "/api/v1/keys", nexusd.admin_key, NULL);
	assert_envelope(reply, 405, "method_not_allowed");
	assert_string_equal(http_header(reply, "Allow"), "GET, HEAD, OPTIONS");
	reply = ask("GET", "/api/v1/opensips/call/initiate", nexusd.admin_key, NULL); /* no session of that name */
	assert_envelope(reply, 405, "method_not_allowed");
	assert_string_equal(http_header(reply, "Allow"), "POST, OPTIONS");
	reply = ask("OPTIONS", "/api/v1/keys/x", NULL, NULL);
	assert_int_equal(reply->status, 204);
	assert_string_equal(http_header(reply, "Allow"), "PATCH, DELETE, OPTIONS");
	reply = ask("HEAD", "/api/v1/keys", nexusd.admin_key, NULL);
	assert_int_equal(reply->status, 200);
	assert_string_equal(reply->body, "");
}

static void bodies_are_checked_member_by_member(void **state)
{
	const char *path = "/api/v1/keys/voip/generate";
	struct http_reply *reply;

	(void)state;
	reply = ask("POST", path, nexusd.admin_key, "{\"userId\":\"a b\",\"permissions\":[\"fly\"],\"nmae\":1}");
	assert_envelope(reply, 400, "bad_request");
	assert_int_equal(json_object_array_length(json_at(reply->json, "error.details")), 4);
	assert_string_equal(json_text(reply->json, "error.details.0.field"), "userId");
	assert_envelope(ask("POST", path, nexusd.admin_key,
				"{\"userId\":\"a\",\"userId\":\"b\",\"name\":\"n\",\"permissions\":[\"call\"]}"),
		400, "bad_json");
	assert_envelope(ask("POST", path, nexusd.admin_key, "{\"userId\":"), 400, "bad_json");
	assert_envelope(
		ask("POST", path, nexusd.admin_key, "[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]"), 400, "bad_json");
	assert_envelope(ask("POST", path, nexusd.admin_key, NULL), 400, "bad_json");
	assert_envelope(ask("POST", path, nexusd.admin_key,
				"{\"userId\\u0000x\":\"a\",\"name\":\"n\",\"permissions\":[\"call\"]}"),
		400, "bad_json");
}

static void assert_fault(const struct http_reply *reply, const char *field)
{
	assert_envelope(reply, 400, "bad_request");
	assert_string_equal(json_text(reply->json, "error.details.0.field"), field);
	assert_memory_equal(json_text(reply->json, "error.message"), field, strlen(field));
}

static void faults_found_late_read_like_those_found_in_the_body(void **state)
{
	struct made_key key = make_key("late", "[\"call\"]");

	(void)state;
	assert_fault(ask("POST", "/api/v1/keys/voip/generate", nexusd.admin_key,
			     "{\"userId\":\"a\",\"name\":\"n\",\"permissions\":[\"call\"],\"expiresAt\":\"2020-01-01T00:00:00Z\"}"),
		"expiresAt");
	assert_fault(ask("GET", "/api/v1/keys?cursor=nonsense", nexusd.admin_key, NULL), "cursor");
	assert_fault(ask("GET", "/api/v1/opensips/calls?status=loud", key.secret, NULL), "status");
	assert_fault(ask("POST", "/api/v1/opensips/call/initiate", key.secret,
			     "{\"fromNumber\":\"anna@home\",\"toNumber\":\"bob\"}"),
		"fromNumber");
}

static void bodies_need_a_content_type_and_empty_ones_do_not(void **state)
{
	static const char form[] = "POST /api/v1/keys/voip/generate HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
				   "Content-Type: %s\r\nContent-Length: 2\r\n\r\n{}";
	static const struct {
		const char *type;
		int status;
	} cases[] = {
		{ "text/plain", 415 },
		{ "application/jsonp", 415 },
		{ "application/json", 400 },
		{ "Application/JSON; charset=utf-8", 400 },
	};
	struct made_key key = make_key("typed", "[\"call\"]");
	struct raw_reply raw;
	char text[512], path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), form, nexusd.admin_key, cases[i].type);
		raw_ask_text(text, &raw);
		assert_int_equal(raw.status, cases[i].status);
	}
	snprintf(path, sizeof(path), "/api/v1/keys/%s/toggle", key.id);
	assert_int_equal(ask("POST", path, nexusd.admin_key, NULL)->status, 200);
	assert_int_equal(ask_with("POST", path, nexusd.admin_key, NULL, "Content-Type: application/json")->status,
		200); /* as in the guide */
	assert_int_equal(ask("POST", path, nexusd.admin_key, "{}")->status, 200);
	assert_envelope(ask("POST", path, nexusd.admin_key, "{\"active\":true}"), 400, "bad_request");
}

static void parameters_are_checked(void **state)
{
	static const char *const bad[] = {
		"/api/v1/keys?userid=x",
		"/api/v1/keys?limit=0",
		"/api/v1/keys?limit=1001",
		"/api/v1/keys?limit=ten",
		"/api/v1/keys?limit=1&limit=2",
		"/api/v1/keys?userId=",
		"/api/v1/keys?userId=%zz",
		"/api/v1/keys?cursor=none-of-ours",
		"/api/v1/usage?since=yesterday",
		"/api/v1/opensips/calls?status=sleeping",
		"/api/v1/opensips/calls?format=xml",
		"/api/v1/opensips/health?x=1",
	};
	struct http_reply *reply;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		reply = ask("GET", bad[i], nexusd.admin_key, NULL);
		if (reply->status != 400 || json_object_array_length(json_at(reply->json, "error.details")) == 0)
			fail_msg("%s: %d %s", bad[i], reply->status, reply->body);
	}
	assert_int_equal(
		ask("GET", "/api/v1/usage?since=2026-01-31T12:00:00%2B02:00", nexusd.admin_key, NULL)->status, 200);
	assert_int_equal(ask("GET", "/livez?x=1", NULL, NULL)->status, 200);
}

static void request_ids_are_echoed_or_made(void **state)
{
	struct http_reply *reply = ask_with("GET", "/livez", NULL, NULL, "X-Request-Id: mine-1/\"2\"");
	char made[160];

	(void)state;
	assert_string_equal(http_header(reply, "X-Request-Id"), "mine-1/\"2\"");
	reply = ask_with("GET", "/livez", NULL, NULL, "X-Request-Id: has a blank");
	snprintf(made, sizeof(made), "%s", http_header(reply, "X-Request-Id"));
	assert_int_equal(strncmp(made, "req_", 4), 0);
	assert_string_not_equal(http_header(ask("GET", "/livez", NULL, NULL), "X-Request-Id"), made);
	ask_with("GET", "/api/v1/keys", nexusd.admin_key, NULL, "X-Request-Id: look-for-me");
	reply = ask("GET", "/api/v1/usage?limit=1", nexusd.admin_key, NULL);
	assert_string_equal(json_text(reply->json, "usage.0.requestId"), "look-for-me");
}

static void idempotent_generate_replays_the_same_key(void **state)
{
	const char *path = "/api/v1/keys/voip/generate", *header = "Idempotency-Key: once-1";
	struct http_reply *reply = ask_with("POST", path, nexusd.admin_key, KEY_BODY, header);
	char body[1024];

	(void)state;
	assert_int_equal(reply->status, 201);
	assert_string_equal(http_header(reply, "Idempotent-Replayed"), "");
	snprintf(body, sizeof(body), "%s", reply->body);
	reply = ask_with("POST", path, nexusd.admin_key, KEY_BODY, header);
	assert_int_equal(reply->status, 201);
	assert_string_equal(http_header(reply, "Idempotent-Replayed"), "true");
	assert_string_equal(reply->body, body);
	reply = ask_with("POST", path, nexusd.admin_key,
		"{\"userId\":\"other\",\"name\":\"n\",\"permissions\":[\"call\"]}", header);
	assert_envelope(reply, 422, "idempotency_mismatch");
	reply = ask_with(
		"POST", "/api/v1/opensips/generate-credentials", nexusd.admin_key, "{\"userId\":\"a\"}", header);
	assert_envelope(reply, 422, "idempotency_mismatch");
	assert_int_equal(ask_with("POST", path, nexusd.admin_key, "{}", "Idempotency-Key: once-2")->status, 400);
	assert_int_equal(ask_with("POST", path, nexusd.admin_key, KEY_BODY, "Idempotency-Key: once-2")->status,
		201); /* failures are forgotten */
}

static void credentials_come_once_and_can_be_revoked(void **state)
{
	struct http_reply *reply =
		ask("POST", "/api/v1/opensips/generate-credentials", nexusd.admin_key, "{\"userId\":\"user_9\"}");
	char path[200], uri[200];

	(void)state;
	assert_int_equal(reply->status, 201);
	assert_int_equal(strncmp(json_text(reply->json, "credentials.username"), "user_", 5), 0);
	assert_true(strlen(json_text(reply->json, "credentials.password")) >= 16);
	snprintf(uri, sizeof(uri), "sip:%s@%s", json_text(reply->json, "credentials.username"),
		json_text(reply->json, "credentials.domain"));
	assert_string_equal(json_text(reply->json, "credentials.sipUri"), uri);
	assert_string_equal(json_text(reply->json, "credentials.proxyServer"), nexusd.sip);
	snprintf(path, sizeof(path), "/api/v1/opensips/credentials/%s", json_text(reply->json, "credentials.id"));
	reply = ask("GET", "/api/v1/opensips/credentials?userId=user_9", nexusd.admin_key, NULL);
	assert_null(json_at(reply->json, "credentials.0.password"));
	assert_int_equal(ask("DELETE", path, nexusd.admin_key, NULL)->status, 200);
	assert_int_equal(ask("DELETE", path, nexusd.admin_key, NULL)->status, 404);
}

static void calls_that_cannot_be_placed_say_why(void **state)
{
	struct made_key key = make_key("caller", "[\"call\"]");
	struct http_reply *reply = ask("POST", "/api/v1/opensips/call/initiate", key.secret, CALL_BODY);

	(void)state;
	assert_envelope(reply, 503, "twilio_not_configured");
	assert_string_not_equal(http_header(reply, "Retry-After"), "");
	reply = ask("POST", "/api/v1/opensips/call/initiate", key.secret,
		"{\"fromNumber\":\"+1234567890\",\"toNumber\":\"bob\",\"useTwilio\":false}");
	assert_envelope(reply, 409, "no_sip_credentials");
	reply = ask("POST", "/api/v1/opensips/call/initiate", key.secret,
		"{\"fromNumber\":\"12 34\",\"toNumber\":\"+0987654321\"}");
	assert_envelope(reply, 400, "bad_request");
	assert_envelope(ask("POST", "/api/v1/opensips/call/session_1_none/end", key.secret, NULL), 404, "not_found");
}

static void health_has_no_envelope(void **state)
{
	struct http_reply *reply = ask("GET", "/api/v1/opensips/health", nexusd.admin_key, NULL);

	(void)state;
	assert_int_equal(reply->status, 200);
	assert_string_equal(json_text(reply->json, "opensipsStatus"), "stopped");
	assert_int_equal(json_number(reply->json, "activeCalls"), 0);
	assert_non_null(json_at(reply->json, "serverUptime"));
	assert_null(json_at(reply->json, "success"));
}

static void meta_routes_need_no_key(void **state)
{
	struct http_reply *reply = ask("GET", "/metrics", NULL, NULL);

	(void)state;
	assert_int_equal(reply->status, 200);
	assert_non_null(strstr(reply->body,
		"nexusd_requests_total{method=\"POST\",route=\"/api/v1/keys/voip/generate\",status=\"201\"}"));
	assert_non_null(strstr(reply->body, "nexusvoip_live_calls 0"));
	assert_int_equal(ask("GET", "/livez", NULL, NULL)->status, 200);
	assert_int_equal(ask("GET", "/readyz", NULL, NULL)->status, 200);
	assert_int_equal(ask("GET", "/openapi.json", NULL, NULL)->status, 200);
}

static void only_listed_origins_are_let_in(void **state)
{
	struct http_reply *reply;

	(void)state;
	reply = ask_with("GET", "/api/v1/keys", nexusd.admin_key, NULL, "Origin: https://app.example");
	assert_string_equal(http_header(reply, "Access-Control-Allow-Origin"), "https://app.example");
	assert_string_equal(http_header(reply, "Vary"), "Origin");
	reply = ask_with("GET", "/api/v1/keys", nexusd.admin_key, NULL, "Origin: https://evil.example");
	assert_string_equal(http_header(reply, "Access-Control-Allow-Origin"), "");
	reply = ask_with("GET", "/api/v1/keys", nexusd.admin_key, NULL, "Origin: https://app.example.evil");
	assert_string_equal(http_header(reply, "Access-Control-Allow-Origin"), "");
	reply = ask_with("OPTIONS", "/api/v1/opensips/call/initiate", NULL, NULL,
		"Origin: https://app.example\r\nAccess-Control-Request-Method: POST");
	assert_int_equal(reply->status, 204);
	assert_non_null(strstr(http_header(reply, "Access-Control-Allow-Headers"), "Authorization"));
	assert_string_equal(http_header(reply, "Access-Control-Allow-Origin"), "https://app.example");
}

static int setup(void **state)
{
	static const char *const settings[] = { "http.cors_origins=https://one.example, https://app.example", NULL };

	(void)state;
	return nexusd_setup_with(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generate_answers_in_the_guides_shape),
		cmocka_unit_test(lists_never_show_a_secret),
		cmocka_unit_test(lists_page_by_cursor_and_link),
		cmocka_unit_test(keys_that_are_no_keys_are_answered_alike),
		cmocka_unit_test(unknown_keys_are_counted_but_not_logged),
		cmocka_unit_test(wrong_paths_and_methods_say_what_is_right),
		cmocka_unit_test(bodies_are_checked_member_by_member),
		cmocka_unit_test(faults_found_late_read_like_those_found_in_the_body),
		cmocka_unit_test(bodies_need_a_content_type_and_empty_ones_do_not),
		cmocka_unit_test(parameters_are_checked),
		cmocka_unit_test(request_ids_are_echoed_or_made),
		cmocka_unit_test(idempotent_generate_replays_the_same_key),
		cmocka_unit_test(credentials_come_once_and_can_be_revoked),
		cmocka_unit_test(calls_that_cannot_be_placed_say_why),
		cmocka_unit_test(health_has_no_envelope),
		cmocka_unit_test(meta_routes_need_no_key),
		cmocka_unit_test(only_listed_origins_are_let_in),
	};

	proc_guard(110);
	return cmocka_run_group_tests(tests, setup, nexusd_teardown);
}
