/* record.h - Twilio's JSON objects as records: one table row per member. */
#ifndef NXV_TWILIO_RECORD_H
#define NXV_TWILIO_RECORD_H

#include <nexusvoip/twilio.h>

#include "base/json.h"

/** Read one. @return [owned]; NULL when memory ran out, or it has no sid or status. */
struct nxv_twilio_call *record_call(struct json_object *json);
struct nxv_twilio_recording *record_recording(struct json_object *json);
/** The array of a list, [borrowed], and where its next page is, [owned], NULL at the end.
 * Errors: NXV_E_UNREACHABLE "twilio_bad_answer", NXV_E_NOMEM. */
nxv_status record_page(struct json_object *json, const char *member, struct json_object **array, char **next, struct nxv_error *err);
/** "Tue, 31 Aug 2010 20:36:28 +0000" as ms since 1970; 0 for anything else. */
int64_t record_time_ms(const char *text);

#endif
