/* bench_calls.c - how long from an HTTP request to the INVITE on the caller's wire, what a call costs, and whether many of
 * them leave anything behind. Prints a table; fails on a failed call, a leaked slot or growing memory. */
#include "gateway.h"
#include "proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WARM_UP = 20, SINGLE = 200, MANY = 200, PER_SECOND = 20, HOLD_MS = 30000, ROUNDS = 2, RSS_SLACK_KIB = 1024 };

static struct gateway gw;
static struct lab *lab;
static struct user alice, bob;

static int64_t utc_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void print_row(const char *what, int64_t *us, size_t count)
{
	qsort(us, count, sizeof(*us), compare);
	printf("%-44s p50 %7.2f ms   p99 %7.2f ms   max %7.2f ms   (%zu)\n", what, (double)us[count / 2] / 1000,
		(double)us[count * 99 / 100] / 1000, (double)us[count - 1] / 1000, count);
}

static bool wait_up(int want, int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	while ((phone_calls_up(alice.phone) != want || phone_calls_up(bob.phone) != want) && now_ms() < deadline) {
		nap_ms(10);
	}
	return phone_calls_up(alice.phone) == want && phone_calls_up(bob.phone) == want;
}

/* One call at a time: request, INVITE, ringing, answer of the API; then it is ended. */
static bool single_calls(void)
{
	static int64_t to_invite[SINGLE], to_answer[SINGLE];
	int64_t cpu = 0;
	struct told call;
	phone_script(alice.phone, (struct phone_script){ .manner = PHONE_RINGS });
	for (int i = 0; i < WARM_UP + SINGLE; i++) {
		cpu = i == WARM_UP ? proc_cpu_ms(proc_pid(gw.nexusd)) : cpu;
		phone_forget(alice.phone);
		int64_t start = utc_us();
		if (api_initiate(&gw, &alice, bob.username, &call) != 201) {
			fprintf(stderr, "call %d was refused\n", i);
			return false;
		}
		int64_t answered = utc_us() - start;
		struct phone_call seen;
		if (!phone_wait(alice.phone, 0, PHONE_INVITED, 2000) || !phone_call(alice.phone, 0, &seen)) {
			fprintf(stderr, "call %d did not reach the phone\n", i);
			return false;
		}
		if (i >= WARM_UP) {
			to_invite[i - WARM_UP] = seen.at_us[PHONE_INVITED] - start;
			to_answer[i - WARM_UP] = answered;
		}
		api_end(&gw, &alice, call.id);
	}
	cpu = proc_cpu_ms(proc_pid(gw.nexusd)) - cpu;
	print_row("HTTP request to INVITE on the caller's wire", to_invite, SINGLE);
	print_row("HTTP request to its answer (caller rings)", to_answer, SINGLE);
	printf("%-44s %7.2f ms a call (ringing only, ended by API)\n", "CPU of nexusd", (double)cpu / SINGLE);
	return true;
}

/* MANY calls at PER_SECOND, all held, all ended. @return failures. */
static int round_of_calls(int64_t *cpu_ms, int64_t *slots, int64_t *rss_kib)
{
	static char ids[MANY][96];
	int failures = 0, up = 0;
	struct told call;
	pid_t pid = proc_pid(gw.nexusd);
	*cpu_ms = proc_cpu_ms(pid);
	int64_t start = now_ms();
	for (int i = 0; i < MANY; i++) {
		int64_t due = start + (int64_t)i * 1000 / PER_SECOND, now = now_ms();
		nap_ms(due > now ? (int)(due - now) : 0);
		bool placed = api_initiate(&gw, &alice, bob.username, &call) == 201;
		snprintf(ids[up], sizeof(ids[0]), "%s", placed ? call.id : "");
		up += placed;
		failures += !placed;
	}
	failures += wait_up(up, 10000) ? 0 : up - phone_calls_up(bob.phone);
	nap_ms(HOLD_MS);
	failures += phone_calls_up(alice.phone) == up ? 0 : abs(up - phone_calls_up(alice.phone));
	for (int i = 0; i < up; i++) {
		failures += api_end(&gw, &alice, ids[i]) != 200;
		failures += !api_get(&gw, &alice, ids[i], &call) || strcmp(call.status, "completed") != 0;
	}
	failures += wait_up(0, 10000) ? 0 : phone_calls_up(bob.phone);
	*slots = slots_wait(&gw, "alice", 0, 5000);
	*cpu_ms = proc_cpu_ms(pid) - *cpu_ms;
	*rss_kib = proc_rss_kib(pid);
	phone_forget(alice.phone);
	phone_forget(bob.phone);
	return failures;
}

static bool many_calls(void)
{
	int64_t cpu, slots, rss[ROUNDS];
	bool ok = true;
	phone_script(alice.phone, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 50 });
	phone_forget(alice.phone);
	for (int i = 0; i < ROUNDS; i++) {
		int failures = round_of_calls(&cpu, &slots, &rss[i]);
		printf("round %d: %d calls at %d/s held %d s: %d failures, %lld slots leaked, %.2f ms CPU a call, RSS %lld KiB\n", i + 1, MANY,
			PER_SECOND, HOLD_MS / 1000, failures, (long long)slots, (double)cpu / MANY, (long long)rss[i]);
		fflush(stdout);
		ok = ok && failures == 0 && slots == 0;
	}
	printf("%-44s %+lld KiB\n", "growth in the second round", (long long)(rss[1] - rss[0]));
	return ok && rss[1] - rss[0] <= RSS_SLACK_KIB;
}

static bool run(const char *server)
{
	static const char *const settings[] = { "limits.calls_per_user=1000", NULL };
	lab = lab_open();
	lab_quiet(lab);
	if (!gateway_start(&gw, server, settings) || !user_make(&gw, "alice", &alice) || !user_make(&gw, "bob", &bob) ||
		!user_register(&gw, lab, &alice, 0) || !user_register(&gw, lab, &bob, 0)) {
		return false;
	}
	phone_script(bob.phone, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 50 });
	printf("on %s, %s\n", server, nxv_version());
	return single_calls() && many_calls();
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s opensips|kamailio\n", argv[0]);
		return 2;
	}
	if (!proc_installed(argv[1])) {
		printf("SKIPPED: %s is not installed\n", argv[1]);
		return 77;
	}
	proc_guard(280);
	bool ok = run(argv[1]);
	if (gw.state) {
		gateway_close(&gw);
	}
	lab_close(lab);
	return ok ? 0 : 1;
}
