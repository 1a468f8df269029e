/* line.c - the line of calls to be created: so many a second, none before its intent is stored as sent, and none again
 * unless provably nothing was sent or Twilio asked to come back later. */
#include "twilio/inside.h"

#include <string.h>

#include "twilio/record.h"

/* By the place it was given, so that one that comes back stands where it stood. */
void line_add(struct tw_call *call)
{
	struct tw_call **at = &call->carrier->line;

	while (*at && (*at)->intent.place <= call->intent.place)
		at = &(*at)->behind;
	call->behind = *at;
	*at = call;
	call->intent.stage = INTENT_WAITING;
	if (!loop_timer_running(call->carrier->line_timer) || *at == call->carrier->line)
		loop_timer_start(call->carrier->line_timer, 0);
}

void line_leave(struct tw_call *call)
{
	struct tw_call **at = &call->carrier->line;

	while (*at && *at != call)
		at = &(*at)->behind;
	if (*at)
		*at = call->behind;
	call->behind = NULL;
}

/* Between callee-first calls of the same From and To nothing but time tells one from the other: one after the other. */
static bool has_twin(const struct tw_call *call)
{
	if (!call->intent.callee_first)
		return false;
	for (size_t b = 0; b < CARRIER_BUCKETS; b++)
		for (const struct tw_call *other = call->carrier->calls[b]; other; other = other->next)
			if (other->intent.stage == INTENT_SENDING && other->intent.callee_first &&
				strcmp(other->intent.to, call->intent.to) == 0 && strcmp(other->intent.from, call->intent.from) == 0)
				return true;
	return false;
}

/* --- what came of it --- */

static void give_up(struct tw_call *call, enum carrier_event_kind kind, const struct nxv_error *err)
{
	if (!call->ending)
		tw_tell_error(call, kind, err);
	tw_finish(call, 0);
}

/* Nothing was done. Back into the line, for as long as there is patience. */
static void again(struct tw_call *call, const struct nxv_error *err)
{
	const bool limited = err->status == NXV_E_LIMIT;
	const int64_t now = loop_now_ms(), patience = limited ? twilio_pace.rate_patience_ms : twilio_pace.send_patience_ms;
	const int64_t wait = limited ? err->retry_after_ms : twilio_pace.send_again_ms << (call->attempts < 16 ? call->attempts : 16);

	if (call->ending || now + wait > call->first_try_ms + patience) {
		give_up(call, CARRIER_UNREACHABLE, err);
		return;
	}
	/* Should this not be stored, the next start looks for it instead of sending it. */
	intent_stage(call->carrier->opts.db, call->intent.session_id, INTENT_WAITING, NULL, 0, NULL);
	call->attempts++;
	call->not_before_ms = now + wait;
	if (limited)
		call->carrier->paused_until_ms = now + wait;
	line_add(call);
	tw_tell_error(call, CARRIER_NOTICE, err);
}

/* A webhook may have told everything before the answer comes. */
static void answered_late(struct tw_call *call, const struct nxv_twilio_call *record, const struct nxv_error *err)
{
	if (record && strcmp(record->sid, call->facts.parent.sid) != 0)
		env_log(call->carrier->opts.env, NXV_LOG_ERROR, "twilio", "call %s: webhooks say %s, the answer says %s",
			call->intent.session_id, call->facts.parent.sid, record->sid);
	else if (!record)
		env_log(call->carrier->opts.env, NXV_LOG_INFO, "twilio", "call %s: known by webhook; its create failed: %s",
			call->intent.session_id, err->message);
	watch_step(call);
}

static void on_created(struct tw_call *call, nxv_status status, struct json_object *json, const struct nxv_error *err)
{
	struct nxv_twilio_call *record = status == NXV_OK ? record_call(json) : NULL;
	struct nxv_error why = *err;

	call->creating = false;
	call->carrier->creating--;
	if (status == NXV_OK && !record)
		status = twilio_not_understood(TWILIO_CREATE, "it holds no call", &why);
	if (call->intent.stage == INTENT_OPEN) {
		answered_late(call, record, &why);
	} else if (record && tw_opened(call, record->sid)) {
		watch_record(call, record);
		watch_step(call);
	} else if (record || nxv_twilio_is_unknown(&why)) {
		look_begin(call, &why);
	} else if (status == NXV_E_LIMIT || strcmp(why.code, "twilio_unreachable") == 0) {
		again(call, &why);
	} else {
		give_up(call, CARRIER_REFUSED, &why);
	}
	nxv_twilio_call_free(record);
}

/* --- one after the other --- */

static void send(struct tw_call *call)
{
	const struct twilio_carrier_opts *o = &call->carrier->opts;
	struct nxv_error err = NXV_ERROR_INIT;
	struct twilio_exchange x;
	nxv_status status;

	if (!call->first_try_ms)
		call->first_try_ms = loop_now_ms();
	if (o->may_create && o->may_create(o->may_create_arg, &err) != NXV_OK) {
		if (strcmp(err.code, "calls_frozen") == 0)
			give_up(call, CARRIER_REFUSED, &err);
		else
			again(call, &err);
		return;
	}
	call->intent.sent_at_ms = tw_now(call);
	tw_watchdog_from(call, call->intent.sent_at_ms);
	status = intent_stage(call->carrier->opts.db, call->intent.session_id, INTENT_SENDING, NULL, call->intent.sent_at_ms, &err);
	if (status != NXV_OK) { /* without that nothing may go out */
		again(call, &err);
		return;
	}
	call->intent.stage = INTENT_SENDING;
	status = flow_create(call, &x, &err);
	if (status == NXV_OK) {
		status = tw_ask(call, &x, on_created, &err);
	} else {
		twilio_exchange_clear(&x);
	}
	if (status != NXV_OK) {
		give_up(call, CARRIER_REFUSED, &err);
		return;
	}
	call->creating = true;
	call->carrier->creating++;
}

void line_pump(void *arg)
{
	struct twilio_carrier *carrier = arg;
	struct tw_call *call = carrier->line, *next;
	int64_t now = loop_now_ms(), due = INT64_MAX;

	for (; call && carrier->creating < CREATES_IN_FLIGHT; call = next) {
		int64_t free_at = carrier->next_create_ms > carrier->paused_until_ms ? carrier->next_create_ms : carrier->paused_until_ms;
		next = call->behind;
		if (free_at > now) {
			due = free_at;
			break;
		}
		if (call->not_before_ms > now) {
			due = call->not_before_ms < due ? call->not_before_ms : due;
			continue;
		}
		if (has_twin(call))
			continue; /* looked at again when anything is sent or answered */
		carrier->next_create_ms = now + 1000 / carrier->opts.creates_per_second;
		line_leave(call);
		send(call);
	}
	if (carrier->line)
		loop_timer_start(carrier->line_timer, due == INT64_MAX ? 200 : (uint64_t)(due > now ? due - now : 0));
}
