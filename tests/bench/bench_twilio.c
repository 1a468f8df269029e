/* bench_twilio.c - calls over Twilio, nexus-sandbox in its place: creates a second with 1, 32 and 256 requests in flight, what one
 * costs nexusd, and whether reads stay fast beside a thousand slow creates. Prints a table; fails on a failed request, a call
 * that was created twice or not at all, and a leaked slot. */
#include "load.h"
#include "proc.h"
#include "twilio_gw.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 3, SLOW = 1000, SLOW_MS = 700, READS = 4000, READS_A_SECOND = 1000, READERS = 8, SETTLE_MS = 60000 };

static struct gateway gw;
static struct sandbox_run sandbox;
static struct lab *lab;
static struct user alice;
static char create_request[1024], read_request[512];

static void make_requests(void)
{
	static const char body[] = "{\"fromNumber\":\"" TWILIO_FROM "\",\"toNumber\":\"+999200\",\"useTwilio\":true}";
	struct told told;

	snprintf(create_request, sizeof(create_request), "POST /api/v1/opensips/call/initiate HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", alice.key, sizeof(body) - 1, body);
	twilio_gw_call(&gw, &alice, "+999200", NULL, &told);
	snprintf(read_request, sizeof(read_request), "GET /api/v1/opensips/call/%s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n\r\n",
		told.id, alice.key);
}

static bool wait_live(int64_t want)
{
	return slots_wait(&gw, "alice", want, SETTLE_MS) == want;
}

static int64_t created(void)
{
	struct json_object *json = sandbox_get(&sandbox, "/sandbox/v1");
	int64_t n = json_number(json, "creates");

	json_free(json);
	return n;
}

/* So many requests at once, each answered when Twilio has taken the call. */
static bool creates(unsigned at_once, unsigned total)
{
	const struct load load = { .url = gw.url, .request = create_request, .at_once = at_once, .total = total, .want = 201,
		.timeout_ms = 120000 };
	const pid_t pid = proc_pid(gw.nexusd);
	int64_t cpu = proc_cpu_ms(pid), before = created();
	struct load_result r;
	bool good = load_run(&load, &r);

	good = wait_live(0) && good && r.failed == 0 && created() - before == total;
	cpu = proc_cpu_ms(pid) - cpu;
	printf("%3u in flight: %6.0f creates/s, p50 %7.2f ms, p99 %7.2f ms; nexusd %5.2f ms CPU a call, webhooks included (%u)%s\n", at_once,
		(double)r.answered * 1e6 / (double)r.took_us, (double)load_at(&r, 500) / 1000, (double)load_at(&r, 990) / 1000,
		(double)cpu / total, total, good ? "" : "   FAILED");
	free(r.us);
	return good;
}

static bool reads(const char *what, int64_t *p50, int64_t *p99)
{
	const struct load load = { .url = gw.url, .request = read_request, .at_once = READERS, .total = READS,
		.per_second = READS_A_SECOND, .want = 200, .timeout_ms = 60000 };
	struct load_result r;
	bool good = load_run(&load, &r) && r.failed == 0;

	*p50 = load_at(&r, 500);
	*p99 = load_at(&r, 990);
	printf("%-44s p50 %7.3f ms, p99 %7.3f ms%s\n", what, (double)*p50 / 1000, (double)*p99 / 1000, good ? "" : "   FAILED");
	free(r.us);
	return good;
}

static void *slow_creates(void *arg)
{
	const struct load load = { .url = gw.url, .request = create_request, .at_once = SLOW, .total = SLOW, .want = 201, .timeout_ms = 120000 };
	struct load_result r;

	*(bool *)arg = load_run(&load, &r) && r.failed == 0;
	free(r.us);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* In turns, so that what else the machine does falls on both alike. */
static bool reads_beside_slow_creates(void)
{
	double median[ROUNDS], tail[ROUNDS];
	char fault[80];
	bool good = true;

	snprintf(fault, sizeof(fault), "{\"kind\":\"slow\",\"delayMs\":%d}", SLOW_MS);
	for (int i = 0; i < ROUNDS; i++) {
		int64_t p50, p99, beside50, beside99;
		bool placed = false;
		pthread_t thread;

		good = reads("reads alone", &p50, &p99) && good;
		good = sandbox_fault(&sandbox, fault) && good;
		pthread_create(&thread, NULL, slow_creates, &placed);
		good = wait_live(SLOW) && good; /* all have arrived, and wait */
		good = reads("reads beside 1000 slow creates", &beside50, &beside99) && good;
		pthread_join(thread, NULL);
		good = sandbox_no_faults(&sandbox) && wait_live(0) && placed && good;
		median[i] = (double)beside50 / (double)p50;
		tail[i] = (double)beside99 / (double)p99;
	}
	qsort(median, ROUNDS, sizeof(double), compare);
	qsort(tail, ROUNDS, sizeof(double), compare);
	printf("beside against alone: p50 x %.2f, p99 x %.2f (medians of %d rounds)\n", median[ROUNDS / 2], tail[ROUNDS / 2], ROUNDS);
	return good;
}

static bool run(const char *server)
{
	static const char *const settings[] = { "twilio.creates_per_second=1000", "calls.ring_seconds=20", "limits.calls_per_user=100000",
		"http.initiate_wait_ms=30000", NULL };

	lab = lab_open();
	lab_quiet(lab);
	if (!twilio_gw_prepare(&gw, &sandbox, server, "50", false, settings) || !gateway_run(&gw) || !gateway_sip_start(&gw) ||
		!user_make(&gw, "alice", &alice) || !user_register(&gw, lab, &alice, 0))
		return false;
	make_requests();
	printf("on %s, %s\n", server, nxv_version());
	return wait_live(0) && creates(1, 300) & creates(32, 1000) & creates(256, 1000) && reads_beside_slow_creates();
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
	setvbuf(stdout, NULL, _IOLBF, 0);
	proc_guard(300);
	bool good = run(argv[1]);
	if (gw.state)
		gateway_close(&gw);
	if (sandbox.proc)
		sandbox_stop(&sandbox);
	lab_close(lab);
	return good ? 0 : 1;
}
