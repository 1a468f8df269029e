/* trace_sql.h - the trace table. */
#ifndef NXV_TRACE_TRACE_SQL_H
#define NXV_TRACE_TRACE_SQL_H

#include <nexusvoip/trace.h>

#include "store/db.h"

/** An entry on its way to the store; texts are [owned] by it and may be NULL when memory ran out. */
struct trace_row {
	struct trace_row *next;
	int64_t at_ms;
	nxv_trace_kind kind;
	char leg;
	bool sent;
	char *session_id, *summary, *detail;
};

nxv_status trace_sql_insert(struct db_tx *tx, const struct trace_row *row, struct nxv_error *err);
/** Drop at most max entries of before before_ms. */
nxv_status trace_sql_drop(struct db_tx *tx, int64_t before_ms, int64_t max, int64_t *dropped, struct nxv_error *err);
/** Call fn with every entry of a call, in order, until it fails. Texts are [borrowed] for the call. */
typedef nxv_status trace_sql_fn(void *arg, const struct trace_row *row, struct nxv_error *err);
nxv_status trace_sql_each(struct db_tx *tx, const char *session_id, trace_sql_fn *fn, void *arg, struct nxv_error *err);

#endif
