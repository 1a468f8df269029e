/* parse.h - what OpenSIPS answers on its MI, as the driver's structures. Anything malformed is left out or refused. */
#ifndef NXV_SIP_OPENSIPS_PARSE_H
#define NXV_SIP_OPENSIPS_PARSE_H

#include "sip/control/list.h"

/** One element of dlg_list_ctx; text lies in obj. False: malformed, or a dialog that has ended. */
bool opensips_parse_dialog(struct json_object *obj, struct sip_dialog *out);
/** Answer of ul_show_contact, added to list. */
void opensips_parse_contacts(struct json_object *result, struct contact_list *list);
/** Answer of ul_dump, brief: the addresses of record. @return [owned] array; NULL when memory ran out. */
struct json_object *opensips_parse_aors(struct json_object *result);
/** "OpenSIPS (3.6.8 (x86_64/linux))" gives "3.6.8". */
void opensips_parse_version(struct json_object *result, char *out, size_t size);
/** "361 [sec]". */
int64_t opensips_parse_uptime(struct json_object *result);
/** True when ps lists a receiver for UDP on listen and for streams. Otherwise missing says which is not there. */
bool opensips_parse_ready(struct json_object *result, const char *listen, char *missing, size_t size);

#endif
