/* trace_log.c - entries wait in memory for a tenth of a second, then go to the store together; old ones are dropped.
 * A store that is away costs entries, never a call. */
#include "trace/trace_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "trace/trace_sql.h"

enum { FLUSH_MS = 100, PENDING_MAX = 4096, DROP_BATCH = 2000, DROP_IDLE_MS = 3600 * 1000, DROP_NEXT_MS = 200 };
#define DAY_MS INT64_C(86400000)

struct trace_log {
	const struct env *env;
	struct db *db;
	struct loop_timer *flush, *drop;
	int64_t keep_ms;
	struct trace_row *first, **end;
	size_t count;
	bool lost; /* said already that entries are being lost */
};

static void take_off(struct trace_log *log)
{
	struct trace_row *row = log->first;

	log->first = row->next;
	if (!log->first)
		log->end = &log->first;
	log->count--;
	free(row->session_id);
	free(row->summary);
	free(row->detail);
	free(row);
}

static void flush(void *arg)
{
	struct trace_log *log = arg;
	struct nxv_error err = NXV_ERROR_INIT;
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(log->db, DB_WRITE, &tx, &err);

	for (const struct trace_row *row = log->first; status == NXV_OK && row; row = row->next)
		status = trace_sql_insert(tx, row, &err);
	if (status == NXV_OK) {
		status = db_commit(tx, &err);
		tx = NULL;
	}
	db_rollback(tx);
	if (status != NXV_OK) {
		if (!log->lost)
			env_log(log->env, NXV_LOG_ERROR, "trace", "timelines of calls cannot be stored: %s", err.message);
		log->lost = true;
	} else {
		log->lost = false;
	}
	while (log->first)
		take_off(log);
}

static void drop(void *arg)
{
	struct trace_log *log = arg;
	struct nxv_error err = NXV_ERROR_INIT;
	struct db_tx *tx = NULL;
	int64_t dropped = 0;
	nxv_status status = db_begin(log->db, DB_WRITE, &tx, &err);

	if (status == NXV_OK)
		status = trace_sql_drop(tx, env_now_ms(log->env) - log->keep_ms, DROP_BATCH, &dropped, &err);
	if (status == NXV_OK) {
		status = db_commit(tx, &err);
		tx = NULL;
	}
	db_rollback(tx);
	if (status != NXV_OK)
		env_log(log->env, NXV_LOG_ERROR, "trace", "old timelines of calls cannot be dropped: %s", err.message);
	loop_timer_start(log->drop, dropped == DROP_BATCH ? DROP_NEXT_MS : DROP_IDLE_MS);
}

nxv_status trace_log_open(const struct env *env, struct loop *loop, struct db *db, int64_t keep_days, struct trace_log **out,
	struct nxv_error *err)
{
	struct trace_log *log;

	*out = NULL;
	if (keep_days <= 0)
		return NXV_OK;
	log = calloc(1, sizeof(*log));
	if (!log)
		return error_nomem(err);
	*log = (struct trace_log){ .env = env, .db = db, .keep_ms = keep_days * DAY_MS, .flush = loop_timer_new(loop, flush, log),
		.drop = loop_timer_new(loop, drop, log) };
	log->end = &log->first;
	if (!log->flush || !log->drop) {
		trace_log_close(log);
		return error_nomem(err);
	}
	loop_timer_start(log->drop, DROP_NEXT_MS);
	*out = log;
	return NXV_OK;
}

void trace_log_close(struct trace_log *log)
{
	if (!log)
		return;
	if (log->first)
		flush(log);
	loop_timer_free(log->flush);
	loop_timer_free(log->drop);
	free(log);
}

static char *cut(const char *text, size_t max)
{
	return text ? strndup(text, max) : NULL;
}

void trace_note(struct trace_log *log, const char *session_id, nxv_trace_kind kind, char leg, bool sent, const char *summary,
	const char *detail)
{
	struct trace_row *row = log && log->count < PENDING_MAX ? calloc(1, sizeof(*row)) : NULL;

	if (!row)
		return;
	*row = (struct trace_row){ .at_ms = env_now_ms(log->env), .kind = kind, .leg = leg, .sent = sent,
		.session_id = text_dup(session_id), .summary = cut(summary, TRACE_SUMMARY_MAX), .detail = cut(detail, TRACE_DETAIL_MAX) };
	*log->end = row;
	log->end = &row->next;
	log->count++;
	if (!loop_timer_running(log->flush))
		loop_timer_start(log->flush, FLUSH_MS);
}

void trace_notef(struct trace_log *log, const char *session_id, nxv_trace_kind kind, char leg, bool sent, const char *fmt, ...)
{
	char summary[TRACE_SUMMARY_MAX + 1];
	va_list args;

	if (!log)
		return;
	va_start(args, fmt);
	vsnprintf(summary, sizeof(summary), fmt, args);
	va_end(args);
	trace_note(log, session_id, kind, leg, sent, summary, NULL);
}
