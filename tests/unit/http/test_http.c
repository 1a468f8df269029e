/* test_http.c - outgoing HTTP, blocking: what was sent, what came back, and every way in which it can go wrong. */
#include "fake_http.h"

#include "http/http.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
#define OK_ANSWER OK_HEAD "Content-Length: 5\r\n\r\nhello"

static struct fake server;
static struct http *client;
static struct http_result result;

static void serve(const struct fake_step *steps, size_t count)
{
	fake_open(&server, steps, count);
	assert_int_equal(http_open(NULL, &client, NULL), NXV_OK);
}
#define SERVE(...) \
	static const struct fake_step steps[] = { __VA_ARGS__ }; \
	serve(steps, sizeof(steps) / sizeof(*steps))

static void send_to(const char *url, struct http_request request)
{
	struct nxv_error err = NXV_ERROR_INIT;

	http_result_clear(&result);
	request.url = url;
	if (!request.method)
		request.method = "GET";
	if (http_send(client, &request, &result, &err))
		fail_msg("http_send: %s", err.message);
}
#define SEND(...) send_to(server.url, (struct http_request){ __VA_ARGS__ })

static void done(void)
{
	http_result_clear(&result);
	http_close(client);
	fake_close(&server);
}

static void an_answer_comes_with_status_headers_and_body(void **state)
{
	char value[64];

	(void)state;
	SERVE({ FAKE_ANSWER, "HTTP/1.1 418 Teapot\r\nX-One: 1\r\nX-Two:  spaced \r\nx-one: last\r\nContent-Length: 3\r\n\r\nabc", 0 });
	SEND(.username = "AC1", .password = "s3cret:x", .headers = (const char *const[]){ "Accept: text/plain", NULL });
	assert_int_equal(result.outcome, HTTP_ANSWERED);
	assert_int_equal(result.status, 418);
	assert_true(result.complete);
	assert_string_equal(result.body.data, "abc");
	assert_true(http_result_header(&result, "X-One", value, sizeof(value)));
	assert_string_equal(value, "last");
	assert_true(http_result_header(&result, "x-two", value, sizeof(value)));
	assert_string_equal(value, "spaced");
	assert_false(http_result_header(&result, "X-Thr", value, sizeof(value)));
	assert_non_null(strstr(server.seen[0], "Accept: text/plain\r\n"));
	assert_non_null(strstr(server.seen[0], "Authorization: Basic QUMxOnMzY3JldDp4\r\n"));
	done();
}

static void a_connection_is_used_again(void **state)
{
	(void)state;
	SERVE({ FAKE_ANSWER, OK_ANSWER, 0 });
	for (int i = 0; i < 20; i++) {
		SEND(.method = "POST", .body = "a=b", .body_len = 3);
		assert_int_equal(result.status, 200);
		assert_int_equal(result.reused, i > 0);
	}
	assert_int_equal(server.connections, 1);
	assert_int_equal(server.requests, 20);
	done();
}

static void refused_means_not_sent(void **state)
{
	uint16_t port;
	char url[64];
	int fd = fake_listen(&port, 1);

	(void)state;
	close(fd);
	SERVE({ FAKE_ANSWER, OK_ANSWER, 0 });
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", (unsigned)port);
	send_to(url, (struct http_request){ .method = "POST", .body = "x", .body_len = 1 });
	assert_int_equal(result.outcome, HTTP_NOT_SENT);
	assert_int_equal(result.fault, HTTP_FAULT_CONNECT);
	assert_string_not_equal(result.message, "");
	done();
}

static void an_unknown_host_means_not_sent(void **state)
{
	(void)state;
	SERVE({ FAKE_ANSWER, OK_ANSWER, 0 });
	send_to("http://nobody.invalid/", (struct http_request){ .method = "POST", .body = "x", .body_len = 1, .total_timeout_ms = 5000 });
	assert_int_equal(result.outcome, HTTP_NOT_SENT);
	assert_true(result.fault == HTTP_FAULT_RESOLVE || result.fault == HTTP_FAULT_TIMEOUT);
	done();
}

/* Nobody accepts, and the queue is full: SYNs are dropped. */
static void a_connect_that_hangs_means_not_sent(void **state)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint16_t port;
	int listener = fake_listen(&port, 0), fill[8];
	char url[64];

	(void)state;
	SERVE({ FAKE_ANSWER, OK_ANSWER, 0 });
	sa.sin_port = htons(port);
	for (int i = 0; i < 8; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(fill[i], (struct sockaddr *)&sa, sizeof(sa));
	}
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", (unsigned)port);
	send_to(url, (struct http_request){ .method = "POST", .body = "x", .body_len = 1, .connect_timeout_ms = 200 });
	assert_int_equal(result.outcome, HTTP_NOT_SENT);
	assert_int_equal(result.fault, HTTP_FAULT_TIMEOUT);
	for (int i = 0; i < 8; i++)
		close(fill[i]);
	close(listener);
	done();
}

/* The server is not one for TLS: the handshake fails, the request was never written. */
static void a_failed_handshake_means_not_sent(void **state)
{
	char url[64];

	(void)state;
	SERVE({ FAKE_ANSWER_AND_CLOSE, OK_ANSWER, 0 });
	server.reset_at_accept = true;
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", (unsigned)server.port);
	send_to(url, (struct http_request){ .method = "POST", .body = "x", .body_len = 1 });
	assert_int_equal(result.outcome, HTTP_NOT_SENT);
	assert_true(result.fault == HTTP_FAULT_TLS || result.fault == HTTP_FAULT_BROKEN);
	done();
}

static void a_reset_after_reading_means_perhaps_sent(void **state)
{
	(void)state;
	SERVE({ FAKE_RESET, NULL, 0 });
	SEND(.method = "POST", .body = "x", .body_len = 1);
	assert_int_equal(result.outcome, HTTP_NO_ANSWER);
	assert_int_equal(result.fault, HTTP_FAULT_BROKEN);
	assert_int_equal(server.requests, 1);
	done();
}

/* libcurl repeats a request by itself when a reused connection dies before the first byte of an answer. */
static void a_post_is_never_repeated_behind_the_callers_back(void **state)
{
	(void)state;
	SERVE({ FAKE_ANSWER, OK_ANSWER, 0 }, { FAKE_RESET, NULL, 0 }, { FAKE_ANSWER, OK_ANSWER, 0 });
	SEND(.method = "POST", .body = "x", .body_len = 1);
	assert_int_equal(result.status, 200);
	SEND(.method = "POST", .body = "x", .body_len = 1);
	assert_int_equal(result.outcome, HTTP_NO_ANSWER);
	assert_int_equal(result.fault, HTTP_FAULT_BROKEN);
	assert_int_equal(server.requests, 2);
	done();
}

static void a_repeatable_request_survives_a_dead_connection(void **state)
{
	(void)state;
	SERVE({ FAKE_ANSWER, OK_ANSWER, 0 }, { FAKE_RESET, NULL, 0 }, { FAKE_ANSWER, OK_ANSWER, 0 });
	SEND(.repeatable = true);
	SEND(.repeatable = true);
	assert_int_equal(result.outcome, HTTP_ANSWERED);
	assert_int_equal(result.status, 200);
	assert_int_equal(server.requests, 3);
	done();
}

static void a_connection_closed_while_idle_costs_nothing(void **state)
{
	(void)state;
	SERVE({ FAKE_ANSWER_AND_CLOSE, OK_ANSWER, 0 });
	for (int i = 0; i < 3; i++) {
		SEND(.method = "POST", .body = "x", .body_len = 1);
		assert_int_equal(result.status, 200);
		fake_pause(50);
	}
	assert_int_equal(server.requests, 3);
	done();
}

static void a_slow_answer_is_given_up_at_the_first_byte_limit(void **state)
{
	int64_t started;

	(void)state;
	SERVE({ FAKE_SILENCE, NULL, 0 });
	started = loop_now_ms();
	SEND(.method = "POST", .body = "x", .body_len = 1, .first_byte_timeout_ms = 200);
	assert_int_equal(result.outcome, HTTP_NO_ANSWER);
	assert_int_equal(result.fault, HTTP_FAULT_TIMEOUT);
	assert_in_range(loop_now_ms() - started, 190, 3000);
	assert_int_equal(server.requests, 1);
	done();
}

static void a_dripping_head_is_given_up_at_the_total_limit(void **state)
{
	(void)state;
	SERVE({ FAKE_DRIP, OK_ANSWER, 0 });
	SEND(.first_byte_timeout_ms = 1000, .total_timeout_ms = 300);
	assert_int_equal(result.outcome, HTTP_NO_ANSWER);
	assert_int_equal(result.fault, HTTP_FAULT_TIMEOUT);
	assert_int_equal(result.status, 0);
	done();
}

static void a_stalled_body_is_given_up_at_the_idle_limit(void **state)
{
	(void)state;
	SERVE({ FAKE_STALL, OK_HEAD "Content-Length: 10\r\n\r\nhalf", 0 });
	SEND(.idle_timeout_ms = 200);
	assert_int_equal(result.outcome, HTTP_ANSWERED);
	assert_int_equal(result.status, 200);
	assert_false(result.complete);
	assert_int_equal(result.fault, HTTP_FAULT_TIMEOUT);
	done();
}

static void a_truncated_body_is_not_complete(void **state)
{
	(void)state;
	SERVE({ FAKE_ANSWER_AND_CLOSE, OK_HEAD "Content-Length: 10\r\n\r\nhalf", 0 },
		{ FAKE_ANSWER_AND_RESET, OK_HEAD "Content-Length: 10\r\n\r\nhalf", 0 },
		{ FAKE_ANSWER_AND_CLOSE, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", 0 });
	for (int i = 0; i < 3; i++) {
		SEND(.method = "GET");
		assert_int_equal(result.outcome, HTTP_ANSWERED);
		assert_false(result.complete);
		assert_int_equal(result.fault, HTTP_FAULT_BROKEN);
		assert_string_equal(result.body.data, "half");
	}
	done();
}

static void a_head_cut_off_is_no_answer(void **state)
{
	(void)state;
	SERVE({ FAKE_ANSWER_AND_CLOSE, "HTTP/1.1 201 Created\r\nContent-Le", 0 },
		{ FAKE_ANSWER_AND_RESET, "HTTP/1.1 100 Continue\r\n\r\n", 0 }, { FAKE_ANSWER_AND_CLOSE, "SIP/2.0 200 OK\r\n\r\n", 0 });
	for (int i = 0; i < 3; i++) {
		SEND(.method = "POST", .body = "x", .body_len = 1);
		assert_int_equal(result.outcome, HTTP_NO_ANSWER);
		assert_int_equal(result.status, 0);
		assert_int_equal(result.fault, HTTP_FAULT_BROKEN);
	}
	assert_int_equal(server.requests, 3);
	done();
}

static void a_body_past_its_limit_is_refused(void **state)
{
	(void)state;
	SERVE({ FAKE_ANSWER, OK_ANSWER, 0 });
	SEND(.max_body_bytes = 5);
	assert_true(result.complete);
	SEND(.max_body_bytes = 4);
	assert_int_equal(result.outcome, HTTP_ANSWERED);
	assert_false(result.complete);
	assert_int_equal(result.fault, HTTP_FAULT_TOO_BIG);
	done();
}

static void a_redirect_is_told_but_not_followed(void **state)
{
	char expected[96];

	(void)state;
	SERVE({ FAKE_ANSWER, "HTTP/1.1 307 Elsewhere\r\nLocation: /else?x=1\r\nContent-Length: 0\r\n\r\n", 0 });
	SEND(.username = "u", .password = "p");
	assert_int_equal(result.status, 307);
	snprintf(expected, sizeof(expected), "%s/else?x=1", server.url);
	assert_string_equal(result.redirect_url, expected);
	assert_int_equal(server.requests, 1);
	done();
}

static void retry_after_is_read(void **state)
{
	(void)state;
	SERVE({ FAKE_ANSWER, "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", 0 });
	SEND(.method = "GET");
	assert_int_equal(result.status, 429);
	assert_int_equal(result.retry_after_ms, 7000);
	done();
}

struct sink {
	char data[64];
	size_t len, stop_at;
	int status;
};

static bool take(void *user, const struct http_result *head, const void *data, size_t len)
{
	struct sink *sink = user;

	if (sink->len + len > sizeof(sink->data))
		return false;
	memcpy(sink->data + sink->len, data, len);
	sink->len += len;
	sink->status = head->status;
	return !sink->stop_at || sink->len < sink->stop_at;
}

static void a_good_body_is_streamed_and_a_bad_one_is_kept(void **state)
{
	struct sink sink = { 0 };

	(void)state;
	SERVE({ FAKE_ANSWER, OK_ANSWER, 0 }, { FAKE_ANSWER, "HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\ngone", 0 },
		{ FAKE_ANSWER, OK_ANSWER, 0 });
	SEND(.on_data = take, .user = &sink);
	assert_true(result.complete);
	assert_int_equal(sink.status, 200);
	assert_memory_equal(sink.data, "hello", 5);
	assert_int_equal(result.body.len, 0);
	SEND(.on_data = take, .user = &sink);
	assert_int_equal(sink.len, 5);
	assert_string_equal(result.body.data, "gone");
	sink = (struct sink){ .stop_at = 1 };
	SEND(.on_data = take, .user = &sink);
	assert_int_equal(result.fault, HTTP_FAULT_STOPPED);
	done();
}

static void what_is_no_plain_http_url_is_refused(void **state)
{
	static const char *const urls[] = { "ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1/x", "http://u:p@127.0.0.1/", "http://", "" };
	struct nxv_error err;

	(void)state;
	SERVE({ FAKE_ANSWER, OK_ANSWER, 0 });
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		err = (struct nxv_error)NXV_ERROR_INIT;
		assert_int_equal(http_send(client, &(struct http_request){ .method = "GET", .url = urls[i] }, &result, &err), NXV_E_INVALID);
		assert_string_equal(err.field, "url");
		assert_null(strstr(err.message, "u:p"));
	}
	assert_int_equal(http_send(client,
		&(struct http_request){ .method = "GET", .url = server.url, .headers = (const char *const[]){ "A: b\r\nC: d", NULL } }, &result,
		&err), NXV_E_INVALID);
	assert_int_equal(server.connections, 0);
	done();
}

static void proxies_of_the_environment_are_not_used(void **state)
{
	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	SERVE({ FAKE_ANSWER, OK_ANSWER, 0 });
	SEND(.method = "GET");
	assert_int_equal(result.status, 200);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
	done();
}

static void a_configured_proxy_is_used(void **state)
{
	struct http_opts opts = { 0 };

	(void)state;
	SERVE({ FAKE_ANSWER, OK_ANSWER, 0 });
	http_close(client);
	opts.proxy = server.url;
	assert_int_equal(http_open(&opts, &client, NULL), NXV_OK);
	send_to("http://far.invalid/x", (struct http_request){ 0 });
	assert_int_equal(result.status, 200);
	assert_memory_equal(server.seen[0], "GET http://far.invalid/x ", 25);
	done();
}

/* The proxy answered, but to its own CONNECT: the request itself was never written. */
static void a_proxy_that_refuses_the_tunnel_means_not_sent(void **state)
{
	struct http_opts opts = { 0 };

	(void)state;
	SERVE({ FAKE_ANSWER, "HTTP/1.1 403 No\r\nX-Proxy: 1\r\nContent-Length: 4\r\n\r\nnope", 0 });
	http_close(client);
	opts.proxy = server.url;
	assert_int_equal(http_open(&opts, &client, NULL), NXV_OK);
	send_to("https://far.invalid/x", (struct http_request){ .method = "POST", .body = "x", .body_len = 1, .username = "u", .password = "pw" });
	assert_int_equal(result.outcome, HTTP_NOT_SENT);
	assert_int_equal(result.status, 0);
	assert_int_equal(result.headers.len, 0);
	assert_memory_equal(server.seen[0], "CONNECT far.invalid:443 ", 24);
	assert_null(strstr(server.seen[0], "uthorization"));
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_comes_with_status_headers_and_body),
		cmocka_unit_test(a_connection_is_used_again),
		cmocka_unit_test(refused_means_not_sent),
		cmocka_unit_test(an_unknown_host_means_not_sent),
		cmocka_unit_test(a_connect_that_hangs_means_not_sent),
		cmocka_unit_test(a_failed_handshake_means_not_sent),
		cmocka_unit_test(a_reset_after_reading_means_perhaps_sent),
		cmocka_unit_test(a_post_is_never_repeated_behind_the_callers_back),
		cmocka_unit_test(a_repeatable_request_survives_a_dead_connection),
		cmocka_unit_test(a_connection_closed_while_idle_costs_nothing),
		cmocka_unit_test(a_slow_answer_is_given_up_at_the_first_byte_limit),
		cmocka_unit_test(a_dripping_head_is_given_up_at_the_total_limit),
		cmocka_unit_test(a_stalled_body_is_given_up_at_the_idle_limit),
		cmocka_unit_test(a_truncated_body_is_not_complete),
		cmocka_unit_test(a_head_cut_off_is_no_answer),
		cmocka_unit_test(a_body_past_its_limit_is_refused),
		cmocka_unit_test(a_redirect_is_told_but_not_followed),
		cmocka_unit_test(retry_after_is_read),
		cmocka_unit_test(a_good_body_is_streamed_and_a_bad_one_is_kept),
		cmocka_unit_test(what_is_no_plain_http_url_is_refused),
		cmocka_unit_test(proxies_of_the_environment_are_not_used),
		cmocka_unit_test(a_configured_proxy_is_used),
		cmocka_unit_test(a_proxy_that_refuses_the_tunnel_means_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
