/* aside.h - threads beside a loop for library calls that may have to wait for the SIP server or for Twilio, so that no loop does. */
#ifndef NEXUSD_ASIDE_H
#define NEXUSD_ASIDE_H

#include <stdbool.h>

enum { ASIDE_MAX = 64, ASIDE_THREADS_MAX = 8 }; /* jobs that may wait or be at work */

struct aside;
/** @param bell eventfd that is rung when a job is finished; [borrowed]. */
struct aside *aside_open(unsigned threads, int bell);
/** Finish what waits and free it. NULL is allowed. */
void aside_close(struct aside *aside);
/** Run work(token) on a thread. False when too many wait. */
bool aside_run(struct aside *aside, void (*work)(void *token), void *token);
/** Take a finished job's token; NULL when none waits. */
void *aside_next(struct aside *aside);
/** Wait until every job is finished. */
void aside_settle(struct aside *aside);

#endif
