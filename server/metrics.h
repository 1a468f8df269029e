/* metrics.h - counters for /metrics: requests by route and status, unknown keys, malformed requests. */
#ifndef NEXUSD_METRICS_H
#define NEXUSD_METRICS_H

#include <stdint.h>

#include "text.h"

struct route;
/** @param route nullable: a request that met none. Thread-safe, like the rest. */
void metrics_request(const struct route *route, int status, int64_t duration_us);
void metrics_unknown_key(void);
void metrics_malformed(void);
/** Add all counters in Prometheus' text format. */
void metrics_write(struct text *out);

#endif
