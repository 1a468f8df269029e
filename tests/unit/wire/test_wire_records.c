/* test_wire_records.c - every record as JSON: the guide's names, absent members left out, hostile text made safe. */
#include <nexusvoip/wire.h>

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(char *json, const char *expected)
{
	assert_non_null(json);
	assert_string_equal(json, expected);
	free(json);
}

/* A constant as the char * that records hold. */
static char *text(const char *s)
{
	union {
		const char *in;
		char *out;
	} u = { .in = s };
	return u.out;
}

static struct nxv_key a_key(void)
{
	return (struct nxv_key){ .id = text("key_1"), .prefix = text("sk_voip_ab"), .user_id = text("user_123"), .name = text("Production VoIP Key"),
		.permissions = NXV_PERM_CALL | NXV_PERM_SIP | NXV_PERM_RECORDING, .active = true, .created_at_ms = 1769860800123 };
}

static void key_has_the_guides_shape(void **state)
{
	(void)state;
	struct nxv_key key = a_key();
	key.secret = text("sk_voip_abc");
	key.expires_at_ms = 1769860801000;
	key.last_used_at_ms = 1769860802000;
	expect(nxv_json_key(&key),
		"{\"id\":\"key_1\",\"key\":\"sk_voip_abc\",\"prefix\":\"sk_voip_ab\",\"service\":\"voip\",\"userId\":\"user_123\","
		"\"name\":\"Production VoIP Key\",\"active\":true,\"createdAt\":\"2026-01-31T12:00:00.123Z\","
		"\"expiresAt\":\"2026-01-31T12:00:01.000Z\",\"lastUsedAt\":\"2026-01-31T12:00:02.000Z\","
		"\"metadata\":{\"opensips_enabled\":true,\"twilio_integration\":true,\"permissions\":[\"call\",\"sip\",\"recording\"]}}");
}

static void key_without_secret_expiry_and_use_leaves_them_out(void **state)
{
	(void)state;
	struct nxv_key key = a_key();
	key.permissions = NXV_PERM_ADMIN;
	key.active = false;
	expect(nxv_json_key(&key),
		"{\"id\":\"key_1\",\"prefix\":\"sk_voip_ab\",\"service\":\"voip\",\"userId\":\"user_123\","
		"\"name\":\"Production VoIP Key\",\"active\":false,\"createdAt\":\"2026-01-31T12:00:00.123Z\","
		"\"metadata\":{\"opensips_enabled\":true,\"twilio_integration\":true,\"permissions\":[\"admin\"]}}");
}

static void lists_are_arrays_and_an_empty_one_too(void **state)
{
	(void)state;
	struct nxv_credential one = { .id = text("cred_1") }, two = { .id = text("cred_2") };
	struct nxv_credential *items[] = { &one, &two };
	struct nxv_credential_page list = { .count = 2, .items = items };
	expect(nxv_json_credentials(&list), "[{\"id\":\"cred_1\"},{\"id\":\"cred_2\"}]");
	struct nxv_key_page keys = { 0 };
	expect(nxv_json_keys(&keys), "[]");
	struct nxv_session_page sessions = { 0 };
	expect(nxv_json_sessions(&sessions), "[]");
	struct nxv_registration_list registrations = { 0 };
	expect(nxv_json_registrations(&registrations), "[]");
	struct nxv_usage_page rows = { 0 };
	expect(nxv_json_usages(&rows), "[]");
	assert_null(nxv_json_keys(NULL));
	assert_null(nxv_json_key(NULL));
	assert_null(nxv_json_string(NULL));
}

static void credential_has_the_guides_shape(void **state)
{
	(void)state;
	struct nxv_credential cred = { .id = text("cred_1"), .user_id = text("user_123"), .username = text("user_1234567890"), .password = text("pw"),
		.domain = text("sip.nexus-core.com"), .sip_uri = text("sip:user_1234567890@sip.nexus-core.com"), .proxy_server = text("127.0.0.1:5060"),
		.created_at_ms = 1769860800000 };
	expect(nxv_json_credential(&cred),
		"{\"id\":\"cred_1\",\"userId\":\"user_123\",\"username\":\"user_1234567890\",\"password\":\"pw\",\"domain\":\"sip.nexus-core.com\","
		"\"sipUri\":\"sip:user_1234567890@sip.nexus-core.com\",\"proxyServer\":\"127.0.0.1:5060\",\"createdAt\":\"2026-01-31T12:00:00.000Z\"}");
}

static void session_has_the_guides_shape(void **state)
{
	(void)state;
	struct nxv_session call = { .id = text("session_1_a"), .status = NXV_CALL_RINGING, .direction = text("outbound-api"), .from_number = text("+1234567890"),
		.to_number = text("+0987654321"), .user_id = text("user_123"), .sip_username = text("user_1"), .sip_domain = text("d"),
		.twilio_call_sid = text("CA1"), .started_at_ms = 1769860800000, .seq = 3 };
	expect(nxv_json_session(&call),
		"{\"sessionId\":\"session_1_a\",\"status\":\"ringing\",\"direction\":\"outbound-api\",\"fromNumber\":\"+1234567890\","
		"\"toNumber\":\"+0987654321\",\"userId\":\"user_123\",\"sipCredentials\":{\"username\":\"user_1\",\"domain\":\"d\"},"
		"\"twilioCallSid\":\"CA1\",\"startedAt\":\"2026-01-31T12:00:00.000Z\",\"durationSeconds\":0,\"seq\":3}");
}

static void ended_session_tells_how_and_when(void **state)
{
	(void)state;
	struct nxv_session call = { .id = text("s"), .status = NXV_CALL_BUSY, .end_reason = text("callee_busy"), .sip_code = 486, .key_id = text("key_1"),
		.request_id = text("r1"), .answered_contact = text("sip:b@1.2.3.4"), .started_at_ms = 1000, .ringing_at_ms = 2000,
		.answered_at_ms = 3000, .ended_at_ms = 9000, .duration_seconds = 6, .seq = INT64_MAX };
	expect(nxv_json_session(&call),
		"{\"sessionId\":\"s\",\"status\":\"busy\",\"keyId\":\"key_1\",\"answeredContact\":\"sip:b@1.2.3.4\",\"requestId\":\"r1\","
		"\"startedAt\":\"1970-01-01T00:00:01.000Z\",\"ringingAt\":\"1970-01-01T00:00:02.000Z\",\"answeredAt\":\"1970-01-01T00:00:03.000Z\","
		"\"endedAt\":\"1970-01-01T00:00:09.000Z\",\"durationSeconds\":6,\"endReason\":\"callee_busy\",\"sipCode\":486,"
		"\"seq\":9223372036854775807}");
}

static void health_says_running_only_when_it_runs(void **state)
{
	(void)state;
	struct nxv_sip_health health = { .state = NXV_SIP_RUNNING, .server = text("opensips"), .version = text("3.6.8"), .pid = 42, .uptime_seconds = 7,
		.active_calls = 5, .registrations = 2, .supervised = true,
		.calls_frozen = true, .twilio_url = text("http://127.0.0.1:9000") };
	expect(nxv_json_health(&health),
		"{\"opensipsStatus\":\"running\",\"activeCalls\":5,\"serverUptime\":true,\"server\":\"opensips\",\"version\":\"3.6.8\",\"pid\":42,"
		"\"uptimeSeconds\":7,\"registrations\":2,\"supervised\":true,\"callsFrozen\":true,\"twilioUrl\":\"http://127.0.0.1:9000\"}");
	struct nxv_sip_health stopped = { .state = NXV_SIP_STOPPED, .message = text("not started") };
	expect(nxv_json_health(&stopped),
		"{\"opensipsStatus\":\"stopped\",\"activeCalls\":0,\"serverUptime\":false,\"uptimeSeconds\":0,\"registrations\":0,"
		"\"supervised\":false,\"callsFrozen\":false,\"message\":\"not started\"}");
}

static void usage_and_registration_have_stable_names(void **state)
{
	(void)state;
	struct nxv_usage row = { .id = 9, .at_ms = 1769860800000, .request_id = text("r"), .key_id = text("key_1"), .user_id = text("u"), .method = text("POST"),
		.route = text("/api/v1/opensips/call/:sessionId"), .status = 201, .bytes = 10, .duration_us = 250, .client_address = text("127.0.0.1") };
	expect(nxv_json_usage(&row),
		"{\"id\":9,\"at\":\"2026-01-31T12:00:00.000Z\",\"requestId\":\"r\",\"keyId\":\"key_1\",\"userId\":\"u\",\"method\":\"POST\","
		"\"route\":\"/api/v1/opensips/call/:sessionId\",\"status\":201,\"bytes\":10,\"durationUs\":250,\"clientAddress\":\"127.0.0.1\"}");
	struct nxv_registration phone = { .username = text("user_1"), .user_id = text("u"), .contact = text("sip:user_1@127.0.0.1:5070"), .expires_seconds = 60 };
	struct nxv_registration *items[] = { &phone };
	struct nxv_registration_list list = { .count = 1, .items = items };
	expect(nxv_json_registrations(&list),
		"[{\"username\":\"user_1\",\"userId\":\"u\",\"contact\":\"sip:user_1@127.0.0.1:5070\",\"expiresSeconds\":60}]");
}

static void expect_data(const char *data, const char *expected)
{
	char whole[256];
	struct nxv_event event = { .seq = 4, .at_ms = 1000, .type = text("call.ringing"), .subject = text("s"), .data = text(data) };
	snprintf(whole, sizeof(whole),
		"{\"seq\":4,\"at\":\"1970-01-01T00:00:01.000Z\",\"type\":\"call.ringing\",\"subject\":\"s\",\"data\":%s}", expected);
	expect(nxv_json_event(&event), whole);
}

static void event_details_become_an_object(void **state)
{
	(void)state;
	expect_data("leg=a code=180", "{\"leg\":\"a\",\"code\":\"180\"}");
	expect_data("", "{}");
	expect_data(NULL, "{}");
	expect_data("leg=", "{\"leg\":\"\"}");
	expect_data("reason=Busy Here leg=b", "{\"reason\":\"Busy Here\",\"leg\":\"b\"}");
	expect_data("uri=sip:b@h;x=1 leg=b", "{\"uri\":\"sip:b@h;x=1\",\"leg\":\"b\"}");
	expect_data("a=1 b=2 a=3", "{\"a\":\"1\",\"b\":\"2\"}");
	expect_data("no pairs at all", "{}");
	expect_data("r=\"quoted\\", "{\"r\":\"\\\"quoted\\\\\"}");
}

static void strings_survive_hostile_bytes(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "\"\"" },
		{ "a\"b\\c/d", "\"a\\\"b\\\\c/d\"" },
		{ "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
		{ "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
		{ "a\x1b[31mred", "\"a\\u001b[31mred\"" },
		{ "\xC3\xB1", "\"\xC3\xB1\"" },
		{ "\xF0\x9F\x93\x9E", "\"\xF0\x9F\x93\x9E\"" },
		{ "\xEF\xBF\xBF", "\"\xEF\xBF\xBF\"" },
		{ "\xF4\x8F\xBF\xBF", "\"\xF4\x8F\xBF\xBF\"" },
		{ "\xFF", "\"\xEF\xBF\xBD\"" },
		{ "a\xC3", "\"a\xEF\xBF\xBD\"" },
		{ "\xC0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"" },                         /* overlong NUL */
		{ "\xE0\x80\x80x", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx\"" },       /* overlong */
		{ "\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },         /* surrogate */
		{ "\xF4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" }, /* past U+10FFFF */
		{ "\xE2\x82\"", "\"\xEF\xBF\xBD\xEF\xBF\xBD\\\"\"" },                   /* cut short before a quote */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(nxv_json_string(cases[i].in), cases[i].out);
}

static void every_byte_reads_back_as_json(void **state)
{
	char all[256];
	(void)state;
	for (int i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	all[255] = '\0';
	struct nxv_registration phone = { .username = text("u"), .contact = text("c"), .user_agent = all };
	struct nxv_registration *items[] = { &phone };
	struct nxv_registration_list list = { .count = 1, .items = items };
	char *json = nxv_json_registrations(&list);
	struct json_object *read = NULL;
	struct nxv_error err = NXV_ERROR_INIT;
	assert_non_null(json);
	if (json_read(json, strlen(json), JSON_MAX_BODY, &read, &err) != NXV_OK)
		fail_msg("%s: %s", err.message, json);
	const char *agent = json_text(json_object_array_get_idx(read, 0), "userAgent");
	assert_non_null(agent);
	assert_memory_equal(agent, all, 127);
	json_object_put(read);
	free(json);
}

static void csv_names_columns_as_json_names_members(void **state)
{
	static const char heads[] = "sessionId,status,direction,fromNumber,toNumber,userId,keyId,sipCredentials.username,"
		"sipCredentials.domain,twilioCallSid,answeredContact,requestId,startedAt,ringingAt,answeredAt,endedAt,durationSeconds,"
		"endReason,sipCode,callerSipCode,callerSipReason,calleeSipCode,calleeSipReason,queuePosition,error.code,error.message,error.carrierCode,seq\r\n";
	(void)state;
	expect(nxv_csv_session(NULL), heads);
}

static void csv_quotes_what_must_be_and_leaves_absent_cells_empty(void **state)
{
	const struct nxv_session call = { .id = text("session_1"), .status = NXV_CALL_NO_ANSWER, .direction = text("outbound-api"),
		.from_number = text("+15550100"), .to_number = text("+15550101"), .user_id = text("al,ice"),
		.end_reason = text("callee_no_answer"), .caller_sip_code = 200, .caller_sip_reason = text("OK"), .callee_sip_code = 487,
		.callee_sip_reason = text("Gone \"out\"\r\nfor lunch"), .seq = 7 };
	(void)state;
	expect(nxv_csv_session(&call),
		"session_1,no-answer,outbound-api,+15550100,+15550101,\"al,ice\",,,,,,,,,,,0,callee_no_answer,,200,OK,487,"
		"\"Gone \"\"out\"\"\r\nfor lunch\",,,,,7\r\n");
}

/* What a phone or a carrier said must not run in the spreadsheet of whoever opens the export. */
static void csv_is_no_formula(void **state)
{
	const struct nxv_session call = { .id = text("session_1"), .status = NXV_CALL_BUSY, .direction = text("outbound-dial"),
		.from_number = text("-2+3"), .to_number = text("+15550101"), .user_id = text("alice"), .caller_sip_code = 486,
		.caller_sip_reason = text("=HYPERLINK(\"http://x\")"), .callee_sip_code = 486, .callee_sip_reason = text("@SUM(1)"), .seq = 7 };
	(void)state;
	expect(nxv_csv_session(&call),
		"session_1,busy,outbound-dial,\"'-2+3\",+15550101,alice,,,,,,,,,,,0,,,486,\"'=HYPERLINK(\"\"http://x\"\")\",486,"
		"\"'@SUM(1)\",,,,,7\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_has_the_guides_shape),
		cmocka_unit_test(key_without_secret_expiry_and_use_leaves_them_out),
		cmocka_unit_test(lists_are_arrays_and_an_empty_one_too),
		cmocka_unit_test(credential_has_the_guides_shape),
		cmocka_unit_test(session_has_the_guides_shape),
		cmocka_unit_test(ended_session_tells_how_and_when),
		cmocka_unit_test(health_says_running_only_when_it_runs),
		cmocka_unit_test(usage_and_registration_have_stable_names),
		cmocka_unit_test(event_details_become_an_object),
		cmocka_unit_test(strings_survive_hostile_bytes),
		cmocka_unit_test(every_byte_reads_back_as_json),
		cmocka_unit_test(csv_names_columns_as_json_names_members),
		cmocka_unit_test(csv_quotes_what_must_be_and_leaves_absent_cells_empty),
		cmocka_unit_test(csv_is_no_formula),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
