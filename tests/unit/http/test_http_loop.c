/* test_http_loop.c - outgoing HTTP on the engine's loop: many at once, limits, cancelling, nothing blocks. */
#include "fake_http.h"

#include "http/http.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static struct fake server;
static struct http *client;
static struct loop *loop;
static int want, ended, good, late;

static void begin(const struct fake_step *steps, size_t count)
{
	struct http_opts opts = { .max_connections = 32 };

	want = ended = good = late = 0;
	fake_open(&server, steps, count);
	assert_int_equal(http_open(&opts, &client, NULL), NXV_OK);
	assert_int_equal(loop_open(&loop, NULL), NXV_OK);
	assert_int_equal(http_attach(client, loop, NULL), NXV_OK);
}
#define BEGIN(...) \
	static const struct fake_step steps[] = { __VA_ARGS__ }; \
	begin(steps, sizeof(steps) / sizeof(*steps))

static void end(void)
{
	http_close(client);
	loop_close(loop);
	fake_close(&server);
}

static void count(void *user, struct http_result *r)
{
	(void)user;
	good += r->outcome == HTTP_ANSWERED && r->complete && strcmp(r->body.data, "hello") == 0;
	late += r->fault == HTTP_FAULT_TIMEOUT;
	if (++ended == want)
		loop_stop(loop);
}

static void start(http_done_fn *fn, uint32_t first_byte_ms, struct http_transfer **out)
{
	struct http_request request = { .method = "POST", .url = server.url, .body = "x", .body_len = 1,
		.first_byte_timeout_ms = first_byte_ms };

	assert_int_equal(http_start(client, &request, fn, NULL, out, NULL), NXV_OK);
}

static void many_slow_answers_are_awaited_together(void **state)
{
	int64_t started = loop_now_ms();

	(void)state;
	BEGIN({ FAKE_ANSWER, OK_ANSWER, 200 });
	want = 64;
	for (int i = 0; i < want; i++)
		start(count, 0, NULL);
	assert_int_equal(loop_run(loop, NULL), NXV_OK);
	assert_int_equal(good, 64);
	assert_int_equal(server.requests, 64);
	assert_in_range(server.connections, 2, 32);
	assert_true(loop_now_ms() - started < 64 * 200 / 2);
	end();
}

static void a_silent_server_meets_the_limit(void **state)
{
	(void)state;
	BEGIN({ FAKE_SILENCE, NULL, 0 });
	want = 3;
	for (int i = 0; i < want; i++)
		start(count, 150, NULL);
	assert_int_equal(loop_run(loop, NULL), NXV_OK);
	assert_int_equal(late, 3);
	end();
}

static void again(void *user, struct http_result *r)
{
	(void)user;
	assert_true(r->complete);
	if (++ended == 5)
		loop_stop(loop);
	else
		start(again, 0, NULL);
}

static void a_callback_may_start_the_next(void **state)
{
	(void)state;
	BEGIN({ FAKE_ANSWER, OK_ANSWER, 0 });
	start(again, 0, NULL);
	assert_int_equal(loop_run(loop, NULL), NXV_OK);
	assert_int_equal(server.requests, 5);
	assert_int_equal(server.connections, 1);
	end();
}

static void never(void *user, struct http_result *r)
{
	(void)user;
	(void)r;
	ended += 1000;
}

static void cancelled_and_closed_transfers_say_nothing(void **state)
{
	struct http_transfer *one;

	(void)state;
	BEGIN({ FAKE_ANSWER, OK_ANSWER, 100 }, { FAKE_ANSWER, OK_ANSWER, 0 });
	want = 1;
	start(never, 0, &one);
	start(count, 0, NULL);
	http_cancel(one);
	assert_int_equal(loop_run(loop, NULL), NXV_OK);
	start(never, 0, NULL);
	end();
	assert_int_equal(ended, 1);
}

static void the_two_forms_do_not_mix(void **state)
{
	struct http_result result = { 0 };
	struct http *alone;

	(void)state;
	BEGIN({ FAKE_ANSWER, OK_ANSWER, 0 });
	assert_int_equal(http_send(client, &(struct http_request){ .method = "GET", .url = server.url }, &result, NULL), NXV_E_INVALID);
	assert_int_equal(http_open(NULL, &alone, NULL), NXV_OK);
	assert_int_equal(http_start(alone, &(struct http_request){ .method = "GET", .url = server.url }, never, NULL, NULL, NULL), NXV_E_INVALID);
	http_close(alone);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_slow_answers_are_awaited_together),
		cmocka_unit_test(a_silent_server_meets_the_limit),
		cmocka_unit_test(a_callback_may_start_the_next),
		cmocka_unit_test(cancelled_and_closed_transfers_say_nothing),
		cmocka_unit_test(the_two_forms_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
