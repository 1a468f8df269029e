/* test_truth.c - `test_truth SERVER [ROWS]` plays the table of endings, each group of rows with a gateway of its own and all
 * groups at the same time, and prints the matrix of what the API said and whether it was so. */
#include "truth.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 150, LINE_MAX_BYTES = 512 };

static const char *server, *filter;
static char release[64]; /* of the server, as health tells it */

static const char *const settings[TRUTH_GROUPS][8] = {
	[IN_CALLS] = { "calls.ring_seconds=3", "limits.calls_per_user=1", NULL },
	[IN_ENDINGS] = { "calls.ring_seconds=12", "limits.calls_per_user=1", NULL },
	[IN_LIMITS] = { "limits.max_call_seconds=4", "limits.calls_per_user=1", "trunk.host=127.0.0.2", "calls.allow=+1555",
		"calls.caller_ids=+15550001111", NULL }, /* telephone calls could be made, if they were not frozen */
};

static bool wanted(const struct truth_row *row)
{
	return !filter || fnmatch(filter, row->name, 0) == 0;
}

static bool group_wanted(enum truth_group group)
{
	bool any = false;
	for (size_t i = 0; i < truth_row_count; i++) {
		any = any || (truth_rows[i].group == group && wanted(&truth_rows[i]));
	}
	return any;
}

/* What went wrong, for a reader: the wire and nexusd's words. */
static void show(const struct stage *s)
{
	char path[128];
	fprintf(stderr, "==== %s on %s: %s\n", s->row->name, server, s->problem);
	fprintf(stderr, "call %s started %lld ringing %lld answered %lld ended %lld\n", s->id, (long long)s->call.started_ms,
		(long long)s->call.ringing_ms, (long long)s->call.answered_ms, (long long)s->call.ended_ms);
	for (const char *leg = "ab"; *leg && !s->dialled[0]; leg++) {
		snprintf(path, sizeof(path), "%s-%c", s->id, *leg);
		capture_dump(s->wire, path, stderr);
	}
	if (s->dialled[0]) {
		capture_dump(s->wire, s->dialled, stderr);
	}
	char *text = proc_read_file(gw.nexusd_log), *save = NULL;
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		if (!strstr(line, "module=access")) {
			fprintf(stderr, "%s\n", line);
		}
	}
	free(text);
}

static void play(const struct truth_row *row, size_t number, struct capture *wire, int out)
{
	struct stage s = { .row = row, .wire = wire };
	char names[2][32], line[LINE_MAX_BYTES];
	snprintf(names[0], sizeof(names[0]), "caller-%zu", number);
	snprintf(names[1], sizeof(names[1]), "callee-%zu", number);
	bool ok = user_make(&gw, names[0], &s.a) && user_make(&gw, names[1], &s.b) && user_register(&gw, lab, &s.a, 0) && user_register(&gw, lab, &s.b, 0);
	if (!ok) {
		truth_problem(&s, "its users cannot be made");
	} else {
		phone_script(s.a.phone, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 150 });
		phone_script(s.b.phone, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 150 });
		ok = row->play(&s) && truth_judge(&s);
	}
	if (!ok) {
		show(&s);
		struct user admin = s.a;
		snprintf(admin.key, sizeof(admin.key), "%s", gw.admin_key);
		api_end(&gw, &admin, s.id[0] ? s.id : "none"); /* the next row begins without it */
	}
	snprintf(line, sizeof(line), "%s\t%s\t%s\t%s\t%d\t%lld\t%lld\t%s\n", row->name, server, s.call.status[0] ? s.call.status : "-",
		s.call.reason[0] ? s.call.reason : "-", s.call.sip_code > 0 ? s.call.sip_code : 0, (long long)s.worst_ms, (long long)s.slots, ok ? "ok" : s.problem);
	ssize_t n = write(out, line, strlen(line));
	(void)n;
	phone_free(s.extra);
	phone_free(s.a.phone);
	phone_free(s.b.phone);
}

/* The first line of a group: no row has this name. */
static void tell_release(int out)
{
	struct http_reply *health = gateway_http(&gw, "GET", "/api/v1/opensips/health", gw.admin_key, NULL);
	char line[LINE_MAX_BYTES];
	snprintf(line, sizeof(line), "release\t%s\n", json_text(health->json, "version"));
	ssize_t n = write(out, line, strlen(line));
	(void)n;
}

/* In a process of its own. */
static int play_group(enum truth_group group, int out)
{
	proc_guard(SECONDS);
	lab = lab_open();
	unsigned port = 0;
	bool up = lab && gateway_start(&gw, server, settings[group]) && sscanf(strrchr(gw.sip, ':'), ":%u", &port) == 1;
	struct capture *wire = up ? capture_open(&port, 1) : NULL;
	if (up) {
		tell_release(out);
	}
	for (size_t i = 0; wire && i < truth_row_count; i++) {
		if (truth_rows[i].group == group && wanted(&truth_rows[i])) {
			play(&truth_rows[i], i, wire, out);
		}
	}
	bool clean = gw.nexusd && gateway_stop(&gw) == 0 && lab_nexus_headers(lab) == 0;
	capture_close(wire);
	lab_close(lab);
	gateway_close(&gw);
	if (!clean) {
		fprintf(stderr, "group %d: nexusd did not end cleanly, or an X-Nexus header reached a phone\n", (int)group);
	}
	return wire && clean ? 0 : 1;
}

/* Every row's line, kept in the order of the table. */
static void take_line(char lines[][LINE_MAX_BYTES], const char *line, size_t len)
{
	if (strncmp(line, "release\t", 8) == 0) {
		snprintf(release, sizeof(release), "%.*s", (int)strcspn(line + 8, "\n"), line + 8);
		return;
	}
	for (size_t i = 0; i < truth_row_count; i++) {
		size_t n = strlen(truth_rows[i].name);
		if (len > n && strncmp(line, truth_rows[i].name, n) == 0 && line[n] == '\t') {
			snprintf(lines[i], LINE_MAX_BYTES, "%.*s", (int)len, line);
		}
	}
}

/* One line of the matrix. @return its largest error of a time. */
static long print_line(const char *line)
{
	char copy[LINE_MAX_BYTES], *field[8], *save = NULL;
	size_t n = 0;
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *f = strtok_r(copy, "\t\n", &save); f && n < 8; f = strtok_r(NULL, "\t\n", &save)) {
		field[n++] = f;
	}
	if (n == 8) {
		printf("%-32s %-9s %-10s %-21s %4s %5s %5s  %s\n", field[0], field[1], field[2], field[3], field[4], field[5], field[6], field[7]);
	}
	return n == 8 ? strtol(field[5], NULL, 10) : 0;
}

static int matrix(char lines[][LINE_MAX_BYTES])
{
	int bad = 0, rows = 0;
	long worst = 0;
	printf("%s %s: what the API says of every ending, held against the wire\n", server, release[0] ? release : "of no known release");
	print_line("ending\tserver\tstatus\treason\tcode\tms\tslots\tverdict");
	for (size_t i = 0; i < truth_row_count; i++) {
		if (!wanted(&truth_rows[i])) {
			continue;
		}
		rows++;
		bad += !strstr(lines[i], "\tok\n");
		if (lines[i][0]) {
			long ms = print_line(lines[i]);
			worst = ms > worst ? ms : worst;
		} else {
			printf("%-32s %-9s was not played\n", truth_rows[i].name, server);
		}
	}
	printf("%d rows, %d not as it was; ms: largest error of ringing, answered and ended time against the wire, worst %ld\n", rows, bad, worst);
	return rows == 0 || bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	static char lines[64][LINE_MAX_BYTES];
	int status = 0, pipes[2];
	server = argc > 1 ? argv[1] : "";
	filter = argc > 2 && argv[2][0] ? argv[2] : NULL;
	if (strcmp(server, "opensips") != 0 && strcmp(server, "kamailio") != 0) {
		fprintf(stderr, "usage: %s opensips|kamailio [ROWS]\n", argv[0]);
		return 2;
	}
	if (!proc_installed(server) || !capture_possible()) {
		printf("SKIPPED: %s\n", proc_installed(server) ? "capturing needs CAP_NET_RAW (root)" : server);
		return 77;
	}
	if (truth_row_count > 64 || pipe2(pipes, O_CLOEXEC) != 0) {
		return 1;
	}
	fflush(NULL);
	for (enum truth_group group = 0; group < TRUTH_GROUPS; group++) {
		if (group_wanted(group) && fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			close(pipes[0]);
			exit(play_group(group, pipes[1]));
		}
	}
	close(pipes[1]);
	FILE *in = fdopen(pipes[0], "r");
	char line[LINE_MAX_BYTES];
	while (in && fgets(line, sizeof(line), in)) {
		take_line(lines, line, strlen(line));
	}
	for (int ended; wait(&ended) > 0;) {
		status = ended != 0 ? 1 : status;
	}
	return matrix(lines) || status;
}
