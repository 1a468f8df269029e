/* test_nexusd_parser.c - requests that proxies and servers could read differently, too large ones, and slow ones: each is
 * refused with an answer of our own form, and nothing that follows on the connection is taken for a request. */
#include "nexusd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST "Host: a\r\n"
#define NEXT "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"

struct abuse {
	const char *what, *bytes;
	int status;
};

static const struct abuse refused[] = {
	{ "both lengths", "POST /livez HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT, 400 },
	{ "both, other order", "POST /livez HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" NEXT, 400 },
	{ "two lengths alike", "POST /livez HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello" NEXT, 400 },
	{ "two lengths", "POST /livez HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello" NEXT, 400 },
	{ "list of lengths", "POST /livez HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\nhello" NEXT, 400 },
	{ "signed length", "POST /livez HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\nhello" NEXT, 400 },
	{ "negative length", "POST /livez HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\nhello" NEXT, 400 },
	{ "hexadecimal length", "POST /livez HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\nhello" NEXT, 400 },
	{ "overflowing length", "POST /livez HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\nhello" NEXT, 413 },
	{ "identity coding", "POST /livez HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n" NEXT, 400 },
	{ "two codings", "POST /livez HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" NEXT, 400 },
	{ "coding twice", "POST /livez HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT, 400 },
	{ "coding with 1.0", "POST /livez HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT, 400 },
	{ "bad chunk size", "POST /livez HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n" NEXT, 400 },
	{ "space before colon", "POST /livez HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\nhello" NEXT, 400 },
	{ "space before Host's colon", "GET /livez HTTP/1.1\r\nHost : a\r\n\r\n" NEXT, 400 },
	{ "no Host", "GET /livez HTTP/1.1\r\n\r\n" NEXT, 400 },
	{ "empty Host", "GET /livez HTTP/1.1\r\nHost:\r\n\r\n" NEXT, 400 },
	{ "two Hosts", "GET /livez HTTP/1.1\r\n" HOST HOST "\r\n" NEXT, 400 },
	{ "Host list", "GET /livez HTTP/1.1\r\nHost: a, b\r\n\r\n" NEXT, 400 },
	{ "two Authorizations", "GET /livez HTTP/1.1\r\n" HOST "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n" NEXT, 400 },
	{ "bare LF everywhere", "GET /livez HTTP/1.1\nHost: a\n\n" NEXT, 400 },
	{ "bare LF after the request line", "GET /livez HTTP/1.1\n" HOST "\r\n" NEXT, 400 },
	{ "bare LF after a header", "GET /livez HTTP/1.1\r\n" HOST "X: y\nZ: w\r\n\r\n" NEXT, 400 },
	{ "bare LF at the end", "GET /livez HTTP/1.1\r\n" HOST "\n" NEXT, 400 },
	{ "folded header", "GET /livez HTTP/1.1\r\n" HOST "X: y\r\n z\r\n\r\n" NEXT, 400 },
	{ "folded first header", "GET /livez HTTP/1.1\r\n X: y\r\n" HOST "\r\n" NEXT, 400 },
	{ "bare CR in a value", "GET /livez HTTP/1.1\r\n" HOST "X: y\rZ: w\r\n\r\n" NEXT, 400 },
	{ "no colon", "GET /livez HTTP/1.1\r\n" HOST "broken\r\n\r\n" NEXT, 400 },
	{ "odd name", "GET /livez HTTP/1.1\r\n" HOST "X(y): z\r\n\r\n" NEXT, 400 },
	{ "empty name", "GET /livez HTTP/1.1\r\n" HOST ": z\r\n\r\n" NEXT, 400 },
	{ "two spaces", "GET  /livez HTTP/1.1\r\n" HOST "\r\n" NEXT, 400 },
	{ "space in the target", "GET /livez /x HTTP/1.1\r\n" HOST "\r\n" NEXT, 400 },
	{ "no version", "GET /livez\r\n" HOST "\r\n" NEXT, 400 },
	{ "other protocol", "GET /livez HTTX/1.1\r\n" HOST "\r\n" NEXT, 400 },
	{ "HTTP/2", "GET /livez HTTP/2.0\r\n" HOST "\r\n" NEXT, 505 },
	{ "target without slash", "GET livez HTTP/1.1\r\n" HOST "\r\n" NEXT, 400 },
	{ "fragment", "GET /livez#x HTTP/1.1\r\n" HOST "\r\n" NEXT, 400 },
};

static void ambiguous_requests_are_refused_and_closed(void **state)
{
	struct raw_reply reply;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		raw_ask_text(refused[i].bytes, &reply);
		if (reply.status != refused[i].status || reply.answers != 1 || !reply.closed || !strstr(reply.body, "\"success\":false") ||
		    !strstr(reply.body, "requestId") || !strstr(reply.text, "application/json") || strstr(reply.text, "<html"))
			fail_msg("%s: status %d, %d answers, closed %d: %s", refused[i].what, reply.status, reply.answers, reply.closed, reply.text);
	}
}

static void nul_in_a_header_is_refused(void **state)
{
	static const char bytes[] = "GET /livez HTTP/1.1\r\nHost: a\0b\r\n\r\n";
	struct raw_reply reply;

	(void)state;
	raw_ask(bytes, sizeof(bytes) - 1, &reply);
	assert_int_equal(reply.status, 400);
	assert_true(reply.closed);
}

static void garbage_is_answered_or_closed_without_harm(void **state)
{
	static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n";
	struct raw_reply reply;

	(void)state;
	raw_ask(hello, sizeof(hello) - 1, &reply);
	assert_true(reply.closed);
	raw_ask_text(NEXT, &reply);
	assert_int_equal(reply.status, 200);
}

static void sound_requests_keep_the_connection(void **state)
{
	struct raw_reply reply;

	(void)state;
	raw_ask_text(NEXT NEXT "HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\n" NEXT, &reply);
	assert_int_equal(reply.answers, 4);
	assert_false(reply.closed);
	raw_ask_text("GET /nothing HTTP/1.1\r\n" HOST "\r\nPOST /api/v1/keys/voip/generate HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}" NEXT, &reply);
	assert_int_equal(reply.answers, 3); /* 404 and 401 keep it too */
	assert_false(reply.closed);
	raw_ask_text("GET http://a/livez HTTP/1.1\r\n" HOST "Empty:\r\nBlank: \r\n\r\n", &reply);
	assert_int_equal(reply.status, 200);
	raw_ask_text("GET /livez HTTP/1.0\r\n\r\n", &reply);
	assert_int_equal(reply.status, 200);
	assert_true(reply.closed);
}

static void nothing_follows_a_chunked_request(void **state)
{
	struct raw_reply reply;
	char text[512];

	(void)state;
	snprintf(text, sizeof(text),
		 "POST /api/v1/opensips/call/x/end HTTP/1.1\r\n" HOST "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" NEXT, nexusd.admin_key);
	raw_ask_text(text, &reply);
	assert_int_equal(reply.answers, 1);
	assert_int_equal(reply.status, 404);
	assert_true(reply.closed);
}

/* A request with a target, one header or a body of n bytes. */
static char *sized(const char *before, size_t n, const char *after)
{
	size_t first = strlen(before);
	char *text = malloc(first + n + strlen(after) + 1);

	memcpy(text, before, first);
	memset(text + first, 'x', n);
	memcpy(text + first + n, after, strlen(after) + 1);
	return text;
}

static void too_large_heads_are_refused(void **state)
{
	static const struct { const char *before; size_t n; const char *after; int status; } cases[] = {
		{ "GET /livez?", 4000, " HTTP/1.1\r\n" HOST "\r\n", 200 },
		{ "GET /", 5000, " HTTP/1.1\r\n" HOST "\r\n", 414 },
		{ "GET /", 9000, " HTTP/1.1\r\n" HOST "\r\n", 414 },
		{ "GET /livez HTTP/1.1\r\n" HOST "X: ", 4000, "\r\n\r\n", 200 },
		{ "GET /livez HTTP/1.1\r\n" HOST "X: ", 9000, "\r\n\r\n", 431 },
		{ "GET /livez HTTP/1.1\r\n" HOST "X: ", 200000, "\r\n\r\n", 431 },
	};
	struct raw_reply reply;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = sized(cases[i].before, cases[i].n, cases[i].after);

		raw_ask_text(text, &reply);
		free(text);
		/* what is still under way when the server closes can cost the client the answer, never its meaning */
		if (reply.status != cases[i].status && !(cases[i].n > 100000 && reply.status == 0 && reply.closed))
			fail_msg("case %zu: status %d: %s", i, reply.status, reply.text);
		assert_null(strstr(reply.text, "<html"));
	}
}

static void bodies_over_64_kib_are_refused(void **state)
{
	static const char head[] = "POST /api/v1/keys/voip/generate HTTP/1.1\r\n" HOST "Authorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n";
	static const struct { size_t n; int status; bool closed; } cases[] = {
		{ 65536, 415, false }, { 65537, 413, false }, { 900000, 413, false }, { 3000000, 413, true },
	};
	struct raw_reply reply;
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t sent = cases[i].n > 1000000 ? 0 : cases[i].n; /* the last is refused by its length alone */
		char *all;

		snprintf(text, sizeof(text), head, nexusd.admin_key, cases[i].n);
		all = sized(text, sent, "");
		raw_ask_text(all, &reply);
		free(all);
		assert_int_equal(reply.status, cases[i].status);
		assert_int_equal(reply.closed, cases[i].closed);
	}
}

/* Two connections send a byte now and then for longer than any phase may last. */
static void dripping_clients_are_cut_with_408(void **state)
{
	static const char body[] = "POST /api/v1/keys/voip/generate HTTP/1.1\r\n" HOST "Content-Length: 60000\r\n\r\n";
	static const char head[] = "GET /livez HTTP/1.1\r\n" HOST "X: ";
	int fds[2] = { raw_connect(), raw_connect() };
	int64_t begin = now_ms(), cut[2] = { 0, 0 };
	struct raw_reply reply;

	(void)state;
	raw_write(fds[0], head, sizeof(head) - 1);
	raw_write(fds[1], body, sizeof(body) - 1);
	while ((!cut[0] || !cut[1]) && now_ms() - begin < 30000) {
		for (int i = 0; i < 2; i++) {
			if (cut[i])
				continue;
			raw_write(fds[i], "x", 1);
			raw_read(fds[i], &reply, 200);
			if (!reply.closed)
				continue;
			cut[i] = now_ms() - begin;
			assert_int_equal(reply.status, 408);
			assert_non_null(strstr(reply.body, "request_timeout"));
		}
	}
	assert_in_range(cut[0], 9000, 13000);
	assert_in_range(cut[1], 19000, 24000);
	close(fds[0]);
	close(fds[1]);
}

static void malformed_requests_are_counted_and_cannot_fill_the_log(void **state)
{
	char *log;
	size_t lines = 0;

	(void)state;
	assert_non_null(strstr(ask("GET", "/metrics", NULL, NULL)->body, "nexusd_malformed_requests_total"));
	log = proc_output(nexusd.nexusd);
	for (const char *at = log; (at = strchr(at, '\n')); at++)
		lines++;
	assert_true(lines < 20 + 20); /* some 60 malformed requests came in this program */
	assert_null(strstr(log, nexusd.admin_key));
	free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ambiguous_requests_are_refused_and_closed),
		cmocka_unit_test(nul_in_a_header_is_refused),
		cmocka_unit_test(garbage_is_answered_or_closed_without_harm),
		cmocka_unit_test(sound_requests_keep_the_connection),
		cmocka_unit_test(nothing_follows_a_chunked_request),
		cmocka_unit_test(too_large_heads_are_refused),
		cmocka_unit_test(bodies_over_64_kib_are_refused),
		cmocka_unit_test(dripping_clients_are_cut_with_408),
		cmocka_unit_test(malformed_requests_are_counted_and_cannot_fill_the_log),
	};

	proc_guard(110);
	return cmocka_run_group_tests(tests, nexusd_setup, nexusd_teardown);
}
