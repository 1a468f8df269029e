/* test_trace.c - timelines: entries come back in order, events stand where they happened, old ones go, hostile text stays text. */
#include "../fixture.h"

#include <nexusvoip/trace.h>
#include <nexusvoip/wire.h>

#include "events/event_log.h"
#include "trace/trace_log.h"

static struct fixture f;
static struct loop *loop;
static struct trace_log *trace_log;

static int setup(void **state)
{
	(void)state;
	fixture_open(&f, NULL);
	assert_int_equal(loop_open(&loop, NULL), NXV_OK);
	assert_int_equal(trace_log_open(&f.ctx.env, loop, f.ctx.db, 7, &trace_log, NULL), NXV_OK);
	fixture_sql(&f, "INSERT INTO session (id, state, status, direction, carrier, from_number, to_number, user_id, request_id, "
			"started_at_ms) VALUES ('session_1', 'up', 'in-progress', 'outbound-api', 'sip', '+1', '<b>&', 'alice', 'r1', 1)");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	trace_log_close(trace_log);
	loop_close(loop);
	fixture_close(&f);
	return 0;
}

static void store(void)
{
	trace_log_close(trace_log);
	assert_int_equal(trace_log_open(&f.ctx.env, loop, f.ctx.db, 7, &trace_log, NULL), NXV_OK);
}

static void add_event(const char *type, int64_t at_ms)
{
	struct db_tx *tx;

	assert_int_equal(db_begin(f.ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(event_append(tx, at_ms, type, "session_1", "alice", "status=x", NULL, NULL), NXV_OK);
	assert_int_equal(db_commit(tx, NULL), NXV_OK);
}

static struct nxv_trace *get(void)
{
	struct nxv_trace *trace = NULL;
	struct nxv_error err = NXV_ERROR_INIT;

	store();
	if (nxv_trace_get(&f.ctx, "session_1", &trace, &err) != NXV_OK)
		fail_msg("%s", err.message);
	return trace;
}

static void expect_order(const char *const *summaries)
{
	struct nxv_trace *trace = get();

	for (size_t i = 0; i < trace->count; i++) {
		assert_non_null(summaries[i]);
		assert_string_equal(trace->items[i].summary, summaries[i]);
	}
	assert_null(summaries[trace->count]);
	nxv_trace_free(trace);
}

static void entries_of_all_sources_come_in_order(void **state)
{
	static const char *const order[] = { "POST /call", "INVITE", "180 Ringing", "call.ringing", "201 (POST, 5.0 ms)", "BYE", NULL };
	struct nxv_usage use = { .at_ms = f.now_ms, .request_id = (char *)"r1", .key_id = (char *)"k", .user_id = (char *)"alice",
		.method = (char *)"POST", .route = (char *)"/call", .status = 201, .duration_us = 5000, .subject = (char *)"session_1" };

	(void)state;
	assert_int_equal(usage_log_write(f.ctx.usage, &use, NULL), NXV_OK);
	trace_note(trace_log, "session_1", NXV_TRACE_SIP, 'a', true, "INVITE", "INVITE sip:x");
	f.now_ms += 2;
	trace_note(trace_log, "session_1", NXV_TRACE_SIP, 'a', false, "180 Ringing", NULL);
	add_event("call.ringing", f.now_ms);
	f.now_ms += 5;
	trace_note(trace_log, "session_1", NXV_TRACE_SIP, 'a', true, "BYE", NULL);
	trace_note(trace_log, "session_2", NXV_TRACE_SIP, 'a', true, "another call's", NULL);
	expect_order(order);
}

static void write_use(const char *method, int count)
{
	struct nxv_usage use = { .request_id = (char *)"r1", .key_id = (char *)"k", .user_id = (char *)"alice",
		.method = (char *)method, .route = (char *)"/call", .status = 200, .subject = (char *)"session_1" };

	for (int i = 0; i < count; i++) {
		use.at_ms = ++f.now_ms;
		assert_int_equal(usage_log_write(f.ctx.usage, &use, NULL), NXV_OK);
	}
}

static void polls_of_hours_do_not_bury_a_call(void **state)
{
	struct nxv_trace *trace;

	(void)state;
	write_use("GET", 1002);
	write_use("POST", 1);
	trace = get();
	assert_int_equal(trace->count, 2 * 1000 + 1 + 2);
	assert_string_equal(trace->items[2000].summary, "(more GET requests are not shown)");
	assert_string_equal(trace->items[2001].summary, "POST /call");
	nxv_trace_free(trace);
}

/* All in one millisecond: the order of cause is that of the marks. */
static void events_stand_where_they_happened(void **state)
{
	static const char *const order[] = { "call.queued", "ask", "answer", "call.placed", "INVITE", "call.canceled", "CANCEL", NULL };

	(void)state;
	add_event("call.queued", f.now_ms);
	trace_note(trace_log, "session_1", NXV_TRACE_CONTROL, 'a', true, "ask", NULL);
	trace_note(trace_log, "session_1", NXV_TRACE_CONTROL, 'a', false, "answer", NULL);
	trace_note(trace_log, "session_1", NXV_TRACE_EVENT, 0, true, "call.placed", NULL);
	add_event("call.placed", f.now_ms);
	trace_note(trace_log, "session_1", NXV_TRACE_SIP, 'a', true, "INVITE", NULL);
	trace_note(trace_log, "session_1", NXV_TRACE_EVENT, 0, true, "call.never_stored", NULL);
	trace_note(trace_log, "session_1", NXV_TRACE_EVENT, 0, true, "call.canceled", NULL);
	add_event("call.canceled", f.now_ms);
	trace_note(trace_log, "session_1", NXV_TRACE_SIP, 'a', true, "CANCEL", NULL);
	expect_order(order);
}

static void old_entries_are_dropped(void **state)
{
	(void)state;
	trace_note(trace_log, "session_1", NXV_TRACE_SIP, 'a', true, "old", NULL);
	store();
	f.now_ms += INT64_C(6) * 86400000;
	trace_note(trace_log, "session_1", NXV_TRACE_SIP, 'a', true, "new", NULL);
	f.now_ms += INT64_C(2) * 86400000;
	store();
	struct loop_timer *stop = loop_timer_new(loop, (loop_fn *)loop_stop, loop);
	loop_timer_start(stop, 500);
	assert_int_equal(loop_run(loop, NULL), NXV_OK);
	loop_timer_free(stop);
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM trace"), 1);
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM trace WHERE summary = 'new'"), 1);
}

static void nothing_is_kept_for_no_days(void **state)
{
	struct trace_log *none = NULL;

	(void)state;
	assert_int_equal(trace_log_open(&f.ctx.env, loop, f.ctx.db, 0, &none, NULL), NXV_OK);
	assert_null(none);
	trace_note(none, "session_1", NXV_TRACE_SIP, 'a', true, "INVITE", NULL);
	trace_notef(none, "session_1", NXV_TRACE_SIP, 'a', true, "%s", "INVITE");
	trace_log_close(none);
}

static void unknown_call_is_not_found(void **state)
{
	struct nxv_trace *trace = NULL;

	(void)state;
	assert_int_equal(nxv_trace_get(&f.ctx, "session_9", &trace, NULL), NXV_E_NOT_FOUND);
	assert_null(trace);
}

static void ladder_escapes_what_phones_say(void **state)
{
	struct nxv_trace *trace;
	char *svg;

	(void)state;
	trace_note(trace_log, "session_1", NXV_TRACE_SIP, 'b', false, "200 </text><script>", "a\x01 \xff & <x>\r\nb");
	trace = get();
	svg = nxv_trace_ladder(trace);
	assert_non_null(svg);
	assert_null(strstr(svg, "<script>"));
	assert_non_null(strstr(svg, "200 &lt;/text&gt;&lt;script&gt;"));
	assert_non_null(strstr(svg, "&lt;b&gt;&amp;"));
	assert_non_null(strstr(svg, "<title>a  \xEF\xBF\xBD &amp; &lt;x&gt;\nb</title>"));
	assert_non_null(strstr(svg, "callee's leg"));
	assert_null(strstr(svg, "Twilio"));
	free(svg);
	nxv_trace_free(trace);
}

static void ladder_draws_twilio_in_a_lane_of_its_own(void **state)
{
	struct nxv_trace *trace;
	char *svg;

	(void)state;
	trace_note(trace_log, "session_1", NXV_TRACE_TWILIO, 0, true, "POST /Calls.json", NULL);
	trace_note(trace_log, "session_1", NXV_TRACE_TWILIO, 'b', false, "webhook: ringing, sequence 1", "CallSid=CA1");
	trace = get();
	svg = nxv_trace_ladder(trace);
	assert_non_null(strstr(svg, ">Twilio</text>"));
	assert_non_null(strstr(svg, ">POST /Calls.json</text>"));
	assert_non_null(strstr(svg, "<title>CallSid=CA1</title>"));
	assert_non_null(strstr(svg, ">callee: webhook: ringing, sequence 1</text>"));
	assert_null(strstr(svg, "callee's leg"));
	free(svg);
	nxv_trace_free(trace);
}

static void json_tells_the_call_and_its_entries(void **state)
{
	struct nxv_trace *trace;
	char *json;

	(void)state;
	trace_note(trace_log, "session_1", NXV_TRACE_SIP, 'b', false, "200 OK", NULL);
	trace = get();
	json = nxv_json_trace(trace);
	assert_int_equal(strncmp(json, "{\"sessionId\":\"session_1\",\"requestId\":\"r1\",\"fromNumber\":\"+1\",", 58), 0);
	assert_non_null(strstr(json, "\"outcome\":\"in-progress\",\"timeline\":[{\"at\":"));
	assert_non_null(strstr(json, "\"kind\":\"sip\",\"leg\":\"callee\",\"sent\":false,\"summary\":\"200 OK\"}]}"));
	free(json);
	nxv_trace_free(trace);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(entries_of_all_sources_come_in_order),
		TEST(events_stand_where_they_happened),
		TEST(polls_of_hours_do_not_bury_a_call),
		TEST(old_entries_are_dropped),
		TEST(nothing_is_kept_for_no_days),
		TEST(unknown_call_is_not_found),
		TEST(ladder_escapes_what_phones_say),
		TEST(ladder_draws_twilio_in_a_lane_of_its_own),
		TEST(json_tells_the_call_and_its_entries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
