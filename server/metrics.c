/* metrics.c - counters for /metrics. One cell per route and status, so that nothing strangers send makes memory grow.
 */
#include "metrics.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "router.h"

enum { ROUTES_MAX = 48, STATUS_MIN = 100, STATUSES = 500 };

static atomic_ullong requests[ROUTES_MAX][STATUSES];
static atomic_ullong total_us, unknown_keys, malformed;

void metrics_request(const struct route *route, int status, int64_t duration_us)
{
	size_t row = route ? router_index(route) + 1 : 0;

	if (row < ROUTES_MAX && status >= STATUS_MIN && status < STATUS_MIN + STATUSES)
		atomic_fetch_add_explicit(&requests[row][status - STATUS_MIN], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&total_us, (unsigned long long)duration_us, memory_order_relaxed);
}

void metrics_unknown_key(void)
{
	atomic_fetch_add_explicit(&unknown_keys, 1, memory_order_relaxed);
}

void metrics_malformed(void)
{
	atomic_fetch_add_explicit(&malformed, 1, memory_order_relaxed);
}

static void write_row(struct text *out, size_t row)
{
	const struct route *route = row ? router_at(row - 1) : NULL;

	for (int i = 0; i < STATUSES; i++) {
		unsigned long long n = atomic_load_explicit(&requests[row][i], memory_order_relaxed);

		if (n)
			text_add(out, "nexusd_requests_total{method=\"%s\",route=\"%s\",status=\"%d\"} %llu\n",
				route ? route->method : "", route ? route->pattern : "", i + STATUS_MIN, n);
	}
}

void metrics_write(struct text *out)
{
	text_add(out,
		"# HELP nexusd_requests_total Requests answered, by route and status; an empty route: none matched.\n"
		"# TYPE nexusd_requests_total counter\n");
	for (size_t row = 0; row < ROUTES_MAX && (row == 0 || router_at(row - 1)); row++)
		write_row(out, row);
	text_add(out,
		"# HELP nexusd_request_seconds_total Time spent on requests, waits included.\n"
		"# TYPE nexusd_request_seconds_total counter\nnexusd_request_seconds_total %.6f\n",
		(double)atomic_load(&total_us) / 1e6);
	text_add(out,
		"# HELP nexusd_unknown_keys_total Requests without a valid API key.\n"
		"# TYPE nexusd_unknown_keys_total counter\nnexusd_unknown_keys_total %llu\n",
		atomic_load(&unknown_keys));
	text_add(out,
		"# HELP nexusd_malformed_requests_total Requests refused before they were routed.\n"
		"# TYPE nexusd_malformed_requests_total counter\nnexusd_malformed_requests_total %llu\n",
		atomic_load(&malformed));
}
