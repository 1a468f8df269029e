/* secret_input.h - reading a secret: from a terminal without echo, else from standard input. Never from an argument. */
#ifndef NEXUSCTL_SECRET_INPUT_H
#define NEXUSCTL_SECRET_INPUT_H

#include "app.h"

enum { SECRET_INPUT_MAX = 1024 };

/** True when a person can be asked. */
bool secret_input_terminal(void);
/** Read one: asked for twice on a terminal (once: without twice), else the whole of standard input, less the newline at its
 * end. value holds SECRET_INPUT_MAX + 1 bytes; wipe it. @return RC_DONE, or another status after saying what is wrong. */
int secret_input(const struct app *app, const char *what, bool twice, char *value);

#endif
