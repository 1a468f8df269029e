/* test_calls.c - calls placed by the API, from the order to the ending. */
#include "stage.h"
#include "trace/trace_log.h"

static void answered_call_is_told_step_by_step(void **state)
{
	struct nxv_session *s;

	(void)state;
	place();
	st.f.now_ms += 100;
	tell(CARRIER_A_RINGING, 180, NULL);
	st.f.now_ms += 1000;
	tell(CARRIER_A_ANSWERED, 200, NULL);
	tell(CARRIER_B_RINGING, 180, NULL);
	st.f.now_ms += 1000;
	tell(CARRIER_B_ANSWERED, 200, "sip:user_9@127.0.0.1:9");
	tell(CARRIER_JOINED, 0, NULL);
	s = fetch();
	assert_int_equal(s->status, NXV_CALL_IN_PROGRESS);
	assert_int_equal(s->ringing_at_ms, FIXTURE_NOW_MS + 100);
	assert_int_equal(s->answered_at_ms, FIXTURE_NOW_MS + 2100);
	assert_string_equal(s->answered_contact, "sip:user_9@127.0.0.1:9");
	nxv_session_free(s);
	st.f.now_ms += 61500;
	tell(CARRIER_B_HANGUP, 0, NULL);
	expect_end(NXV_CALL_COMPLETED, "hangup_callee", 0);
	tell(CARRIER_DOWN, 0, NULL);
	s = fetch();
	assert_int_equal(s->duration_seconds, 61);
	assert_string_equal(s->end_reason, "hangup_callee");
	nxv_session_free(s);
}

static void events_rise_and_tell_the_same_story(void **state)
{
	struct nxv_event_opts opts = NXV_EVENT_OPTS_INIT;
	struct nxv_event_list *list;
	struct nxv_session *s;
	static const char *const types[] = { "call.placed", "call.caller_ringing", "call.busy" };

	(void)state;
	place();
	tell(CARRIER_A_RINGING, 180, NULL);
	tell(CARRIER_A_FAILED, 486, NULL);
	opts.subject = "session_1";
	assert_int_equal(nxv_event_pull(&st.f.ctx, &opts, &list, NULL), NXV_OK);
	assert_int_equal(list->count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(list->items[i]->type, types[i]);
		assert_true(i == 0 || list->items[i]->seq > list->items[i - 1]->seq);
	}
	assert_non_null(strstr(list->items[2]->data, "reason=caller_busy"));
	assert_non_null(strstr(list->items[2]->data, "sipCode=486"));
	s = fetch();
	assert_int_equal(s->seq, list->items[2]->seq);
	nxv_session_free(s);
	nxv_event_list_free(list);
}

/* In the order of what came first, though all happens in one millisecond. */
static void timeline_has_events_where_they_happened(void **state)
{
	static const char *const order[] = { "which phones are registered for user_1 user_2?", "plain phones",
		"which phones are registered for user_9?", "plain phones", "call.placed", "180 Ringing (INVITE)", "call.caller_ringing",
		"report: ended by the phone", "call.failed", NULL };
	const struct calls_report ended = { .kind = REPORT_ENDED, .call_id = "session_1-a", .session = "session_1", .leg = "a", .owner = "",
		.from_user = "", .to_user = "", .who = "callee", .contact = "", .reason = "", .at_ms = st.f.now_ms };
	struct nxv_trace *trace;

	(void)state;
	calls_close(st.calls);
	assert_int_equal(trace_log_open(&st.f.ctx.env, st.loop, st.f.ctx.db, 7, &st.trace, NULL), NXV_OK);
	open_calls(MAX_SECONDS);
	place();
	trace_note(st.trace, "session_1", NXV_TRACE_SIP, 'a', false, "180 Ringing (INVITE)", NULL);
	tell(CARRIER_A_RINGING, 180, NULL);
	calls_report(st.calls, &ended);
	tell(CARRIER_LOST, 0, NULL);
	trace_log_close(st.trace);
	assert_int_equal(nxv_trace_get(&st.f.ctx, "session_1", &trace, NULL), NXV_OK);
	for (size_t i = 0; i < trace->count; i++) {
		assert_non_null(order[i]);
		assert_string_equal(trace->items[i].summary, order[i]);
	}
	assert_null(order[trace->count]);
	nxv_trace_free(trace);
}

static void caller_without_a_phone_is_not_called(void **state)
{
	(void)state;
	st.a_contacts = 0;
	place();
	assert_int_equal(st.placed, 0);
	expect_end(NXV_CALL_FAILED, "caller_not_registered", 0);
}

static void callee_without_a_phone_does_not_ring_the_caller(void **state)
{
	(void)state;
	st.b_contacts = 0;
	place();
	assert_int_equal(st.placed, 0);
	expect_end(NXV_CALL_FAILED, "callee_not_registered", 0);
}

static void browser_and_plain_phone_ring_nobody(void **state)
{
	(void)state;
	st.a_contacts = CARRIER_MEDIA_WEB;
	st.b_contacts = CARRIER_MEDIA_PLAIN;
	place();
	assert_int_equal(st.placed, 0);
	expect_end(NXV_CALL_FAILED, "media_incompatible", 0);
}

static void phones_that_can_talk_to_each_other_are_rung(void **state)
{
	(void)state;
	st.a_contacts = CARRIER_MEDIA_WEB | CARRIER_MEDIA_PLAIN;
	st.b_contacts = CARRIER_MEDIA_WEB;
	place();
	assert_int_equal(st.placed, 1);
	assert_int_equal(st.media, CARRIER_MEDIA_WEB);
}

static void call_fails_when_the_sip_server_cannot_be_asked(void **state)
{
	(void)state;
	st.registered_status = NXV_E_UNREACHABLE;
	place();
	expect_end(NXV_CALL_FAILED, "server_lost", 0);
}

static void call_fails_when_the_carrier_refuses(void **state)
{
	(void)state;
	st.place_status = NXV_E_IO;
	place();
	expect_end(NXV_CALL_FAILED, "server_lost", 0);
}

static void api_end_cancels_a_ringing_call_and_completes_one_that_is_up(void **state)
{
	(void)state;
	place();
	tell(CARRIER_A_RINGING, 180, NULL);
	assert_int_equal(calls_end(st.calls, "session_1", NULL), NXV_OK);
	assert_int_equal(st.ended, 1);
	expect_end(NXV_CALL_CANCELED, "ended_by_api", 0);
	assert_int_equal(calls_end(st.calls, "session_1", NULL), NXV_OK); /* again: harmless */
	assert_int_equal(st.ended, 1);
}

static void carrier_may_report_down_from_inside_end(void **state)
{
	(void)state;
	st.end_is_down = true;
	place();
	tell(CARRIER_A_ANSWERED, 200, NULL);
	tell(CARRIER_B_ANSWERED, 200, NULL);
	assert_int_equal(calls_end(st.calls, "session_1", NULL), NXV_OK);
	expect_end(NXV_CALL_COMPLETED, "ended_by_api", 0);
}

static void answer_that_crosses_the_end_changes_nothing(void **state)
{
	(void)state;
	place();
	tell(CARRIER_A_RINGING, 180, NULL);
	calls_end(st.calls, "session_1", NULL);
	tell(CARRIER_A_ANSWERED, 200, NULL);
	tell(CARRIER_DOWN, 0, NULL);
	expect_end(NXV_CALL_CANCELED, "ended_by_api", 0);
}

static void end_of_an_unknown_call_is_not_found(void **state)
{
	(void)state;
	assert_int_equal(calls_end(st.calls, "session_none", NULL), NXV_E_NOT_FOUND);
}

static void stop_loop(void *arg)
{
	(void)arg;
	loop_stop(st.loop);
}

static void longest_duration_ends_the_call(void **state)
{
	struct loop_timer *timer = loop_timer_new(st.loop, stop_loop, NULL);

	(void)state;
	calls_close(st.calls);
	open_calls(0);
	place();
	tell(CARRIER_A_ANSWERED, 200, NULL);
	tell(CARRIER_B_ANSWERED, 200, NULL);
	loop_timer_start(timer, 30);
	assert_int_equal(loop_run(st.loop, NULL), NXV_OK);
	loop_timer_free(timer);
	assert_int_equal(st.ended, 1);
	expect_end(NXV_CALL_COMPLETED, "max_duration", 0);
}

static void step_that_cannot_be_stored_is_stored_later(void **state)
{
	struct loop_timer *timer = loop_timer_new(st.loop, stop_loop, NULL);
	struct nxv_session *s;

	(void)state;
	place();
	fixture_sql(&st.f, "ALTER TABLE event RENAME TO event_away");
	tell(CARRIER_A_RINGING, 180, NULL);
	s = fetch();
	assert_int_equal(s->status, NXV_CALL_QUEUED);
	nxv_session_free(s);
	fixture_sql(&st.f, "ALTER TABLE event_away RENAME TO event");
	loop_timer_start(timer, 400);
	assert_int_equal(loop_run(st.loop, NULL), NXV_OK);
	loop_timer_free(timer);
	s = fetch();
	assert_int_equal(s->status, NXV_CALL_RINGING);
	nxv_session_free(s);
}

static void final_answers_of_both_legs_are_on_record(void **state)
{
	struct nxv_session *s;

	(void)state;
	place();
	tell(CARRIER_A_FINAL, 200, NULL);
	tell(CARRIER_A_ANSWERED, 200, NULL);
	tell(CARRIER_B_FINAL, 486, NULL);
	tell(CARRIER_B_FAILED, 486, NULL);
	s = fetch();
	assert_int_equal(s->caller_sip_code, 200);
	assert_int_equal(s->callee_sip_code, 486);
	assert_string_equal(s->callee_sip_reason, "phrase");
	nxv_session_free(s);
	tell(CARRIER_DOWN, 0, NULL);
}

/* The 487 to our CANCEL comes after the end. */
static void final_answer_that_comes_after_the_end_is_on_record(void **state)
{
	struct nxv_session *s;

	(void)state;
	place();
	tell(CARRIER_A_FINAL, 200, NULL);
	tell(CARRIER_A_ANSWERED, 200, NULL);
	tell(CARRIER_B_RINGING, 180, NULL);
	assert_int_equal(calls_end(st.calls, "session_1", NULL), NXV_OK);
	s = fetch();
	assert_int_equal(s->callee_sip_code, 0);
	nxv_session_free(s);
	tell(CARRIER_B_FINAL, 487, NULL);
	tell(CARRIER_DOWN, 0, NULL);
	s = fetch();
	assert_int_equal(s->caller_sip_code, 200);
	assert_int_equal(s->callee_sip_code, 487);
	assert_int_equal(s->sip_code, 0);
	nxv_session_free(s);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answered_call_is_told_step_by_step),
		TEST(events_rise_and_tell_the_same_story),
		TEST(timeline_has_events_where_they_happened),
		TEST(caller_without_a_phone_is_not_called),
		TEST(callee_without_a_phone_does_not_ring_the_caller),
		TEST(browser_and_plain_phone_ring_nobody),
		TEST(phones_that_can_talk_to_each_other_are_rung),
		TEST(call_fails_when_the_sip_server_cannot_be_asked),
		TEST(call_fails_when_the_carrier_refuses),
		TEST(api_end_cancels_a_ringing_call_and_completes_one_that_is_up),
		TEST(carrier_may_report_down_from_inside_end),
		TEST(answer_that_crosses_the_end_changes_nothing),
		TEST(end_of_an_unknown_call_is_not_found),
		TEST(longest_duration_ends_the_call),
		TEST(step_that_cannot_be_stored_is_stored_later),
		TEST(final_answers_of_both_legs_are_on_record),
		TEST(final_answer_that_comes_after_the_end_is_on_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
