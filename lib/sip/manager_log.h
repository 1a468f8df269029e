/* manager_log.h - server.log: what the SIP server prints, bounded, and its own words when it fails. */
#ifndef NXV_SIP_MANAGER_LOG_H
#define NXV_SIP_MANAGER_LOG_H

#include <nexusvoip/types.h>

/** A new log for a new start; the previous one becomes server.log.1. @param fd appends; close() it. */
nxv_status server_log_open(const char *run_dir, int *fd, struct nxv_error *err);
/** Shorten a log past its limit; the cut part's end is kept in server.log.1. */
void server_log_trim(const char *run_dir);
/** Bytes in server.log: what was written before that mark does not explain a later end. */
int64_t server_log_size(const char *run_dir);
/** The line that says what went wrong. While starting: the first error, else the last line. After it had run: the first
 * line that says it is ending, else the first error, else nothing. The secret never gets out. */
void server_log_pick(const char *text, bool had_run, const char *secret, char *out, size_t size);
/** The same from a log of the folder. @param had_run -1 while starting; else the mark to read from. */
void server_log_words(const char *run_dir, const char *name, int64_t had_run, const char *secret, char *out, size_t size);

#endif
