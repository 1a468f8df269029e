/* lease.h - how long a call may hold its slot at the very most. */
#ifndef NXV_SESSION_LEASE_H
#define NXV_SESSION_LEASE_H

#include <stdint.h>

/** Both parties ring out, the call lasts its maximum, and a minute to close down. */
static inline int64_t lease_end(int64_t started_at_ms, int64_t ring_ms, int64_t max_seconds)
{
	return started_at_ms + 2 * ring_ms + max_seconds * 1000 + 60000;
}

#endif
