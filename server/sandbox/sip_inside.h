/* sip_inside.h - what sip_ua.c and sip_leg.c share: the stack and its legs. */
#ifndef NEXUS_SANDBOX_SIP_INSIDE_H
#define NEXUS_SANDBOX_SIP_INSIDE_H

#include "sip_leg.h"
#include "sip_ua.h"
#include "sound.h"

struct sip_ua {
	struct sandbox *sandbox;
	struct sip *sip;
	struct sip_lsnr *requests, *responses;
	struct sa local, proxy;
	char hostport[80], route_text[100];
	struct uri route; /* into route_text */
	struct list legs;
};

enum leg_state { LEG_CALLING, LEG_CANCELLING, LEG_UP, LEG_DONE };

struct sip_leg {
	struct le le; /* in ua->legs until it is forgotten */
	struct sip_ua *ua;
	struct call *call;
	enum leg_state state;
	char call_id[48], tag[24];
	char *to, *from, *target, *routes, *remote_tag;
	struct buf headers; /* more lines of the INVITE */
	uint32_t seq, remote_seq;
	struct sip_request *invite, *bye;
	struct sip_auth *auth;
	unsigned tries;
	struct sound_port *sound;
	struct tmr linger;
};

/** A request of the callee in this leg's dialog. */
void sip_leg_request(struct sip_leg *leg, const struct sip_msg *msg);
/** A 2xx that no transaction waits for: its ACK was lost, or another phone's answer. */
void sip_leg_stray(struct sip_leg *leg, const struct sip_msg *msg);

#endif
