/* aside.h - one thread beside a loop for library calls that may have to wait for the SIP server, so that no loop does. */
#ifndef NEXUSD_ASIDE_H
#define NEXUSD_ASIDE_H

#include <stdbool.h>

enum { ASIDE_MAX = 64 }; /* jobs that may wait */

struct aside;
struct aside *aside_open(void);
/** Finish what waits and free it. NULL is allowed. */
void aside_close(struct aside *aside);
/** Readable while a finished job waits. */
int aside_fd(const struct aside *aside);
/** Run work(token) on the thread. False when too many wait. */
bool aside_run(struct aside *aside, void (*work)(void *token), void *token);
/** Take a finished job's token; NULL when none waits. */
void *aside_next(struct aside *aside);
/** Wait until every job is finished. */
void aside_settle(struct aside *aside);

#endif
