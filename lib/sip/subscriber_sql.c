/* subscriber_sql.c - the rows of auth.db: one per live credential, plus the gateway's own service user.
 * Order against other processes: a credential is committed to nexusvoip.db first and copied here second, and a sync
 * reads nexusvoip.db only while it holds the write lock here, so it can never undo a copy that came after it. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "sip/subscriber.h"

extern const char sip_subscriber_schema_sql[];

nxv_status subscriber_open(const struct env *env, const char *path, struct db **out, struct nxv_error *err)
{
	static const struct db_migration steps[] = { { 1, "subscriber", sip_subscriber_schema_sql }, { 0, NULL, NULL } };

	return db_open(env, path, steps, out, err);
}

/* Rows that are right already stay untouched, so that a sync of many costs reads only. */
static nxv_status put(struct db_tx *tx, const struct subscriber *sub, struct nxv_error *err)
{
	int64_t expires_at = sub->expires_at_ms / 1000;

	return db_run(tx,
		"INSERT INTO subscriber (username, domain, ha1, ha1_sha256, ha1_sha512t256, owner, call_limit, expires_at) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (username, domain) DO UPDATE SET "
		"ha1 = ?3, ha1_sha256 = ?4, ha1_sha512t256 = ?5, owner = ?6, call_limit = ?7, expires_at = ?8 "
		"WHERE (ha1, ha1_sha256, ha1_sha512t256, owner, call_limit, expires_at) IS NOT (?3, ?4, ?5, ?6, ?7, ?8)",
		err, "ttttttii", sub->username, sub->domain, sub->ha1, sub->ha1_sha256, sub->ha1_sha512t256, sub->owner,
		sub->call_limit, expires_at);
}

nxv_status subscriber_put(struct db *auth, const struct subscriber *sub, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(auth, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	status = put(tx, sub, err);
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

nxv_status subscriber_delete(struct db *auth, const char *username, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(auth, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	status = db_run(tx, "DELETE FROM subscriber WHERE username = ?1", err, "t", username);
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

/* Expired credentials are copied too: the server compares expires_at itself, and the engine ends them. */
static nxv_status put_live(struct db_tx *tx, struct db_tx *main, int64_t call_limit, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(main,
		"SELECT username, domain, ha1_md5, ha1_sha256, ha1_sha512t256, user_id, expires_at_ms FROM credential "
		"WHERE revoked_at_ms = 0",
		&stmt, err);

	if (status != NXV_OK)
		return status;
	while ((status = db_step(stmt, &row, err)) == NXV_OK && row) {
		status = put(tx,
			&(struct subscriber){ .username = db_text(stmt, 0),
				.domain = db_text(stmt, 1),
				.ha1 = db_text(stmt, 2),
				.ha1_sha256 = db_text(stmt, 3),
				.ha1_sha512t256 = db_text(stmt, 4),
				.owner = db_text(stmt, 5),
				.call_limit = call_limit,
				.expires_at_ms = db_int(stmt, 6) },
			err);
		if (status != NXV_OK)
			break;
	}
	db_done(stmt);
	return status;
}

static nxv_status is_live(struct db_tx *main, const char *username, const char *domain, bool *live, struct nxv_error *err)
{
	struct db_stmt *stmt;
	nxv_status status = db_query(
		main, "SELECT 1 FROM credential WHERE username = ?1 AND domain = ?2 AND revoked_at_ms = 0", &stmt, err);

	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, username);
	db_bind_text(stmt, 2, domain);
	status = db_step(stmt, live, err);
	db_done(stmt);
	return status;
}

/* Ids of rows without a live credential, as an array in `ids`. */
static nxv_status find_stale(
	struct db_tx *tx, struct db_tx *main, const struct subscriber *service, struct buf *ids, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false, live;
	nxv_status status = db_query(tx, "SELECT id, username, domain FROM subscriber", &stmt, err);

	if (status != NXV_OK)
		return status;
	while ((status = db_step(stmt, &row, err)) == NXV_OK && row) {
		int64_t id = db_int(stmt, 0);
		if (service && strcmp(db_text(stmt, 1), service->username) == 0 && strcmp(db_text(stmt, 2), service->domain) == 0)
			continue;
		status = is_live(main, db_text(stmt, 1), db_text(stmt, 2), &live, err);
		if (status != NXV_OK)
			break;
		if (!live)
			buf_append(ids, &id, sizeof(id));
	}
	db_done(stmt);
	return status == NXV_OK && ids->failed ? error_nomem(err) : status;
}

static nxv_status delete_stale(struct db_tx *tx, const struct buf *ids, struct nxv_error *err)
{
	nxv_status status = NXV_OK;

	for (size_t at = 0; status == NXV_OK && at < ids->len; at += sizeof(int64_t)) {
		int64_t id;
		memcpy(&id, ids->data + at, sizeof(id));
		status = db_run(tx, "DELETE FROM subscriber WHERE id = ?1", err, "i", id);
	}
	return status;
}

nxv_status subscriber_sync(
	struct db *auth, struct db *main, const struct subscriber *service, int64_t call_limit, struct nxv_error *err)
{
	struct db_tx *tx = NULL, *main_tx = NULL;
	struct buf ids = BUF_INIT;
	nxv_status status = db_begin(auth, DB_WRITE, &tx, err);

	if (status == NXV_OK)
		status = db_begin(main, DB_READ, &main_tx, err);
	if (status == NXV_OK)
		status = put_live(tx, main_tx, call_limit, err);
	if (status == NXV_OK && service)
		status = put(tx, service, err);
	if (status == NXV_OK)
		status = find_stale(tx, main_tx, service, &ids, err);
	if (status == NXV_OK)
		status = delete_stale(tx, &ids, err);
	if (status == NXV_OK) {
		status = db_commit(tx, err);
		tx = NULL;
	}
	db_rollback(main_tx);
	db_rollback(tx);
	buf_free(&ids);
	return status;
}
