/* manager_text.c - health and registrations as text between processes: written and read here only. */
#include "sip/manager_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

static const char *const state_names[] = { "stopped", "starting", "running", "backoff", "failed", "unresponsive" };
enum { STATES = sizeof(state_names) / sizeof(state_names[0]) };

const char *nxv_sip_state_name(nxv_sip_state state)
{
	return (unsigned)state < STATES ? state_names[state] : "unknown";
}

nxv_sip_state sip_state_parse(const char *word)
{
	for (unsigned i = 0; i < STATES; i++)
		if (strcmp(word, state_names[i]) == 0)
			return (nxv_sip_state)i;
	return NXV_SIP_STOPPED;
}

/* Text from outside the library, kept from breaking lines and fields. */
static void put_text(struct buf *out, const char *text)
{
	for (; *text; text++) {
		char c = (unsigned char)*text < 0x20 ? ' ' : *text;
		buf_append(out, &c, 1);
	}
}

static void put_line(struct buf *out, const char *key, const char *value)
{
	if (!value)
		return;
	buf_printf(out, "%s=", key);
	put_text(out, value);
	buf_str(out, "\n");
}

void sip_health_write(struct buf *out, const struct nxv_sip_health *health)
{
	put_line(out, "state", nxv_sip_state_name(health->state));
	put_line(out, "server", health->server);
	put_line(out, "version", health->version);
	put_line(out, "message", health->message);
	put_line(out, "twilio_url", health->twilio_url);
	buf_printf(out, "pid=%" PRId64 "\nuptime_seconds=%" PRId64 "\nactive_calls=%" PRId64 "\nregistrations=%" PRId64 "\nsupervised=%d\n",
		health->pid, health->uptime_seconds, health->active_calls, health->registrations, health->supervised);
}

static void number(const char *value, int64_t *out)
{
	if (!text_int(value, 0, INT64_MAX, out))
		*out = 0;
}

/* False when memory ran out. */
static bool take(struct nxv_sip_health *health, const char *key, const char *value)
{
	char **text = strcmp(key, "server") == 0 ? &health->server :
		      strcmp(key, "version") == 0 ? &health->version :
		      strcmp(key, "message") == 0 ? &health->message :
		      strcmp(key, "twilio_url") == 0 ? &health->twilio_url : NULL;

	if (text) {
		free(*text);
		*text = text_dup(value);
		return *text != NULL;
	}
	if (strcmp(key, "state") == 0)
		health->state = sip_state_parse(value);
	else if (strcmp(key, "pid") == 0)
		number(value, &health->pid);
	else if (strcmp(key, "uptime_seconds") == 0)
		number(value, &health->uptime_seconds);
	else if (strcmp(key, "active_calls") == 0)
		number(value, &health->active_calls);
	else if (strcmp(key, "registrations") == 0)
		number(value, &health->registrations);
	else if (strcmp(key, "supervised") == 0)
		health->supervised = strcmp(value, "1") == 0;
	return true;
}

nxv_status sip_health_read(const char *text, struct nxv_sip_health **out, struct nxv_error *err)
{
	struct nxv_sip_health *health = calloc(1, sizeof(*health));
	char *copy = text_dup(text), *save = NULL;
	bool ok = health && copy;

	*out = NULL;
	for (char *line = ok ? strtok_r(copy, "\n", &save) : NULL; line && ok; line = strtok_r(NULL, "\n", &save)) {
		char *equals = strchr(line, '=');
		if (!equals)
			continue;
		*equals = '\0';
		ok = take(health, line, equals + 1);
	}
	free(copy);
	if (!ok) {
		nxv_sip_health_free(health);
		return error_nomem(err);
	}
	*out = health;
	return NXV_OK;
}

void sip_contact_write(struct buf *out, const struct sip_contact *contact)
{
	put_text(out, contact->username ? contact->username : "");
	buf_str(out, "\t");
	put_text(out, contact->contact ? contact->contact : "");
	buf_str(out, "\t");
	put_text(out, contact->user_agent ? contact->user_agent : "");
	buf_printf(out, "\t%" PRId64 "\n", contact->expires_seconds);
}

static bool add_contact(struct nxv_registration_list *list, size_t *room, char *line)
{
	char *fields[4];
	struct nxv_registration *reg;

	for (int i = 0; i < 4; i++) {
		fields[i] = line;
		line = strchr(line, '\t');
		if (line)
			*line++ = '\0';
		else if (i < 3)
			return true; /* not a contact: left out */
	}
	if (list->count == *room) {
		size_t more = *room ? *room * 2 : 16;
		struct nxv_registration **items = realloc(list->items, more * sizeof(*items));
		if (!items)
			return false;
		list->items = items;
		*room = more;
	}
	reg = calloc(1, sizeof(*reg));
	if (!reg)
		return false;
	list->items[list->count++] = reg;
	reg->username = text_dup(fields[0]);
	reg->contact = text_dup(fields[1]);
	reg->user_agent = *fields[2] ? text_dup(fields[2]) : NULL;
	number(fields[3], &reg->expires_seconds);
	return reg->username && reg->contact && (reg->user_agent || !*fields[2]);
}

nxv_status sip_contacts_read(const char *text, struct nxv_registration_list **out, struct nxv_error *err)
{
	struct nxv_registration_list *list = calloc(1, sizeof(*list));
	char *copy = text_dup(text), *save = NULL;
	bool ok = list && copy;
	size_t room = 0;

	*out = NULL;
	for (char *line = ok ? strtok_r(copy, "\n", &save) : NULL; line && ok; line = strtok_r(NULL, "\n", &save))
		ok = add_contact(list, &room, line);
	free(copy);
	if (!ok) {
		nxv_registration_list_free(list);
		return error_nomem(err);
	}
	*out = list;
	return NXV_OK;
}

void nxv_sip_health_free(struct nxv_sip_health *health)
{
	if (!health)
		return;
	free(health->server);
	free(health->version);
	free(health->message);
	free(health->twilio_url);
	free(health);
}

void sip_registration_free(struct nxv_registration *registration)
{
	free(registration->username);
	free(registration->user_id);
	free(registration->contact);
	free(registration->user_agent);
	free(registration);
}

void nxv_registration_list_free(struct nxv_registration_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		sip_registration_free(list->items[i]);
	free(list->items);
	free(list);
}
