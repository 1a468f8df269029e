/* limits.h - requests a minute per key (sliding window, exact, in memory) and call slots per user (leases in the store). */
#ifndef NXV_LIMITS_LIMITS_H
#define NXV_LIMITS_LIMITS_H

#include "store/db.h"

struct rate;
struct rate_verdict {
	bool allowed;
	uint32_t limit, remaining;
	uint32_t reset_ms; /**< until the oldest counted request leaves the window; when refused: until one would be allowed */
};
/** Thread-safe table of sliding windows; memory only for keys used within the last window: the others go as requests
 * come in. The clock may be set back (what is counted then stays one window more at most); set forward, it ends windows early. */
nxv_status rate_open(const struct env *env, uint32_t window_ms, struct rate **out, struct nxv_error *err);
void rate_close(struct rate *rate);
/** Count one request of key against limit. A refused request takes no place. */
nxv_status rate_take(struct rate *rate, const char *key, uint32_t limit, struct rate_verdict *out, struct nxv_error *err);
/** Keys held in memory, for tests and metrics. */
size_t rate_keys(struct rate *rate);

/** Take a slot for a call inside the caller's write transaction. The lease ends at expires_at_ms by itself, so it cannot leak.
 * Errors: NXV_E_LIMIT "call_limit". */
nxv_status slot_take(struct db_tx *tx, const char *session_id, const char *user_id, int64_t limit, int64_t now_ms, int64_t expires_at_ms, struct nxv_error *err);
/** The same without a limit: for calls that the SIP server has let through already. */
nxv_status slot_note(struct db_tx *tx, const char *session_id, const char *user_id, int64_t now_ms, int64_t expires_at_ms, struct nxv_error *err);
/** Give it back; giving back twice is harmless. */
nxv_status slot_give(struct db_tx *tx, const char *session_id, struct nxv_error *err);
nxv_status slot_count(struct db_tx *tx, const char *user_id, int64_t now_ms, int64_t *out, struct nxv_error *err);

#endif
