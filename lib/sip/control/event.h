/* event.h - what both servers' configurations push: one JSON object per event, the same member names on both. */
#ifndef NXV_SIP_CONTROL_EVENT_H
#define NXV_SIP_CONTROL_EVENT_H

#include "base/json.h"
#include "sip/server.h"

/** @param out its text lies in members. False: malformed. */
bool event_read(struct json_object *members, struct sip_event *out);
/** Hand one event to the sink. False: it is none of ours or malformed, and was dropped. */
bool event_deliver(const struct sip_sink *sink, struct json_object *members);
/** The same, if its member "key" is the one that only the server and the gateway know. */
bool event_take(const struct sip_sink *sink, struct json_object *members, const char *key);
void event_emit(const struct sip_sink *sink, enum sip_event_kind kind, const char *username, const char *contact, int64_t at_ms);
void event_gap(const struct sip_sink *sink);

#endif
