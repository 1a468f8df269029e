/* intent_sql.c - every SQL statement of the carrier: its intents and the log of webhooks. */
#include "twilio/intent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

static const char *const stages[] = { "waiting", "sending", "open", "closed" };

void intent_clear(struct intent *intent)
{
	free(intent->session_id);
	free(intent->to);
	free(intent->from);
	free(intent->dial);
	free(intent->call_sid);
	*intent = (struct intent){ 0 };
}

/* Commit, or roll back when something failed before. */
static nxv_status finish(struct db_tx *tx, nxv_status status, struct nxv_error *err)
{
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

/* One number, 0 when there is no row. arg: nullable. */
static nxv_status number(struct db_tx *tx, const char *sql, const char *arg, int64_t *out, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(tx, sql, &stmt, err);

	*out = 0;
	if (status != NXV_OK)
		return status;
	if (arg)
		db_bind_text(stmt, 1, arg);
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && row)
		*out = db_int(stmt, 0);
	db_done(stmt);
	return status;
}

nxv_status intent_insert(struct db *db, struct intent *intent, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(db, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	status = number(tx, "SELECT coalesce(max(place), 0) + 1 FROM twilio_call WHERE stage = 'waiting'", NULL, &intent->place, err);
	if (status == NXV_OK)
		status = db_run(tx,
			"INSERT INTO twilio_call (session_id, stage, place, to_address, from_address, dial_address, callee_first, stored_at_ms) "
			"VALUES (?, 'waiting', ?, ?, ?, ?, ?, ?)",
			err, "titttii", intent->session_id, intent->place, intent->to, intent->from, intent->dial, (int64_t)intent->callee_first,
			intent->stored_at_ms);
	return finish(tx, status, err);
}

static nxv_status read_intent(struct db_stmt *stmt, const char *session_id, struct intent *out, struct nxv_error *err)
{
	const char *stage = db_text(stmt, 0);

	out->session_id = text_dup(session_id);
	out->stage = INTENT_CLOSED;
	for (int i = INTENT_WAITING; i < INTENT_CLOSED; i++)
		if (strcmp(stages[i], stage) == 0)
			out->stage = (enum intent_stage)i;
	out->to = text_dup(db_text(stmt, 1));
	out->from = text_dup(db_text(stmt, 2));
	out->callee_first = db_int(stmt, 3) != 0;
	out->call_sid = text_dup(db_text(stmt, 4));
	out->place = db_int(stmt, 5);
	out->stored_at_ms = db_int(stmt, 6);
	out->sent_at_ms = db_int(stmt, 7);
	out->dial = text_dup(db_text(stmt, 8));
	return out->session_id && out->to && out->from && out->dial && (out->call_sid || !db_text(stmt, 4)) ? NXV_OK : error_nomem(err);
}

nxv_status intent_load(struct db *db, const char *session_id, struct intent *out, struct nxv_error *err)
{
	struct db_stmt *stmt;
	struct db_tx *tx;
	bool row = false;
	nxv_status status = db_begin(db, DB_READ, &tx, err);

	*out = (struct intent){ 0 };
	if (status != NXV_OK)
		return status;
	status = db_query(tx,
		"SELECT stage, to_address, from_address, callee_first, call_sid, place, stored_at_ms, sent_at_ms, dial_address FROM twilio_call "
		"WHERE session_id = ?",
		&stmt, err);
	if (status == NXV_OK) {
		db_bind_text(stmt, 1, session_id);
		status = db_step(stmt, &row, err);
		if (status == NXV_OK)
			status = row ? read_intent(stmt, session_id, out, err) :
				       error_set(err, NXV_E_NOT_FOUND, "nothing of this call was handed to Twilio");
		db_done(stmt);
	}
	db_rollback(tx);
	if (status != NXV_OK)
		intent_clear(out);
	return status;
}

nxv_status intent_stage(struct db *db, const char *session_id, enum intent_stage stage, const char *call_sid, int64_t sent_at_ms,
	struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(db, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	status = db_run(tx,
		"UPDATE twilio_call SET stage = ?1, call_sid = coalesce(?2, call_sid), sent_at_ms = CASE WHEN ?3 THEN ?3 ELSE sent_at_ms END "
		"WHERE session_id = ?4",
		err, "ttit", stages[stage], call_sid, sent_at_ms, session_id);
	return finish(tx, status, err);
}

nxv_status intent_sweep(struct db *db, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(db, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	status = db_run(tx,
		"UPDATE twilio_call SET stage = 'closed' WHERE stage <> 'closed' AND session_id NOT IN "
		"(SELECT id FROM session WHERE ended_at_ms = 0)",
		err, "");
	return finish(tx, status, err);
}

nxv_status intent_forget(struct db *db, int64_t before_ms, bool *more, struct nxv_error *err)
{
	char before[40];
	struct db_tx *tx;
	nxv_status status = db_begin(db, DB_WRITE, &tx, err);

	*more = false;
	if (status != NXV_OK)
		return status;
	/* Ids of sessions begin with the time, so the oldest come first and nothing else is read. */
	snprintf(before, sizeof(before), "session_%lld", (long long)(before_ms / 1000));
	status = db_run(tx,
		"DELETE FROM twilio_call WHERE session_id IN (SELECT session_id FROM twilio_call WHERE session_id < ?1 AND stage = 'closed' "
		"AND stored_at_ms < ?2 ORDER BY session_id LIMIT ?3)",
		err, "tii", before, before_ms, (int64_t)INTENT_FORGET_MOST);
	if (status == NXV_OK)
		*more = db_changes(tx) >= INTENT_FORGET_MOST;
	return finish(tx, status, err);
}

nxv_status intent_owner(struct db *db, const char *call_sid, char *session_id, size_t size, struct nxv_error *err)
{
	struct db_stmt *stmt;
	struct db_tx *tx;
	bool row = false;
	nxv_status status = db_begin(db, DB_READ, &tx, err);

	session_id[0] = '\0';
	if (status != NXV_OK)
		return status;
	status = db_query(tx, "SELECT session_id FROM twilio_call WHERE call_sid = ?", &stmt, err);
	if (status == NXV_OK) {
		db_bind_text(stmt, 1, call_sid);
		status = db_step(stmt, &row, err);
		if (status == NXV_OK && row)
			text_copy(session_id, size, db_text(stmt, 0));
		db_done(stmt);
	}
	db_rollback(tx);
	return status;
}

/* Told apart from other faults of the store by looking first, under the write lock. */
static nxv_status check_callback(struct db_tx *tx, const struct callback *c, struct nxv_error *err)
{
	int64_t n;
	nxv_status status = number(tx, "SELECT count(*) FROM twilio_call WHERE session_id = ?", c->session_id, &n, err);

	if (status == NXV_OK && !n)
		return error_set(err, NXV_E_NOT_FOUND, "no such call was handed to Twilio");
	if (status == NXV_OK)
		status = number(tx, "SELECT count(*) FROM twilio_callback WHERE mark = ?", c->mark, &n, err);
	if (status == NXV_OK && !n && c->token)
		status = number(tx, "SELECT count(*) FROM twilio_callback WHERE token = ?", c->token, &n, err);
	if (status == NXV_OK && n)
		status = error_code(err, NXV_E_CONFLICT, "duplicate", "this was told before");
	return status;
}

nxv_status callback_append(struct db *db, const struct callback *c, bool *late, struct nxv_error *err)
{
	struct db_tx *tx;
	int64_t newest;
	nxv_status status = db_begin(db, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	*late = false;
	status = check_callback(tx, c, err);
	if (status == NXV_OK)
		status = number(tx, "SELECT coalesce(max(sequence), -1) FROM twilio_callback WHERE call_sid = ?", c->call_sid, &newest, err);
	if (status == NXV_OK)
		*late = c->sequence >= 0 && c->sequence < newest;
	if (status == NXV_OK)
		status = db_run(tx,
			"INSERT INTO twilio_callback (session_id, mark, token, call_sid, parent_sid, sequence, status, dial_status, dial_sid, "
			"duration, sip_code, at_ms) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
			err, "tttttitttiii", c->session_id, c->mark, c->token, c->call_sid, c->parent_sid, c->sequence, c->status,
			c->dial_status, c->dial_sid, c->duration, (int64_t)c->sip_code, c->at_ms);
	return finish(tx, status, err);
}

static nxv_status read_callback(struct db_stmt *stmt, struct callback *out, struct nxv_error *err)
{
	char **const texts[] = { &out->call_sid, &out->parent_sid, &out->status, &out->dial_status, &out->dial_sid };
	bool ok = true;

	out->id = db_int(stmt, 0);
	for (int i = 0; i < 5; i++) {
		*texts[i] = text_dup(db_text(stmt, i + 1));
		ok = ok && (*texts[i] || !db_text(stmt, i + 1));
	}
	out->sequence = db_int(stmt, 6);
	out->duration = db_int(stmt, 7);
	out->sip_code = (int)db_int(stmt, 8);
	out->at_ms = db_int(stmt, 9);
	return ok ? NXV_OK : error_nomem(err);
}

nxv_status callback_next(
	struct db *db, const char *session_id, int64_t after, struct callback *out, bool *found, struct nxv_error *err)
{
	struct db_stmt *stmt;
	struct db_tx *tx;
	nxv_status status = db_begin(db, DB_READ, &tx, err);

	*out = (struct callback){ 0 };
	*found = false;
	if (status != NXV_OK)
		return status;
	status = db_query(tx,
		"SELECT id, call_sid, parent_sid, status, dial_status, dial_sid, sequence, duration, sip_code, at_ms FROM twilio_callback "
		"WHERE session_id = ? AND id > ? ORDER BY id LIMIT 1",
		&stmt, err);
	if (status == NXV_OK) {
		db_bind_text(stmt, 1, session_id);
		db_bind_int(stmt, 2, after);
		status = db_step(stmt, found, err);
		if (status == NXV_OK && *found)
			status = read_callback(stmt, out, err);
		db_done(stmt);
	}
	db_rollback(tx);
	return status;
}

void callback_clear(struct callback *c)
{
	free(c->call_sid);
	free(c->parent_sid);
	free(c->status);
	free(c->dial_status);
	free(c->dial_sid);
	*c = (struct callback){ 0 };
}
