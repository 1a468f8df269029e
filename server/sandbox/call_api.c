/* call_api.c - the Calls resource: create, fetch, list, change, delete; and the account itself. */
#include "api.h"

#include "base/text.h"
#include "life.h"
#include "numbers.h"
#include "render.h"
#include "script.h"

#include <stdlib.h>
#include <string.h>

static bool is_number(const char *s)
{
	return text_is_number(s);
}

static bool is_sip(const char *s)
{
	const char *user = strncmp(s, "sip:", 4) == 0 ? s + 4 : strncmp(s, "sips:", 5) == 0 ? s + 5 : NULL, *at;

	at = user ? strchr(user, '@') : NULL;
	return at && at > user && at[1] && !strpbrk(s, " <>\"\r\n\t");
}

static bool is_client(const char *s)
{
	return strncmp(s, "client:", 7) == 0 && s[7];
}

static void check_parties(struct ask *ask, const char *to, const char *from)
{
	int code;

	if (!to)
		refuse(&ask->refusal, 21201, "");
	else if (!from)
		refuse(&ask->refusal, 21213, "");
	else if ((code = number_refusal_to(to)))
		refuse(&ask->refusal, code, to);
	else if ((code = number_refusal_from(from)))
		refuse(&ask->refusal, code, from);
	else if (!is_number(to) && !is_sip(to) && !is_client(to))
		refuse(&ask->refusal, 21211, to);
	else if (is_number(to) && !is_number(from))
		refuse(&ask->refusal, 21212, from);
}

static void check_create(struct ask *ask)
{
	const struct form *form = &ask->form;
	bool url = param_text(form, "Url"), twiml = param_text(form, "Twiml"), app = param_text(form, "ApplicationSid");

	check_parties(ask, param_text(form, "To"), param_text(form, "From"));
	if (ask->refusal.code)
		return;
	if (!url && !twiml && !app)
		refuse_with(&ask->refusal, 21205, "Url parameter is required");
	else if (url + twiml + app > 1)
		refuse_with(&ask->refusal, 20422, "Give one of Url, Twiml and ApplicationSid, not several");
}

static bool copy_text(char **to, const char *text)
{
	char *copy = text_dup(text);

	if (text && !copy)
		return false;
	free(*to);
	*to = copy;
	return true;
}

static bool fill_record(struct call *call, const struct form *form)
{
	static const char *const tracks[] = { "inbound", "outbound", "both" };
	const char *track = param_text(form, "RecordingTrack"), *channels = param_text(form, "RecordingChannels");
	int index = track ? word_index("inbound outbound both", track, strlen(track)) : 2;

	call->record.wanted = param_true(form, "Record");
	call->record.channels = channels && strcmp(channels, "dual") == 0 ? 2 : 1;
	call->record.track = tracks[index];
	call->record.source = "OutboundAPI";
	return target_set(&call->record.target, param_text(form, "RecordingStatusCallback"),
		param_is_get(form, "RecordingStatusCallbackMethod"),
		param_events(form, "RecordingStatusCallbackEvent", RECORDING_EVENT_WORDS, REC_EVENT_COMPLETED));
}

static bool fill_call(struct call *call, const struct form *form)
{
	call->timeout_s = param_number(form, "Timeout", 60);
	call->limit_s = param_number(form, "TimeLimit", 14400);
	call->wants_machine = param_text(form, "MachineDetection");
	call->url_get = param_is_get(form, "Method");
	call->fallback_get = param_is_get(form, "FallbackMethod");
	return copy_text(&call->twiml, param_text(form, "Twiml")) && copy_text(&call->url, param_text(form, "Url")) &&
		copy_text(&call->fallback_url, param_text(form, "FallbackUrl")) &&
		copy_text(&call->caller_id, param_text(form, "CallerId")) &&
		copy_text(&call->sip_user, param_text(form, "SipAuthUsername")) &&
		copy_text(&call->sip_password, param_text(form, "SipAuthPassword")) &&
		target_set(&call->callback, param_text(form, "StatusCallback"), param_is_get(form, "StatusCallbackMethod"),
			param_events(form, "StatusCallbackEvent", CALL_EVENT_WORDS, EVENT_COMPLETED)) &&
		fill_record(call, form);
}

void call_create(struct ask *ask)
{
	struct call *call;

	check_create(ask);
	if (ask->refusal.code)
		return;
	call = call_new(ask->sandbox, param_text(&ask->form, "To"), param_text(&ask->form, "From"), NULL);
	if (!call || !fill_call(call, &ask->form)) {
		refuse(&ask->refusal, 20500, "");
		return;
	}
	ask->created = call;
	ask->status = 201;
	ask->json = render_call(call);
	life_begin(call);
}

static struct call *known(struct ask *ask, const char *sid)
{
	struct call *call = call_by_sid(ask->sandbox, sid);

	if (call && !call->deleted && call->visible_ms <= loop_now_ms())
		return call;
	refuse(&ask->refusal, 20404, ask->job->path);
	return NULL;
}

void call_fetch(struct ask *ask)
{
	struct call *call = known(ask, ask->sid);

	if (call)
		ask->json = render_call(call);
}

static bool time_fits(const struct form *form, const char *name, int64_t ms)
{
	char below[16], above[16];
	const char *text;
	int64_t limit;

	snprintf(below, sizeof(below), "%s<", name);
	snprintf(above, sizeof(above), "%s>", name);
	if ((text = param_text(form, below)) && param_time(text, true, &limit) && (!ms || ms / 1000 > limit))
		return false;
	if ((text = param_text(form, above)) && param_time(text, false, &limit) && (!ms || ms / 1000 < limit))
		return false;
	if (!(text = param_text(form, name)) || !param_time(text, false, &limit))
		return true;
	if (!ms || ms / 1000 < limit)
		return false;
	return param_time(text, true, &limit) && ms / 1000 <= limit;
}

static bool call_fits(const struct ask *ask, const struct call *call)
{
	const struct form *form = &ask->form;
	const char *to = param_text(form, "To"), *from = param_text(form, "From"), *parent = param_text(form, "ParentCallSid"),
		   *status = param_text(form, "Status");
	enum call_status shown = call->status == CALL_INITIATED ? CALL_QUEUED : call->status;

	return !call->deleted && call->visible_ms <= loop_now_ms() && (!to || strcmp(to, call->to) == 0) &&
		(!from || strcmp(from, call->from) == 0) && (!parent || strcmp(parent, call->parent_sid) == 0) &&
		(!status || strcmp(status, call_status_name(shown)) == 0) && time_fits(form, "StartTime", call->started_ms) &&
		time_fits(form, "EndTime", call->ended_ms);
}

void call_list(struct ask *ask)
{
	struct json_object *items;
	struct paging paging;
	struct call *call = ask->sandbox->newest, *after;
	struct page page = { 0 };
	int skip;
	char *filters;

	if (!api_paging(ask, &paging))
		return;
	after = paging.after ? call_by_sid(ask->sandbox, paging.after) : NULL;
	skip = after ? 0 : paging.number * paging.size;
	if (after)
		call = after->older;
	items = json_object_new_array();
	for (; call && !page.more; call = call->older) {
		if (!call_fits(ask, call) || skip-- > 0)
			continue;
		if (page.count == paging.size) {
			page.more = true;
			break;
		}
		json_object_array_add(items, render_call(call));
		page.last = call->sid;
		page.count++;
	}
	filters = api_filters(ask->job->query);
	page.path = ask->job->path;
	page.filters = filters ? filters : "";
	page.number = paging.number;
	page.size = paging.size;
	ask->json = json_object_new_object();
	json_object_object_add(ask->json, "calls", items);
	render_page(ask->json, &page);
	free(filters);
}

static void end_by_api(struct ask *ask, struct call *call, const char *status)
{
	if (call_ended(call)) {
		refuse_with(&ask->refusal, 21220, "Call is not in-progress. Cannot redirect.");
		return;
	}
	if (strcmp(status, "canceled") == 0 && call->status == CALL_IN_PROGRESS) {
		refuse_with(&ask->refusal, 21220, "Call is in-progress. Cannot cancel.");
		return;
	}
	life_end(call, "api");
}

static void redirect(struct ask *ask, struct call *call, const char *url, const char *twiml)
{
	if (call->status != CALL_IN_PROGRESS) {
		refuse(&ask->refusal, 21220, "");
		return;
	}
	if (!copy_text(&call->url, url) || !copy_text(&call->twiml, twiml) ||
		!copy_text(&call->fallback_url, param_text(&ask->form, "FallbackUrl"))) {
		refuse(&ask->refusal, 20500, "");
		return;
	}
	call->url_get = param_is_get(&ask->form, "Method");
	call->fallback_get = param_is_get(&ask->form, "FallbackMethod");
	script_stop(call);
	script_begin(call);
}

static void update(struct ask *ask, struct call *call)
{
	const struct form *form = &ask->form;
	const char *status = param_text(form, "Status"), *url = param_text(form, "Url"), *twiml = param_text(form, "Twiml");
	const char *callback = param_text(form, "StatusCallback");
	int limit = param_number(form, "TimeLimit", 0);

	if (!form->count) {
		refuse_with(&ask->refusal, 20422, "Nothing to change was given");
		return;
	}
	if (callback && !target_set(&call->callback, callback, param_is_get(form, "StatusCallbackMethod"),
				call->callback.events ? call->callback.events : EVENT_COMPLETED)) {
		refuse(&ask->refusal, 20500, "");
		return;
	}
	if (limit && !call_ended(call)) {
		call->limit_s = limit;
		if (call->status == CALL_IN_PROGRESS)
			life_limit(call, limit);
	}
	if (status)
		end_by_api(ask, call, status);
	else if (url || twiml)
		redirect(ask, call, url, twiml);
}

void call_update(struct ask *ask)
{
	struct call *call = known(ask, ask->sid);

	if (!call)
		return;
	update(ask, call);
	if (!ask->refusal.code)
		ask->json = render_call(call);
}

void call_delete(struct ask *ask)
{
	struct call *call = known(ask, ask->sid);

	if (!call)
		return;
	if (!call_ended(call)) {
		refuse(&ask->refusal, 20009, "");
		return;
	}
	call->deleted = true;
	ask->status = 204;
}

void account_fetch(struct ask *ask)
{
	ask->json = render_account(ask->sandbox);
}
