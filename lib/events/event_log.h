/* event_log.h - appending to the durable event log, inside the transaction that makes the change. */
#ifndef NXV_EVENTS_EVENT_LOG_H
#define NXV_EVENTS_EVENT_LOG_H

#include <nexusvoip/events.h>

#include "store/db.h"

/** Append one event. @param seq nullable: its number. data: "key=value key=value", nullable; never a secret. */
nxv_status event_append(struct db_tx *tx, int64_t at_ms, const char *type, const char *subject, const char *user_id, const char *data, int64_t *seq, struct nxv_error *err);

#endif
