/* trunk_steps.h - a SIP server with a trunk, Twilio and the gateway that it asks, all of them played by the test, each on an
 * address of its own; and the usual steps of calls through them. */
#ifndef TEST_SIP_TRUNK_STEPS_H
#define TEST_SIP_TRUNK_STEPS_H

#include "call_steps.h"

#define NUMBER "+14155550123"
#define SHOWN "+15005550006"

extern const struct sip_driver *driver;
extern struct fixture *f;
extern struct client *alice, *bob, *gateway, *trunk, *twilio, *stranger;

/* Setup and teardown. */
int trunk_start(void **state);
int trunk_start_digest(void **state);
int trunk_stop(void **state);
int trunk_forget(void **state);

/** What the gateway is asked next; the test fails without a question of this kind. */
message *expect_question(const char *kind);
/** Let the call through with these header lines. */
void allow(message *ask, const char *headers);
/** alice dials, and is let through as NUMBER from SHOWN. @return the INVITE that the trunk got. */
message *dial_out(const char *dialled);
void assert_nothing_reached(struct client *c);

#endif
