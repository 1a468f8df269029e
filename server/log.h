/* log.h - one line per event on standard error: time=... level=... module=... msg=... */
#ifndef NEXUSD_LOG_H
#define NEXUSD_LOG_H

#include <nexusvoip/context.h>

/** The library's log hook, and the server's own. Thread-safe. */
void log_write(void *user, nxv_log_level level, const char *module, const char *text);
/** The same with a ready-made list of name=value pairs in place of msg. */
void log_fields(nxv_log_level level, const char *module, const char *fields);
/** For what strangers can cause: at most one line a minute, which counts those left out. */
void log_sparse(const char *module, const char *text);

#endif
