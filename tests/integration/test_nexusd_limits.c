/* test_nexusd_limits.c - 100 requests a minute per key, exact while 64 clients race for them. */
#include "nexusd.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLIENTS = 64, EACH = 6, LIMIT = 100 };

static char request[512];
static atomic_int admitted, refused, other;
static pthread_barrier_t together;

static void *race(void *arg)
{
	struct raw_reply *reply = malloc(sizeof(*reply));
	int fd = raw_connect();

	(void)arg;
	pthread_barrier_wait(&together);
	for (int i = 0; i < EACH; i++) {
		raw_write(fd, request, strlen(request));
		raw_read(fd, reply, 50);
		for (int ms = 0; reply->status == 0 && ms < 5000; ms += 50)
			raw_read(fd, reply, 50);
		atomic_fetch_add(reply->status == 200 ? &admitted : reply->status == 429 ? &refused : &other, 1);
	}
	close(fd);
	free(reply);
	return NULL;
}

static void sixty_four_racing_clients_get_exactly_one_hundred(void **state)
{
	struct made_key key = make_key("racer", "[\"call\"]");
	pthread_t threads[CLIENTS];

	(void)state;
	snprintf(request, sizeof(request), "GET /api/v1/keys HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n",
		key.secret);
	pthread_barrier_init(&together, NULL, CLIENTS);
	for (int i = 0; i < CLIENTS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, NULL), 0);
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&together);
	assert_int_equal(atomic_load(&other), 0);
	assert_int_equal(atomic_load(&admitted), LIMIT);
	assert_int_equal(atomic_load(&refused), CLIENTS * EACH - LIMIT);
}

static void answers_tell_what_is_left(void **state)
{
	struct made_key key = make_key("counter", "[\"call\"]");
	struct http_reply *reply = NULL;
	unsigned left = 0, reset = 0;
	char policy[64];

	(void)state;
	for (int i = 1; i <= 3; i++) {
		reply = ask("GET", "/api/v1/keys", key.secret, NULL);
		snprintf(policy, sizeof(policy), "%s", http_header(reply, "RateLimit-Policy"));
		assert_string_equal(policy, "\"minute\";q=100;w=60");
		assert_int_equal(sscanf(http_header(reply, "RateLimit"), "\"minute\";r=%u;t=%u", &left, &reset), 2);
		assert_int_equal(left, LIMIT - i);
		assert_in_range(reset, 1, 60);
	}
	reply = ask("GET", "/api/v1/opensips/registrations", key.secret, NULL); /* refused ones count too */
	assert_int_equal(reply->status, 403);
	assert_int_equal(sscanf(http_header(reply, "RateLimit"), "\"minute\";r=%u;t=%u", &left, &reset), 2);
	assert_int_equal(left, LIMIT - 4);
}

static void the_101st_is_refused_with_the_time_to_wait(void **state)
{
	struct made_key key = make_key("eager", "[\"call\"]"), free_key = make_key("eager", "[\"call\"]");
	struct http_reply *reply = NULL;

	(void)state;
	for (int i = 0; i < LIMIT; i++) {
		reply = ask("GET", "/api/v1/keys", key.secret, NULL);
		assert_int_equal(reply->status, 200);
	}
	reply = ask("GET", "/api/v1/keys", key.secret, NULL);
	assert_int_equal(reply->status, 429);
	assert_string_equal(error_code(reply), "rate_limited");
	assert_in_range(atoi(http_header(reply, "Retry-After")), 1, 60);
	assert_int_equal(ask("GET", "/api/v1/keys", free_key.secret, NULL)->status, 200); /* each key has its own */
	reply = ask("GET", "/api/v1/usage?limit=1", nexusd.admin_key, NULL);
	assert_int_equal(reply->status, 200);
}

static int setup(void **state)
{
	static const char *const settings[] = { "limits.requests_per_minute=100", NULL };

	(void)state;
	return nexusd_setup_with(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sixty_four_racing_clients_get_exactly_one_hundred),
		cmocka_unit_test(answers_tell_what_is_left),
		cmocka_unit_test(the_101st_is_refused_with_the_time_to_wait),
	};

	proc_guard(110);
	return cmocka_run_group_tests(tests, setup, nexusd_teardown);
}
