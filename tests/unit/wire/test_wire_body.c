/* test_wire_body.c - request bodies: what is taken, and for each way to be wrong the member named and the remedy. */
#include <nexusvoip/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct nxv_body *accept(nxv_body_kind kind, const char *text)
{
	struct nxv_problems problems;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_body *body = NULL;
	if (nxv_body_parse(kind, text, text ? strlen(text) : 0, &body, &problems, &err) != NXV_OK)
		fail_msg("refused %s: %s", text ? text : "(none)", err.message);
	assert_int_equal(problems.count, 0);
	assert_non_null(body);
	return body;
}

static struct nxv_problems refuse(nxv_body_kind kind, const char *text, size_t len, const char *code)
{
	struct nxv_problems problems;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_body *body = (struct nxv_body *)&problems;
	if (nxv_body_parse(kind, text, len, &body, &problems, &err) != NXV_E_INVALID)
		fail_msg("accepted %s", text);
	assert_null(body);
	assert_string_equal(err.code, code);
	assert_true(*err.message);
	return problems;
}

/* One fault, in this member, with these words in it. */
static void refuse_one(nxv_body_kind kind, const char *text, const char *field, const char *words)
{
	struct nxv_problems problems = refuse(kind, text, strlen(text), "bad_request");
	if (problems.count != 1 || strcmp(problems.items[0].field, field) != 0 || !strstr(problems.items[0].problem, words))
		fail_msg("%s: %zu problems, \"%s\": %s", text, problems.count, problems.items[0].field, problems.items[0].problem);
}

static void the_guides_bodies_are_taken(void **state)
{
	(void)state;
	struct nxv_body *body = accept(NXV_BODY_KEY,
		"{\n  \"userId\": \"user_123\",\n  \"name\": \"Production VoIP Key\",\n  \"permissions\": [\"call\", \"sip\", \"recording\"]\n}");
	assert_string_equal(body->user_id, "user_123");
	assert_string_equal(body->name, "Production VoIP Key");
	assert_int_equal(body->permissions, NXV_PERM_CALL | NXV_PERM_SIP | NXV_PERM_RECORDING);
	assert_int_equal(body->expires_at_ms, 0);
	nxv_body_free(body);
	body = accept(NXV_BODY_CREDENTIAL, "{\"userId\": \"user_123\"}");
	assert_string_equal(body->user_id, "user_123");
	nxv_body_free(body);
	body = accept(NXV_BODY_CALL, "{\"fromNumber\": \"+1234567890\", \"toNumber\": \"+0987654321\", \"useTwilio\": true}");
	assert_string_equal(body->from_number, "+1234567890");
	assert_string_equal(body->to_number, "+0987654321");
	assert_int_equal(body->use_twilio, NXV_TWILIO_YES);
	assert_false(body->auto_answer);
	nxv_body_free(body);
}

static void optional_members_are_taken(void **state)
{
	(void)state;
	struct nxv_body *body = accept(NXV_BODY_CREDENTIAL, "{\"userId\":\"u\",\"expiresAt\":\"2026-01-31T13:00:00+01:00\"}");
	assert_int_equal(body->expires_at_ms, 1769860800000);
	nxv_body_free(body);
	body = accept(NXV_BODY_KEY_PATCH, "{\"active\":true}");
	assert_true(body->active);
	nxv_body_free(body);
	body = accept(NXV_BODY_KEY_PATCH, "{\"active\":false}");
	assert_false(body->active);
	nxv_body_free(body);
	body = accept(NXV_BODY_KEY_ROTATE, "{\"overlapSeconds\":3600}");
	assert_int_equal(body->overlap_ms, 3600000);
	nxv_body_free(body);
	body = accept(NXV_BODY_CALL, "{\"fromNumber\":\"user_1\",\"toNumber\":\"sip:user_2@127.0.0.1:5060\",\"useTwilio\":false,\"autoAnswer\":true}");
	assert_int_equal(body->use_twilio, NXV_TWILIO_NO);
	assert_true(body->auto_answer);
	nxv_body_free(body);
	body = accept(NXV_BODY_CALL, "{\"fromNumber\":\"+12\",\"toNumber\":\"bob@example.org\"}");
	assert_int_equal(body->use_twilio, NXV_TWILIO_DEFAULT);
	nxv_body_free(body);
	body = accept(NXV_BODY_KEY, "{\"userId\":\"u\",\"name\":\"\\u00f1and\\u00fa \\ud83d\\udcde\",\"permissions\":[\"call\",\"call\"]}");
	assert_string_equal(body->name, "\xC3\xB1" "and\xC3\xBA \xF0\x9F\x93\x9E");
	assert_int_equal(body->permissions, NXV_PERM_CALL);
	nxv_body_free(body);
}

static void an_optional_body_may_be_left_out(void **state)
{
	(void)state;
	nxv_body_free(accept(NXV_BODY_NONE, NULL));
	nxv_body_free(accept(NXV_BODY_NONE, ""));
	nxv_body_free(accept(NXV_BODY_NONE, " \r\n"));
	nxv_body_free(accept(NXV_BODY_NONE, "{}"));
	nxv_body_free(accept(NXV_BODY_KEY_ROTATE, ""));
	refuse(NXV_BODY_KEY, "", 0, "bad_json");
	refuse(NXV_BODY_CALL, " ", 1, "bad_json");
}

static void what_is_not_json_is_refused(void **state)
{
	static const char *const bad[] = {
		"{", "}", "nonsense", "{\"userId\":}", "{\"userId\":\"u\"", "{'userId':'u'}", "{\"userId\":\"u\",}", "{userId:\"u\"}",
		"{\"userId\":\"u\"} x", "{\"userId\":\"u\"}{}", "{\"userId\":\"u\" /* */}", "{\"userId\":\"\xFF\"}", "{\"userId\":\"a\nb\"}",
		"{\"userId\":NaN}", "{\"userId\":01}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuse(NXV_BODY_CREDENTIAL, bad[i], strlen(bad[i]), "bad_json");
	refuse(NXV_BODY_CREDENTIAL, "{\"userId\":\"u\"}\0", 15, "bad_json");
}

static void too_deep_and_too_large_are_refused(void **state)
{
	char deep[128] = "{\"userId\":";
	(void)state;
	for (int i = 0; i < 20; i++)
		strcat(deep, "[");
	for (int i = 0; i < 20; i++)
		strcat(deep, "]");
	strcat(deep, "}");
	refuse(NXV_BODY_CREDENTIAL, deep, strlen(deep), "bad_json");
	size_t len = 64 * 1024 + 1;
	char *large = malloc(len);
	assert_non_null(large);
	memset(large, ' ', len);
	memcpy(large, "{\"userId\":\"u\"}", 14);
	refuse(NXV_BODY_CREDENTIAL, large, len, "bad_json");
	struct nxv_body *body = NULL;
	assert_int_equal(nxv_body_parse(NXV_BODY_CREDENTIAL, large, len - 1, &body, NULL, NULL), NXV_OK);
	nxv_body_free(body);
	free(large);
}

static void a_duplicate_member_is_refused(void **state)
{
	(void)state;
	static const char *const twice[] = {
		"{\"userId\":\"a\",\"userId\":\"b\"}",
		"{\"userId\":\"a\",\"userId\":\"a\"}",
		"{\"userId\":\"a\",\"user\\u0049d\":\"b\"}", /* the same name, written with an escape */
		"{\"x\":{\"y\":1,\"y\":2},\"userId\":\"a\"}",
	};
	for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++)
		refuse(NXV_BODY_CREDENTIAL, twice[i], strlen(twice[i]), "bad_json");
}

static void an_unknown_member_is_named_with_the_known_ones(void **state)
{
	(void)state;
	refuse_one(NXV_BODY_CREDENTIAL, "{\"userId\":\"u\",\"userid\":\"u\"}", "userid", "this body takes userId, expiresAt");
	refuse_one(NXV_BODY_NONE, "{\"x\":1}", "x", "takes no body");
	refuse_one(NXV_BODY_CREDENTIAL, "{\"userId\":\"u\",\"\":1}", "\"\"", "is not known");
}

static void every_wrong_member_is_named_at_once(void **state)
{
	static const char text[] = "{\"name\":5,\"permissions\":[\"call\",\"fly\",7],\"expiresAt\":\"soon\",\"extra\":1}";
	static const char *const fields[] = { "userId", "name", "permissions.1", "permissions.2", "expiresAt", "extra" };
	(void)state;
	struct nxv_problems problems = refuse(NXV_BODY_KEY, text, strlen(text), "bad_request");
	assert_int_equal(problems.count, 6);
	for (size_t i = 0; i < problems.count; i++)
		assert_string_equal(problems.items[i].field, fields[i]);
}

static void more_faults_than_fit_are_cut_off_at_sixteen(void **state)
{
	char text[512] = "{\"userId\":\"u\"";
	(void)state;
	for (int i = 0; i < 20; i++)
		sprintf(text + strlen(text), ",\"x%d\":1", i);
	strcat(text, "}");
	assert_int_equal(refuse(NXV_BODY_CREDENTIAL, text, strlen(text), "bad_request").count, 16);
}

static void an_overlong_member_name_is_cut_not_overrun(void **state)
{
	char text[512] = "{\"userId\":\"u\",\"";
	(void)state;
	memset(text + strlen(text), 'n', 300);
	strcat(text, "\":1}");
	struct nxv_problems problems = refuse(NXV_BODY_CREDENTIAL, text, strlen(text), "bad_request");
	assert_int_equal(strlen(problems.items[0].field), 63);
}

static void a_body_that_is_no_object_is_refused(void **state)
{
	(void)state;
	refuse_one(NXV_BODY_CREDENTIAL, "[]", "", "JSON object");
	refuse_one(NXV_BODY_CREDENTIAL, "\"u\"", "", "JSON object");
	refuse_one(NXV_BODY_NONE, "1", "", "JSON object");
	refuse_one(NXV_BODY_NONE, "null", "", "JSON object");
}

static void wrong_types_say_what_to_write(void **state)
{
	(void)state;
	refuse_one(NXV_BODY_CREDENTIAL, "{\"userId\":5}", "userId", "must be a string: write 1 to 64");
	refuse_one(NXV_BODY_CREDENTIAL, "{\"userId\":null}", "userId", "must not be null");
	refuse_one(NXV_BODY_CREDENTIAL, "{\"userId\":\"u\",\"expiresAt\":0}", "expiresAt", "must be a string");
	refuse_one(NXV_BODY_KEY_PATCH, "{\"active\":\"true\"}", "active", "must be a boolean: write true or false");
	refuse_one(NXV_BODY_KEY_PATCH, "{\"active\":1}", "active", "must be a boolean");
	refuse_one(NXV_BODY_KEY_PATCH, "{}", "active", "is missing: write true or false");
	refuse_one(NXV_BODY_KEY_ROTATE, "{\"overlapSeconds\":\"60\"}", "overlapSeconds", "must be a whole number");
	refuse_one(NXV_BODY_KEY_ROTATE, "{\"overlapSeconds\":1.5}", "overlapSeconds", "must be a whole number");
	refuse_one(NXV_BODY_KEY_ROTATE, "{\"overlapSeconds\":-1}", "overlapSeconds", "is out of range");
	refuse_one(NXV_BODY_KEY_ROTATE, "{\"overlapSeconds\":2592001}", "overlapSeconds", "is out of range");
	refuse_one(NXV_BODY_KEY_ROTATE, "{\"overlapSeconds\":99999999999999999999999}", "overlapSeconds", "is out of range");
	refuse_one(NXV_BODY_KEY, "{\"userId\":\"u\",\"name\":\"n\",\"permissions\":\"call\"}", "permissions", "must be a list");
	refuse_one(NXV_BODY_KEY, "{\"userId\":\"u\",\"name\":\"n\",\"permissions\":[]}", "permissions", "must be a list of one or more");
	refuse_one(NXV_BODY_KEY, "{\"userId\":\"u\",\"name\":\"n\",\"permissions\":[\"call,sip\"]}", "permissions.0", "is no permission");
	refuse_one(NXV_BODY_KEY, "{\"userId\":\"u\",\"name\":\"n\",\"permissions\":[null]}", "permissions.0", "must be a string");
	refuse_one(NXV_BODY_CALL, "{\"fromNumber\":\"+12\",\"toNumber\":\"+12\",\"useTwilio\":\"yes\"}", "useTwilio", "true or false");
	refuse_one(NXV_BODY_CALL, "{\"fromNumber\":\"+12\",\"toNumber\":12}", "toNumber", "must be a string");
}

static void wrong_values_say_what_to_write(void **state)
{
	static const char *const users[] = { "", "a b", "a/b", "ñ", "a\\u0000b", "a\\nb",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	static const char *const parties[] = { "", "+", "+1", "+1234567890123456", "+12a", "+1 2", "a b", "tel:+12" };
	static const char *const uris[] = { "sip:", "sip:user_1", "sip:@d", "sip:user_1@", "sip:a b@d", "sip:a@d;transport=tcp", "sip:a@d?x=y",
		"sip:a@b@c", "sip:a@d\\r\\nX: y", "sip:a:pw@d", "sips:a@d" };
	char text[256];
	(void)state;
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		snprintf(text, sizeof(text), "{\"userId\":\"%s\"}", users[i]);
		refuse_one(NXV_BODY_CREDENTIAL, text, "userId", "write 1 to 64");
	}
	for (size_t i = 0; i < sizeof(parties) / sizeof(parties[0]); i++) {
		snprintf(text, sizeof(text), "{\"fromNumber\":\"%s\",\"toNumber\":\"+12\"}", parties[i]);
		refuse_one(NXV_BODY_CALL, text, "fromNumber", "write + and 2 to 15 digits");
		snprintf(text, sizeof(text), "{\"fromNumber\":\"+12\",\"toNumber\":\"%s\"}", parties[i]);
		refuse_one(NXV_BODY_CALL, text, "toNumber", "sip: URI of the own domain");
	}
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		snprintf(text, sizeof(text), "{\"fromNumber\":\"+12\",\"toNumber\":\"%s\"}", uris[i]);
		refuse_one(NXV_BODY_CALL, text, "toNumber", "is not valid");
	}
	refuse_one(NXV_BODY_CALL, "{\"fromNumber\":\"sip:a@d\",\"toNumber\":\"+12\"}", "fromNumber", "is not valid");
	refuse_one(NXV_BODY_KEY, "{\"userId\":\"u\",\"name\":\"a\\tb\",\"permissions\":[\"sip\"]}", "name", "control characters");
	/* 0 would mean "never" */
	refuse_one(NXV_BODY_CREDENTIAL, "{\"userId\":\"u\",\"expiresAt\":\"1970-01-01T00:00:00Z\"}", "expiresAt", "a time to come");
	refuse_one(NXV_BODY_CREDENTIAL, "{\"userId\":\"u\",\"expiresAt\":\"1960-01-01T00:00:00Z\"}", "expiresAt", "a time to come");
}

static void the_error_repeats_the_first_problem(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_body *body = NULL;
	(void)state;
	assert_int_equal(nxv_body_parse(NXV_BODY_CREDENTIAL, "{}", 2, &body, NULL, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "userId");
	assert_non_null(strstr(err.message, "userId is missing"));
	assert_int_equal(err.status, NXV_E_INVALID);
	assert_int_equal(nxv_body_parse(NXV_BODY_CREDENTIAL, "{}", 2, &body, NULL, NULL), NXV_E_INVALID);
	nxv_body_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guides_bodies_are_taken),
		cmocka_unit_test(optional_members_are_taken),
		cmocka_unit_test(an_optional_body_may_be_left_out),
		cmocka_unit_test(what_is_not_json_is_refused),
		cmocka_unit_test(too_deep_and_too_large_are_refused),
		cmocka_unit_test(a_duplicate_member_is_refused),
		cmocka_unit_test(an_unknown_member_is_named_with_the_known_ones),
		cmocka_unit_test(every_wrong_member_is_named_at_once),
		cmocka_unit_test(more_faults_than_fit_are_cut_off_at_sixteen),
		cmocka_unit_test(an_overlong_member_name_is_cut_not_overrun),
		cmocka_unit_test(a_body_that_is_no_object_is_refused),
		cmocka_unit_test(wrong_types_say_what_to_write),
		cmocka_unit_test(wrong_values_say_what_to_write),
		cmocka_unit_test(the_error_repeats_the_first_problem),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
