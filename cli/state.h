/* state.h - where the state folder is, and whose: nexusctl works as its owner. */
#ifndef NEXUSCTL_STATE_H
#define NEXUSCTL_STATE_H

#include "app.h"

/** Settle app->state_dir: --state, else $NEXUSVOIP_STATE, else /var/lib/nexusvoip as root, else the user's own state
 * folder (XDG). @return RC_DONE, or the exit status after saying what is missing. */
int state_locate(struct app *app);
/** Become the folder's owner when run as root, so that no file is left that nexusd cannot open; with create, make the
 * folders above it. @return RC_DONE, or the exit status after saying why it cannot be used. */
int state_enter(struct app *app, bool create);

#endif
