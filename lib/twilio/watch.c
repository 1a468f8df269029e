/* watch.c - calls that Twilio has: what webhooks and polls tell becomes the session's events; silence is asked about, orders
 * to end are repeated until they are carried out, and what lasts too long is ended. */
#include "twilio/inside.h"

#include <string.h>

#include "base/error.h"
#include "twilio/record.h"

/* --- telling --- */

static void tell_once(struct tw_call *call, unsigned bit, enum carrier_event_kind kind, int64_t at_ms)
{
	if (call->told & bit)
		return;
	call->told |= bit;
	tw_tell(call, kind, at_ms, 0);
}

/* The first leg is the parent; who that is depends. What was missed is made up for. */
static void tell_progress(struct tw_call *call)
{
	const bool turned = call->intent.callee_first;
	const struct twilio_leg *parent = &call->facts.parent, *child = &call->facts.child;

	if (parent->ringing_at_ms)
		tell_once(call, TOLD_FIRST_RING, turned ? CARRIER_B_RINGING : CARRIER_A_RINGING, parent->ringing_at_ms);
	if (parent->up_at_ms || child->state != TS_NONE)
		tell_once(call, TOLD_FIRST_UP, turned ? CARRIER_B_RINGING : CARRIER_A_ANSWERED, parent->up_at_ms);
	if (child->ringing_at_ms)
		tell_once(call, TOLD_SECOND_RING, turned ? CARRIER_A_RINGING : CARRIER_B_RINGING, child->ringing_at_ms);
	if (child->up_at_ms)
		tell_once(call, TOLD_SECOND_UP, CARRIER_B_ANSWERED, turned && parent->up_at_ms ? parent->up_at_ms : child->up_at_ms);
}

/* Who did not answer was rung, whether the report of it came or not. */
static void tell_ringing(struct tw_call *call, const struct twilio_verdict *verdict)
{
	const bool turned = call->intent.callee_first;

	if (verdict->event == CARRIER_A_NO_ANSWER)
		tell_once(call, turned ? TOLD_SECOND_RING : TOLD_FIRST_RING, CARRIER_A_RINGING, verdict->at_ms);
	else if (verdict->event == CARRIER_B_NO_ANSWER)
		tell_once(call, turned ? TOLD_FIRST_RING : TOLD_SECOND_RING, CARRIER_B_RINGING, verdict->at_ms);
}

/* What the order to end it has brought about is told by CARRIER_DOWN alone. */
static void conclude(struct tw_call *call, const struct twilio_verdict *verdict)
{
	if (call->watchdog) {
		tw_tell(call, CARRIER_LIMIT, verdict->at_ms, 0);
	} else if (!call->end_ours) {
		tell_ringing(call, verdict);
		tw_tell(call, verdict->event, verdict->at_ms, verdict->sip_code);
	}
	tw_finish(call, verdict->at_ms);
}

/* --- learning --- */

void watch_record(struct tw_call *call, const struct nxv_twilio_call *record)
{
	const bool child = record->parent_sid != NULL;
	const enum twilio_state state = twilio_state_parse(record->status);
	const struct twilio_news news = { .sid = record->sid, .state = state, .sequence = -1,
		.duration_seconds = record->duration_seconds,
		.at_ms = twilio_state_ended(state) && record->ended_at_ms ? record->ended_at_ms : tw_now(call) };

	if (twilio_leg_learn(child ? &call->facts.child : &call->facts.parent, &news))
		call->wait_ms = 0;
}

static void learn_dial(struct tw_call *call, const struct callback *cb)
{
	struct twilio_facts *f = &call->facts;
	struct twilio_news news = { .sid = cb->dial_sid, .state = twilio_state_parse(cb->dial_status), .sequence = -1,
		.duration_seconds = cb->duration, .sip_code = cb->sip_code, .at_ms = cb->at_ms };

	f->dial = news.state;
	f->dial_left_parent = twilio_state_parse(cb->status) == TS_UP;
	if (news.state == TS_UP)
		news.state = TS_COMPLETED; /* "answered": the child was, and has left */
	if (cb->dial_sid && *cb->dial_sid)
		twilio_leg_learn(&f->child, &news);
}

static void learn_callback(struct tw_call *call, const struct callback *cb)
{
	const char *parent = cb->parent_sid ? cb->parent_sid : cb->call_sid;
	struct twilio_news news = { .sid = cb->call_sid, .state = twilio_state_parse(cb->status), .sequence = cb->sequence,
		.duration_seconds = cb->dial_status ? -1 : cb->duration, .sip_code = cb->sip_code, .at_ms = cb->at_ms };

	if (call->intent.stage != INTENT_OPEN && call->intent.stage != INTENT_CLOSED && !tw_opened(call, parent))
		return;
	if (!call->facts.parent.sid[0] && call->intent.stage == INTENT_CLOSED)
		memcpy(call->facts.parent.sid, parent, strlen(parent) + 1); /* its length was checked when it came */
	if (strcmp(call->facts.parent.sid, parent) != 0) {
		env_log(call->carrier->opts.env, NXV_LOG_WARN, "twilio", "call %s is %s; a webhook tells of %s",
			call->intent.session_id, call->facts.parent.sid, parent);
		return;
	}
	if (cb->dial_status)
		learn_dial(call, cb);
	if (twilio_leg_learn(cb->parent_sid ? &call->facts.child : &call->facts.parent, &news))
		call->wait_ms = 0;
}

void watch_callbacks(struct tw_call *call)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct callback cb;
	bool found = true;

	while (found) {
		if (callback_next(call->carrier->opts.db, call->intent.session_id, call->log_id, &cb, &found, &err) != NXV_OK) {
			env_log(call->carrier->opts.env, NXV_LOG_ERROR, "twilio", "call %s: webhooks cannot be read: %s",
				call->intent.session_id, err.message);
			found = false; /* polls make up for it */
		} else if (found) {
			call->log_id = cb.id;
			timeline_callback(call, &cb);
			learn_callback(call, &cb);
		}
		callback_clear(&cb);
	}
}

/* --- asking --- */

static void later(struct tw_call *call, int64_t first_ms, int64_t max_ms)
{
	call->wait_ms = call->wait_ms ? call->wait_ms * 2 : first_ms;
	if (call->wait_ms > max_ms)
		call->wait_ms = max_ms;
	loop_timer_start(call->timer, (uint64_t)call->wait_ms);
}

/* When an answer did not come, or brought nothing. */
static void ask_again(struct tw_call *call)
{
	later(call, twilio_pace.ask_again_ms, twilio_pace.ask_max_ms);
}

static void on_children(struct tw_call *call, nxv_status status, struct json_object *json, const struct nxv_error *err)
{
	struct nxv_twilio_call_list *list = NULL;

	(void)err;
	if (status == NXV_OK)
		status = call_list_read(json, &list, NULL);
	for (size_t i = 0; status == NXV_OK && i < list->count; i++)
		if (list->items[i]->parent_sid && strcmp(list->items[i]->parent_sid, call->facts.parent.sid) == 0)
			watch_record(call, list->items[i]);
	if (status == NXV_OK && !list->count && twilio_state_ended(call->facts.parent.state))
		call->facts.no_child = ++call->empty_lists > 1 && !call->facts.child.sid[0];
	nxv_twilio_call_list_free(list);
	watch_step(call);
}

static void ask_children(struct tw_call *call)
{
	struct nxv_twilio_call_list_opts opts = NXV_TWILIO_CALL_LIST_OPTS_INIT;
	struct twilio_exchange x;

	opts.parent_sid = call->facts.parent.sid;
	if (!call->wait_ms) /* should it bring nothing, the next one is not at once */
		call->wait_ms = twilio_pace.ask_again_ms / 2;
	if (call_list_exchange(call->carrier->client, &opts, &x, NULL) != NXV_OK)
		twilio_exchange_clear(&x);
	else if (tw_ask(call, &x, on_children, NULL) == NXV_OK)
		return;
	ask_again(call);
}

/* What was created a moment ago may not be there for every part of Twilio yet. */
static bool is_young(const struct tw_call *call)
{
	return tw_now(call) - call->intent.sent_at_ms < twilio_pace.look_window_ms;
}

static void on_fetched(struct tw_call *call, nxv_status status, struct json_object *json, const struct nxv_error *err)
{
	struct nxv_twilio_call *record = status == NXV_OK ? record_call(json) : NULL;

	if (record)
		watch_record(call, record);
	nxv_twilio_call_free(record);
	if (status == NXV_E_NOT_FOUND && !is_young(call)) {
		env_log(call->carrier->opts.env, NXV_LOG_ERROR, "twilio", "call %s: Twilio no longer knows %s", call->intent.session_id,
			call->facts.parent.sid);
		tw_tell(call, CARRIER_LOST, 0, 0);
		tw_finish(call, 0);
	} else if (status == NXV_OK && call->facts.parent.state >= TS_UP && !twilio_state_ended(call->facts.child.state)) {
		ask_children(call);
	} else {
		if (status != NXV_OK)
			env_log(call->carrier->opts.env, NXV_LOG_DEBUG, "twilio", "call %s cannot be polled: %s", call->intent.session_id,
				err->message);
		watch_step(call);
	}
}

static void poll(struct tw_call *call)
{
	struct twilio_exchange x;

	if (call_fetch_exchange(call->carrier->client, call->facts.parent.sid, &x, NULL) != NXV_OK)
		twilio_exchange_clear(&x);
	else if (tw_ask(call, &x, on_fetched, NULL) == NXV_OK)
		return;
	ask_again(call);
}

/* --- ending --- */

static void on_end_failed(struct tw_call *call, nxv_status status, const struct nxv_error *err)
{
	if (strcmp(err->code, "twilio_call_state") == 0 && !call->complete) {
		call->complete = true; /* answered meanwhile, or over: the stronger word tells */
		call->wait_ms = 0;
	} else if (strcmp(err->code, "twilio_call_state") == 0) {
		call->end_over = true; /* it was over before */
	} else {
		/* What got no answer, or a fault for one, may have been done. */
		call->end_ours = call->end_ours || status == NXV_E_TIMEOUT || strcmp(err->code, "twilio_failed") == 0;
		call->wait_ms = call->wait_ms ? call->wait_ms : twilio_pace.ask_again_ms / 2;
		tw_tell_error(call, CARRIER_NOTICE, err);
	}
	watch_step(call);
}

static void on_ended(struct tw_call *call, nxv_status status, struct json_object *json, const struct nxv_error *err)
{
	struct nxv_twilio_call *record = status == NXV_OK ? record_call(json) : NULL;

	call->end_now = false;
	if (status == NXV_E_NOT_FOUND && !is_young(call)) {
		tw_finish(call, 0);
		return;
	}
	if (status != NXV_OK) {
		on_end_failed(call, status, err);
		return;
	}
	call->end_over = call->end_ours = true;
	if (record)
		watch_record(call, record);
	nxv_twilio_call_free(record);
	call->wait_ms = 0;
	watch_step(call);
}

static void send_end(struct tw_call *call)
{
	struct nxv_twilio_call_update_opts opts = NXV_TWILIO_CALL_UPDATE_OPTS_INIT;
	struct twilio_exchange x;

	call->complete = call->complete || call->facts.parent.state >= TS_UP;
	opts.cancel = !call->complete;
	opts.complete = call->complete;
	if (call_update_exchange(call->carrier->client, call->facts.parent.sid, &opts, &x, NULL) != NXV_OK)
		twilio_exchange_clear(&x);
	else if (tw_ask(call, &x, on_ended, NULL) == NXV_OK)
		call->end_now = true;
	if (!call->end_now)
		ask_again(call);
}

/* --- the next thing --- */

static bool one_leg_left(const struct twilio_facts *f)
{
	return twilio_state_ended(f->child.state) || twilio_state_ended(f->dial);
}

/* An order or a question that cannot wait is sent at once, unless it has just failed. */
static void at_once(struct tw_call *call)
{
	if (call->wait_ms)
		ask_again(call);
	else
		loop_timer_start(call->timer, 0);
}

static void plan(struct tw_call *call, const struct twilio_verdict *verdict)
{
	const int64_t left = call->watchdog_at_ms - tw_now(call);

	if (call->ending && !call->end_over)
		at_once(call);
	else if (verdict->kind == VERDICT_ASK_CHILD)
		at_once(call);
	else if (call->end_over || one_leg_left(&call->facts))
		later(call, twilio_pace.settle_ms, twilio_pace.poll_max_ms);
	else if (call->facts.child.state == TS_UP)
		later(call, twilio_pace.poll_max_ms, twilio_pace.poll_up_max_ms);
	else
		later(call, twilio_pace.poll_first_ms, twilio_pace.poll_max_ms);
	if (!call->watchdog && left > 0 && left < call->wait_ms)
		loop_timer_start(call->timer, (uint64_t)left);
}

void watch_step(struct tw_call *call)
{
	struct twilio_verdict verdict;

	tell_progress(call);
	verdict = twilio_facts_judge(&call->facts, call->intent.callee_first, call->carrier->opts.max_seconds);
	if (call->end_now || call->creating)
		return; /* its answer decides whose end it is */
	if (verdict.kind == VERDICT_ENDED) {
		conclude(call, &verdict);
		return;
	}
	if (!call->transfer)
		plan(call, &verdict);
}

/* Past every limit: it is ended there, and after a while given up here. @return false: the call is gone. */
static bool watchdog(struct tw_call *call)
{
	const int64_t late = tw_now(call) - call->watchdog_at_ms;

	if (late < 0)
		return true;
	if (late > twilio_pace.give_up_ms) {
		env_log(call->carrier->opts.env, NXV_LOG_ERROR, "twilio", "call %s: Twilio does not tell what became of %s",
			call->intent.session_id, call->facts.parent.sid);
		tw_tell(call, CARRIER_LOST, 0, 0);
		tw_finish(call, 0);
		return false;
	}
	if (!call->ending) {
		env_log(call->carrier->opts.env, NXV_LOG_WARN, "twilio", "call %s is past every limit: it is ended", call->intent.session_id);
		call->ending = call->watchdog = true;
		call->wait_ms = 0;
	}
	return true;
}

void watch_due(void *arg)
{
	struct tw_call *call = arg;

	if (call->transfer)
		return;
	if (call->looking) {
		look_now(call);
		return;
	}
	if (!watchdog(call))
		return;
	if (call->ending && !call->end_over)
		send_end(call);
	else if (twilio_state_ended(call->facts.parent.state))
		ask_children(call);
	else
		poll(call);
}
