/* fuzz_driver.c - answers and events of SIP servers, through both drivers' parsers. */
#include "fuzz.h"

#include "sip/control/common.h"
#include "sip/control/endings.h"
#include "sip/control/event.h"
#include "sip/kamailio/impl.h"
#include "sip/kamailio/parse.h"
#include "sip/opensips/impl.h"
#include "sip/opensips/parse.h"

static void on_event(void *arg, const struct sip_event *ev)
{
	size_t *bytes = arg;

	/* every text is there, if only "" */
	*bytes += strlen(ev->call_id) + strlen(ev->session) + strlen(ev->leg) + strlen(ev->owner) + strlen(ev->from_user) +
		strlen(ev->to_user) + strlen(ev->who) + strlen(ev->contact) + strlen(ev->reason);
}

static void parse_both(struct json_object *obj)
{
	struct sip_dialog dialog;
	struct kamailio_state state;
	struct contact_list contacts = { 0 };
	struct dialog_list dialogs = { 0 };
	char text[64];
	size_t bytes = 0;
	const struct sip_sink sink = { .arg = &bytes, .event = on_event };

	if (opensips_parse_dialog(obj, &dialog))
		dialog_list_add(&dialogs, &dialog, obj);
	if (kamailio_parse_dialog(obj, &dialog))
		dialog_list_add(&dialogs, &dialog, obj);
	opensips_parse_contacts(obj, &contacts);
	kamailio_parse_contacts(obj, &contacts);
	json_object_put(opensips_parse_aors(obj));
	json_object_put(kamailio_parse_aors(obj));
	json_object_put(kamailio_parse_briefing(obj));
	opensips_parse_version(obj, text, sizeof(text));
	kamailio_parse_version(obj, text, sizeof(text));
	(void)opensips_parse_uptime(obj);
	(void)opensips_parse_ready(obj, "127.0.0.1:5060", text, sizeof(text));
	(void)kamailio_parse_state(obj, &state);
	(void)kamailio_parse_statistic(obj, "dialog:active_dialogs");
	(void)event_deliver(&sink, obj);
	dialog_list_free(&dialogs);
	contact_list_free(&contacts);
}

/* A datagram that claims to be an event, before anybody has looked at it. */
static void take_both(const char *text, size_t len)
{
	size_t bytes = 0;
	const struct sip_sink sink = { .arg = &bytes, .event = on_event };
	struct opensips os = { .sink = sink, .key = "evk" };
	struct kamailio k = { .sink = sink, .key = "evk" };

	(void)opensips_event(&os, text, len);
	(void)kamailio_event(&k, text, len);
}

/* What a server remembers of an ended call. */
static void read_ending(const uint8_t *data, size_t size)
{
	char text[COMMON_ENDING_BYTES * 2];

	size = size < sizeof(text) ? size : sizeof(text) - 1;
	memcpy(text, data, size);
	text[size] = '\0';
	json_object_put(endings_members(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *obj = NULL;

	if (json_read((const char *)data, size, 1 << 20, &obj, NULL) == NXV_OK)
		parse_both(obj);
	if (json_member(obj, "result"))
		parse_both(json_member(obj, "result"));
	json_object_put(obj);
	take_both((const char *)data, size);
	read_ending(data, size);
	return 0;
}
