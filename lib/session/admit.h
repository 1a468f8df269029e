/* admit.h - whether a telephone call may be started: the policy, and what its user and key have used within a day. */
#ifndef NXV_SESSION_ADMIT_H
#define NXV_SESSION_ADMIT_H

#include "config/config.h"
#include "store/db.h"

struct admit_call {
	const char *user_id;
	const char *key_id; /**< NULL: started by CLI or phone; then only the user's caps count */
	const char *from;   /**< caller ID; NULL: the gateway picks it */
	const char *to;     /**< "+" and digits */
	int64_t now_ms;
};
/**
 * Inside the write transaction that stores the session, so that of racing calls exactly as many get in as may.
 * Errors: as policy_check(); NXV_E_LIMIT "call_cap" or "minute_cap".
 */
nxv_status admit(struct db_tx *tx, const struct config *cfg, const struct admit_call *call, struct nxv_error *err);

#endif
