/* call.h - shared by the call commands: showing a call, and how it came out. */
#ifndef NEXUSCTL_CALL_H
#define NEXUSCTL_CALL_H

#include "app.h"

/** Print a call. @return the exit status. */
int call_show(const struct app *app, const struct nxv_session *call);
/** "busy (callee_busy, SIP 486)" and the like. */
void call_outcome(const struct nxv_session *call, char *buf, size_t size);

#endif
