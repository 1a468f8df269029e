/* sandbox.h - the settings of a nexusd that runs with --sandbox. */
#ifndef NEXUSCTL_SANDBOX_H
#define NEXUSCTL_SANDBOX_H

#include "app.h"

enum { SANDBOX_SETS_MAX = 32 };

/** Settings to open the state folder with, behind all others; app->env is changed with them. None without such a nexusd, or for
 * a command that has nothing to do with Twilio. @return how many; they live until sandbox_forget(). */
size_t sandbox_settings(struct app *app, const char **sets, size_t room);
void sandbox_forget(struct app *app);

#endif
