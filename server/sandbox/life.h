/* life.h - a call's way from queued to its end: the table of statuses, and what drives it. */
#ifndef NEXUS_SANDBOX_LIFE_H
#define NEXUS_SANDBOX_LIFE_H

#include "sandbox.h"

enum life_event {
	LIFE_DIAL,     /**< it is dialled */
	LIFE_RING,     /**< the callee rings */
	LIFE_ANSWER,
	LIFE_BUSY,
	LIFE_FAIL,
	LIFE_TIMEOUT,  /**< nobody answered in time */
	LIFE_CANCEL,   /**< taken back by us before the answer */
	LIFE_HANGUP,   /**< ended by either side after the answer */
	LIFE_EVENTS
};

/** The status after an event; the same status where the event means nothing. */
enum call_status life_next(enum call_status status, enum life_event event);

/** A call just created begins. */
void life_begin(struct call *call);
/** An event of the callee, or of ours. by says who ended it, a literal; NULL for events that end nothing. */
void life_event(struct call *call, enum life_event event, const char *by);
/** What a SIP callee's final answer means. */
enum life_event life_of_sip(int code);
/** End it in whatever state: CANCEL, BYE or simply stop. */
void life_end(struct call *call, const char *by);
/** Its time limit, from now on, in seconds; 0 takes it away. */
void life_limit(struct call *call, int seconds);

#endif
