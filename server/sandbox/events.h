/* events.h - what a call's or recording's events look like on their way to the StatusCallback. */
#ifndef NEXUS_SANDBOX_EVENTS_H
#define NEXUS_SANDBOX_EVENTS_H

#include "sandbox.h"

/** A form in the making, as pairs. */
enum { PAIRS_MAX = 40 };
struct pairs {
	struct {
		const char *name; /**< literal */
		char *value;
	} items[PAIRS_MAX];
	size_t count;
	bool failed;
};
void pairs_add(struct pairs *pairs, const char *name, const char *value);
void pairs_add_int(struct pairs *pairs, const char *name, int64_t value);
void pairs_clear(struct pairs *pairs);
/** "name=value&...", percent-encoded. @return [owned]; NULL when memory ran out. */
char *pairs_form(const struct pairs *pairs);
/** X-Twilio-Signature of a request to this URL with these pairs; out holds 29. False when it cannot be made. */
bool pairs_sign(const struct pairs *pairs, const char *token, const char *url, char *out);

/** The parameters that every request about a call has. */
void event_about(const struct call *call, struct pairs *pairs);
/** Send this event of a call, if it was asked for. */
void event_send(struct call *call, unsigned event);
/** Send this event of a recording, if it was asked for. */
void event_send_recording(struct call *call, const struct recording *recording, unsigned event);
/** "Tue, 31 Aug 2010 20:36:28 +0000"; out holds 40. */
void event_time(int64_t utc_ms, char *out);

#endif
