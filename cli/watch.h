/* watch.h - what `call watch` and `registrations watch` share. */
#ifndef NEXUSCTL_WATCH_H
#define NEXUSCTL_WATCH_H

#include "app.h"

/** Number of the last event there is. */
nxv_status watch_last(nxv_ctx *ctx, int64_t *seq, struct nxv_error *err);
/** Print what is new, of types that begin with prefix (NULL: of all). *count: how many new ones there were, printed or not.
 * @return an exit status. */
int watch_new(const struct app *app, struct nxv_event_opts *opts, const char *prefix, size_t *count);
/** Wait a little before looking again; a signal cuts it short. */
void watch_pause(void);

#endif
