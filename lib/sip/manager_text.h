/* manager_text.h - the text in which health and registrations travel between the engine and its callers:
 * written and read in this one place. */
#ifndef NXV_SIP_MANAGER_TEXT_H
#define NXV_SIP_MANAGER_TEXT_H

#include <nexusvoip/sip_server.h>

#include "base/buf.h"
#include "sip/server.h"

/* Engine operations (engine_call): "sip.want" start|stop; "sip.wait" running|stopped TIMEOUT_MS;
 * "sip.health" -> sip_health_write(); "sip.registrations" -> one sip_contact_write() per contact. */

/** "key=value" lines; NULL text is left out. */
void sip_health_write(struct buf *out, const struct nxv_sip_health *health);
/** @param out [owned]. */
nxv_status sip_health_read(const char *text, struct nxv_sip_health **out, struct nxv_error *err);
/** One line, fields separated by TAB: username, contact, user agent, expires in seconds. */
void sip_contact_write(struct buf *out, const struct sip_contact *contact);
/** @param out [owned]; userId is not in the text and stays NULL. */
nxv_status sip_contacts_read(const char *text, struct nxv_registration_list **out, struct nxv_error *err);
void sip_registration_free(struct nxv_registration *registration);
/** NXV_SIP_STOPPED for a word that is none. */
nxv_sip_state sip_state_parse(const char *word);

#endif
