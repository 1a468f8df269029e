/* invite.h - what the initial INVITEs of a call say: URIs, names, and the X-Nexus-* headers for our SIP server. */
#ifndef NXV_SIP_ORIGINATOR_INVITE_H
#define NXV_SIP_ORIGINATOR_INVITE_H

#include "sip/originator/impl.h"

struct invite_texts {
	char *from_a, *from_b;     /**< From values without tag: whom A calls, who calls B */
	char *target_a, *target_b; /**< request URIs: the first username; the server adds the others */
	char *headers_a, *headers_b;
};

/** Check a call's texts and make its headers. Errors: NXV_E_INVALID naming the member. */
nxv_status invite_texts_make(
	const struct originator *o, const struct carrier_call *call, struct invite_texts *out, struct nxv_error *err);
void invite_texts_free(struct invite_texts *texts);

#endif
