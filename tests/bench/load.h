/* load.h - an HTTP load on kept connections: so many at once, each request sent when the one before on its connection was
 * answered, and not before it is due. */
#ifndef NXV_BENCH_LOAD_H
#define NXV_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load {
	const char *url;      /**< "http://127.0.0.1:PORT" */
	const char *request;  /**< whole, head and body */
	unsigned at_once;     /**< connections */
	unsigned total;       /**< requests */
	unsigned per_second;  /**< 0: as fast as they are answered */
	int want;             /**< HTTP status; any other is a failure */
	int timeout_ms;       /**< for all of it */
};
struct load_result {
	int64_t *us;          /**< of each answer, sorted; [owned] free() */
	unsigned answered, failed;
	int64_t took_us;
};
/** Do it. False: it could not be done in time; what came is in out. */
bool load_run(const struct load *load, struct load_result *out);
/** Microseconds at a share, in thousandths: 500 is the median. */
int64_t load_at(const struct load_result *result, unsigned share);
int64_t load_now_us(void);

#endif
