/* call_steps.h - the usual steps of a call between two bare endpoints. */
#ifndef TEST_SIP_CALL_STEPS_H
#define TEST_SIP_CALL_STEPS_H

#include "server_fixture.h"
#include "sip_client.h"

struct call {
	struct client *a, *b;
	message *invite; /**< as B got it */
	message *answer; /**< 200 as A got it */
	char id[64];
};
/** A dials B's URI (headers nullable), B rings. False: A got something else than 180. */
bool call_ring(struct call *call, const char *from, const char *headers);
/** B answers, A confirms. */
void call_answer(struct call *call);
/** Both. */
bool call_up(struct call *call, const char *from, const char *headers);
/** Both get a BYE of the server's own and answer it. */
void call_expect_both_byes(struct call *call, int timeout_ms);
/** One side hangs up. */
void call_hangup(struct call *call, bool by_caller);

#endif
