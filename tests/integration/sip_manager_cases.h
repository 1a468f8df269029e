/* sip_manager_cases.h - the manager with a real SIP server, SERVER_NAME: started, adopted, crashed, in conflict, stopped.
 * Ports are drawn by the settings, everything stays on loopback. */
#ifndef TESTS_SIP_MANAGER_CASES_H
#define TESTS_SIP_MANAGER_CASES_H

#include "../unit/sip/manager_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/text.h"

static char binary[256] = "sip.binary=";
static const char *const settings[] = { "sip.server=" SERVER_NAME, binary, "sip.listen=127.0.0.1:0", "sip.ws_listen=127.0.0.1:0",
	"sip.ws_origins=*", "sip.domain=sip.nexus.test", NULL };

/* The release asked for; "": the one installed. */
static const char *chosen(void)
{
	const char *path = getenv(strcmp(SERVER_NAME, "opensips") == 0 ? "NXV_TEST_OPENSIPS" : "NXV_TEST_KAMAILIO");

	return path ? path : "";
}

static int start(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct db *auth;

	if (folder_make(state))
		return 1;
	snprintf(binary, sizeof(binary), "sip.binary=%s", chosen());
	if (setup_load(settings, &sip, &err) != NXV_OK)
		fail_msg("%s", err.message);
	assert_int_equal(subscriber_open(&test_env, sip->set.auth_db, &auth, &err), NXV_OK);
	db_close(auth);
	assert_int_equal(loop_open(&loop, &err), NXV_OK);
	manager_make(0);
	return 0;
}

static int stop(void **state)
{
	bool ended;

	sip_manager_want(mgr, false);
	ended = until(is_stopped, 10000);
	sip_manager_close(mgr);
	loop_close(loop);
	sip_setup_free(sip);
	folder_remove(state);
	return ended ? 0 : 1;
}

static struct sip_status seen;
static bool answered;

static void on_status(void *arg, nxv_status status, const struct sip_status *out, const struct nxv_error *err)
{
	(void)arg;
	if (status != NXV_OK)
		fail_msg("%s", err->message);
	seen = *out;
	answered = true;
}

static bool has_answered(void)
{
	return answered;
}

static void run_it(void)
{
	sip_manager_want(mgr, true);
	UNTIL(is_running, 20000);
}

static void it_starts_answers_control_and_stops_without_a_trace(void **state)
{
	int64_t pid, began = loop_now_ms();
	char exe[256];

	(void)state;
	run_it();
	print_message("running after %lld ms\n", (long long)(loop_now_ms() - began));
	pid = sip_manager_pid(mgr);
	text_copy(exe, sizeof(exe), mgr->rec.exe);
	assert_true(process_leftovers((pid_t)pid, exe) > 3);
	answered = false;
	sip_manager_server(mgr)->driver->status(sip_manager_server(mgr), on_status, NULL);
	UNTIL(has_answered, 5000);
	print_message(SERVER_NAME " %s, up %lld s\n", seen.version, (long long)seen.uptime_seconds);
	assert_true(seen.version[0] >= '1' && seen.version[0] <= '9');
	assert_int_equal(seen.active_dialogs, 0);
	assert_int_equal(seen.registrations, 0);
	began = loop_now_ms();
	sip_manager_want(mgr, false);
	UNTIL(is_stopped, 10000);
	print_message("stopped after %lld ms\n", (long long)(loop_now_ms() - began));
	assert_int_equal(process_leftovers((pid_t)pid, exe), 0);
	assert_string_equal(history, "starting running stopped ");
	assert_int_equal(probe_bind(sip->set.listen, SOCK_DGRAM), 0);
	assert_int_equal(probe_bind(sip->set.listen, SOCK_STREAM), 0);
	assert_int_equal(probe_bind(sip->set.ws_listen, SOCK_STREAM), 0);
}

static void the_configuration_and_what_it_holds_are_private(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct buf report = BUF_INIT;

	(void)state;
	if (sip_check(&test_env, sip, &report, &err) != NXV_OK)
		fail_msg("%s", err.message);
	print_message("%s", report.data);
	assert_non_null(strstr(report.data, "ports: free"));
	buf_free(&report);
	run_it();
	assert_int_equal(folder_mode("sip/" SERVER_NAME ".cfg"), 0600);
	assert_int_equal(folder_mode("sip"), 0700);
	assert_int_equal(folder_mode("sip/auth.db"), 0600);
	assert_int_equal(sip_check(&test_env, sip, &report, &err), NXV_OK);
	assert_non_null(strstr(report.data, "our own server"));
	buf_free(&report);
}

static void it_is_adopted_while_it_runs(void **state)
{
	int64_t pid;

	(void)state;
	run_it();
	pid = sip_manager_pid(mgr);
	sip_manager_close(mgr);
	assert_true(alive(pid));
	manager_make(0);
	run_it();
	assert_int_equal(sip_manager_pid(mgr), pid);
	sip_manager_close(mgr);
	manager_make(0); /* stop() ends one that was never adopted */
}

static void it_is_restarted_when_its_settings_changed(void **state)
{
	int64_t pid;

	(void)state;
	run_it();
	pid = sip_manager_pid(mgr);
	sip_manager_close(mgr);
	sip->set.max_call_seconds = 7;
	sip->set.ring_seconds = 60;
	manager_make(0);
	run_it();
	assert_int_not_equal(sip_manager_pid(mgr), pid);
	assert_false(alive(pid));
}

/* A process of the server other than its main one. */
static pid_t any_worker(pid_t main_pid)
{
	struct process_stat st;

	for (pid_t pid = main_pid + 1; pid < main_pid + 64; pid++)
		if (process_stat(pid, &st) && st.session == main_pid && st.state != 'Z')
			return pid;
	return 0;
}

static void a_killed_worker_brings_it_back(void **state)
{
	int64_t pid;
	pid_t worker;

	(void)state;
	run_it();
	pid = sip_manager_pid(mgr);
	worker = any_worker((pid_t)pid);
	assert_true(worker > 0);
	kill(worker, SIGKILL);
	UNTIL(is_backoff, 10000);
	print_message("%s\n", sip_manager_message(mgr));
	UNTIL(is_running, 20000);
	assert_int_not_equal(sip_manager_pid(mgr), pid);
}

static void a_killed_main_process_leaves_no_orphans_and_comes_back(void **state)
{
	int64_t pid;

	(void)state;
	run_it();
	pid = sip_manager_pid(mgr);
	kill((pid_t)pid, SIGKILL);
	UNTIL(is_backoff, 5000);
	for (int i = 0; i < 200 && any_worker((pid_t)pid); i++)
		usleep(10000); /* killed, but not gone in the same instant */
	assert_int_equal(any_worker((pid_t)pid), 0);
	UNTIL(is_running, 20000);
}

static void a_taken_port_is_found_before_it_starts(void **state)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int fd;

	(void)state;
	assert_true(probe_address(sip->set.listen, &sa, &len));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	sip_manager_want(mgr, true);
	UNTIL(is_failed, 10000);
	print_message("%s\n", sip_manager_message(mgr));
	assert_non_null(strstr(sip_manager_message(mgr), "sip.listen"));
	close(fd);
	UNTIL(is_running, 20000);
}

static void a_broken_database_is_told_and_nothing_is_started(void **state)
{
	(void)state;
	folder_write("sip/auth.db", "this is no database at all, and long enough to be seen as such");
	sip_manager_want(mgr, true);
	if (until(is_failed, 30000)) {
		print_message("%s\n", sip_manager_message(mgr));
		assert_non_null(strstr(sip_manager_message(mgr), "auth.db"));
		assert_int_equal(sip_manager_pid(mgr), 0);
		assert_null(strstr(sip_manager_message(mgr), sip->set.secret));
	} else {
		fail_msg("it runs without its users");
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		CASE(it_starts_answers_control_and_stops_without_a_trace),
		CASE(the_configuration_and_what_it_holds_are_private),
		CASE(it_is_adopted_while_it_runs),
		CASE(it_is_restarted_when_its_settings_changed),
		CASE(a_killed_worker_brings_it_back),
		CASE(a_killed_main_process_leaves_no_orphans_and_comes_back),
		CASE(a_taken_port_is_found_before_it_starts),
		CASE(a_broken_database_is_told_and_nothing_is_started),
	};
	char path[256];

	if (!sip_driver_find(SERVER_NAME, chosen(), path, sizeof(path))) {
		printf("SKIPPED: " SERVER_NAME " is not installed\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
