/* idem_sql.c - the idempotency table: every statement about it. */
#include "idem/idem_sql.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

nxv_status idem_sql_purge(struct db_tx *tx, int64_t before_ms, int64_t max, struct nxv_error *err)
{
	return db_run(tx,
		"DELETE FROM idempotency WHERE (scope, digest) IN"
		" (SELECT scope, digest FROM idempotency WHERE created_at_ms <= ?1 ORDER BY created_at_ms LIMIT ?2)",
		err, "ii", before_ms, max);
}

/* Prepare a statement whose first two parameters say which row. */
static nxv_status about(struct db_tx *tx, const char *sql, const char *scope, const uint8_t *digest,
	struct db_stmt **stmt, struct nxv_error *err)
{
	nxv_status status = db_query(tx, sql, stmt, err);

	if (status)
		return status;
	db_bind_text(*stmt, 1, scope);
	db_bind_blob(*stmt, 2, digest, DIGEST_MAX_BYTES);
	return NXV_OK;
}

nxv_status idem_sql_insert(struct db_tx *tx, const char *scope, const uint8_t digest[DIGEST_MAX_BYTES],
	const uint8_t request[DIGEST_MAX_BYTES], int64_t now_ms, struct nxv_error *err)
{
	struct db_stmt *stmt = NULL;
	nxv_status status =
		about(tx, "INSERT INTO idempotency (scope, digest, request, created_at_ms) VALUES (?1, ?2, ?3, ?4)",
			scope, digest, &stmt, err);

	if (status)
		return status;
	db_bind_blob(stmt, 3, request, DIGEST_MAX_BYTES);
	db_bind_int(stmt, 4, now_ms);
	status = db_step(stmt, NULL, err);
	db_done(stmt);
	return status;
}

static nxv_status read_row(struct db_stmt *stmt, struct idem_row *row, struct nxv_error *err)
{
	size_t len;
	const void *data = db_blob(stmt, 0, &len);

	if (len != sizeof(row->request))
		return error_set(err, NXV_E_STORE,
			"a stored Idempotency-Key is damaged; send the request with a new one");
	memcpy(row->request, data, len);
	row->http_status = (int)db_int(stmt, 1);
	row->created_at_ms = db_int(stmt, 2);
	data = db_blob(stmt, 3, &row->answer_len);
	if (!row->answer_len)
		return NXV_OK;
	row->answer = malloc(row->answer_len);
	if (!row->answer)
		return error_nomem(err);
	memcpy(row->answer, data, row->answer_len);
	return NXV_OK;
}

nxv_status idem_sql_get(struct db_tx *tx, const char *scope, const uint8_t digest[DIGEST_MAX_BYTES],
	struct idem_row *row, bool *found, struct nxv_error *err)
{
	struct db_stmt *stmt = NULL;
	nxv_status status = about(tx,
		"SELECT request, status, created_at_ms, answer FROM idempotency WHERE scope = ?1 AND digest = ?2",
		scope, digest, &stmt, err);

	*row = (struct idem_row){ 0 };
	*found = false;
	if (status)
		return status;
	status = db_step(stmt, found, err);
	if (!status && *found)
		status = read_row(stmt, row, err);
	db_done(stmt);
	return status;
}

nxv_status idem_sql_answer(struct db_tx *tx, const char *scope, const uint8_t digest[DIGEST_MAX_BYTES],
	int http_status, const uint8_t *answer, size_t len, struct nxv_error *err)
{
	struct db_stmt *stmt = NULL;
	nxv_status status = about(tx,
		"UPDATE idempotency SET status = ?3, answer = ?4 WHERE scope = ?1 AND digest = ?2", scope, digest,
		&stmt, err);

	if (status)
		return status;
	db_bind_int(stmt, 3, http_status);
	db_bind_blob(stmt, 4, answer, len);
	status = db_step(stmt, NULL, err);
	db_done(stmt);
	return status;
}

nxv_status idem_sql_delete(
	struct db_tx *tx, const char *scope, const uint8_t digest[DIGEST_MAX_BYTES], struct nxv_error *err)
{
	struct db_stmt *stmt = NULL;
	nxv_status status =
		about(tx, "DELETE FROM idempotency WHERE scope = ?1 AND digest = ?2", scope, digest, &stmt, err);

	if (status)
		return status;
	status = db_step(stmt, NULL, err);
	db_done(stmt);
	return status;
}
