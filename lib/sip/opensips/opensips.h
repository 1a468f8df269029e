/* opensips.h - the OpenSIPS driver (3.4, 3.6, 4.0): MI over a unix datagram socket, events over UDP on the loopback. */
#ifndef NXV_SIP_OPENSIPS_OPENSIPS_H
#define NXV_SIP_OPENSIPS_OPENSIPS_H

#include "sip/server.h"

extern const struct sip_driver opensips_driver;

#endif
