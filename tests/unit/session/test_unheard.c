/* test_unheard.c - calls that ended while the gateway was away, as the SIP server remembers them. */
#include "stage.h"

#include <string.h>

#include "session/live.h"

enum { SECOND = 1000, HOUR = 3600 * SECOND };

/* A phone's call of ten seconds that ended at_ms. */
static struct calls_ending dialled(int64_t at_ms, int kind, const char *who, int code)
{
	return (struct calls_ending){ .report = { .kind = kind, .call_id = "dialled-1", .session = "", .leg = "", .owner = "alice",
		.from_user = "user_1", .to_user = "user_9", .who = who, .contact = "", .reason = "", .code = code, .at_ms = at_ms },
		.invited_at_ms = at_ms - 12 * SECOND, .ringing_at_ms = at_ms - 11 * SECOND,
		.answered_at_ms = kind == REPORT_ENDED ? at_ms - 10 * SECOND : 0 };
}

static struct calls_ending leg_of_ours(const char *leg, const char *who, int64_t at_ms)
{
	return (struct calls_ending){ .report = { .kind = REPORT_ENDED, .call_id = "session_1-x", .session = "session_1", .leg = leg,
		.owner = "", .from_user = "", .to_user = "", .who = who, .contact = "", .reason = "", .at_ms = at_ms },
		.invited_at_ms = at_ms - SECOND };
}

static void restart_after(int64_t ms)
{
	calls_close(st.calls);
	open_calls(MAX_SECONDS);
	st.f.now_ms += ms;
	assert_int_equal(calls_recover(st.calls, NULL), NXV_OK);
}

static void bring_up(void)
{
	snprintf(st.state, sizeof(st.state), "one");
	place();
	tell(CARRIER_A_ANSWERED, 200, NULL);
	tell(CARRIER_B_ANSWERED, 200, NULL);
}

/* The hang-up that the next gateway hears of may be a repeated one. */
static void hang_up_to_the_next_gateway(enum carrier_event_kind kind)
{
	bring_up();
	restart_after(8 * SECOND);
	tell(kind, 0, NULL);
}

static void expect_ended_at(int64_t at_ms, const char *reason)
{
	struct nxv_session *s = only_session();

	assert_string_equal(s->end_reason ? s->end_reason : "", reason);
	assert_int_equal(s->ended_at_ms, at_ms);
	assert_int_equal(fixture_count(&st.f, "SELECT max(at_ms) FROM event WHERE type LIKE 'call.%'"), st.f.now_ms); /* said only now */
	nxv_session_free(s);
}

static void call_that_nobody_here_heard_of_is_put_on_record(void **state)
{
	const int64_t at_ms = st.f.now_ms + HOUR;
	const struct calls_ending ending = dialled(at_ms, REPORT_ENDED, "callee", 0);
	struct nxv_session *s;
	int64_t slots = -1;

	(void)state;
	st.f.now_ms = at_ms + 10 * SECOND;
	for (int i = 0; i < 3; i++) /* however often it is told */
		assert_true(calls_ended_unheard(st.calls, &ending, st.f.now_ms));
	s = only_session();
	assert_int_equal(s->status, NXV_CALL_COMPLETED);
	assert_string_equal(s->end_reason, "hangup_callee");
	assert_string_equal(s->user_id, "alice");
	assert_int_equal(s->started_at_ms, ending.invited_at_ms);
	assert_int_equal(s->ringing_at_ms, ending.ringing_at_ms);
	assert_int_equal(s->answered_at_ms, ending.answered_at_ms);
	assert_int_equal(s->ended_at_ms, at_ms);
	assert_int_equal(nxv_session_slots(&st.f.ctx, "alice", &slots, NULL), NXV_OK);
	assert_int_equal(slots, 0);
	assert_int_equal(calls_count(st.calls), 0);
	nxv_session_free(s);
}

static void refusal_that_nobody_heard_keeps_its_code(void **state)
{
	const struct calls_ending ending = dialled(st.f.now_ms, REPORT_FAILED, "", 486);
	struct nxv_session *s;

	(void)state;
	st.f.now_ms += 10 * SECOND;
	assert_true(calls_ended_unheard(st.calls, &ending, st.f.now_ms));
	s = only_session();
	assert_int_equal(s->status, NXV_CALL_BUSY);
	assert_int_equal(s->sip_code, 486);
	assert_int_equal(s->answered_at_ms, 0);
	nxv_session_free(s);
}

/* Its own reports may be on their way. */
static void call_that_ended_just_now_is_asked_about_again(void **state)
{
	const struct calls_ending ending = dialled(st.f.now_ms, REPORT_ENDED, "caller", 0);

	(void)state;
	assert_false(calls_ended_unheard(st.calls, &ending, st.f.now_ms + CALL_SETTLE_MS - 1));
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session"), 0);
	assert_true(calls_ended_unheard(st.calls, &ending, st.f.now_ms + CALL_SETTLE_MS));
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session"), 1);
}

static void call_of_nobody_is_left_alone(void **state)
{
	struct calls_ending ending = dialled(st.f.now_ms, REPORT_ENDED, "caller", 0);

	(void)state;
	ending.report.owner = "";
	assert_true(calls_ended_unheard(st.calls, &ending, st.f.now_ms + HOUR));
	ending = dialled(st.f.now_ms, REPORT_ENDED, "caller", 0);
	ending.invited_at_ms = 0;
	assert_true(calls_ended_unheard(st.calls, &ending, st.f.now_ms + HOUR));
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session"), 0);
}

static void dialled_call_that_was_up_ends_as_it_did(void **state)
{
	struct calls_ending ending = dialled(st.f.now_ms + HOUR, REPORT_ENDED, "caller", 0);
	struct calls_report report = ending.report;

	(void)state;
	report.at_ms = st.f.now_ms;
	report.kind = REPORT_CALL;
	calls_report(st.calls, &report);
	report.kind = REPORT_ANSWERED;
	calls_report(st.calls, &report);
	restart_after(2 * HOUR);
	assert_true(calls_ended_unheard(st.calls, &ending, st.f.now_ms));
	calls_server_found(st.calls, true);
	assert_true(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
	expect_ended_at(ending.report.at_ms, "hangup_caller");
}

static void ending_of_an_older_call_of_that_name_means_nothing(void **state)
{
	const struct calls_ending ending = dialled(st.f.now_ms - HOUR, REPORT_ENDED, "caller", 0);
	struct calls_report report = ending.report;

	(void)state;
	report.at_ms = st.f.now_ms;
	report.kind = REPORT_CALL;
	calls_report(st.calls, &report);
	assert_true(calls_ended_unheard(st.calls, &ending, st.f.now_ms + HOUR));
	assert_int_equal(calls_count(st.calls), 1);
}

static void call_dialled_again_with_its_call_id_is_another_one(void **state)
{
	const struct calls_ending first = dialled(st.f.now_ms, REPORT_FAILED, "", 486),
		second = dialled(st.f.now_ms + 30 * SECOND, REPORT_ENDED, "caller", 0);

	(void)state;
	st.f.now_ms += HOUR;
	for (int i = 0; i < 2; i++) {
		assert_true(calls_ended_unheard(st.calls, &first, st.f.now_ms));
		assert_true(calls_ended_unheard(st.calls, &second, st.f.now_ms));
	}
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session"), 2);
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session WHERE end_reason = 'callee_busy'"), 1);
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session WHERE end_reason = 'hangup_caller'"), 1);
}

static void phone_that_left_first_ended_the_call(void **state)
{
	const int64_t up_ms = st.f.now_ms;
	const struct calls_ending a = leg_of_ours("a", "callee", up_ms + 9 * SECOND), b = leg_of_ours("b", "callee", up_ms + 7 * SECOND);

	(void)state;
	bring_up();
	restart_after(HOUR);
	assert_true(calls_ended_unheard(st.calls, &b, st.f.now_ms));
	assert_true(calls_ended_unheard(st.calls, &a, st.f.now_ms));
	assert_int_equal(calls_count(st.calls), 1);
	assert_true(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
	assert_int_equal(st.ended, 1);
	expect_ended_at(up_ms + 7 * SECOND, "hangup_callee");
}

/* What the gateway itself, or an order to the server, ended is no phone's doing. */
static void end_by_no_phone_is_none(void **state)
{
	const struct calls_ending caller = leg_of_ours("b", "caller", st.f.now_ms + SECOND), control = leg_of_ours("b", "control", st.f.now_ms + SECOND);

	(void)state;
	bring_up();
	restart_after(HOUR);
	calls_ended_unheard(st.calls, &caller, st.f.now_ms);
	calls_ended_unheard(st.calls, &control, st.f.now_ms);
	calls_server_found(st.calls, true);
	assert_true(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
	expect_ended_at(st.f.now_ms, "gateway_restarted");
}

static void call_that_the_server_ended_for_its_length_ended_then(void **state)
{
	const int64_t out_ms = st.f.now_ms + (MAX_SECONDS + 4) * INT64_C(1000);
	const struct calls_ending a = leg_of_ours("a", "timeout", out_ms), b = leg_of_ours("b", "timeout", out_ms + 900);

	(void)state;
	bring_up();
	restart_after(2 * INT64_C(1000) * MAX_SECONDS);
	assert_int_equal(calls_count(st.calls), 1);
	calls_ended_unheard(st.calls, &a, st.f.now_ms);
	calls_ended_unheard(st.calls, &b, st.f.now_ms);
	assert_true(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
	expect_ended_at(out_ms, "max_duration");
}

static void hang_up_repeated_to_the_new_gateway_counts_from_the_first(void **state)
{
	const int64_t left_ms = st.f.now_ms + 5 * SECOND;
	const struct calls_ending b = leg_of_ours("b", "callee", left_ms);

	(void)state;
	hang_up_to_the_next_gateway(CARRIER_B_HANGUP);
	assert_int_equal(calls_count(st.calls), 1);
	calls_ended_unheard(st.calls, &b, st.f.now_ms);
	assert_true(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
	expect_ended_at(left_ms, "hangup_callee");
}

static void hang_up_is_taken_as_heard_when_the_server_says_nothing(void **state)
{
	int64_t heard_ms;

	(void)state;
	bring_up();
	restart_after(8 * SECOND);
	heard_ms = st.f.now_ms;
	tell(CARRIER_A_HANGUP, 0, NULL);
	st.f.now_ms += CALL_SETTLE_MS;
	calls_sweep(st.calls);
	assert_int_equal(calls_count(st.calls), 1);
	st.f.now_ms++;
	calls_sweep(st.calls);
	assert_int_equal(calls_count(st.calls), 0);
	expect_ended_at(heard_ms, "hangup_caller");
}

/* The originator ends the other leg at once, and is done with the call before anybody knows when it ended. */
static void call_whose_legs_are_down_waits_for_its_time(void **state)
{
	const int64_t left_ms = st.f.now_ms + 5 * SECOND;
	const struct calls_ending b = leg_of_ours("b", "callee", left_ms);

	(void)state;
	hang_up_to_the_next_gateway(CARRIER_B_HANGUP);
	tell(CARRIER_DOWN, 0, NULL);
	assert_int_equal(calls_count(st.calls), 1);
	calls_ended_unheard(st.calls, &b, st.f.now_ms);
	expect_ended_at(left_ms, "hangup_callee");
	assert_false(calls_need_list(st.calls));
	assert_null(live_find(st.calls, "session_1")); /* nothing of it is left */
}

static void call_whose_legs_are_down_is_ended_without_the_server(void **state)
{
	(void)state;
	hang_up_to_the_next_gateway(CARRIER_B_HANGUP);
	tell(CARRIER_DOWN, 0, NULL);
	st.f.now_ms += CALL_SETTLE_MS + 1;
	calls_sweep(st.calls);
	expect_ended_at(st.f.now_ms - CALL_SETTLE_MS - 1, "hangup_callee");
	assert_null(live_find(st.calls, "session_1"));
}

static void what_ended_since_it_was_last_sure_is_asked_for(void **state)
{
	const int64_t first_ms = st.f.now_ms;

	(void)state;
	assert_true(calls_heard_since(st.calls) > first_ms - HOUR && calls_heard_since(st.calls) <= first_ms); /* before is not ours */
	restart_after(HOUR);
	bring_up();
	restart_after(HOUR); /* it was alive, but never learnt what had ended */
	assert_true(calls_heard_since(st.calls) <= first_ms);
	calls_heard(st.calls, st.f.now_ms);
	restart_after(HOUR);
	assert_true(calls_heard_since(st.calls) > first_ms + HOUR && calls_heard_since(st.calls) <= st.f.now_ms - HOUR);
}

/* It is asked for once more, as is everything else since. */
static void ending_that_cannot_be_stored_is_not_taken_as_heard(void **state)
{
	const struct calls_ending ending = dialled(st.f.now_ms, REPORT_ENDED, "caller", 0);

	(void)state;
	st.f.now_ms += HOUR;
	fixture_sql(&st.f, "CREATE TRIGGER full BEFORE INSERT ON session BEGIN SELECT RAISE(FAIL, 'full'); END");
	assert_false(calls_ended_unheard(st.calls, &ending, st.f.now_ms));
	fixture_sql(&st.f, "DROP TRIGGER full");
	assert_true(calls_ended_unheard(st.calls, &ending, st.f.now_ms));
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session WHERE end_reason = 'hangup_caller'"), 1);
}

/* The server refuses what nobody is registered for within the millisecond. */
static void call_refused_at_once_is_one_call(void **state)
{
	struct calls_ending ending = dialled(st.f.now_ms, REPORT_FAILED, "", 480);

	(void)state;
	ending.invited_at_ms = ending.report.at_ms;
	ending.ringing_at_ms = 0;
	st.f.now_ms += HOUR;
	for (int i = 0; i < 4; i++)
		assert_true(calls_ended_unheard(st.calls, &ending, st.f.now_ms));
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session"), 1);
}

/* Whoever knows another's Call-ID can neither hide his calls nor end them. */
static void call_with_the_call_id_of_another_user_is_another_one(void **state)
{
	struct calls_ending mine = dialled(st.f.now_ms, REPORT_ENDED, "caller", 0), theirs = mine;
	struct calls_report report = mine.report;

	(void)state;
	theirs.report.owner = "mallory";
	st.f.now_ms += HOUR;
	for (int i = 0; i < 3; i++) {
		assert_true(calls_ended_unheard(st.calls, &theirs, st.f.now_ms));
		assert_true(calls_ended_unheard(st.calls, &mine, st.f.now_ms));
	}
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session"), 2);
	assert_int_equal(fixture_count(&st.f, "SELECT count(DISTINCT user_id) FROM session"), 2);
	report.kind = REPORT_CALL;
	report.at_ms = st.f.now_ms;
	calls_report(st.calls, &report);
	theirs.report.at_ms = st.f.now_ms + SECOND;
	calls_ended_unheard(st.calls, &theirs, st.f.now_ms + HOUR);
	assert_int_equal(calls_count(st.calls), 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(call_that_nobody_here_heard_of_is_put_on_record),
		TEST(refusal_that_nobody_heard_keeps_its_code),
		TEST(call_that_ended_just_now_is_asked_about_again),
		TEST(call_of_nobody_is_left_alone),
		TEST(dialled_call_that_was_up_ends_as_it_did),
		TEST(ending_of_an_older_call_of_that_name_means_nothing),
		TEST(call_dialled_again_with_its_call_id_is_another_one),
		TEST(phone_that_left_first_ended_the_call),
		TEST(end_by_no_phone_is_none),
		TEST(call_that_the_server_ended_for_its_length_ended_then),
		TEST(hang_up_repeated_to_the_new_gateway_counts_from_the_first),
		TEST(hang_up_is_taken_as_heard_when_the_server_says_nothing),
		TEST(call_whose_legs_are_down_waits_for_its_time),
		TEST(call_whose_legs_are_down_is_ended_without_the_server),
		TEST(what_ended_since_it_was_last_sure_is_asked_for),
		TEST(ending_that_cannot_be_stored_is_not_taken_as_heard),
		TEST(call_refused_at_once_is_one_call),
		TEST(call_with_the_call_id_of_another_user_is_another_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
