/* args.h - the command line: options are matched exactly, and what does not match is answered with the nearest
 * that would. */
#ifndef NEXUSCTL_ARGS_H
#define NEXUSCTL_ARGS_H

#include "app.h"

/** Options every command takes. */
extern const struct opt global_opts[];

/** Parse argv into app. @return RC_DONE, or RC_USAGE after saying what is wrong. */
int args_parse(struct app *app, int argc, char **argv);
/** Value of an option of the command: NULL when not given, "" for a flag. */
const char *args_value(const struct app *app, const char *name);
/** An option that takes a whole number. @return RC_DONE (also when not given), or RC_USAGE. */
int args_number(const struct app *app, const char *name, long min, long max, long *out);
/** An option that takes a time: RFC 3339, or from now: +30d, -1h (s, m, h, d, w). @return as args_number(). */
int args_time(const struct app *app, const char *name, int64_t *out_ms);
/** An option that takes a duration: 90s, 15m, 1h, 7d, 2w. @return as args_number(). */
int args_duration(const struct app *app, const char *name, int64_t *out_ms);
/** The index of an option's value in a NULL-ended list of words; not given: stays as it is. @return as args_number(). */
int args_word(const struct app *app, const char *name, const char *const *words, int *index);

/** The word of a list that is nearest to a mistyped one; NULL when none is near. */
const char *args_nearest(const char *word, const char *const *words, size_t count);

#endif
