/* test_manager.c - supervision with a server that misbehaves on command: start, readiness, failure, crash, stop. */
#include "fake_server.h"

#include <fcntl.h>

static void a_wanted_server_runs_and_an_unwanted_one_ends(void **state)
{
	int64_t pid;

	(void)state;
	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
	assert_string_equal(history, "starting running ");
	assert_string_equal(sip_manager_message(mgr), "");
	assert_non_null(sip_manager_server(mgr));
	pid = sip_manager_pid(mgr);
	assert_true(alive(pid));
	assert_int_equal(folder_mode("sip/fake.cfg"), 0600);
	assert_int_equal(folder_mode("sip/server.pid"), 0600);
	assert_int_equal(folder_mode("sip/server.log"), 0600);
	sip_manager_want(mgr, false);
	UNTIL(is_stopped, 2000);
	assert_string_equal(history, "starting running stopped ");
	assert_false(alive(pid));
	assert_int_equal(sip_manager_pid(mgr), 0);
	assert_null(sip_manager_server(mgr));
	assert_int_equal(fake.opens, fake.closes);
	assert_null(folder_read("sip/server.pid"));
}

static void the_server_inherits_nothing_of_its_host(void **state)
{
	sigset_t mask, old;
	int leak = open("/dev/null", O_RDONLY); /* without close-on-exec */
	char *birth;

	(void)state;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, &old);
	signal(SIGPIPE, SIG_IGN);
	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(leak);
	birth = folder_read("sip/birth");
	assert_string_equal(birth, "leader=1 fds=0 pipe_default=1 blocked=0 stdin=/dev/null home=0");
	free(birth);
}

static void a_server_that_exits_is_quoted_without_its_secret(void **state)
{
	char *log;

	(void)state;
	behave("exit");
	sip_manager_want(mgr, true);
	UNTIL(is_failed, 5000);
	assert_string_equal(history, "starting failed ");
	assert_non_null(strstr(sip_manager_message(mgr), "exit status 255"));
	assert_non_null(strstr(sip_manager_message(mgr), "no such table: version"));
	assert_null(strstr(sip_manager_message(mgr), sip->set.secret));
	log = folder_read("sip/server.log");
	assert_non_null(strstr(log, "and more"));
	free(log);
	behave("serve"); /* repaired: the next try finds it so */
	UNTIL(is_running, 5000);
}

static void a_refused_configuration_is_not_started(void **state)
{
	(void)state;
	behave("refuse");
	sip_manager_want(mgr, true);
	UNTIL(is_failed, 5000);
	assert_non_null(strstr(sip_manager_message(mgr), "parse error in line 7"));
	assert_null(folder_read("sip/birth"));
	sip_manager_want(mgr, false);
	UNTIL(is_stopped, 1000);
}

static void a_taken_port_is_named_with_its_option_and_retried(void **state)
{
	int fd = fake_bind(sip->set.listen, SOCK_DGRAM);

	(void)state;
	sip_manager_want(mgr, true);
	UNTIL(is_failed, 5000);
	assert_non_null(strstr(sip_manager_message(mgr), sip->set.listen));
	assert_non_null(strstr(sip_manager_message(mgr), "sip.listen"));
	assert_non_null(strstr(sip_manager_message(mgr), "UDP"));
	assert_null(folder_read("sip/birth"));
	close(fd);
	UNTIL(is_running, 5000);
}

static void a_server_that_answers_nowhere_is_ended_and_said_so(void **state)
{
	(void)state;
	behave("mute");
	sip_manager_want(mgr, true);
	UNTIL(is_failed, 8000);
	assert_non_null(strstr(sip_manager_message(mgr), "does not become ready"));
	assert_non_null(strstr(sip_manager_message(mgr), "sip.listen"));
	assert_int_equal(sip_manager_pid(mgr), 0);
}

static void an_answering_listener_is_not_enough_when_control_is_silent(void **state)
{
	(void)state;
	fake.ready = NXV_E_TIMEOUT;
	sip_manager_want(mgr, true);
	UNTIL(is_failed, 8000);
	assert_non_null(strstr(sip_manager_message(mgr), "control says no"));
}

static void a_crashed_server_is_started_again(void **state)
{
	int64_t pid, began;

	(void)state;
	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
	pid = sip_manager_pid(mgr);
	began = loop_now_ms();
	kill((pid_t)pid, SIGKILL);
	UNTIL(is_backoff, 1000);
	assert_non_null(strstr(sip_manager_message(mgr), "signal 9"));
	UNTIL(is_running, 5000);
	assert_in_range(loop_now_ms() - began, 1000, 3000);
	assert_string_equal(history, "starting running backoff starting running ");
	assert_int_not_equal(sip_manager_pid(mgr), pid);
}

static void repeated_crashes_wait_longer_each_time(void **state)
{
	int64_t first, second;

	(void)state;
	behave("brief");
	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
	UNTIL(is_backoff, 2000);
	assert_non_null(strstr(sip_manager_message(mgr), "tired of it"));
	first = loop_now_ms();
	UNTIL(is_running, 4000);
	first = loop_now_ms() - first;
	UNTIL(is_backoff, 2000);
	second = loop_now_ms();
	UNTIL(is_running, 5000);
	second = loop_now_ms() - second;
	assert_true(second > first + 700);
}

static void pauses_double_from_one_second_to_sixty(void **state)
{
	static const uint64_t seconds[] = { 1, 2, 4, 8, 16, 32, 60, 60 };

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(manager_backoff_ms(i), seconds[i] * 1000);
	assert_int_equal(manager_backoff_ms(1000000), 60000);
}

static void being_asked_again_ends_the_pause(void **state)
{
	int64_t began;

	(void)state;
	behave("exit");
	sip_manager_want(mgr, true);
	UNTIL(is_failed, 3000);
	behave("serve");
	began = loop_now_ms();
	sip_manager_want(mgr, true);
	UNTIL(is_running, 3000);
	assert_true(loop_now_ms() - began < 900);
}

static void children_that_survive_their_main_process_are_ended(void **state)
{
	int64_t pid;

	(void)state;
	behave("orphans");
	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
	pid = sip_manager_pid(mgr);
	assert_int_equal(process_leftovers((pid_t)pid, mgr->rec.exe), 2);
	kill((pid_t)pid, SIGKILL);
	UNTIL(is_backoff, 3000);
	assert_int_equal(process_leftovers((pid_t)pid, fake.program), 0);
	behave("serve");
	UNTIL(is_running, 5000);
}

static void stopping_ends_the_children_too(void **state)
{
	int64_t pid;

	(void)state;
	behave("orphans");
	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
	pid = sip_manager_pid(mgr);
	sip_manager_want(mgr, false);
	UNTIL(is_stopped, 3000);
	assert_int_equal(process_leftovers((pid_t)pid, fake.program), 0);
}

static void a_server_that_ignores_sigterm_is_killed_after_five_seconds(void **state)
{
	int64_t pid, began;

	(void)state;
	behave("stubborn");
	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
	pid = sip_manager_pid(mgr);
	began = loop_now_ms();
	sip_manager_want(mgr, false);
	UNTIL(is_stopped, 8000);
	assert_in_range(loop_now_ms() - began, 4900, 6500);
	assert_false(alive(pid));
}

static bool is_checking(void)
{
	return mgr->phase == PHASE_CHECKING;
}

static bool is_coming_up(void)
{
	return mgr->phase == PHASE_KNOCKING || mgr->phase == PHASE_ASKING;
}

static void stopping_works_in_every_phase(void **state)
{
	(void)state;
	behave("hang-check");
	sip_manager_want(mgr, true);
	UNTIL(is_checking, 1000);
	sip_manager_want(mgr, false);
	UNTIL(is_stopped, 1000);
	behave("mute");
	sip_manager_want(mgr, true);
	UNTIL(is_coming_up, 2000);
	sip_manager_want(mgr, false);
	UNTIL(is_stopped, 1000);
	behave("exit");
	sip_manager_want(mgr, true);
	UNTIL(is_failed, 2000);
	sip_manager_want(mgr, false);
	UNTIL(is_stopped, 1000);
	assert_int_equal(fake.opens, fake.closes);
}

static void wanting_again_while_it_stops_starts_it_again(void **state)
{
	int64_t pid;

	(void)state;
	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
	pid = sip_manager_pid(mgr);
	sip_manager_want(mgr, false);
	sip_manager_want(mgr, true);
	UNTIL(is_coming_up, 3000);
	UNTIL(is_running, 5000);
	assert_int_not_equal(sip_manager_pid(mgr), pid);
	assert_false(alive(pid));
}

static void no_installed_server_fails_with_the_remedy(void **state)
{
	(void)state;
	sip->driver = NULL;
	sip_manager_want(mgr, true);
	UNTIL(is_failed, 1000);
	assert_non_null(strstr(sip_manager_message(mgr), "install"));
	sip_manager_want(mgr, false);
	UNTIL(is_stopped, 1000);
	sip->driver = &fake_driver;
}

static void check_reports_parser_and_ports_and_starts_nothing(void **state)
{
	struct buf report = BUF_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	int fd;

	(void)state;
	assert_int_equal(sip_check(&test_env, sip, &report, &err), NXV_OK);
	assert_non_null(strstr(report.data, "accepted"));
	assert_non_null(strstr(report.data, "ports: free"));
	assert_null(folder_read("sip/check.cfg"));
	assert_null(folder_read("sip/birth"));
	buf_free(&report);
	fd = fake_bind(sip->set.listen, SOCK_STREAM);
	assert_int_equal(sip_check(&test_env, sip, &report, &err), NXV_E_CONFLICT);
	assert_string_equal(err.code, "port_in_use");
	assert_string_equal(err.field, "sip.listen");
	buf_free(&report);
	close(fd);
	behave("refuse");
	assert_int_equal(sip_check(&test_env, sip, &report, &err), NXV_E_INVALID);
	assert_non_null(strstr(err.message, "parse error in line 7"));
	buf_free(&report);
}

/* The last heartbeat that may be missed, without waiting a minute for it. */
static void miss_the_last_beat(void)
{
	fake.ready = NXV_E_TIMEOUT;
	mgr->misses = MANAGER_MISSES_MAX - 1;
	manager_phase(mgr, PHASE_UP, 1);
}

static void a_server_that_hangs_is_replaced(void **state)
{
	int64_t pid;

	(void)state;
	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
	pid = sip_manager_pid(mgr);
	miss_the_last_beat();
	UNTIL(is_backoff, 3000);
	assert_non_null(strstr(sip_manager_message(mgr), "no longer answers"));
	assert_false(alive(pid));
	fake.ready = NXV_OK;
	UNTIL(is_running, 5000);
}

static bool has_missed(void)
{
	return mgr->misses > 0;
}

static void one_missed_heartbeat_is_forgiven(void **state)
{
	int64_t pid;

	(void)state;
	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
	pid = sip_manager_pid(mgr);
	fake.ready = NXV_E_TIMEOUT;
	manager_phase(mgr, PHASE_UP, 1);
	UNTIL(has_missed, 1000);
	fake.ready = NXV_OK;
	manager_phase(mgr, PHASE_UP, 1);
	assert_false(until(is_backoff, 100));
	assert_int_equal(mgr->misses, 0);
	assert_int_equal(sip_manager_pid(mgr), pid);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, manager_setup, manager_teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_wanted_server_runs_and_an_unwanted_one_ends),
		CASE(the_server_inherits_nothing_of_its_host),
		CASE(a_server_that_exits_is_quoted_without_its_secret),
		CASE(a_refused_configuration_is_not_started),
		CASE(a_taken_port_is_named_with_its_option_and_retried),
		CASE(a_server_that_answers_nowhere_is_ended_and_said_so),
		CASE(an_answering_listener_is_not_enough_when_control_is_silent),
		CASE(a_crashed_server_is_started_again),
		CASE(repeated_crashes_wait_longer_each_time),
		cmocka_unit_test(pauses_double_from_one_second_to_sixty),
		CASE(being_asked_again_ends_the_pause),
		CASE(children_that_survive_their_main_process_are_ended),
		CASE(stopping_ends_the_children_too),
		CASE(a_server_that_ignores_sigterm_is_killed_after_five_seconds),
		CASE(stopping_works_in_every_phase),
		CASE(wanting_again_while_it_stops_starts_it_again),
		CASE(a_server_that_hangs_is_replaced),
		CASE(one_missed_heartbeat_is_forgiven),
		CASE(no_installed_server_fails_with_the_remedy),
		CASE(check_reports_parser_and_ports_and_starts_nothing),
	};

	if (argc > 1)
		return fake_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
