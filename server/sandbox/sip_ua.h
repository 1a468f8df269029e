/* sip_ua.h - the sandbox's SIP stack: one socket, the proxy that everything goes to, and who a message belongs to. */
#ifndef NEXUS_SANDBOX_SIP_UA_H
#define NEXUS_SANDBOX_SIP_UA_H

#include "sandbox.h"

struct sip_ua;

/** Listen, and send what is for sip: addresses to this proxy. @param why filled on failure. */
struct sip_ua *sip_ua_open(struct sandbox *sandbox, const char *listen, const char *proxy, char *why, size_t why_len);
/** Its legs are gone by then. NULL is allowed. */
void sip_ua_close(struct sip_ua *ua);

#endif
