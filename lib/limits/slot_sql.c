/* slot_sql.c - call slots: one lease per session in the slot table. A lease past its end counts for nothing, so a slot
 * cannot leak, and counting rows cannot go below zero. */
#include "limits/limits.h"

#include "base/error.h"

#include <inttypes.h>

enum { RETRY_MS = 5000 }; /* nobody knows when a call will end; this keeps clients from hammering */

static nxv_status count(struct db_tx *tx, const char *user_id, const char *but_session_id, int64_t now_ms, int64_t *out,
	struct nxv_error *err)
{
	struct db_stmt *stmt = NULL;
	bool row = false;
	nxv_status status = db_query(tx,
		"SELECT COUNT(*) FROM slot WHERE user_id = ?1 AND expires_at_ms > ?2 AND session_id <> ?3", &stmt, err);

	*out = 0;
	if (status)
		return status;
	db_bind_text(stmt, 1, user_id);
	db_bind_int(stmt, 2, now_ms);
	db_bind_text(stmt, 3, but_session_id);
	status = db_step(stmt, &row, err);
	if (!status)
		*out = db_int(stmt, 0);
	db_done(stmt);
	return status;
}

nxv_status slot_count(
	struct db_tx *tx, const char *user_id, int64_t now_ms, int64_t *out, struct nxv_error *err)
{
	return count(tx, user_id, "", now_ms, out, err);
}

nxv_status slot_note(struct db_tx *tx, const char *session_id, const char *user_id, int64_t now_ms,
	int64_t expires_at_ms, struct nxv_error *err)
{
	nxv_status status = db_run(tx, "DELETE FROM slot WHERE user_id = ?1 AND expires_at_ms <= ?2", err, "ti",
		user_id, now_ms);

	if (status)
		return status;
	return db_run(tx,
		"INSERT INTO slot (session_id, user_id, expires_at_ms) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (session_id) DO UPDATE SET user_id = ?2, expires_at_ms = ?3",
		err, "tti", session_id, user_id, expires_at_ms);
}

nxv_status slot_take(struct db_tx *tx, const char *session_id, const char *user_id, int64_t limit, int64_t now_ms,
	int64_t expires_at_ms, struct nxv_error *err)
{
	int64_t others;
	nxv_status status = count(tx, user_id, session_id, now_ms, &others, err);

	if (status)
		return status;
	if (others >= limit) {
		error_code(err, NXV_E_LIMIT, "call_limit",
			"this user has %" PRId64 " calls up, the most allowed (limits.calls_per_user); end one first",
			others);
		if (err)
			err->retry_after_ms = RETRY_MS;
		return NXV_E_LIMIT;
	}
	return slot_note(tx, session_id, user_id, now_ms, expires_at_ms, err);
}

nxv_status slot_give(struct db_tx *tx, const char *session_id, struct nxv_error *err)
{
	return db_run(tx, "DELETE FROM slot WHERE session_id = ?1", err, "t", session_id);
}
