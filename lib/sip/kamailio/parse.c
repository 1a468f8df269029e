/* parse.c - Kamailio's RPC answers: field names and shapes of 5.6 to 6.1. */
#include "sip/kamailio/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNCONFIRMED = 1, EARLY, CONFIRMED_NO_ACK, CONFIRMED, DELETED };

static size_t length(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

bool kamailio_parse_state(struct json_object *result, struct kamailio_state *out)
{
	*out = (struct kamailio_state){
		.state = (int)json_int(result, "state", 0),
		.h_entry = json_int(result, "h_entry", -1),
		.h_id = json_int(result, "h_id", -1),
		.cseq = json_text(json_member(result, "caller"), "cseq"),
	};
	return out->state >= UNCONFIRMED && out->state < DELETED && out->h_entry >= 0 && out->h_id >= 0;
}

bool kamailio_parse_dialog(struct json_object *obj, struct sip_dialog *out)
{
	struct kamailio_state at;
	const char *call_id = json_text(obj, "call-id");

	if (!call_id || !kamailio_parse_state(obj, &at))
		return false;
	*out = (struct sip_dialog){ .call_id = call_id, .confirmed = at.state >= CONFIRMED_NO_ACK };
	if (out->confirmed)
		out->started_at_ms = dialog_time_ms(obj, "start_ts");
	dialog_take_values(out, json_member(obj, "variables"));
	return true;
}

struct json_object *kamailio_parse_briefing(struct json_object *result)
{
	struct json_object *out = json_object_new_array();

	for (size_t i = 0; out && i < length(result); i++) {
		struct json_object *call_id = json_member(json_object_array_get_idx(result, i), "call-id");

		if (json_object_is_type(call_id, json_type_string))
			json_object_array_add(out, json_object_get(call_id));
	}
	return out;
}

void kamailio_parse_contacts(struct json_object *result, struct contact_list *list)
{
	struct json_object *contacts = json_member(result, "Contacts");
	const char *aor = json_text(result, "AoR");

	for (size_t i = 0; aor && i < length(contacts); i++) {
		struct json_object *item = json_member(json_object_array_get_idx(contacts, i), "Contact");
		const char *uri = json_text(item, "Address");
		const int64_t expires = json_int(item, "Expires", -1); /* text when it has expired or was deleted */

		if (!uri || expires < 0)
			continue;
		contact_list_add(list, aor, uri, json_text(item, "User-Agent"), expires);
		contact_list_heard(list, json_text(item, "Received"), json_text(item, "Socket"));
	}
}

struct json_object *kamailio_parse_aors(struct json_object *result)
{
	struct json_object *domains = json_member(result, "Domains"), *out = json_object_new_array();

	for (size_t i = 0; out && i < length(domains); i++) {
		struct json_object *aors = json_member(json_member(json_object_array_get_idx(domains, i), "Domain"), "AoRs");

		for (size_t k = 0; k < length(aors); k++) {
			struct json_object *aor = json_member(json_object_array_get_idx(aors, k), "AoR");

			if (json_object_is_type(aor, json_type_string))
				json_object_array_add(out, json_object_get(aor));
		}
	}
	return out;
}

void kamailio_parse_version(struct json_object *result, char *out, size_t size)
{
	const char *text = json_object_is_type(result, json_type_string) ? strchr(json_object_get_string(result), ' ') : NULL;

	snprintf(out, size, "%.*s", text ? (int)strcspn(text + 1, " (") : 0, text ? text + 1 : "");
}

int64_t kamailio_parse_statistic(struct json_object *result, const char *name)
{
	const size_t len = strlen(name);

	for (size_t i = 0; i < length(result); i++) {
		struct json_object *item = json_object_array_get_idx(result, i);
		const char *line = json_object_is_type(item, json_type_string) ? json_object_get_string(item) : "";

		if (strncmp(line, name, len) == 0 && strncmp(line + len, " = ", 3) == 0)
			return strtoll(line + len + 3, NULL, 10);
	}
	return 0;
}
