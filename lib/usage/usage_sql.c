/* usage_sql.c - the usage_row table, and the time of last use that goes with each row.
 * The order is (at_ms, id): each filter has an index that gives it without sorting. */
#include "usage/usage_sql.h"

#include "base/error.h"
#include "base/text.h"

#include <stdlib.h>

enum { LAST_USED_GRAIN_MS = 60000, LAST_USED_AHEAD_MS = 600000 };

nxv_status usage_sql_insert(struct db_tx *tx, const struct nxv_usage *row, struct nxv_error *err)
{
	nxv_status status = db_run(tx,
		"INSERT INTO usage_row (at_ms, request_id, key_id, user_id, method, route, status, bytes, duration_us,"
		" client_address, subject) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", err, "itttttiiitt", row->at_ms,
		row->request_id ? row->request_id : "", row->key_id, row->user_id, row->method ? row->method : "",
		row->route ? row->route : "", (int64_t)row->status, row->bytes, row->duration_us, row->client_address,
		row->subject);

	if (status)
		return status;
	/* A request that took long does not turn it back; a clock that was set back does. */
	return db_run(tx,
		"UPDATE api_key SET last_used_at_ms = ?2"
		" WHERE id = ?1 AND last_used_at_ms NOT BETWEEN ?2 - ?3 + 1 AND ?2 + ?4",
		err, "tiii", row->key_id, row->at_ms, (int64_t)LAST_USED_GRAIN_MS, (int64_t)LAST_USED_AHEAD_MS);
}

static nxv_status read_row(struct db_stmt *stmt, struct nxv_usage **out, struct nxv_error *err)
{
	struct nxv_usage *row = calloc(1, sizeof(*row));
	const char *address = db_text(stmt, 10), *subject;

	*out = row; /* the list owns it, complete or not */
	if (!row)
		return error_nomem(err);
	row->id = db_int(stmt, 0);
	row->at_ms = db_int(stmt, 1);
	row->request_id = text_dup(db_text(stmt, 2));
	row->key_id = text_dup(db_text(stmt, 3));
	row->user_id = text_dup(db_text(stmt, 4));
	row->method = text_dup(db_text(stmt, 5));
	row->route = text_dup(db_text(stmt, 6));
	row->status = (int)db_int(stmt, 7);
	row->bytes = db_int(stmt, 8);
	row->duration_us = db_int(stmt, 9);
	row->client_address = text_dup(address);
	subject = db_text(stmt, 11);
	row->subject = text_dup(subject);
	if (!row->request_id || !row->key_id || !row->user_id || !row->method || !row->route ||
		(address && !row->client_address) || (subject && !row->subject))
		return error_nomem(err);
	return NXV_OK;
}

static nxv_status read_page(
	struct db_stmt *stmt, unsigned limit, struct nxv_usage_page *list, bool *more, struct nxv_error *err)
{
	nxv_status status;
	bool row = false;

	list->items = calloc(limit, sizeof(struct nxv_usage *));
	if (!list->items)
		return error_nomem(err);
	while (!(status = db_step(stmt, &row, err)) && row) {
		*more = list->count == limit;
		if (*more)
			return NXV_OK;
		status = read_row(stmt, &list->items[list->count++], err);
		if (status)
			return status;
	}
	return status;
}

#define PAGE(filter, order)                                                                                            \
	"SELECT id, at_ms, request_id, key_id, user_id, method, route, status, bytes, duration_us, client_address, subject" \
	" FROM usage_row WHERE " filter " (at_ms, id) > (?1, ?2) AND (at_ms, id) < (?3, ?4)"                           \
	" ORDER BY at_ms " order ", id " order " LIMIT ?5"
#define PAGES(order)                                                                                                   \
	{                                                                                                              \
		{ PAGE("", order), PAGE("key_id = ?7 AND", order) },                                                   \
		{ PAGE("user_id = ?6 AND", order), PAGE("user_id = ?6 AND key_id = ?7 AND", order) },                  \
	}
#define SUBJECT "subject = ?8 AND (?6 IS NULL OR user_id = ?6) AND (?7 IS NULL OR key_id = ?7) AND"

nxv_status usage_sql_page(struct db_tx *tx, const struct nxv_usage_list_opts *opts, struct usage_place after,
	struct usage_place before, unsigned limit, struct nxv_usage_page *list, bool *more, struct nxv_error *err)
{
	static const char *const pages[2][2][2] = { PAGES("DESC"), PAGES("ASC") };
	static const char *const about[2] = { PAGE(SUBJECT, "DESC"), PAGE(SUBJECT, "ASC") };
	const char *sql = opts->subject ? about[opts->oldest_first] :
					  pages[opts->oldest_first][opts->user_id != NULL][opts->key_id != NULL];
	struct db_stmt *stmt = NULL;
	nxv_status status = db_query(tx, sql, &stmt, err);

	*more = false;
	if (status)
		return status;
	db_bind_int(stmt, 1, after.at_ms);
	db_bind_int(stmt, 2, after.id);
	db_bind_int(stmt, 3, before.at_ms);
	db_bind_int(stmt, 4, before.id);
	db_bind_int(stmt, 5, (int64_t)limit + 1); /* one more tells whether there is a next page */
	if (opts->user_id || opts->subject)
		db_bind_text(stmt, 6, opts->user_id);
	if (opts->key_id || opts->subject)
		db_bind_text(stmt, 7, opts->key_id);
	if (opts->subject)
		db_bind_text(stmt, 8, opts->subject);
	status = read_page(stmt, limit, list, more, err);
	db_done(stmt);
	return status;
}
