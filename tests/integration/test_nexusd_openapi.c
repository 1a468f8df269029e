/* test_nexusd_openapi.c - the description of the API says what the table of routes says, no more and no less. */
#include "nexusd.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ROUTES_MAX = 64 };

static struct json_object *doc;
static struct route_line routes[ROUTES_MAX];
static size_t route_count;

/* "/a/:id/b" as "/a/{id}/b". */
static void braced(const char *pattern, char *out, size_t room)
{
	const char *colon = strchr(pattern, ':');
	int before = colon ? (int)(colon - pattern) : (int)strlen(pattern),
	    word = colon ? (int)strcspn(colon + 1, "/") : 0;

	if (colon)
		snprintf(out, room, "%.*s{%.*s}%s", before, pattern, word, colon + 1, colon + 1 + word);
	else
		snprintf(out, room, "%s", pattern);
}

static struct json_object *operation(const struct route_line *route)
{
	struct json_object *paths = NULL, *path = NULL, *found = NULL;
	char name[128], method[16] = "";

	braced(route->pattern, name, sizeof(name));
	for (size_t i = 0; route->method[i]; i++)
		method[i] = (char)tolower((unsigned char)route->method[i]);
	json_object_object_get_ex(doc, "paths", &paths);
	if (json_object_object_get_ex(paths, name, &path))
		json_object_object_get_ex(path, method, &found);
	return found;
}

static void every_route_is_described(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_count; i++)
		if (!operation(&routes[i]))
			fail_msg("%s %s is not in openapi.json", routes[i].method, routes[i].pattern);
}

static bool in_table(const char *path, const char *method)
{
	for (size_t i = 0; i < route_count; i++) {
		char name[128];

		braced(routes[i].pattern, name, sizeof(name));
		if (strcmp(name, path) == 0 && strcasecmp(routes[i].method, method) == 0)
			return true;
	}
	return false;
}

static void everything_described_is_a_route(void **state)
{
	struct json_object *paths = NULL;

	(void)state;
	json_object_object_get_ex(doc, "paths", &paths);
	json_object_object_foreach(paths, path, item)
	{
		json_object_object_foreach(item, method, operation_)
		{
			(void)operation_;
			if (strcmp(method, "parameters") != 0 && !in_table(path, method))
				fail_msg("openapi.json describes %s %s, which is no route", method, path);
		}
	}
}

static void need_code(const struct route_line *route, int code)
{
	struct json_object *responses = NULL, *found = NULL;
	char text[8];

	snprintf(text, sizeof(text), "%d", code);
	json_object_object_get_ex(operation(route), "responses", &responses);
	if (!json_object_object_get_ex(responses, text, &found))
		fail_msg("%s %s does not describe %d", route->method, route->pattern, code);
}

static void every_code_that_a_route_must_have_is_described(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_count; i++) {
		const struct route_line *route = &routes[i];
		bool sends = strcmp(route->method, "POST") == 0 || strcmp(route->method, "PATCH") == 0;
		bool creates = strstr(route->pattern, "generate") || strstr(route->pattern, "initiate") ||
			       strstr(route->pattern, "rotate");

		need_code(route, strcmp(route->permission, "signed") == 0 ? 204 : creates ? 201 : 200);
		if (strcmp(route->permission, "open") == 0 || strcmp(route->permission, "signed") == 0)
			continue;
		need_code(route, 400);
		need_code(route, 401);
		need_code(route, 429);
		need_code(route, 500);
		if (strcmp(route->permission, "any") != 0)
			need_code(route, 403);
		if (strchr(route->pattern, ':'))
			need_code(route, 404);
		if (sends) {
			need_code(route, 413);
			need_code(route, 415);
		}
		if (creates) {
			need_code(route, 409);
			need_code(route, 422);
		}
	}
}

static void open_routes_and_only_they_need_no_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_count; i++) {
		struct json_object *security = NULL;
		bool open = json_object_object_get_ex(operation(&routes[i]), "security", &security) &&
			    json_object_array_length(security) == 0;

		assert_int_equal(open, strcmp(routes[i].permission, "open") == 0 || strcmp(routes[i].permission, "signed") == 0);
	}
}

static void descriptions_name_the_permission(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_count; i++) {
		const char *text = json_text(operation(&routes[i]), "description");
		char want[64];

		snprintf(want, sizeof(want), "Needs the permission %s.", routes[i].permission);
		if (strcmp(routes[i].permission, "any") == 0)
			assert_int_equal(strncmp(text, "Any valid key", 13), 0);
		else if (strcmp(routes[i].permission, "open") != 0 && strcmp(routes[i].permission, "signed") != 0 && !strstr(text, want))
			fail_msg("%s %s: \"%s\" does not say \"%s\"", routes[i].method, routes[i].pattern, text, want);
	}
}

/* Does #/a/b/c lead somewhere? */
static bool resolves(const char *ref)
{
	struct json_object *at = doc;
	char copy[128], *rest = NULL;

	snprintf(copy, sizeof(copy), "%s", ref);
	for (char *word = strtok_r(copy + 2, "/", &rest); word; word = strtok_r(NULL, "/", &rest))
		if (!json_object_object_get_ex(at, word, &at))
			return false;
	return true;
}

static void walk(struct json_object *at)
{
	if (json_object_is_type(at, json_type_array))
		for (size_t i = 0; i < json_object_array_length(at); i++)
			walk(json_object_array_get_idx(at, i));
	if (!json_object_is_type(at, json_type_object))
		return;
	json_object_object_foreach(at, name, value)
	{
		if (strcmp(name, "$ref") != 0)
			walk(value);
		else if (!resolves(json_object_get_string(value)))
			fail_msg("%s leads nowhere", json_object_get_string(value));
	}
}

static void references_lead_somewhere(void **state)
{
	(void)state;
	walk(doc);
}

/* Every member of an answer is described, and every required one is there. */
static void assert_fits(struct json_object *value, const char *schema_name)
{
	char path[96];
	struct json_object *schema, *properties = NULL, *required = NULL;

	snprintf(path, sizeof(path), "components.schemas.%s", schema_name);
	schema = json_at(doc, path);
	assert_non_null(schema);
	json_object_object_get_ex(schema, "properties", &properties);
	json_object_object_get_ex(schema, "required", &required);
	json_object_object_foreach(value, name, ignored)
	{
		(void)ignored;
		if (!json_object_object_get_ex(properties, name, NULL))
			fail_msg("%s is answered but not described in %s", name, schema_name);
	}
	for (size_t i = 0; i < json_object_array_length(required); i++)
		if (!json_object_object_get_ex(
			    value, json_object_get_string(json_object_array_get_idx(required, i)), NULL))
			fail_msg("%s lacks %s", schema_name,
				json_object_get_string(json_object_array_get_idx(required, i)));
}

static void answers_fit_their_schemas(void **state)
{
	struct http_reply *reply = ask("POST", "/api/v1/keys/voip/generate", nexusd.admin_key,
		"{\"userId\":\"u\",\"name\":\"n\",\"permissions\":[\"call\"]}");

	(void)state;
	assert_fits(reply->json, "KeyAnswer");
	assert_fits(json_at(reply->json, "key"), "Key");
	reply = ask("POST", "/api/v1/opensips/generate-credentials", nexusd.admin_key, "{\"userId\":\"u\"}");
	assert_fits(json_at(reply->json, "credentials"), "Credential");
	reply = ask("GET", "/api/v1/opensips/health", nexusd.admin_key, NULL);
	assert_fits(reply->json, "Health");
	reply = ask("GET", "/api/v1/usage", nexusd.admin_key, NULL);
	assert_fits(reply->json, "UsagePage");
	assert_fits(json_at(reply->json, "usage.0"), "Usage");
	reply = ask("GET", "/api/v1/opensips/calls", nexusd.admin_key, NULL);
	assert_fits(reply->json, "CallPage");
	reply = ask("GET", "/nothing", nexusd.admin_key, NULL);
	assert_fits(reply->json, "Error");
}

static void the_server_hands_out_this_file(void **state)
{
	struct http_reply *reply = ask("GET", "/openapi.json", NULL, NULL);
	char *file = proc_read_file(OPENAPI_FILE);

	(void)state;
	assert_int_equal(reply->status, 200);
	assert_non_null(file);
	assert_string_equal(reply->body, file);
	assert_string_equal(json_text(reply->json, "info.version"), nxv_version());
	free(file);
}

static int setup(void **state)
{
	char *text = proc_read_file(OPENAPI_FILE);

	doc = text ? json_tokener_parse(text) : NULL;
	free(text);
	route_count = read_routes(routes, ROUTES_MAX);
	return doc && route_count ? nexusd_setup(state) : -1;
}

static int teardown(void **state)
{
	json_object_put(doc);
	return nexusd_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_is_described),
		cmocka_unit_test(everything_described_is_a_route),
		cmocka_unit_test(every_code_that_a_route_must_have_is_described),
		cmocka_unit_test(open_routes_and_only_they_need_no_key),
		cmocka_unit_test(descriptions_name_the_permission),
		cmocka_unit_test(references_lead_somewhere),
		cmocka_unit_test(answers_fit_their_schemas),
		cmocka_unit_test(the_server_hands_out_this_file),
	};

	proc_guard(60);
	return cmocka_run_group_tests(tests, setup, teardown);
}
