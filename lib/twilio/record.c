/* record.c - Twilio's JSON objects as records, and back to free memory. Members that Twilio leaves null stay empty. */
#include "twilio/record.h"

#include "base/error.h"
#include "base/text.h"
#include "twilio/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum kind {
	TEXT,     /* char *; numbers are taken as their text */
	TIME,     /* int64_t ms */
	SECONDS,  /* int64_t from a number or its text; -1 when there is none */
	NUMBER,   /* int64_t likewise, 0 when there is none */
	SMALL,    /* int likewise */
	PRESENT   /* bool: there is something */
};
struct member {
	const char *name; /* NULL ends a table */
	enum kind kind;
	size_t offset;
};
#define CALL(kind, name, to) { name, kind, offsetof(struct nxv_twilio_call, to) }
#define RECORDING(kind, name, to) { name, kind, offsetof(struct nxv_twilio_recording, to) }

static const struct member call_members[] = {
	CALL(TEXT, "sid", sid),
	CALL(TEXT, "status", status),
	CALL(TEXT, "parent_call_sid", parent_sid),
	CALL(TEXT, "account_sid", account_sid),
	CALL(TEXT, "to", to),
	CALL(TEXT, "to_formatted", to_formatted),
	CALL(TEXT, "from", from),
	CALL(TEXT, "from_formatted", from_formatted),
	CALL(TEXT, "direction", direction),
	CALL(TEXT, "answered_by", answered_by),
	CALL(TEXT, "caller_name", caller_name),
	CALL(TEXT, "forwarded_from", forwarded_from),
	CALL(TEXT, "phone_number_sid", phone_number_sid),
	CALL(TEXT, "group_sid", group_sid),
	CALL(TEXT, "trunk_sid", trunk_sid),
	CALL(TEXT, "price", price),
	CALL(TEXT, "price_unit", price_unit),
	CALL(TIME, "date_created", created_at_ms),
	CALL(TIME, "date_updated", updated_at_ms),
	CALL(TIME, "start_time", started_at_ms),
	CALL(TIME, "end_time", ended_at_ms),
	CALL(SECONDS, "duration", duration_seconds),
	CALL(NUMBER, "queue_time", queue_time_ms),
	{ NULL, TEXT, 0 },
};
static const struct member recording_members[] = {
	RECORDING(TEXT, "sid", sid),
	RECORDING(TEXT, "status", status),
	RECORDING(TEXT, "call_sid", call_sid),
	RECORDING(TEXT, "conference_sid", conference_sid),
	RECORDING(TEXT, "account_sid", account_sid),
	RECORDING(TEXT, "source", source),
	RECORDING(TEXT, "track", track),
	RECORDING(TEXT, "price", price),
	RECORDING(TEXT, "price_unit", price_unit),
	RECORDING(TEXT, "media_url", media_url),
	RECORDING(TIME, "date_created", created_at_ms),
	RECORDING(TIME, "date_updated", updated_at_ms),
	RECORDING(TIME, "start_time", started_at_ms),
	RECORDING(SECONDS, "duration", duration_seconds),
	RECORDING(SMALL, "channels", channels),
	RECORDING(SMALL, "error_code", error_code),
	RECORDING(PRESENT, "encryption_details", encrypted),
	{ NULL, TEXT, 0 },
};

int64_t record_time_ms(const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = { 0 };
	char month[4] = "", zone[8] = "";
	const char *found;
	int offset;

	if (!text || sscanf(text, "%*3[A-Za-z], %d %3[A-Za-z] %d %d:%d:%d %7s", &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour, &tm.tm_min,
			     &tm.tm_sec, zone) != 7)
		return 0;
	found = strstr(months, month);
	if (!found || strlen(month) != 3 || (found - months) % 3 || tm.tm_year < 1970 || tm.tm_year > 9999)
		return 0;
	tm.tm_mon = (int)(found - months) / 3;
	tm.tm_year -= 1900;
	if (strcmp(zone, "GMT") == 0)
		offset = 0;
	else if (sscanf(zone, "%5d", &offset) != 1 || strlen(zone) != 5)
		return 0;
	return ((int64_t)timegm(&tm) - (offset / 100 * 3600 + offset % 100 * 60)) * 1000;
}

static bool has_text(struct json_object *value)
{
	return json_object_is_type(value, json_type_string) || json_object_is_type(value, json_type_int) ||
		json_object_is_type(value, json_type_double);
}

static int64_t number_of(struct json_object *value, int64_t none)
{
	int64_t number = none;

	if (has_text(value) && !text_int(json_object_get_string(value), 0, INT32_MAX, &number))
		number = none;
	return number;
}

/* False: memory ran out. */
static bool read_member(const struct member *m, struct json_object *json, void *record)
{
	struct json_object *value = json_member(json, m->name);
	char *slot = (char *)record + m->offset;

	switch (m->kind) {
	case TEXT:
		if (!has_text(value))
			return true;
		*(char **)slot = text_dup(json_object_get_string(value));
		return *(char **)slot;
	case TIME:
		*(int64_t *)slot = record_time_ms(json_text(json, m->name));
		return true;
	case SECONDS:
		*(int64_t *)slot = number_of(value, -1);
		return true;
	case NUMBER:
		*(int64_t *)slot = number_of(value, 0);
		return true;
	case SMALL:
		*(int *)slot = (int)number_of(value, 0);
		return true;
	case PRESENT:
		*(bool *)slot = value && json_object_is_type(value, json_type_object) && json_object_object_length(value) > 0;
		return true;
	}
	return false;
}

static bool read_members(const struct member *table, struct json_object *json, void *record)
{
	bool read = true;

	for (const struct member *m = table; m->name && read; m++)
		read = read_member(m, json, record);
	return read;
}

static void free_members(const struct member *table, void *record)
{
	for (const struct member *m = table; m->name; m++)
		if (m->kind == TEXT)
			free(*(char **)((char *)record + m->offset));
}

struct nxv_twilio_call *record_call(struct json_object *json)
{
	static const char *const ends[] = { "completed", "busy", "failed", "no-answer", "canceled" };
	struct nxv_twilio_call *call = calloc(1, sizeof(*call));

	if (!call || !read_members(call_members, json, call) || !call->sid || !call->status) {
		nxv_twilio_call_free(call);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		call->ended = call->ended || strcmp(call->status, ends[i]) == 0;
	return call;
}

struct nxv_twilio_recording *record_recording(struct json_object *json)
{
	struct nxv_twilio_recording *recording = calloc(1, sizeof(*recording));

	if (!recording || !read_members(recording_members, json, recording) || !recording->sid || !recording->status) {
		nxv_twilio_recording_free(recording);
		return NULL;
	}
	return recording;
}

nxv_status record_page(struct json_object *json, const char *member, struct json_object **array, char **next, struct nxv_error *err)
{
	const char *uri = json_text(json, "next_page_uri");

	*array = json_member(json, member);
	*next = NULL;
	if (!json_object_is_type(*array, json_type_array))
		return twilio_not_understood(TWILIO_READ, "it holds no list", err);
	if (!uri || !*uri)
		return NXV_OK;
	*next = text_dup(uri);
	return *next ? NXV_OK : error_nomem(err);
}

void nxv_twilio_call_free(struct nxv_twilio_call *call)
{
	if (call)
		free_members(call_members, call);
	free(call);
}

void nxv_twilio_call_list_free(struct nxv_twilio_call_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		nxv_twilio_call_free(list->items[i]);
	free(list->items);
	free(list->next_page);
	free(list);
}

void nxv_twilio_recording_free(struct nxv_twilio_recording *recording)
{
	if (recording)
		free_members(recording_members, recording);
	free(recording);
}

void nxv_twilio_recording_list_free(struct nxv_twilio_recording_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		nxv_twilio_recording_free(list->items[i]);
	free(list->items);
	free(list->next_page);
	free(list);
}
