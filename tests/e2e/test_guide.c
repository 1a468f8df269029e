/* test_guide.c - the integration guide's commands, run by the real curl as the guide writes them but for host, key and
 * ids; its answers, member by member. */
#include "pair.h"

#include <json-c/json.h>
#include <stdio.h>

/* Replace every occurrence of what the guide leaves to its reader. */
static void fill(const char *text, const char *const marks[][2], size_t count, char *out, size_t size)
{
	size_t len = 0;
	while (*text && len + 1 < size) {
		size_t i = 0;
		while (i < count && strncmp(text, marks[i][0], strlen(marks[i][0])) != 0) {
			i++;
		}
		if (i == count) {
			out[len++] = *text++;
			continue;
		}
		len += (size_t)snprintf(out + len, size - len, "%s", marks[i][1]);
		text += strlen(marks[i][0]);
	}
	out[len] = '\0';
}

static struct json_object *answer;

/* Run a command of the guide by a shell. @return the HTTP status; the body is in answer. */
static int run(const char *command, const char *key, const char *session)
{
	char text[2048], rc[128], *out = NULL;
	const char *const marks[][2] = { { "https://your-domain.com", gw.url }, { "sk_voip_abc123...", key },
		{ "session_1234567890_abc123", session ? session : "session_1234567890_abc123" }, { "user_123\"", "alice\"" } };
	fill(command, marks, 4, text, sizeof(text));
	snprintf(rc, sizeof(rc), "%s/.curlrc", gw.state);
	assert_true(proc_write_file(rc, "silent\nshow-error\nmax-time = 15\nwrite-out = \"\\n%{http_code}\"\n"));
	char home[128];
	snprintf(home, sizeof(home), "CURL_HOME=%s", gw.state);
	const char *const argv[] = { "env", home, "sh", "-c", text, NULL };
	assert_int_equal(proc_run(argv, &out, NULL, 20000), 0);
	char *code = strrchr(out, '\n');
	assert_non_null(code);
	*code++ = '\0';
	int status = atoi(code);
	json_free(answer);
	answer = json_parse(out);
	if (!answer) {
		print_error("%d %s\n", status, out);
	}
	free(out);
	assert_non_null(answer);
	return status;
}

/* The object has these members and no other. */
static void members(const char *path, const char *names)
{
	struct json_object *at = path[0] ? json_at(answer, path) : answer;
	assert_true(json_object_is_type(at, json_type_object));
	char wanted[512], *save = NULL;
	int count = 0;
	snprintf(wanted, sizeof(wanted), "%s", names);
	for (char *name = strtok_r(wanted, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
		bool optional = name[0] == '?', there = json_object_object_get_ex(at, name + optional, NULL);
		if (!there && !optional) {
			fail_msg("%s lacks the member %s: %s", path, name, json_object_to_json_string(answer));
		}
		count += there;
	}
	if (json_object_object_length(at) != count) {
		fail_msg("%s has members beyond \"%s\": %s", path, names, json_object_to_json_string(answer));
	}
}

static const char *text_of(const char *path)
{
	return json_text(answer, path);
}

static void begins(const char *path, const char *prefix)
{
	assert_true(strncmp(text_of(path), prefix, strlen(prefix)) == 0);
	assert_true(strlen(text_of(path)) > strlen(prefix));
}

static void permissions_are_call_sip_recording(const char *path)
{
	char at[80];
	static const char *const words[] = { "call", "sip", "recording" };
	assert_int_equal(json_object_array_length(json_at(answer, path)), 3);
	for (int i = 0; i < 3; i++) {
		snprintf(at, sizeof(at), "%s.%d", path, i);
		assert_string_equal(text_of(at), words[i]);
	}
}

static const char generate[] = "curl -X POST https://your-domain.com/api/v1/keys/voip/generate "
	"-H \"Authorization: Bearer sk_voip_abc123...\" -H \"Content-Type: application/json\" -d '{\n"
	"  \"userId\": \"user_123\",\n  \"name\": \"Production VoIP Key\",\n  \"permissions\": [\"call\", \"sip\", \"recording\"]\n}'";

static void generate_a_key(void)
{
	assert_int_equal(run(generate, gw.admin_key, NULL), 201);
	members("", "success key");
	assert_true(json_true(answer, "success"));
	members("key", "id key prefix service userId name active createdAt ?expiresAt ?lastUsedAt metadata");
	begins("key.id", "key_");
	begins("key.key", "sk_voip_");
	assert_string_equal(text_of("key.service"), "voip");
	assert_string_equal(text_of("key.userId"), "alice");
	assert_string_equal(text_of("key.name"), "Production VoIP Key");
	assert_true(json_true(answer, "key.active"));
	assert_near(json_time_ms(answer, "key.createdAt"), utc_ms(), 3000);
	members("key.metadata", "opensips_enabled twilio_integration permissions");
	assert_true(json_true(answer, "key.metadata.opensips_enabled"));
	assert_true(json_true(answer, "key.metadata.twilio_integration"));
	permissions_are_call_sip_recording("key.metadata.permissions");
}

static void start_the_sip_server(void)
{
	static const char command[] = "curl -X POST https://your-domain.com/api/v1/opensips/start \\\n"
		"  -H \"Authorization: Bearer sk_voip_abc123...\" \\\n  -H \"Content-Type: application/json\"";
	for (int i = 0; i < 2; i++) { /* idempotent */
		assert_int_equal(run(command, alice.key, NULL), 200);
		assert_true(json_true(answer, "success"));
		assert_string_equal(text_of("status"), "running");
		assert_string_equal(text_of("server"), gw.server);
		assert_true(strlen(text_of("version")) >= 3);
	}
}

static void generate_credentials(void)
{
	static const char command[] = "curl -X POST https://your-domain.com/api/v1/opensips/generate-credentials \\\n"
		"  -H \"Authorization: Bearer sk_voip_abc123...\" \\\n  -H \"Content-Type: application/json\" \\\n"
		"  -d '{\n    \"userId\": \"user_123\"\n  }'";
	char uri[160];
	assert_int_equal(run(command, alice.key, NULL), 201);
	members("", "success credentials");
	members("credentials", "id ?userId username password domain sipUri proxyServer ?createdAt ?expiresAt");
	begins("credentials.username", "user_");
	assert_int_equal(strspn(text_of("credentials.username") + 5, "0123456789"), strlen(text_of("credentials.username")) - 5);
	assert_true(strlen(text_of("credentials.password")) >= 16);
	assert_string_equal(text_of("credentials.domain"), gw.domain);
	snprintf(uri, sizeof(uri), "sip:%s@%s", text_of("credentials.username"), gw.domain);
	assert_string_equal(text_of("credentials.sipUri"), uri);
	assert_string_equal(text_of("credentials.proxyServer"), gw.sip);
}

static const char initiate[] = "curl -X POST https://your-domain.com/api/v1/opensips/call/initiate \\\n"
	"  -H \"Authorization: Bearer sk_voip_abc123...\" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{\n"
	"    \"fromNumber\": \"+1234567890\",\n    \"toNumber\": \"+0987654321\",\n    \"useTwilio\": true\n  }'";

static void initiate_over_twilio_says_how_to_configure_it(void)
{
	assert_int_equal(run(initiate, alice.key, NULL), 503);
	members("", "success error requestId");
	assert_string_equal(text_of("error.code"), "twilio_not_configured");
	assert_true(strlen(text_of("error.message")) > 20);
}

static const char session_members[] = "sessionId status direction fromNumber toNumber userId sipCredentials ?keyId ?twilioCallSid "
	"?answeredContact ?requestId startedAt ?ringingAt ?answeredAt ?endedAt ?durationSeconds ?endReason ?sipCode seq";

static void initiate_read_and_end_a_call(void)
{
	static const char show[] = "curl https://your-domain.com/api/v1/opensips/call/session_1234567890_abc123 \\\n"
		"  -H \"Authorization: Bearer sk_voip_abc123...\"";
	static const char end[] = "curl -X POST https://your-domain.com/api/v1/opensips/call/session_1234567890_abc123/end \\\n"
		"  -H \"Authorization: Bearer sk_voip_abc123...\"";
	char id[96], command[1024], to[80];
	const char *const marks[][2] = { { "+0987654321", to }, { "true", "false" } };
	pair_reset();
	phone_script(alice.phone, (struct phone_script){ .manner = PHONE_RINGS });
	snprintf(to, sizeof(to), "%s", bob.username);
	fill(initiate, marks, 2, command, sizeof(command));
	assert_int_equal(run(command, alice.key, NULL), 201);
	members("", "success session");
	members("session", session_members);
	begins("session.sessionId", "session_");
	assert_string_equal(text_of("session.status"), "ringing");
	assert_string_equal(text_of("session.direction"), "outbound-api");
	assert_string_equal(text_of("session.fromNumber"), "+1234567890");
	assert_string_equal(text_of("session.toNumber"), bob.username);
	assert_string_equal(text_of("session.userId"), "alice");
	members("session.sipCredentials", "username domain");
	assert_string_equal(text_of("session.sipCredentials.domain"), gw.domain);
	snprintf(id, sizeof(id), "%s", text_of("session.sessionId"));
	assert_int_equal(run(show, alice.key, id), 200);
	members("session", session_members);
	assert_string_equal(text_of("session.sessionId"), id);
	assert_string_equal(text_of("session.status"), "ringing");
	assert_int_equal(run(end, alice.key, id), 200);
	assert_string_equal(text_of("session.status"), "canceled");
	assert_string_equal(text_of("session.endReason"), "ended_by_api");
	assert_int_equal(run(end, alice.key, id), 200);
	assert_string_equal(text_of("session.status"), "canceled");
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
}

static void health(void)
{
	static const char command[] = "curl https://your-domain.com/api/v1/opensips/health \\\n  -H \"Authorization: Bearer sk_voip_abc123...\"";
	assert_int_equal(run(command, alice.key, NULL), 200);
	assert_string_equal(text_of("opensipsStatus"), "running");
	assert_int_equal(json_number(answer, "activeCalls"), 0);
	assert_true(json_object_is_type(json_at(answer, "serverUptime"), json_type_boolean));
	assert_true(json_true(answer, "serverUptime"));
}

static void list_disable_and_delete_keys(void)
{
	static const char list[] = "curl 'https://your-domain.com/api/v1/keys?userId=alice' -H \"Authorization: Bearer sk_voip_abc123...\"";
	static const char toggle[] = "curl -X POST https://your-domain.com/api/v1/keys/session_1234567890_abc123/toggle "
		"-H \"Authorization: Bearer sk_voip_abc123...\"";
	static const char delete[] = "curl -X DELETE https://your-domain.com/api/v1/keys/session_1234567890_abc123 "
		"-H \"Authorization: Bearer sk_voip_abc123...\"";
	char id[64], secret[160];
	assert_int_equal(run(generate, gw.admin_key, NULL), 201);
	snprintf(id, sizeof(id), "%s", text_of("key.id"));
	snprintf(secret, sizeof(secret), "%s", text_of("key.key"));
	assert_int_equal(run(list, alice.key, NULL), 200);
	members("", "success keys ?nextCursor");
	members("keys.0", "id prefix service userId name active createdAt ?expiresAt ?lastUsedAt metadata");
	assert_null(strstr(json_object_to_json_string(answer), secret));
	assert_string_equal(text_of("keys.0.id"), id); /* newest first */
	assert_int_equal(run(list, secret, NULL), 200);
	assert_int_equal(run(toggle, gw.admin_key, id), 200);
	assert_string_equal(text_of("key.id"), id);
	assert_false(json_true(answer, "key.active"));
	assert_int_equal(run(list, secret, NULL), 401);
	assert_int_equal(run(toggle, gw.admin_key, id), 200);
	assert_int_equal(run(list, secret, NULL), 200);
	assert_int_equal(run(delete, gw.admin_key, id), 200);
	members("", "success");
	assert_int_equal(run(list, secret, NULL), 401);
	assert_int_equal(run(delete, gw.admin_key, id), 404);
}

static const struct CMUnitTest tests[] = {
	E2E(generate_a_key), E2E(start_the_sip_server), E2E(generate_credentials), E2E(initiate_over_twilio_says_how_to_configure_it),
	E2E(initiate_read_and_end_a_call), E2E(health), E2E(list_disable_and_delete_keys),
};

int main(int argc, char **argv)
{
	const struct e2e_suite suite = { "the guide", tests, sizeof(tests) / sizeof(tests[0]), NULL, 60, pair_setup, false };
	return e2e_main(argc, argv, &suite);
}
