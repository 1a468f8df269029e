/* test_twilio_prism.c - every request that the client can send, judged by Twilio's published description of its API: Prism
 * serves it and checks values and answers, a checker in front refuses parameters that are not described. */
#include <nexusvoip/twilio_check.h>
#include <nexusvoip/twilio.h>

#include "base/leg_token.h"
#include "http/http.h"
#include "twilio/inside.h"
#include "twilio/node.h"

#include <json-c/json.h>

#define ACCOUNT "AC00000000000000000000000000000001"
#define CALL_SID "CA00000000000000000000000000000002"
#define REC_SID "RE00000000000000000000000000000003"

static struct node checker;
static char base_url[64];
static nxv_twilio *twilio;
static struct nxv_error err;

static void ok(nxv_status status, const char *what)
{
	if (status)
		fail_msg("%s: %s %d: %s", what, err.code, err.detail, err.message);
}

static int set_up(void **state)
{
	struct nxv_twilio_opts opts = NXV_TWILIO_OPTS_INIT;
	const char *line;

	(void)state;
	node_start(&checker, TWILIO_CHECKS "/checker.js", (const char *const[]){ TWILIO_NPM, NULL });
	line = node_line(&checker);
	if (!line || strncmp(line, "READY ", 6) != 0)
		return -1;
	snprintf(base_url, sizeof(base_url), "http://127.0.0.1:%d", atoi(line + 6));
	opts.account_sid = ACCOUNT;
	opts.auth_token = "token";
	opts.base_url = base_url;
	opts.first_byte_timeout_ms = opts.total_timeout_ms = 30000; /* Prism under load takes its time */
	return nxv_twilio_open(&opts, &twilio, &err);
}

static int tear_down(void **state)
{
	(void)state;
	nxv_twilio_close(twilio);
	node_end(&checker);
	return 0;
}

static void create(const struct nxv_twilio_call_opts *opts, const char *what)
{
	struct nxv_twilio_call *call = NULL;

	ok(nxv_twilio_call_create(twilio, opts, &call, &err), what);
	assert_non_null(call->sid);
	nxv_twilio_call_free(call);
}

static struct nxv_twilio_call_opts full_call(void)
{
	return (struct nxv_twilio_call_opts){
		.size = sizeof(struct nxv_twilio_call_opts),
		.to = "sip:alice@pbx.example.net:5061;transport=tls?X-Token=a%20b",
		.from = "+12025550123",
		.url = "https://gw.example.net/twiml?a=1&b=2",
		.method = NXV_TWILIO_POST,
		.fallback_url = "https://gw.example.net/fallback",
		.fallback_method = NXV_TWILIO_GET,
		.status_callback = "https://gw.example.net/twilio/v1/status/session_1#rc=5&rp=all",
		.status_callback_events = NXV_TWILIO_INITIATED | NXV_TWILIO_RINGING | NXV_TWILIO_ANSWERED | NXV_TWILIO_COMPLETED,
		.status_callback_method = NXV_TWILIO_POST,
		.send_digits = "ww1234#*ABCD",
		.timeout_seconds = 60,
		.time_limit_seconds = 14400,
		.record = true,
		.recording_channels = NXV_TWILIO_DUAL,
		.recording_track = NXV_TWILIO_BOTH,
		.trim = NXV_TWILIO_TRIM_SILENCE,
		.recording_status_callback = "https://gw.example.net/twilio/v1/recording/session_1",
		.recording_status_callback_events = NXV_TWILIO_REC_IN_PROGRESS | NXV_TWILIO_REC_COMPLETED | NXV_TWILIO_REC_ABSENT,
		.recording_status_callback_method = NXV_TWILIO_POST,
		.recording_configuration_id = "configuration",
		.sip_auth_username = "alice",
		.sip_auth_password = "p&ss=w+rd%",
		.caller_id = "+12025550123",
		.machine_detection = NXV_TWILIO_MACHINE_ENABLE,
		.machine_detection_timeout_seconds = 30,
		.machine_detection_speech_threshold_ms = 2400,
		.machine_detection_speech_end_threshold_ms = 1200,
		.machine_detection_silence_timeout_ms = 5000,
		.async_amd = true,
		.async_amd_status_callback = "https://gw.example.net/amd",
		.async_amd_status_callback_method = NXV_TWILIO_POST,
		.passports = "eyJh.eyJi.c",
		.byoc = "BY00000000000000000000000000000004",
		.call_reason = "Your appointment",
		.call_token = "{\"parentCallInfoToken\":\"x\"}",
		.client_notification_url = "https://gw.example.net/notify",
	};
}

static void calls_are_created_as_described(void **state)
{
	struct nxv_twilio_call_opts o = full_call();

	(void)state;
	create(&o, "all options");
	o.url = NULL;
	o.twiml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Say>é &amp; ☎</Say></Response>";
	o.status_callback_events = NXV_TWILIO_COMPLETED;
	o.machine_detection = NXV_TWILIO_MACHINE_MESSAGE_END;
	o.recording_channels = NXV_TWILIO_MONO;
	o.recording_track = NXV_TWILIO_INBOUND;
	o.trim = NXV_TWILIO_DO_NOT_TRIM;
	create(&o, "TwiML");
	o = (struct nxv_twilio_call_opts)NXV_TWILIO_CALL_OPTS_INIT;
	o.to = "+34911234567";
	o.from = "+12025550123";
	o.application_sid = "AP00000000000000000000000000000005";
	create(&o, "application");
}

/* A member of an options struct. */
struct member {
	const char *name;
	size_t offset, size;
};
#define CREATE(m) { #m, offsetof(struct nxv_twilio_call_opts, m), sizeof(((struct nxv_twilio_call_opts *)NULL)->m) }
#define UPDATE(m) { #m, offsetof(struct nxv_twilio_call_update_opts, m), sizeof(((struct nxv_twilio_call_update_opts *)NULL)->m) }
static const struct member create_members[] = { CREATE(to), CREATE(from), CREATE(url), CREATE(twiml), CREATE(application_sid),
	CREATE(method), CREATE(fallback_url), CREATE(fallback_method), CREATE(status_callback), CREATE(status_callback_events),
	CREATE(status_callback_method), CREATE(send_digits), CREATE(timeout_seconds), CREATE(time_limit_seconds), CREATE(record),
	CREATE(recording_channels), CREATE(recording_track), CREATE(trim), CREATE(recording_status_callback),
	CREATE(recording_status_callback_events), CREATE(recording_status_callback_method), CREATE(recording_configuration_id),
	CREATE(sip_auth_username), CREATE(sip_auth_password), CREATE(caller_id), CREATE(machine_detection),
	CREATE(machine_detection_timeout_seconds), CREATE(machine_detection_speech_threshold_ms),
	CREATE(machine_detection_speech_end_threshold_ms), CREATE(machine_detection_silence_timeout_ms), CREATE(async_amd),
	CREATE(async_amd_status_callback), CREATE(async_amd_status_callback_method), CREATE(passports), CREATE(byoc),
	CREATE(call_reason), CREATE(call_token), CREATE(client_notification_url) };
static const struct member update_members[] = { UPDATE(cancel), UPDATE(complete), UPDATE(url), UPDATE(twiml), UPDATE(method),
	UPDATE(fallback_url), UPDATE(fallback_method), UPDATE(status_callback), UPDATE(status_callback_method),
	UPDATE(time_limit_seconds) };

static void copy_member(void *to, const void *from, const struct member *m)
{
	static const char nothing[sizeof(void *)];

	if (memcmp((const char *)from + m->offset, nothing, m->size) == 0)
		fail_msg("%s has no value to be walked with", m->name);
	memcpy((char *)to + m->offset, (const char *)from + m->offset, m->size);
}

static void each_option_of_a_call_passes_by_itself(void **state)
{
	enum { COUNT = sizeof(create_members) / sizeof(create_members[0]) };
	struct nxv_twilio_call_opts all = full_call();

	(void)state;
	all.twiml = "<Response/>";
	all.application_sid = "AP00000000000000000000000000000005";
	for (size_t i = 0; i < COUNT; i++) {
		struct nxv_twilio_call_opts one = { sizeof(one), .to = "+34911234567", .from = "+12025550123" };
		const char *name = create_members[i].name;

		if (strcmp(name, "twiml") != 0 && strcmp(name, "application_sid") != 0)
			one.url = "https://gw.example.net/";
		copy_member(&one, &all, &create_members[i]);
		create(&one, name);
	}
}

static void each_change_of_a_call_passes_by_itself(void **state)
{
	enum { COUNT = sizeof(update_members) / sizeof(update_members[0]) };
	const struct nxv_twilio_call_update_opts all = { sizeof(all), true, true, "https://gw.example.net/next", "<Response/>",
		NXV_TWILIO_POST, "https://gw.example.net/f", NXV_TWILIO_GET, "https://gw.example.net/s", NXV_TWILIO_POST, 60 };

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		struct nxv_twilio_call_update_opts one = NXV_TWILIO_CALL_UPDATE_OPTS_INIT;

		copy_member(&one, &all, &update_members[i]);
		ok(nxv_twilio_call_update(twilio, CALL_SID, &one, NULL, &err), update_members[i].name);
	}
}

/* Every word and every set of events that a typed option can stand for. */
static void each_value_of_a_typed_option_passes(void **state)
{
	const struct nxv_twilio_call_opts plain = { sizeof(plain), .to = "+1", .from = "+2", .url = "https://gw.example.net/" };

	(void)state;
	for (unsigned i = 1; i < 16; i++) {
		struct nxv_twilio_call_opts o = plain;
		o.status_callback = o.recording_status_callback = "https://gw.example.net/s";
		o.status_callback_events = i;
		o.recording_status_callback_events = i & 7;
		o.method = o.fallback_method = o.status_callback_method = o.recording_status_callback_method =
			o.async_amd_status_callback_method = (nxv_twilio_method)(i % 3);
		o.recording_channels = (nxv_twilio_channels)(i % 3);
		o.recording_track = (nxv_twilio_track)(i % 4);
		o.trim = (nxv_twilio_trim)(i % 3);
		o.machine_detection = (nxv_twilio_machine)(i % 3);
		create(&o, "words");
	}
}

/* What the gateway itself sends for a call: either party first, with and without webhooks. */
static void the_gateways_own_creates_pass(void **state)
{
	struct twilio_carrier carrier = { .opts = { .ring_seconds = 60, .max_seconds = 14400 }, .client = twilio };
	struct tw_call call = { .carrier = &carrier, .intent = { .session_id = (char *)"session_1", .from = (char *)"+12025550123" } };
	char *phone = (char *)"sip:user_1@sip.example.com?" LEG_TOKEN_HEADER "=session_1.a.0123", *number = (char *)"+0987654321";

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct json_object *json = NULL;
		struct twilio_exchange x;

		call.intent.callee_first = i & 1;
		call.intent.to = i & 1 ? number : phone;
		call.intent.dial = i & 1 ? phone : number;
		carrier.public_url = (char *)(i & 2 ? "https://voip.example.com" : "");
		ok(flow_create(&call, &x, &err), "flow");
		ok(twilio_ask(twilio, &x, &json, &err), "the gateway's create");
		json_object_put(json);
	}
}

/* What `nexusctl twilio check` reads. */
static void the_checks_reads_pass(void **state)
{
	char folder[] = "/tmp/nxv-prism-XXXXXX", url[96];
	const char *const env[] = { "NEXUSVOIP_TWILIO_ACCOUNT_SID=" ACCOUNT, "NEXUSVOIP_TWILIO_AUTH_TOKEN=token", url, NULL };
	struct nxv_opts opts = NXV_OPTS_INIT;
	struct nxv_twilio_report *report = NULL;
	nxv_ctx *ctx = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(url, sizeof(url), "NEXUSVOIP_TWILIO_BASE_URL=%s", base_url);
	opts.state_dir = folder;
	opts.env = env;
	ok(nxv_open(&opts, &ctx, &err), "open");
	ok(nxv_twilio_check(ctx, &report, &err), "check");
	for (size_t i = 0; i < report->count; i++) {
		const struct nxv_check *check = &report->items[i];
		/* Prism's made-up list of numbers does not fit the description itself: that is no fault of the request. */
		if (strstr(check->error.message, "checker:") || strstr(check->error.message, "Invalid request"))
			fail_msg("%s: %s", check->name, check->error.message);
	}
	assert_true(report->count >= 5);
	nxv_twilio_report_free(report);
	nxv_close(ctx);
	snprintf(url, sizeof(url), "rm -r %s", folder);
	assert_int_equal(system(url), 0);
}

static void calls_are_fetched_listed_and_changed_as_described(void **state)
{
	struct nxv_twilio_call_list_opts l = NXV_TWILIO_CALL_LIST_OPTS_INIT;
	struct nxv_twilio_call_update_opts u = NXV_TWILIO_CALL_UPDATE_OPTS_INIT;
	struct nxv_twilio_call_list *list = NULL;
	struct nxv_twilio_call *call = NULL;

	(void)state;
	ok(nxv_twilio_call_fetch(twilio, CALL_SID, &call, &err), "fetch");
	assert_true(call->created_at_ms > 0);
	nxv_twilio_call_free(call);
	ok(nxv_twilio_call_list(twilio, NULL, &list, &err), "list");
	nxv_twilio_call_list_free(list);
	l = (struct nxv_twilio_call_list_opts){ sizeof(l), .to = "+34911234567", .from = "+12025550123", .parent_sid = CALL_SID,
		.status = "in-progress", .started_before_ms = 1700000000000, .started_after_ms = 1600000000000,
		.ended_before_ms = 1700000000000, .ended_after_ms = 1600000000000, .page_size = 1000 };
	ok(nxv_twilio_call_list(twilio, &l, &list, &err), "filtered list");
	nxv_twilio_call_list_free(list);
	l.page = "/2010-04-01/Accounts/" ACCOUNT "/Calls.json?PageSize=2&Page=1&PageToken=PACA0";
	ok(nxv_twilio_call_list(twilio, &l, &list, &err), "next page");
	nxv_twilio_call_list_free(list);
	ok(nxv_twilio_call_end(twilio, CALL_SID, &call, &err), "end");
	nxv_twilio_call_free(call);
	u.cancel = true;
	ok(nxv_twilio_call_update(twilio, CALL_SID, &u, NULL, &err), "cancel");
	u = (struct nxv_twilio_call_update_opts){ sizeof(u), .url = "https://gw.example.net/next", .method = NXV_TWILIO_GET,
		.fallback_url = "https://gw.example.net/f", .fallback_method = NXV_TWILIO_POST, .status_callback = "https://gw.example.net/s",
		.status_callback_method = NXV_TWILIO_POST, .time_limit_seconds = 60 };
	ok(nxv_twilio_call_update(twilio, CALL_SID, &u, NULL, &err), "redirect");
	u.url = NULL;
	u.twiml = "<Response><Hangup/></Response>";
	ok(nxv_twilio_call_update(twilio, CALL_SID, &u, NULL, &err), "redirect to TwiML");
}

static void recordings_are_handled_as_described(void **state)
{
	struct nxv_twilio_recording_opts o = { sizeof(o), NXV_TWILIO_DUAL, NXV_TWILIO_OUTBOUND, NXV_TWILIO_DO_NOT_TRIM,
		"https://gw.example.net/r", NXV_TWILIO_REC_IN_PROGRESS | NXV_TWILIO_REC_COMPLETED | NXV_TWILIO_REC_ABSENT, NXV_TWILIO_POST,
		"configuration" };
	struct nxv_twilio_recording_list_opts l = { sizeof(l), .call_sid = CALL_SID, .conference_sid = "CF00000000000000000000000000000006",
		.created_before_ms = 1700000000000, .created_after_ms = 1600000000000, .include_deleted = true, .page_size = 1 };
	struct nxv_twilio_recording_list *list = NULL;
	struct nxv_twilio_recording *recording = NULL;

	(void)state;
	ok(nxv_twilio_recording_start(twilio, CALL_SID, &o, &recording, &err), "start");
	nxv_twilio_recording_free(recording);
	ok(nxv_twilio_recording_start(twilio, CALL_SID, NULL, &recording, &err), "plain start");
	nxv_twilio_recording_free(recording);
	for (int action = NXV_TWILIO_REC_PAUSE_SKIP; action <= NXV_TWILIO_REC_STOP; action++) {
		ok(nxv_twilio_recording_update(twilio, CALL_SID, action % 2 ? REC_SID : NXV_TWILIO_CURRENT, (nxv_twilio_recording_action)action,
			&recording, &err), "update");
		nxv_twilio_recording_free(recording);
	}
	ok(nxv_twilio_recording_fetch(twilio, REC_SID, &recording, &err), "fetch");
	nxv_twilio_recording_free(recording);
	ok(nxv_twilio_recording_list(twilio, NULL, &list, &err), "list");
	nxv_twilio_recording_list_free(list);
	ok(nxv_twilio_recording_list(twilio, &l, &list, &err), "filtered list");
	nxv_twilio_recording_list_free(list);
	l.page = "/2010-04-01/Accounts/" ACCOUNT "/Recordings.json?PageSize=2&Page=1&PageToken=PARE0";
	ok(nxv_twilio_recording_list(twilio, &l, &list, &err), "next page");
	nxv_twilio_recording_list_free(list);
	ok(nxv_twilio_recording_delete(twilio, REC_SID, &err), "delete");
}

/* POST a form by hand; true when it is refused with these words. */
static bool refused(const char *form, const char *words)
{
	static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded", NULL };
	struct http_result result = { 0 };
	struct http *http = NULL;
	char url[256];
	bool found;

	snprintf(url, sizeof(url), "%s/2010-04-01/Accounts/" ACCOUNT "/Calls.json", base_url);
	assert_int_equal(http_open(NULL, &http, NULL), NXV_OK);
	assert_int_equal(http_send(http, &(struct http_request){ .method = "POST", .url = url, .headers = headers, .username = ACCOUNT,
		.password = "token", .body = form, .body_len = strlen(form) }, &result, &err), NXV_OK);
	found = result.status == 422 && result.body.data && strstr(result.body.data, words);
	http_result_clear(&result);
	http_close(http);
	return found;
}

/* The judges must be able to say no. */
static void what_is_not_described_is_refused(void **state)
{
#define GOOD "To=%2B1&From=%2B2&Url=https%3A%2F%2Fe.net"

	(void)state;
	assert_true(refused(GOOD "&Statuscallback=x", "no form parameter Statuscallback"));
	assert_true(refused(GOOD "&Timeout=1&Timeout=2", "is there twice"));
	assert_true(refused("To=%2B1&Url=https%3A%2F%2Fe.net", "Prism: Invalid request"));
	assert_true(refused(GOOD "&Method=PUT", "Prism: Invalid request"));
	assert_true(refused(GOOD "&Timeout=long", "Prism: Invalid request"));
	assert_true(refused(GOOD "&Byoc=AB1", "Prism: Invalid request"));
	assert_false(refused(GOOD, ""));
}

static const char *unsent(struct json_object *all, const char *operation)
{
	struct json_object *list = json_object_object_get(all, operation);

	assert_non_null(list);
	return json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN);
}

/* By days, one asks with before and after; operations below a call are reached through the account. Runs last. */
static void every_described_parameter_was_sent(void **state)
{
	struct http_result result = { 0 };
	struct json_object *all;
	struct http *http = NULL;
	char url[128];

	(void)state;
	snprintf(url, sizeof(url), "%s/unsent", base_url);
	assert_int_equal(http_open(NULL, &http, NULL), NXV_OK);
	assert_int_equal(http_send(http, &(struct http_request){ .method = "GET", .url = url }, &result, &err), NXV_OK);
	all = json_tokener_parse(result.body.data);
	assert_non_null(all);
	assert_string_equal(unsent(all, "CreateCall"), "[]");
	assert_string_equal(unsent(all, "UpdateCall"), "[]");
	assert_string_equal(unsent(all, "ListCall"), "[\"StartTime\",\"EndTime\"]");
	assert_string_equal(unsent(all, "CreateCallRecording"), "[]");
	assert_string_equal(unsent(all, "UpdateCallRecording"), "[]");
	assert_string_equal(unsent(all, "ListRecording"), "[\"DateCreated\"]");
	json_object_put(all);
	http_result_clear(&result);
	http_close(http);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_created_as_described),
		cmocka_unit_test(each_option_of_a_call_passes_by_itself),
		cmocka_unit_test(each_change_of_a_call_passes_by_itself),
		cmocka_unit_test(each_value_of_a_typed_option_passes),
		cmocka_unit_test(the_gateways_own_creates_pass),
		cmocka_unit_test(the_checks_reads_pass),
		cmocka_unit_test(calls_are_fetched_listed_and_changed_as_described),
		cmocka_unit_test(recordings_are_handled_as_described),
		cmocka_unit_test(what_is_not_described_is_refused),
		cmocka_unit_test(every_described_parameter_was_sent),
	};

	node_require();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
