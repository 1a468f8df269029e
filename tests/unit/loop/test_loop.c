/* test_loop.c - timers, descriptors and posts from other threads. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop/loop.h"

static struct loop *loop;
static int hits;

static void count_and_stop(void *arg)
{
	hits++;
	if (hits == *(int *)arg)
		loop_stop(loop);
}

static void timers_fire_once_each(void **state)
{
	int target = 2;
	struct loop_timer *a, *b, *never;

	(void)state;
	hits = 0;
	assert_int_equal(loop_open(&loop, NULL), NXV_OK);
	a = loop_timer_new(loop, count_and_stop, &target);
	b = loop_timer_new(loop, count_and_stop, &target);
	never = loop_timer_new(loop, count_and_stop, &target);
	loop_timer_start(a, 1);
	loop_timer_start(b, 5);
	loop_timer_start(never, 1);
	loop_timer_stop(never);
	assert_int_equal(loop_run(loop, NULL), NXV_OK);
	assert_int_equal(hits, 2);
	assert_false(loop_timer_running(a));
	loop_timer_free(a);
	loop_timer_free(b);
	loop_timer_free(never);
	loop_close(loop);
}

enum { POSTS = 20000 };

static void *poster(void *arg)
{
	for (int i = 0; i < POSTS; i++)
		if (loop_post(loop, count_and_stop, arg) != NXV_OK)
			break;
	return NULL;
}

static void posts_from_threads_all_arrive(void **state)
{
	int target = 4 * POSTS;
	pthread_t threads[4];

	(void)state;
	hits = 0;
	assert_int_equal(loop_open(&loop, NULL), NXV_OK);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, poster, &target);
	assert_int_equal(loop_run(loop, NULL), NXV_OK);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(hits, target);
	loop_close(loop);
}

static int pipe_fds[2];

static void on_readable(int events, void *arg)
{
	char c;

	assert_true(events & LOOP_READ);
	assert_int_equal(read(pipe_fds[0], &c, 1), 1);
	loop_fd_clear(loop, pipe_fds[0]); /* from inside its own callback */
	count_and_stop(arg);
}

static void descriptor_calls_back_when_readable(void **state)
{
	int target = 1;

	(void)state;
	hits = 0;
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(loop_open(&loop, NULL), NXV_OK);
	assert_int_equal(loop_fd_set(loop, pipe_fds[0], LOOP_READ, on_readable, &target, NULL), NXV_OK);
	assert_int_equal(write(pipe_fds[1], "x", 1), 1);
	assert_int_equal(loop_run(loop, NULL), NXV_OK);
	assert_int_equal(hits, 1);
	loop_close(loop);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void host_keeps_its_sigpipe_handler(void **state)
{
	struct sigaction before = { .sa_handler = SIG_IGN }, after;

	(void)state;
	sigaction(SIGPIPE, &before, NULL);
	assert_int_equal(loop_open(&loop, NULL), NXV_OK);
	loop_close(loop);
	sigaction(SIGPIPE, NULL, &after);
	assert_ptr_equal(after.sa_handler, SIG_IGN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_once_each),
		cmocka_unit_test(posts_from_threads_all_arrive),
		cmocka_unit_test(descriptor_calls_back_when_readable),
		cmocka_unit_test(host_keeps_its_sigpipe_handler),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
