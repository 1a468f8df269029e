/* policy.h - which telephone numbers may be called, with which caller ID, and whether any may now. */
#ifndef NXV_POLICY_POLICY_H
#define NXV_POLICY_POLICY_H

#include <nexusvoip/policy.h>

#include "config/config.h"
#include "store/db.h"

enum { POLICY_NUMBER = 17 }; /**< "+", 15 digits and the NUL */

enum policy_verdict {
	POLICY_ALLOWED,
	POLICY_EMERGENCY,  /**< an emergency number, with or without a country code */
	POLICY_PREMIUM,    /**< always refused */
	POLICY_NOT_ALLOWED, /**< calls.allow does not cover it, or excludes it: the longest prefix decides */
	POLICY_IMPOSSIBLE  /**< no number of E.164, and calls.allow does not name its beginning: +0, +10, +11 */
};
/** Judge "+" and digits, or what looks like a short number; "+440909..." is judged as "+44909...", too. @param prefix nullable, [borrowed] not NUL-ended: what decided. */
enum policy_verdict policy_judge(const struct config *cfg, const char *number, const char **prefix, size_t *prefix_len);
/** What a phone dialled as "+" and digits: "0034 91..." and "+34-91..." become "+3491...". False: it is no such number. */
bool policy_normalise(const char *dialled, char number[POLICY_NUMBER]);
/** Built-in prefixes of premium-rate numbers and emergency numbers, besides calls.premium and calls.emergency; NULL-ended. */
extern const char *const policy_premium[];
extern const char *const policy_emergency[];

/** A telephone call that somebody wants. */
struct policy_call {
	const char *user_id;
	const char *from; /**< caller ID; NULL: the gateway picks it, see policy_caller_of() */
	const char *to;   /**< "+" and digits */
};
/**
 * May this call be placed now?
 * Errors: NXV_E_UNCALLABLE "emergency_number", "destination_not_allowed" (field toNumber), "caller_id_not_allowed" (field
 * fromNumber); NXV_E_UNREACHABLE "calls_frozen".
 */
nxv_status policy_check(struct db_tx *tx, const struct config *cfg, const struct policy_call *call, struct nxv_error *err);
/** NXV_E_UNREACHABLE "calls_frozen" while telephone calls are stopped. */
nxv_status policy_check_frozen(struct db_tx *tx, struct nxv_error *err);
/** NXV_E_UNCALLABLE "emergency_number" if that is what it is, whatever the carrier. */
nxv_status policy_check_emergency(const struct config *cfg, const char *to, struct nxv_error *err);
/** The caller ID for a call that brings none: the user's first, else the first of calls.caller_ids, else trunk.caller_id;
 * "" if there is none. */
nxv_status policy_caller_of(struct db_tx *tx, const struct config *cfg, const char *user_id, char number[POLICY_NUMBER], struct nxv_error *err);

/* policy_sql.c */
nxv_status freeze_load(struct db_tx *tx, struct nxv_freeze *out, struct nxv_error *err);
nxv_status freeze_store(struct db_tx *tx, const struct nxv_freeze *freeze, struct nxv_error *err);
nxv_status caller_is_listed(struct db_tx *tx, const char *user_id, const char *number, bool *listed, struct nxv_error *err);
nxv_status caller_first(struct db_tx *tx, const char *user_id, char number[POLICY_NUMBER], struct nxv_error *err);
nxv_status caller_insert(struct db_tx *tx, const struct nxv_caller *caller, struct nxv_error *err);
nxv_status caller_delete(struct db_tx *tx, const char *user_id, const char *number, bool *was_there, struct nxv_error *err);
nxv_status caller_load_all(struct db_tx *tx, const char *user_id, struct nxv_caller_list *out, struct nxv_error *err);

#endif
