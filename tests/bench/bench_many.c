/* bench_many.c - 500 calls at once between sipp endpoints, three rounds: set-up time, CPU a call; fails on a call that did not
 * go as scripted, a leaked slot, and growing memory or descriptors. */
#include "gateway.h"
#include "proc.h"
#include "sipp.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS = 500, PER_SECOND = 25, ROUNDS = 3, HOLD_MS = 3000, UP_MS = 20000, RSS_SLACK_KIB = 2048 };

static struct gateway gw;
static struct user alice, bob;
static unsigned port_a, port_b;

struct round {
	int failures;
	int64_t slots, cpu_ms, rss_kib, fds;
	int64_t setup_ms[CALLS];
	size_t answered;
};

static int64_t count_fds(pid_t pid)
{
	char path[64];
	int64_t n = 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n - 2;
}

static struct proc *endpoint(const char *scenario, unsigned port)
{
	char file[512], port_text[16], calls[16];
	snprintf(file, sizeof(file), "%s/%s.xml", SIPP_SCENARIOS, scenario);
	snprintf(port_text, sizeof(port_text), "%u", port);
	snprintf(calls, sizeof(calls), "%d", CALLS);
	const char *const argv[] = { "sipp", gw.sip, "-sf", file, "-i", "127.0.0.1", "-p", port_text, "-m", calls, "-l", "2000", "-nostdin",
		"-timeout", "120s", "-timeout_error", NULL };
	return proc_start(argv, NULL, NULL);
}

static bool register_at(const struct user *user, unsigned port)
{
	char *trace = NULL;
	const struct sipp_opts opts = { .scenario = "register_stay", .port = port, .server = gw.sip, .username = user->username,
		.password = user->password, .domain = gw.domain };
	int status = sipp_play(&opts, &trace);
	if (status != 0)
		fprintf(stderr, "sipp cannot register: %s\n", trace);
	free(trace);
	return status == 0;
}

/* Wait until so many calls are in a status. */
static int64_t wait_calls(const char *status, int want, int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms, count = -1;
	while (count != want && now_ms() < deadline) {
		struct nxv_session_list_opts opts = NXV_SESSION_LIST_OPTS_INIT;
		struct nxv_session_page *page = NULL;
		opts.status = status;
		opts.limit = 1000;
		if (nxv_session_list(gw.ctx, &opts, &page, NULL) == NXV_OK)
			count = (int64_t)page->count;
		nxv_session_page_free(page);
		nap_ms(count == want ? 0 : 50);
	}
	return count;
}

static int place_all(char (*ids)[96])
{
	int placed = 0;
	struct told call;
	int64_t start = now_ms();
	for (int i = 0; i < CALLS; i++) {
		int64_t due = start + (int64_t)i * 1000 / PER_SECOND, now = now_ms();
		nap_ms(due > now ? (int)(due - now) : 0);
		if (api_initiate(&gw, &alice, bob.username, &call) == 201)
			snprintf(ids[placed++], sizeof(ids[0]), "%s", call.id);
	}
	return placed;
}

static void read_setups(struct round *round, char (*ids)[96], int placed)
{
	for (int i = 0; i < placed; i++) {
		struct nxv_session *s = NULL;
		bool good = nxv_session_get(gw.ctx, ids[i], &s, NULL) == NXV_OK && s->status == NXV_CALL_COMPLETED && s->answered_at_ms;
		if (good)
			round->setup_ms[round->answered++] = s->answered_at_ms - s->started_at_ms;
		round->failures += !good;
		nxv_session_free(s);
	}
}

static void play_round(struct round *round)
{
	static char ids[CALLS][96];
	struct proc *a = endpoint("caller", port_a), *b = endpoint("callee", port_b);
	pid_t pid = proc_pid(gw.nexusd);
	nap_ms(500);
	*round = (struct round){ .cpu_ms = proc_cpu_ms(pid) };
	int placed = place_all(ids);
	round->failures = CALLS - placed + abs(placed - (int)wait_calls("in-progress", placed, UP_MS));
	nap_ms(HOLD_MS);
	for (int i = 0; i < placed; i++)
		api_end(&gw, &alice, ids[i]);
	read_setups(round, ids, placed);
	round->failures += (proc_wait(a, 20000) != 0) + (proc_wait(b, 20000) != 0);
	proc_stop(a, 0);
	proc_stop(b, 0);
	round->slots = slots_wait(&gw, "alice", 0, 5000);
	round->cpu_ms = proc_cpu_ms(pid) - round->cpu_ms;
	nap_ms(34000); /* dead legs stay for 32 s, to answer what is repeated */
	round->rss_kib = proc_rss_kib(pid);
	round->fds = count_fds(pid);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static bool play(void)
{
	static struct round rounds[ROUNDS];
	bool ok = true;
	for (int i = 0; i < ROUNDS; i++) {
		struct round *r = &rounds[i];
		play_round(r);
		qsort(r->setup_ms, r->answered, sizeof(r->setup_ms[0]), compare);
		printf("round %d: %d calls at once: %d failures, %" PRId64 " slots leaked; request to callee's answer p50 %" PRId64
			" ms, p99 %" PRId64 " ms; CPU %.2f ms a call; RSS %" PRId64 " KiB, %" PRId64 " descriptors\n", i + 1, CALLS,
			r->failures, r->slots, r->answered ? r->setup_ms[r->answered / 2] : -1,
			r->answered ? r->setup_ms[r->answered * 99 / 100] : -1, (double)r->cpu_ms / CALLS, r->rss_kib, r->fds);
		ok = ok && r->failures == 0 && r->slots == 0;
	}
	printf("%-44s %+" PRId64 " KiB, %+" PRId64 " descriptors\n", "growth from the second round to the third",
		rounds[2].rss_kib - rounds[1].rss_kib, rounds[2].fds - rounds[1].fds);
	return ok && rounds[2].rss_kib - rounds[1].rss_kib <= RSS_SLACK_KIB && rounds[2].fds <= rounds[1].fds;
}

int main(int argc, char **argv)
{
	static const char *const settings[] = { "limits.calls_per_user=1000", NULL };
	if (argc != 2) {
		fprintf(stderr, "usage: %s opensips|kamailio\n", argv[0]);
		return 2;
	}
	if (!proc_installed(argv[1]) || !proc_installed("sipp")) {
		printf("SKIPPED: %s is not installed\n", proc_installed("sipp") ? argv[1] : "sipp");
		return 77;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	proc_guard(400);
	port_a = proc_free_port(1);
	port_b = proc_free_port(1);
	bool ok = gateway_start(&gw, argv[1], settings) && user_make(&gw, "alice", &alice) && user_make(&gw, "bob", &bob) &&
		register_at(&alice, port_a) && register_at(&bob, port_b);
	printf("on %s, %s\n", argv[1], nxv_version());
	ok = ok && play();
	if (gw.state)
		gateway_close(&gw);
	return ok ? 0 : 1;
}
