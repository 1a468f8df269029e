/* sound.h - the sound of one SIP callee: its description, RTP in and out, and what it hears. */
#ifndef NEXUS_SANDBOX_SOUND_H
#define NEXUS_SANDBOX_SOUND_H

#include "sip_leg.h"

#include <re.h>

struct sound_port;

/** A port of our own on this address. @return NULL when there is none. */
struct sound_port *sound_open(const struct sa *local);
void sound_close(struct sound_port *port);
/** Our description. @return [owned], mem_deref(); NULL when it cannot be made. */
struct mbuf *sound_describe(struct sound_port *port, bool offer);
/** Theirs. False: it cannot be used. */
bool sound_heard_description(struct sound_port *port, struct mbuf *body, bool offer);
/** Send from now on. */
void sound_start(struct sound_port *port);
void sound_play(struct sound_port *port, enum sound sound);
/** Each hears the other. */
void sound_join(struct sound_port *a, struct sound_port *b);
void sound_part(struct sound_port *port);
/** Packets that came in. */
unsigned sound_received(const struct sound_port *port);

#endif
