/* usage_log.h - writing usage rows. The seam: today one row per transaction, later a mapped journal. */
#ifndef NXV_USAGE_USAGE_LOG_H
#define NXV_USAGE_USAGE_LOG_H

#include <nexusvoip/usage.h>

#include "store/db.h"

struct usage_log;
nxv_status usage_log_open(const struct env *env, struct db *db, struct usage_log **out, struct nxv_error *err);
void usage_log_close(struct usage_log *log);
/** Put a row on record; when this returns NXV_OK it survives a crash of the process. row->id is ignored. Thread-safe. */
nxv_status usage_log_write(struct usage_log *log, const struct nxv_usage *row, struct nxv_error *err);

#endif
