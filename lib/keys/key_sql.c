/* key_sql.c - the api_key table: every statement about it.
 * A key's digest is compared once more in constant time after the index has found it. */
#include "keys/key_sql.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>

#define COLUMNS "id, prefix, user_id, name, permissions, active, created_at_ms, expires_at_ms, last_used_at_ms"
enum { COLUMN_COUNT = 9 };

static nxv_status read_key(struct db_stmt *stmt, struct nxv_key **out, struct nxv_error *err)
{
	struct nxv_key *key = calloc(1, sizeof(*key));

	if (!key)
		return error_nomem(err);
	key->id = text_dup(db_text(stmt, 0));
	key->prefix = text_dup(db_text(stmt, 1));
	key->user_id = text_dup(db_text(stmt, 2));
	key->name = text_dup(db_text(stmt, 3));
	key->permissions = (unsigned)db_int(stmt, 4);
	key->active = db_int(stmt, 5) != 0;
	key->created_at_ms = db_int(stmt, 6);
	key->expires_at_ms = db_int(stmt, 7);
	key->last_used_at_ms = db_int(stmt, 8);
	if (!key->id || !key->prefix || !key->user_id || !key->name) {
		nxv_key_free(key);
		return error_nomem(err);
	}
	*out = key;
	return NXV_OK;
}

nxv_status key_sql_insert(struct db_tx *tx, const struct nxv_key *key, const uint8_t digest[TOKEN_DIGEST_BYTES],
	struct nxv_error *err)
{
	struct db_stmt *stmt = NULL;
	bool row;
	nxv_status status = db_query(tx,
		"INSERT INTO api_key (id, digest, prefix, user_id, name, permissions, active, created_at_ms,"
		" expires_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", &stmt, err);

	if (status)
		return status;
	db_bind_text(stmt, 1, key->id);
	db_bind_blob(stmt, 2, digest, TOKEN_DIGEST_BYTES);
	db_bind_text(stmt, 3, key->prefix);
	db_bind_text(stmt, 4, key->user_id);
	db_bind_text(stmt, 5, key->name);
	db_bind_int(stmt, 6, key->permissions);
	db_bind_int(stmt, 7, key->active);
	db_bind_int(stmt, 8, key->created_at_ms);
	db_bind_int(stmt, 9, key->expires_at_ms);
	status = db_step(stmt, &row, err);
	db_done(stmt);
	return status;
}

nxv_status key_sql_by_digest(struct db_tx *tx, const uint8_t digest[TOKEN_DIGEST_BYTES], struct nxv_key **out,
	struct nxv_error *err)
{
	struct db_stmt *stmt = NULL;
	size_t len = 0;
	bool row = false;
	nxv_status status = db_query(tx, "SELECT " COLUMNS ", digest FROM api_key WHERE digest = ?1", &stmt, err);

	*out = NULL;
	if (status)
		return status;
	db_bind_blob(stmt, 1, digest, TOKEN_DIGEST_BYTES);
	status = db_step(stmt, &row, err);
	if (!status && row) {
		const void *stored = db_blob(stmt, COLUMN_COUNT, &len);

		if (len == TOKEN_DIGEST_BYTES && digest_equal(stored, digest, len))
			status = read_key(stmt, out, err);
	}
	db_done(stmt);
	return status;
}

nxv_status key_sql_by_id(struct db_tx *tx, const char *id, struct nxv_key **out, char **replaced_by,
	struct nxv_error *err)
{
	struct db_stmt *stmt = NULL;
	bool row = false;
	nxv_status status = db_query(tx, "SELECT " COLUMNS ", replaced_by FROM api_key WHERE id = ?1", &stmt, err);

	*out = NULL;
	if (replaced_by)
		*replaced_by = NULL;
	if (status)
		return status;
	db_bind_text(stmt, 1, id);
	status = db_step(stmt, &row, err);
	if (!status && !row)
		status = error_set(err, NXV_E_NOT_FOUND,
			"there is no API key with this id; list the keys to see theirs");
	if (!status)
		status = read_key(stmt, out, err);
	if (!status && replaced_by && db_text(stmt, COLUMN_COUNT)) {
		*replaced_by = text_dup(db_text(stmt, COLUMN_COUNT));
		if (!*replaced_by)
			status = error_nomem(err);
	}
	db_done(stmt);
	if (status) {
		nxv_key_free(*out);
		*out = NULL;
	}
	return status;
}

static nxv_status read_page(struct db_stmt *stmt, unsigned limit, struct nxv_key_page *list, struct nxv_error *err)
{
	nxv_status status;
	bool row = false;

	list->items = calloc(limit, sizeof(struct nxv_key *));
	if (!list->items)
		return error_nomem(err);
	while (!(status = db_step(stmt, &row, err)) && row) {
		if (list->count == limit) {
			const struct nxv_key *last = list->items[limit - 1];

			list->next_cursor = text_printf("%" PRId64 ".%s", last->created_at_ms, last->id);
			return list->next_cursor ? NXV_OK : error_nomem(err);
		}
		status = read_key(stmt, &list->items[list->count], err);
		if (status)
			return status;
		list->count++;
	}
	return status;
}

#define PAGE(filter)                                                                                                   \
	"SELECT " COLUMNS " FROM api_key WHERE " filter " (created_at_ms, id) < (?1, ?2)"                              \
	" ORDER BY created_at_ms DESC, id DESC LIMIT ?3"

nxv_status key_sql_page(struct db_tx *tx, const char *user_id, int64_t before_ms, const char *before_id, unsigned limit,
	struct nxv_key_page *list, struct nxv_error *err)
{
	struct db_stmt *stmt = NULL;
	nxv_status status = db_query(tx, user_id ? PAGE("user_id = ?4 AND") : PAGE(""), &stmt, err);

	if (status)
		return status;
	db_bind_int(stmt, 1, before_ms);
	db_bind_text(stmt, 2, before_id);
	db_bind_int(stmt, 3, (int64_t)limit + 1); /* one more tells whether there is a next page */
	if (user_id)
		db_bind_text(stmt, 4, user_id);
	status = read_page(stmt, limit, list, err);
	db_done(stmt);
	return status;
}

nxv_status key_sql_set_active(struct db_tx *tx, const char *id, enum key_change change, bool *changed,
	struct nxv_error *err)
{
	nxv_status status;

	if (change == KEY_FLIP)
		status = db_run(tx, "UPDATE api_key SET active = 1 - active WHERE id = ?1", err, "t", id);
	else
		status = db_run(tx, "UPDATE api_key SET active = ?2 WHERE id = ?1 AND active <> ?2", err, "ti", id,
			(int64_t)(change == KEY_ENABLE));
	*changed = !status && db_changes(tx) > 0;
	return status;
}

nxv_status key_sql_replace(struct db_tx *tx, const char *id, const char *new_id, int64_t expires_at_ms,
	struct nxv_error *err)
{
	return db_run(tx, "UPDATE api_key SET replaced_by = ?2, expires_at_ms = ?3 WHERE id = ?1", err, "tti", id,
		new_id, expires_at_ms);
}

nxv_status key_sql_delete(struct db_tx *tx, const char *id, struct nxv_error *err)
{
	return db_run(tx, "DELETE FROM api_key WHERE id = ?1", err, "t", id);
}
