/* test_nexusd_media.c - the sound of recordings over HTTP: whole, in ranges, huge, to slow and vanishing clients, from a Twilio
 * that breaks off; byte by byte against a server of our own. */
#include "media_server.h"
#include "nexusd.h"

#include <dirent.h>
#include <sqlite3.h>

enum { SOON_MS = 15000, STREAMS = 16 };

static struct media_server twilio;
static struct made_key alice, bob, caller, admin;

/* An answer, its body judged as it comes. */
struct got {
	int status;
	char head[4096];
	int64_t length, bytes, wrong_at; /* -1: none */
	bool chunked, closed, terminated;
};

static int64_t header_number(const char *head, const char *name)
{
	const char *at = strstr(head, name);

	return at ? strtoll(at + strlen(name), NULL, 10) : -1;
}

static bool has(const struct got *got, const char *line)
{
	return strstr(got->head, line) != NULL;
}

static int request(const char *method, char digit, const char *more, const struct made_key *key)
{
	char text[600];
	int fd = raw_connect();

	snprintf(text, sizeof(text),
		"%s /api/v1/recordings/" MEDIA_SID "%c/media%s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n%s\r\n", method, digit,
		strchr(more, '?') ? more : "", key->secret, strchr(more, '?') ? "" : more);
	raw_write(fd, text, strlen(text));
	return fd;
}

/* The head; what came of the body with it is kept for read_body(). */
static char left_over[4096];
static size_t left_len;

static void read_head(int fd, struct got *got)
{
	char text[4096];
	size_t len = 0;
	char *end = NULL;

	*got = (struct got){ .wrong_at = -1, .length = -1 };
	while (!end && len < sizeof(text) - 1) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		ssize_t n = poll(&wait, 1, SOON_MS) > 0 ? recv(fd, text + len, sizeof(text) - 1 - len, 0) : -1;

		if (n <= 0)
			fail_msg("no head of an answer came (%zu bytes)", len);
		len += (size_t)n;
		text[len] = '\0';
		end = strstr(text, "\r\n\r\n");
	}
	if (!end)
		fail_msg("the head is too long");
	left_len = len - (size_t)(end + 4 - text);
	memcpy(left_over, end + 4, left_len);
	end[2] = '\0';
	snprintf(got->head, sizeof(got->head), "%s", text);
	got->status = atoi(got->head + 9);
	got->length = header_number(got->head, "\r\nContent-Length: ");
	got->chunked = has(got, "\r\nTransfer-Encoding: chunked");
}

static void judge(struct got *got, const char *data, size_t len, int64_t from)
{
	for (size_t i = 0; i < len && got->wrong_at < 0; i++)
		if ((unsigned char)data[i] != media_byte(from + got->bytes + (int64_t)i))
			got->wrong_at = got->bytes + (int64_t)i;
	got->bytes += (int64_t)len;
	if (got->chunked)
		got->terminated = len >= 5 && memcmp(data + len - 5, "0\r\n\r\n", 5) == 0;
}

/* Up to most bytes more, or to the end. */
static void read_body(int fd, struct got *got, int64_t from, int64_t most)
{
	static char piece[65536];
	int64_t until = got->bytes + most;

	if (left_len)
		judge(got, left_over, left_len, from);
	left_len = 0;
	while (!got->closed && !got->terminated && got->bytes < until && (got->length < 0 || got->bytes < got->length)) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		ssize_t n = poll(&wait, 1, SOON_MS) > 0 ? recv(fd, piece, sizeof(piece), 0) : -2;

		if (n == -2)
			fail_msg("the body stalls after %lld bytes", (long long)got->bytes);
		if (n <= 0)
			got->closed = true;
		else
			judge(got, piece, (size_t)n, from);
	}
}

static struct got get(const char *method, char digit, const char *more, int64_t from)
{
	int fd = request(method, digit, more, &alice);
	struct got got;

	read_head(fd, &got);
	if (strcmp(method, "HEAD") != 0 && (got.status == 200 || got.status == 206))
		read_body(fd, &got, from, INT64_MAX / 2);
	close(fd);
	return got;
}

static void whole(const struct got *got, int status, int64_t bytes)
{
	if (got->status != status || got->length != bytes || got->bytes != bytes || got->wrong_at >= 0)
		fail_msg("%s: %lld of %lld bytes, wrong at %lld", got->head, (long long)got->bytes, (long long)got->length,
			(long long)got->wrong_at);
}

static void sound_comes_whole_and_in_ranges(void **state)
{
	struct got got = get("GET", MEDIA_WHOLE, "", 0);

	(void)state;
	whole(&got, 200, MEDIA_BYTES);
	assert_true(has(&got, "\r\nAccept-Ranges: bytes\r\n") && has(&got, "\r\nContent-Type: audio/mpeg\r\n"));
	assert_true(has(&got, "\r\nContent-Disposition: attachment; filename=\"" MEDIA_SID "1.mp3\"\r\n"));
	assert_true(has(&got, "\r\nCache-Control: no-store\r\n") && has(&got, "\r\nX-Request-Id: ") && has(&got, "\r\nRateLimit: "));
	got = get("GET", MEDIA_WHOLE, "?format=wav", 0);
	whole(&got, 200, MEDIA_BYTES);
	assert_true(has(&got, "\r\nContent-Type: audio/x-wav\r\n"));
	got = get("GET", MEDIA_WHOLE, "Range: bytes=100000-199999\r\n", 100000);
	whole(&got, 206, 100000);
	assert_true(has(&got, "\r\nContent-Range: bytes 100000-199999/3000001\r\n"));
	got = get("GET", MEDIA_WHOLE, "Range: bytes=2999991-\r\n", 2999991);
	whole(&got, 206, 10);
	got = get("GET", MEDIA_WHOLE, "Range: bytes=-1\r\n", MEDIA_BYTES - 1);
	whole(&got, 206, 1);
	got = get("GET", MEDIA_WHOLE, "Range: bytes=3000001-\r\n", 0);
	assert_int_equal(got.status, 416);
	assert_true(has(&got, "\r\nContent-Range: bytes */3000001\r\n"));
	got = get("HEAD", MEDIA_WHOLE, "", 0);
	assert_int_equal(got.status, 200);
	assert_int_equal(got.length, MEDIA_BYTES);
	got = get("GET", MEDIA_ELSEWHERE, "", 0);
	whole(&got, 200, MEDIA_BYTES);
}

static void ranges_that_are_none_are_ignored(void **state)
{
	static const char *const ranges[] = { "Range: bytes=0-1,5-6\r\n", "Range: bytes=5-2\r\n", "Range: lines=0-1\r\n", "Range: bytes=-\r\n",
		"Range: bytes=1x-\r\n", "Range: bytes=0-1\r\nIf-Range: \"tag\"\r\n", "Range: bytes=99999999999999999999-\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		struct got got = get("GET", MEDIA_WHOLE, ranges[i], 0);
		whole(&got, 200, MEDIA_BYTES);
	}
}

static void a_connection_serves_one_after_the_other(void **state)
{
	int fd = request("GET", MEDIA_WHOLE, "", &alice);
	char text[400];
	struct got got;

	(void)state;
	for (int i = 0; i < 3; i++) {
		read_head(fd, &got);
		read_body(fd, &got, 0, INT64_MAX / 2);
		whole(&got, 200, MEDIA_BYTES);
		snprintf(text, sizeof(text), "GET /api/v1/recordings/" MEDIA_SID "1/media HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n",
			alice.secret);
		raw_write(fd, text, strlen(text));
	}
	close(fd);
}

static void what_breaks_off_is_not_ended_in_good_order(void **state)
{
	struct got got = get("GET", MEDIA_CUT, "", 0);

	(void)state;
	assert_int_equal(got.status, 200);
	assert_int_equal(got.length, 1000000);
	assert_true(got.closed);
	assert_true(got.bytes <= 300000 && got.wrong_at < 0);
	got = get("GET", MEDIA_CHUNKED_CUT, "", 0);
	assert_true(got.status == 200 && got.chunked && got.closed && !got.terminated);
	got = get("GET", MEDIA_CHUNKED, "", 0);
	assert_true(got.status == 200 && got.chunked && got.terminated);
}

static void refused(char digit, const struct made_key *key, int status, const char *code)
{
	char path[128];
	struct http_reply *reply;

	snprintf(path, sizeof(path), "/api/v1/recordings/" MEDIA_SID "%c/media", digit);
	reply = ask("GET", path, key->secret, NULL);
	if (reply->status != status || strcmp(error_code(reply), code) != 0)
		fail_msg("%d %s, expected %d %s", reply->status, reply->body, status, code);
}

static void what_cannot_be_heard_is_an_error_with_a_word(void **state)
{
	(void)state;
	refused(MEDIA_NOT_READY, &alice, 409, "recording_not_ready");
	refused(MEDIA_PAGE, &alice, 502, "twilio_bad_answer");
	refused('x', &alice, 404, "not_found");
	refused(MEDIA_WHOLE, &bob, 404, "not_found");
	refused(MEDIA_WHOLE, &caller, 403, "forbidden");
	assert_int_equal(ask("GET", "/api/v1/recordings/" MEDIA_SID "1/media?format=ogg", alice.secret, NULL)->status, 400);
}

static void uses_are_on_record_with_the_call_and_the_length(void **state)
{
	struct http_reply *reply = NULL;

	(void)state;
	(void)get("GET", MEDIA_WHOLE, "", 0);
	for (int64_t until = now_ms() + SOON_MS; now_ms() < until; nap_ms(50)) {
		reply = ask("GET", "/api/v1/usage?sessionId=session_1&limit=1", alice.secret, NULL);
		if (json_number(reply->json, "usage.0.bytes") == MEDIA_BYTES)
			break;
	}
	assert_non_null(reply);
	assert_int_equal(json_number(reply->json, "usage.0.bytes"), MEDIA_BYTES);
	assert_string_equal(json_text(reply->json, "usage.0.route"), "/api/v1/recordings/:id/media");
}

/* Read a little of a huge one, and no more for now. */
static int begin_huge(struct got *got, const struct made_key *key)
{
	int fd = request("GET", MEDIA_HUGE, "", key), small = 65536;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	read_head(fd, got);
	if (got->status == 200)
		read_body(fd, got, 0, 100000);
	return fd;
}

static void huge_ones_and_slow_readers_hold_no_memory(void **state)
{
	const pid_t pid = proc_pid(nexusd.nexusd);
	int64_t before_kib, most_kib = 0, sent;
	struct got got;
	int fd;

	(void)state;
	(void)get("GET", MEDIA_WHOLE, "", 0);
	before_kib = proc_rss_kib(pid);
	twilio.sent = 0;
	fd = begin_huge(&got, &alice);
	assert_int_equal(got.status, 200);
	do { /* until nothing moves any more */
		sent = twilio.sent;
		nap_ms(200);
	} while (twilio.sent != sent);
	assert_true(sent < MEDIA_HUGE_BYTES / 2); /* the sockets' buffers, and ours */
	assert_int_equal(ask("GET", "/livez", NULL, NULL)->status, 200);
	while (!got.closed && got.bytes < got.length) {
		read_body(fd, &got, 0, 8 * 1024 * 1024);
		if (proc_rss_kib(pid) > most_kib)
			most_kib = proc_rss_kib(pid);
	}
	close(fd);
	whole(&got, 200, MEDIA_HUGE_BYTES);
	printf("%d MiB to a slow reader: resident memory from %lld to at most %lld KiB; held on the way %lld KiB\n",
		MEDIA_HUGE_BYTES / 1048576, (long long)before_kib, (long long)most_kib, (long long)sent / 1024);
	assert_true(most_kib < before_kib + 8 * 1024);
}

static void a_client_that_leaves_ends_the_download(void **state)
{
	const int before = twilio.broken;
	struct got got;
	int fd = begin_huge(&got, &alice);

	(void)state;
	assert_int_equal(got.status, 200);
	close(fd);
	for (int64_t until = now_ms() + SOON_MS; now_ms() < until && twilio.broken == before; nap_ms(20))
		;
	assert_int_equal(twilio.broken, before + 1);
}

static void no_more_are_sent_at_once_than_the_limit(void **state)
{
	struct got got;
	int fds[STREAMS];
	bool again = false;

	(void)state;
	for (int64_t until = now_ms() + SOON_MS; now_ms() < until && twilio.live > 0; nap_ms(20)) /* those of the cases before */
		;
	for (int i = 0; i < STREAMS; i++) {
		if (i == STREAMS / 2) /* nobody gets all of them */
			refused(MEDIA_WHOLE, &alice, 503, "too_many_streams");
		fds[i] = begin_huge(&got, i < STREAMS / 2 ? &alice : &admin);
		assert_int_equal(got.status, 200);
	}
	refused(MEDIA_WHOLE, &alice, 503, "too_many_streams");
	assert_true(strcmp(http_header(ask("GET", "/api/v1/recordings/" MEDIA_SID "1/media", alice.secret, NULL), "Retry-After"), "5") == 0);
	assert_int_equal(ask("GET", "/livez", NULL, NULL)->status, 200);
	assert_non_null(strstr(ask("GET", "/metrics", NULL, NULL)->body, "\nnexusd_recording_streams 16\n"));
	close(fds[0]);
	for (int64_t until = now_ms() + SOON_MS; now_ms() < until && !again; nap_ms(20)) {
		int fd = request("GET", MEDIA_WHOLE, "Range: bytes=0-9\r\n", &alice);

		read_head(fd, &got);
		close(fd);
		again = got.status == 206;
	}
	assert_true(again);
	for (int i = 1; i < STREAMS; i++)
		close(fds[i]);
}

/* How many files there are in a folder. */
static int files_in(const char *folder)
{
	DIR *dir = opendir(folder);
	int n = 0;

	for (struct dirent *entry; dir && (entry = readdir(dir));)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* How far a file is what a recording is. */
static int64_t right_bytes(const char *path)
{
	FILE *file = fopen(path, "rb");
	int64_t at = 0;

	assert_non_null(file);
	for (int c; (c = getc(file)) != EOF && c == media_byte(at); at++)
		;
	fclose(file);
	return at;
}

static void nexusctl_writes_whole_files_or_none(void **state)
{
	const char *folder = proc_temp_dir();
	char path[160];

	(void)state;
	setenv("NEXUSVOIP_TWILIO_AUTH_TOKEN", "token", 1);
	assert_int_equal(gateway_ctl(&nexusd, "recordings get " MEDIA_SID "3 --output %s/cut.mp3", folder), 5);
	assert_non_null(strstr(gateway_ctl_err(), "twilio_bad_answer"));
	assert_int_equal(gateway_ctl(&nexusd, "recordings get " MEDIA_SID "6 --output %s/early.mp3", folder), 4);
	assert_int_equal(files_in(folder), 0);
	assert_int_equal(gateway_ctl(&nexusd, "recordings get " MEDIA_SID "1 --output %s/whole.mp3", folder), 0);
	assert_int_equal(json_number(gateway_ctl_json(), "bytes"), MEDIA_BYTES);
	assert_int_equal(files_in(folder), 1);
	snprintf(path, sizeof(path), "%s/whole.mp3", folder);
	assert_int_equal(right_bytes(path), MEDIA_BYTES);
	assert_int_equal(gateway_ctl(&nexusd, "recordings get " MEDIA_SID "1 --output %s/no/such/folder.mp3", folder), 1);
}

#ifdef GET_RECORDING
static void the_example_does_what_it_says(void **state)
{
	char path[160], words[600], *why = NULL;
	const char *const argv[] = { "sh", "-c", words, NULL };

	(void)state;
	snprintf(path, sizeof(path), "%s/example.mp3", proc_temp_dir());
	snprintf(words, sizeof(words), GET_RECORDING " %s " MEDIA_SID "1 > %s", nexusd.state, path);
	assert_int_equal(proc_run(argv, NULL, NULL, SOON_MS), 0);
	assert_int_equal(right_bytes(path), MEDIA_BYTES);
	snprintf(words, sizeof(words), GET_RECORDING " %s " MEDIA_SID "3 > %s", nexusd.state, path);
	assert_int_equal(proc_run(argv, NULL, &why, SOON_MS), 1);
	assert_non_null(strstr(why, "get_recording: "));
	free(why);
}
#endif

/* The last one: nexusd is gone afterwards. */
static void streams_do_not_keep_nexusd_from_stopping(void **state)
{
	struct got slow, stalled;
	int fds[2];

	(void)state;
	fds[0] = begin_huge(&slow, &alice);
	fds[1] = request("GET", MEDIA_STALLED, "", &alice);
	read_head(fds[1], &stalled);
	assert_int_equal(slow.status, 200);
	assert_int_equal(stalled.status, 200);
	assert_int_equal(gateway_stop(&nexusd), 0);
	close(fds[0]);
	close(fds[1]);
}

static bool store_recordings(void)
{
	char path[160], sql[400];
	sqlite3 *db = NULL;
	bool good;

	snprintf(path, sizeof(path), "%s/nexusvoip.db", nexusd.state);
	good = sqlite3_open(path, &db) == SQLITE_OK && sqlite3_busy_timeout(db, 5000) == SQLITE_OK;
	for (char digit = '1'; good && digit <= '9'; digit++) {
		snprintf(sql, sizeof(sql), "INSERT INTO recording VALUES ('" MEDIA_SID "%c','session_1','alice','%s',7,1,1000,1000)", digit,
			digit == MEDIA_NOT_READY ? "stopped" : "completed");
		good = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
	}
	sqlite3_close(db);
	return good;
}

static int setup(void **state)
{
	static const char *const env[] = { "NEXUSVOIP_TWILIO_AUTH_TOKEN=token", NULL };
	static char url[96];
	const char *settings[] = { "twilio.account_sid=AC00000000000000000000000000000001", url, NULL };

	(void)state;
	if (!media_server_open(&twilio))
		return -1;
	snprintf(url, sizeof(url), "twilio.base_url=%s", twilio.url);
	if (!gateway_prepare(&nexusd, "auto", settings))
		return -1;
	nexusd.env = env;
	if (!gateway_run(&nexusd) || !store_recordings())
		return -1;
	snprintf(admin.secret, sizeof(admin.secret), "%s", nexusd.admin_key);
	alice = make_key("alice", "[\"recording\"]");
	bob = make_key("bob", "[\"recording\"]");
	caller = make_key("alice", "[\"call\"]");
	return 0;
}

static int teardown(void **state)
{
	int status = nexusd_teardown(state);

	media_server_close(&twilio);
	return status;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_comes_whole_and_in_ranges),
		cmocka_unit_test(ranges_that_are_none_are_ignored),
		cmocka_unit_test(a_connection_serves_one_after_the_other),
		cmocka_unit_test(what_breaks_off_is_not_ended_in_good_order),
		cmocka_unit_test(what_cannot_be_heard_is_an_error_with_a_word),
		cmocka_unit_test(uses_are_on_record_with_the_call_and_the_length),
		cmocka_unit_test(huge_ones_and_slow_readers_hold_no_memory),
		cmocka_unit_test(a_client_that_leaves_ends_the_download),
		cmocka_unit_test(no_more_are_sent_at_once_than_the_limit),
		cmocka_unit_test(nexusctl_writes_whole_files_or_none),
#ifdef GET_RECORDING
		cmocka_unit_test(the_example_does_what_it_says),
#endif
		cmocka_unit_test(streams_do_not_keep_nexusd_from_stopping),
	};

	proc_guard(110);
	return cmocka_run_group_tests(tests, setup, teardown);
}
