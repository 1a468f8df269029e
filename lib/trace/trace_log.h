/* trace_log.h - writing timelines: what the engine sees of a call is collected here and stored a moment later, many at once. */
#ifndef NXV_TRACE_TRACE_LOG_H
#define NXV_TRACE_TRACE_LOG_H

#include <nexusvoip/trace.h>

#include "base/env.h"
#include "loop/loop.h"
#include "store/db.h"

struct trace_log;
enum { TRACE_DETAIL_MAX = 16384, TRACE_SUMMARY_MAX = 240 };

/** @param keep_days 0: nothing is kept, and the log is NULL. @param out [owned]. */
nxv_status trace_log_open(const struct env *env, struct loop *loop, struct db *db, int64_t keep_days, struct trace_log **out, struct nxv_error *err);
/** Store what is left, and free. NULL is allowed. */
void trace_log_close(struct trace_log *log);
/** Add an entry, stamped now. Texts are [borrowed], cut at the limits above, detail nullable; never a secret. A NULL log
 * takes nothing. Loop thread. */
void trace_note(struct trace_log *log, const char *session_id, nxv_trace_kind kind, char leg, bool sent, const char *summary, const char *detail);
/** The same, with a summary made by a format. */
void trace_notef(struct trace_log *log, const char *session_id, nxv_trace_kind kind, char leg, bool sent, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

#endif
