/* test_calls.c - live calls over a real store, with a carrier and a SIP server played by the test. */
#include "../fixture.h"

#include "events/event_log.h"
#include "session/calls.h"
#include "session/lease.h"

enum { RING_MS = 60000, MAX_SECONDS = 14400 };

/* The surroundings that the test plays. */
struct stage {
	struct fixture f;
	struct loop *loop;
	struct calls *calls;
	struct carrier carrier;
	nxv_status place_status;
	int placed, ended, dialogs_ended, changed;
	char last_dialog[80];
	size_t a_contacts, b_contacts;
	nxv_status registered_status;
	bool end_is_down; /* the carrier reports DOWN from inside end() */
	nxv_call_status last_status;
};
static struct stage st;

static void tell(enum carrier_event_kind kind, int code, const char *contact)
{
	const struct carrier_event ev = { kind, code, "phrase", contact, env_now_ms(&st.f.ctx.env) };

	calls_carrier_event(st.calls, "session_1", &ev);
}

static nxv_status fake_place(struct carrier *self, const struct carrier_call *call, struct nxv_error *err)
{
	(void)self, (void)err;
	st.placed++;
	assert_string_equal(call->a_targets[0], "user_1");
	assert_int_equal(call->a_count, 2);
	assert_string_equal(call->a_targets[1], "user_2");
	assert_int_equal(call->b_count, 1);
	assert_int_equal(call->ring_timeout_ms, RING_MS);
	return st.place_status;
}

static nxv_status fake_end(struct carrier *self, const char *session_id, struct nxv_error *err)
{
	(void)self, (void)err;
	assert_string_equal(session_id, "session_1");
	st.ended++;
	if (st.end_is_down)
		tell(CARRIER_DOWN, 0, NULL);
	return NXV_OK;
}

static const struct carrier_ops fake_ops = { "fake", fake_place, fake_end, NULL };

static struct carrier *port_carrier(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "sip") == 0 ? &st.carrier : NULL;
}

static void port_registered(void *arg, const char *usernames, calls_registered_fn *fn, void *fn_arg)
{
	(void)arg;
	fn(fn_arg, st.registered_status, strcmp(usernames, "user_1 user_2") == 0 ? st.a_contacts : st.b_contacts);
}

static void port_end_dialog(void *arg, const char *call_id)
{
	(void)arg;
	st.dialogs_ended++;
	snprintf(st.last_dialog, sizeof(st.last_dialog), "%s", call_id);
}

static void port_changed(void *arg, const struct session_row *row)
{
	(void)arg;
	st.changed++;
	st.last_status = row->pub.status;
}

static void open_calls(int64_t max_seconds)
{
	const struct calls_opts opts = { .env = &st.f.ctx.env, .loop = st.loop, .db = st.f.ctx.db,
		.ports = { NULL, port_carrier, port_registered, port_end_dialog, port_changed }, .ring_ms = RING_MS,
		.max_seconds = max_seconds, .call_limit = 50, .domain = "nexus.test" };

	assert_int_equal(calls_open(&opts, &st.calls, NULL), NXV_OK);
}

static int setup(void **state)
{
	(void)state;
	st = (struct stage){ .carrier = { &fake_ops }, .a_contacts = 1, .b_contacts = 1 };
	fixture_open(&st.f, NULL);
	assert_int_equal(loop_open(&st.loop, NULL), NXV_OK);
	open_calls(MAX_SECONDS);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	calls_close(st.calls);
	loop_close(st.loop);
	fixture_close(&st.f);
	return 0;
}

static void store_queued(void)
{
	struct session_row row = { .carrier = (char *)"sip", .a_targets = (char *)"user_1 user_2", .b_targets = (char *)"user_9" };
	struct db_tx *tx;

	row.pub = (struct nxv_session){ .id = (char *)"session_1", .direction = (char *)"outbound-api",
		.from_number = (char *)"+1234567890", .to_number = (char *)"user_9", .user_id = (char *)"alice",
		.sip_username = (char *)"user_1", .sip_domain = (char *)"nexus.test", .started_at_ms = st.f.now_ms };
	assert_int_equal(db_begin(st.f.ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(slot_take(tx, "session_1", "alice", 50, st.f.now_ms, lease_end(st.f.now_ms, RING_MS, MAX_SECONDS), NULL), NXV_OK);
	assert_int_equal(session_insert(tx, &row, NULL), NXV_OK);
	assert_int_equal(db_commit(tx, NULL), NXV_OK);
}

static void place(void)
{
	store_queued();
	assert_int_equal(calls_place(st.calls, "session_1", NULL), NXV_OK);
}

static struct nxv_session *fetch(void)
{
	struct nxv_session *s;

	assert_int_equal(nxv_session_get(&st.f.ctx, "session_1", &s, NULL), NXV_OK);
	return s;
}

static void expect_end(nxv_call_status status, const char *reason, int code)
{
	struct nxv_session *s = fetch();
	int64_t slots = -1;

	assert_string_equal(nxv_call_status_name(s->status), nxv_call_status_name(status));
	assert_non_null(s->end_reason);
	assert_string_equal(s->end_reason, reason);
	assert_int_equal(s->sip_code, code);
	assert_int_equal(s->ended_at_ms, st.f.now_ms);
	assert_int_equal(nxv_session_slots(&st.f.ctx, "alice", &slots, NULL), NXV_OK);
	assert_int_equal(slots, 0);
	assert_int_equal(calls_count(st.calls), 0);
	nxv_session_free(s);
}

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

static void report(int kind, const char *who, int code)
{
	const struct calls_report r = { .kind = kind, .call_id = "dialled-1", .session = "", .leg = "", .owner = "alice",
		.from_user = "user_1", .to_user = "user_9", .who = who, .contact = "", .reason = "", .code = code,
		.at_ms = st.f.now_ms };

	calls_report(st.calls, &r);
}

static struct nxv_session *only_session(void)
{
	struct nxv_session_list *list;
	struct nxv_session *s;

	assert_int_equal(nxv_session_list(&st.f.ctx, NULL, &list, NULL), NXV_OK);
	assert_int_equal(list->count, 1);
	assert_int_equal(nxv_session_get(&st.f.ctx, list->items[0]->id, &s, NULL), NXV_OK);
	nxv_session_list_free(list);
	return s;
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
	} cases[] = { { 486, "busy", "callee_busy" }, { 603, "busy", "callee_rejected" }, { 480, "failed", "callee_not_registered" },
		{ 408, "no-answer", "callee_no_answer" }, { 487, "canceled", "hangup_caller" }, { 503, "failed", "callee_unreachable" } };

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

static void restart(void)
{
	calls_close(st.calls);
	open_calls(MAX_SECONDS);
	st.f.now_ms += 10000;
	assert_int_equal(calls_recover(st.calls, NULL), NXV_OK);
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
	const struct calls_dialog dialogs[] = { { "session_1-a", "session_1", "a", "alice", "x", "y", true, 1 },
		{ "session_1-b", "session_1", "b", "", "x", "y", true, 1 } };
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

static void dialled_call_missed_meanwhile_is_taken_up(void **state)
{
	const struct calls_dialog dialogs[] = { { "dialled-1", "", "", "alice", "user_1", "user_9", true, FIXTURE_NOW_MS } };
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
		TEST(answered_call_is_told_step_by_step),
		TEST(events_rise_and_tell_the_same_story),
		TEST(caller_without_a_phone_is_not_called),
		TEST(callee_without_a_phone_does_not_ring_the_caller),
		TEST(call_fails_when_the_sip_server_cannot_be_asked),
		TEST(call_fails_when_the_carrier_refuses),
		TEST(api_end_cancels_a_ringing_call_and_completes_one_that_is_up),
		TEST(carrier_may_report_down_from_inside_end),
		TEST(answer_that_crosses_the_end_changes_nothing),
		TEST(end_of_an_unknown_call_is_not_found),
		TEST(longest_duration_ends_the_call),
		TEST(step_that_cannot_be_stored_is_stored_later),
		TEST(dialled_call_is_a_session_with_a_slot),
		TEST(dialled_endings_are_told_apart),
		TEST(api_ends_a_dialled_call_through_the_server),
		TEST(restart_closes_what_was_not_up),
		TEST(restart_keeps_what_the_server_still_lists),
		TEST(restart_closes_what_the_server_no_longer_lists),
		TEST(dialled_call_missed_meanwhile_is_taken_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
