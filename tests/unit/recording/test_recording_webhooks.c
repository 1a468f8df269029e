/* test_recording_webhooks.c - what is told of recordings: believed with a signature only, once, in order, in time. */
#include "recording_rig.h"

#include <nexusvoip/webhooks.h>
#include <time.h>

#include "base/hmac.h"
#include "twilio/form.h"

#define URL "https://gw.example.net/twilio/v1/recording/"
enum { BAD = 1000 };

/* A webhook; every member has a good value unless set. */
struct told {
	const char *session, *call, *id, *status, *duration, *channels, *token, *signed_for, *signature, *extra;
	int64_t began_ms;
};

static void begin(void)
{
	RIG({ FAKE_ANSWER, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 0 });
}

static const char *or(const char *given, const char *usual)
{
	return given ? given : usual;
}

static nxv_webhook_verdict tell(const struct told *t, nxv_status want)
{
	struct nxv_webhook hook = NXV_WEBHOOK_INIT;
	nxv_webhook_verdict verdict = NXV_WEBHOOK_VERDICTS;
	struct buf text = BUF_INIT, form = BUF_INIT;
	char began[64], signature[64];
	time_t at = (time_t)((t->began_ms ? t->began_ms : f.now_ms) / 1000);
	struct tm tm;
	/* in the order of their names, as they are signed */
	const char *const pairs[][2] = { { "CallSid", or(t->call, CALL_SID) }, { "RecordingChannels", t->channels },
		{ "RecordingDuration", t->duration }, { "RecordingSid", or(t->id, REC(1)) }, { "RecordingStartTime", began },
		{ "RecordingStatus", or(t->status, "completed") }, { "Zone", t->extra } };

	strftime(began, sizeof(began), "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&at, &tm));
	buf_printf(&text, URL "%s", or(t->signed_for, or(t->session, "session_1")));
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (pairs[i][1]) {
			buf_printf(&text, "%s%s", pairs[i][0], pairs[i][1]);
			form_add(&form, pairs[i][0], pairs[i][1]);
		}
	assert_true(hmac_sha1_base64("token", 5, text.data, text.len, signature));
	hook.session_id = or(t->session, "session_1");
	hook.signature = t->signature ? t->signature : signature;
	hook.token = t->token;
	hook.body = form.data;
	hook.body_len = form.len;
	nxv_status got = nxv_webhook_take_recording(&f.ctx, &hook, &verdict, &err);
	if (got != want)
		fail_msg("%s %s", nxv_status_name(got), err.message);
	buf_free(&text);
	buf_free(&form);
	return verdict;
}

static void status_is(const char *id, const char *status)
{
	struct nxv_recording *r = NULL;

	assert_int_equal(nxv_recording_get(&f.ctx, id, &r, &err), NXV_OK);
	assert_string_equal(r->status, status);
	assert_string_equal(r->user_id, "alice");
	nxv_recording_free(r);
}

static void they_make_and_complete_a_recording(void **state)
{
	struct told t = { .status = "in-progress" };
	struct nxv_recording *r = NULL;

	(void)state;
	begin();
	assert_int_equal(tell(&t, NXV_OK), NXV_WEBHOOK_ACCEPTED); /* the answer to the start may have been lost */
	status_is(REC(1), "in-progress");
	t = (struct told){ .status = "completed", .duration = "42", .channels = "2" };
	assert_int_equal(tell(&t, NXV_OK), NXV_WEBHOOK_ACCEPTED);
	assert_int_equal(nxv_recording_get(&f.ctx, REC(1), &r, &err), NXV_OK);
	assert_int_equal(r->duration_seconds, 42);
	assert_int_equal(r->channels, 2);
	nxv_recording_free(r);
	t = (struct told){ .id = REC(2), .status = "failed" };
	assert_int_equal(tell(&t, NXV_OK), NXV_WEBHOOK_ACCEPTED);
	status_is(REC(2), "absent");
	assert_int_equal(server.requests, 0);
	rig_close();
}

static void each_counts_once_and_none_goes_back(void **state)
{
	struct told completed = { .status = "completed", .duration = "42", .token = "t-1" }, running = { .status = "in-progress", .token = "t-2" };
	struct told other = { .id = REC(2), .token = "t-1" };

	(void)state;
	begin();
	assert_int_equal(tell(&completed, NXV_OK), NXV_WEBHOOK_ACCEPTED);
	assert_int_equal(tell(&completed, NXV_OK), NXV_WEBHOOK_DUPLICATE);
	assert_int_equal(tell(&other, NXV_OK), NXV_WEBHOOK_DUPLICATE); /* the same token */
	assert_int_equal(tell(&running, NXV_OK), NXV_WEBHOOK_LATE);
	assert_int_equal(tell(&running, NXV_OK), NXV_WEBHOOK_DUPLICATE);
	status_is(REC(1), "completed");
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM event WHERE type LIKE 'recording.%'"), 1);
	rig_close();
}

static void a_pause_is_not_undone_by_what_comes_late(void **state)
{
	struct told running = { .status = "in-progress" };

	(void)state;
	begin();
	fixture_sql(&f, "INSERT INTO recording VALUES ('" REC(1) "','session_1','alice','paused',-1,0,1,1)");
	assert_int_equal(tell(&running, NXV_OK), NXV_WEBHOOK_LATE);
	status_is(REC(1), "paused");
	rig_close();
}

static void a_deleted_one_is_not_revived(void **state)
{
	struct told completed = { 0 };
	struct nxv_recording *r = NULL;

	(void)state;
	begin();
	fixture_sql(&f, "INSERT INTO recording VALUES ('" REC(1) "','session_1','alice','deleted',-1,0,1,1)");
	assert_int_equal(tell(&completed, NXV_OK), NXV_WEBHOOK_LATE);
	assert_int_equal(nxv_recording_get(&f.ctx, REC(1), &r, &err), NXV_E_NOT_FOUND);
	rig_close();
}

static void a_recording_of_another_call_is_not_taken(void **state)
{
	struct told t = { 0 };

	(void)state;
	begin();
	fixture_sql(&f, "INSERT INTO recording VALUES ('" REC(1) "','session_9','bob','in-progress',-1,0,1,1)");
	assert_int_equal(tell(&t, NXV_E_NOT_FOUND), NXV_WEBHOOK_UNKNOWN);
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM recording WHERE user_id = 'bob' AND status = 'in-progress'"), 1);
	rig_close();
}

/* One of each kind of bad one in turn. */
static struct told bad(int i, nxv_webhook_verdict *want, nxv_status *status)
{
	static char text[40];
	struct told t = { 0 };

	snprintf(text, sizeof(text), "%08dAAAAAAAAAAAAAAAAAAA=", i);
	*want = i % 13 < 3 ? NXV_WEBHOOK_FORGED : i % 13 < 5 ? NXV_WEBHOOK_STALE : i % 13 < 10 ? NXV_WEBHOOK_MALFORMED : NXV_WEBHOOK_UNKNOWN;
	*status = *want == NXV_WEBHOOK_MALFORMED ? NXV_E_INVALID : *want == NXV_WEBHOOK_UNKNOWN ? NXV_E_NOT_FOUND : NXV_E_DENIED;
	switch (i % 13) {
	case 0: t.signature = ""; break;
	case 1: t.signature = text; break;
	case 2: t.signed_for = "session_3"; break; /* of another session, replayed here */
	case 3: t.began_ms = f.now_ms - (14400 + 3700) * 1000LL - i; break;
	case 4: t.began_ms = f.now_ms + 400000; break;
	case 5: t.status = "finished"; break;
	case 6: t.status = "deleted"; break;
	case 7: t.id = "RE../x"; break;
	case 8: t.duration = "minus one"; break;
	case 9: t.call = "call"; break;
	case 10: t.session = "session_none"; break;
	case 11: t.call = "CA00000000000000000000000000000009"; break; /* another call than the session's */
	case 12: t.session = "session_2"; break;                       /* not a call over Twilio */
	}
	return t;
}

static void a_thousand_bad_ones_change_nothing_and_are_counted(void **state)
{
	uint64_t counts[NXV_WEBHOOK_VERDICTS], wanted[NXV_WEBHOOK_VERDICTS] = { 0 };
	nxv_webhook_verdict want;
	nxv_status status;

	(void)state;
	begin();
	fixture_sql(&f, "INSERT INTO recording VALUES ('" REC(1) "','session_1','alice','in-progress',-1,0,1,1)");
	for (int i = 0; i < BAD; i++) {
		struct told t = bad(i, &want, &status);
		nxv_webhook_verdict got = tell(&t, status);
		if (got != want)
			fail_msg("kind %d: %s", i % 13, nxv_webhook_verdict_name(got));
		wanted[want]++;
	}
	nxv_webhook_counts(&f.ctx, counts);
	for (int v = 0; v < NXV_WEBHOOK_VERDICTS; v++)
		assert_int_equal(counts[v], wanted[v]);
	status_is(REC(1), "in-progress");
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM recording"), 1);
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM recording_callback"), 0);
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM event WHERE subject <> 'twilio'"), 0);
	rig_close();
}

static void old_ones_are_forgotten(void **state)
{
	struct told t = { .status = "in-progress" };

	(void)state;
	begin();
	assert_int_equal(tell(&t, NXV_OK), NXV_WEBHOOK_ACCEPTED);
	f.now_ms += 8 * 24 * 3600 * 1000LL;
	t = (struct told){ .id = REC(2) };
	assert_int_equal(tell(&t, NXV_OK), NXV_WEBHOOK_ACCEPTED);
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM recording_callback"), 1);
	rig_close();
}

static void what_cannot_be_stored_is_to_be_sent_again(void **state)
{
	struct told t = { 0 };

	(void)state;
	begin();
	fixture_sql(&f, "ALTER TABLE recording RENAME TO gone");
	assert_int_equal(tell(&t, NXV_E_STORE), NXV_WEBHOOK_FAILED);
	fixture_sql(&f, "ALTER TABLE gone RENAME TO recording");
	assert_int_equal(tell(&t, NXV_OK), NXV_WEBHOOK_ACCEPTED); /* it was not taken for told before */
	rig_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_make_and_complete_a_recording),
		cmocka_unit_test(each_counts_once_and_none_goes_back),
		cmocka_unit_test(a_pause_is_not_undone_by_what_comes_late),
		cmocka_unit_test(a_deleted_one_is_not_revived),
		cmocka_unit_test(a_recording_of_another_call_is_not_taken),
		cmocka_unit_test(a_thousand_bad_ones_change_nothing_and_are_counted),
		cmocka_unit_test(old_ones_are_forgotten),
		cmocka_unit_test(what_cannot_be_stored_is_to_be_sent_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
