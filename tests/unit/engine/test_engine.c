/* test_engine.c - one engine per state folder: its lock, its socket, requests from threads and processes, the inbox. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <nexusvoip/nexusvoip.h>

#include "engine/engine.h"
#include "engine/request.h"

static char dir[64];
static nxv_ctx *ctx;
static const char *const set[] = { "sip.listen=127.0.0.1:0", NULL };

static nxv_ctx *open_ctx(void)
{
	struct nxv_opts opts = NXV_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_ctx *out;

	opts.state_dir = dir;
	opts.set = set;
	if (nxv_open(&opts, &out, &err) != NXV_OK)
		fail_msg("%s", err.message);
	return out;
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/nxv-engine-XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	ctx = open_ctx();
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	nxv_close(ctx);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static const char *const ping[] = { "engine.ping", NULL };

static void start(void)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_start(ctx, &err) != NXV_OK)
		fail_msg("%s", err.message);
}

static void without_engine_calls_say_so(void **state)
{
	struct nxv_error err;

	(void)state;
	assert_false(nxv_engine_running(ctx));
	assert_int_equal(engine_call(ctx, ping, 1000, NULL, &err), NXV_E_NOT_RUNNING);
	assert_string_equal(err.code, "engine_not_running");
	assert_non_null(strstr(err.message, "start nexusd"));
}

static void own_engine_answers_until_it_stops(void **state)
{
	(void)state;
	start();
	assert_true(nxv_engine_running(ctx));
	assert_int_equal(engine_call(ctx, ping, 5000, NULL, NULL), NXV_OK);
	nxv_stop(ctx);
	assert_false(nxv_engine_running(ctx));
	assert_int_equal(engine_call(ctx, ping, 1000, NULL, NULL), NXV_E_NOT_RUNNING);
	start(); /* and again */
	assert_int_equal(engine_call(ctx, ping, 5000, NULL, NULL), NXV_OK);
}

static void second_engine_on_the_folder_is_refused_with_the_pid(void **state)
{
	nxv_ctx *other = open_ctx();
	struct nxv_error err;
	char pid[24];

	(void)state;
	start();
	snprintf(pid, sizeof(pid), "process %ld ", (long)getpid());
	assert_int_equal(nxv_start(other, &err), NXV_E_BUSY);
	assert_non_null(strstr(err.message, pid));
	assert_int_equal(nxv_start(ctx, &err), NXV_E_BUSY);
	nxv_close(other);
}

static void other_context_reaches_it_through_the_socket(void **state)
{
	static const char *const nonsense[] = { "no.such.operation", NULL };
	static const char *const place[] = { "session.place", "session_none", NULL };
	static const char *const no_argument[] = { "session.place", NULL };
	nxv_ctx *other = open_ctx();
	struct nxv_error err;
	struct stat st;
	char path[96];

	(void)state;
	start();
	snprintf(path, sizeof(path), "%s/engine.sock", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(nxv_engine_running(other));
	assert_int_equal(engine_call(other, ping, 5000, NULL, &err), NXV_OK);
	assert_int_equal(engine_call(other, nonsense, 5000, NULL, &err), NXV_E_UNSUPPORTED);
	assert_non_null(strstr(err.message, "no.such.operation"));
	assert_int_equal(engine_call(other, place, 5000, NULL, &err), NXV_E_NOT_FOUND);
	assert_int_equal(engine_call(other, no_argument, 5000, NULL, &err), NXV_E_INVALID);
	assert_string_equal(err.code, "invalid");
	nxv_close(other);
}

static void health_travels_between_contexts(void **state)
{
	nxv_ctx *other = open_ctx();
	struct nxv_sip_health *health;

	(void)state;
	start();
	assert_int_equal(nxv_sip_health_get(other, &health, NULL), NXV_OK);
	assert_int_equal(health->state, NXV_SIP_STOPPED);
	assert_int_equal(health->active_calls, 0);
	nxv_sip_health_free(health);
	nxv_close(other);
}

struct deadlock {
	nxv_status call, wait;
};

static void call_from_inside(void *arg)
{
	struct deadlock *d = arg;

	d->call = engine_call(ctx, ping, 1000, NULL, NULL);
	d->wait = nxv_session_wait(ctx, "session_x", NXV_UNTIL_ENDED, 1000, NULL, NULL);
}

static void *stopper(void *arg)
{
	(void)arg;
	while (!nxv_engine_running(ctx))
		usleep(1000);
	assert_int_equal(engine_call(ctx, ping, 5000, NULL, NULL), NXV_OK);
	nxv_stop(ctx);
	return NULL;
}

static void blocking_call_on_the_engines_thread_is_a_deadlock_error(void **state)
{
	struct deadlock d = { NXV_OK, NXV_OK };
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, stopper, NULL);
	assert_int_equal(nxv_run(ctx, call_from_inside, &d, NULL), NXV_OK);
	pthread_join(thread, NULL);
	assert_int_equal(d.call, NXV_E_DEADLOCK);
	assert_int_equal(d.wait, NXV_E_DEADLOCK);
}

static void wait_for_an_unknown_call_is_not_found(void **state)
{
	struct nxv_session *s;

	(void)state;
	start();
	assert_int_equal(nxv_session_wait(ctx, "session_none", NXV_UNTIL_ENDED, 100, &s, NULL), NXV_E_NOT_FOUND);
	assert_null(s);
}

static void wait_runs_out_of_time_and_a_stop_ends_it(void **state)
{
	static const char *const wait_short[] = { "sip.wait", "running", "50", NULL };
	static const char *const wait_long[] = { "sip.wait", "running", "60000", NULL };
	nxv_inbox *inbox;
	struct nxv_completion done;
	struct pollfd p = { .events = POLLIN };
	int token;

	(void)state;
	start();
	assert_int_equal(engine_call(ctx, wait_short, 5000, NULL, NULL), NXV_E_TIMEOUT);
	assert_int_equal(nxv_inbox_open(ctx, &inbox, NULL), NXV_OK);
	assert_int_equal(engine_call_inbox(inbox, wait_long, &token, NULL), NXV_OK);
	assert_false(nxv_inbox_next(inbox, &done));
	nxv_stop(ctx);
	p.fd = nxv_inbox_fd(inbox);
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_true(nxv_inbox_next(inbox, &done));
	assert_ptr_equal(done.token, &token);
	assert_int_equal(done.status, NXV_E_NOT_RUNNING);
	assert_int_equal(poll(&p, 1, 0), 0); /* quiet again */
	nxv_inbox_close(inbox);
}

static void closed_inbox_drops_what_is_under_way(void **state)
{
	static const char *const wait_long[] = { "sip.wait", "running", "60000", NULL };
	nxv_inbox *inbox;

	(void)state;
	start();
	assert_int_equal(nxv_inbox_open(ctx, &inbox, NULL), NXV_OK);
	assert_int_equal(engine_call_inbox(inbox, wait_long, NULL, NULL), NXV_OK);
	assert_int_equal(engine_call_inbox(inbox, ping, NULL, NULL), NXV_OK);
	nxv_inbox_close(inbox);
	assert_int_equal(engine_call(ctx, ping, 5000, NULL, NULL), NXV_OK);
}

/* Whatever is written to the socket, the engine goes on. */
static void garbage_on_the_socket_harms_nothing(void **state)
{
	static const char *const lines[] = { "\n", "\t\t\n", "a\tb\tc\td\te\tf\tg\th\n", "session.wait\tx\n", "half a line" };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char big[REQUEST_BYTES_MAX * 2];

	(void)state;
	start();
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/engine.sock", dir);
	memset(big, 'x', sizeof(big));
	for (size_t i = 0; i <= sizeof(lines) / sizeof(lines[0]); i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		const bool last = i == sizeof(lines) / sizeof(lines[0]);

		assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
		if (last)
			assert_true(send(fd, big, sizeof(big), MSG_NOSIGNAL) > 0);
		else
			assert_int_equal(send(fd, lines[i], strlen(lines[i]), MSG_NOSIGNAL), (int)strlen(lines[i]));
		if (!last && strchr(lines[i], '\n')) {
			char answer[256] = "";
			assert_true(recv(fd, answer, sizeof(answer) - 1, 0) > 0);
			assert_memory_equal(answer, "err\t", 4);
		}
		close(fd);
	}
	assert_int_equal(engine_call(ctx, ping, 5000, NULL, NULL), NXV_OK);
}

enum { PLACES = 64 }; /* connections the command socket serves at once */

static int connect_socket(const char *line)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/engine.sock", dir);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL), (int)strlen(line));
	return fd;
}

/* The engine may see a closed connection a moment later. */
static nxv_status ping_soon(nxv_ctx *from)
{
	nxv_status status = NXV_E_BUSY;

	for (int i = 0; i < 100 && status == NXV_E_BUSY; i++) {
		status = engine_call(from, ping, 5000, NULL, NULL);
		usleep(10000);
	}
	return status;
}

static void too_many_at_once_are_told_to_come_again(void **state)
{
	nxv_ctx *other = open_ctx();
	struct nxv_error err;
	int fds[PLACES];

	(void)state;
	start();
	for (int i = 0; i < PLACES; i++)
		fds[i] = connect_socket("half a line");
	assert_int_equal(engine_call(other, ping, 5000, NULL, &err), NXV_E_BUSY);
	assert_string_equal(err.code, "engine_busy");
	assert_int_equal(err.retry_after_ms, 1000);
	for (int i = 0; i < PLACES; i++)
		close(fds[i]);
	assert_int_equal(ping_soon(other), NXV_OK);
	nxv_close(other);
}

/* Killed clients: their waits would last for weeks. */
static void clients_that_leave_while_they_wait_give_their_place_back(void **state)
{
	nxv_ctx *other = open_ctx();

	(void)state;
	start();
	for (int i = 0; i < 2 * PLACES; i++) {
		int fd = connect_socket("sip.wait\trunning\t4000000000\n");
		assert_int_equal(engine_call(ctx, ping, 5000, NULL, NULL), NXV_OK); /* it has come so far */
		close(fd);
		assert_int_equal(engine_call(ctx, ping, 5000, NULL, NULL), NXV_OK);
	}
	assert_int_equal(ping_soon(other), NXV_OK);
	nxv_close(other);
}

static void request_with_a_tab_or_too_long_is_refused_before_it_is_sent(void **state)
{
	static char too_long[REQUEST_BYTES_MAX + 1];
	const char *const tab[] = { "engine.ping", "a\tb", NULL };
	const char *const huge[] = { "engine.ping", too_long, NULL };

	(void)state;
	memset(too_long, 'x', REQUEST_BYTES_MAX);
	start();
	assert_int_equal(engine_call(ctx, tab, 1000, NULL, NULL), NXV_E_INVALID);
	assert_int_equal(engine_call(ctx, huge, 1000, NULL, NULL), NXV_E_INVALID);
}

enum { THREADS = 4, CALLS = 200 };

static void *caller(void *arg)
{
	for (int i = 0; i < CALLS; i++)
		*(int *)arg += engine_call(ctx, ping, 10000, NULL, NULL) == NXV_OK;
	return NULL;
}

static void threads_ask_at_once(void **state)
{
	pthread_t threads[THREADS];
	int good[THREADS] = { 0 };

	(void)state;
	start();
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, caller, &good[i]);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(good[i], CALLS);
	}
}

static void engine_killed_leaves_the_folder_usable(void **state)
{
	int fds[2], status;
	char c;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	nxv_close(ctx);
	ctx = NULL;
	pid = fork();
	if (!pid) {
		ctx = open_ctx();
		if (nxv_start(ctx, NULL) == NXV_OK && write(fds[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(fds[0], &c, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fds[0]);
	close(fds[1]);
	ctx = open_ctx();
	assert_false(nxv_engine_running(ctx));
	start();
	assert_int_equal(engine_call(ctx, ping, 5000, NULL, NULL), NXV_OK);
}

static void missing_folder_is_an_error_that_names_init(void **state)
{
	struct nxv_opts opts = NXV_OPTS_INIT;
	struct nxv_error err;
	nxv_ctx *out;

	(void)state;
	opts.state_dir = "/tmp/nxv-there-is-none";
	assert_int_equal(nxv_open(&opts, &out, &err), NXV_E_NOT_FOUND);
	assert_null(out);
	assert_non_null(strstr(err.message, "init"));
}

/* In a child, which gives up being root: root may write everywhere. */
static int open_as_nobody(void)
{
	struct nxv_opts opts = NXV_OPTS_INIT;
	struct nxv_error err;
	nxv_ctx *out;

	opts.state_dir = dir;
	if (geteuid() == 0 && setuid(65534) != 0)
		return 77;
	if (nxv_open(&opts, &out, &err) != NXV_E_IO || out)
		return 1;
	return strstr(err.message, "owner") && strstr(err.message, dir) ? 0 : 2;
}

static void folder_that_cannot_be_written_is_an_error_that_names_the_owner(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	nxv_close(ctx);
	ctx = NULL;
	assert_int_equal(chmod(dir, 0555), 0);
	pid = fork();
	if (!pid)
		_exit(open_as_nobody());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_engine_calls_say_so),
		TEST(own_engine_answers_until_it_stops),
		TEST(second_engine_on_the_folder_is_refused_with_the_pid),
		TEST(other_context_reaches_it_through_the_socket),
		TEST(health_travels_between_contexts),
		TEST(blocking_call_on_the_engines_thread_is_a_deadlock_error),
		TEST(wait_for_an_unknown_call_is_not_found),
		TEST(wait_runs_out_of_time_and_a_stop_ends_it),
		TEST(closed_inbox_drops_what_is_under_way),
		TEST(garbage_on_the_socket_harms_nothing),
		TEST(too_many_at_once_are_told_to_come_again),
		TEST(clients_that_leave_while_they_wait_give_their_place_back),
		TEST(request_with_a_tab_or_too_long_is_refused_before_it_is_sent),
		TEST(threads_ask_at_once),
		TEST(engine_killed_leaves_the_folder_usable),
		TEST(missing_folder_is_an_error_that_names_init),
		TEST(folder_that_cannot_be_written_is_an_error_that_names_the_owner),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
