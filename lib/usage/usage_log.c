/* usage_log.c - putting usage rows on record: for now one transaction each, which survives a crash of the process. */
#include "usage/usage_log.h"

#include "base/error.h"
#include "usage/usage_sql.h"

#include <stdlib.h>

struct usage_log {
	struct db *db;
};

nxv_status usage_log_open(const struct env *env, struct db *db, struct usage_log **out, struct nxv_error *err)
{
	(void)env;
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return error_nomem(err);
	(*out)->db = db;
	return NXV_OK;
}

void usage_log_close(struct usage_log *log)
{
	free(log);
}

nxv_status usage_log_write(struct usage_log *log, const struct nxv_usage *row, struct nxv_error *err)
{
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(log->db, DB_WRITE, &tx, err);

	if (status)
		return status;
	status = usage_sql_insert(tx, row, err);
	if (!status) {
		status = db_commit(tx, err);
		tx = NULL;
	}
	db_rollback(tx);
	return status;
}
