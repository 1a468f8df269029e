/* bridge.h - <Dial>: the calls it makes, the one of them that answers, and what becomes of the call that dialled. */
#ifndef NEXUS_SANDBOX_BRIDGE_H
#define NEXUS_SANDBOX_BRIDGE_H

#include "sandbox.h"

struct twiml;

/** Dial what this verb names. dial is [borrowed] until the script goes on. */
void bridge_begin(struct call *parent, const struct twiml *dial);
/** The parent ended or goes on with other TwiML. */
void bridge_stop(struct call *parent);
void bridge_child_ringing(struct call *child);
void bridge_child_answered(struct call *child);
void bridge_child_ended(struct call *child);
void bridge_free(struct bridge *bridge);

#endif
