/* test_calls_remote.c - calls of a remote carrier that cannot be asked after a restart, for its secret is missing: they are
 * not said to have ended, wait to be taken up, take the order to end with them, and are given up past every limit. */
#include "stage.h"

#include "session/live.h"

static int ends, restores;
static nxv_status restore_status;

static nxv_status far_place(struct carrier *self, const struct carrier_call *call, struct nxv_error *err)
{
	(void)self, (void)call, (void)err;
	return NXV_OK;
}

static nxv_status far_end(struct carrier *self, const char *session_id, struct nxv_error *err)
{
	(void)self, (void)session_id, (void)err;
	ends++;
	return NXV_OK;
}

static nxv_status far_restore(struct carrier *self, const char *session_id, const char *state, struct nxv_error *err)
{
	(void)self, (void)err;
	assert_string_equal(session_id, "session_1");
	assert_null(state);
	restores++;
	return restore_status;
}

static const struct carrier_ops far_ops = { .name = "twilio", .remote = true, .place = far_place, .end = far_end,
	.restore = far_restore };
static struct carrier twilio = { &far_ops };

static void stop(void *arg)
{
	loop_stop(arg);
}

static void run_for(uint64_t ms)
{
	struct loop_timer *timer = loop_timer_new(st.loop, stop, st.loop);

	loop_timer_start(timer, ms);
	assert_int_equal(loop_run(st.loop, NULL), NXV_OK);
	loop_timer_free(timer);
}

/* A call that is up at Twilio, and a gateway started again without Twilio's secret. */
static void restart_without_secret(void)
{
	ends = restores = 0;
	restore_status = NXV_OK;
	store_queued();
	fixture_sql(&st.f, "UPDATE session SET state = 'up', status = 'in-progress', carrier = 'twilio', twilio_call_sid = 'CA1', "
			   "answered_at_ms = started_at_ms WHERE id = 'session_1'");
	calls_close(st.calls);
	st.twilio = NULL;
	open_calls(MAX_SECONDS);
	assert_int_equal(calls_recover(st.calls, NULL), NXV_OK);
}

static void expect_waiting(void)
{
	struct nxv_session *s = fetch();
	int64_t slots = -1;

	assert_int_equal(s->status, NXV_CALL_IN_PROGRESS);
	assert_string_equal(s->error_code, "twilio_not_configured");
	assert_non_null(strstr(s->error_message, "secret"));
	assert_int_equal(nxv_session_slots(&st.f.ctx, "alice", &slots, NULL), NXV_OK);
	assert_int_equal(slots, 1);
	nxv_session_free(s);
}

static void call_whose_carrier_is_away_waits_and_is_taken_up(void **state)
{
	struct nxv_session *s;

	(void)state;
	restart_without_secret();
	expect_waiting();
	remote_look(st.calls);
	expect_waiting();
	assert_int_equal(restores, 0);
	st.twilio = &twilio;
	run_for(2200);
	assert_int_equal(restores, 1);
	tell(CARRIER_TAKEN, 0, NULL);
	s = fetch();
	assert_null(s->error_code);
	nxv_session_free(s);
	tell(CARRIER_B_HANGUP, 0, NULL);
	tell(CARRIER_DOWN, 0, NULL);
	expect_end(NXV_CALL_COMPLETED, "hangup_callee", 0);
}

static void order_to_end_waits_with_it(void **state)
{
	(void)state;
	restart_without_secret();
	assert_int_equal(calls_end(st.calls, "session_1", NULL), NXV_OK);
	expect_waiting();
	assert_int_equal(ends, 0);
	st.twilio = &twilio;
	remote_look(st.calls);
	assert_int_equal(ends, 1);
	tell(CARRIER_DOWN, 0, NULL);
	expect_end(NXV_CALL_COMPLETED, "ended_by_api", 0);
}

static void past_every_limit_it_is_given_up(void **state)
{
	(void)state;
	restart_without_secret();
	st.f.now_ms += MAX_SECONDS * INT64_C(1000) + 60000;
	remote_look(st.calls);
	assert_int_equal(restores, 0);
	expect_end(NXV_CALL_COMPLETED, "server_lost", 0);
}

static void what_was_never_sent_is_told_so_once_it_can_be(void **state)
{
	(void)state;
	restart_without_secret();
	restore_status = NXV_E_NOT_FOUND;
	st.twilio = &twilio;
	remote_look(st.calls);
	expect_end(NXV_CALL_COMPLETED, "gateway_restarted", 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(call_whose_carrier_is_away_waits_and_is_taken_up),
		TEST(order_to_end_waits_with_it),
		TEST(past_every_limit_it_is_given_up),
		TEST(what_was_never_sent_is_told_so_once_it_can_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
