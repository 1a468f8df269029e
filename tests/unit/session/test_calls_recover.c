/* test_calls_recover.c - what carriers save for after a crash: when it is stored, handed back and dropped; slots and
 * events after a restart. */
#include "stage.h"

static void stop(void *arg)
{
	loop_stop(arg);
}

static void run_for(uint64_t ms)
{
	struct loop_timer *timer = loop_timer_new(st.loop, stop, st.loop);

	assert_non_null(timer);
	loop_timer_start(timer, ms);
	assert_int_equal(loop_run(st.loop, NULL), NXV_OK);
	loop_timer_free(timer);
}

static void carrier_says(const char *state)
{
	snprintf(st.state, sizeof(st.state), "%s", state);
}

static void bring_up(void)
{
	place();
	tell(CARRIER_A_ANSWERED, 200, NULL);
	tell(CARRIER_B_ANSWERED, 200, NULL);
}

static void restart(void)
{
	calls_close(st.calls);
	open_calls(MAX_SECONDS);
	st.f.now_ms += 10000;
	assert_int_equal(calls_recover(st.calls, NULL), NXV_OK);
}

/* A literal each: the store keeps statements by their address. */
#define stored(text) \
	(fixture_count(&st.f, "SELECT count(*) FROM call_state WHERE session_id = 'session_1' AND state = '" text "'") == 1)

static void state_is_stored_with_the_answer_and_dropped_with_the_end(void **state)
{
	(void)state;
	carrier_says("early");
	place();
	tell(CARRIER_A_ANSWERED, 200, NULL);
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM call_state"), 0);
	carrier_says("one");
	tell(CARRIER_B_ANSWERED, 200, NULL);
	assert_true(stored("one"));
	carrier_says("two");
	tell(CARRIER_JOINED, 0, NULL);
	assert_true(stored("two"));
	tell(CARRIER_CHANGED, 0, NULL);
	tell(CARRIER_A_HANGUP, 0, NULL);
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM call_state"), 0);
	tell(CARRIER_DOWN, 0, NULL);
	run_for(150); /* what was due to be stored finds nothing */
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM call_state"), 0);
}

static void change_is_stored_a_moment_later(void **state)
{
	(void)state;
	carrier_says("one");
	bring_up();
	carrier_says("two");
	for (int i = 0; i < 50; i++)
		tell(CARRIER_CHANGED, 0, NULL);
	st.saved = 0;
	assert_true(stored("one"));
	run_for(150);
	assert_true(stored("two"));
	assert_int_equal(st.saved, 1);
}

static void change_is_stored_before_the_carrier_is_closed(void **state)
{
	(void)state;
	carrier_says("one");
	bring_up();
	carrier_says("two");
	tell(CARRIER_CHANGED, 0, NULL);
	calls_flush(st.calls);
	assert_true(stored("two"));
}

static void promise_is_stored_at_once(void **state)
{
	(void)state;
	carrier_says("one");
	bring_up();
	carrier_says("two");
	tell(CARRIER_PROMISED, 0, NULL);
	assert_true(stored("two"));
}

static void what_has_not_changed_is_not_written_again(void **state)
{
	(void)state;
	carrier_says("one");
	bring_up();
	st.f.now_ms += 5000;
	tell(CARRIER_PROMISED, 0, NULL);
	assert_int_equal(fixture_count(&st.f, "SELECT stored_at_ms FROM call_state"), FIXTURE_NOW_MS);
	carrier_says("");
	tell(CARRIER_PROMISED, 0, NULL);
	assert_true(stored("one"));
}

static void restart_hands_the_state_back_and_the_carrier_goes_on(void **state)
{
	const struct calls_dialog both[] = { { "session_1-a", "session_1", "a", "", "x", "y", true, 1, 0, 0 },
		{ "session_1-b", "session_1", "b", "", "x", "y", true, 1, 0, 0 } };

	(void)state;
	carrier_says("one");
	bring_up();
	carrier_says("two"); /* as it is once taken up: stored at once, lest a second crash finds the first one's */
	restart();
	assert_int_equal(st.restored, 1);
	assert_string_equal(st.restored_state, "one");
	assert_true(stored("two"));
	assert_true(calls_reconcile(st.calls, both, 2, st.f.now_ms));
	tell(CARRIER_B_HANGUP, 0, NULL);
	tell(CARRIER_DOWN, 0, NULL);
	assert_int_equal(st.dialogs_ended, 0);
	expect_end(NXV_CALL_COMPLETED, "hangup_callee", 0);
}

static void call_that_was_not_up_is_not_handed_back(void **state)
{
	(void)state;
	carrier_says("one");
	place();
	tell(CARRIER_A_ANSWERED, 200, NULL);
	restart();
	assert_int_equal(st.restored, 0);
	assert_int_equal(st.dialogs_ended, 2);
	expect_end(NXV_CALL_FAILED, "gateway_restarted", 0);
}

static void state_that_the_carrier_refuses_leaves_the_call_to_the_server(void **state)
{
	(void)state;
	carrier_says("nonsense");
	bring_up();
	st.restore_status = NXV_E_INVALID;
	restart();
	assert_int_equal(st.restored, 1);
	assert_int_equal(calls_count(st.calls), 1);
	assert_int_equal(calls_end(st.calls, "session_1", NULL), NXV_OK);
	assert_int_equal(st.ended, 0);
	assert_int_equal(st.dialogs_ended, 2);
	expect_end(NXV_CALL_COMPLETED, "ended_by_api", 0);
}

static void leg_hung_up_while_the_gateway_was_down_is_ended_by_the_carrier(void **state)
{
	const struct calls_dialog both[] = { { "session_1-a", "session_1", "a", "", "x", "y", true, 1, 0, 0 },
		{ "session_1-b", "session_1", "b", "", "x", "y", true, 1, 0, 0 } };

	(void)state;
	carrier_says("one");
	st.end_is_down = true;
	bring_up();
	restart();
	assert_true(calls_reconcile(st.calls, both, 1, st.f.now_ms));
	assert_int_equal(st.ended, 1);
	assert_int_equal(st.dialogs_ended, 0);
	expect_end(NXV_CALL_COMPLETED, "hangup_callee", 0);
}

/* Once both legs were seen, the carrier is believed again: a list may be older than what it heard. */
static void call_seen_whole_is_left_to_its_carrier(void **state)
{
	const struct calls_dialog both[] = { { "session_1-a", "session_1", "a", "", "x", "y", true, 1, 0, 0 },
		{ "session_1-b", "session_1", "b", "", "x", "y", true, 1, 0, 0 } };

	(void)state;
	carrier_says("one");
	bring_up();
	restart();
	assert_true(calls_reconcile(st.calls, both, 2, st.f.now_ms));
	assert_true(calls_reconcile(st.calls, both, 1, st.f.now_ms));
	assert_int_equal(calls_count(st.calls), 1);
	assert_int_equal(st.ended, 0);
}

static void slots_are_counted_anew(void **state)
{
	int64_t slots = 0;

	(void)state;
	bring_up();
	fixture_sql(&st.f, "DELETE FROM slot; INSERT INTO slot VALUES ('session_gone', 'alice', 9999999999999)");
	restart();
	restart();
	assert_int_equal(nxv_session_slots(&st.f.ctx, "alice", &slots, NULL), NXV_OK);
	assert_int_equal(slots, 1);
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM slot WHERE session_id = 'session_1'"), 1);
}

static void events_mark_the_gap(void **state)
{
	struct nxv_session *s;

	(void)state;
	restart();
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM event WHERE type = 'gateway.recovered'"), 0); /* nothing to miss */
	bring_up();
	restart();
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM event WHERE type = 'gateway.recovered' AND data = 'calls=1 kept=1'"), 1);
	s = fetch();
	assert_int_equal(fixture_count(&st.f, "SELECT seq FROM event WHERE type = 'call.recovered' AND subject = 'session_1'"), s->seq);
	assert_int_equal(s->status, NXV_CALL_IN_PROGRESS);
	nxv_session_free(s);
}

static void maximum_duration_counts_from_the_answer(void **state)
{
	(void)state;
	carrier_says("one");
	st.end_is_down = true;
	bring_up();
	calls_close(st.calls);
	open_calls(MAX_SECONDS);
	st.f.now_ms += INT64_C(1000) * MAX_SECONDS - 50;
	assert_int_equal(calls_recover(st.calls, NULL), NXV_OK);
	assert_int_equal(calls_count(st.calls), 1);
	run_for(150);
	assert_int_equal(st.ended, 1);
	expect_end(NXV_CALL_COMPLETED, "max_duration", 0);
}

static void state_goes_with_its_session(void **state)
{
	(void)state;
	carrier_says("one");
	bring_up();
	fixture_sql(&st.f, "DELETE FROM session");
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM call_state"), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(state_is_stored_with_the_answer_and_dropped_with_the_end),
		TEST(change_is_stored_a_moment_later),
		TEST(change_is_stored_before_the_carrier_is_closed),
		TEST(promise_is_stored_at_once),
		TEST(what_has_not_changed_is_not_written_again),
		TEST(restart_hands_the_state_back_and_the_carrier_goes_on),
		TEST(call_that_was_not_up_is_not_handed_back),
		TEST(state_that_the_carrier_refuses_leaves_the_call_to_the_server),
		TEST(leg_hung_up_while_the_gateway_was_down_is_ended_by_the_carrier),
		TEST(call_seen_whole_is_left_to_its_carrier),
		TEST(slots_are_counted_anew),
		TEST(events_mark_the_gap),
		TEST(maximum_duration_counts_from_the_answer),
		TEST(state_goes_with_its_session),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
