/* test_records.c - what is left of a call: its record with both legs' SIP answers, exports, and its timeline. */
#include "pair.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct phone_script busy = { .manner = PHONE_REFUSES, .code = 486, .ring_ms = 100 };
static const struct phone_script rings = { .manner = PHONE_RINGS };

static struct json_object *record(const struct told *call)
{
	assert_int_equal(gateway_ctl(&gw, "call show %s", call->id), 0);
	return gateway_ctl_json();
}

static void answers_of_both_legs_are_on_record(void)
{
	struct told call;
	pair_reset();
	phone_script(bob.phone, busy);
	pair_start(&call);
	pair_expect(&call, "busy", "callee_busy");
	struct json_object *json = record(&call);
	assert_int_equal(json_number(json, "callerSipCode"), 200);
	assert_int_equal(json_number(json, "calleeSipCode"), 486);
	assert_string_not_equal(json_text(json, "calleeSipReason"), "");
}

static void answer_to_our_cancel_is_on_record(void)
{
	struct told call;
	pair_reset();
	phone_script(bob.phone, rings);
	pair_start(&call);
	assert_true(phone_wait(bob.phone, 0, PHONE_RINGING, SOON_MS));
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	pair_expect(&call, "canceled", "ended_by_api");
	assert_int_equal(json_number(record(&call), "calleeSipCode"), 487);
}

static void answer_to_a_dialled_call_is_on_record(void)
{
	struct told call;
	pair_reset();
	phone_script(bob.phone, busy);
	assert_int_equal(phone_dial(alice.phone, bob.username), 0);
	pair_find_dialled(&call);
	pair_expect(&call, "busy", "callee_busy");
	struct json_object *json = record(&call);
	assert_int_equal(json_number(json, "callerSipCode"), 486);
	assert_int_equal(json_number(json, "calleeSipCode"), 486);
}

/* As when the SIP server's own ringing time is over, and the phone answers its CANCEL before the server has given up. */
static void terminated_by_nobody_is_no_hangup_of_the_caller(void)
{
	struct told call;
	pair_reset();
	phone_script(bob.phone, (struct phone_script){ .manner = PHONE_REFUSES, .code = 487, .ring_ms = 100 });
	assert_int_equal(phone_dial(alice.phone, bob.username), 0);
	pair_find_dialled(&call);
	pair_expect(&call, "no-answer", "callee_no_answer");
	assert_int_equal(json_number(record(&call), "sipCode"), 408);
	assert_true(phone_wait(alice.phone, 0, PHONE_ENDED, SOON_MS));
	struct phone_call heard;
	assert_true(phone_call(alice.phone, 0, &heard));
	assert_int_equal(heard.code, 408);
}

static size_t count_lines(const char *text)
{
	size_t n = 0;
	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* The CSV of the API, page by page as its Link header says; the newest call is first. */
static size_t read_csv(char *row, size_t size)
{
	char path[256] = "/api/v1/opensips/calls?format=csv&limit=2";
	size_t lines = 0;
	for (bool first = true; *path; first = false) {
		struct http_reply *reply = gateway_http(&gw, "GET", path, alice.key, NULL);
		assert_int_equal(reply->status, 200);
		assert_non_null(strstr(http_header(reply, "Content-Type"), "text/csv"));
		assert_int_equal(strncmp(reply->body, "sessionId,status,", 17) == 0, first);
		if (first)
			snprintf(row, size, "%.*s", (int)strcspn(strchr(reply->body, '\n') + 1, "\r"), strchr(reply->body, '\n') + 1);
		lines += count_lines(reply->body);
		snprintf(path, sizeof(path), "%s", http_header(reply, "Link")[0] ? http_header(reply, "Link") + 1 : "");
		path[strcspn(path, ">")] = '\0';
	}
	return lines;
}

static void exports_hold_every_call_and_agree(void)
{
	char row[1024];
	struct told call;
	pair_reset();
	pair_talk(&call);
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	pair_expect(&call, "completed", "ended_by_api");
	size_t lines = read_csv(row, sizeof(row));
	assert_int_equal(strncmp(row, call.id, strlen(call.id)), 0);
	assert_int_equal(gateway_ctl(&gw, "call export --user alice --format csv"), 0);
	assert_int_equal(count_lines(gateway_ctl_out()), lines);
	assert_non_null(strstr(gateway_ctl_out(), row));
	struct http_reply *reply = gateway_http(&gw, "GET", "/api/v1/opensips/calls?format=jsonl&limit=1", alice.key, NULL);
	assert_string_equal(http_header(reply, "Content-Type"), "application/jsonl");
	assert_string_equal(json_text(reply->json, "sessionId"), call.id);
	assert_int_equal(gateway_ctl(&gw, "call export --user alice --format jsonl"), 0);
	assert_int_equal(count_lines(gateway_ctl_out()), lines - 1);
}

/* Index of the first entry from `from` on; -1 if there is none. */
static int find_entry(struct json_object *timeline, int from, const char *kind, const char *leg, const char *begins)
{
	for (int i = from; i < (int)json_object_array_length(timeline); i++) {
		struct json_object *entry = json_object_array_get_idx(timeline, (size_t)i);
		if (strcmp(json_text(entry, "kind"), kind) == 0 && strcmp(json_text(entry, "leg"), leg) == 0 &&
			strncmp(json_text(entry, "summary"), begins, strlen(begins)) == 0)
			return i;
	}
	return -1;
}

static void expect_story(struct json_object *timeline)
{
	static const struct {
		const char *kind, *leg, *begins;
	} story[] = { { "http", "none", "POST /api/v1/opensips/call/initiate" }, { "event", "none", "call.queued" },
		{ "control", "caller", "which phones" }, { "control", "callee", "which phones" }, { "sip", "caller", "INVITE sip:" },
		{ "sip", "caller", "180 " }, { "event", "none", "call.caller_ringing" }, { "sip", "caller", "200 " },
		{ "sip", "callee", "INVITE sip:" }, { "sip", "callee", "200 " }, { "event", "none", "call.callee_answered" },
		{ "event", "none", "call.joined" }, { "http", "none", "POST /api/v1/opensips/call/:sessionId/end" },
		{ "event", "none", "call.completed" }, { "sip", "callee", "200 " } };
	int at = -1;
	for (size_t i = 0; i < sizeof(story) / sizeof(story[0]); i++) {
		int found = find_entry(timeline, at + 1, story[i].kind, story[i].leg, story[i].begins);
		if (found < 0)
			fail_msg("no %s %s %s after entry %d", story[i].kind, story[i].leg, story[i].begins, at);
		at = found;
	}
	for (size_t i = 1; i < json_object_array_length(timeline); i++)
		assert_true(json_time_ms(json_object_array_get_idx(timeline, i - 1), "at") <=
			json_time_ms(json_object_array_get_idx(timeline, i), "at"));
}

/* Its timeline, once an entry that comes late is in it: entries are stored a tenth of a second after the fact. */
static struct json_object *trace_with(const struct told *call, const char *kind, const char *leg, const char *begins)
{
	struct json_object *timeline = NULL;
	for (int tries = 0; tries < 50; tries++) {
		assert_int_equal(gateway_ctl(&gw, "call trace %s", call->id), 0);
		timeline = json_at(gateway_ctl_json(), "timeline");
		if (find_entry(timeline, 0, kind, leg, begins) >= 0)
			return timeline;
		nanosleep(&(struct timespec){ .tv_nsec = 50 * 1000000L }, NULL);
	}
	fail_msg("no %s %s %s in %s", kind, leg, begins, gateway_ctl_out());
	return timeline;
}

static void timeline_tells_the_whole_call_in_order(void)
{
	struct told call;
	pair_reset();
	pair_talk(&call);
	trace_with(&call, "event", "none", "call.joined");
	const struct phone_ask careless = { .method = "OPTIONS",
		.lines = "Proxy-Authorization : Digest response=\"0123\"\r\nAUTHORIZATION\t: Digest\r\n response=\"4567\"\r\n" };
	assert_int_equal(phone_ask(alice.phone, 0, &careless, NULL, 0), 200);
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	pair_expect(&call, "completed", "ended_by_api");
	expect_story(trace_with(&call, "sip", "caller", "200 OK (BYE)"));
	assert_string_equal(json_text(gateway_ctl_json(), "outcome"), "completed, ended_by_api");
	assert_null(strstr(gateway_ctl_out(), "response="));
	assert_non_null(strstr(gateway_ctl_out(), "Authorization: (left out)"));
	size_t entries = json_object_array_length(json_at(gateway_ctl_json(), "timeline")), drawn = 0;
	assert_int_equal(gateway_ctl(&gw, "call trace %s --format svg", call.id), 0);
	assert_int_equal(strncmp(gateway_ctl_out(), "<svg ", 5), 0);
	for (const char *g = gateway_ctl_out(); (g = strstr(g, "<g>")) != NULL; g++)
		drawn++;
	assert_int_equal(drawn, entries);
	assert_int_equal(gateway_ctl(&gw, "call trace %s --format text", call.id), 0);
	assert_non_null(strstr(gateway_ctl_out(), "-> INVITE sip:"));
	assert_int_equal(gateway_ctl(&gw, "usage list --call %s", call.id), 0);
	assert_true(json_object_array_length(gateway_ctl_json()) >= 2);
}

static void timeline_of_a_dialled_call_has_the_servers_reports(void)
{
	struct told call;
	pair_reset();
	assert_int_equal(phone_dial(alice.phone, bob.username), 0);
	assert_true(phone_wait(bob.phone, 0, PHONE_ACKED, SOON_MS));
	pair_find_dialled(&call);
	phone_hangup(bob.phone, 0);
	pair_expect(&call, "completed", "hangup_callee");
	struct json_object *timeline = trace_with(&call, "control", "none", "report: ended");
	int dialled = find_entry(timeline, 0, "control", "caller", "report: ");
	int answered = find_entry(timeline, 0, "control", "none", "report: answered");
	int ended = find_entry(timeline, 0, "control", "none", "report: ended");
	assert_true(dialled >= 0 && answered > dialled && ended > answered);
}

static const struct CMUnitTest tests[] = {
	E2E(answers_of_both_legs_are_on_record), E2E(answer_to_our_cancel_is_on_record), E2E(answer_to_a_dialled_call_is_on_record),
	E2E(terminated_by_nobody_is_no_hangup_of_the_caller),
	E2E(exports_hold_every_call_and_agree), E2E(timeline_tells_the_whole_call_in_order),
	E2E(timeline_of_a_dialled_call_has_the_servers_reports),
};


int main(int argc, char **argv)
{
	const struct e2e_suite suite = { "records", tests, sizeof(tests) / sizeof(tests[0]), NULL, 60, pair_setup, false };
	return e2e_main(argc, argv, &suite);
}
