/* endings.c - reads what a server remembers of ended calls: each ring backwards, one by one, to the time asked for. */
#include "sip/control/endings.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "sip/control/common.h"
#include "sip/control/event.h"
#include "sip/control/list.h"

static const char *const rings[] = { "ended", "failed" };

enum { RINGS = 2 };

struct reading {
	struct control *control;
	const struct endings_store *store;
	int ring;
	int64_t since_ms, count, next; /* next: the number to read, from count down */
	struct json_object *found;
	sip_endings_fn *fn;
	void *arg;
};

static struct json_object *members_of_lines(const char *text)
{
	static const char *const numbers[] = { "n", "sec", "usec", "code" };
	struct json_object *members = json_object_new_object();

	while (members && *text) {
		const size_t len = strcspn(text, "\n");
		const char *value = memchr(text, '=', len);
		char name[16];
		bool number = false;

		if (value && (size_t)(value - text) < sizeof(name)) {
			memcpy(name, text, (size_t)(value - text));
			name[value++ - text] = '\0';
			for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
				number = number || strcmp(name, numbers[i]) == 0;
			json_object_object_add(members, name, number ? json_object_new_int64(strtoll(value, NULL, 10)) :
				json_object_new_string_len(value, (int)(text + len - value)));
		}
		text += len + (text[len] == '\n');
	}
	return members;
}

struct json_object *endings_members(const char *text)
{
	struct json_object *members = NULL;
	struct sip_event event;

	if (*text == '{')
		json_read(text, strlen(text), COMMON_ENDING_BYTES * 2, &members, NULL);
	else
		members = members_of_lines(text);
	if (members && event_read(members, &event) && (event.kind == SIP_EV_FAILED || event.kind == SIP_EV_ENDED))
		return members;
	json_object_put(members);
	return NULL;
}

static int64_t time_of(struct json_object *members, const char *name)
{
	const char *text = json_text(members, name);

	return text ? dialog_exact_ms(text) : 0;
}

static struct sip_ending ending(struct json_object *members)
{
	struct sip_ending e = { .invited_at_ms = time_of(members, "started"), .ringing_at_ms = time_of(members, "ringing"),
		.answered_at_ms = time_of(members, "answered") };

	event_read(members, &e.event);
	return e;
}

static int older(const void *a, const void *b)
{
	const struct sip_ending *x = a, *y = b;

	return (x->event.at_ms > y->event.at_ms) - (x->event.at_ms < y->event.at_ms);
}

static void reading_done(struct reading *r, nxv_status status, const struct nxv_error *err)
{
	const size_t count = status == NXV_OK && r->found ? json_object_array_length(r->found) : 0;
	struct sip_ending *items = count ? calloc(count, sizeof(*items)) : NULL;
	struct nxv_error failed = NXV_ERROR_INIT;

	if (count && !items) {
		status = error_nomem(&failed);
		err = &failed;
	}
	for (size_t i = 0; items && i < count; i++)
		items[i] = ending(json_object_array_get_idx(r->found, i));
	if (items)
		qsort(items, count, sizeof(*items), older);
	r->fn(r->arg, status, items, items ? count : 0, status == NXV_OK ? NULL : err);
	free(items);
	json_object_put(r->found);
	free(r);
}

static void ask(struct reading *r, int place, control_fn *fn)
{
	control_call(r->control, r->store->method, r->store->params(rings[r->ring], place), fn, r);
}

/* {"item":{"value":...}} of Kamailio, {"value":...} of OpenSIPS. */
static struct json_object *value_of(struct json_object *result)
{
	struct json_object *item = json_member(result, "item");

	return json_member(item ? item : result, "value");
}

static bool nothing_there(nxv_status status)
{
	return status == NXV_E_NOT_FOUND || status == NXV_E_CONFLICT;
}

static void counted(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err);
static void one_read(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err);

static void go_on(struct reading *r)
{
	if (r->next > 0 && r->count - r->next < COMMON_ENDINGS)
		ask(r, (int)(r->next % COMMON_ENDINGS), one_read);
	else if (++r->ring < RINGS)
		ask(r, -1, counted);
	else
		reading_done(r, NXV_OK, NULL);
}

/* A place may be empty: not filled yet, or its ending was too long to be kept. Then it holds nothing, or what was there one
 * round before, and neither tells anything of the others. */
static void one_read(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct reading *r = arg;
	struct json_object *value = value_of(result), *members = NULL;
	const int64_t number = r->next--;
	struct sip_event event;

	if (status != NXV_OK && !nothing_there(status)) {
		reading_done(r, status, err);
		return;
	}
	if (status == NXV_OK && json_object_is_type(value, json_type_string))
		members = endings_members(json_object_get_string(value));
	if (members && json_int(members, "n", 0) == number && event_read(members, &event)) {
		if (event.at_ms < r->since_ms)
			r->next = 0;
		else
			json_object_array_add(r->found, json_object_get(members));
	}
	json_object_put(members);
	go_on(r);
}

static void counted(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct reading *r = arg;

	if (status != NXV_OK && !nothing_there(status)) {
		reading_done(r, status, err);
		return;
	}
	r->count = r->next = status == NXV_OK ? json_object_get_int64(value_of(result)) : 0;
	go_on(r);
}

void endings_read(struct control *c, const struct endings_store *store, int64_t since_ms, sip_endings_fn *fn, void *arg)
{
	struct reading *r = calloc(1, sizeof(*r));
	struct nxv_error err = NXV_ERROR_INIT;

	if (r)
		*r = (struct reading){ .control = c, .store = store, .since_ms = since_ms, .found = json_object_new_array(), .fn = fn, .arg = arg };
	if (!r || !r->found) {
		free(r);
		error_nomem(&err);
		fn(arg, NXV_E_NOMEM, NULL, 0, &err);
		return;
	}
	ask(r, -1, counted);
}
