/* setup_trunk.h - the trunk's part of the SIP server's settings. */
#ifndef NXV_SIP_SETUP_TRUNK_H
#define NXV_SIP_SETUP_TRUNK_H

#include "sip/manager.h"

/** Keep text until sip_setup_free(). Takes text over; NULL means that memory ran out. Errors: NXV_E_NOMEM. */
nxv_status setup_own(struct sip_setup *setup, const char **member, char *text, struct nxv_error *err);
/** What the configuration says of the trunk and of Twilio's addresses, copied. Errors: NXV_E_NOMEM. */
nxv_status setup_trunk_load(struct sip_setup *setup, const struct config *cfg, struct nxv_error *err);
/** HA1 of the trunk's password; "" when none is set or needed. Errors: those of secret_get() but NXV_E_NOT_FOUND. */
nxv_status setup_trunk_secret(const struct sip_setup *setup, char ha1[33], struct nxv_error *err);

#endif
