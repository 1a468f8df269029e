/* outside.h - calls that the SIP server has and we do not place: dialled by phones, to each other or to telephone numbers,
 * and from outside. Engine thread. */
#ifndef NXV_SESSION_OUTSIDE_H
#define NXV_SESSION_OUTSIDE_H

#include "session/live.h"
#include "sip/ask.h"

/** In the reason phrase of every call that we refuse for the rules, so that its session ends with that reason. */
#define OUTSIDE_REFUSED "Not Allowed"

/* dialled.c */
struct dialled {
	const char *direction, *user_id, *username, *from, *to, *call_id;
	int64_t at_ms;
};
/** Its row, not stored yet; NULL when memory ran out. */
struct session_row *dialled_row(struct calls *calls, const struct dialled *call);
/** Slot, event and row, in the caller's transaction. */
nxv_status dialled_store(struct db_tx *tx, const struct calls *calls, struct session_row *row, struct nxv_error *err);
/** It is stored: take it up. Owns the row. */
struct call *dialled_add(struct calls *calls, struct session_row *row);
/** A phone dialled: the SIP server has let it through, so it is a session whatever the store's count says. */
struct call *dialled_take(struct calls *calls, const struct calls_report *report);
/** Its callee is reached through the trunk. */
bool dialled_telephone(const struct call *call);

#endif
