/* test_recordings.c - recordings of calls over Twilio: one at a time, never lost, never a second user's. */
#include "recording_rig.h"

#define API "/2010-04-01/Accounts/AC00000000000000000000000000000001"

static nxv_status control(nxv_recording_action action, struct nxv_recording **out)
{
	return nxv_recording_control(&f.ctx, "session_1", action, out, &err);
}

static void expect(nxv_recording_action action, const char *id, const char *status)
{
	struct nxv_recording *r = NULL;

	if (control(action, &r) != NXV_OK)
		fail_msg("%s: %s %s", nxv_recording_action_name(action), err.code, err.message);
	assert_string_equal(r->id, id);
	assert_string_equal(r->status, status);
	assert_string_equal(r->session_id, "session_1");
	assert_string_equal(r->user_id, "alice");
	nxv_recording_free(r);
}

static void a_recording_goes_from_start_to_stop(void **state)
{
	(void)state;
	RIG({ FAKE_ANSWER, answer(201, recording_json(REC(1), "in-progress")), 0 }, { FAKE_ANSWER, answer(200, recording_json(REC(1), "paused")), 0 },
		{ FAKE_ANSWER, answer(200, recording_json(REC(1), "in-progress")), 0 },
		{ FAKE_ANSWER, answer(200, recording_json(REC(1), "stopped")), 0 });
	expect(NXV_RECORDING_START, REC(1), "in-progress");
	requested(0, "POST " API "/Calls/" CALL_SID "/Recordings.json ");
	assert_non_null(strstr(server.seen[0],
		"RecordingStatusCallback=https%3A%2F%2Fgw.example.net%2Ftwilio%2Fv1%2Frecording%2Fsession_1%23rc%3D5%26rp%3Dall&"
		"RecordingStatusCallbackEvent=in-progress&RecordingStatusCallbackEvent=completed&RecordingStatusCallbackEvent=absent"));
	expect(NXV_RECORDING_PAUSE, REC(1), "paused");
	requested(1, "POST " API "/Calls/" CALL_SID "/Recordings/" REC(1) ".json ");
	assert_non_null(strstr(server.seen[1], "Status=paused&PauseBehavior=silence"));
	expect(NXV_RECORDING_RESUME, REC(1), "in-progress");
	expect(NXV_RECORDING_STOP, REC(1), "stopped");
	assert_int_equal(server.requests, 4);
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM event WHERE subject = 'session_1' AND type LIKE 'recording.%'"), 4);
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM recording_start"), 0);
	rig_close();
}

static void only_calls_in_progress_over_twilio_are_recorded(void **state)
{
	struct nxv_recording_list *list = NULL;

	(void)state;
	RIG({ FAKE_ANSWER, answer(500, "{}"), 0 });
	refused(nxv_recording_control(&f.ctx, "session_2", NXV_RECORDING_START, NULL, &err), NXV_E_UNSUPPORTED, "recording_not_supported");
	refused(nxv_recording_list(&f.ctx, "session_2", &list, &err), NXV_E_UNSUPPORTED, "recording_not_supported");
	refused(nxv_recording_control(&f.ctx, "session_3", NXV_RECORDING_START, NULL, &err), NXV_E_CONFLICT, "call_not_in_progress");
	refused(nxv_recording_control(&f.ctx, "session_9", NXV_RECORDING_START, NULL, &err), NXV_E_NOT_FOUND, "not_found");
	refused(nxv_recording_control(&f.ctx, "session_1", (nxv_recording_action)9, NULL, &err), NXV_E_INVALID, "invalid");
	fixture_sql(&f, "UPDATE session SET status = 'completed', ended_at_ms = 1 WHERE id = 'session_1'");
	refused(control(NXV_RECORDING_STOP, NULL), NXV_E_CONFLICT, "call_not_in_progress");
	assert_int_equal(nxv_recording_list(&f.ctx, "session_3", &list, &err), NXV_OK);
	assert_int_equal(list->count, 0);
	nxv_recording_list_free(list);
	assert_int_equal(server.requests, 0);
	rig_close();
}

static void one_recording_of_a_call_runs_at_a_time(void **state)
{
	(void)state;
	RIG({ FAKE_ANSWER, answer(201, recording_json(REC(1), "in-progress")), 0 },
		{ FAKE_ANSWER, answer(200, recording_json(REC(1), "in-progress")), 0 }, /* it is asked whether it still runs */
		{ FAKE_ANSWER, answer(200, recording_json(REC(1), "completed")), 0 },
		{ FAKE_ANSWER, answer(201, recording_json(REC(2), "in-progress")), 0 });
	expect(NXV_RECORDING_START, REC(1), "in-progress");
	refused(control(NXV_RECORDING_START, NULL), NXV_E_CONFLICT, "recording_in_progress");
	requested(1, "GET " API "/Recordings/" REC(1) ".json ");
	expect(NXV_RECORDING_START, REC(2), "in-progress"); /* the first one had ended, unheard */
	assert_int_equal(server.requests, 4);
	rig_close();
}

static void what_does_not_run_is_not_paused(void **state)
{
	(void)state;
	RIG({ FAKE_ANSWER, answer(200, list_json(NULL, NULL)), 0 },
		{ FAKE_ANSWER, answer(200, list_json(recording_json(REC(3), "in-progress"), NULL)), 0 },
		{ FAKE_ANSWER, answer(200, recording_json(REC(3), "paused")), 0 },
		{ FAKE_ANSWER, answer(400, "{\"code\":21220,\"message\":\"ended\"}"), 0 },
		{ FAKE_ANSWER, answer(200, recording_json(REC(3), "completed")), 0 });
	refused(control(NXV_RECORDING_PAUSE, NULL), NXV_E_CONFLICT, "not_recording");
	expect(NXV_RECORDING_PAUSE, REC(3), "paused"); /* one that only Twilio knew of */
	refused(control(NXV_RECORDING_STOP, NULL), NXV_E_CONFLICT, "not_recording");
	assert_int_equal(fixture_count(&f, "SELECT duration_seconds FROM recording WHERE status = 'completed'"), 7);
	rig_close();
}

static void a_start_whose_answer_is_lost_is_found_and_not_repeated(void **state)
{
	(void)state;
	RIG({ FAKE_RESET, NULL, 0 }, { FAKE_ANSWER, answer(200, list_json(recording_json(REC(4), "in-progress"), NULL)), 0 });
	expect(NXV_RECORDING_START, REC(4), "in-progress");
	requested(1, "GET " API "/Recordings.json?CallSid=" CALL_SID);
	assert_int_equal(server.requests, 2);
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM recording_start"), 0);
	rig_close();
}

static void an_unknown_start_stays_claimed_until_it_can_be_told(void **state)
{
	(void)state;
	RIG({ FAKE_RESET, NULL, 0 }, { FAKE_ANSWER, answer(200, list_json(NULL, NULL)), 0 },
		{ FAKE_ANSWER, answer(200, list_json(recording_json(REC(5), "in-progress"), NULL)), 0 },
		{ FAKE_ANSWER, answer(200, recording_json(REC(5), "in-progress")), 0 });
	refused(control(NXV_RECORDING_START, NULL), NXV_E_TIMEOUT, "twilio_unknown");
	refused(control(NXV_RECORDING_START, NULL), NXV_E_CONFLICT, "recording_in_progress");
	assert_int_equal(server.requests, 2);
	f.now_ms += 120000; /* whoever started it is no more: look before another is made */
	refused(control(NXV_RECORDING_START, NULL), NXV_E_CONFLICT, "recording_in_progress");
	requested(2, "GET " API "/Recordings.json?CallSid=" CALL_SID);
	assert_int_equal(server.requests, 4);
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM recording_start"), 0);
	rig_close();
}

static void after_a_power_cut_it_is_looked_for_before_another_is_made(void **state)
{
	(void)state;
	RIG({ FAKE_ANSWER, answer(200, list_json(recording_json(REC(6), "in-progress"), NULL)), 0 },
		{ FAKE_ANSWER, answer(200, recording_json(REC(6), "in-progress")), 0 });
	fixture_sql(&f, "UPDATE session SET started_at_ms = 1 WHERE id = 'session_1'");
	refused(control(NXV_RECORDING_START, NULL), NXV_E_CONFLICT, "recording_in_progress");
	requested(0, "GET " API "/Recordings.json?CallSid=" CALL_SID);
	rig_close();
}

static void *start_one(void *result)
{
	struct nxv_error own = NXV_ERROR_INIT;

	*(nxv_status *)result = nxv_recording_control(&f.ctx, "session_1", NXV_RECORDING_START, NULL, &own);
	return NULL;
}

static void of_many_that_start_at_once_one_does(void **state)
{
	nxv_status results[8];
	pthread_t threads[8];
	int good = 0, refusals = 0;

	(void)state;
	RIG({ FAKE_ANSWER, answer(201, recording_json(REC(1), "in-progress")), 0 },
		{ FAKE_ANSWER, answer(200, recording_json(REC(1), "in-progress")), 0 }); /* asked whether it still runs */
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, start_one, &results[i]), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		good += results[i] == NXV_OK;
		refusals += results[i] == NXV_E_CONFLICT;
	}
	assert_int_equal(good, 1);
	assert_int_equal(refusals, 7);
	for (int i = 1; i < server.requests; i++)
		requested(i, "GET ");
	rig_close();
}

static void a_refused_start_can_be_repeated(void **state)
{
	(void)state;
	RIG({ FAKE_ANSWER, answer(429, "{\"code\":20429,\"message\":\"slow down\"}"), 0 },
		{ FAKE_ANSWER, answer(400, "{\"code\":21220,\"message\":\"not eligible\"}"), 0 },
		{ FAKE_ANSWER, answer(401, "{\"code\":20003,\"message\":\"no\"}"), 0 },
		{ FAKE_ANSWER, answer(201, recording_json(REC(1), "in-progress")), 0 });
	refused(control(NXV_RECORDING_START, NULL), NXV_E_LIMIT, "twilio_rate_limited");
	refused(control(NXV_RECORDING_START, NULL), NXV_E_CONFLICT, "call_not_in_progress");
	refused(control(NXV_RECORDING_START, NULL), NXV_E_UNREACHABLE, "twilio_auth");
	expect(NXV_RECORDING_START, REC(1), "in-progress");
	rig_close();
}

static void a_list_says_what_twilio_has_now(void **state)
{
	struct nxv_recording_list *list = NULL;

	(void)state;
	RIG({ FAKE_ANSWER, answer(200, list_json(recording_json(REC(2), "in-progress"), recording_json(REC(1), "completed"))), 0 },
		{ FAKE_ANSWER, answer(200, list_json(recording_json(REC(2), "completed"), NULL)), 0 },
		{ FAKE_ANSWER, answer(404, "{\"code\":20404,\"message\":\"gone\"}"), 0 });
	assert_int_equal(nxv_recording_list(&f.ctx, "session_1", &list, &err), NXV_OK);
	assert_int_equal(list->count, 2);
	assert_string_equal(list->items[0]->id, REC(1));
	assert_int_equal(list->items[0]->duration_seconds, 7);
	assert_int_equal(list->items[1]->duration_seconds, -1);
	nxv_recording_list_free(list);
	f.now_ms += 120000; /* one was deleted in Twilio's console since */
	assert_int_equal(nxv_recording_list(&f.ctx, "session_1", &list, &err), NXV_OK);
	requested(2, "GET " API "/Recordings/" REC(1) ".json ");
	assert_int_equal(list->count, 1);
	assert_string_equal(list->items[0]->status, "completed");
	nxv_recording_list_free(list);
	rig_close();
}

static void a_deleted_recording_stays_deleted(void **state)
{
	struct nxv_recording_list *list = NULL;
	struct nxv_recording *r = NULL;

	(void)state;
	RIG({ FAKE_ANSWER, answer(200, list_json(recording_json(REC(1), "completed"), recording_json(REC(2), "in-progress"))), 0 },
		{ FAKE_ANSWER, "HTTP/1.1 204 No Content\r\n\r\n", 0 },
		{ FAKE_ANSWER, answer(400, "{\"code\":20009,\"message\":\"in use\"}"), 0 },
		{ FAKE_ANSWER, answer(200, list_json(recording_json(REC(1), "completed"), recording_json(REC(2), "in-progress"))), 0 });
	assert_int_equal(nxv_recording_list(&f.ctx, "session_1", &list, &err), NXV_OK);
	nxv_recording_list_free(list);
	assert_int_equal(nxv_recording_delete(&f.ctx, REC(1), &err), NXV_OK);
	requested(1, "DELETE " API "/Recordings/" REC(1) ".json ");
	refused(nxv_recording_get(&f.ctx, REC(1), &r, &err), NXV_E_NOT_FOUND, "not_found");
	refused(nxv_recording_delete(&f.ctx, REC(1), &err), NXV_E_NOT_FOUND, "not_found");
	refused(nxv_recording_delete(&f.ctx, REC(2), &err), NXV_E_CONFLICT, "recording_in_progress");
	assert_int_equal(nxv_recording_list(&f.ctx, "session_1", &list, &err), NXV_OK);
	assert_int_equal(list->count, 1);
	nxv_recording_list_free(list);
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM event WHERE type = 'recording.deleted'"), 1);
	rig_close();
}

static bool take(void *user, const struct nxv_twilio_media *media, const void *data, size_t len)
{
	(void)media;
	strncat(user, data, len);
	return true;
}

static void sound_is_handed_over_or_it_is_said_why_not(void **state)
{
	struct nxv_recording_list *list = NULL;
	char heard[64] = "";

	(void)state;
	RIG({ FAKE_ANSWER, answer(200, list_json(recording_json(REC(1), "in-progress"), recording_json(REC(2), "in-progress"))), 0 },
		{ FAKE_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsound", 0 },
		{ FAKE_ANSWER, answer(404, "{\"code\":20404,\"message\":\"none\"}"), 0 },
		{ FAKE_ANSWER, answer(200, recording_json(REC(1), "processing")), 0 },
		{ FAKE_ANSWER, answer(404, "{\"code\":20404,\"message\":\"none\"}"), 0 },
		{ FAKE_ANSWER, answer(200, recording_json(REC(1), "absent")), 0 },
		{ FAKE_ANSWER, answer(404, "{\"code\":20404,\"message\":\"none\"}"), 0 });
	refused(nxv_recording_media(&f.ctx, REC(1), NULL, take, heard, &err), NXV_E_NOT_FOUND, "not_found");
	assert_int_equal(server.requests, 0);
	assert_int_equal(nxv_recording_list(&f.ctx, "session_1", &list, &err), NXV_OK);
	nxv_recording_list_free(list);
	assert_int_equal(nxv_recording_media(&f.ctx, REC(1), NULL, take, heard, &err), NXV_OK);
	assert_string_equal(heard, "sound");
	refused(nxv_recording_media(&f.ctx, REC(1), NULL, take, heard, &err), NXV_E_CONFLICT, "recording_not_ready");
	refused(nxv_recording_media(&f.ctx, REC(1), NULL, take, heard, &err), NXV_E_NOT_FOUND, "not_found");
	refused(nxv_recording_media(&f.ctx, REC(2), NULL, take, heard, &err), NXV_E_NOT_FOUND, "not_found"); /* deleted elsewhere */
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM recording WHERE status = 'deleted'"), 1);
	rig_close();
}

static void without_an_account_it_is_said_so(void **state)
{
	(void)state;
	RIG({ FAKE_ANSWER, answer(500, "{}"), 0 });
	config_free(f.ctx.cfg);
	assert_int_equal(config_load(NULL, false, NULL, NULL, &f.ctx.cfg, &err), NXV_OK);
	refused(control(NXV_RECORDING_START, NULL), NXV_E_UNREACHABLE, "twilio_not_configured");
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM recording_start"), 0);
	rig_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recording_goes_from_start_to_stop),
		cmocka_unit_test(only_calls_in_progress_over_twilio_are_recorded),
		cmocka_unit_test(one_recording_of_a_call_runs_at_a_time),
		cmocka_unit_test(what_does_not_run_is_not_paused),
		cmocka_unit_test(a_start_whose_answer_is_lost_is_found_and_not_repeated),
		cmocka_unit_test(an_unknown_start_stays_claimed_until_it_can_be_told),
		cmocka_unit_test(after_a_power_cut_it_is_looked_for_before_another_is_made),
		cmocka_unit_test(of_many_that_start_at_once_one_does),
		cmocka_unit_test(a_refused_start_can_be_repeated),
		cmocka_unit_test(a_list_says_what_twilio_has_now),
		cmocka_unit_test(a_deleted_recording_stays_deleted),
		cmocka_unit_test(sound_is_handed_over_or_it_is_said_why_not),
		cmocka_unit_test(without_an_account_it_is_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
