/* test_nexusd_life.c - how nexusd starts, says that it is ready, refuses to start, and ends. */
#include "nexusd.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int prepare(void **state)
{
	/* a SIP server that is never there: start waits for it */
	static const char *const settings[] = { "sip.mode=external", "sip.control=/nonexistent/nexusvoip-test.sock",
		NULL };

	(void)state;
	return gateway_prepare(&nexusd, "opensips", settings) ? 0 : -1;
}

static void port_zero_takes_a_free_one_and_says_which(void **state)
{
	(void)state;
	assert_true(gateway_run(&nexusd));
	assert_int_equal(strncmp(nexusd.url, "http://127.0.0.1:", 17), 0);
	assert_true(atoi(nexusd.url + 17) > 0);
	assert_int_equal(ask("GET", "/readyz", NULL, NULL)->status, 200);
}

static void sigterm_ends_it_cleanly(void **state)
{
	int64_t begin = now_ms();

	(void)state;
	assert_int_equal(gateway_stop(&nexusd), 0);
	assert_true(now_ms() - begin < 3000);
	assert_true(gateway_run(&nexusd)); /* and it starts again on what it left */
	proc_signal(nexusd.nexusd, SIGINT);
	assert_int_equal(proc_wait(nexusd.nexusd, 5000), 0);
	gateway_stop(&nexusd);
}

static void idle_connections_do_not_hold_up_the_end(void **state)
{
	int fds[3];
	int64_t begin;
	struct raw_reply reply;

	(void)state;
	assert_true(gateway_run(&nexusd));
	for (int i = 0; i < 3; i++)
		fds[i] = raw_connect();
	raw_write(fds[0], "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n", 32);
	raw_read(fds[0], &reply, 200);
	assert_int_equal(reply.status, 200);
	begin = now_ms();
	assert_int_equal(gateway_stop(&nexusd), 0);
	assert_true(now_ms() - begin < 3000);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void *wait_for_sip(void *arg)
{
	struct raw_reply *reply = arg;
	char text[512];
	int fd = raw_connect();

	snprintf(text, sizeof(text),
		"POST /api/v1/opensips/start HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n",
		nexusd.admin_key);
	raw_write(fd, text, strlen(text));
	raw_read(fd, reply, 20000);
	close(fd);
	return NULL;
}

/* A request that waits gets an answer, and holds up the end for the five seconds of grace at most. */
static void answers_in_flight_are_given_before_the_end(void **state)
{
	struct raw_reply *reply = calloc(1, sizeof(*reply));
	pthread_t thread;
	int64_t begin;

	(void)state;
	assert_true(gateway_run(&nexusd));
	assert_int_equal(pthread_create(&thread, NULL, wait_for_sip, reply), 0);
	nap_ms(300);
	begin = now_ms();
	assert_int_equal(ask("GET", "/livez", NULL, NULL)->status, 200); /* a waiting request holds no loop */
	assert_true(now_ms() - begin < 200);
	assert_int_equal(gateway_stop(&nexusd), 0);
	assert_true(now_ms() - begin < 8000);
	pthread_join(thread, NULL);
	assert_true(reply->status >= 500);
	assert_non_null(strstr(reply->body, "\"success\":false"));
	assert_true(reply->closed);
	free(reply);
}

static int start_and_wait(const char *const *argv, char **err)
{
	return proc_run(argv, NULL, err, 10000);
}

static void a_second_server_on_one_state_folder_is_refused(void **state)
{
	const char *const argv[] = { NEXUSD_PATH, "--state", nexusd.state, "--listen", "127.0.0.1:0", NULL };
	char *err = NULL;

	(void)state;
	assert_true(gateway_run(&nexusd));
	assert_int_equal(start_and_wait(argv, &err), 1);
	assert_non_null(strstr(err, "engine"));
	assert_null(strstr(err, "ready on"));
	free(err);
	assert_int_equal(ask("GET", "/livez", NULL, NULL)->status, 200);
}

static void a_port_that_is_taken_is_refused_and_named(void **state)
{
	char elsewhere[128], listen[512];
	const char *const argv[] = { NEXUSD_PATH, "--state", elsewhere, "--listen", listen, NULL };
	char *err = NULL;

	(void)state;
	snprintf(elsewhere, sizeof(elsewhere), "%s", proc_temp_dir());
	snprintf(listen, sizeof(listen), "%.63s", nexusd.url + strlen("http://"));
	assert_int_equal(start_and_wait(argv, &err), 1);
	assert_non_null(strstr(err, listen));
	free(err);
}

static void wrong_use_is_explained(void **state)
{
	static const struct {
		const char *argument;
		int status;
		const char *said;
	} cases[] = {
		{ "--nonsense", 2, "--nonsense" },
		{ "extra", 2, "extra" },
		{ "--listen=nowhere", 1, "nowhere" },
		{ "--set=no.such=1", 1, "no.such" },
		{ "--config=/nonexistent/file", 1, "/nonexistent/file" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const argv[] = { NEXUSD_PATH, "--state", proc_temp_dir(), cases[i].argument, NULL };
		char *err = NULL;
		int status = start_and_wait(argv, &err);

		if (status != cases[i].status || !strstr(err, cases[i].said))
			fail_msg("%s: status %d: %s", cases[i].argument, status, err);
		free(err);
	}
}

static void the_service_manager_is_told_when_it_is_ready(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char variable[160], got[64] = "";
	const char *const env[] = { variable, NULL };
	const char *const argv[] = { NEXUSD_PATH, "--state", nexusd.state, "--listen", "127.0.0.1:0", NULL };
	struct proc *proc;

	(void)state;
	gateway_stop(&nexusd);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/notify", nexusd.state);
	snprintf(variable, sizeof(variable), "NOTIFY_SOCKET=%s", at.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	proc = proc_start(argv, NULL, env);
	assert_true(proc_wait_output(proc, "nexusd ready on", 10000));
	assert_true(recv(fd, got, sizeof(got) - 1, 0) > 0);
	assert_string_equal(got, "READY=1");
	assert_int_equal(proc_stop(proc, 10000), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_zero_takes_a_free_one_and_says_which),
		cmocka_unit_test(sigterm_ends_it_cleanly),
		cmocka_unit_test(idle_connections_do_not_hold_up_the_end),
		cmocka_unit_test(answers_in_flight_are_given_before_the_end),
		cmocka_unit_test(a_second_server_on_one_state_folder_is_refused),
		cmocka_unit_test(a_port_that_is_taken_is_refused_and_named),
		cmocka_unit_test(wrong_use_is_explained),
		cmocka_unit_test(the_service_manager_is_told_when_it_is_ready),
	};

	proc_guard(110);
	return cmocka_run_group_tests(tests, prepare, nexusd_teardown);
}
