/* parse.h - what Kamailio's RPC says, as the driver's structures. Anything malformed is left out or refused. */
#ifndef NXV_SIP_KAMAILIO_PARSE_H
#define NXV_SIP_KAMAILIO_PARSE_H

#include "sip/control/list.h"

/** Where a dialog stands, as far as ending it goes. */
struct kamailio_state {
	int state; /**< 1 unconfirmed, 2 early, 3 confirmed without ACK, 4 confirmed, 5 deleted */
	int64_t h_entry, h_id;
	const char *cseq; /**< of the caller's INVITE */
};
/** Answer of dlg.dlg_list. False: no such dialog. */
bool kamailio_parse_state(struct json_object *result, struct kamailio_state *out);
/** The same answer as a dialog; text lies in obj. False: malformed, or ended. */
bool kamailio_parse_dialog(struct json_object *obj, struct sip_dialog *out);
/** Answer of dlg.briefing "c": the Call-IDs. @return [owned] array; NULL when memory ran out. */
struct json_object *kamailio_parse_briefing(struct json_object *result);
/** Answer of ul.lookup, added to list. */
void kamailio_parse_contacts(struct json_object *result, struct contact_list *list);
/** Answer of ul.dump brief: the addresses of record. @return [owned] array; NULL when memory ran out. */
struct json_object *kamailio_parse_aors(struct json_object *result);
/** "kamailio 5.6.3 (x86_64/linux) " gives "5.6.3". */
void kamailio_parse_version(struct json_object *result, char *out, size_t size);
/** Number behind "name = " in the answer of stats.get_statistics; 0 if it is not there. */
int64_t kamailio_parse_statistic(struct json_object *result, const char *name);

#endif
