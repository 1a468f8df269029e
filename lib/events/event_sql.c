/* event_sql.c - the event table: appending and reading a page.
 * AUTOINCREMENT never hands a number out twice, and one writer at a time makes numbers appear in order. */
#include "events/event_sql.h"

#include "base/error.h"
#include "base/text.h"
#include "events/event_log.h"

#include <stdlib.h>

static nxv_status read_seq(struct db_tx *tx, int64_t *seq, struct nxv_error *err)
{
	struct db_stmt *stmt = NULL;
	bool row = false;
	nxv_status status = db_query(tx, "SELECT last_insert_rowid()", &stmt, err);

	if (status)
		return status;
	status = db_step(stmt, &row, err);
	if (!status)
		*seq = db_int(stmt, 0);
	db_done(stmt);
	return status;
}

nxv_status event_append(struct db_tx *tx, int64_t at_ms, const char *type, const char *subject, const char *user_id,
	const char *data, int64_t *seq, struct nxv_error *err)
{
	nxv_status status = db_run(tx,
		"INSERT INTO event (at_ms, type, subject, user_id, data) VALUES (?1, ?2, ?3, ?4, ?5)", err, "itttt",
		at_ms, type, subject, user_id, data ? data : "");

	return status || !seq ? status : read_seq(tx, seq, err);
}

static nxv_status read_event(struct db_stmt *stmt, struct nxv_event **out, struct nxv_error *err)
{
	struct nxv_event *event = calloc(1, sizeof(*event));
	const char *user_id = db_text(stmt, 4);

	*out = event; /* the list owns it, complete or not */
	if (!event)
		return error_nomem(err);
	event->seq = db_int(stmt, 0);
	event->at_ms = db_int(stmt, 1);
	event->type = text_dup(db_text(stmt, 2));
	event->subject = text_dup(db_text(stmt, 3));
	event->user_id = text_dup(user_id);
	event->data = text_dup(db_text(stmt, 5));
	if (!event->type || !event->subject || (user_id && !event->user_id) || !event->data)
		return error_nomem(err);
	return NXV_OK;
}

#define PAGE(filter)                                                                                                   \
	"SELECT seq, at_ms, type, subject, user_id, data FROM event WHERE " filter " seq > ?1 ORDER BY seq LIMIT ?2"

nxv_status event_sql_page(struct db_tx *tx, const struct nxv_event_opts *opts, unsigned limit,
	struct nxv_event_list *list, struct nxv_error *err)
{
	static const char *const pages[2][2] = {
		{ PAGE(""), PAGE("user_id = ?4 AND") },
		{ PAGE("subject = ?3 AND"), PAGE("subject = ?3 AND user_id = ?4 AND") },
	};
	struct db_stmt *stmt = NULL;
	bool row = false;
	nxv_status status = db_query(tx, pages[opts->subject != NULL][opts->user_id != NULL], &stmt, err);

	if (status)
		return status;
	db_bind_int(stmt, 1, opts->after_seq);
	db_bind_int(stmt, 2, limit);
	if (opts->subject)
		db_bind_text(stmt, 3, opts->subject);
	if (opts->user_id)
		db_bind_text(stmt, 4, opts->user_id);
	list->items = calloc(limit, sizeof(struct nxv_event *));
	if (!list->items)
		status = error_nomem(err);
	while (!status && !(status = db_step(stmt, &row, err)) && row)
		status = read_event(stmt, &list->items[list->count++], err);
	db_done(stmt);
	return status;
}
