/* setting.c - the setting table. */
#include "store/setting.h"

#include "base/text.h"

nxv_status setting_get(struct db_tx *tx, const char *name, char *value, size_t size, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(tx, "SELECT value FROM setting WHERE name = ?", &stmt, err);

	value[0] = '\0';
	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, name);
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && row)
		text_copy(value, size, db_text(stmt, 0));
	db_done(stmt);
	return status;
}

nxv_status setting_put(struct db_tx *tx, const char *name, const char *value, struct nxv_error *err)
{
	return db_run(tx, "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		err, "tt", name, value);
}

nxv_status setting_read(struct db *db, const char *name, char *value, size_t size, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(db, DB_READ, &tx, err);

	value[0] = '\0';
	if (status != NXV_OK)
		return status;
	status = setting_get(tx, name, value, size, err);
	db_rollback(tx);
	return status;
}

nxv_status setting_write(struct db *db, const char *name, const char *value, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(db, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	status = setting_put(tx, name, value, err);
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}
