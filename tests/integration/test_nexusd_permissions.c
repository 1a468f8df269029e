/* test_nexusd_permissions.c - every route with every kind of key, from nexusd's own table; other users' things; and
 * keys that end while their connection lives. */
#include "nexusd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUTES_MAX = 64 };

static struct route_line routes[ROUTES_MAX];
static size_t route_count;
static struct made_key call_key, sip_key, recording_key;

/* The pattern with a parameter that names nothing. */
static void concrete(const char *pattern, char *path, size_t room)
{
	const char *colon = strchr(pattern, ':');
	int before = colon ? (int)(colon - pattern) : (int)strlen(pattern);

	snprintf(
		path, room, "%.*s%s%s", before, pattern, colon ? "none" : "", colon ? colon + strcspn(colon, "/") : "");
}

static bool allowed(const struct route_line *route, const char *permissions)
{
	return strcmp(route->permission, "open") == 0 || strcmp(route->permission, "any") == 0 ||
	       strstr(permissions, route->permission);
}

static void check(const struct route_line *route, const char *key, const char *permissions)
{
	bool may = key && allowed(route, permissions), open = strcmp(route->permission, "open") == 0;
	bool sends = strcmp(route->method, "POST") == 0 || strcmp(route->method, "PATCH") == 0;
	struct http_reply *reply;
	char path[128];

	concrete(route->pattern, path, sizeof(path));
	/* a body that no route takes shows that the gate was passed, and starts no SIP server */
	reply = ask(route->method, path, key, sends ? "{\"no such member\":1}" : NULL);
	if (strcmp(route->permission, "signed") == 0) { /* a key is no signature */
		assert_int_equal(reply->status, 403);
		return;
	}
	if (open       ? reply->status != 200
		: !key ? reply->status != 401
		: may  ? reply->status == 401 || reply->status == 403
		       : reply->status != 403)
		fail_msg("%s %s with %s: %d %s", route->method, path, key ? permissions : "no key", reply->status,
			reply->body);
	if (may && sends)
		assert_int_equal(reply->status, 400);
	if (reply->status == 403)
		assert_string_equal(error_code(reply), "forbidden");
}

static void every_route_takes_the_right_keys_only(void **state)
{
	(void)state;
	assert_true(route_count >= 20);
	for (size_t i = 0; i < route_count; i++) {
		check(&routes[i], NULL, "");
		check(&routes[i], call_key.secret, "call");
		check(&routes[i], sip_key.secret, "sip");
		check(&routes[i], recording_key.secret, "recording");
		check(&routes[i], nexusd.admin_key, "call,sip,recording,admin");
	}
}

static void no_key_gets_admin_over_http(void **state)
{
	struct http_reply *reply = ask("POST", "/api/v1/keys/voip/generate", nexusd.admin_key,
		"{\"userId\":\"a\",\"name\":\"n\",\"permissions\":[\"admin\"]}");

	(void)state;
	assert_int_equal(reply->status, 403);
	assert_string_equal(error_code(reply), "admin_only_local");
}

static void other_users_are_refused_by_name(void **state)
{
	(void)state;
	assert_int_equal(ask("GET", "/api/v1/keys?userId=sipper", sip_key.secret, NULL)->status, 200);
	assert_int_equal(ask("GET", "/api/v1/keys?userId=caller", sip_key.secret, NULL)->status, 403);
	assert_int_equal(ask("GET", "/api/v1/usage?userId=caller", sip_key.secret, NULL)->status, 403);
	assert_int_equal(ask("GET", "/api/v1/opensips/credentials?userId=caller", sip_key.secret, NULL)->status, 403);
	assert_int_equal(ask("GET", "/api/v1/opensips/calls?userId=sipper", call_key.secret, NULL)->status, 403);
	assert_int_equal(
		ask("POST", "/api/v1/opensips/generate-credentials", sip_key.secret, "{\"userId\":\"caller\"}")->status,
		403);
	assert_int_equal(
		ask("POST", "/api/v1/opensips/generate-credentials", sip_key.secret, "{\"userId\":\"sipper\"}")->status,
		201);
}

static void lists_without_a_user_show_the_own_one(void **state)
{
	struct http_reply *reply = ask("GET", "/api/v1/keys", call_key.secret, NULL);

	(void)state;
	assert_int_equal(json_object_array_length(json_at(reply->json, "keys")), 1);
	assert_string_equal(json_text(reply->json, "keys.0.userId"), "caller");
	reply = ask("GET", "/api/v1/usage", call_key.secret, NULL);
	for (size_t i = 0; i < json_object_array_length(json_at(reply->json, "usage")); i++) {
		char path[64];

		snprintf(path, sizeof(path), "usage.%zu.keyId", i);
		assert_string_equal(json_text(reply->json, path), call_key.id);
	}
	assert_true(json_object_array_length(
			    json_at(ask("GET", "/api/v1/keys", nexusd.admin_key, NULL)->json, "keys")) >= 4);
}

static void other_users_ids_are_like_unknown_ones(void **state)
{
	struct http_reply *reply =
		ask("POST", "/api/v1/opensips/generate-credentials", nexusd.admin_key, "{\"userId\":\"somebody\"}");
	char path[128], theirs[512];

	(void)state;
	snprintf(path, sizeof(path), "/api/v1/opensips/credentials/%s", json_text(reply->json, "credentials.id"));
	reply = ask_with("DELETE", path, sip_key.secret, NULL, "X-Request-Id: same");
	assert_int_equal(reply->status, 404);
	snprintf(theirs, sizeof(theirs), "%s", reply->body);
	reply = ask_with(
		"DELETE", "/api/v1/opensips/credentials/cred_none", sip_key.secret, NULL, "X-Request-Id: same");
	assert_int_equal(reply->status, 404);
	assert_string_equal(reply->body, theirs);
	assert_int_equal(ask("DELETE", path, nexusd.admin_key, NULL)->status, 200);
}

static int get_keys(int fd, const char *secret)
{
	struct raw_reply reply;
	char text[512];

	snprintf(
		text, sizeof(text), "GET /api/v1/keys HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", secret);
	raw_write(fd, text, strlen(text));
	raw_read(fd, &reply, 100);
	assert_false(reply.closed);
	return reply.status;
}

static void ended_keys_fail_on_the_next_request_of_a_living_connection(void **state)
{
	struct made_key key = make_key("shortlived", "[\"call\"]");
	int fds[4];
	char path[128];

	(void)state;
	for (int i = 0; i < 4; i++) { /* several, so that every loop has some */
		fds[i] = raw_connect();
		assert_int_equal(get_keys(fds[i], key.secret), 200);
	}
	snprintf(path, sizeof(path), "/api/v1/keys/%s", key.id);
	assert_int_equal(ask("PATCH", path, nexusd.admin_key, "{\"active\":false}")->status, 200);
	for (int i = 0; i < 4; i++)
		assert_int_equal(get_keys(fds[i], key.secret), 401);
	assert_int_equal(ask("PATCH", path, nexusd.admin_key, "{\"active\":true}")->status, 200);
	for (int i = 0; i < 4; i++)
		assert_int_equal(get_keys(fds[i], key.secret), 200);
	assert_int_equal(gateway_ctl(&nexusd, "keys disable %s", key.id), 0); /* another process */
	for (int i = 0; i < 4; i++)
		assert_int_equal(get_keys(fds[i], key.secret), 401);
	assert_int_equal(ask("PATCH", path, nexusd.admin_key, "{\"active\":true}")->status, 200);
	assert_int_equal(ask("DELETE", path, nexusd.admin_key, NULL)->status, 200);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(get_keys(fds[i], key.secret), 401);
		close(fds[i]);
	}
}

static void expired_keys_are_refused(void **state)
{
	char body[256], key[160], when[32];
	struct http_reply *reply;

	(void)state;
	nxv_time_format(utc_ms() + 1500, when);
	snprintf(body, sizeof(body),
		"{\"userId\":\"brief\",\"name\":\"n\",\"permissions\":[\"call\"],\"expiresAt\":\"%s\"}", when);
	reply = ask("POST", "/api/v1/keys/voip/generate", nexusd.admin_key, body);
	assert_int_equal(reply->status, 201);
	snprintf(key, sizeof(key), "%s", json_text(reply->json, "key.key"));
	assert_int_equal(ask("GET", "/api/v1/keys", key, NULL)->status, 200);
	nap_ms(1700);
	assert_int_equal(ask("GET", "/api/v1/keys", key, NULL)->status, 401);
}

static void rotated_keys_overlap_as_long_as_told(void **state)
{
	struct made_key key = make_key("turner", "[\"call\"]");
	char path[128], renewed[160];
	struct http_reply *reply;

	(void)state;
	snprintf(path, sizeof(path), "/api/v1/keys/%s/rotate", key.id);
	reply = ask("POST", path, nexusd.admin_key, "{\"overlapSeconds\":60}");
	assert_int_equal(reply->status, 201);
	snprintf(renewed, sizeof(renewed), "%s", json_text(reply->json, "key.key"));
	assert_string_equal(json_text(reply->json, "key.userId"), "turner");
	snprintf(path, sizeof(path), "/api/v1/keys/%s/rotate", json_text(reply->json, "key.id"));
	assert_int_equal(ask("GET", "/api/v1/keys", key.secret, NULL)->status, 200);
	assert_int_equal(ask("GET", "/api/v1/keys", renewed, NULL)->status, 200);
	assert_int_equal(ask("POST", path, nexusd.admin_key, NULL)->status, 201);
	assert_int_equal(ask("GET", "/api/v1/keys", renewed, NULL)->status, 401);
}

static void admin_keys_are_not_rotated_over_http(void **state)
{
	struct http_reply *reply = ask("GET", "/api/v1/keys?userId=admin", nexusd.admin_key, NULL);
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "/api/v1/keys/%s/rotate", json_text(reply->json, "keys.0.id"));
	assert_int_equal(ask("POST", path, nexusd.admin_key, NULL)->status, 403);
	assert_int_equal(ask("GET", "/api/v1/keys", nexusd.admin_key, NULL)->status, 200);
}

static int setup(void **state)
{
	if (nexusd_setup(state) != 0)
		return -1;
	route_count = read_routes(routes, ROUTES_MAX);
	call_key = make_key("caller", "[\"call\"]");
	sip_key = make_key("sipper", "[\"sip\"]");
	recording_key = make_key("recorder", "[\"recording\"]");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_takes_the_right_keys_only),
		cmocka_unit_test(no_key_gets_admin_over_http),
		cmocka_unit_test(other_users_are_refused_by_name),
		cmocka_unit_test(lists_without_a_user_show_the_own_one),
		cmocka_unit_test(other_users_ids_are_like_unknown_ones),
		cmocka_unit_test(ended_keys_fail_on_the_next_request_of_a_living_connection),
		cmocka_unit_test(expired_keys_are_refused),
		cmocka_unit_test(rotated_keys_overlap_as_long_as_told),
		cmocka_unit_test(admin_keys_are_not_rotated_over_http),
	};

	proc_guard(110);
	return cmocka_run_group_tests(tests, setup, nexusd_teardown);
}
