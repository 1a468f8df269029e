/* pair.h - alice and bob with a phone each, and what must be true of any call between them once it has ended. */
#ifndef TEST_E2E_PAIR_H
#define TEST_E2E_PAIR_H

#include "e2e.h"

enum { SLACK_MS = 200, SOON_MS = 5000 };

extern struct user alice, bob;

/** Users and registered phones; silent if tone is 0. */
bool pair_setup(void);
bool pair_setup_with_tones(void);
/** Forget earlier calls; both answer after 100 ms of ringing. */
void pair_reset(void);
/** alice's phone, then bob's: start over HTTP and wait until both are joined. */
void pair_talk(struct told *call);
/** Start over HTTP; 201 is required. */
void pair_start(struct told *call);
/** Wait until the gateway's own re-INVITE is over; a phone's may meet it until then (491). */
void pair_joined(const struct told *call);
/** The call ends so, soon; then what pair_after() says. */
void pair_expect(struct told *call, const char *status, const char *reason);
/** Nothing is left of it: no slot, no live call, no phone that still talks; its events are in order; its times are those
 * that the phones saw. */
void pair_after(struct told *call);
/** The newest call of alice that a phone dialled; waits for it. */
void pair_find_dialled(struct told *call);

#endif
