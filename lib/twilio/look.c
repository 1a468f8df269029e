/* look.c - a create that got no usable answer: which call of Twilio's list did it become, if any? A webhook may tell first.
 * One list by From serves every call of that From that is looked for. */
#include "twilio/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/leg_token.h"
#include "base/text.h"

enum { SKEW_MS = 120000, PAGE = 100, PAGES_MAX = 50 };

static void plan(struct tw_call *call)
{
	call->wait_ms = call->wait_ms ? call->wait_ms * 2 : twilio_pace.look_first_ms;
	if (call->wait_ms > twilio_pace.look_max_ms)
		call->wait_ms = twilio_pace.look_max_ms;
	loop_timer_start(call->timer, (uint64_t)call->wait_ms);
}

void look_begin(struct tw_call *call, const struct nxv_error *why)
{
	call->look_until_ms = loop_now_ms() + twilio_pace.look_window_ms;
	call->looking = true;
	call->wait_ms = 0;
	if (!twilio_pace.reconcile) {
		tw_tell_error(call, CARRIER_UNKNOWN, why);
		tw_finish(call, 0);
		return;
	}
	env_log(call->carrier->opts.env, NXV_LOG_WARN, "twilio", "call %s: %s", call->intent.session_id, why->message);
	tw_tell_error(call, CARRIER_NOTICE, why);
	plan(call);
}

/* Without what follows '?': Twilio may show an address without its headers. */
static bool same_address(const char *a, const char *b)
{
	size_t len = a ? strcspn(a, "?") : 0;

	return len && len == strcspn(b, "?") && strncmp(a, b, len) == 0;
}

static bool owned_by_another(struct tw_call *call, const char *sid)
{
	char owner[96] = "";

	return intent_owner(call->carrier->opts.db, sid, owner, sizeof(owner), NULL) != NXV_OK ||
		(*owner && strcmp(owner, call->intent.session_id) != 0);
}

/* Other calls between the same two that are being looked for, or are being created. */
static bool has_rival(const struct tw_call *call)
{
	for (size_t b = 0; b < CARRIER_BUCKETS; b++)
		for (const struct tw_call *other = call->carrier->calls[b]; other; other = other->next)
			if (other != call && other->intent.stage == INTENT_SENDING && same_address(other->intent.to, call->intent.to) &&
				strcmp(other->intent.from, call->intent.from) == 0)
				return true;
	return false;
}

/* @return true: this is it for sure. */
static bool consider(struct tw_call *call, const struct nxv_twilio_call *item)
{
	const char *token = item->to ? strstr(item->to, LEG_TOKEN_HEADER "=") : NULL;

	if (item->parent_sid || !same_address(item->to, call->intent.to))
		return false;
	if (!call->intent.callee_first && token) /* it names its session */
		return strcmp(token, strstr(call->intent.to, LEG_TOKEN_HEADER "=")) == 0;
	if (!item->from || strcmp(item->from, call->intent.from) != 0 ||
		(item->created_at_ms && item->created_at_ms < call->intent.sent_at_ms - SKEW_MS) || owned_by_another(call, item->sid))
		return false;
	call->likely_count++;
	text_copy(call->likely, sizeof(call->likely), item->sid);
	return false;
}

/* Twilio had the time to show it, and does not. */
static void not_there(struct tw_call *call)
{
	struct nxv_error err;

	error_code(&err, NXV_E_TIMEOUT, "twilio_unknown",
		"Twilio did not answer whether it took the call, and does not list it: it was not placed as far as can be known");
	if (!call->ending)
		tw_tell_error(call, CARRIER_UNKNOWN, &err);
	tw_finish(call, 0);
}

static void found(struct tw_call *call, const char *sid, const struct nxv_twilio_call *item)
{
	if (owned_by_another(call, sid) || !tw_opened(call, sid)) {
		plan(call);
		return;
	}
	env_log(call->carrier->opts.env, NXV_LOG_INFO, "twilio", "call %s is %s at Twilio", call->intent.session_id, sid);
	timeline_found(call, sid);
	if (item)
		watch_record(call, item);
	watch_callbacks(call);
	watch_step(call);
}

static bool looks_with(const struct tw_call *call, const char *from)
{
	return call->looking && call->intent.stage == INTENT_SENDING && strcmp(call->intent.from, from) == 0;
}

/* Every call that this list may hold; the array is [owned]. Dealing with one of them removes no other. */
static struct tw_call **lookers(struct twilio_carrier *carrier, const char *from, size_t *count)
{
	struct tw_call **all;
	size_t room = 0;

	*count = 0;
	for (size_t b = 0; b < CARRIER_BUCKETS; b++)
		for (const struct tw_call *call = carrier->calls[b]; call; call = call->next)
			room += looks_with(call, from);
	all = calloc(room ? room : 1, sizeof(struct tw_call *));
	for (size_t b = 0; all && b < CARRIER_BUCKETS; b++)
		for (struct tw_call *call = carrier->calls[b]; call; call = call->next)
			if (looks_with(call, from))
				all[(*count)++] = call;
	return all;
}

static nxv_status ask_page(struct tw_call *call, struct nxv_error *err);

/* Newest come first; those made long before any of them was sent are none of them. */
static bool may_be_further(
	const struct tw_call *asker, struct tw_call *const *all, size_t count, const struct nxv_twilio_call_list *list)
{
	const struct nxv_twilio_call *last = list->count ? list->items[list->count - 1] : NULL;
	int64_t oldest = INT64_MAX;

	for (size_t i = 0; i < count; i++)
		oldest = all[i] && all[i]->intent.sent_at_ms < oldest ? all[i]->intent.sent_at_ms : oldest;
	return list->next_page && last && asker->pages < PAGES_MAX && (!last->created_at_ms || last->created_at_ms >= oldest - SKEW_MS);
}

/* The list is at its end. Who joined on the way has not seen all of it. */
static void conclude(struct tw_call *call, bool asker)
{
	if (call->in_list && call->likely_count == 1 && !has_rival(call))
		found(call, call->likely, NULL);
	else if (call->in_list && !call->likely_count && loop_now_ms() >= call->look_until_ms)
		not_there(call);
	else if (asker)
		plan(call);
}

/* Who is found is gone from all. @return true: the asker was. */
static bool take_page(struct tw_call *asker, struct tw_call **all, size_t count, const struct nxv_twilio_call_list *list)
{
	bool asker_found = false;

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; all[i] && k < list->count; k++)
			if (consider(all[i], list->items[k])) {
				asker_found = asker_found || all[i] == asker;
				found(all[i], list->items[k]->sid, list->items[k]);
				all[i] = NULL;
			}
	return asker_found;
}

static void on_listed(struct tw_call *call, nxv_status status, struct json_object *json, const struct nxv_error *err)
{
	struct nxv_twilio_call_list *list = NULL;
	struct tw_call **all = NULL;
	size_t count = 0;
	bool more, asker_found;

	if (call->intent.stage == INTENT_OPEN) { /* a webhook was faster */
		watch_step(call);
		return;
	}
	if (status == NXV_OK)
		status = call_list_read(json, &list, NULL);
	if (status == NXV_OK && !(all = lookers(call->carrier, call->intent.from, &count)))
		status = NXV_E_NOMEM;
	if (status != NXV_OK) { /* this page is asked for again, not all of them */
		env_log(call->carrier->opts.env, NXV_LOG_DEBUG, "twilio", "call %s: the list cannot be had: %s", call->intent.session_id,
			err->message);
		if (call->page)
			loop_timer_start(call->timer, (uint64_t)twilio_pace.ask_again_ms);
		else
			plan(call);
		goto out;
	}
	more = may_be_further(call, all, count, list);
	asker_found = take_page(call, all, count, list);
	if (!asker_found) {
		free(call->page);
		call->page = more ? text_dup(list->next_page) : NULL;
		call->listing = more;
		call->pages++;
		if (more && ask_page(call, NULL) != NXV_OK)
			plan(call);
	}
	for (size_t i = 0; i < count && !more; i++)
		if (all[i])
			conclude(all[i], all[i] == call);
out:
	free(all);
	nxv_twilio_call_list_free(list);
}

/* By From alone: whether Twilio finds a sip: address with headers is not said anywhere. */
static nxv_status ask_page(struct tw_call *call, struct nxv_error *err)
{
	struct nxv_twilio_call_list_opts opts = NXV_TWILIO_CALL_LIST_OPTS_INIT;
	struct twilio_exchange x;
	nxv_status status;

	opts.from = call->intent.from;
	opts.page_size = PAGE;
	opts.page = call->page;
	status = call_list_exchange(call->carrier->client, &opts, &x, err);
	if (status != NXV_OK) {
		twilio_exchange_clear(&x);
		return status;
	}
	return tw_ask(call, &x, on_listed, err);
}

/* @return false: another call reads the list of that From already, for this one too. */
static bool begin_list(struct tw_call *call)
{
	size_t count;
	struct tw_call **all = lookers(call->carrier, call->intent.from, &count);
	bool alone = all != NULL;

	for (size_t i = 0; i < count; i++)
		alone = alone && (all[i] == call || !all[i]->listing);
	for (size_t i = 0; i < count && alone; i++) {
		all[i]->in_list = true;
		all[i]->likely_count = 0;
	}
	call->listing = alone;
	call->pages = 0;
	free(all);
	return alone;
}

void look_now(struct tw_call *call)
{
	if (tw_now(call) >= call->watchdog_at_ms) /* even if it was placed, Twilio has ended it by now */
		not_there(call);
	else if ((!call->page && !begin_list(call)) || ask_page(call, NULL) != NXV_OK)
		plan(call);
}
