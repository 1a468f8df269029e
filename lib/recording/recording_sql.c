/* recording_sql.c - every SQL statement about recordings. */
#include "recording/recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "events/event_log.h"

#define COLUMNS "id, session_id, user_id, status, duration_seconds, channels, created_at_ms, updated_at_ms"

enum { EXACT_MS = 2000, KEEP_MS = 7 * 24 * 3600 * 1000 };

/* A status goes up in rank only; those of rank 1 go to and fro. */
static const struct {
	const char *word;
	int rank;
} statuses[] = {
	{ "in-progress", 1 }, { "paused", 1 }, { "stopped", 2 }, { "processing", 3 }, { "completed", 4 }, { "absent", 4 }, { "deleted", 5 },
};

static int rank_of(const char *status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (status && strcmp(statuses[i].word, status) == 0)
			return statuses[i].rank;
	return 0;
}

bool recording_status_known(const char *status)
{
	return rank_of(status) > 0;
}

bool recording_status_runs(const char *status)
{
	return rank_of(status) == 1;
}

bool recording_status_final(const char *status)
{
	return rank_of(status) >= 4;
}

static nxv_status read_row(struct db_stmt *stmt, struct nxv_recording **out, struct nxv_error *err)
{
	struct nxv_recording *r = calloc(1, sizeof(*r));

	*out = NULL;
	if (!r)
		return error_nomem(err);
	r->id = text_dup(db_text(stmt, 0));
	r->session_id = text_dup(db_text(stmt, 1));
	r->user_id = text_dup(db_text(stmt, 2));
	r->status = text_dup(db_text(stmt, 3));
	r->duration_seconds = db_int(stmt, 4);
	r->channels = (int)db_int(stmt, 5);
	r->created_at_ms = db_int(stmt, 6);
	r->updated_at_ms = db_int(stmt, 7);
	if (!r->id || !r->session_id || !r->user_id || !r->status) {
		nxv_recording_free(r);
		return error_nomem(err);
	}
	*out = r;
	return NXV_OK;
}

/* The first row of a query with one parameter; *out NULL where there is none. */
static nxv_status load_one(struct db_tx *tx, const char *sql, const char *value, struct nxv_recording **out, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(tx, sql, &stmt, err);

	*out = NULL;
	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, value);
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && row)
		status = read_row(stmt, out, err);
	db_done(stmt);
	return status;
}

nxv_status recording_load(struct db_tx *tx, const char *id, struct nxv_recording **out, struct nxv_error *err)
{
	nxv_status status = load_one(tx, "SELECT " COLUMNS " FROM recording WHERE id = ? AND status <> 'deleted'", id, out, err);

	if (status == NXV_OK && !*out)
		status = error_set(err, NXV_E_NOT_FOUND, "there is no such recording");
	return status;
}

nxv_status recording_load_running(struct db_tx *tx, const char *session_id, struct nxv_recording **out, struct nxv_error *err)
{
	return load_one(tx,
		"SELECT " COLUMNS " FROM recording WHERE session_id = ? AND status IN ('in-progress', 'paused') "
		"ORDER BY created_at_ms DESC, id DESC LIMIT 1",
		session_id, out, err);
}

static nxv_status append(struct db_stmt *stmt, struct nxv_recording_list *out, struct nxv_error *err)
{
	struct nxv_recording **grown = realloc(out->items, (out->count + 1) * sizeof(struct nxv_recording *));
	nxv_status status;

	if (!grown)
		return error_nomem(err);
	out->items = grown;
	status = read_row(stmt, &grown[out->count], err);
	if (status == NXV_OK)
		out->count++;
	return status;
}

nxv_status recording_load_all(struct db_tx *tx, const char *session_id, struct nxv_recording_list *out, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = true;
	nxv_status status = db_query(tx,
		"SELECT " COLUMNS " FROM recording WHERE session_id = ? AND status <> 'deleted' ORDER BY created_at_ms, id", &stmt, err);

	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, session_id);
	while (status == NXV_OK && row) {
		status = db_step(stmt, &row, err);
		if (status == NXV_OK && row)
			status = append(stmt, out, err);
	}
	db_done(stmt);
	return status;
}

/* Twilio tells seconds: of what has just begun we know better, and so of two which came first. */
static int64_t began_at(const struct recording_news *n, int64_t now_ms)
{
	return n->created_at_ms && (n->created_at_ms < now_ms - EXACT_MS || n->created_at_ms > now_ms) ? n->created_at_ms : now_ms;
}

static nxv_status insert(struct db_tx *tx, const struct recording_news *n, int64_t now_ms, struct nxv_error *err)
{
	return db_run(tx, "INSERT INTO recording (" COLUMNS ") VALUES (?,?,?,?,?,?,?,?)", err, "ttttiiii", n->id, n->session_id,
		n->user_id, n->status, n->duration_seconds, (int64_t)n->channels, began_at(n, now_ms), now_ms);
}

static nxv_status update(struct db_tx *tx, const struct recording_news *n, int64_t now_ms, struct nxv_error *err)
{
	return db_run(tx,
		"UPDATE recording SET status = ?2, duration_seconds = CASE WHEN ?3 < 0 THEN duration_seconds ELSE ?3 END, "
		"channels = CASE WHEN ?4 = 0 THEN channels ELSE ?4 END, updated_at_ms = ?5 WHERE id = ?1",
		err, "ttiii", n->id, n->status, n->duration_seconds, (int64_t)n->channels, now_ms);
}

static enum recording_change judge(const char *was, const struct recording_news *n)
{
	const int old = rank_of(was), new = rank_of(n->status);

	if (strcmp(was, n->status) == 0)
		return RECORDING_SAME;
	return new > old || (new == 1 && old == 1 && !n->late_maybe) ? RECORDING_CHANGED : RECORDING_LATE;
}

static nxv_status tell(struct db_tx *tx, const struct recording_news *n, int64_t now_ms, struct nxv_error *err)
{
	char type[32], data[96];

	snprintf(type, sizeof(type), "recording.%s", n->status);
	snprintf(data, sizeof(data), "recording=%s", n->id);
	return event_append(tx, now_ms, type, n->session_id, n->user_id, data, NULL, err);
}

nxv_status recording_store(
	struct db_tx *tx, const struct recording_news *n, int64_t now_ms, enum recording_change *change, struct nxv_error *err)
{
	struct nxv_recording *row;
	nxv_status status = load_one(tx, "SELECT " COLUMNS " FROM recording WHERE id = ?", n->id, &row, err);

	*change = RECORDING_CHANGED;
	if (status == NXV_OK && row && strcmp(row->session_id, n->session_id) != 0)
		status = error_set(err, NXV_E_NOT_FOUND, "this recording is of another call");
	if (status == NXV_OK && row)
		*change = judge(row->status, n);
	if (status == NXV_OK && *change == RECORDING_SAME && row->duration_seconds < 0 && n->duration_seconds >= 0)
		status = update(tx, n, row->updated_at_ms, err);
	if (status == NXV_OK && *change == RECORDING_CHANGED) {
		status = row ? update(tx, n, now_ms, err) : insert(tx, n, now_ms, err);
		if (status == NXV_OK)
			status = tell(tx, n, now_ms, err);
		if (status == NXV_OK && strcmp(n->status, "deleted") == 0) /* what comes of it now is late in any case */
			status = db_run(tx, "DELETE FROM recording_callback WHERE recording_id = ?", err, "t", n->id);
	}
	nxv_recording_free(row);
	return status;
}

nxv_status recording_note(
	struct db_tx *tx, const char *id, const char *word, const char *token, int64_t now_ms, bool *again, struct nxv_error *err)
{
	struct db_stmt *stmt;
	nxv_status status = db_query(tx, "SELECT 1 FROM recording_callback WHERE mark = ?1 || ':' || ?2 OR token = ?3", &stmt, err);

	*again = false;
	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, id);
	db_bind_text(stmt, 2, word);
	db_bind_text(stmt, 3, token);
	status = db_step(stmt, again, err);
	db_done(stmt);
	if (status == NXV_OK && !*again)
		status = db_run(tx, "INSERT INTO recording_callback (mark, token, recording_id, at_ms) VALUES (?1 || ':' || ?2, ?3, ?1, ?4)", err,
			"ttti", id, word, token, now_ms);
	if (status == NXV_OK && !*again)
		status = db_run(tx, "DELETE FROM recording_callback WHERE at_ms < ?", err, "i", now_ms - KEEP_MS);
	return status;
}

static nxv_status claimed_at(struct db_tx *tx, const char *session_id, int64_t *at_ms, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(tx, "SELECT at_ms FROM recording_start WHERE session_id = ?", &stmt, err);

	*at_ms = 0;
	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, session_id);
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && row)
		*at_ms = db_int(stmt, 0);
	db_done(stmt);
	return status;
}

nxv_status recording_claim(
	struct db_tx *tx, const char *session_id, int64_t now_ms, int64_t before_ms, bool *died, struct nxv_error *err)
{
	int64_t at_ms;
	nxv_status status = claimed_at(tx, session_id, &at_ms, err);

	if (status == NXV_OK && at_ms > before_ms)
		status = error_code(err, NXV_E_CONFLICT, "recording_in_progress",
			"a recording of this call is just being started; list the call's recordings in a moment");
	if (status == NXV_OK)
		status = db_run(tx, "INSERT OR REPLACE INTO recording_start (session_id, at_ms) VALUES (?, ?)", err, "ti", session_id, now_ms);
	if (died)
		*died = at_ms != 0;
	return status;
}

nxv_status recording_unclaim(struct db_tx *tx, const char *session_id, struct nxv_error *err)
{
	return db_run(tx, "DELETE FROM recording_start WHERE session_id = ?", err, "t", session_id);
}
