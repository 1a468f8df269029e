/* credentials_sql.c - the credential table of nexusvoip.db: insert, find, page, revoke.
 * A row is live until it is revoked or expires; nothing here shows another. */
#include "sip/credentials_sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "events/event_log.h"

#define COLUMNS "id, user_id, username, domain, created_at_ms, expires_at_ms"
#define LIVE "revoked_at_ms = 0 AND (expires_at_ms = 0 OR expires_at_ms > ?1)"

static nxv_status event(struct db_tx *tx, const char *type, const char *id, const char *user_id, const char *username,
	int64_t now_ms, struct nxv_error *err)
{
	char data[96];

	snprintf(data, sizeof(data), "username=%s", username);
	return event_append(tx, now_ms, type, id, user_id, data, NULL, err);
}

nxv_status credentials_insert(
	struct db *db, const char *id, const struct subscriber *sub, int64_t now_ms, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(db, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	status = db_run(tx,
		"INSERT INTO credential (id, user_id, username, domain, ha1_md5, ha1_sha256, ha1_sha512t256, created_at_ms, "
		"expires_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
		err, "tttttttii", id, sub->owner, sub->username, sub->domain, sub->ha1, sub->ha1_sha256, sub->ha1_sha512t256,
		now_ms, sub->expires_at_ms);
	if (status == NXV_OK)
		status = event(tx, "credential.created", id, sub->owner, sub->username, now_ms, err);
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

nxv_status credentials_undo(struct db *db, const char *id, const char *user_id, int64_t now_ms, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(db, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	status = db_run(tx, "DELETE FROM credential WHERE id = ?1", err, "t", id);
	if (status == NXV_OK)
		status = event_append(tx, now_ms, "credential.revoked", id, user_id, "reason=not_stored", NULL, err);
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

static nxv_status read_row(struct db_stmt *stmt, struct nxv_credential **out, struct nxv_error *err)
{
	struct nxv_credential *cred = calloc(1, sizeof(*cred));

	*out = NULL;
	if (!cred)
		return error_nomem(err);
	cred->id = text_dup(db_text(stmt, 0));
	cred->user_id = text_dup(db_text(stmt, 1));
	cred->username = text_dup(db_text(stmt, 2));
	cred->domain = text_dup(db_text(stmt, 3));
	cred->created_at_ms = db_int(stmt, 4);
	cred->expires_at_ms = db_int(stmt, 5);
	cred->sip_uri = text_printf("sip:%s@%s", cred->username, cred->domain);
	if (!cred->id || !cred->user_id || !cred->username || !cred->domain || !cred->sip_uri) {
		nxv_credential_free(cred);
		return error_nomem(err);
	}
	*out = cred;
	return NXV_OK;
}

static nxv_status not_found(struct nxv_error *err)
{
	return error_set(err, NXV_E_NOT_FOUND, "no such SIP credential; list them to see their ids and usernames");
}

nxv_status credentials_find(
	struct db *db, const char *key, int64_t now_ms, struct nxv_credential **out, struct nxv_error *err)
{
	struct db_tx *tx;
	struct db_stmt *stmt = NULL;
	bool row = false;
	nxv_status status = db_begin(db, DB_READ, &tx, err);

	*out = NULL;
	if (status != NXV_OK)
		return status;
	status = db_query(tx, "SELECT " COLUMNS " FROM credential WHERE (id = ?2 OR username = ?2) AND " LIVE, &stmt, err);
	if (status == NXV_OK) {
		db_bind_int(stmt, 1, now_ms);
		db_bind_text(stmt, 2, key);
		status = db_step(stmt, &row, err);
	}
	if (status == NXV_OK)
		status = row ? read_row(stmt, out, err) : not_found(err);
	db_done(stmt);
	db_rollback(tx);
	return status;
}

/* A cursor is "<created_at_ms>.<id>" of the last item shown. */
static bool cursor_parse(const char *cursor, int64_t *at_ms, const char **id)
{
	char number[24];
	const char *dot;

	*at_ms = INT64_MAX;
	*id = "";
	if (!cursor)
		return true;
	dot = strchr(cursor, '.');
	if (!dot || (size_t)(dot - cursor) >= sizeof(number) || !dot[1])
		return false;
	memcpy(number, cursor, (size_t)(dot - cursor));
	number[dot - cursor] = '\0';
	*id = dot + 1;
	return text_int(number, 0, INT64_MAX, at_ms);
}

/* One row more than asked for tells whether a next page exists. */
static nxv_status collect(struct db_stmt *stmt, unsigned limit, struct nxv_credential_page *list, struct nxv_error *err)
{
	bool row = false;
	nxv_status status;

	list->items = calloc(limit, sizeof(struct nxv_credential *));
	if (!list->items)
		return error_nomem(err);
	while ((status = db_step(stmt, &row, err)) == NXV_OK && row) {
		if (list->count == limit) {
			const struct nxv_credential *last = list->items[limit - 1];
			list->next_cursor = text_printf("%" PRId64 ".%s", last->created_at_ms, last->id);
			return list->next_cursor ? NXV_OK : error_nomem(err);
		}
		status = read_row(stmt, &list->items[list->count], err);
		if (status != NXV_OK)
			return status;
		list->count++;
	}
	return status;
}

nxv_status credentials_page(struct db *db, const char *user_id, const char *cursor, unsigned limit, int64_t now_ms,
	struct nxv_credential_page **out, struct nxv_error *err)
{
	static const char all[] = "SELECT " COLUMNS " FROM credential WHERE " LIVE
				  " AND (created_at_ms, id) < (?2, ?3) ORDER BY created_at_ms DESC, id DESC LIMIT ?4";
	static const char of_user[] = "SELECT " COLUMNS " FROM credential WHERE " LIVE
				      " AND (created_at_ms, id) < (?2, ?3) AND user_id = ?5 "
				      "ORDER BY created_at_ms DESC, id DESC LIMIT ?4";
	struct nxv_credential_page *list = NULL;
	struct db_stmt *stmt = NULL;
	struct db_tx *tx = NULL;
	const char *after_id;
	int64_t after_ms;
	nxv_status status;

	*out = NULL;
	if (!cursor_parse(cursor, &after_ms, &after_id))
		return error_field(err, "cursor", "is not one that a list gave; leave it out to start from the newest");
	list = calloc(1, sizeof(*list));
	if (!list)
		return error_nomem(err);
	status = db_begin(db, DB_READ, &tx, err);
	if (status == NXV_OK)
		status = db_query(tx, user_id ? of_user : all, &stmt, err);
	if (status == NXV_OK) {
		db_bind_int(stmt, 1, now_ms);
		db_bind_int(stmt, 2, after_ms);
		db_bind_text(stmt, 3, after_id);
		db_bind_int(stmt, 4, (int64_t)limit + 1);
		if (user_id)
			db_bind_text(stmt, 5, user_id);
		status = collect(stmt, limit, list, err);
	}
	db_done(stmt);
	db_rollback(tx);
	if (status == NXV_OK) {
		*out = list;
		list = NULL;
	}
	nxv_credential_page_free(list);
	return status;
}

static nxv_status find_any(struct db_tx *tx, const char *key, char **id, char **user_id, char **username, bool *live,
	struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(
		tx, "SELECT id, user_id, username, revoked_at_ms FROM credential WHERE id = ?1 OR username = ?1", &stmt, err);

	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, key);
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && !row)
		status = not_found(err);
	if (status == NXV_OK) {
		*id = text_dup(db_text(stmt, 0));
		*user_id = text_dup(db_text(stmt, 1));
		*username = text_dup(db_text(stmt, 2));
		*live = db_int(stmt, 3) == 0;
		if (!*id || !*user_id || !*username)
			status = error_nomem(err);
	}
	db_done(stmt);
	return status;
}

nxv_status credentials_mark(
	struct db *db, const char *key, int64_t now_ms, char **username, bool *changed, struct nxv_error *err)
{
	char *id = NULL, *user_id = NULL;
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(db, DB_WRITE, &tx, err);

	*username = NULL;
	*changed = false;
	if (status == NXV_OK)
		status = find_any(tx, key, &id, &user_id, username, changed, err);
	if (status == NXV_OK && *changed) {
		status = db_run(tx, "UPDATE credential SET revoked_at_ms = ?2 WHERE id = ?1", err, "ti", id, now_ms);
		if (status == NXV_OK)
			status = event(tx, "credential.revoked", id, user_id, *username, now_ms, err);
		if (status == NXV_OK) {
			status = db_commit(tx, err);
			tx = NULL;
		}
	}
	db_rollback(tx);
	free(id);
	free(user_id);
	if (status != NXV_OK) {
		free(*username);
		*username = NULL;
	}
	return status;
}

nxv_status credentials_usernames(struct db_tx *tx, const char *user_id, int64_t now_ms, char **out, size_t max,
	size_t *count, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(tx,
		"SELECT username FROM credential WHERE " LIVE " AND user_id = ?2 ORDER BY created_at_ms, id LIMIT ?3", &stmt, err);

	*count = 0;
	if (status != NXV_OK)
		return status;
	db_bind_int(stmt, 1, now_ms);
	db_bind_text(stmt, 2, user_id);
	db_bind_int(stmt, 3, (int64_t)max);
	while ((status = db_step(stmt, &row, err)) == NXV_OK && row && *count < max) {
		out[*count] = text_dup(db_text(stmt, 0));
		if (!out[*count]) {
			status = error_nomem(err);
			break;
		}
		++*count;
	}
	db_done(stmt);
	while (status != NXV_OK && *count > 0)
		free(out[--*count]);
	return status;
}

/* *user_id is NULL when there is none. */
static nxv_status find_owner(
	struct db_tx *tx, const char *sql, const char *username, int64_t now_ms, char **user_id, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(tx, sql, &stmt, err);

	*user_id = NULL;
	if (status != NXV_OK)
		return status;
	db_bind_int(stmt, 1, now_ms);
	db_bind_text(stmt, 2, username);
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && row && !(*user_id = text_dup(db_text(stmt, 0))))
		status = error_nomem(err);
	db_done(stmt);
	return status;
}

nxv_status credentials_owner(
	struct db_tx *tx, const char *username, int64_t now_ms, char **user_id, struct nxv_error *err)
{
	nxv_status status = find_owner(tx, "SELECT user_id FROM credential WHERE " LIVE " AND username = ?2", username, now_ms,
		user_id, err);

	return status == NXV_OK && !*user_id ? not_found(err) : status;
}

nxv_status credentials_owner_ever(struct db_tx *tx, const char *username, char **user_id, struct nxv_error *err)
{
	return find_owner(tx, "SELECT user_id FROM credential WHERE ?1 = 0 AND username = ?2", username, 0, user_id, err);
}

static nxv_status next_expiry(struct db_tx *tx, int64_t *next_ms, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(tx,
		"SELECT expires_at_ms FROM credential WHERE revoked_at_ms = 0 AND expires_at_ms > 0 ORDER BY expires_at_ms LIMIT 1",
		&stmt, err);

	*next_ms = 0;
	if (status != NXV_OK)
		return status;
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && row)
		*next_ms = db_int(stmt, 0);
	db_done(stmt);
	return status;
}

/* The oldest expired one that is not marked yet; *username NULL when there is none. */
static nxv_status first_expired(struct db_tx *tx, int64_t now_ms, char **id, char **user_id, char **username,
	struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(tx,
		"SELECT id, user_id, username FROM credential WHERE revoked_at_ms = 0 AND expires_at_ms > 0 AND expires_at_ms <= ?1 "
		"ORDER BY expires_at_ms LIMIT 1",
		&stmt, err);

	if (status != NXV_OK)
		return status;
	db_bind_int(stmt, 1, now_ms);
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && row) {
		*id = text_dup(db_text(stmt, 0));
		*user_id = text_dup(db_text(stmt, 1));
		*username = text_dup(db_text(stmt, 2));
		if (!*id || !*user_id || !*username)
			status = error_nomem(err);
	}
	db_done(stmt);
	return status;
}

nxv_status credentials_expire(struct db_tx *tx, int64_t now_ms, char **out, size_t max, size_t *count, int64_t *next_ms,
	struct nxv_error *err)
{
	nxv_status status = NXV_OK;

	*count = 0;
	while (status == NXV_OK && *count < max) {
		char *id = NULL, *user_id = NULL, *username = NULL;
		status = first_expired(tx, now_ms, &id, &user_id, &username, err);
		if (status == NXV_OK && username) {
			status = db_run(tx, "UPDATE credential SET revoked_at_ms = ?2 WHERE id = ?1", err, "ti", id, now_ms);
			if (status == NXV_OK)
				status = event(tx, "credential.expired", id, user_id, username, now_ms, err);
		}
		free(id);
		free(user_id);
		if (!username)
			break;
		out[(*count)++] = username;
	}
	if (status == NXV_OK)
		status = next_expiry(tx, next_ms, err);
	while (status != NXV_OK && *count > 0)
		free(out[--*count]);
	return status;
}

nxv_status credentials_check_domain(struct db *db, const char *domain, struct nxv_error *err)
{
	struct db_stmt *stmt = NULL;
	struct db_tx *tx;
	bool row = false;
	nxv_status status = db_begin(db, DB_READ, &tx, err);

	if (status != NXV_OK)
		return status;
	status = db_query(tx,
		"SELECT domain, count(*) FROM credential WHERE revoked_at_ms = 0 AND domain <> ?1 AND "
		"(expires_at_ms = 0 OR expires_at_ms > 1000 * CAST(strftime('%s', 'now') AS INTEGER)) "
		"GROUP BY domain ORDER BY 2 DESC LIMIT 1",
		&stmt, err);
	if (status == NXV_OK) {
		db_bind_text(stmt, 1, domain);
		status = db_step(stmt, &row, err);
	}
	if (status == NXV_OK && row) {
		status = error_code(err, NXV_E_CONFLICT, "domain_in_use",
			"sip.domain is '%s', but %" PRId64 " SIP credential(s) work in '%s' only: set sip.domain back to that, or "
			"revoke them first and make new ones after the change",
			domain, db_int(stmt, 1), db_text(stmt, 0));
		if (err)
			text_copy(err->field, sizeof(err->field), "sip.domain");
	}
	db_done(stmt);
	db_rollback(tx);
	return status;
}
