/* test_twilio_recordings.c - recordings at Twilio: what is sent, what is read, and sound that is streamed. */
#include "twilio_rig.h"

#define PATH "/2010-04-01/Accounts/" ACCOUNT
#define RECORDING_JSON \
	"{\"sid\":\"" REC_SID "\",\"call_sid\":\"" CALL_SID "\",\"status\":\"in-progress\",\"channels\":2,\"duration\":null," \
	"\"price\":-0.0025,\"error_code\":null,\"encryption_details\":{\"type\":\"rsa\"},\"source\":\"StartCallRecordingAPI\"}"

static struct nxv_twilio_recording *recording;

static void end(void)
{
	nxv_twilio_recording_free(recording);
	recording = NULL;
	rig_close();
}

static void a_recording_is_started_and_read(void **state)
{
	struct nxv_twilio_recording_opts o = NXV_TWILIO_RECORDING_OPTS_INIT;

	(void)state;
	RIG({ FAKE_ANSWER, answer(201, "", RECORDING_JSON), 0 });
	assert_int_equal(nxv_twilio_recording_start(twilio, CALL_SID, NULL, &recording, &err), NXV_OK);
	requested(0, "POST " PATH "/Calls/" CALL_SID "/Recordings.json", "");
	assert_non_null(strstr(server.seen[0], "Content-Length: 0\r\n"));
	assert_string_equal(recording->sid, REC_SID);
	assert_int_equal(recording->channels, 2);
	assert_int_equal(recording->duration_seconds, -1);
	assert_string_equal(recording->price, "-0.0025");
	assert_true(recording->encrypted);
	nxv_twilio_recording_free(recording);
	o.channels = NXV_TWILIO_DUAL;
	o.status_callback = "https://e.net/r";
	o.status_callback_events = NXV_TWILIO_REC_IN_PROGRESS | NXV_TWILIO_REC_COMPLETED | NXV_TWILIO_REC_ABSENT;
	assert_int_equal(nxv_twilio_recording_start(twilio, CALL_SID, &o, &recording, &err), NXV_OK);
	requested(1, "POST ", "RecordingChannels=dual&RecordingStatusCallback=https%3A%2F%2Fe.net%2Fr&RecordingStatusCallbackEvent=in-progress"
		"&RecordingStatusCallbackEvent=completed&RecordingStatusCallbackEvent=absent");
	end();
}

static void a_start_whose_fate_is_open_is_unknown(void **state)
{
	(void)state;
	RIG({ FAKE_RESET, NULL, 0 });
	assert_int_equal(nxv_twilio_recording_start(twilio, CALL_SID, NULL, &recording, &err), NXV_E_TIMEOUT);
	assert_true(nxv_twilio_is_unknown(&err));
	assert_int_equal(server.requests, 1);
	end();
}

static void it_is_paused_resumed_and_stopped(void **state)
{
	static const struct {
		nxv_twilio_recording_action action;
		const char *form;
	} rows[] = {
		{ NXV_TWILIO_REC_PAUSE_SKIP, "Status=paused&PauseBehavior=skip" },
		{ NXV_TWILIO_REC_PAUSE_SILENCE, "Status=paused&PauseBehavior=silence" },
		{ NXV_TWILIO_REC_RESUME, "Status=in-progress" },
		{ NXV_TWILIO_REC_STOP, "Status=stopped" },
	};

	(void)state;
	RIG({ FAKE_ANSWER, answer(200, "", RECORDING_JSON), 0 });
	for (int i = 0; i < 4; i++) {
		assert_int_equal(nxv_twilio_recording_update(twilio, CALL_SID, i ? REC_SID : NXV_TWILIO_CURRENT, rows[i].action, NULL, &err), NXV_OK);
		requested(i, i ? "POST " PATH "/Calls/" CALL_SID "/Recordings/" REC_SID ".json" :
				 "POST " PATH "/Calls/" CALL_SID "/Recordings/Twilio.CURRENT.json", rows[i].form);
	}
	assert_int_equal(nxv_twilio_recording_update(twilio, CALL_SID, REC_SID, (nxv_twilio_recording_action)0, NULL, &err), NXV_E_INVALID);
	assert_int_equal(nxv_twilio_recording_update(twilio, CALL_SID, "Twilio.OTHER", NXV_TWILIO_REC_STOP, NULL, &err), NXV_E_INVALID);
	end();
}

static void they_are_fetched_listed_and_deleted(void **state)
{
	struct nxv_twilio_recording_list_opts o = NXV_TWILIO_RECORDING_LIST_OPTS_INIT;
	struct nxv_twilio_recording_list *list = NULL;

	(void)state;
	RIG({ FAKE_ANSWER, answer(200, "", RECORDING_JSON), 0 }, { FAKE_ANSWER, answer(200, "", "{\"recordings\":[" RECORDING_JSON "]}"), 0 },
		{ FAKE_ANSWER, "HTTP/1.1 204 Gone\r\n\r\n", 0 }, { FAKE_ANSWER, answer(404, "", "{\"code\":20404,\"message\":\"gone\"}"), 0 });
	assert_int_equal(nxv_twilio_recording_fetch(twilio, REC_SID, &recording, &err), NXV_OK);
	requested(0, "GET " PATH "/Recordings/" REC_SID ".json ", "");
	o.call_sid = CALL_SID;
	o.include_deleted = true;
	assert_int_equal(nxv_twilio_recording_list(twilio, &o, &list, &err), NXV_OK);
	requested(1, "GET " PATH "/Recordings.json?CallSid=" CALL_SID "&IncludeSoftDeleted=true ", "");
	assert_int_equal(list->count, 1);
	assert_string_equal(list->items[0]->call_sid, CALL_SID);
	assert_null(list->next_page);
	nxv_twilio_recording_list_free(list);
	assert_int_equal(nxv_twilio_recording_delete(twilio, REC_SID, &err), NXV_OK);
	requested(2, "DELETE " PATH "/Recordings/" REC_SID ".json ", "");
	assert_int_equal(nxv_twilio_recording_delete(twilio, REC_SID, &err), NXV_E_NOT_FOUND);
	assert_int_equal(err.detail, 20404);
	end();
}

struct sink {
	char data[64];
	size_t len, calls, stop_after;
	int asked;
	struct nxv_twilio_media media;
};

static bool take(void *user, const struct nxv_twilio_media *media, const void *data, size_t len)
{
	struct sink *s = user;

	if (s->len + len > sizeof(s->data))
		return false;
	memcpy(s->data + s->len, data, len);
	s->len += len;
	s->media = *media;
	return ++s->calls != s->stop_after;
}

static void sound_is_streamed(void **state)
{
	struct nxv_twilio_media_opts o = NXV_TWILIO_MEDIA_OPTS_INIT;
	struct sink sink = { 0 };

	(void)state;
	RIG({ FAKE_ANSWER, "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 5\r\n\r\nsound", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 206 Part\r\nContent-Type: audio/x-wav\r\nContent-Range: bytes 1-3/5\r\nContent-Length: 3\r\n\r\noun", 0 });
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, NULL, take, &sink, &err), NXV_OK);
	requested(0, "GET " PATH "/Recordings/" REC_SID ".mp3 ", "");
	assert_null(strstr(server.seen[0], "Range:"));
	assert_memory_equal(sink.data, "sound", 5);
	assert_string_equal(sink.media.content_type, "audio/mpeg");
	assert_int_equal(sink.media.length_bytes, 5);
	assert_false(sink.media.partial);
	sink = (struct sink){ 0 };
	o.wav = true;
	o.channels = 2;
	o.range = "bytes=1-3";
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, &o, take, &sink, &err), NXV_OK);
	requested(1, "GET " PATH "/Recordings/" REC_SID ".wav?RequestedChannels=2 ", "");
	assert_non_null(strstr(server.seen[1], "Range: bytes=1-3\r\n"));
	assert_memory_equal(sink.data, "oun", 3);
	assert_true(sink.media.partial);
	assert_string_equal(sink.media.content_range, "bytes 1-3/5");
	end();
}

static void the_size_of_the_whole_is_told(void **state)
{
	struct nxv_twilio_media_opts o = NXV_TWILIO_MEDIA_OPTS_INIT;
	struct sink sink = { 0 };
	int64_t total = 0;

	(void)state;
	RIG({ FAKE_ANSWER, "HTTP/1.1 206 Part\r\nContent-Range: bytes 1-3/5\r\nContent-Length: 3\r\n\r\noun", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 416 No\r\nContent-Range: bytes */5\r\nContent-Length: 0\r\n\r\n", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsound", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsound\r\n0\r\n\r\n", 0 });
	o.total_bytes = &total;
	o.range = "bytes=1-3";
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, &o, take, &sink, &err), NXV_OK);
	assert_int_equal(total, 5);
	total = 0;
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, &o, take, &sink, &err), NXV_E_INVALID);
	assert_int_equal(total, 5);
	total = 0;
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, &o, take, &sink, &err), NXV_OK);
	assert_int_equal(total, 5);
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, &o, take, &sink, &err), NXV_OK);
	assert_int_equal(total, -1);
	end();
}

static bool three_times(void *user)
{
	struct sink *s = user;

	return ++s->asked < 3;
}

static void a_stream_that_says_nothing_can_be_stopped(void **state)
{
	struct nxv_twilio_media_opts o = NXV_TWILIO_MEDIA_OPTS_INIT;
	struct sink sink = { 0 };

	(void)state;
	RIG({ FAKE_STALL, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nsound", 0 });
	o.keep_on = three_times;
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, &o, take, &sink, &err), NXV_E_CONFLICT);
	assert_string_equal(err.code, "stopped");
	assert_int_equal(sink.asked, 3);
	end();
}

static void a_page_is_no_sound(void **state)
{
	struct sink sink = { 0 };

	(void)state;
	RIG({ FAKE_ANSWER, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nsound", 0 });
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, NULL, take, &sink, &err), NXV_E_UNREACHABLE);
	assert_string_equal(err.code, "twilio_bad_answer");
	assert_int_equal(sink.calls, 0);
	end();
}

static void the_storage_gets_no_credentials(void **state)
{
	struct sink sink = { 0 };

	(void)state;
	RIG({ FAKE_ANSWER, "HTTP/1.1 307 There\r\nLocation: /bucket/x.mp3?sig=1\r\nContent-Length: 0\r\n\r\n", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsound", 0 });
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, NULL, take, &sink, &err), NXV_OK);
	assert_memory_equal(sink.data, "sound", 5);
	assert_non_null(strstr(server.seen[0], "Authorization:"));
	requested(1, "GET /bucket/x.mp3?sig=1 ", "");
	assert_null(strstr(server.seen[1], "Authorization:"));
	end();
}

static void redirections_end_somewhere(void **state)
{
	struct sink sink = { 0 };

	(void)state;
	RIG({ FAKE_ANSWER, "HTTP/1.1 302 There\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n", 0 });
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, NULL, take, &sink, &err), NXV_E_UNREACHABLE);
	assert_string_equal(err.code, "twilio_bad_answer");
	assert_int_equal(server.requests, 4);
	end();
}

static void streams_that_fail_say_how(void **state)
{
	struct nxv_twilio_media_opts o = NXV_TWILIO_MEDIA_OPTS_INIT;
	struct sink sink = { 0 };

	(void)state;
	RIG({ FAKE_ANSWER_AND_CLOSE, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nsound", 0 },
		{ FAKE_STALL, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nsound", 0 },
		{ FAKE_ANSWER, answer(404, "", "{\"code\":20404,\"message\":\"gone\"}"), 0 },
		{ FAKE_ANSWER, "HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsound", 0 },
		{ FAKE_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsound", 0 });
	o.idle_timeout_ms = 200;
	o.max_bytes = 10;
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, &o, take, &sink, &err), NXV_E_UNREACHABLE);
	assert_string_equal(err.code, "twilio_bad_answer");
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, &o, take, &sink, &err), NXV_E_UNREACHABLE);
	assert_non_null(strstr(err.message, "time limit"));
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, &o, take, &sink, &err), NXV_E_NOT_FOUND);
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, &o, take, &sink, &err), NXV_E_INVALID);
	assert_string_equal(err.code, "range_not_satisfiable");
	sink = (struct sink){ .stop_after = 1 };
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, &o, take, &sink, &err), NXV_E_CONFLICT);
	assert_string_equal(err.code, "stopped");
	o.max_bytes = 4;
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, &o, take, &sink, &err), NXV_E_UNREACHABLE);
	assert_non_null(strstr(err.message, "bigger"));
	o.range = "bytes=0-1\r\nX: y";
	assert_int_equal(nxv_twilio_recording_media(twilio, REC_SID, &o, take, &sink, &err), NXV_E_INVALID);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recording_is_started_and_read),
		cmocka_unit_test(a_start_whose_fate_is_open_is_unknown),
		cmocka_unit_test(it_is_paused_resumed_and_stopped),
		cmocka_unit_test(they_are_fetched_listed_and_deleted),
		cmocka_unit_test(sound_is_streamed),
		cmocka_unit_test(the_size_of_the_whole_is_told),
		cmocka_unit_test(a_stream_that_says_nothing_can_be_stopped),
		cmocka_unit_test(a_page_is_no_sound),
		cmocka_unit_test(the_storage_gets_no_credentials),
		cmocka_unit_test(redirections_end_somewhere),
		cmocka_unit_test(streams_that_fail_say_how),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
