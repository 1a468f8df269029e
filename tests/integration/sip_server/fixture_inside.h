/* fixture_inside.h - between the two halves of the fixture. */
#ifndef TEST_SIP_FIXTURE_INSIDE_H
#define TEST_SIP_FIXTURE_INSIDE_H

#include "server_fixture.h"

/** Run the loop on its thread and open the driver there; and the reverse. */
void fixture_loop_start(struct fixture *f, const struct env *env);
void fixture_loop_stop(struct fixture *f);

#endif
