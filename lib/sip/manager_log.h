/* manager_log.h - server.log: what the SIP server prints, bounded, and its own words when it fails. */
#ifndef NXV_SIP_MANAGER_LOG_H
#define NXV_SIP_MANAGER_LOG_H

#include <nexusvoip/types.h>

/** A new log for a new start; the previous one becomes server.log.1. @param fd appends; close() it. */
nxv_status server_log_open(const char *run_dir, int *fd, struct nxv_error *err);
/** Shorten a log past its limit; the cut part's end is kept in server.log.1. */
void server_log_trim(const char *run_dir);
/** The line that says what went wrong: the first error in text, else (if any will do) its last line; "" for none.
 * The secret never gets out. */
void server_log_pick(const char *text, bool any, const char *secret, char *out, size_t size);
/** The same from a log of the folder. @param at_end it had been running: only errors near the end matter. */
void server_log_words(const char *run_dir, const char *name, bool at_end, const char *secret, char *out, size_t size);

#endif
