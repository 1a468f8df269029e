/* sip_uri.h - a sip: address as Twilio takes it: "sip:alice@host:port;params?X-Name=value&X-Other=value". */
#ifndef NEXUS_SANDBOX_SIP_URI_H
#define NEXUS_SANDBOX_SIP_URI_H

#include "base/buf.h"

/** The address without its headers. @return [owned]; NULL when memory ran out. */
char *sip_uri_target(const char *address);
/** Its headers as lines, each with its end. Only X- headers are carried, as by Twilio; what would break a line is left out. */
void sip_uri_headers(const char *address, struct buf *out);

#endif
