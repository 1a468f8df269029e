/* control.h - /sandbox/v1: what the sandbox knows to be true, and faults to be armed. */
#ifndef NEXUS_SANDBOX_CONTROL_H
#define NEXUS_SANDBOX_CONTROL_H

#include "sandbox.h"

void control_serve(struct sandbox *sandbox, struct job *job);

#endif
