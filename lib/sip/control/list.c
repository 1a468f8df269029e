/* list.c - growing lists of dialogs and contacts. */
#include "sip/control/list.h"

#include <stdlib.h>
#include <string.h>

/* The end of the year 9999. */
#define SECONDS_MAX INT64_C(253402300799)

/* Make room for one more item; true when there is. */
static bool grow(void **items, size_t *cap, size_t count, size_t size, struct json_object **keep)
{
	const size_t cap_new = *cap ? *cap * 2 : 32;
	void *more;

	if (!*keep)
		*keep = json_object_new_array();
	if (!*keep)
		return false;
	if (count < *cap)
		return true;
	more = realloc(*items, cap_new * size);
	if (!more)
		return false;
	*items = more;
	*cap = cap_new;
	return true;
}

/* Hold obj [owned] as long as the list lives. */
static bool hold(struct json_object *keep, struct json_object *obj)
{
	if (obj && json_object_array_add(keep, obj) == 0)
		return true;
	json_object_put(obj);
	return false;
}

void dialog_list_add(struct dialog_list *list, const struct sip_dialog *dialog, struct json_object *holder)
{
	void *items = list->items;

	if (list->failed || !grow(&items, &list->cap, list->count, sizeof(*list->items), &list->keep)) {
		list->failed = true;
		return;
	}
	list->items = items;
	if (!hold(list->keep, json_object_get(holder))) {
		list->failed = true;
		return;
	}
	list->items[list->count++] = *dialog;
}

void dialog_list_free(struct dialog_list *list)
{
	free(list->items);
	json_object_put(list->keep);
	*list = (struct dialog_list){ 0 };
}

void contact_list_add(struct contact_list *list, const char *aor, const char *contact, const char *agent, int64_t expires_seconds)
{
	struct json_object *text[3] = { json_object_new_string_len(aor, (int)strcspn(aor, "@")), json_object_new_string(contact),
		json_object_new_string(agent ? agent : "") };
	void *items = list->items;

	if (!list->failed && grow(&items, &list->cap, list->count, sizeof(*list->items), &list->keep))
		list->items = items;
	else
		list->failed = true;
	for (size_t i = 0; i < 3; i++) {
		if (list->failed)
			json_object_put(text[i]);
		else if (!hold(list->keep, text[i]))
			list->failed = true;
	}
	if (list->failed)
		return;
	list->items[list->count++] = (struct sip_contact){ .username = json_object_get_string(text[0]),
		.contact = json_object_get_string(text[1]),
		.user_agent = json_object_get_string(text[2]),
		.expires_seconds = expires_seconds };
}

void contact_list_heard(struct contact_list *list, const char *received, const char *socket)
{
	if (list->failed || !list->count)
		return;
	list->items[list->count - 1].web = (received && strstr(received, ";transport=ws")) || (socket && strncmp(socket, "ws", 2) == 0);
}

void contact_list_free(struct contact_list *list)
{
	free(list->items);
	json_object_put(list->keep);
	*list = (struct contact_list){ 0 };
}

int64_t dialog_exact_ms(const char *text)
{
	char *dot, *end;
	const long long seconds = strtoll(text, &dot, 10), micro = *dot == '.' ? strtoll(dot + 1, &end, 10) : 0;

	return seconds > 0 && seconds <= SECONDS_MAX && micro >= 0 && micro < 1000000 ? seconds * 1000 + micro / 1000 : 0;
}

void dialog_take_values(struct sip_dialog *dialog, struct json_object *pairs)
{
	const size_t count = json_object_is_type(pairs, json_type_array) ? json_object_array_length(pairs) : 0;

	const char *answered = "", *started = "", *ringing = "";

	dialog->session = dialog->leg = dialog->owner = dialog->from_user = dialog->to_user = "";
	for (size_t i = 0; i < count; i++) {
		struct json_object *pair = json_object_array_get_idx(pairs, i);
		const struct { const char *name, **to; } wanted[] = { { "session", &dialog->session }, { "leg", &dialog->leg },
			{ "owner", &dialog->owner }, { "from", &dialog->from_user }, { "to", &dialog->to_user }, { "answered", &answered },
			{ "started", &started }, { "ringing", &ringing } };

		for (size_t k = 0; k < sizeof(wanted) / sizeof(*wanted); k++)
			if (json_text(pair, wanted[k].name))
				*wanted[k].to = json_text(pair, wanted[k].name);
	}
	dialog->invited_at_ms = dialog_exact_ms(started);
	dialog->ringing_at_ms = dialog_exact_ms(ringing);
	if (dialog->confirmed && dialog_exact_ms(answered))
		dialog->started_at_ms = dialog_exact_ms(answered);
}

int64_t dialog_time_ms(struct json_object *obj, const char *member)
{
	const int64_t seconds = json_int(obj, member, 0);

	return seconds > 0 && seconds <= SECONDS_MAX ? seconds * 1000 : 0;
}
