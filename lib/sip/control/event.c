/* event.c - turns the members of a pushed event into struct sip_event. */
#include "sip/control/event.h"

#include <string.h>

#include "base/digest.h"

/* The year 9999: whatever lies beyond is no time of day. */
#define SECONDS_MAX INT64_C(253402300799)

static const struct { const char *name; enum sip_event_kind kind; } kinds[] = {
	{ "call", SIP_EV_CALL }, { "ringing", SIP_EV_RINGING }, { "answered", SIP_EV_ANSWERED }, { "failed", SIP_EV_FAILED },
	{ "ended", SIP_EV_ENDED }, { "registered", SIP_EV_REGISTERED }, { "unregistered", SIP_EV_UNREGISTERED }
};

static const char *text_or_empty(struct json_object *obj, const char *member)
{
	const char *text = json_text(obj, member);

	return text ? text : "";
}

bool event_read(struct json_object *members, struct sip_event *out)
{
	const char *name = json_text(members, "kind");
	const int64_t sec = json_int(members, "sec", -1), usec = json_int(members, "usec", 0);
	size_t i = 0;

	while (i < sizeof(kinds) / sizeof(*kinds) && (!name || strcmp(kinds[i].name, name) != 0))
		i++;
	if (i == sizeof(kinds) / sizeof(*kinds) || sec < 0 || sec > SECONDS_MAX || usec < 0 || usec > 999999)
		return false;
	*out = (struct sip_event){
		.kind = kinds[i].kind,
		.call_id = text_or_empty(members, "call_id"),
		.session = text_or_empty(members, "session"),
		.leg = text_or_empty(members, "leg"),
		.owner = text_or_empty(members, "owner"),
		.from_user = text_or_empty(members, "from"),
		.to_user = text_or_empty(members, "to"),
		.who = text_or_empty(members, "who"),
		.contact = text_or_empty(members, "contact"),
		.reason = text_or_empty(members, "reason"),
		.code = (int)json_int(members, "code", 0),
		.at_ms = sec * 1000 + usec / 1000,
	};
	return out->kind < SIP_EV_REGISTERED ? *out->call_id != '\0' : *out->from_user != '\0';
}

bool event_deliver(const struct sip_sink *sink, struct json_object *members)
{
	struct sip_event ev;

	if (!event_read(members, &ev))
		return false;
	if (sink->event)
		sink->event(sink->arg, &ev);
	return true;
}

bool event_take(const struct sip_sink *sink, struct json_object *members, const char *key)
{
	const char *said = json_text(members, "key");

	return said && strlen(said) == strlen(key) && digest_equal(said, key, strlen(key)) && event_deliver(sink, members);
}

void event_emit(const struct sip_sink *sink, enum sip_event_kind kind, const char *username, const char *contact, int64_t at_ms)
{
	const struct sip_event ev = { .kind = kind, .call_id = "", .session = "", .leg = "", .owner = "", .from_user = username,
		.to_user = "", .who = "", .contact = contact, .reason = "", .at_ms = at_ms };

	if (sink->event)
		sink->event(sink->arg, &ev);
}

void event_gap(const struct sip_sink *sink)
{
	if (sink->gap)
		sink->gap(sink->arg);
}
