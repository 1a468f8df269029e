/* kamailio.h - the Kamailio driver: JSON-RPC over a unix datagram socket, events over UDP. */
#ifndef NXV_SIP_KAMAILIO_KAMAILIO_H
#define NXV_SIP_KAMAILIO_KAMAILIO_H

#include "sip/server.h"

extern const struct sip_driver kamailio_driver;

#endif
