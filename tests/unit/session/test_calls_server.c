/* test_calls_server.c - what the SIP server tells: dialled calls, and what is found after a restart. */
#include "session/alive.h"
#include "stage.h"

enum { ALIVE_SOON_MS = 300 }; /* the engine looks at the clock ten times a second */

static void report(int kind, const char *who, int code)
{
	const struct calls_report r = { .kind = kind, .call_id = "dialled-1", .session = "", .leg = "", .owner = "alice",
		.from_user = "user_1", .to_user = "user_9", .who = who, .contact = "", .reason = "", .code = code,
		.at_ms = st.f.now_ms };

	calls_report(st.calls, &r);
}

static void dialled_call_is_a_session_with_a_slot(void **state)
{
	struct nxv_session *s;
	int64_t slots = 0;

	(void)state;
	report(REPORT_CALL, "", 0);
	report(REPORT_CALL, "", 0); /* told twice */
	nxv_session_slots(&st.f.ctx, "alice", &slots, NULL);
	assert_int_equal(slots, 1);
	report(REPORT_RINGING, "", 180);
	report(REPORT_ANSWERED, "", 200);
	s = only_session();
	assert_int_equal(s->status, NXV_CALL_IN_PROGRESS);
	assert_string_equal(s->direction, "outbound-dial");
	assert_string_equal(s->to_number, "user_9");
	nxv_session_free(s);
	report(REPORT_ENDED, "caller", 0);
	s = only_session();
	assert_int_equal(s->status, NXV_CALL_COMPLETED);
	assert_string_equal(s->end_reason, "hangup_caller");
	nxv_session_free(s);
	nxv_session_slots(&st.f.ctx, "alice", &slots, NULL);
	assert_int_equal(slots, 0);
	assert_int_equal(calls_count(st.calls), 0);
}

static void dialled_endings_are_told_apart(void **state)
{
	static const struct {
		int code;
		const char *status, *reason;
	} cases[] = { { 486, "busy", "callee_busy" }, { 603, "busy", "callee_rejected" }, { 404, "failed", "callee_not_registered" }, { 480, "failed", "callee_unreachable" },
		{ 408, "failed", "callee_unreachable" }, { 487, "canceled", "hangup_caller" }, { 503, "failed", "callee_unreachable" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nxv_session *s;
		fixture_sql(&st.f, "DELETE FROM session");
		report(REPORT_CALL, "", 0);
		report(REPORT_FAILED, "", cases[i].code);
		s = only_session();
		assert_string_equal(nxv_call_status_name(s->status), cases[i].status);
		assert_string_equal(s->end_reason, cases[i].reason);
		assert_int_equal(s->sip_code, cases[i].code);
		assert_int_equal(s->caller_sip_code, cases[i].code);
		assert_int_equal(s->callee_sip_code, cases[i].code);
		nxv_session_free(s);
	}
}

static void api_ends_a_dialled_call_through_the_server(void **state)
{
	struct nxv_session *s;

	(void)state;
	report(REPORT_CALL, "", 0);
	report(REPORT_ANSWERED, "", 200);
	s = only_session();
	assert_int_equal(calls_end(st.calls, s->id, NULL), NXV_OK);
	assert_int_equal(st.dialogs_ended, 1);
	assert_string_equal(st.last_dialog, "dialled-1");
	nxv_session_free(s);
	report(REPORT_ENDED, "control", 0);
	s = only_session();
	assert_string_equal(s->end_reason, "ended_by_api");
	nxv_session_free(s);
}

/* After 422, 488 or 420 a phone tries again in another way, with the same Call-ID (RFC 3261, 8.1.3.5). */
static void call_tried_again_with_its_call_id_is_another_session(void **state)
{
	int64_t slots = 0;

	(void)state;
	report(REPORT_CALL, "", 0);
	report(REPORT_FAILED, "", 422);
	report(REPORT_CALL, "", 0);
	report(REPORT_ANSWERED, "", 200);
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session WHERE status = 'failed' AND sip_code = 422"), 1);
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session WHERE status = 'in-progress'"), 1);
	assert_int_equal(nxv_session_slots(&st.f.ctx, "alice", &slots, NULL), NXV_OK);
	assert_int_equal(slots, 1);
	report(REPORT_ENDED, "caller", 0);
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session WHERE end_reason = 'hangup_caller'"), 1);
	assert_int_equal(calls_count(st.calls), 0);
}

/* The list was made before the call ended, and is read after it. */
static void call_that_ended_while_it_was_listed_is_not_taken_up_again(void **state)
{
	const struct calls_dialog dialog = { .call_id = "dialled-1", .session = "", .leg = "", .owner = "alice", .from_user = "user_1",
		.to_user = "user_9", .confirmed = true, .started_at_ms = st.f.now_ms };

	(void)state;
	report(REPORT_CALL, "", 0);
	report(REPORT_ANSWERED, "", 200);
	report(REPORT_ENDED, "caller", 0);
	assert_true(calls_reconcile(st.calls, &dialog, 1, st.f.now_ms));
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session"), 1);
	assert_int_equal(calls_count(st.calls), 0);
	assert_int_equal(st.dialogs_ended, 0);
}

static void dialled_call_that_the_server_was_not_told_to_end_is_ended_later(void **state)
{
	const struct calls_dialog dialog = { .call_id = "dialled-1", .session = "", .leg = "", .owner = "alice", .from_user = "user_1",
		.to_user = "user_9", .confirmed = true, .started_at_ms = st.f.now_ms };
	struct nxv_session *s;

	(void)state;
	report(REPORT_CALL, "", 0);
	report(REPORT_ANSWERED, "", 200);
	s = only_session();
	assert_int_equal(calls_end(st.calls, s->id, NULL), NXV_OK);
	nxv_session_free(s);
	st.dialogs_ended = 0; /* the order was lost */
	assert_true(calls_reconcile(st.calls, &dialog, 1, st.f.now_ms));
	assert_int_equal(st.dialogs_ended, 1);
	assert_string_equal(st.last_dialog, "dialled-1");
}

static void run_loop(uint64_t ms)
{
	struct loop_timer *stop = loop_timer_new(st.loop, (loop_fn *)loop_stop, st.loop);

	loop_timer_start(stop, ms);
	assert_int_equal(loop_run(st.loop, NULL), NXV_OK);
	loop_timer_free(stop);
}

static void clock_set_forward_takes_no_slot_of_a_call_that_is_up(void **state)
{
	int64_t slots = 0;

	(void)state;
	report(REPORT_CALL, "", 0);
	report(REPORT_ANSWERED, "", 200);
	run_loop(20);
	st.f.now_ms += INT64_C(2) * 1000 * MAX_SECONDS;
	run_loop(ALIVE_SOON_MS);
	assert_int_equal(nxv_session_slots(&st.f.ctx, "alice", &slots, NULL), NXV_OK);
	assert_int_equal(slots, 1);
	report(REPORT_ENDED, "caller", 0);
	assert_int_equal(nxv_session_slots(&st.f.ctx, "alice", &slots, NULL), NXV_OK);
	assert_int_equal(slots, 0);
}

static void restart(void)
{
	calls_close(st.calls);
	open_calls(MAX_SECONDS);
	st.f.now_ms += 10000;
	assert_int_equal(calls_recover(st.calls, NULL), NXV_OK);
}

static void call_never_handed_over_is_ended_and_gives_its_slot_back(void **state)
{
	(void)state;
	store_queued();
	st.f.now_ms += CALL_FORGOTTEN_MS;
	calls_sweep(st.calls); /* its order may still come */
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session WHERE ended_at_ms = 0"), 1);
	st.f.now_ms++;
	calls_sweep(st.calls);
	expect_end(NXV_CALL_FAILED, "gateway_restarted", 0);
	assert_int_equal(st.dialogs_ended, 0);
	assert_int_equal(calls_place(st.calls, "session_1", NULL), NXV_OK); /* an order that comes after all */
	assert_int_equal(st.placed, 0);
}

static void call_that_is_being_placed_is_not_swept(void **state)
{
	(void)state;
	place();
	report(REPORT_CALL, "", 0); /* and one that a phone dialled */
	st.f.now_ms += 10 * CALL_FORGOTTEN_MS;
	calls_sweep(st.calls);
	assert_int_equal(calls_count(st.calls), 2);
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session WHERE ended_at_ms = 0"), 2);
	tell(CARRIER_DOWN, 0, NULL);
}

static void restart_closes_what_was_not_up(void **state)
{
	(void)state;
	place();
	tell(CARRIER_A_RINGING, 180, NULL);
	restart();
	assert_int_equal(st.dialogs_ended, 2);
	expect_end(NXV_CALL_FAILED, "gateway_restarted", 0);
}

static void bring_up(void)
{
	place();
	tell(CARRIER_A_ANSWERED, 200, NULL);
	tell(CARRIER_B_ANSWERED, 200, NULL);
}

static void restart_keeps_what_the_server_still_lists(void **state)
{
	const struct calls_dialog dialogs[] = { { "session_1-a", "session_1", "a", "alice", "x", "y", true, 1, 0, 0 },
		{ "session_1-b", "session_1", "b", "", "x", "y", true, 1, 0, 0 } };
	struct calls_report hangup = { .kind = REPORT_ENDED, .call_id = "session_1-a", .session = "session_1", .leg = "a",
		.owner = "alice", .from_user = "", .to_user = "", .who = "callee", .contact = "", .reason = "" };

	(void)state;
	bring_up();
	restart();
	st.f.now_ms += 10000;
	calls_reconcile(st.calls, dialogs, 2, st.f.now_ms);
	assert_int_equal(calls_count(st.calls), 1);
	hangup.at_ms = st.f.now_ms;
	calls_report(st.calls, &hangup); /* the caller's phone hung up: on its leg it is the callee */
	assert_true(st.dialogs_ended >= 1);
	expect_end(NXV_CALL_COMPLETED, "hangup_caller", 0);
}

static void restart_closes_what_the_server_no_longer_lists(void **state)
{
	(void)state;
	bring_up();
	restart();
	st.f.now_ms += 10000;
	calls_reconcile(st.calls, NULL, 0, st.f.now_ms);
	expect_end(NXV_CALL_COMPLETED, "server_lost", 0);
}

static void expect_ended_at(int64_t at_ms, const char *reason)
{
	struct nxv_session *s = fetch();

	assert_string_equal(s->end_reason, reason);
	assert_int_equal(s->ended_at_ms, at_ms);
	assert_int_equal(fixture_count(&st.f, "SELECT max(at_ms) FROM event"), st.f.now_ms); /* said only now */
	nxv_session_free(s);
}

static void call_lost_with_the_server_ended_as_it_went(void **state)
{
	int64_t lost_ms;

	(void)state;
	bring_up();
	st.f.now_ms += 60000;
	lost_ms = st.f.now_ms;
	calls_server_lost(st.calls, lost_ms);
	st.f.now_ms += 3000;
	calls_server_lost(st.calls, st.f.now_ms); /* it did not come up at once */
	st.f.now_ms += 3000;
	assert_true(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
	expect_ended_at(lost_ms, "server_lost");
}

/* The server is back, has lost sight of the dialog and refuses what is sent in it, before its list was judged. */
/* Its answer was on the way, or the memory was asked meanwhile: of the next server only the next list tells. */
static void list_of_a_server_that_has_gone_since_judges_nothing(void **state)
{
	const int64_t listed_ms = st.f.now_ms + 10000;

	(void)state;
	bring_up();
	st.f.now_ms = listed_ms + 500;
	calls_server_lost(st.calls, st.f.now_ms);
	for (int i = 0; i < 3; i++)
		assert_false(calls_reconcile(st.calls, NULL, 0, listed_ms));
	assert_int_equal(calls_count(st.calls), 1);
	st.f.now_ms += 10000;
	assert_true(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
	expect_ended_at(listed_ms + 500, "server_lost");
}

static void phone_that_a_restarted_server_does_not_find_is_not_said_to_be_lost(void **state)
{
	(void)state;
	bring_up();
	st.f.now_ms += 1000;
	calls_server_lost(st.calls, st.f.now_ms);
	tell(CARRIER_A_LOST, 481, NULL);
	expect_end(NXV_CALL_COMPLETED, "server_lost", 481);
}

static void phone_lost_while_the_server_was_there_is_said_to_be_lost(void **state)
{
	(void)state;
	calls_server_lost(st.calls, st.f.now_ms);
	st.f.now_ms += 1000;
	bring_up(); /* begins after that */
	tell(CARRIER_B_LOST, 481, NULL);
	expect_end(NXV_CALL_COMPLETED, "callee_lost", 481);
}

static void call_lost_with_the_machine_ended_when_the_gateway_was_last_alive(void **state)
{
	struct alive *alive;
	char path[160];
	int64_t alive_ms;

	(void)state;
	snprintf(path, sizeof(path), "%.140s/alive", st.f.dir);
	bring_up();
	st.f.now_ms += 60000;
	alive_ms = st.f.now_ms;
	assert_int_equal(alive_open(path, &alive, NULL), NXV_OK);
	assert_int_equal(alive_last(alive), 0);
	alive_mark(alive, alive_ms - 1);
	alive_mark(alive, alive_ms);
	alive_close(alive);
	st.f.now_ms += 3600000;
	st.alive = path;
	restart();
	calls_server_lost(st.calls, st.f.now_ms); /* the server takes two attempts: that is not when it lost the call */
	assert_true(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
	expect_ended_at(alive_ms, "server_lost");
	assert_int_equal(remove(path), 0);
}

static void call_that_grew_too_long_meanwhile_ended_when_the_server_was_to_end_it(void **state)
{
	int64_t answered_ms;

	(void)state;
	bring_up();
	answered_ms = st.f.now_ms;
	st.f.now_ms += 2 * MAX_SECONDS * 1000;
	restart();
	calls_server_found(st.calls, true);
	assert_true(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
	expect_ended_at(answered_ms + (MAX_SECONDS + CARRIER_SLACK_SECONDS) * 1000, "max_duration");
}

static void leg_hung_up_while_nobody_listened_ends_the_call(void **state)
{
	const struct calls_dialog only_b[] = { { "session_1-b", "session_1", "b", "", "x", "y", true, 1, 0, 0 } };

	(void)state;
	bring_up();
	restart();
	assert_true(calls_reconcile(st.calls, only_b, 1, st.f.now_ms));
	expect_end(NXV_CALL_COMPLETED, "hangup_caller", 0);
	assert_int_equal(st.dialogs_ended, 2);
}

static void dialled_call_whose_refusal_was_lost_is_ended(void **state)
{
	int64_t slots = -1;

	(void)state;
	report(REPORT_CALL, "", 0);
	assert_false(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
	assert_int_equal(calls_count(st.calls), 1);
	assert_true(calls_need_list(st.calls));
	st.f.now_ms += CALL_SETTLE_MS + 1;
	assert_false(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
	assert_int_equal(calls_count(st.calls), 1);
	assert_true(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
	assert_int_equal(calls_count(st.calls), 0);
	assert_false(calls_need_list(st.calls));
	assert_int_equal(nxv_session_slots(&st.f.ctx, "alice", &slots, NULL), NXV_OK);
	assert_int_equal(slots, 0);
}

/* Nothing will be listed any more: they would be left open until they are too long. */
static void server_that_is_stopped_ends_its_calls(void **state)
{
	(void)state;
	bring_up();
	report(REPORT_CALL, "", 0);
	report(REPORT_ANSWERED, "", 200);
	st.f.now_ms += 1000;
	calls_server_gone(st.calls, st.f.now_ms);
	tell(CARRIER_DOWN, 0, NULL);
	expect_end(NXV_CALL_COMPLETED, "server_lost", 0);
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session WHERE end_reason = 'server_lost'"), 2);
}

/* Dialogs come and go while a busy server lists them. */
static void call_left_out_of_one_list_goes_on(void **state)
{
	const struct calls_dialog dialog = { .call_id = "dialled-1", .session = "", .leg = "", .owner = "alice", .from_user = "user_1",
		.to_user = "user_9", .confirmed = true, .started_at_ms = st.f.now_ms };

	(void)state;
	report(REPORT_CALL, "", 0);
	report(REPORT_ANSWERED, "", 200);
	st.f.now_ms += CALL_SETTLE_MS + 1;
	for (int i = 0; i < 3; i++) {
		assert_false(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
		assert_true(calls_reconcile(st.calls, &dialog, 1, st.f.now_ms));
	}
	assert_int_equal(calls_count(st.calls), 1);
	assert_int_equal(st.dialogs_ended, 0);
}

static void call_that_just_moved_is_judged_later(void **state)
{
	(void)state;
	bring_up();
	assert_false(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
	assert_int_equal(calls_count(st.calls), 1);
	st.f.now_ms += CALL_SETTLE_MS + 1;
	assert_false(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
	assert_true(calls_reconcile(st.calls, NULL, 0, st.f.now_ms));
	tell(CARRIER_DOWN, 0, NULL);
	expect_end(NXV_CALL_COMPLETED, "server_lost", 0);
}

static void leg_of_a_call_that_ended_unheard_is_ended(void **state)
{
	const struct calls_dialog left[] = { { "session_1-b", "session_1", "b", "", "x", "y", false, 0, 0, 0 },
		{ "other-b", "session_of_somebody_else", "b", "", "x", "y", true, 1, 0, 0 } };

	(void)state;
	place();
	tell(CARRIER_A_RINGING, 180, NULL);
	restart();
	st.dialogs_ended = 0;
	calls_reconcile(st.calls, left, 2, st.f.now_ms);
	assert_int_equal(st.dialogs_ended, 1);
	assert_string_equal(st.last_dialog, "session_1-b");
}

static void dialled_call_missed_meanwhile_is_taken_up(void **state)
{
	const struct calls_dialog dialogs[] = { { "dialled-1", "", "", "alice", "user_1", "user_9", true, FIXTURE_NOW_MS, 0, 0 } };
	struct nxv_session *s;

	(void)state;
	calls_reconcile(st.calls, dialogs, 1, st.f.now_ms);
	calls_reconcile(st.calls, dialogs, 1, st.f.now_ms);
	s = only_session();
	assert_int_equal(s->status, NXV_CALL_IN_PROGRESS);
	nxv_session_free(s);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(dialled_call_is_a_session_with_a_slot),
		TEST(dialled_endings_are_told_apart),
		TEST(api_ends_a_dialled_call_through_the_server),
		TEST(clock_set_forward_takes_no_slot_of_a_call_that_is_up),
		TEST(call_tried_again_with_its_call_id_is_another_session),
		TEST(call_that_ended_while_it_was_listed_is_not_taken_up_again),
		TEST(dialled_call_that_the_server_was_not_told_to_end_is_ended_later),
		TEST(call_never_handed_over_is_ended_and_gives_its_slot_back),
		TEST(call_that_is_being_placed_is_not_swept),
		TEST(restart_closes_what_was_not_up),
		TEST(restart_keeps_what_the_server_still_lists),
		TEST(restart_closes_what_the_server_no_longer_lists),
		TEST(call_lost_with_the_server_ended_as_it_went),
		TEST(list_of_a_server_that_has_gone_since_judges_nothing),
		TEST(phone_that_a_restarted_server_does_not_find_is_not_said_to_be_lost),
		TEST(phone_lost_while_the_server_was_there_is_said_to_be_lost),
		TEST(call_lost_with_the_machine_ended_when_the_gateway_was_last_alive),
		TEST(call_that_grew_too_long_meanwhile_ended_when_the_server_was_to_end_it),
		TEST(leg_hung_up_while_nobody_listened_ends_the_call),
		TEST(dialled_call_whose_refusal_was_lost_is_ended), TEST(call_that_just_moved_is_judged_later),
		TEST(call_left_out_of_one_list_goes_on), TEST(server_that_is_stopped_ends_its_calls),
		TEST(leg_of_a_call_that_ended_unheard_is_ended),
		TEST(dialled_call_missed_meanwhile_is_taken_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
