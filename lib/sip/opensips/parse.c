/* parse.c - OpenSIPS' MI answers: field names and shapes of 3.4 to 4.0. */
#include "sip/opensips/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/probe.h"

/* Dialog states of the dialog module. */
enum { UNCONFIRMED = 1, EARLY, CONFIRMED_NO_ACK, CONFIRMED, DELETED };

static size_t length(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

bool opensips_parse_dialog(struct json_object *obj, struct sip_dialog *out)
{
	const int64_t state = json_int(obj, "state", 0);
	const char *call_id = json_text(obj, "callid");

	if (!call_id || state < UNCONFIRMED || state >= DELETED)
		return false;
	*out = (struct sip_dialog){ .call_id = call_id, .confirmed = state >= CONFIRMED_NO_ACK };
	if (out->confirmed)
		out->started_at_ms = dialog_time_ms(obj, "timestart");
	dialog_take_values(out, json_member(json_member(obj, "context"), "values"));
	return true;
}

void opensips_parse_contacts(struct json_object *result, struct contact_list *list)
{
	struct json_object *contacts = json_member(result, "Contacts");
	const char *aor = json_text(result, "AOR");

	for (size_t i = 0; aor && i < length(contacts); i++) {
		struct json_object *item = json_object_array_get_idx(contacts, i);
		const char *uri = json_text(item, "Contact");
		const int64_t expires = json_int(item, "Expires", -1); /* text when it has expired or was deleted */

		if (!uri || expires < 0)
			continue;
		contact_list_add(list, aor, uri, json_text(item, "User-agent"), expires);
		contact_list_heard(list, json_text(item, "Received"), json_text(item, "Socket"));
	}
}

struct json_object *opensips_parse_aors(struct json_object *result)
{
	struct json_object *domains = json_member(result, "Domains"), *out = json_object_new_array();

	for (size_t i = 0; out && i < length(domains); i++) {
		struct json_object *aors = json_member(json_object_array_get_idx(domains, i), "AORs");

		for (size_t k = 0; k < length(aors); k++) {
			struct json_object *item = json_object_array_get_idx(aors, k), *name = json_member(item, "AOR");

			if (json_object_is_type(name, json_type_string))
				json_object_array_add(out, json_object_get(name));
		}
	}
	return out;
}

void opensips_parse_version(struct json_object *result, char *out, size_t size)
{
	const char *text = json_text(result, "Server");

	text = text ? strchr(text, '(') : NULL;
	snprintf(out, size, "%.*s", text ? (int)strcspn(text + 1, " )") : 0, text ? text + 1 : "");
}

int64_t opensips_parse_uptime(struct json_object *result)
{
	const char *text = json_text(result, "Up time");

	return text ? strtoll(text, NULL, 10) : 0;
}

/* OpenSIPS writes an IPv6 address in full, "[0:0:0:0:0:0:0:1]:5060". */
static bool same_address(const char *one, const char *other)
{
	struct sockaddr_storage a, b;
	socklen_t a_len, b_len;

	return probe_address(one, &a, &a_len) && probe_address(other, &b, &b_len) && a_len == b_len && memcmp(&a, &b, a_len) == 0;
}

static bool is_process(const char *type, const char *wanted, const char *listen)
{
	static const char receiver[] = "SIP receiver udp:";

	if (wanted)
		return strcmp(type, wanted) == 0;
	return strncmp(type, receiver, strlen(receiver)) == 0 && same_address(type + strlen(receiver), listen);
}

bool opensips_parse_ready(struct json_object *result, const char *listen, char *missing, size_t size)
{
	struct json_object *processes = json_member(result, "Processes");
	const char *wanted[] = { NULL /* the UDP receiver */, "TCP receiver", "TCP main" };
	const size_t count = sizeof(wanted) / sizeof(*wanted);

	for (size_t w = 0; w < count; w++) {
		bool found = false;

		for (size_t i = 0; i < length(processes) && !found; i++) {
			const char *type = json_text(json_object_array_get_idx(processes, i), "Type");

			found = type && is_process(type, wanted[w], listen);
		}
		if (!found) {
			snprintf(missing, size, wanted[w] ? "%s" : "SIP receiver udp:%s", wanted[w] ? wanted[w] : listen);
			return false;
		}
	}
	return true;
}
