/* script.h - TwiML executed on a call that was answered: verb by verb. */
#ifndef NEXUS_SANDBOX_SCRIPT_H
#define NEXUS_SANDBOX_SCRIPT_H

#include "events.h"

/** Begin with the call's TwiML, or with what its URL answers; replaces one that runs. */
void script_begin(struct call *call);
/** The call ended, or other TwiML follows: whatever is under way stops, dialled calls too. */
void script_stop(struct call *call);
void script_free(struct script *script);
/** The verb under way is done: go on. */
void script_next(struct call *call);
/** Ask this URL for the TwiML to go on with. more: further parameters, nullable. */
void script_fetch(struct call *call, const char *url, bool get, const struct pairs *more);
/** A warning or error of Twilio's about this call. */
void script_note(struct call *call, int code, const char *text);

#endif
