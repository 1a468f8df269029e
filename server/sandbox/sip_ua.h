/* sip_ua.h - the sandbox's SIP stack: one socket, and who its messages belong to. */
#ifndef NEXUS_SANDBOX_SIP_UA_H
#define NEXUS_SANDBOX_SIP_UA_H

#include "sandbox.h"

/** Listen, and send what is for sip: addresses to this proxy. @param why filled on failure. */
struct sip_ua *sip_ua_open(struct sandbox *sandbox, const char *listen, const char *proxy, char *why, size_t why_len);
/** NULL is allowed. */
void sip_ua_close(struct sip_ua *ua);

#endif
