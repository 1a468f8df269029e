/* manager_sql.c - the calls that are up, as the store knows them when no engine can be asked. */
#include "sip/manager_alone.h"

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
