/* test_nexusd_sandbox.c - nexusd --sandbox: the child is there, says so, comes back when it dies, and goes when nexusd does. */
#include "nexusd.h"

#include <dirent.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 15000 };

static int prepare(void **state)
{
	static const char *const settings[] = { "trunk.host=127.0.0.9", "trunk.username=u", "calls.allow=+34", NULL };

	(void)state;
	if (!gateway_prepare(&nexusd, "auto", settings))
		return -1;
	nexusd.arg = "--sandbox";
	return gateway_run(&nexusd) ? 0 : -1;
}

/* Its child, whichever thread made it; 0: none. */
static pid_t child_of(pid_t parent)
{
	struct dirent *entry;
	pid_t child = 0;
	char path[300];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)parent);
	tasks = opendir(path);
	while (tasks && !child && (entry = readdir(tasks))) {
		char *list;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/children", (int)parent, entry->d_name);
		list = entry->d_name[0] == '.' ? NULL : proc_read_file(path);
		child = list ? (pid_t)strtol(list, NULL, 10) : 0;
		free(list);
	}
	if (tasks)
		closedir(tasks);
	return child;
}

/* Dead, reaped or not: it may be ours to reap by now. */
static bool is_dead(pid_t pid)
{
	char path[64], *stat, *state;
	bool dead;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	stat = proc_read_file(path);
	state = stat ? strrchr(stat, ')') : NULL;
	dead = !state || state[2] == 'Z';
	free(stat);
	return dead;
}

static bool gone(pid_t pid)
{
	for (int64_t until = now_ms() + WAIT_MS; now_ms() < until; nap_ms(20))
		if (is_dead(pid))
			return true;
	return false;
}

static void health_and_log_say_that_no_call_is_real(void **state)
{
	struct http_reply *reply = ask("GET", "/api/v1/opensips/health", nexusd.admin_key, NULL);
	char *log = proc_output(nexusd.nexusd);

	(void)state;
	assert_int_equal(reply->status, 200);
	assert_true(json_true(reply->json, "sandbox"));
	assert_int_equal(strncmp(json_text(reply->json, "twilioUrl"), "http://127.0.0.1:", 17), 0);
	assert_int_equal(gateway_ctl(&nexusd, "sip status"), 0);
	assert_int_equal(strncmp(json_text(gateway_ctl_json(), "twilioUrl"), "http://127.0.0.1:", 17), 0);
	assert_non_null(strstr(log, "no real calls"));
	assert_null(strstr(log, "NEXUS_SANDBOX_AUTH_TOKEN"));
	free(log);
}

/* The sandbox lets any number be called: a trunk that is configured would carry it. */
static void the_real_trunk_is_out_of_reach(void **state)
{
	struct user alice;
	struct told call;

	(void)state;
	assert_true(user_make(&nexusd, "alice", &alice));
	assert_int_equal(api_initiate(&nexusd, &alice, "+12125550100", &call), 422);
	assert_non_null(strstr(ask("POST", "/api/v1/opensips/call/initiate", alice.key,
		"{\"fromNumber\":\"+15550001111\",\"toNumber\":\"+12125550100\",\"useTwilio\":false}")->body, "\"no_trunk\""));
}

static void nexusctl_finds_it(void **state)
{
	(void)state;
	assert_int_equal(gateway_ctl(&nexusd, "twilio check"), 0);
	assert_non_null(strstr(gateway_ctl_out(), "takes the account's token"));
	assert_non_null(strstr(gateway_ctl_out(), "is nexus-sandbox, not Twilio"));
	assert_int_not_equal(gateway_ctl(&nexusd, "call start --user alice --from +15550001111 --to +9991001 --twilio"), 0);
	assert_null(strstr(gateway_ctl_err(), "no Twilio account"));
	if (!strstr(gateway_ctl_err(), "SIP server")) /* which was not started */
		fail_msg("%s", gateway_ctl_err());
}

static void no_secret_is_on_its_command_line(void **state)
{
	char path[64], token[64] = "", *text, *found;
	pid_t child = child_of(proc_pid(nexusd.nexusd));
	FILE *file;
	size_t len;

	(void)state;
	assert_true(child > 0);
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)child);
	file = fopen(path, "r");
	text = calloc(1, 65536);
	assert_true(file && text);
	len = fread(text, 1, 65535, file);
	fclose(file);
	for (size_t i = 0; i < len; i++)
		text[i] = text[i] ? text[i] : '\n';
	found = strstr(text, "NEXUS_SANDBOX_AUTH_TOKEN=");
	assert_non_null(found);
	snprintf(token, sizeof(token), "%.*s", (int)strcspn(found + 25, "\n"), found + 25);
	assert_int_equal(strlen(token), 32);
	free(text);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%d/cmdline", i ? (int)child : (int)proc_pid(nexusd.nexusd));
		file = fopen(path, "r");
		text = calloc(1, 8192);
		assert_true(file && text);
		len = fread(text, 1, 8191, file);
		fclose(file);
		for (size_t k = 0; k < len; k++)
			text[k] = text[k] ? text[k] : ' ';
		assert_null(strstr(text, token));
		free(text);
	}
}

static void killed_it_is_started_again(void **state)
{
	pid_t first = child_of(proc_pid(nexusd.nexusd)), second = 0;

	(void)state;
	assert_true(first > 0);
	kill(first, SIGKILL);
	for (int64_t until = now_ms() + WAIT_MS; now_ms() < until && (second == 0 || second == first); nap_ms(20))
		second = child_of(proc_pid(nexusd.nexusd));
	assert_true(second > 0 && second != first);
	assert_true(proc_wait_output(nexusd.nexusd, "serves again", WAIT_MS));
}

static void it_ends_with_nexusd_however_that_ends(void **state)
{
	pid_t child = child_of(proc_pid(nexusd.nexusd));

	(void)state;
	assert_true(child > 0);
	proc_signal(nexusd.nexusd, SIGKILL);
	assert_true(gone(child));
	gateway_stop(&nexusd);
	assert_int_equal(gateway_ctl(&nexusd, "twilio check"), 5); /* what it left behind is nothing */
	assert_non_null(strstr(gateway_ctl_err(), "no Twilio account"));
	assert_true(gateway_run(&nexusd));
	child = child_of(proc_pid(nexusd.nexusd));
	assert_true(child > 0);
	assert_int_equal(gateway_stop(&nexusd), 0);
	assert_true(gone(child));
	assert_true(gateway_run(&nexusd)); /* for the tear-down */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(health_and_log_say_that_no_call_is_real),
		cmocka_unit_test(the_real_trunk_is_out_of_reach),
		cmocka_unit_test(nexusctl_finds_it),
		cmocka_unit_test(no_secret_is_on_its_command_line),
		cmocka_unit_test(killed_it_is_started_again),
		cmocka_unit_test(it_ends_with_nexusd_however_that_ends),
	};

	proc_guard(100);
	return cmocka_run_group_tests(tests, prepare, nexusd_teardown);
}
