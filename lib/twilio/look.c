/* look.c - a create that got no usable answer: which call of Twilio's list did it become, if any? A webhook may tell first. */
#include "twilio/inside.h"

#include <string.h>

#include "base/error.h"
#include "base/leg_token.h"
#include "base/text.h"

enum { SKEW_MS = 120000, PAGE = 100, PAGES_MAX = 50 };

/* What one look at the list has found. */
struct find {
	const struct nxv_twilio_call *sure, *likely;
	unsigned likely_count;
};

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

static void consider(struct tw_call *call, const struct nxv_twilio_call *item, struct find *find)
{
	const char *token = item->to ? strstr(item->to, LEG_TOKEN_HEADER "=") : NULL;

	if (item->parent_sid || !same_address(item->to, call->intent.to) || owned_by_another(call, item->sid))
		return;
	if (!call->intent.callee_first && token) { /* it names its session */
		if (strcmp(token, strstr(call->intent.to, LEG_TOKEN_HEADER "=")) == 0)
			find->sure = item;
		return;
	}
	if (!item->from || strcmp(item->from, call->intent.from) != 0 ||
		(item->created_at_ms && item->created_at_ms < call->intent.sent_at_ms - SKEW_MS))
		return;
	find->likely = item;
	find->likely_count++;
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

static void found(struct tw_call *call, const struct nxv_twilio_call *item)
{
	if (!tw_opened(call, item->sid)) {
		plan(call);
		return;
	}
	env_log(call->carrier->opts.env, NXV_LOG_INFO, "twilio", "call %s is %s at Twilio", call->intent.session_id, item->sid);
	watch_record(call, item);
	watch_callbacks(call);
	watch_step(call);
}

static nxv_status ask_page(struct tw_call *call, const char *page, struct nxv_error *err);

/* Newest come first; those made long before it was sent are not it. */
static bool may_be_further(const struct tw_call *call, const struct nxv_twilio_call_list *list)
{
	const struct nxv_twilio_call *last = list->count ? list->items[list->count - 1] : NULL;

	return list->next_page && last && call->pages < PAGES_MAX &&
		(!last->created_at_ms || last->created_at_ms >= call->intent.sent_at_ms - SKEW_MS);
}

static void on_listed(struct tw_call *call, nxv_status status, struct json_object *json, const struct nxv_error *err)
{
	struct nxv_twilio_call_list *list = NULL;
	struct find find = { 0 };

	if (call->intent.stage == INTENT_OPEN) {
		watch_step(call);
		return;
	}
	if (status == NXV_OK)
		status = call_list_read(json, &list, NULL);
	for (size_t i = 0; status == NXV_OK && i < list->count; i++)
		consider(call, list->items[i], &find);
	if (!find.sure && find.likely_count == 1 && !has_rival(call))
		find.sure = find.likely;
	if (find.sure) {
		found(call, find.sure);
	} else if (status == NXV_OK && may_be_further(call, list) && ask_page(call, list->next_page, NULL) == NXV_OK) {
		call->pages++;
	} else if (status == NXV_OK && !find.likely && loop_now_ms() >= call->look_until_ms) {
		not_there(call);
	} else {
		if (status != NXV_OK)
			env_log(call->carrier->opts.env, NXV_LOG_DEBUG, "twilio", "call %s: the list cannot be had: %s",
				call->intent.session_id, err->message);
		plan(call);
	}
	nxv_twilio_call_list_free(list);
}

/* By From alone: whether Twilio finds a sip: address with headers is not said anywhere. */
static nxv_status ask_page(struct tw_call *call, const char *page, struct nxv_error *err)
{
	struct nxv_twilio_call_list_opts opts = NXV_TWILIO_CALL_LIST_OPTS_INIT;
	struct twilio_exchange x;
	nxv_status status;

	opts.from = call->intent.from;
	opts.page_size = PAGE;
	opts.page = page;
	status = call_list_exchange(call->carrier->client, &opts, &x, err);
	if (status != NXV_OK) {
		twilio_exchange_clear(&x);
		return status;
	}
	return tw_ask(call, &x, on_listed, err);
}

void look_now(struct tw_call *call)
{
	call->pages = 0;
	if (tw_now(call) >= call->watchdog_at_ms) /* even if it was placed, Twilio has ended it by now */
		not_there(call);
	else if (ask_page(call, NULL, NULL) != NXV_OK)
		plan(call);
}
