/* manager_sql.c - what the store knows about the SIP server: its wanted state, and the calls that are up. */
#include "sip/manager_alone.h"

#include <string.h>

#include "sip/manager.h"

nxv_status sip_wanted_store(struct db *db, bool started, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(db, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	status = db_run(tx, "INSERT INTO setting (name, value) VALUES ('sip.wanted', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1",
		err, "t", started ? "started" : "stopped");
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

nxv_status sip_wanted_load(struct db *db, bool *started, bool *known, struct nxv_error *err)
{
	struct db_stmt *stmt = NULL;
	struct db_tx *tx;
	nxv_status status = db_begin(db, DB_READ, &tx, err);

	*started = *known = false;
	if (status != NXV_OK)
		return status;
	status = db_query(tx, "SELECT value FROM setting WHERE name = 'sip.wanted'", &stmt, err);
	if (status == NXV_OK)
		status = db_step(stmt, known, err);
	if (status == NXV_OK && *known)
		*started = strcmp(db_text(stmt, 0), "started") == 0;
	db_done(stmt);
	db_rollback(tx);
	return status;
}

nxv_status manager_active_calls(struct db *db, int64_t *out, struct nxv_error *err)
{
	struct db_stmt *stmt = NULL;
	struct db_tx *tx;
	bool row = false;
	nxv_status status = db_begin(db, DB_READ, &tx, err);

	*out = 0;
	if (status != NXV_OK)
		return status;
	status = db_query(tx, "SELECT count(*) FROM session WHERE ended_at_ms = 0", &stmt, err);
	if (status == NXV_OK)
		status = db_step(stmt, &row, err);
	if (status == NXV_OK && row)
		*out = db_int(stmt, 0);
	db_done(stmt);
	db_rollback(tx);
	return status;
}
