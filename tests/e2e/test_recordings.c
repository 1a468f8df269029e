/* test_recordings.c - recordings as people use them: from start to stop, listed, deleted, refused. Twilio is
 * nexus-sandbox; the phones are registered, their legs simulated. */
#include "recordings.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

static void a_recording_is_started_paused_resumed_stopped_listed_and_deleted(void)
{
	struct http_reply *reply;
	char call[96], id[64];

	begin();
	call_up(call);
	refused(control(&alice, call, "pause"), 409, "not_recording");
	reply = control(&alice, call, "start");
	now_is(reply, "in-progress");
	snprintf(id, sizeof(id), "%s", json_text(reply->json, "recording.id"));
	assert_string_equal(json_text(reply->json, "recording.sessionId"), call);
	assert_string_equal(json_text(reply->json, "recording.userId"), "alice");
	refused(control(&alice, call, "start"), 409, "recording_in_progress");
	refused(delete(&alice, id), 409, "recording_in_progress");
	now_is(control(&alice, call, "pause"), "paused");
	now_is(control(&alice, call, "pause"), "paused");
	now_is(control(&alice, call, "resume"), "in-progress");
	nap_ms(150); /* three seconds of the sandbox's */
	reply = control(&alice, call, "stop");
	if (reply->status != 200)
		fail_msg("%s", reply->body);
	refused(control(&alice, call, "stop"), 409, "not_recording");
	now_is(control(&alice, call, "start"), "in-progress"); /* another one */
	assert_int_equal(api_end(&gw, &alice, call), 200);
	refused(control(&alice, call, "start"), 409, "call_not_in_progress");
	reply = list(&alice, call);
	assert_int_equal(reply->status, 200);
	assert_int_equal(json_object_array_length(json_at(reply->json, "recordings")), 2);
	assert_string_equal(json_text(reply->json, "recordings.0.id"), id);
	assert_string_equal(json_text(reply->json, "recordings.0.status"), "completed");
	assert_true(json_number(reply->json, "recordings.0.durationSeconds") > 0);
	assert_int_equal(delete(&alice, id)->status, 200);
	refused(delete(&alice, id), 404, "not_found");
	assert_int_equal(json_object_array_length(json_at(list(&alice, call)->json, "recordings")), 1);
}

/* What the sandbox itself would give. */
static bool keep_sound(void *user, const struct nxv_twilio_media *media, const void *data, size_t len)
{
	(void)media;
	return fwrite(data, 1, len, user) == len;
}

static bool fetch_from_sandbox(const char *id, bool wav, const char *path)
{
	struct nxv_twilio_opts opts = NXV_TWILIO_OPTS_INIT;
	struct nxv_twilio_media_opts media = NXV_TWILIO_MEDIA_OPTS_INIT;
	nxv_twilio *twilio = NULL;
	FILE *file = fopen(path, "wb");
	bool good;

	opts.account_sid = SANDBOX_ACCOUNT;
	opts.auth_token = SANDBOX_TOKEN;
	opts.base_url = sandbox.url;
	media.wav = wav;
	good = file && nxv_twilio_open(&opts, &twilio, NULL) == NXV_OK &&
		nxv_twilio_recording_media(twilio, id, &media, keep_sound, file, NULL) == NXV_OK;
	nxv_twilio_close(twilio);
	return file && fclose(file) == 0 && good;
}

static bool same(const char *a, const char *b, long from, long len)
{
	FILE *fa = fopen(a, "rb"), *fb = fopen(b, "rb");
	bool equal = fa && fb && fseek(fa, from, SEEK_SET) == 0;
	long n = 0;
	int ca = 0, cb = 0;

	while (equal && (len < 0 || n < len) && ca != EOF) {
		ca = getc(fa);
		cb = getc(fb);
		equal = ca == cb;
		n++;
	}
	equal = equal && (len < 0 || getc(fb) == EOF);
	if (fa)
		fclose(fa);
	if (fb)
		fclose(fb);
	return equal && n > 1000;
}

static void curl(const char *what, const char *more, const char *path)
{
	char url[192], config[128], text[256], *out = NULL, *why = NULL;
	const char *argv[] = { "curl", "-sSf", "-K", config, "-o", path, url, *more ? "-r" : NULL, more, NULL };

	snprintf(config, sizeof(config), "%s/curl.conf", proc_temp_dir());
	snprintf(text, sizeof(text), "header = \"Authorization: Bearer %s\"\n", alice.key);
	snprintf(url, sizeof(url), "%s/api/v1/recordings/%s", gw.url, what);
	assert_true(proc_write_file(config, text));
	if (proc_run(argv, &out, &why, SOON_MS) != 0)
		fail_msg("curl: %s", why);
	free(out);
	free(why);
}

static bool there(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (file)
		fclose(file);
	return file;
}

static void its_sound_is_what_twilio_has(void)
{
	const char *dir = proc_temp_dir();
	char call[96], id[64], what[96], truth[128], file[128];

	begin();
	call_up(call);
	now_is(control(&alice, call, "start"), "in-progress");
	snprintf(id, sizeof(id), "%s", json_text(list(&alice, call)->json, "recordings.0.id"));
	snprintf(what, sizeof(what), "/api/v1/recordings/%s/media", id);
	refused(gateway_http(&gw, "GET", what, alice.key, NULL), 409, "recording_not_ready");
	assert_int_not_equal(gateway_ctl(&gw, "recordings get %s --output %s/early.mp3", id, dir), 0);
	assert_non_null(strstr(gateway_ctl_err(), "recording_not_ready"));
	snprintf(file, sizeof(file), "%s/early.mp3", dir);
	assert_false(there(file));
	nap_ms(300); /* six seconds of the sandbox's */
	assert_int_equal(control(&alice, call, "stop")->status, 200);
	assert_int_equal(api_end(&gw, &alice, call), 200);
	snprintf(truth, sizeof(truth), "%s/truth.wav", dir);
	snprintf(file, sizeof(file), "%s/got.wav", dir);
	assert_true(fetch_from_sandbox(id, true, truth));
	snprintf(what, sizeof(what), "%s/media?format=wav", id);
	curl(what, "", file);
	assert_true(same(truth, file, 0, -1));
	curl(what, "1000-21999", file);
	assert_true(same(truth, file, 1000, 21000));
	assert_int_equal(gateway_ctl(&gw, "recordings get %s --format wav --output %s", id, file), 0);
	assert_string_equal(json_text(gateway_ctl_json(), "file"), file);
	assert_true(same(truth, file, 0, -1));
	assert_int_equal(gateway_ctl(&gw, "recordings get %s --format wav --range 1000-21999 --output %s", id, file), 0);
	assert_true(same(truth, file, 1000, 21000));
	snprintf(truth, sizeof(truth), "%s/truth.mp3", dir);
	assert_true(fetch_from_sandbox(id, false, truth));
	snprintf(what, sizeof(what), "%s/media", id);
	curl(what, "", file);
	assert_true(same(truth, file, 0, -1));
	assert_int_not_equal(gateway_ctl(&gw, "recordings get %s --range 99999999- --output %s/late.mp3", id, dir), 0);
	assert_int_equal(gateway_ctl(&gw, "recordings get %s --range all", id), 2);
	assert_int_equal(delete(&alice, id)->status, 200);
	assert_int_equal(gateway_ctl(&gw, "recordings get %s --output %s/gone.mp3", id, dir), 3);
}

static void others_see_nothing_of_it(void)
{
	char call[96], id[64], theirs[512];
	struct user nobody = bob;
	struct http_reply *reply;

	begin();
	call_up(call);
	reply = control(&alice, call, "start");
	now_is(reply, "in-progress");
	snprintf(id, sizeof(id), "%s", json_text(reply->json, "recording.id"));
	refused(control(&bob, call, "stop"), 404, "not_found");
	refused(list(&bob, call), 404, "not_found");
	snprintf(theirs, sizeof(theirs), "/api/v1/recordings/%s/media", id);
	refused(gateway_http(&gw, "GET", theirs, bob.key, NULL), 404, "not_found");
	reply = delete(&bob, id);
	refused(reply, 404, "not_found");
	snprintf(theirs, sizeof(theirs), "%s", json_text(reply->json, "error.message"));
	assert_string_equal(json_text(delete(&bob, "RE00000000000000000000000000000009")->json, "error.message"), theirs);
	nobody.key[0] = '\0';
	refused(control(&nobody, call, "stop"), 401, "unauthenticated");
	reply = gateway_http(&gw, "POST", "/api/v1/keys/voip/generate", gw.admin_key,
		"{\"userId\":\"alice\",\"name\":\"calls only\",\"permissions\":[\"call\",\"sip\"]}");
	snprintf(nobody.key, sizeof(nobody.key), "%s", json_text(reply->json, "key.key"));
	refused(control(&nobody, call, "stop"), 403, FORBIDDEN);
	refused(list(&nobody, call), 403, FORBIDDEN);
	refused(delete(&nobody, id), 403, FORBIDDEN);
	now_is(control(&alice, call, "pause"), "paused");
	assert_int_equal(api_end(&gw, &alice, call), 200);
}

static void what_cannot_be_recorded_is_refused_with_a_clear_word(void)
{
	struct told told;
	char call[96];

	begin();
	refused(control(&alice, "session_1_none", "start"), 404, "not_found");
	assert_int_equal(api_initiate(&gw, &alice, alice.username, &told), 201); /* over the SIP server */
	refused(control(&alice, told.id, "start"), 501, "recording_not_supported");
	refused(list(&alice, told.id), 501, "recording_not_supported");
	api_end(&gw, &alice, told.id);
	assert_int_equal(twilio_gw_call(&gw, &alice, "+999201", NULL, &told), 201);
	refused(control(&alice, told.id, "start"), 409, "call_not_in_progress");
	api_end(&gw, &alice, told.id);
	call_up(call);
	refused(control(&alice, call, "erase"), 400, "bad_request");
	assert_int_equal(api_end(&gw, &alice, call), 200);
}

static void a_start_under_a_fault_is_not_made_twice(void)
{
	static const char *const faults[] = { "reset_after_commit", "html_after_commit", "error_after_commit" };
	char call[96], fault[96];

	begin();
	for (int i = 0; i < 3; i++) {
		call_up(call);
		snprintf(fault, sizeof(fault), "{\"kind\":\"%s\",\"on\":\"recording\",\"count\":1}", faults[i]);
		assert_true(sandbox_fault(&sandbox, fault));
		now_is(control(&alice, call, "start"), "in-progress");
		assert_true(sandbox_no_faults(&sandbox));
		assert_int_equal(json_object_array_length(json_at(list(&alice, call)->json, "recordings")), 1);
		assert_int_equal(api_end(&gw, &alice, call), 200);
	}
	call_up(call);
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"rate_limit\",\"on\":\"recording\",\"count\":1}"));
	refused(control(&alice, call, "start"), 503, "twilio_rate_limited");
	now_is(control(&alice, call, "start"), "in-progress");
	assert_int_equal(api_end(&gw, &alice, call), 200);
}

static void a_repeated_start_gives_the_stored_answer(void)
{
	char call[96], path[192], id[64];
	struct http_reply *reply;

	begin();
	call_up(call);
	snprintf(path, sizeof(path), "/api/v1/opensips/call/%s/recording", call);
	reply = gateway_http_with(&gw, "POST", path, alice.key, "{\"action\":\"start\"}", "Idempotency-Key: rec-1");
	now_is(reply, "in-progress");
	snprintf(id, sizeof(id), "%s", json_text(reply->json, "recording.id"));
	reply = gateway_http_with(&gw, "POST", path, alice.key, "{\"action\":\"start\"}", "Idempotency-Key: rec-1");
	now_is(reply, "in-progress");
	assert_string_equal(http_header(reply, "Idempotent-Replayed"), "true");
	assert_string_equal(json_text(reply->json, "recording.id"), id);
	assert_int_equal(api_end(&gw, &alice, call), 200);
}

static void nexusctl_says_the_same(void)
{
	char call[96], id[64];

	begin();
	call_up(call);
	assert_int_equal(gateway_ctl(&gw, "recordings start %s", call), 0);
	snprintf(id, sizeof(id), "%s", json_text(gateway_ctl_json(), "id"));
	assert_int_equal(gateway_ctl(&gw, "recordings start %s", call), 4);
	assert_non_null(strstr(gateway_ctl_err(), "recording_in_progress"));
	assert_int_equal(gateway_ctl(&gw, "recordings pause %s", call), 0);
	assert_string_equal(json_text(gateway_ctl_json(), "status"), "paused");
	assert_int_equal(gateway_ctl(&gw, "recordings resume %s", call), 0);
	assert_int_equal(gateway_ctl(&gw, "recordings stop %s", call), 0);
	assert_int_equal(gateway_ctl(&gw, "recordings list %s", call), 0);
	assert_string_equal(json_text(gateway_ctl_json(), "0.id"), id);
	assert_int_equal(gateway_ctl(&gw, "recordings delete %s", id), 0);
	assert_int_equal(gateway_ctl(&gw, "recordings delete %s", id), 3);
	assert_int_equal(api_end(&gw, &alice, call), 200);
}

struct slow {
	char url[256];
	int status;
	atomic_bool done;
};

static void *ask_slowly(void *arg)
{
	struct slow *slow = arg;
	struct http_reply reply;

	http_send(&(struct http_request){ .method = "POST", .url = slow->url, .key = alice.key, .body = "{\"action\":\"start\"}" }, &reply);
	slow->status = reply.status;
	slow->done = true;
	http_free(&reply);
	return NULL;
}

/* More of them than a loop has threads for Twilio. */
static void a_slow_twilio_holds_up_nothing_else(void)
{
	struct slow slow[6] = { 0 };
	pthread_t threads[6];
	char call[6][96];
	int answered = 0;

	begin();
	for (int i = 0; i < 6; i++)
		call_up(call[i]);
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"slow\",\"on\":\"recording\",\"delayMs\":1200}"));
	for (int i = 0; i < 6; i++) {
		snprintf(slow[i].url, sizeof(slow[i].url), "%s/api/v1/opensips/call/%.90s/recording", gw.url, call[i]);
		assert_int_equal(pthread_create(&threads[i], NULL, ask_slowly, &slow[i]), 0);
	}
	/* A loop that waited for Twilio would answer one of these at most before the slow ones. */
	for (bool over = false; !over;) {
		assert_int_equal(gateway_http(&gw, "GET", "/api/v1/opensips/health", alice.key, NULL)->status, 200);
		assert_int_equal(gateway_http(&gw, "GET", "/livez", NULL, NULL)->status, 200);
		for (int i = 0; i < 6; i++)
			over = over || slow[i].done;
		answered += !over;
	}
	assert_true(answered >= 3);
	for (int i = 0; i < 6; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(slow[i].status, 200);
	}
	assert_true(sandbox_no_faults(&sandbox));
	for (int i = 0; i < 6; i++)
		assert_int_equal(api_end(&gw, &alice, call[i]), 200);
}

/* Twilio has begun it, and nobody has heard: it is neither lost nor made again. */
static void a_start_that_a_kill_cut_off_is_found_again(void)
{
	struct slow slow = { .done = false };
	pthread_t thread;
	char call[96], id[64];
	struct http_reply *reply;
	bool begun = false;

	begin();
	call_up(call);
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"slow\",\"on\":\"recording\",\"delayMs\":5000,\"count\":1}"));
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"callback_lost\",\"event\":\"in-progress\"}"));
	snprintf(slow.url, sizeof(slow.url), "%s/api/v1/opensips/call/%.90s/recording", gw.url, call);
	assert_int_equal(pthread_create(&thread, NULL, ask_slowly, &slow), 0);
	for (int64_t until = now_ms() + SOON_MS; now_ms() < until && !begun; nap_ms(20)) { /* the slow fault has struck */
		struct json_object *faults = sandbox_get(&sandbox, "/sandbox/v1/faults");
		begun = json_number(faults, "0.struck") == 1;
		json_object_put(faults);
	}
	assert_true(begun);
	proc_signal(gw.nexusd, SIGKILL);
	gateway_stop(&gw);
	pthread_join(thread, NULL);
	assert_int_equal(slow.status, 0);
	assert_true(gateway_run(&gw) && gateway_sip_start(&gw));
	refused(control(&alice, call, "start"), 409, "recording_in_progress"); /* whoever claimed it may be at it still */
	reply = list(&alice, call);
	assert_int_equal(json_object_array_length(json_at(reply->json, "recordings")), 1);
	assert_string_equal(json_text(reply->json, "recordings.0.status"), "in-progress");
	snprintf(id, sizeof(id), "%s", json_text(reply->json, "recordings.0.id"));
	reply = control(&alice, call, "stop");
	assert_int_equal(reply->status, 200);
	assert_string_equal(json_text(reply->json, "recording.id"), id);
	assert_true(sandbox_no_faults(&sandbox));
	assert_int_equal(api_end(&gw, &alice, call), 200);
}

/* As the gateway knows it, without asking Twilio. */
static bool becomes(const char *id, const char *status)
{
	bool is = false;

	for (int64_t until = now_ms() + SOON_MS; now_ms() < until && !is; nap_ms(20)) {
		struct nxv_recording *r = NULL;
		is = nxv_recording_get(gw.ctx, id, &r, NULL) == NXV_OK && strcmp(r->status, status) == 0;
		nxv_recording_free(r);
	}
	return is;
}

static bool counted(const char *verdict, int64_t want)
{
	int64_t n = 0;

	for (int64_t until = now_ms() + SOON_MS; now_ms() < until && n < want; nap_ms(20))
		n = twilio_gw_webhooks(&gw, verdict);
	return n == want;
}

static void webhooks_tell_what_became_of_it(void)
{
	int64_t accepted, duplicate, forged;
	char call[96], id[64], path[160];

	begin();
	call_up(call);
	nap_ms(300); /* the last webhooks of the call's beginning */
	accepted = twilio_gw_webhooks(&gw, "accepted");
	duplicate = twilio_gw_webhooks(&gw, "duplicate");
	forged = twilio_gw_webhooks(&gw, "forged");
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"callback_doubled\",\"event\":\"completed\",\"count\":1}"));
	now_is(control(&alice, call, "start"), "in-progress");
	snprintf(id, sizeof(id), "%s", json_text(list(&alice, call)->json, "recordings.0.id"));
	snprintf(path, sizeof(path), "/twilio/v1/recording/%s", call);
	assert_int_equal(gateway_http_with(&gw, "POST", path, NULL,
		"RecordingSid=RE0&RecordingStatus=completed", "X-Twilio-Signature: AAAAAAAAAAAAAAAAAAAAAAAAAAA=")->status, 403);
	assert_true(counted("forged", forged + 1));
	assert_int_equal(control(&alice, call, "stop")->status, 200);
	assert_true(becomes(id, "completed"));
	assert_true(counted("accepted", accepted + 2));
	assert_true(counted("duplicate", duplicate + 1));
	assert_int_equal(api_end(&gw, &alice, call), 200);
}

/* Needs the sandbox gone: the last one. */
static void twilio_down_is_503(void)
{
	char call[96];

	begin();
	call_up(call);
	proc_signal(sandbox.proc, SIGKILL); /* stopped, it would end the call first */
	sandbox_stop(&sandbox);
	refused(control(&alice, call, "start"), 503, "twilio_unreachable");
	refused(list(&alice, call), 503, "twilio_unreachable");
	assert_int_equal(gateway_stop(&gw), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		E2E(a_recording_is_started_paused_resumed_stopped_listed_and_deleted),
		E2E(its_sound_is_what_twilio_has),
		E2E(others_see_nothing_of_it),
		E2E(what_cannot_be_recorded_is_refused_with_a_clear_word),
		E2E(a_start_under_a_fault_is_not_made_twice),
		E2E(a_repeated_start_gives_the_stored_answer),
		E2E(nexusctl_says_the_same),
		E2E(webhooks_tell_what_became_of_it),
		E2E(a_start_that_a_kill_cut_off_is_found_again),
		E2E(a_slow_twilio_holds_up_nothing_else),
		E2E(twilio_down_is_503),
	};
	const struct e2e_suite suite = { .name = "recordings", .tests = tests, .count = sizeof(tests) / sizeof(tests[0]), .seconds = 120,
		.bare = true };

	server = argc > 1 ? argv[1] : "";
	return e2e_main(argc, argv, &suite);
}
