/* secret_sql.c - the tables of sealed secrets and of what is known of their sealing key. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "secrets/inside.h"

static nxv_status take_blobs(struct db_stmt *stmt, struct sealing *out, struct nxv_error *err)
{
	size_t salt_len, len;
	const void *salt = db_blob(stmt, 2, &salt_len), *verifier = db_blob(stmt, 5, &len);

	if (!salt || !verifier || salt_len != sizeof(out->salt) || len > sizeof(out->verifier))
		return error_set(err, NXV_E_STORE, "the record of the sealing key is damaged: restore a backup of the database");
	memcpy(out->salt, salt, salt_len);
	memcpy(out->verifier, verifier, len);
	out->verifier_len = len;
	return NXV_OK;
}

nxv_status sealing_load(struct db_tx *tx, struct sealing *out, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(tx,
		"SELECT id, kind, salt, passes, memory_kib, verifier, created_at_ms FROM seal_key", &stmt, err);

	*out = (struct sealing){ .id = "" };
	if (status != NXV_OK)
		return status;
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && row) {
		status = take_blobs(stmt, out, err);
		text_copy(out->id, sizeof(out->id), db_text(stmt, 0));
		text_copy(out->kind, sizeof(out->kind), db_text(stmt, 1));
		out->cost.passes = (uint32_t)db_int(stmt, 3);
		out->cost.memory_kib = (uint32_t)db_int(stmt, 4);
		out->created_at_ms = db_int(stmt, 6);
	}
	db_done(stmt);
	return status;
}

nxv_status sealing_insert(struct db_tx *tx, const struct sealing *sealing, struct nxv_error *err)
{
	struct db_stmt *stmt;
	nxv_status status = db_query(tx,
		"INSERT INTO seal_key (id, kind, salt, passes, memory_kib, verifier, created_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		&stmt, err);

	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, sealing->id);
	db_bind_text(stmt, 2, sealing->kind);
	db_bind_blob(stmt, 3, sealing->salt, sizeof(sealing->salt));
	db_bind_int(stmt, 4, sealing->cost.passes);
	db_bind_int(stmt, 5, sealing->cost.memory_kib);
	db_bind_blob(stmt, 6, sealing->verifier, sealing->verifier_len);
	db_bind_int(stmt, 7, sealing->created_at_ms);
	status = db_step(stmt, NULL, err);
	db_done(stmt);
	return status;
}

nxv_status sealing_sweep(struct db_tx *tx, struct nxv_error *err)
{
	return db_run(tx, "DELETE FROM seal_key WHERE id NOT IN (SELECT key_id FROM secret)", err, "");
}

nxv_status secret_load(struct db_tx *tx, const char *name, uint8_t **sealed, size_t *len, int64_t *set_at_ms, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	const void *data;
	nxv_status status = db_query(tx, "SELECT sealed, set_at_ms FROM secret WHERE name = ?1", &stmt, err);

	*sealed = NULL;
	*len = 0;
	*set_at_ms = 0;
	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, name);
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && row && (data = db_blob(stmt, 0, len))) {
		*sealed = malloc(*len);
		if (*sealed)
			memcpy(*sealed, data, *len);
		else
			status = error_nomem(err);
		*set_at_ms = db_int(stmt, 1);
	}
	db_done(stmt);
	return status;
}

nxv_status secret_store(struct db_tx *tx, const char *name, const uint8_t *sealed, size_t len, const char *key_id,
	int64_t set_at_ms, struct nxv_error *err)
{
	struct db_stmt *stmt;
	nxv_status status = db_query(tx,
		"INSERT INTO secret (name, sealed, key_id, set_at_ms) VALUES (?1, ?2, ?3, ?4)"
		" ON CONFLICT (name) DO UPDATE SET sealed = ?2, key_id = ?3, set_at_ms = ?4",
		&stmt, err);

	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, name);
	db_bind_blob(stmt, 2, sealed, len);
	db_bind_text(stmt, 3, key_id);
	db_bind_int(stmt, 4, set_at_ms);
	status = db_step(stmt, NULL, err);
	db_done(stmt);
	return status;
}

nxv_status secret_delete(struct db_tx *tx, const char *name, bool *was_there, struct nxv_error *err)
{
	nxv_status status = db_run(tx, "DELETE FROM secret WHERE name = ?1", err, "t", name);

	*was_there = status == NXV_OK && db_changes(tx) > 0;
	return status;
}
