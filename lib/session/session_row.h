/* session_row.h - a session as stored: the public record and what only the library needs beside it. */
#ifndef NXV_SESSION_SESSION_ROW_H
#define NXV_SESSION_SESSION_ROW_H

#include <nexusvoip/sessions.h>

#include "session/state_table.h"
#include "store/db.h"

/** Every struct nxv_session that the library hands out is the head of one of these. */
struct session_row {
	struct nxv_session pub;
	enum call_state state;
	char *carrier;     /**< "sip": placed by us; "twilio": by Twilio; "dialled": by a phone */
	char *sip_call_id; /**< of a dialled call, until it has ended and another bears it; else NULL */
	char *a_targets;   /**< SIP usernames, separated by a space */
	char *b_targets;
	bool auto_answer;
	bool callee_first; /**< ring the callee, then the user's phone */
	char *end_wanted;  /**< name of the event that shall end it, once a remote carrier has ended it; NULL: none */
};

struct session_row *session_row_new(void);
/** NULL is allowed. */
void session_row_free(struct session_row *row);

nxv_status session_insert(struct db_tx *tx, const struct session_row *row, struct nxv_error *err);
/** Write what changes in a call's life. */
nxv_status session_update(struct db_tx *tx, const struct session_row *row, struct nxv_error *err);
/** @param out [owned]. Errors: NXV_E_NOT_FOUND. now_ms: for the duration of a call that is up. */
nxv_status session_load(struct db_tx *tx, const char *id, int64_t now_ms, struct session_row **out, struct nxv_error *err);
/** The same of a call that a phone dialled, by its Call-ID. */
nxv_status session_load_dialled(struct db_tx *tx, const char *sip_call_id, int64_t now_ms, struct session_row **out, struct nxv_error *err);
/** Whether a call with this Call-ID, or one that had to leave its Call-ID to another, is on record that began for this user then,
 * or as soon after it as the gateway is told or asked. */
nxv_status session_dialled_at(struct db_tx *tx, const char *user_id, const char *sip_call_id, int64_t at_ms, bool *found, struct nxv_error *err);
/** A phone whose call was refused may try again with the same Call-ID (RFC 3261, 8.1.3.5): leave it to the next session. */
nxv_status session_release_call_id(struct db_tx *tx, const char *sip_call_id, struct nxv_error *err);
/** Ids of sessions that have not ended, at most max after `after` ("": from the first), in order of id. @param out [owned] each. */
nxv_status session_live_ids(struct db_tx *tx, const char *after, char **out, size_t max, size_t *count, struct nxv_error *err);
/** The same of calls of ours that are still queued and were stored before before_ms. */
nxv_status session_queued_ids(struct db_tx *tx, const char *after, int64_t before_ms, char **out, size_t max, size_t *count, struct nxv_error *err);
/** What the carrier of a call saved for after a crash. */
nxv_status session_state_put(struct db_tx *tx, const char *id, const char *state, int64_t now_ms, struct nxv_error *err);
nxv_status session_state_drop(struct db_tx *tx, const char *id, struct nxv_error *err);
/** @param out [owned]; NULL: nothing is stored. */
nxv_status session_state_load(struct db_tx *tx, const char *id, char **out, struct nxv_error *err);
/** Give back slots, and drop carriers' states, of sessions that have ended or never were. */
nxv_status session_sweep(struct db_tx *tx, struct nxv_error *err);
nxv_status session_count_live(struct db_tx *tx, int64_t *out, struct nxv_error *err);
/** One page; opts is checked by the caller. */
nxv_status session_page(struct db_tx *tx, const struct nxv_session_list_opts *opts, int64_t now_ms, struct nxv_session_page *list, struct nxv_error *err);

#endif
