/* in_call.h - alice and bob talking, what the tests of calls that are up ask all the time. */
#ifndef TEST_E2E_IN_CALL_H
#define TEST_E2E_IN_CALL_H

#include "pair.h"

#include <pthread.h>

enum { TEXT_MAX = 20000 };

/** What last() gave; and room for an answer. */
extern char text[TEXT_MAX], reply[TEXT_MAX];

/** A new call, joined. */
void talk(struct told *call);
/** It is up, as if nothing had been; then alice hangs up. */
void still_up(struct told *call);
/** A description of this phone's; static. */
const char *sdp(const struct phone *phone, const char *formats, const char *more);
bool names_port_of(const char *message, const struct phone *phone);
/** The last message received that begins so; fails the test if there is none. */
const char *last(struct phone *phone, const char *start);
/** Wait until the last INVITE received names that phone's port. */
bool wait_offer_of(struct phone *phone, const struct phone *of);
/** Wait until so many that begin so were received. */
bool wait_seen(struct phone *phone, const char *start, size_t count);

/** A hold that is under way while the test does something else. */
struct holding {
	pthread_t thread;
	struct phone *phone;
	int code;
};
void begin_hold(struct holding *h, struct phone *phone);
int end_hold(struct holding *h);

#endif
