/* test_sandbox_client.c - the library's client of Twilio's API against nexus-sandbox: every number, every fault, recordings. */
#include "gateway.h"
#include "proc.h"
#include "sandbox.h"

#include <nexusvoip/twilio.h>

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FROM "+12025550123"
#define STAY "<Response><Pause length=\"3600\"/></Response>"

enum { WAIT_MS = 20000 };

static struct sandbox_run sandbox;
static nxv_twilio *twilio;
static struct nxv_error err;

static nxv_twilio *client(const char *user, const char *secret)
{
	struct nxv_twilio_opts opts = NXV_TWILIO_OPTS_INIT;
	nxv_twilio *made = NULL;

	opts.account_sid = SANDBOX_ACCOUNT;
	if (user) {
		opts.api_key_sid = user;
		opts.api_key_secret = secret;
	} else {
		opts.auth_token = secret;
	}
	opts.base_url = sandbox.url;
	assert_int_equal(nxv_twilio_open(&opts, &made, &err), NXV_OK);
	return made;
}

static int set_up(void **state)
{
	(void)state;
	if (!sandbox_start(&sandbox, (const char *const[]){ "--speed", "50", NULL }))
		return -1;
	twilio = client(NULL, SANDBOX_TOKEN);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	nxv_twilio_close(twilio);
	return sandbox_stop(&sandbox);
}

static int after(void **state)
{
	(void)state;
	return sandbox_no_faults(&sandbox) ? 0 : -1;
}

static nxv_status place(const char *to, const char *from, const char *twiml, char sid[40])
{
	struct nxv_twilio_call_opts opts = NXV_TWILIO_CALL_OPTS_INIT;
	struct nxv_twilio_call *call = NULL;
	nxv_status status;

	opts.to = to;
	opts.from = from;
	opts.twiml = twiml;
	opts.timeout_seconds = 20;
	status = nxv_twilio_call_create(twilio, &opts, &call, &err);
	if (call && sid)
		snprintf(sid, 40, "%s", call->sid);
	nxv_twilio_call_free(call);
	return status;
}

static struct nxv_twilio_call *fetch(const char *sid)
{
	struct nxv_twilio_call *call = NULL;

	if (nxv_twilio_call_fetch(twilio, sid, &call, &err))
		fail_msg("%s: %s", err.code, err.message);
	return call;
}

/* Wait for a status; "ended" is any final one. */
static void wait_for(const char *sid, const char *status)
{
	int64_t until = now_ms() + WAIT_MS;
	char last[24] = "";

	while (now_ms() < until) {
		struct nxv_twilio_call *call = fetch(sid);
		bool there = strcmp(status, "ended") == 0 ? call->ended : strcmp(call->status, status) == 0;

		snprintf(last, sizeof(last), "%s", call->status);
		nxv_twilio_call_free(call);
		if (there)
			return;
		nap_ms(10);
	}
	fail_msg("%s is %s, not %s", sid, last, status);
}

static void a_number_ends_as_the_table_says(void **state)
{
	static const struct {
		const char *to, *status;
	} rows[] = {
		{ "+9991005", "completed" }, { "+9991013", "completed" }, { "+9991045", "completed" }, { "+999200", "busy" },
		{ "+999201", "no-answer" }, { "+999202", "busy" }, { "+999203", "failed" }, { "+999204", "failed" }, { "+999205", "busy" },
		{ "+0987654321", "completed" }, { "+1234567890", "completed" }, { "sip:+999200@example.net", "busy" },
	};
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	char sids[ROWS][40];

	(void)state;
	for (int i = 0; i < ROWS; i++)
		assert_int_equal(place(rows[i].to, FROM, STAY, sids[i]), NXV_OK);
	for (int i = 0; i < ROWS; i++) {
		struct nxv_twilio_call *call;

		wait_for(sids[i], "ended");
		call = fetch(sids[i]);
		if (strcmp(call->status, rows[i].status) != 0)
			fail_msg("%s is %s, not %s", rows[i].to, call->status, rows[i].status);
		assert_null(call->price);
		assert_true(call->created_at_ms > 0 && call->ended_at_ms >= call->created_at_ms);
		assert_true(strcmp(call->status, "completed") == 0 ? call->duration_seconds > 0 : call->duration_seconds == 0);
		nxv_twilio_call_free(call);
	}
}

static void a_number_is_refused_as_the_table_says(void **state)
{
	static const struct {
		const char *to, *from;
		int number;
		const char *code;
	} rows[] = {
		{ "+15005550001", FROM, 21217, "invalid_destination" },
		{ "+15005550002", FROM, 21214, "invalid_destination" },
		{ "+15005550003", FROM, 21215, "destination_not_allowed" },
		{ "+15005550004", FROM, 21216, "destination_not_allowed" },
		{ "+12025550199", "+15005550001", 21212, "caller_id_not_allowed" },
		{ "+12025550199", "+15005550007", 21210, "caller_id_not_allowed" },
		{ "+12025550199", "+999421210", 21210, "caller_id_not_allowed" },
		{ "+999421211", FROM, 21211, "invalid_destination" },
		{ "+999421219", FROM, 21219, "destination_not_allowed" },
		{ "+999413224", FROM, 13224, "invalid_destination" },
		{ "+999420003", FROM, 20003, "twilio_auth" },
		{ "12345", FROM, 21211, "invalid_destination" },
		{ "+12025550199", "alice", 21212, "caller_id_not_allowed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_not_equal(place(rows[i].to, rows[i].from, STAY, NULL), NXV_OK);
		if (err.detail != rows[i].number || strcmp(err.code, rows[i].code) != 0)
			fail_msg("%s: %d %s", rows[i].to, err.detail, err.code);
		assert_false(nxv_twilio_is_unknown(&err));
	}
}

static int64_t creates(void)
{
	struct json_object *json = sandbox_get(&sandbox, "/sandbox/v1"), *count = NULL;
	int64_t n;

	assert_true(json_object_object_get_ex(json, "creates", &count));
	n = json_object_get_int64(count);
	json_object_put(json);
	return n;
}

static void a_fault_strikes_before_or_after_the_create(void **state)
{
	static const struct {
		const char *kind, *code;
		int made;
	} rows[] = {
		{ "rate_limit", "twilio_rate_limited", 0 }, { "unavailable", "twilio_unknown", 0 }, { "error_after_commit", "twilio_unknown", 1 },
		{ "reset_before_commit", "twilio_unknown", 0 }, { "reset_after_commit", "twilio_unknown", 1 }, { "html", "twilio_unknown", 0 },
		{ "html_after_commit", "twilio_unknown", 1 },
	};
	char fault[100];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t before = creates();

		snprintf(fault, sizeof(fault), "{\"kind\":\"%s\",\"count\":1,\"retryAfter\":7}", rows[i].kind);
		assert_true(sandbox_fault(&sandbox, fault));
		assert_int_not_equal(place("+999200", FROM, STAY, NULL), NXV_OK);
		if (strcmp(err.code, rows[i].code) != 0 || creates() - before != rows[i].made)
			fail_msg("%s: %s, %d made", rows[i].kind, err.code, (int)(creates() - before));
		if (i == 0)
			assert_int_equal(err.retry_after_ms, 7000);
		assert_int_equal(place("+999200", FROM, STAY, NULL), NXV_OK); /* it struck once */
	}
}

static void a_slow_answer_comes_late_and_a_lagging_list_shows_nothing_yet(void **state)
{
	struct nxv_twilio_call_list_opts opts = NXV_TWILIO_CALL_LIST_OPTS_INIT;
	struct nxv_twilio_call_list *list = NULL;
	int64_t began = now_ms();
	char sid[40];

	(void)state;
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"slow\",\"count\":1,\"delayMs\":300}"));
	assert_int_equal(place("+999200", FROM, STAY, NULL), NXV_OK);
	assert_true(now_ms() - began >= 300);
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"list_lag\",\"count\":1,\"delayMs\":600}"));
	assert_int_equal(place("+99910077", FROM, STAY, sid), NXV_OK);
	opts.to = "+99910077";
	assert_int_equal(nxv_twilio_call_list(twilio, &opts, &list, &err), NXV_OK);
	assert_int_equal(list->count, 0);
	nxv_twilio_call_list_free(list);
	for (int64_t until = now_ms() + WAIT_MS;; nap_ms(20)) {
		assert_int_equal(nxv_twilio_call_list(twilio, &opts, &list, &err), NXV_OK);
		if (list->count || now_ms() > until)
			break;
		nxv_twilio_call_list_free(list);
	}
	assert_int_equal(list->count, 1);
	assert_string_equal(list->items[0]->sid, sid);
	nxv_twilio_call_list_free(list);
}

static void a_list_pages_to_its_end(void **state)
{
	struct nxv_twilio_call_list_opts opts = NXV_TWILIO_CALL_LIST_OPTS_INIT;
	struct nxv_twilio_call_list *list;
	char *page = NULL;
	size_t seen = 0, pages = 0;

	(void)state;
	for (int i = 0; i < 7; i++)
		assert_int_equal(place("+999205", "+12025550777", STAY, NULL), NXV_OK);
	opts.from = "+12025550777";
	opts.page_size = 3;
	do {
		opts.page = page;
		assert_int_equal(nxv_twilio_call_list(twilio, &opts, &list, &err), NXV_OK);
		free(page);
		page = list->next_page ? strdup(list->next_page) : NULL;
		seen += list->count;
		pages++;
		nxv_twilio_call_list_free(list);
	} while (page && pages < 9);
	free(page);
	assert_int_equal(seen, 7);
	assert_int_equal(pages, 3);
}

static void dial_makes_a_child_that_ends_on_its_own(void **state)
{
	struct nxv_twilio_call_list_opts opts = NXV_TWILIO_CALL_LIST_OPTS_INIT;
	struct nxv_twilio_call_list *list = NULL;
	char sid[40];

	(void)state;
	assert_int_equal(place("sip:alice@example.net", FROM, "<Response><Dial callerId=\"+1234567890\"><Number>+999200</Number></Dial></Response>",
		sid), NXV_OK);
	wait_for(sid, "completed"); /* the parent, although its callee was busy */
	opts.parent_sid = sid;
	assert_int_equal(nxv_twilio_call_list(twilio, &opts, &list, &err), NXV_OK);
	assert_int_equal(list->count, 1);
	assert_string_equal(list->items[0]->status, "busy");
	assert_string_equal(list->items[0]->direction, "outbound-dial");
	assert_string_equal(list->items[0]->from, "+1234567890");
	assert_string_equal(list->items[0]->parent_sid, sid);
	nxv_twilio_call_list_free(list);
}

static void a_call_is_canceled_or_completed_as_its_state_allows(void **state)
{
	struct nxv_twilio_call_update_opts cancel = NXV_TWILIO_CALL_UPDATE_OPTS_INIT;
	char sid[40];

	(void)state;
	cancel.cancel = true;
	assert_int_equal(place("+9991019999", FROM, STAY, sid), NXV_OK);
	assert_int_equal(nxv_twilio_call_update(twilio, sid, &cancel, NULL, &err), NXV_OK);
	wait_for(sid, "canceled");
	assert_int_equal(nxv_twilio_call_end(twilio, sid, NULL, &err), NXV_E_CONFLICT);
	assert_int_equal(err.detail, 21220);
	assert_int_equal(place("+999102", FROM, STAY, sid), NXV_OK);
	wait_for(sid, "in-progress");
	assert_int_equal(nxv_twilio_call_update(twilio, sid, &cancel, NULL, &err), NXV_E_CONFLICT);
	assert_int_equal(nxv_twilio_call_end(twilio, sid, NULL, &err), NXV_OK);
	wait_for(sid, "completed");
}

struct sound {
	size_t bytes;
	char head[12];
	bool partial;
	char range[64];
};

static bool take(void *user, const struct nxv_twilio_media *media, const void *data, size_t len)
{
	struct sound *sound = user;

	for (size_t i = 0; i < len && sound->bytes + i < sizeof(sound->head); i++)
		sound->head[sound->bytes + i] = ((const char *)data)[i];
	sound->bytes += len;
	sound->partial = media->partial;
	snprintf(sound->range, sizeof(sound->range), "%s", media->content_range);
	return true;
}

static void a_recording_runs_pauses_ends_and_sounds(void **state)
{
	struct nxv_twilio_media_opts media = NXV_TWILIO_MEDIA_OPTS_INIT;
	struct nxv_twilio_recording_opts opts = NXV_TWILIO_RECORDING_OPTS_INIT;
	struct nxv_twilio_recording *rec = NULL;
	struct sound sound = { 0 };
	char call[40], sid[40];

	(void)state;
	assert_int_equal(place("+999102", FROM, STAY, call), NXV_OK);
	assert_int_equal(nxv_twilio_recording_start(twilio, call, NULL, &rec, &err), NXV_E_CONFLICT); /* not answered yet */
	wait_for(call, "in-progress");
	opts.channels = NXV_TWILIO_DUAL;
	assert_int_equal(nxv_twilio_recording_start(twilio, call, &opts, &rec, &err), NXV_OK);
	snprintf(sid, sizeof(sid), "%s", rec->sid);
	assert_string_equal(rec->status, "in-progress");
	assert_int_equal(rec->channels, 2);
	nxv_twilio_recording_free(rec);
	nap_ms(100); /* five seconds there */
	assert_int_equal(nxv_twilio_recording_update(twilio, call, NXV_TWILIO_CURRENT, NXV_TWILIO_REC_PAUSE_SKIP, &rec, &err), NXV_OK);
	assert_string_equal(rec->status, "paused");
	nxv_twilio_recording_free(rec);
	assert_int_equal(nxv_twilio_recording_update(twilio, call, sid, NXV_TWILIO_REC_RESUME, NULL, &err), NXV_OK);
	assert_int_equal(nxv_twilio_recording_update(twilio, call, sid, NXV_TWILIO_REC_STOP, &rec, &err), NXV_OK);
	assert_string_equal(rec->status, "stopped");
	nxv_twilio_recording_free(rec);
	assert_int_equal(nxv_twilio_recording_fetch(twilio, sid, &rec, &err), NXV_OK);
	assert_string_equal(rec->status, "completed");
	assert_true(rec->duration_seconds >= 5);
	media.wav = true;
	assert_int_equal(nxv_twilio_recording_media(twilio, sid, &media, take, &sound, &err), NXV_OK);
	assert_int_equal(sound.bytes, 58 + rec->duration_seconds * 16000);
	assert_memory_equal(sound.head, "RIFF", 4);
	assert_memory_equal(sound.head + 8, "WAVE", 4);
	nxv_twilio_recording_free(rec);
	sound = (struct sound){ 0 };
	media.range = "bytes=8-11";
	assert_int_equal(nxv_twilio_recording_media(twilio, sid, &media, take, &sound, &err), NXV_OK);
	assert_true(sound.partial);
	assert_int_equal(sound.bytes, 4);
	assert_memory_equal(sound.head, "WAVE", 4);
	media.range = "bytes=99999999-";
	assert_int_equal(nxv_twilio_recording_media(twilio, sid, &media, take, &sound, &err), NXV_E_INVALID);
	assert_int_equal(nxv_twilio_recording_delete(twilio, sid, &err), NXV_OK);
	assert_int_equal(nxv_twilio_recording_fetch(twilio, sid, &rec, &err), NXV_E_NOT_FOUND);
	assert_int_equal(nxv_twilio_call_end(twilio, call, NULL, &err), NXV_OK);
}

static void only_the_accounts_credentials_open_it(void **state)
{
	nxv_twilio *right = client(SANDBOX_KEY, SANDBOX_KEY_SECRET), *wrong = client(NULL, "another token");
	struct nxv_twilio_call_list *list = NULL;

	(void)state;
	assert_int_equal(nxv_twilio_call_list(right, NULL, &list, &err), NXV_OK);
	nxv_twilio_call_list_free(list);
	assert_int_equal(nxv_twilio_call_list(wrong, NULL, &list, &err), NXV_E_UNREACHABLE);
	assert_string_equal(err.code, "twilio_auth");
	nxv_twilio_close(right);
	nxv_twilio_close(wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_ends_as_the_table_says),
		cmocka_unit_test(a_number_is_refused_as_the_table_says),
		cmocka_unit_test_teardown(a_fault_strikes_before_or_after_the_create, after),
		cmocka_unit_test_teardown(a_slow_answer_comes_late_and_a_lagging_list_shows_nothing_yet, after),
		cmocka_unit_test(a_list_pages_to_its_end),
		cmocka_unit_test(dial_makes_a_child_that_ends_on_its_own),
		cmocka_unit_test(a_call_is_canceled_or_completed_as_its_state_allows),
		cmocka_unit_test(a_recording_runs_pauses_ends_and_sounds),
		cmocka_unit_test(only_the_accounts_credentials_open_it),
	};

	proc_guard(110);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
