/* usage_sql.h - the usage_row table, and the time of last use that goes with each row. */
#ifndef NXV_USAGE_USAGE_SQL_H
#define NXV_USAGE_USAGE_SQL_H

#include <nexusvoip/usage.h>

#include "store/db.h"

/** A place in the order (at_ms, id). */
struct usage_place {
	int64_t at_ms, id;
};

/** Insert a row and note the key's last use; in one transaction of the caller. */
nxv_status usage_sql_insert(struct db_tx *tx, const struct nxv_usage *row, struct nxv_error *err);
/** Up to limit rows strictly between two places, filtered and ordered as opts says; *more: there are others. */
nxv_status usage_sql_page(struct db_tx *tx, const struct nxv_usage_list_opts *opts, struct usage_place after, struct usage_place before, unsigned limit, struct nxv_usage_page *list, bool *more, struct nxv_error *err);

#endif
