/* test_twilio_calls.c - calls at Twilio: what is sent, what is read, and above all what a failed create says. */
#include "twilio_rig.h"

#include "twilio/record.h"

#define PATH "/2010-04-01/Accounts/" ACCOUNT
#define CALL_JSON \
	"{\"sid\":\"" CALL_SID "\",\"status\":\"completed\",\"to\":\"+34911234567\",\"from\":\"+12025550123\",\"duration\":\"42\"," \
	"\"price\":null,\"queue_time\":\"1000\",\"direction\":\"outbound-api\",\"parent_call_sid\":null," \
	"\"date_created\":\"Sat, 29 Feb 2020 23:59:58 +0000\",\"end_time\":\"Sun, 01 Mar 2020 02:00:41 +0200\"}"

static struct nxv_twilio_call *call;

static nxv_status create(void)
{
	struct nxv_twilio_call_opts opts = NXV_TWILIO_CALL_OPTS_INIT;

	opts.to = "+34911234567";
	opts.from = "+12025550123";
	opts.twiml = "<Response/>";
	nxv_twilio_call_free(call);
	err = (struct nxv_error)NXV_ERROR_INIT;
	return nxv_twilio_call_create(twilio, &opts, &call, &err);
}

static void end(void)
{
	nxv_twilio_call_free(call);
	call = NULL;
	rig_close();
}

static void a_call_is_created_and_read(void **state)
{
	(void)state;
	RIG({ FAKE_ANSWER, answer(201, "", CALL_JSON), 0 });
	assert_int_equal(create(), NXV_OK);
	requested(0, "POST " PATH "/Calls.json HTTP/1.1\r\n", "To=%2B34911234567&From=%2B12025550123&Twiml=%3CResponse%2F%3E");
	assert_non_null(strstr(server.seen[0], "Content-Type: application/x-www-form-urlencoded\r\n"));
	assert_non_null(strstr(server.seen[0], "User-Agent: libnexusvoip/"));
	assert_non_null(strstr(server.seen[0], "Authorization: Basic "));
	assert_string_equal(call->sid, CALL_SID);
	assert_string_equal(call->status, "completed");
	assert_true(call->ended);
	assert_int_equal(call->duration_seconds, 42);
	assert_int_equal(call->queue_time_ms, 1000);
	assert_null(call->price);
	assert_null(call->parent_sid);
	assert_int_equal(call->created_at_ms, INT64_C(1583020798000));
	assert_int_equal(call->ended_at_ms, INT64_C(1583020841000));
	assert_int_equal(call->started_at_ms, 0);
	end();
}

static void every_option_becomes_its_parameter(void **state)
{
	struct nxv_twilio_call_opts o = NXV_TWILIO_CALL_OPTS_INIT;

	(void)state;
	RIG({ FAKE_ANSWER, answer(201, "", CALL_JSON), 0 });
	o.to = "sip:a@b.net";
	o.from = "client:x";
	o.url = "https://e.net/a?b=c&d";
	o.method = NXV_TWILIO_GET;
	o.status_callback = "https://e.net/s#rc=5&rp=all";
	o.status_callback_events = NXV_TWILIO_INITIATED | NXV_TWILIO_RINGING | NXV_TWILIO_ANSWERED | NXV_TWILIO_COMPLETED;
	o.status_callback_method = NXV_TWILIO_POST;
	o.send_digits = "wW1#";
	o.timeout_seconds = 60;
	o.time_limit_seconds = 14400;
	o.record = true;
	o.recording_channels = NXV_TWILIO_DUAL;
	o.recording_track = NXV_TWILIO_BOTH;
	o.trim = NXV_TWILIO_DO_NOT_TRIM;
	o.recording_status_callback_events = NXV_TWILIO_REC_COMPLETED;
	o.sip_auth_username = "u";
	o.sip_auth_password = "p&=+ %";
	o.machine_detection = NXV_TWILIO_MACHINE_MESSAGE_END;
	o.machine_detection_speech_end_threshold_ms = 1200;
	o.async_amd = true;
	assert_int_equal(nxv_twilio_call_create(twilio, &o, &call, &err), NXV_OK);
	requested(0, "POST ",
		"To=sip%3Aa%40b.net&From=client%3Ax&Url=https%3A%2F%2Fe.net%2Fa%3Fb%3Dc%26d&Method=GET"
		"&StatusCallback=https%3A%2F%2Fe.net%2Fs%23rc%3D5%26rp%3Dall&StatusCallbackEvent=initiated&StatusCallbackEvent=ringing"
		"&StatusCallbackEvent=answered&StatusCallbackEvent=completed&StatusCallbackMethod=POST&SendDigits=wW1%23&Timeout=60"
		"&TimeLimit=14400&Record=true&RecordingChannels=dual&RecordingTrack=both&Trim=do-not-trim"
		"&RecordingStatusCallbackEvent=completed&SipAuthUsername=u&SipAuthPassword=p%26%3D%2B%20%25"
		"&MachineDetection=DetectMessageEnd&MachineDetectionSpeechEndThreshold=1200&AsyncAmd=true");
	end();
}

static void wrong_options_are_refused_before_anything_is_sent(void **state)
{
	static char long_twiml[4002];
	const struct nxv_twilio_call_opts good = { sizeof(good), .to = "+1", .from = "+2", .url = "https://e.net/" };
	struct {
		struct nxv_twilio_call_opts opts;
		const char *field;
	} rows[12];
	size_t n = 0;

	(void)state;
	RIG({ FAKE_ANSWER, answer(201, "", CALL_JSON), 0 });
	memset(long_twiml, 'x', sizeof(long_twiml) - 1);
#define ROW(change, name) rows[n].opts = good, rows[n].opts.change, rows[n++].field = name
	ROW(to = "", "to");
	ROW(from = NULL, "from");
	ROW(url = NULL, "twiml");
	ROW(twiml = "<Response/>", "twiml");
	ROW(call_reason = "\xff", "call_reason");
	ROW(send_digits = "12 3", "send_digits");
	ROW(timeout_seconds = 601, "timeout_seconds");
	ROW(time_limit_seconds = -1, "time_limit_seconds");
	ROW(status_callback_events = 16, "status_callback_events");
	ROW(method = (nxv_twilio_method)3, "method");
	ROW(trim = (nxv_twilio_trim)9, "trim");
	rows[n].opts = good;
	rows[n].opts.url = NULL;
	rows[n].opts.twiml = long_twiml;
	rows[n++].field = "twiml";
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(nxv_twilio_call_create(twilio, &rows[i].opts, &call, &err), NXV_E_INVALID);
		assert_string_equal(err.field, rows[i].field);
		assert_null(call);
	}
	assert_int_equal(server.connections, 0);
	end();
}

static void a_create_whose_fate_is_open_is_unknown_and_sent_once(void **state)
{
	static const struct fake_step faults[] = {
		{ FAKE_RESET, NULL, 0 },
		{ FAKE_SILENCE, NULL, 0 },
		{ FAKE_ANSWER_AND_CLOSE, "HTTP/1.1 201 Created\r\nConte", 0 },
		{ FAKE_ANSWER_AND_CLOSE, "HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{\"sid\":\"CA0", 0 },
		{ FAKE_STALL, "HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n<html/>\r\n", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n[]", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 200 Fine\r\nContent-Length: 4\r\n\r\nnull", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 15\r\n\r\n<html>no</html>", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 500 Oops\r\nContent-Length: 31\r\n\r\n{\"code\":20500,\"message\":\"oops\"}", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 303 There\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		RIG(faults[i]);
		if (create() != NXV_E_TIMEOUT || !nxv_twilio_is_unknown(&err))
			fail_msg("fault %zu: %s %s", i, err.code, err.message);
		assert_null(call);
		assert_int_equal(server.requests, 1);
		end();
	}
}

/* On a connection that was good before, too: there libcurl would send again by itself. */
static void a_reused_connection_that_dies_is_unknown_and_sent_once(void **state)
{
	(void)state;
	RIG({ FAKE_ANSWER, answer(201, "", CALL_JSON), 0 }, { FAKE_RESET, NULL, 0 }, { FAKE_ANSWER, answer(201, "", CALL_JSON), 0 });
	assert_int_equal(create(), NXV_OK);
	create();
	assert_true(nxv_twilio_is_unknown(&err));
	assert_int_equal(server.requests, 2);
	end();
}

static void an_answer_too_big_is_unknown_too(void **state)
{
	static char big[4096 + 512];

	(void)state;
	snprintf(big, sizeof(big), "HTTP/1.1 201 Created\r\nContent-Length: 4300\r\n\r\n%4300s", "");
	RIG({ FAKE_ANSWER, big, 0 });
	create();
	assert_true(nxv_twilio_is_unknown(&err));
	assert_non_null(strstr(err.message, "bigger"));
	end();
}

static void a_twilio_that_is_down_got_nothing(void **state)
{
	struct nxv_twilio_opts opts = NXV_TWILIO_OPTS_INIT;
	char url[64];
	uint16_t port;
	int fd = fake_listen(&port, 1);

	(void)state;
	close(fd);
	RIG({ FAKE_ANSWER, answer(201, "", CALL_JSON), 0 });
	nxv_twilio_close(twilio);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", (unsigned)port);
	opts.account_sid = ACCOUNT;
	opts.auth_token = TOKEN;
	opts.base_url = url;
	assert_int_equal(nxv_twilio_open(&opts, &twilio, &err), NXV_OK);
	assert_int_equal(create(), NXV_E_UNREACHABLE);
	assert_string_equal(err.code, "twilio_unreachable");
	assert_false(nxv_twilio_is_unknown(&err));
	assert_true(err.retry_after_ms > 0);
	end();
}

struct refusal {
	int http, number;
	nxv_status status;
	const char *code, *field;
};

static void refusals_are_told_apart(void **state)
{
	static const struct refusal rows[] = {
		{ 401, 20003, NXV_E_UNREACHABLE, "twilio_auth", "" },
		{ 401, 0, NXV_E_UNREACHABLE, "twilio_auth", "" },
		{ 403, 20003, NXV_E_UNREACHABLE, "twilio_auth", "" },
		{ 403, 20005, NXV_E_UNREACHABLE, "twilio_account", "" },
		{ 403, 70051, NXV_E_UNREACHABLE, "twilio_account", "" },
		{ 400, 21211, NXV_E_UNCALLABLE, "invalid_destination", "to" },
		{ 400, 21217, NXV_E_UNCALLABLE, "invalid_destination", "to" },
		{ 400, 13224, NXV_E_UNCALLABLE, "invalid_destination", "to" },
		{ 400, 21212, NXV_E_UNCALLABLE, "caller_id_not_allowed", "from" },
		{ 400, 21210, NXV_E_UNCALLABLE, "caller_id_not_allowed", "from" },
		{ 400, 21215, NXV_E_UNCALLABLE, "destination_not_allowed", "to" },
		{ 400, 21216, NXV_E_UNCALLABLE, "destination_not_allowed", "to" },
		{ 400, 21220, NXV_E_CONFLICT, "twilio_call_state", "" },
		{ 404, 20404, NXV_E_NOT_FOUND, "not_found", "" },
		{ 400, 21205, NXV_E_INVALID, "twilio_refused", "" },
		{ 429, 20429, NXV_E_LIMIT, "twilio_rate_limited", "" },
		{ 429, 0, NXV_E_LIMIT, "twilio_rate_limited", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char body[200];

		snprintf(body, sizeof(body), "{\"code\":%d,\"message\":\"Said\\nso\",\"more_info\":\"x\",\"status\":%d}", rows[i].number, rows[i].http);
		RIG({ FAKE_ANSWER, answer(rows[i].http, rows[i].http == 429 ? "Retry-After: 3\r\n" : "", body), 0 });
		assert_int_equal(create(), rows[i].status);
		assert_string_equal(err.code, rows[i].code);
		assert_string_equal(err.field, rows[i].field);
		assert_int_equal(err.detail, rows[i].number ? rows[i].number : rows[i].http);
		assert_non_null(strstr(err.message, "Said so"));
		assert_int_equal(err.retry_after_ms, rows[i].http == 429 ? 3000 : 0);
		assert_false(nxv_twilio_is_unknown(&err));
		assert_null(strstr(err.message, TOKEN));
		end();
	}
}

static void long_words_of_twilio_are_cut_between_characters(void **state)
{
	char body[700] = "{\"code\":21211,\"message\":\"", *at = body + strlen(body);

	(void)state;
	for (int i = 0; i < 150; i++, at += 3)
		memcpy(at, "\xE2\x98\x8E", 4);
	strcpy(at, "\",\"status\":400}");
	RIG({ FAKE_ANSWER, answer(400, "", body), 0 });
	assert_int_equal(create(), NXV_E_UNCALLABLE);
	assert_non_null(strstr(err.message, "\xE2\x98\x8E...)"));
	end();
}

static void answers_of_strangers_are_named(void **state)
{
	static const struct fake_step strangers[] = {
		{ FAKE_ANSWER, "HTTP/1.1 404 No\r\nContent-Length: 15\r\n\r\n<html>no</html>", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\n[1]", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 301 Away\r\nLocation: https://elsewhere.invalid/\r\nContent-Length: 0\r\n\r\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++) {
		RIG(strangers[i]);
		assert_int_equal(create(), NXV_E_UNREACHABLE);
		assert_string_equal(err.code, "twilio_bad_answer");
		assert_int_equal(server.requests, 1);
		end();
	}
}

static void a_fetch_may_be_repeated_and_says_what_failed(void **state)
{
	(void)state;
	RIG({ FAKE_ANSWER, answer(200, "", CALL_JSON), 0 }, { FAKE_RESET, NULL, 0 }, { FAKE_ANSWER, answer(200, "", CALL_JSON), 0 },
		{ FAKE_ANSWER, "HTTP/1.1 502 Bad\r\nContent-Length: 7\r\n\r\n<html/>", 0 },
		{ FAKE_ANSWER, answer(200, "", "{\"sid\":\"x\"}"), 0 }, { FAKE_SILENCE, NULL, 0 });
	assert_int_equal(nxv_twilio_call_fetch(twilio, CALL_SID, &call, &err), NXV_OK);
	nxv_twilio_call_free(call);
	assert_int_equal(nxv_twilio_call_fetch(twilio, CALL_SID, &call, &err), NXV_OK);
	requested(2, "GET " PATH "/Calls/" CALL_SID ".json HTTP/1.1\r\n", "");
	nxv_twilio_call_free(call);
	assert_int_equal(nxv_twilio_call_fetch(twilio, CALL_SID, &call, &err), NXV_E_UNREACHABLE);
	assert_string_equal(err.code, "twilio_failed");
	assert_int_equal(err.detail, 502);
	assert_int_equal(nxv_twilio_call_fetch(twilio, CALL_SID, &call, &err), NXV_E_UNREACHABLE);
	assert_string_equal(err.code, "twilio_bad_answer");
	assert_int_equal(nxv_twilio_call_fetch(twilio, CALL_SID, &call, &err), NXV_E_TIMEOUT);
	assert_string_equal(err.code, "twilio_no_answer");
	assert_int_equal(nxv_twilio_call_fetch(twilio, "CA/../x", &call, &err), NXV_E_INVALID);
	assert_int_equal(nxv_twilio_call_fetch(twilio, NULL, &call, &err), NXV_E_INVALID);
	assert_null(call);
	end();
}

static void a_list_is_filtered_and_paged(void **state)
{
	struct nxv_twilio_call_list_opts o = NXV_TWILIO_CALL_LIST_OPTS_INIT;
	struct nxv_twilio_call_list *list = NULL;
	static const char next[] = PATH "/Calls.json?PageSize=2&Page=1&PageToken=PACA0";
	char body[1024];

	(void)state;
	snprintf(body, sizeof(body), "{\"calls\":[" CALL_JSON "," CALL_JSON "],\"next_page_uri\":\"%s\"}", next);
	RIG({ FAKE_ANSWER, answer(200, "", body), 0 }, { FAKE_ANSWER, answer(200, "", "{\"calls\":[],\"next_page_uri\":null}"), 0 },
		{ FAKE_ANSWER, answer(200, "", "{\"calls\":[{}]}"), 0 }, { FAKE_ANSWER, answer(200, "", "{}"), 0 });
	o.to = "+34911234567";
	o.status = "in-progress";
	o.started_after_ms = INT64_C(1583020798999);
	o.started_before_ms = INT64_C(1583020841000);
	o.page_size = 2;
	assert_int_equal(nxv_twilio_call_list(twilio, &o, &list, &err), NXV_OK);
	requested(0, "GET " PATH "/Calls.json?To=%2B34911234567&Status=in-progress&StartTime%3C=2020-03-01T00%3A00%3A41Z"
		"&StartTime%3E=2020-02-29T23%3A59%3A58Z&PageSize=2 HTTP/1.1\r\n", NULL);
	assert_int_equal(list->count, 2);
	assert_string_equal(list->items[1]->to, "+34911234567");
	assert_string_equal(list->next_page, next);
	o.page = list->next_page;
	struct nxv_twilio_call_list *second = NULL;
	assert_int_equal(nxv_twilio_call_list(twilio, &o, &second, &err), NXV_OK);
	requested(1, "GET " PATH "/Calls.json?PageSize=2&Page=1&PageToken=PACA0 HTTP/1.1\r\n", NULL);
	assert_int_equal(second->count, 0);
	assert_null(second->next_page);
	nxv_twilio_call_list_free(second);
	nxv_twilio_call_list_free(list);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(nxv_twilio_call_list(twilio, NULL, &list, &err), NXV_E_UNREACHABLE);
		assert_string_equal(err.code, "twilio_bad_answer");
		assert_null(list);
	}
	end();
}

static void a_page_elsewhere_is_not_asked_for(void **state)
{
	static const char *const pages[] = { "https://evil.invalid/x", "//evil.invalid/x", "@evil.invalid/", PATH "9/Calls.json", PATH "/../../x",
		PATH "/a b", "" };
	struct nxv_twilio_call_list_opts o = NXV_TWILIO_CALL_LIST_OPTS_INIT;
	struct nxv_twilio_call_list *list;

	(void)state;
	RIG({ FAKE_ANSWER, answer(200, "", "{\"calls\":[]}"), 0 });
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		o.page = pages[i];
		assert_int_equal(nxv_twilio_call_list(twilio, &o, &list, &err), NXV_E_INVALID);
		assert_string_equal(err.field, "page");
	}
	assert_int_equal(server.connections, 0);
	end();
}

static void a_call_is_ended_cancelled_and_sent_elsewhere(void **state)
{
	struct nxv_twilio_call_update_opts o = NXV_TWILIO_CALL_UPDATE_OPTS_INIT;

	(void)state;
	RIG({ FAKE_ANSWER, answer(200, "", CALL_JSON), 0 });
	assert_int_equal(nxv_twilio_call_end(twilio, CALL_SID, &call, &err), NXV_OK);
	requested(0, "POST " PATH "/Calls/" CALL_SID ".json", "Status=completed");
	assert_int_equal(nxv_twilio_call_update(twilio, CALL_SID, &o, NULL, &err), NXV_E_INVALID);
	o.cancel = true;
	assert_int_equal(nxv_twilio_call_update(twilio, CALL_SID, &o, NULL, &err), NXV_OK);
	requested(1, "POST ", "Status=canceled");
	o.complete = true;
	assert_int_equal(nxv_twilio_call_update(twilio, CALL_SID, &o, NULL, &err), NXV_E_INVALID);
	o = (struct nxv_twilio_call_update_opts)NXV_TWILIO_CALL_UPDATE_OPTS_INIT;
	o.url = "https://e.net/";
	o.method = NXV_TWILIO_POST;
	o.time_limit_seconds = 60;
	assert_int_equal(nxv_twilio_call_update(twilio, CALL_SID, &o, NULL, &err), NXV_OK);
	requested(2, "POST ", "Url=https%3A%2F%2Fe.net%2F&Method=POST&TimeLimit=60");
	end();
}

static void connections_are_kept_across_calls(void **state)
{
	(void)state;
	RIG({ FAKE_ANSWER, answer(201, "", CALL_JSON), 0 });
	for (int i = 0; i < 30; i++)
		assert_int_equal(create(), NXV_OK);
	assert_int_equal(server.connections, 1);
	end();
}

static void accounts_are_checked_when_opened(void **state)
{
	static const struct {
		struct nxv_twilio_opts opts;
		const char *field;
	} rows[] = {
		{ { .account_sid = NULL, .auth_token = "t" }, "account_sid" },
		{ { .account_sid = "AC/../x", .auth_token = "t" }, "account_sid" },
		{ { .account_sid = "SK1", .auth_token = "t" }, "account_sid" },
		{ { .account_sid = ACCOUNT }, "auth_token" },
		{ { .account_sid = ACCOUNT, .api_key_sid = "AC1", .api_key_secret = "s" }, "api_key_sid" },
		{ { .account_sid = ACCOUNT, .api_key_sid = "SK1" }, "api_key_secret" },
		{ { .account_sid = ACCOUNT, .auth_token = "t", .edge = "a.b" }, "edge" },
		{ { .account_sid = ACCOUNT, .auth_token = "t", .region = "" }, "region" },
		{ { .account_sid = ACCOUNT, .auth_token = "t", .base_url = "ftp://x" }, "base_url" },
		{ { .account_sid = ACCOUNT, .auth_token = "t", .base_url = "http://" }, "base_url" },
		{ { .account_sid = ACCOUNT, .auth_token = "t", .base_url = "http://u:p@x" }, "base_url" },
		{ { .account_sid = ACCOUNT, .auth_token = "t", .base_url = "http://x?y" }, "base_url" },
		{ { .account_sid = ACCOUNT, .auth_token = "t", .base_url = "http://x", .edge = "dublin" }, "base_url" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct nxv_twilio_opts opts = rows[i].opts;
		nxv_twilio *t;

		opts.size = sizeof(opts);
		assert_int_equal(nxv_twilio_open(&opts, &t, &err), NXV_E_INVALID);
		assert_null(t);
		assert_string_equal(err.field, rows[i].field);
	}
}

static void times_are_read_by_the_letter(void **state)
{
	(void)state;
	assert_int_equal(record_time_ms("Thu, 01 Jan 1970 00:00:01 +0000"), 1000);
	assert_int_equal(record_time_ms("Thu, 01 Jan 1970 01:00:01 GMT"), 3601000);
	assert_int_equal(record_time_ms("Wed, 31 Dec 2025 23:59:59 -0330"), INT64_C(1767238199000));
	assert_int_equal(record_time_ms("2020-01-01T00:00:00Z"), 0);
	assert_int_equal(record_time_ms("Wed, 31 anF 2025 23:59:59 +0000"), 0);
	assert_int_equal(record_time_ms("Wed, 31 Dec 2025 23:59:59"), 0);
	assert_int_equal(record_time_ms(""), 0);
	assert_int_equal(record_time_ms(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_created_and_read),
		cmocka_unit_test(every_option_becomes_its_parameter),
		cmocka_unit_test(wrong_options_are_refused_before_anything_is_sent),
		cmocka_unit_test(a_create_whose_fate_is_open_is_unknown_and_sent_once),
		cmocka_unit_test(a_reused_connection_that_dies_is_unknown_and_sent_once),
		cmocka_unit_test(an_answer_too_big_is_unknown_too),
		cmocka_unit_test(a_twilio_that_is_down_got_nothing),
		cmocka_unit_test(refusals_are_told_apart),
		cmocka_unit_test(long_words_of_twilio_are_cut_between_characters),
		cmocka_unit_test(answers_of_strangers_are_named),
		cmocka_unit_test(a_fetch_may_be_repeated_and_says_what_failed),
		cmocka_unit_test(a_list_is_filtered_and_paged),
		cmocka_unit_test(a_page_elsewhere_is_not_asked_for),
		cmocka_unit_test(a_call_is_ended_cancelled_and_sent_elsewhere),
		cmocka_unit_test(connections_are_kept_across_calls),
		cmocka_unit_test(accounts_are_checked_when_opened),
		cmocka_unit_test(times_are_read_by_the_letter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
