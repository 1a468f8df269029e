/* remote.c - calls whose legs are somebody else's (Twilio's): they are ended by an order that the carrier confirms, taken up
 * again in any state, and say what holds them up. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "session/lease.h"
#include "session/live.h"

enum { AWAY_MS = 2000 };

bool live_is_remote(const struct call *call)
{
	return call->carrier ? call->carrier->ops->remote : strcmp(call->row->carrier, "twilio") == 0;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool remote_note_error(struct call *call, const struct nxv_error *error)
{
	struct nxv_session *s = &call->row->pub;
	const char *code = error ? error->code : NULL, *message = error ? error->message : NULL;

	if (same(s->error_code, code) && same(s->error_message, message))
		return false;
	free(s->error_code);
	free(s->error_message);
	s->error_code = text_dup(code);
	s->error_message = text_dup(message);
	s->error_detail = error ? error->detail : 0;
	return true;
}

static void taken(struct call *call, const struct carrier_event *event)
{
	const struct call_facts facts = { .at_ms = event->at_ms };
	struct nxv_session *s = &call->row->pub;

	if (!same(s->twilio_call_sid, event->carrier_id)) {
		free(s->twilio_call_sid);
		s->twilio_call_sid = text_dup(event->carrier_id);
		call->unstored = call->renew_lease = true;
	}
	call->unstored = remote_note_error(call, NULL) || call->unstored;
	if (!live_apply(call, EV_PLACED, &facts) && call->unstored)
		live_store(call);
}

bool remote_event(struct call *call, const struct carrier_event *event)
{
	switch (event->kind) {
	case CARRIER_TAKEN:
		taken(call, event);
		return true;
	case CARRIER_NOTICE:
		if (call->row->state != CALL_ENDED && remote_note_error(call, event->error))
			live_store(call);
		return true;
	case CARRIER_REFUSED:
	case CARRIER_UNREACHABLE:
	case CARRIER_UNKNOWN:
		if (call->row->state != CALL_ENDED)
			remote_note_error(call, event->error);
		return false;
	default: /* what held it up is over with the next thing that happens */
		if (call->row->state != CALL_ENDED && live_is_remote(call) && remote_note_error(call, NULL))
			live_store(call);
		return false;
	}
}

static void order_end(struct call *call)
{
	if (!call->carrier) /* it is told when the call is taken up */
		return;
	call->held++;
	call->carrier->ops->end(call->carrier, call->row->pub.id, NULL);
	call->held--;
}

void remote_end(struct call *call, enum call_event event)
{
	if (call->wish == EV_PLACED) { /* the first one who asks is the reason */
		call->wish = event;
		free(call->row->end_wanted);
		call->row->end_wanted = text_dup(call_event_name(event));
		live_store(call);
	}
	order_end(call);
}

/* The limit counts from the answer; who carries the call ends it first. */
static void watch_limit(struct call *call)
{
	const struct calls_opts *opts = &call->calls->opts;
	int64_t left = call->row->pub.answered_at_ms + (opts->max_seconds + 30) * 1000 - env_now_ms(opts->env);

	loop_timer_start(call->max_timer, left > 0 ? (uint64_t)left : 0);
}

static void give_up(struct call *call, enum call_event event)
{
	const struct call_facts facts = { .at_ms = env_now_ms(call->calls->opts.env) };

	live_apply(call, call->wish != EV_PLACED ? call->wish : event, &facts);
}

static void take_up(struct call *call, struct carrier *carrier)
{
	struct calls *calls = call->calls;
	struct session_row *row = call->row;
	const struct call_facts facts = { .at_ms = env_now_ms(calls->opts.env) };
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status;

	call->held++;
	call->carrier = carrier;
	status = carrier->ops->restore(carrier, row->pub.id, NULL, &err);
	if (status != NXV_OK) {
		env_log(calls->opts.env, NXV_LOG_WARN, "session", "call %s cannot be taken up: %s", row->pub.id, err.message);
		call->carrier = NULL;
		give_up(call, status == NXV_E_NOT_FOUND ? EV_GATEWAY_RESTARTED : EV_SERVER_LOST);
	} else if (row->state == CALL_UP) {
		live_apply(call, EV_RECOVERED, &facts);
		watch_limit(call);
	}
	if (call->carrier && call->wish != EV_PLACED)
		order_end(call);
	call->held--;
	live_settle(call);
}

/* The call may go on where it is, so it is not said to have ended; its slot's lease bounds how long that is believed. */
static int64_t believed_until(const struct call *call)
{
	const struct calls_opts *opts = &call->calls->opts;
	const struct nxv_session *s = &call->row->pub;

	return lease_end(s->answered_at_ms ? s->answered_at_ms : s->started_at_ms, s->answered_at_ms ? 0 : opts->ring_ms, opts->max_seconds);
}

static void wait_for_carrier(struct call *call)
{
	struct calls *calls = call->calls;
	struct nxv_error err;

	call->away = true;
	error_code(&err, NXV_E_UNREACHABLE, "twilio_not_configured",
		"Twilio has this call and cannot be asked about it: set twilio.account_sid and its secret, then it is taken up again");
	env_log(calls->opts.env, NXV_LOG_ERROR, "session", "call %s: %s", call->row->pub.id, err.message);
	if (remote_note_error(call, &err))
		live_store(call);
	if (!loop_timer_running(calls->away))
		loop_timer_start(calls->away, AWAY_MS);
}

/* @return true: it waits on. */
static bool look(struct call *call, struct carrier *carrier)
{
	if (carrier) {
		call->away = false;
		take_up(call, carrier);
		return false;
	}
	if (env_now_ms(call->calls->opts.env) < believed_until(call))
		return true;
	env_log(call->calls->opts.env, NXV_LOG_ERROR, "session", "call %s is past every limit, and Twilio was never asked what became of it",
		call->row->pub.id);
	call->away = false;
	give_up(call, EV_SERVER_LOST);
	live_settle(call);
	return false;
}

void remote_look(void *arg)
{
	struct calls *calls = arg;
	struct carrier *carrier = calls->opts.ports.carrier(calls->opts.ports.arg, "twilio");
	struct call *call, *next;
	bool more = false;

	for (size_t b = 0; b < CALLS_BUCKETS; b++)
		for (call = calls->by_id[b]; call; call = next) {
			next = call->next;
			if (call->away)
				more = look(call, carrier) || more;
		}
	if (more)
		loop_timer_start(calls->away, AWAY_MS);
}

void remote_restore(struct call *call)
{
	const struct session_row *row = call->row;
	struct carrier *carrier = call->calls->opts.ports.carrier(call->calls->opts.ports.arg, row->carrier);
	enum call_event wish = row->end_wanted ? call_event_parse(row->end_wanted) : EV_PLACED;

	call->wish = wish < CALL_EVENTS ? wish : EV_PLACED;
	if (carrier)
		take_up(call, carrier);
	else
		wait_for_carrier(call);
}
