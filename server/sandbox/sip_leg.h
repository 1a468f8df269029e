/* sip_leg.h - a real SIP callee: INVITE, its answers, BYE from either side, and the sound between. */
#ifndef NEXUS_SANDBOX_SIP_LEG_H
#define NEXUS_SANDBOX_SIP_LEG_H

#include "sandbox.h"

/** What the callee hears. */
enum sound { SOUND_SILENCE, SOUND_TONE, SOUND_RINGBACK, SOUND_ECHO };

/** Call call->to; its events go to life_event(). @return NULL when it cannot be sent. */
struct sip_leg *sip_leg_new(struct call *call);
/** CANCEL or BYE, as its state asks for. Every function here takes NULL for a simulated callee. */
void sip_leg_end(struct sip_leg *leg);
void sip_leg_free(struct sip_leg *leg);
void sip_leg_play(struct sip_leg *leg, enum sound sound);
/** Two callees hear each other; one alone hears the simulated other side. */
void sip_leg_join(struct sip_leg *a, struct sip_leg *b);
void sip_leg_part(struct sip_leg *leg);

#endif
