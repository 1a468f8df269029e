/* location_sql.c - location.db: made here, then left to the SIP server, its only writer. */
#include "base/error.h"
#include "sip/control/common.h"
#include "store/db.h"

static nxv_status location_version(struct db_tx *tx, int64_t *out, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row;
	nxv_status status = db_query(tx, "SELECT count(*) FROM sqlite_master WHERE name = 'version'", &stmt, err);

	*out = 0;
	if (status != NXV_OK)
		return status;
	status = db_step(stmt, &row, err);
	row = status == NXV_OK && row && db_int(stmt, 0) > 0;
	db_done(stmt);
	if (status != NXV_OK || !row)
		return status;
	status = db_query(tx, "SELECT table_version FROM version WHERE table_name = 'location'", &stmt, err);
	if (status != NXV_OK)
		return status;
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && row)
		*out = db_int(stmt, 0);
	db_done(stmt);
	return status;
}

nxv_status common_location(const struct env *env, const struct sip_settings *set, const char *schema, int table_version, struct nxv_error *err)
{
	struct db *db = NULL;
	struct db_tx *tx = NULL;
	int64_t have = 0;
	nxv_status status = db_open(env, set->location_db, NULL, &db, err);

	if (status == NXV_OK)
		status = db_begin(db, DB_WRITE, &tx, err);
	if (status == NXV_OK)
		status = location_version(tx, &have, err);
	if (status == NXV_OK && have != table_version) {
		status = db_script(tx, "DROP TABLE IF EXISTS location; DROP TABLE IF EXISTS version;", err);
		if (status == NXV_OK)
			status = db_script(tx, schema, err);
	}
	if (status == NXV_OK) {
		status = db_commit(tx, err);
		tx = NULL;
	}
	db_rollback(tx);
	db_close(db);
	return status;
}
