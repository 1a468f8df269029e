/* render.c - the JSON of Twilio's resources, member by member as its published examples have them. */
#include "render.h"

#include "events.h"
#include "recordings.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define API "/2010-04-01/Accounts/"

static void add(struct json_object *json, const char *name, const char *text)
{
	json_object_object_add(json, name, text ? json_object_new_string(text) : NULL);
}

static void add_time(struct json_object *json, const char *name, int64_t ms)
{
	char text[40];

	if (ms)
		event_time(ms, text);
	add(json, name, ms ? text : NULL);
}

static void add_int_text(struct json_object *json, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	add(json, name, text);
}

/* "(202) 555-0123" for numbers of the North American plan. */
static void add_formatted(struct json_object *json, const char *name, const char *number)
{
	char text[32];

	if (strlen(number) == 12 && strncmp(number, "+1", 2) == 0 && strspn(number + 1, "0123456789") == 11) {
		snprintf(text, sizeof(text), "(%.3s) %.3s-%.4s", number + 2, number + 5, number + 8);
		add(json, name, text);
	} else {
		add(json, name, number);
	}
}

static struct json_object *uris(const char *base, const char *const *names, const char *const *paths)
{
	struct json_object *json = json_object_new_object();
	char text[160];

	for (; *names; names++, paths++) {
		snprintf(text, sizeof(text), "%s/%s.json", base, *paths);
		add(json, *names, text);
	}
	return json;
}

/* The API has no "initiated": until it rings a call is queued. */
static const char *api_status(const struct call *call)
{
	return call_status_name(call->status == CALL_INITIATED ? CALL_QUEUED : call->status);
}

static void add_call_times(struct json_object *json, const struct call *call)
{
	int64_t ms = call->answered_ms && call->ended_ms ? sandbox_elapsed(call->sandbox, call->answered_ms, call->ended_ms) : 0;

	add_time(json, "date_created", call->created_ms);
	add_time(json, "date_updated", call->updated_ms);
	add_time(json, "start_time", call->started_ms);
	add_time(json, "end_time", call->ended_ms);
	if (call->ended_ms)
		add_int_text(json, "duration", (ms + 500) / 1000);
	else
		add(json, "duration", NULL);
	add_int_text(json, "queue_time", call->started_ms ? sandbox_elapsed(call->sandbox, call->created_ms, call->started_ms) : 0);
}

struct json_object *render_call(const struct call *call)
{
	static const char *const names[] = { "notifications", "recordings", "payments", "events", "siprec", "streams", "transcriptions",
		"user_defined_message_subscriptions", "user_defined_messages", NULL };
	static const char *const paths[] = { "Notifications", "Recordings", "Payments", "Events", "Siprec", "Streams", "Transcriptions",
		"UserDefinedMessageSubscriptions", "UserDefinedMessages", NULL };
	struct json_object *json = json_object_new_object();
	char base[128], uri[140];

	snprintf(base, sizeof(base), API "%s/Calls/%s", call->sandbox->opts.account_sid, call->sid);
	snprintf(uri, sizeof(uri), "%s.json", base);
	add(json, "sid", call->sid);
	add(json, "account_sid", call->sandbox->opts.account_sid);
	add(json, "parent_call_sid", *call->parent_sid ? call->parent_sid : NULL);
	add(json, "status", api_status(call));
	add(json, "to", call->to);
	add_formatted(json, "to_formatted", call->to);
	add(json, "from", call->from);
	add_formatted(json, "from_formatted", call->from);
	add(json, "direction", call->direction);
	add(json, "answered_by", call->answered_by);
	add_call_times(json, call);
	add(json, "price", NULL);
	add(json, "price_unit", "USD");
	add(json, "api_version", "2010-04-01");
	add(json, "caller_name", NULL);
	add(json, "forwarded_from", NULL);
	add(json, "group_sid", NULL);
	add(json, "phone_number_sid", NULL);
	add(json, "trunk_sid", NULL);
	add(json, "uri", uri);
	json_object_object_add(json, "subresource_uris", uris(base, names, paths));
	return json;
}

struct json_object *render_recording(const struct sandbox *sandbox, const struct recording *r, bool of_call)
{
	static const char *const names[] = { "add_on_results", "transcriptions", NULL };
	static const char *const paths[] = { "AddOnResults", "Transcriptions", NULL };
	struct json_object *json = json_object_new_object();
	char base[128], text[260];

	snprintf(base, sizeof(base), API "%s/Recordings/%s", sandbox->opts.account_sid, r->sid);
	add(json, "sid", r->sid);
	add(json, "account_sid", sandbox->opts.account_sid);
	add(json, "call_sid", r->call_sid);
	add(json, "conference_sid", NULL);
	add(json, "status", r->deleted ? "deleted" : recording_status_name(r->status));
	add_time(json, "date_created", r->created_ms);
	add_time(json, "date_updated", r->updated_ms);
	add_time(json, "start_time", r->started_ms);
	if (r->status >= REC_STOPPED)
		add_int_text(json, "duration", recording_seconds(sandbox, r));
	else
		add(json, "duration", NULL);
	json_object_object_add(json, "channels", json_object_new_int(r->channels));
	add(json, "source", r->source);
	add(json, "track", r->track);
	add(json, "price", NULL);
	add(json, "price_unit", of_call ? NULL : "USD");
	json_object_object_add(json, "error_code", NULL);
	json_object_object_add(json, "encryption_details", NULL);
	add(json, "api_version", "2010-04-01");
	if (of_call) {
		snprintf(text, sizeof(text), API "%s/Calls/%s/Recordings/%s.json", sandbox->opts.account_sid, r->call_sid, r->sid);
		add(json, "uri", text);
		return json;
	}
	snprintf(text, sizeof(text), "%s.json", base);
	add(json, "uri", text);
	json_object_object_add(json, "subresource_uris", uris(base, names, paths));
	snprintf(text, sizeof(text), "http://%s%s", sandbox->address, base);
	add(json, "media_url", text);
	return json;
}

struct json_object *render_account(const struct sandbox *sandbox)
{
	static const char *const names[] = { "calls", "recordings", NULL };
	static const char *const paths[] = { "Calls", "Recordings", NULL };
	struct json_object *json = json_object_new_object();
	char base[80], uri[100];

	snprintf(base, sizeof(base), API "%s", sandbox->opts.account_sid);
	snprintf(uri, sizeof(uri), "%s.json", base);
	add(json, "sid", sandbox->opts.account_sid);
	add(json, "owner_account_sid", sandbox->opts.account_sid);
	add(json, "friendly_name", "nexus-sandbox");
	add(json, "status", "active");
	add(json, "type", "Trial");
	add_time(json, "date_created", sandbox_utc_ms());
	add_time(json, "date_updated", sandbox_utc_ms());
	add(json, "auth_token", NULL);
	add(json, "uri", uri);
	json_object_object_add(json, "subresource_uris", uris(base, names, paths));
	return json;
}

static void add_page_uri(struct json_object *list, const char *name, const struct page *page, int number, const char *token)
{
	char *text = text_printf("%s?PageSize=%d&Page=%d%s%s%s", page->path, page->size, number, token ? "&PageToken=PA" : "",
		token ? token : "", page->filters);

	add(list, name, text);
	free(text);
}

void render_page(struct json_object *list, const struct page *page)
{
	int start = page->number * page->size;

	json_object_object_add(list, "page", json_object_new_int(page->number));
	json_object_object_add(list, "page_size", json_object_new_int(page->size));
	json_object_object_add(list, "start", json_object_new_int(start));
	json_object_object_add(list, "end", json_object_new_int(page->count ? start + page->count - 1 : start));
	add_page_uri(list, "uri", page, page->number, NULL);
	add_page_uri(list, "first_page_uri", page, 0, NULL);
	if (page->more)
		add_page_uri(list, "next_page_uri", page, page->number + 1, page->last);
	else
		add(list, "next_page_uri", NULL);
	if (page->number > 0)
		add_page_uri(list, "previous_page_uri", page, page->number - 1, NULL);
	else
		add(list, "previous_page_uri", NULL);
}
