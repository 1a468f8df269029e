/* setup_trunk.h - the trunk's part of the SIP server's settings. */
#ifndef NXV_SIP_SETUP_TRUNK_H
#define NXV_SIP_SETUP_TRUNK_H

#include "sip/manager.h"

/** Text stays the configuration's. */
void setup_trunk_load(struct sip_settings *set, const struct config *cfg);
/** HA1 of the trunk's password; "" when none is set or needed. Errors: those of secret_get() but NXV_E_NOT_FOUND. */
nxv_status setup_trunk_secret(const struct sip_setup *setup, char ha1[33], struct nxv_error *err);

#endif
