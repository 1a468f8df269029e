/* test_manager_adopt.c - a server that outlives its manager: adopted, restarted when its configuration changed, and
 * never confused with a stranger that has its pid. Also two managers at once, and external mode. */
#include "fake_server.h"

#include "sip/manager_alone.h"
#include "sip/manager_log.h"

static int64_t start_and_leave(void)
{
	int64_t pid;

	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
	pid = sip_manager_pid(mgr);
	sip_manager_close(mgr);
	assert_true(alive(pid));
	manager_make(FAKE_READY_MS);
	return pid;
}

static void our_running_server_is_adopted_as_it_is(void **state)
{
	int64_t pid = start_and_leave();

	(void)state;
	assert_int_equal(sip_manager_state(mgr), NXV_SIP_STOPPED);
	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
	assert_int_equal(sip_manager_pid(mgr), pid);
	assert_string_equal(history, "starting running ");
	kill((pid_t)pid, SIGKILL); /* its end is noticed, child or not */
	UNTIL(is_backoff, 2000);
	UNTIL(is_running, 5000);
	assert_int_not_equal(sip_manager_pid(mgr), pid);
}

/* Started by a process that is gone: not our child. */
static void a_server_of_another_process_is_adopted_and_stopped(void **state)
{
	struct server_record rec;
	pid_t child;
	int status;

	(void)state;
	sip_manager_close(mgr); /* a loop must not cross fork() */
	loop_close(loop);
	child = fork();
	if (child == 0) {
		status = manager_alone_want(&test_env, sip, true, NULL);
		_exit(status == NXV_OK ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(loop_open(&loop, NULL), NXV_OK);
	manager_make(FAKE_READY_MS);
	assert_true(record_load(sip->set.run_dir, &rec));
	assert_true(record_running(&rec));
	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
	assert_int_equal(sip_manager_pid(mgr), rec.pid);
	sip_manager_want(mgr, false);
	UNTIL(is_stopped, 3000);
	assert_false(record_running(&rec));
}

static void not_wanted_ends_a_server_that_nobody_supervised(void **state)
{
	int64_t pid = start_and_leave();

	(void)state;
	sip_manager_want(mgr, false);
	UNTIL(is_stopped, 3000);
	assert_false(alive(pid));
}

static void a_changed_configuration_restarts_it(void **state)
{
	int64_t pid = start_and_leave();

	(void)state;
	fake.flavour = "other";
	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
	assert_int_not_equal(sip_manager_pid(mgr), pid);
	assert_false(alive(pid));
	fake.flavour = "plain";
}

static void an_adopted_server_that_does_not_answer_is_replaced(void **state)
{
	int64_t pid = start_and_leave();

	(void)state;
	kill((pid_t)pid, SIGSTOP);
	sip_manager_want(mgr, true);
	UNTIL(is_failed, 8000);
	assert_non_null(strstr(sip_manager_message(mgr), "does not become ready"));
	UNTIL(is_running, 5000);
	assert_int_not_equal(sip_manager_pid(mgr), pid);
	assert_false(alive(pid));
}

/* A stranger in a session of its own, as the target of a wrong pid file. */
static pid_t stranger(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		pause();
		_exit(0);
	}
	for (int i = 0; i < 100 && getsid(pid) != pid; i++)
		usleep(1000);
	return pid;
}

static void write_record(const char *change, pid_t pid)
{
	struct server_record rec;

	assert_int_equal(record_of(pid, "fake", "digest", &rec, NULL), NXV_OK);
	if (strcmp(change, "start") == 0)
		rec.start -= 500;
	if (strcmp(change, "boot") == 0)
		text_copy(rec.boot, sizeof(rec.boot), "another run of the kernel");
	assert_int_equal(record_save(sip->set.run_dir, &rec, NULL), NXV_OK);
}

static void a_stale_pid_file_never_harms_the_process_that_has_the_pid_now(void **state)
{
	static const char *const changes[] = { "start", "boot" };
	pid_t pid = stranger();

	(void)state;
	for (int i = 0; i < 2; i++) {
		write_record(changes[i], pid);
		sip_manager_want(mgr, true);
		UNTIL(is_running, 5000);
		assert_int_not_equal(sip_manager_pid(mgr), pid);
		sip_manager_want(mgr, false);
		UNTIL(is_stopped, 3000);
		write_record(changes[i], pid);
		sip_manager_want(mgr, false);
		UNTIL(is_stopped, 3000);
		assert_true(alive(pid));
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void a_pid_file_of_rubbish_is_ignored(void **state)
{
	static const char *const texts[] = { "", "12345", "pid=1\nstart=1\n", "pid=-1\nstart=5\n", "pid=99999999999999999999\nstart=1\n",
		"pid=0\nstart=0\n" };
	struct server_record rec;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		folder_write("sip/server.pid", texts[i]);
		assert_false(record_load(sip->set.run_dir, &rec) && record_running(&rec));
	}
	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
}

static void children_of_a_main_that_died_unwatched_make_way(void **state)
{
	int64_t pid;

	(void)state;
	behave("orphans");
	pid = start_and_leave();
	kill((pid_t)pid, SIGKILL);
	waitpid((pid_t)pid, NULL, 0);
	assert_int_equal(process_leftovers((pid_t)pid, fake.program), 1);
	behave("serve");
	sip_manager_want(mgr, true);
	UNTIL(is_running, 5000);
	assert_string_equal(history, "starting running ");
	assert_int_equal(process_leftovers((pid_t)pid, fake.program), 0);
}

static void a_second_manager_waits_for_the_first(void **state)
{
	int lock;

	(void)state;
	assert_int_equal(record_lock(sip->set.run_dir, &lock, NULL), NXV_OK);
	sip_manager_want(mgr, true);
	assert_false(until(is_running, 700));
	assert_int_equal(sip_manager_state(mgr), NXV_SIP_STARTING);
	assert_non_null(strstr(sip_manager_message(mgr), "another process"));
	assert_null(folder_read("sip/birth"));
	close(lock);
	UNTIL(is_running, 5000);
}

static void an_external_server_is_watched_but_never_started_or_stopped(void **state)
{
	const char *argv[4];
	pid_t pid;

	(void)state;
	sip->external = true;
	sip_manager_want(mgr, true);
	UNTIL(is_failed, 5000);
	assert_string_equal(history, "starting failed ");
	folder_write("sip/external.cfg", "");
	{
		char config[128], text[128];
		snprintf(config, sizeof(config), "%s/sip/external.cfg", folder);
		snprintf(text, sizeof(text), "listen=%s\n", sip->set.listen);
		folder_write("sip/external.cfg", text);
		fake_argv(&sip->set, config, false, argv);
		assert_int_equal(process_spawn(fake.program, argv, sip->set.run_dir, 2, &pid, NULL), NXV_OK);
	}
	UNTIL(is_running, 8000);
	assert_int_equal(sip_manager_pid(mgr), 0);
	sip_manager_want(mgr, false);
	UNTIL(is_stopped, 1000);
	assert_true(alive(pid));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	sip->external = false;
}

static void without_an_engine_it_is_started_found_and_stopped(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct server_record rec;

	(void)state;
	sip_manager_close(mgr);
	loop_close(loop);
	assert_int_equal(manager_alone_want(&test_env, sip, true, &err), NXV_OK);
	assert_true(record_load(sip->set.run_dir, &rec));
	assert_true(record_running(&rec));
	assert_int_equal(manager_alone_want(&test_env, sip, true, &err), NXV_OK); /* idempotent */
	assert_true(record_running(&rec));
	assert_int_equal(manager_alone_want(&test_env, sip, false, &err), NXV_OK);
	assert_false(record_running(&rec));
	assert_int_equal(manager_alone_want(&test_env, sip, false, &err), NXV_OK);
	behave("exit");
	assert_int_equal(manager_alone_want(&test_env, sip, true, &err), NXV_E_UNREACHABLE);
	assert_non_null(strstr(err.message, "no such table"));
	assert_int_equal(loop_open(&loop, NULL), NXV_OK);
	manager_make(FAKE_READY_MS);
}

static void an_overgrown_log_is_cut_and_its_end_kept(void **state)
{
	char path[64], *text;
	static char mib[1 << 20];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/sip/server.log", folder);
	file = fopen(path, "w");
	memset(mib, 'x', sizeof(mib));
	for (int i = 0; i < 9; i++)
		fwrite(mib, 1, sizeof(mib), file);
	fputs("last line", file);
	fclose(file);
	server_log_trim(sip->set.run_dir);
	text = folder_read("sip/server.log");
	assert_string_equal(text, "");
	free(text);
	snprintf(path, sizeof(path), "%s/sip/server.log.1", folder);
	file = fopen(path, "r");
	fseek(file, -9, SEEK_END);
	assert_int_equal(fread(mib, 1, 9, file), 9);
	assert_memory_equal(mib, "last line", 9);
	assert_true(ftell(file) <= 256 * 1024);
	fclose(file);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, manager_setup, manager_teardown)
	const struct CMUnitTest tests[] = {
		CASE(our_running_server_is_adopted_as_it_is),
		CASE(a_server_of_another_process_is_adopted_and_stopped),
		CASE(not_wanted_ends_a_server_that_nobody_supervised),
		CASE(a_changed_configuration_restarts_it),
		CASE(an_adopted_server_that_does_not_answer_is_replaced),
		CASE(a_stale_pid_file_never_harms_the_process_that_has_the_pid_now),
		CASE(a_pid_file_of_rubbish_is_ignored),
		CASE(children_of_a_main_that_died_unwatched_make_way),
		CASE(a_second_manager_waits_for_the_first),
		CASE(an_external_server_is_watched_but_never_started_or_stopped),
		CASE(without_an_engine_it_is_started_found_and_stopped),
		CASE(an_overgrown_log_is_cut_and_its_end_kept),
	};

	if (argc > 1)
		return fake_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
