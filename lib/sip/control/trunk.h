/* trunk.h - what both servers' configurations need to reach a trunk, and to tell its calls and Twilio's from others.
 * The routes stand in a template of their own beside each server's. */
#ifndef NXV_SIP_CONTROL_TRUNK_H
#define NXV_SIP_CONTROL_TRUNK_H

#include "sip/control/template.h"
#include "sip/server.h"

/** mask: the password need not be there. Errors: NXV_E_INVALID naming the option at fault. */
nxv_status trunk_check(const struct sip_settings *set, bool mask, struct nxv_error *err);
/** Values of the trunk's template; source: the server's own name of a request's address ("$si", "src_ip"). */
void trunk_vars(struct template_vars *vars, const struct sip_settings *set, const char *source, bool mask);

#endif
