/* test_rate.c - requests a minute: exact under a fake clock, under racing threads and when the clock is set back. */
#include "limits/limits.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WINDOW_MS = 60000 };

struct bench {
	struct env env;
	_Atomic int64_t now_ms;
	struct rate *rate;
};

static int64_t bench_clock(void *user)
{
	return ((struct bench *)user)->now_ms;
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->now_ms = INT64_C(1700000000000);
	b->env = (struct env){ .clock = bench_clock, .user = b };
	env_defaults(&b->env);
	assert_int_equal(rate_open(&b->env, WINDOW_MS, &b->rate, NULL), NXV_OK);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	rate_close(b->rate);
	free(b);
	return 0;
}

static struct rate_verdict take(struct bench *b, const char *key, uint32_t limit)
{
	struct rate_verdict verdict;

	assert_int_equal(rate_take(b->rate, key, limit, &verdict, NULL), NXV_OK);
	assert_int_equal(verdict.limit, limit);
	return verdict;
}

static void rate_refuses_the_request_after_the_last(void **state)
{
	struct bench *b = *state;

	for (uint32_t i = 1; i <= 100; i++) {
		struct rate_verdict verdict = take(b, "key_a", 100);

		assert_true(verdict.allowed);
		assert_int_equal(verdict.remaining, 100 - i);
		assert_int_equal(verdict.reset_ms, WINDOW_MS);
	}
	struct rate_verdict refused = take(b, "key_a", 100);

	assert_false(refused.allowed);
	assert_int_equal(refused.remaining, 0);
	assert_int_equal(refused.reset_ms, WINDOW_MS);
	assert_true(take(b, "key_b", 100).allowed);
}

static void rate_gives_each_place_back_when_its_request_is_a_window_old(void **state)
{
	struct bench *b = *state;
	int64_t start_ms = b->now_ms;

	for (int i = 0; i < 3; i++) {
		b->now_ms = start_ms + i * 1000;
		assert_true(take(b, "key_a", 3).allowed);
	}
	b->now_ms = start_ms + WINDOW_MS - 1;
	assert_false(take(b, "key_a", 3).allowed);
	assert_int_equal(take(b, "key_a", 3).reset_ms, 1);
	b->now_ms = start_ms + WINDOW_MS;
	assert_true(take(b, "key_a", 3).allowed);
	assert_false(take(b, "key_a", 3).allowed);
	assert_int_equal(take(b, "key_a", 3).reset_ms, 1000);
	b->now_ms = start_ms + WINDOW_MS + 1000;
	assert_true(take(b, "key_a", 3).allowed);
	assert_false(take(b, "key_a", 3).allowed);
}

static void rate_counts_no_refused_request(void **state)
{
	struct bench *b = *state;

	assert_true(take(b, "key_a", 1).allowed);
	for (int i = 1; i < 60; i++) {
		b->now_ms += 1000;
		assert_false(take(b, "key_a", 1).allowed);
	}
	b->now_ms += 1000;
	assert_true(take(b, "key_a", 1).allowed);
}

static void rate_follows_a_limit_that_changes(void **state)
{
	struct bench *b = *state;
	int64_t start_ms = b->now_ms;

	for (int i = 0; i < 5; i++) {
		b->now_ms = start_ms + i * 100;
		assert_true(take(b, "key_a", 10).allowed);
	}
	assert_false(take(b, "key_a", 2).allowed);
	/* Four of the five must leave before a second one may be in. */
	assert_int_equal(take(b, "key_a", 2).reset_ms, WINDOW_MS + 300 - 400);
	b->now_ms = start_ms + WINDOW_MS + 300;
	assert_true(take(b, "key_a", 2).allowed);
	assert_true(take(b, "key_a", 10).allowed);
	assert_false(take(b, "key_a", 0).allowed);
	assert_int_equal(take(b, "key_zero", 0).reset_ms, WINDOW_MS);
}

/* Against the plainest model there is: every admitted time in an array. */
static void rate_agrees_with_a_plain_model_over_many_random_times(void **state)
{
	enum { KEYS = 3, STEPS = 20000, LIMIT = 37 };
	struct bench *b = *state;
	int64_t *times[KEYS];
	size_t count[KEYS] = { 0 }, first[KEYS] = { 0 };
	uint32_t seed = 12345, admitted = 0;

	for (int k = 0; k < KEYS; k++)
		assert_non_null(times[k] = malloc(STEPS * sizeof(int64_t)));
	for (int i = 0; i < STEPS; i++) {
		seed = seed * 1664525u + 1013904223u;
		int k = (int)(seed >> 16) % KEYS;
		char name[] = { 'k', (char)('0' + k), '\0' };

		b->now_ms += (seed >> 20) % 500 == 0 ? 70000 : (seed >> 8) % 900;
		while (first[k] < count[k] && times[k][first[k]] <= b->now_ms - WINDOW_MS)
			first[k]++;
		bool expected = count[k] - first[k] < LIMIT;

		if (expected)
			times[k][count[k]++] = b->now_ms;
		struct rate_verdict verdict = take(b, name, LIMIT);

		assert_int_equal(verdict.allowed, expected);
		assert_int_equal(verdict.remaining, LIMIT - (count[k] - first[k]));
		assert_int_equal(verdict.reset_ms, times[k][first[k]] + WINDOW_MS - b->now_ms);
		admitted += expected;
	}
	assert_true(admitted > STEPS / 10 && admitted < STEPS);
	for (int k = 0; k < KEYS; k++)
		free(times[k]);
}

static void rate_of_many_keys_holds_only_those_in_use(void **state)
{
	enum { KEYS = 5000 };
	struct bench *b = *state;
	char name[24];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < KEYS; i++) {
			snprintf(name, sizeof(name), "key_%d", i);
			assert_true(take(b, name, 2).allowed);
		}
	}
	for (int i = 0; i < KEYS; i++) {
		snprintf(name, sizeof(name), "key_%d", i);
		assert_false(take(b, name, 2).allowed);
	}
	assert_int_equal(rate_keys(b->rate), KEYS);
	b->now_ms += WINDOW_MS - 1;
	assert_true(take(b, "key_other", 1000).allowed);
	assert_int_equal(rate_keys(b->rate), KEYS + 1);
	b->now_ms += 1;
	for (int i = 0; i < 200; i++)
		assert_true(take(b, "key_other", 1000).allowed);
	assert_int_equal(rate_keys(b->rate), 1);
}

static void rate_with_the_clock_set_back_admits_no_more_and_blocks_one_window_at_most(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 10; i++) {
		assert_true(take(b, "key_a", 10).allowed);
		b->now_ms += 100;
	}
	b->now_ms -= 3600000;
	assert_false(take(b, "key_a", 10).allowed);
	assert_true(take(b, "key_a", 10).reset_ms <= WINDOW_MS);
	b->now_ms += WINDOW_MS - 901;
	assert_false(take(b, "key_a", 10).allowed);
	b->now_ms += 901;
	for (int i = 0; i < 10; i++)
		assert_true(take(b, "key_a", 10).allowed);
	assert_false(take(b, "key_a", 10).allowed);
}

static void rate_with_a_clock_that_jitters_stays_exact(void **state)
{
	struct bench *b = *state;
	int admitted = 0;

	for (int i = 0; i < 1000; i++) {
		b->now_ms += i % 2 ? -7 : 7;
		admitted += take(b, "key_a", 100).allowed;
	}
	assert_int_equal(admitted, 100);
}

enum { THREADS = 8, TAKES = 20000, LIMIT = 50000 };

struct racer {
	pthread_t thread;
	struct bench *bench;
	pthread_barrier_t *start;
	int admitted[2], failed;
};

static void *take_often(void *arg)
{
	static const char *const names[] = { "key_a", "key_b" };
	struct racer *racer = arg;
	struct rate_verdict verdict;

	pthread_barrier_wait(racer->start);
	for (int i = 0; i < TAKES; i++) {
		racer->failed += rate_take(racer->bench->rate, names[i % 2], LIMIT, &verdict, NULL) != NXV_OK;
		racer->admitted[i % 2] += verdict.allowed;
	}
	return NULL;
}

static void racing_threads_are_admitted_up_to_the_limit_exactly(void **state)
{
	struct bench *b = *state;
	struct racer racers[THREADS];
	pthread_barrier_t start;
	int admitted[2] = { 0, 0 };

	assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
	for (int i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){ .bench = b, .start = &start };
		assert_int_equal(pthread_create(&racers[i].thread, NULL, take_often, &racers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(racers[i].thread, NULL);
		assert_int_equal(racers[i].failed, 0);
		admitted[0] += racers[i].admitted[0];
		admitted[1] += racers[i].admitted[1];
	}
	pthread_barrier_destroy(&start);
	assert_int_equal(admitted[0], LIMIT);
	assert_int_equal(admitted[1], LIMIT);
	assert_int_equal(rate_keys(b->rate), 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(rate_refuses_the_request_after_the_last),
		CASE(rate_gives_each_place_back_when_its_request_is_a_window_old),
		CASE(rate_counts_no_refused_request),
		CASE(rate_follows_a_limit_that_changes),
		CASE(rate_agrees_with_a_plain_model_over_many_random_times),
		CASE(rate_of_many_keys_holds_only_those_in_use),
		CASE(rate_with_the_clock_set_back_admits_no_more_and_blocks_one_window_at_most),
		CASE(rate_with_a_clock_that_jitters_stays_exact),
		CASE(racing_threads_are_admitted_up_to_the_limit_exactly),
	};

	return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
