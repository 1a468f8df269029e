/* migrate.c - schema steps; the version in force is kept in the database's own user_version. */
#include "store/migrate.h"

#include <stdio.h>

#include "base/error.h"

static nxv_status read_version(struct db_tx *tx, int *version, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(tx, "PRAGMA user_version", &stmt, err);

	if (status != NXV_OK)
		return status;
	status = db_step(stmt, &row, err);
	*version = row ? (int)db_int(stmt, 0) : 0;
	db_done(stmt);
	return status;
}

/* The version is read again under the write lock: another process may have taken the step meanwhile. */
static nxv_status apply(struct db *db, const struct db_migration *step, struct nxv_error *err)
{
	char pragma[64];
	struct db_tx *tx = NULL;
	int version = 0;
	nxv_status status = db_begin(db, DB_WRITE, &tx, err);

	if (status == NXV_OK)
		status = read_version(tx, &version, err);
	if (status == NXV_OK && version < step->version) {
		snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", step->version);
		status = db_script(tx, step->sql, err);
		if (status == NXV_OK)
			status = db_script(tx, pragma, err);
		if (status == NXV_OK) {
			status = db_commit(tx, err);
			tx = NULL;
		}
	}
	db_rollback(tx);
	return status;
}

nxv_status db_migrate(struct db *db, const struct db_migration *steps, int *version, struct nxv_error *err)
{
	struct db_tx *tx;
	int newest = 0;
	nxv_status status = db_begin(db, DB_READ, &tx, err);

	if (status != NXV_OK)
		return status;
	status = read_version(tx, version, err);
	db_rollback(tx);
	for (const struct db_migration *step = steps; status == NXV_OK && step->version; step++)
		newest = step->version;
	if (status == NXV_OK && *version > newest)
		return error_code(err, NXV_E_STORE, "schema_newer",
			"the database has schema %d, this program knows %d; run the newer program, or restore a backup", *version, newest);
	for (const struct db_migration *step = steps; status == NXV_OK && step->version; step++)
		if (step->version > *version)
			status = apply(db, step, err);
	if (status == NXV_OK)
		*version = newest;
	return status;
}
