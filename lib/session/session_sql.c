/* session_sql.c - every SQL statement about sessions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "session/session_row.h"

#define COLUMNS \
	"id, state, status, direction, carrier, from_number, to_number, user_id, key_id, sip_username, sip_domain, " \
	"sip_call_id, twilio_call_sid, end_reason, answered_contact, request_id, a_targets, b_targets, auto_answer, " \
	"sip_code, started_at_ms, ringing_at_ms, answered_at_ms, ended_at_ms, seq, a_sip_code, a_sip_reason, b_sip_code, " \
	"b_sip_reason, end_wanted, callee_first, error_code, error_detail, error_message"
/* How many are in Twilio's line up to this one; 0 when it does not stand there. */
#define QUEUE_POSITION \
	"(SELECT count(*) FROM twilio_call me JOIN twilio_call line ON line.stage = 'waiting' AND line.place <= me.place " \
	"WHERE me.session_id = session.id AND me.stage = 'waiting')"
#define SELECTED COLUMNS ", " QUEUE_POSITION

struct session_row *session_row_new(void)
{
	return calloc(1, sizeof(struct session_row));
}

void session_row_free(struct session_row *row)
{
	if (!row)
		return;
	char *const texts[] = { row->pub.id, row->pub.direction, row->pub.from_number, row->pub.to_number, row->pub.user_id,
		row->pub.key_id, row->pub.sip_username, row->pub.sip_domain, row->pub.twilio_call_sid, row->pub.end_reason,
		row->pub.answered_contact, row->pub.request_id, row->pub.caller_sip_reason, row->pub.callee_sip_reason,
		row->pub.error_code, row->pub.error_message, row->end_wanted, row->carrier, row->sip_call_id, row->a_targets, row->b_targets };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	free(row);
}

nxv_status session_insert(struct db_tx *tx, const struct session_row *row, struct nxv_error *err)
{
	const struct nxv_session *s = &row->pub;

	return db_run(tx,
		"INSERT INTO session (" COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", err,
		"ttttttttttttttttttiiiiiiiitittitit", s->id, call_state_name(row->state), nxv_call_status_name(s->status), s->direction,
		row->carrier, s->from_number, s->to_number, s->user_id, s->key_id, s->sip_username, s->sip_domain,
		row->sip_call_id, s->twilio_call_sid, s->end_reason, s->answered_contact, s->request_id,
		row->a_targets ? row->a_targets : "", row->b_targets ? row->b_targets : "", (int64_t)row->auto_answer,
		(int64_t)s->sip_code, s->started_at_ms, s->ringing_at_ms, s->answered_at_ms, s->ended_at_ms, s->seq,
		(int64_t)s->caller_sip_code, s->caller_sip_reason, (int64_t)s->callee_sip_code, s->callee_sip_reason,
		row->end_wanted, (int64_t)row->callee_first, s->error_code, (int64_t)s->error_detail, s->error_message);
}

nxv_status session_update(struct db_tx *tx, const struct session_row *row, struct nxv_error *err)
{
	const struct nxv_session *s = &row->pub;

	return db_run(tx,
		"UPDATE session SET state=?, status=?, end_reason=?, answered_contact=?, twilio_call_sid=?, sip_code=?, "
		"ringing_at_ms=?, answered_at_ms=?, ended_at_ms=?, seq=?, a_sip_code=?, a_sip_reason=?, b_sip_code=?, "
		"b_sip_reason=?, end_wanted=?, error_code=?, error_detail=?, error_message=? WHERE id=?",
		err, "tttttiiiiiititttitt", call_state_name(row->state), nxv_call_status_name(s->status), s->end_reason,
		s->answered_contact, s->twilio_call_sid, (int64_t)s->sip_code, s->ringing_at_ms, s->answered_at_ms,
		s->ended_at_ms, s->seq, (int64_t)s->caller_sip_code, s->caller_sip_reason, (int64_t)s->callee_sip_code,
		s->callee_sip_reason, row->end_wanted, s->error_code, (int64_t)s->error_detail, s->error_message, s->id);
}

static nxv_call_status parse_status(const char *word)
{
	for (int i = NXV_CALL_QUEUED; i <= NXV_CALL_FAILED; i++)
		if (strcmp(nxv_call_status_name((nxv_call_status)i), word) == 0)
			return (nxv_call_status)i;
	return NXV_CALL_FAILED;
}

/* Copy a nullable column; *ok turns false when memory runs out. */
static char *take(struct db_stmt *stmt, int column, bool *ok)
{
	const char *text = db_text(stmt, column);
	char *copy = text_dup(text);

	*ok = *ok && (copy || !text);
	return copy;
}

static void read_texts(struct db_stmt *stmt, struct session_row *row, bool *ok)
{
	struct nxv_session *s = &row->pub;

	s->id = take(stmt, 0, ok);
	s->direction = take(stmt, 3, ok);
	row->carrier = take(stmt, 4, ok);
	s->from_number = take(stmt, 5, ok);
	s->to_number = take(stmt, 6, ok);
	s->user_id = take(stmt, 7, ok);
	s->key_id = take(stmt, 8, ok);
	s->sip_username = take(stmt, 9, ok);
	s->sip_domain = take(stmt, 10, ok);
	row->sip_call_id = take(stmt, 11, ok);
	s->twilio_call_sid = take(stmt, 12, ok);
	s->end_reason = take(stmt, 13, ok);
	s->answered_contact = take(stmt, 14, ok);
	s->request_id = take(stmt, 15, ok);
	row->a_targets = take(stmt, 16, ok);
	row->b_targets = take(stmt, 17, ok);
	s->caller_sip_reason = take(stmt, 26, ok);
	s->callee_sip_reason = take(stmt, 28, ok);
	row->end_wanted = take(stmt, 29, ok);
	s->error_code = take(stmt, 31, ok);
	s->error_message = take(stmt, 33, ok);
}

static struct session_row *read_row(struct db_stmt *stmt, int64_t now_ms)
{
	struct session_row *row = session_row_new();
	struct nxv_session *s;
	int64_t until;
	bool ok = true;

	if (!row)
		return NULL;
	s = &row->pub;
	read_texts(stmt, row, &ok);
	row->state = call_state_parse(db_text(stmt, 1));
	s->status = parse_status(db_text(stmt, 2));
	row->auto_answer = db_int(stmt, 18) != 0;
	s->sip_code = (int)db_int(stmt, 19);
	s->started_at_ms = db_int(stmt, 20);
	s->ringing_at_ms = db_int(stmt, 21);
	s->answered_at_ms = db_int(stmt, 22);
	s->ended_at_ms = db_int(stmt, 23);
	s->seq = db_int(stmt, 24);
	s->caller_sip_code = (int)db_int(stmt, 25);
	s->callee_sip_code = (int)db_int(stmt, 27);
	row->callee_first = db_int(stmt, 30) != 0;
	s->error_detail = (int)db_int(stmt, 32);
	s->queue_position = db_int(stmt, 34);
	until = s->ended_at_ms ? s->ended_at_ms : now_ms;
	s->duration_seconds = s->answered_at_ms && until > s->answered_at_ms ? (until - s->answered_at_ms) / 1000 : 0;
	if (!ok) {
		session_row_free(row);
		return NULL;
	}
	return row;
}

static nxv_status load_by(struct db_tx *tx, const char *sql, const char *key, int64_t now_ms, struct session_row **out, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool found = false;
	nxv_status status = db_query(tx, sql, &stmt, err);

	*out = NULL;
	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, key);
	status = db_step(stmt, &found, err);
	if (status == NXV_OK && !found)
		status = error_set(err, NXV_E_NOT_FOUND, "there is no such call");
	if (status == NXV_OK && !(*out = read_row(stmt, now_ms)))
		status = error_nomem(err);
	db_done(stmt);
	return status;
}

nxv_status session_load(
	struct db_tx *tx, const char *id, int64_t now_ms, struct session_row **out, struct nxv_error *err)
{
	return load_by(tx, "SELECT " SELECTED " FROM session WHERE id = ?", id, now_ms, out, err);
}

nxv_status session_load_dialled(
	struct db_tx *tx, const char *sip_call_id, int64_t now_ms, struct session_row **out, struct nxv_error *err)
{
	return load_by(tx, "SELECT " SELECTED " FROM session WHERE sip_call_id = ?", sip_call_id, now_ms, out, err);
}

nxv_status session_dialled_at(struct db_tx *tx, const char *user_id, const char *sip_call_id, int64_t at_ms, bool *found, struct nxv_error *err)
{
	struct db_stmt *stmt;
	nxv_status status = db_query(tx, "SELECT 1 FROM session WHERE user_id = ?1 AND started_at_ms BETWEEN ?2 AND ?2 + 5000"
		" AND (sip_call_id = ?3 OR (sip_call_id IS NULL AND carrier = 'dialled')) LIMIT 1", &stmt, err);

	*found = false;
	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, user_id);
	db_bind_int(stmt, 2, at_ms);
	db_bind_text(stmt, 3, sip_call_id);
	status = db_step(stmt, found, err);
	db_done(stmt);
	return status;
}

nxv_status session_release_call_id(struct db_tx *tx, const char *sip_call_id, struct nxv_error *err)
{
	return db_run(tx, "UPDATE session SET sip_call_id = NULL WHERE sip_call_id = ? AND ended_at_ms > 0", err, "t", sip_call_id);
}

static nxv_status read_ids(struct db_stmt *stmt, char **out, size_t *count, struct nxv_error *err)
{
	bool row = true;
	nxv_status status;

	while ((status = db_step(stmt, &row, err)) == NXV_OK && row) {
		out[*count] = text_dup(db_text(stmt, 0));
		if (!out[*count]) {
			status = error_nomem(err);
			break;
		}
		++*count;
	}
	db_done(stmt);
	return status;
}

nxv_status session_live_ids(
	struct db_tx *tx, const char *after, char **out, size_t max, size_t *count, struct nxv_error *err)
{
	struct db_stmt *stmt;
	nxv_status status;

	*count = 0;
	status = db_query(tx, "SELECT id FROM session WHERE ended_at_ms = 0 AND id > ? ORDER BY id LIMIT ?", &stmt, err);
	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, after);
	db_bind_int(stmt, 2, (int64_t)max);
	return read_ids(stmt, out, count, err);
}

nxv_status session_queued_ids(struct db_tx *tx, const char *after, int64_t before_ms, char **out, size_t max, size_t *count,
	struct nxv_error *err)
{
	struct db_stmt *stmt;
	nxv_status status;

	*count = 0;
	status = db_query(tx,
		"SELECT id FROM session INDEXED BY session_live WHERE ended_at_ms = 0 AND id > ? AND state = 'queued' "
		"AND sip_call_id IS NULL AND started_at_ms < ? ORDER BY id LIMIT ?",
		&stmt, err);
	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, after);
	db_bind_int(stmt, 2, before_ms);
	db_bind_int(stmt, 3, (int64_t)max);
	return read_ids(stmt, out, count, err);
}

nxv_status session_state_put(struct db_tx *tx, const char *id, const char *state, int64_t now_ms, struct nxv_error *err)
{
	return db_run(tx,
		"INSERT INTO call_state (session_id, state, stored_at_ms) VALUES (?1, ?2, ?3) "
		"ON CONFLICT (session_id) DO UPDATE SET state = ?2, stored_at_ms = ?3",
		err, "tti", id, state, now_ms);
}

nxv_status session_state_drop(struct db_tx *tx, const char *id, struct nxv_error *err)
{
	return db_run(tx, "DELETE FROM call_state WHERE session_id = ?", err, "t", id);
}

nxv_status session_state_load(struct db_tx *tx, const char *id, char **out, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(tx, "SELECT state FROM call_state WHERE session_id = ?", &stmt, err);

	*out = NULL;
	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, id);
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && row && !(*out = text_dup(db_text(stmt, 0))))
		status = error_nomem(err);
	db_done(stmt);
	return status;
}

nxv_status session_sweep(struct db_tx *tx, struct nxv_error *err)
{
	nxv_status status = db_run(tx,
		"DELETE FROM slot WHERE session_id NOT IN (SELECT id FROM session WHERE ended_at_ms = 0)", err, "");

	if (status != NXV_OK)
		return status;
	return db_run(tx,
		"DELETE FROM call_state WHERE session_id NOT IN (SELECT id FROM session WHERE ended_at_ms = 0)", err, "");
}

nxv_status session_count_live(struct db_tx *tx, int64_t *out, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row;
	nxv_status status = db_query(tx, "SELECT count(*) FROM session WHERE ended_at_ms = 0", &stmt, err);

	*out = 0;
	if (status != NXV_OK)
		return status;
	status = db_step(stmt, &row, err);
	if (status == NXV_OK)
		*out = db_int(stmt, 0);
	db_done(stmt);
	return status;
}

/* The cursor is "<started_at_ms>.<id>" of the last row shown. */
static nxv_status parse_cursor(const char *cursor, int64_t *started, const char **id, struct nxv_error *err)
{
	char number[24];
	const char *dot;

	*id = "";
	if (!cursor)
		return NXV_OK;
	dot = strchr(cursor, '.');
	if (dot && (size_t)(dot - cursor) < sizeof(number)) {
		snprintf(number, sizeof(number), "%.*s", (int)(dot - cursor), cursor);
		*id = dot + 1;
		if (text_int(number, 0, INT64_MAX, started))
			return NXV_OK;
	}
	return error_field(err, "cursor", "this cursor is not one that a list gave; start without it");
}

static nxv_status collect(
	struct db_stmt *stmt, size_t limit, int64_t now_ms, struct nxv_session_page *list, struct nxv_error *err)
{
	bool row = true;
	nxv_status status;

	list->items = calloc(limit, sizeof(*list->items));
	if (!list->items)
		return error_nomem(err);
	while ((status = db_step(stmt, &row, err)) == NXV_OK && row) {
		struct session_row *item;
		if (list->count == limit) { /* one row more than asked for: there is a next page */
			const struct nxv_session *last = list->items[limit - 1];
			list->next_cursor = text_printf("%lld.%s", (long long)last->started_at_ms, last->id);
			return list->next_cursor ? NXV_OK : error_nomem(err);
		}
		item = read_row(stmt, now_ms);
		if (!item)
			return error_nomem(err);
		list->items[list->count++] = &item->pub;
	}
	return status;
}

/* Each filter that may leave few of many calls has an index: one user's, or those that are up. */
#define PAGE(index, filter, order) \
	"SELECT " SELECTED " FROM session " index " WHERE " filter \
	" (started_at_ms, id) > (?1, ?2) AND (started_at_ms, id) < (?3, ?7) " \
	"ORDER BY started_at_ms " order ", id " order " LIMIT ?6"
#define PAGES(order) \
	{ \
		{ PAGE("", "(?5 IS NULL OR status = ?5) AND", order), \
			PAGE("", "user_id = ?4 AND (?5 IS NULL OR status = ?5) AND", order) }, \
		{ PAGE("INDEXED BY session_live", "ended_at_ms = 0 AND", order), \
			PAGE("INDEXED BY session_live", "ended_at_ms = 0 AND user_id = ?4 AND", order) }, \
	}

/* A page lies strictly between two places in the order; every id is after "". */
struct place {
	int64_t at_ms;
	const char *id;
};

static nxv_status bounds(const struct nxv_session_list_opts *opts, struct place *after, struct place *before, struct nxv_error *err)
{
	struct place cursor = { 0, "" };
	nxv_status status = parse_cursor(opts->cursor, &cursor.at_ms, &cursor.id, err);

	*after = (struct place){ opts->since_ms, "" };
	*before = (struct place){ opts->until_ms ? opts->until_ms : INT64_MAX, "" };
	if (status != NXV_OK || !opts->cursor)
		return status;
	if (opts->oldest_first && cursor.at_ms >= after->at_ms)
		*after = cursor;
	if (!opts->oldest_first && cursor.at_ms < before->at_ms)
		*before = cursor;
	return NXV_OK;
}

nxv_status session_page(struct db_tx *tx, const struct nxv_session_list_opts *opts, int64_t now_ms,
	struct nxv_session_page *list, struct nxv_error *err)
{
	static const char *const pages[2][2][2] = { PAGES("DESC"), PAGES("ASC") };
	const bool live = opts->status && strcmp(opts->status, "live") == 0;
	struct db_stmt *stmt;
	struct place after, before;
	nxv_status status = bounds(opts, &after, &before, err);

	if (status == NXV_OK)
		status = db_query(tx, pages[opts->oldest_first][live][opts->user_id != NULL], &stmt, err);
	if (status != NXV_OK)
		return status;
	db_bind_int(stmt, 1, after.at_ms);
	db_bind_text(stmt, 2, after.id);
	db_bind_int(stmt, 3, before.at_ms);
	db_bind_text(stmt, 7, before.id);
	if (opts->user_id)
		db_bind_text(stmt, 4, opts->user_id);
	if (!live)
		db_bind_text(stmt, 5, opts->status);
	db_bind_int(stmt, 6, (int64_t)opts->limit + 1);
	status = collect(stmt, opts->limit, now_ms, list, err);
	db_done(stmt);
	return status;
}
