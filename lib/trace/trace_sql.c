/* trace_sql.c - every SQL statement about traces. */
#include "trace/trace_sql.h"

nxv_status trace_sql_insert(struct db_tx *tx, const struct trace_row *row, struct nxv_error *err)
{
	const char leg[2] = { row->leg, '\0' };

	return db_run(tx, "INSERT INTO trace (session_id, at_ms, kind, leg, sent, summary, detail) VALUES (?,?,?,?,?,?,?)", err,
		"tiititt", row->session_id ? row->session_id : "", row->at_ms, (int64_t)row->kind, leg, (int64_t)row->sent,
		row->summary ? row->summary : "", row->detail);
}

nxv_status trace_sql_drop(struct db_tx *tx, int64_t before_ms, int64_t max, int64_t *dropped, struct nxv_error *err)
{
	nxv_status status = db_run(tx,
		"DELETE FROM trace WHERE id IN (SELECT id FROM trace WHERE at_ms < ? ORDER BY at_ms LIMIT ?)", err, "ii", before_ms, max);

	*dropped = status == NXV_OK ? db_changes(tx) : 0;
	return status;
}

static struct trace_row read_row(struct db_stmt *stmt)
{
	const char *leg = db_text(stmt, 2);

	return (struct trace_row){ .at_ms = db_int(stmt, 0), .kind = (nxv_trace_kind)db_int(stmt, 1), .leg = leg ? leg[0] : 0,
		.sent = db_int(stmt, 3) != 0, .summary = (char *)db_text(stmt, 4), .detail = (char *)db_text(stmt, 5) };
}

nxv_status trace_sql_each(struct db_tx *tx, const char *session_id, trace_sql_fn *fn, void *arg, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(
		tx, "SELECT at_ms, kind, leg, sent, summary, detail FROM trace WHERE session_id = ? ORDER BY id", &stmt, err);

	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, session_id);
	while ((status = db_step(stmt, &row, err)) == NXV_OK && row) {
		const struct trace_row entry = read_row(stmt);
		status = fn(arg, &entry, err);
		if (status != NXV_OK)
			break;
	}
	db_done(stmt);
	return status;
}
