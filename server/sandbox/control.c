/* control.c - GET /sandbox/v1, /calls, /numbers, /faults; POST and DELETE /faults. The account's credentials are needed, so
 * that no web page open on this machine can do it. */
#include "control.h"

#include "api.h"
#include "base/json.h"
#include "base/text.h"
#include "callbacks.h"
#include "faults.h"
#include "jobs.h"
#include "numbers.h"

#include <stdlib.h>
#include <string.h>

static void send_json(struct job *job, int status, struct json_object *json)
{
	char *text = text_dup(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));

	json_object_put(json);
	job_answer(job, status, "application/json", text, text ? strlen(text) : 0);
}

static void add_text(struct json_object *json, const char *name, const char *text)
{
	json_object_object_add(json, name, text ? json_object_new_string(text) : NULL);
}

static void add_int(struct json_object *json, const char *name, int64_t value)
{
	json_object_object_add(json, name, json_object_new_int64(value));
}

static void refuse_job(struct job *job, int code, const char *message)
{
	struct refusal refusal = { 0 };

	refuse_with(&refusal, code, "%s", message);
	refusal_answer(job, &refusal);
}

/* The id that a gateway puts at the end of its StatusCallback's path; "" if there is none. */
static void session_of(const struct call *call, char out[128])
{
	const char *url = call->callback.url, *from = url ? strstr(url, "://") : NULL, *last;
	size_t len = from ? strcspn(from, "?#") : 0;

	out[0] = '\0';
	if (!from)
		return;
	for (last = from + len; last > from && last[-1] != '/'; last--)
		;
	len = (size_t)(from + len - last);
	if (len < 128) {
		memcpy(out, last, len);
		out[len] = '\0';
	}
}

static struct json_object *history(const struct call *call)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < call->moments; i++) {
		struct json_object *moment = json_object_new_object();

		add_text(moment, "status", call_status_name(call->history[i].status));
		add_int(moment, "atMs", call->history[i].at_ms);
		json_object_array_add(list, moment);
	}
	return list;
}

static struct json_object *call_json(const struct call *call, const char *session)
{
	struct json_object *json = json_object_new_object();

	add_text(json, "sid", call->sid);
	add_text(json, "parentSid", *call->parent_sid ? call->parent_sid : NULL);
	add_text(json, "session", session);
	add_text(json, "to", call->to);
	add_text(json, "from", call->from);
	add_text(json, "status", call_status_name(call->status));
	add_text(json, "endedBy", call->ended_by);
	add_int(json, "sipCode", call->sip_code);
	json_object_object_add(json, "realSip", json_object_new_boolean(call->leg != NULL));
	add_int(json, "notes", call->notes);
	add_int(json, "lastNote", call->last_note);
	json_object_object_add(json, "history", history(call));
	return json;
}

/* How many creates each session has: more than one is a call placed twice. */
static void count_session(struct json_object *sessions, const char *session)
{
	struct json_object *count;

	if (!json_object_object_get_ex(sessions, session, &count))
		json_object_object_add(sessions, session, json_object_new_int(1));
	else
		json_object_set_int(count, json_object_get_int(count) + 1);
}

static void get_calls(struct sandbox *sandbox, struct job *job, const char *only)
{
	struct json_object *json = json_object_new_object(), *calls = json_object_new_array(), *sessions = json_object_new_object();
	char session[128];

	for (const struct call *call = sandbox->newest; call; call = call->older) {
		session_of(call->parent ? call->parent : call, session);
		if (only && strcmp(only, session) != 0)
			continue;
		json_object_array_add(calls, call_json(call, session));
		if (!*call->parent_sid && *session)
			count_session(sessions, session);
	}
	add_int(json, "creates", (int64_t)sandbox->creates);
	add_int(json, "createRequests", (int64_t)sandbox->create_requests);
	json_object_object_add(json, "sessions", sessions);
	json_object_object_add(json, "calls", calls);
	send_json(job, 200, json);
}

static void get_numbers(struct job *job)
{
	struct json_object *list = json_object_new_array();

	for (const struct number_row *row = number_rows; row->pattern; row++) {
		struct json_object *json = json_object_new_object();

		add_text(json, "number", row->pattern);
		add_text(json, "as", row->role);
		add_text(json, "does", row->what);
		json_object_array_add(list, json);
	}
	send_json(job, 200, list);
}

static struct json_object *fault_json(const struct fault *fault)
{
	struct json_object *json = json_object_new_object(), *on = json_object_new_array();

	for (unsigned bit = 1; bit <= FAULT_ON_CALLBACK; bit <<= 1)
		if (fault->on & bit)
			json_object_array_add(on, json_object_new_string(fault_on_name(bit)));
	add_text(json, "kind", fault_name(fault->kind));
	json_object_object_add(json, "on", on);
	json_object_object_add(json, "probability", json_object_new_double(fault->probability));
	add_int(json, "count", fault->count);
	add_int(json, "delayMs", fault->delay_ms);
	add_int(json, "retryAfter", fault->retry_after_s);
	add_text(json, "to", fault->to);
	add_text(json, "event", fault->event);
	add_int(json, "struck", (int64_t)fault->struck);
	return json;
}

static void get_faults(struct sandbox *sandbox, struct job *job, int status)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; faults_at(sandbox->faults, i); i++)
		json_object_array_add(list, fault_json(faults_at(sandbox->faults, i)));
	send_json(job, status, list);
}

/* "create", or ["create", "list"]. */
static bool read_places(struct json_object *value, unsigned *on)
{
	if (json_object_is_type(value, json_type_string))
		return (*on = fault_on_parse(json_object_get_string(value))) != 0;
	for (size_t i = 0; json_object_is_type(value, json_type_array) && i < json_object_array_length(value); i++) {
		unsigned bit = fault_on_parse(json_object_get_string(json_object_array_get_idx(value, i)));

		if (!bit)
			return false;
		*on |= bit;
	}
	return json_object_is_type(value, json_type_array);
}

/* NULL: good; else the member at fault. */
static const char *read_member(struct fault *fault, const char *name, struct json_object *value)
{
	bool number = json_object_is_type(value, json_type_int), text = json_object_is_type(value, json_type_string);

	if (strcmp(name, "kind") == 0 && text && (fault->kind = fault_parse(json_object_get_string(value))) != FAULT_NONE)
		return NULL;
	if (strcmp(name, "on") == 0 && read_places(value, &fault->on))
		return NULL;
	if (strcmp(name, "probability") == 0 && (number || json_object_is_type(value, json_type_double))) {
		fault->probability = json_object_get_double(value);
		return fault->probability >= 0 && fault->probability <= 1 ? NULL : name;
	}
	if (strcmp(name, "count") == 0 && number) {
		fault->count = json_object_get_int64(value);
		return NULL;
	}
	if (strcmp(name, "delayMs") == 0 && number && json_object_get_int64(value) >= 0) {
		fault->delay_ms = json_object_get_int64(value);
		return NULL;
	}
	if (strcmp(name, "retryAfter") == 0 && number && json_object_get_int64(value) >= 0) {
		fault->retry_after_s = json_object_get_int(value);
		return NULL;
	}
	if (strcmp(name, "to") == 0 && text && text_copy(fault->to, sizeof(fault->to), json_object_get_string(value)))
		return NULL;
	if (strcmp(name, "event") == 0 && text && text_copy(fault->event, sizeof(fault->event), json_object_get_string(value)))
		return NULL;
	return name;
}

static void post_fault(struct sandbox *sandbox, struct job *job)
{
	struct fault fault = { .probability = 1, .count = -1, .delay_ms = 1000, .retry_after_s = 1 };
	struct json_object *json = NULL;
	const char *bad = NULL;
	char message[120];
	struct nxv_error err = NXV_ERROR_INIT;

	if (json_read(job->body, job->len, JSON_MAX_BODY, &json, &err) != NXV_OK || !json_object_is_type(json, json_type_object)) {
		json_object_put(json);
		refuse_job(job, 20001, *err.message ? err.message : "the body is no JSON object");
		return;
	}
	json_object_object_foreach(json, name, value)
		bad = bad ? bad : read_member(&fault, name, value);
	if (bad)
		snprintf(message, sizeof(message), "%.40s is no member of a fault, or its value cannot be", bad);
	else if (fault.kind == FAULT_NONE)
		snprintf(message, sizeof(message), "kind is missing: rate_limit, reset_after_commit, callback_lost, ...");
	json_object_put(json);
	if (bad || fault.kind == FAULT_NONE)
		refuse_job(job, 20001, message);
	else if (!faults_add(sandbox->faults, &fault))
		refuse_job(job, 20001, "too many faults are armed: DELETE them first");
	else
		get_faults(sandbox, job, 201);
}

static void get_state(struct sandbox *sandbox, struct job *job)
{
	const struct callback_counts *counts = callbacks_counts(sandbox->callbacks);
	struct json_object *json = json_object_new_object(), *callbacks = json_object_new_object();

	json_object_object_add(json, "sandbox", json_object_new_boolean(true));
	add_text(json, "version", NXV_VERSION);
	json_object_object_add(json, "speed", json_object_new_double(sandbox->opts.speed));
	add_text(json, "sipProxy", sandbox->opts.sip_proxy);
	add_int(json, "creates", (int64_t)sandbox->creates);
	add_int(callbacks, "sent", (int64_t)counts->sent);
	add_int(callbacks, "delivered", (int64_t)counts->delivered);
	add_int(callbacks, "refused", (int64_t)counts->refused);
	add_int(callbacks, "failed", (int64_t)counts->failed);
	add_int(callbacks, "lost", (int64_t)counts->lost);
	add_int(callbacks, "late", (int64_t)counts->late);
	add_int(callbacks, "doubled", (int64_t)counts->doubled);
	add_int(callbacks, "reordered", (int64_t)counts->reordered);
	json_object_object_add(json, "callbacks", callbacks);
	send_json(job, 200, json);
}

void control_serve(struct sandbox *sandbox, struct job *job)
{
	bool get = strcmp(job->method, "GET") == 0;
	const char *path = job->path;

	if (!api_authentic(sandbox, job))
		refuse_job(job, 20003, "Authenticate");
	else if (get && strcmp(path, "/sandbox/v1") == 0)
		get_state(sandbox, job);
	else if (get && strcmp(path, "/sandbox/v1/calls") == 0)
		get_calls(sandbox, job, strncmp(job->query, "session=", 8) == 0 ? job->query + 8 : NULL);
	else if (get && strcmp(path, "/sandbox/v1/numbers") == 0)
		get_numbers(job);
	else if (get && strcmp(path, "/sandbox/v1/faults") == 0)
		get_faults(sandbox, job, 200);
	else if (strcmp(job->method, "POST") == 0 && strcmp(path, "/sandbox/v1/faults") == 0)
		post_fault(sandbox, job);
	else if (strcmp(job->method, "DELETE") == 0 && strcmp(path, "/sandbox/v1/faults") == 0) {
		faults_clear(sandbox->faults);
		job_answer(job, 204, NULL, NULL, 0);
	} else
		refuse_job(job, 20404, "no such thing below /sandbox/v1: calls, numbers, faults");
}
