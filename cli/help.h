/* help.h - usage lines, help and completion, all made from the table of commands. */
#ifndef NEXUSCTL_HELP_H
#define NEXUSCTL_HELP_H

#include "app.h"

#include <stdio.h>

/** The usage line of the command at hand, or of nexusctl. */
void help_usage(const struct app *app, FILE *to);
/** The explanation of the command at hand, or the list of all. @return RC_DONE. */
int help_print(struct app *app);
/** Words that may follow the ones given, one a line: what shell completion asks for. */
int help_complete(struct app *app);

#endif
