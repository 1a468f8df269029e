/* event_sql.h - the event table: reading a page. Appending is event_log.h. */
#ifndef NXV_EVENTS_EVENT_SQL_H
#define NXV_EVENTS_EVENT_SQL_H

#include <nexusvoip/events.h>

#include "store/db.h"

/** Up to limit events after opts->after_seq, in order, into list. */
nxv_status event_sql_page(struct db_tx *tx, const struct nxv_event_opts *opts, unsigned limit, struct nxv_event_list *list, struct nxv_error *err);

#endif
