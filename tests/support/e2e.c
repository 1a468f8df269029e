/* e2e.c - runs the cases of an end-to-end test program; at the end nexusd must stop cleanly and nothing may be left. */
#include "e2e.h"

#include <stdio.h>

struct gateway gw;
struct lab *lab;
static const struct e2e_suite *suite;
static const char *server;
static bool finished;

void e2e_run(void **state)
{
	const struct e2e_case *one = *state;
	finished = false;
	one->run();
	finished = true;
}

/* nexusd's last words, without its line for every request. */
static void show_log(void)
{
	char *text = proc_read_file(gw.nexusd_log), *save = NULL;
	size_t len = text ? strlen(text) : 0, skip = len > 60000 ? len - 60000 : 0;
	fprintf(stderr, "==== nexusd\n");
	for (char *line = text ? strtok_r(text + skip, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		if (!strstr(line, "module=access")) {
			fprintf(stderr, "%s\n", line);
		}
	}
	free(text);
}

int e2e_after(void **state)
{
	(void)state;
	if (!finished) {
		fprintf(stderr, "==== what the phones saw\n");
		lab_dump(lab, stderr);
		show_log();
	}
	return 0;
}

static int setup(void **state)
{
	(void)state;
	lab = lab_open();
	if (!lab) {
		return -1;
	}
	if (suite->bare) {
		return 0;
	}
	if (gateway_start(&gw, server, suite->settings)) {
		struct http_reply *health = gateway_http(&gw, "GET", "/api/v1/opensips/health", gw.admin_key, NULL);
		printf("%s %s\n", server, json_text(health->json, "version"));
		if (!suite->setup || suite->setup()) {
			return 0;
		}
	}
	lab_dump(lab, stderr);
	show_log();
	return -1;
}

static int teardown(void **state)
{
	(void)state;
	int failed = 0;
	if (!suite->bare && gw.nexusd) {
		int status = gateway_stop(&gw);
		if (status != 0) {
			fprintf(stderr, "nexusd ended with status %d on SIGTERM\n", status);
			show_log();
			failed = 1;
		}
	}
	if (lab && lab_nexus_headers(lab) != 0) {
		fprintf(stderr, "%u messages with X-Nexus headers reached a phone\n", lab_nexus_headers(lab));
		failed = 1;
	}
	lab_close(lab);
	gateway_close(&gw);
	return failed ? -1 : 0;
}

int e2e_main(int argc, char **argv, const struct e2e_suite *what)
{
	char name[96];
	suite = what;
	server = argc > 1 ? argv[1] : "";
	if (strcmp(server, "opensips") != 0 && strcmp(server, "kamailio") != 0) {
		fprintf(stderr, "usage: %s opensips|kamailio [CASE]\n", argv[0]);
		return 2;
	}
	if (!proc_installed(server)) {
		printf("SKIPPED: %s is not installed\n", server);
		return 77;
	}
	if (argc > 2) {
		cmocka_set_test_filter(argv[2]);
	}
	proc_guard(suite->seconds);
	snprintf(name, sizeof(name), "%s on %s", suite->name, server);
	int failed = _cmocka_run_group_tests(name, suite->tests, suite->count, setup, teardown);
	return failed == 0 ? 0 : 1;
}
