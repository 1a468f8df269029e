/* life.c - the life of a call: the table, the steps of a simulated callee, and what each change of status sets off. */
#include "life.h"

#include "bridge.h"
#include "events.h"
#include "numbers.h"
#include "recordings.h"
#include "script.h"
#include "sip_leg.h"

#include <string.h>

static const struct row {
	enum call_status status;
	enum life_event event;
	enum call_status next;
} rows[] = {
	{ CALL_QUEUED, LIFE_DIAL, CALL_INITIATED },
	{ CALL_QUEUED, LIFE_FAIL, CALL_FAILED },
	{ CALL_QUEUED, LIFE_CANCEL, CALL_CANCELED },
	{ CALL_INITIATED, LIFE_RING, CALL_RINGING },
	{ CALL_INITIATED, LIFE_ANSWER, CALL_IN_PROGRESS },
	{ CALL_INITIATED, LIFE_BUSY, CALL_BUSY },
	{ CALL_INITIATED, LIFE_FAIL, CALL_FAILED },
	{ CALL_INITIATED, LIFE_TIMEOUT, CALL_NO_ANSWER },
	{ CALL_INITIATED, LIFE_CANCEL, CALL_CANCELED },
	{ CALL_RINGING, LIFE_ANSWER, CALL_IN_PROGRESS },
	{ CALL_RINGING, LIFE_BUSY, CALL_BUSY },
	{ CALL_RINGING, LIFE_FAIL, CALL_FAILED },
	{ CALL_RINGING, LIFE_TIMEOUT, CALL_NO_ANSWER },
	{ CALL_RINGING, LIFE_CANCEL, CALL_CANCELED },
	{ CALL_IN_PROGRESS, LIFE_HANGUP, CALL_COMPLETED },
	{ CALL_IN_PROGRESS, LIFE_CANCEL, CALL_COMPLETED },
};

enum call_status life_next(enum call_status status, enum life_event event)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].status == status && rows[i].event == event)
			return rows[i].next;
	return status;
}

enum life_event life_of_sip(int code)
{
	switch (code) {
	case 486:
	case 600:
	case 603:
		return LIFE_BUSY;
	case 408:
	case 480:
	case 487:
		return LIFE_TIMEOUT;
	default:
		return LIFE_FAIL;
	}
}

static void after(struct call *call, int64_t ms)
{
	loop_timer_start(call->step, sandbox_scaled(call->sandbox, ms));
}

/* A simulated callee has come to the end of its ringing. */
static void outcome(struct call *call)
{
	const struct plan *plan = call->plan;

	call->sip_code = plan->sip_code;
	switch (plan->outcome) {
	case OUTCOME_ANSWER:
		life_event(call, LIFE_ANSWER, NULL);
		break;
	case OUTCOME_BUSY:
	case OUTCOME_REJECT:
		life_event(call, LIFE_BUSY, "callee");
		break;
	case OUTCOME_FAIL:
		life_event(call, LIFE_FAIL, "callee");
		break;
	case OUTCOME_NO_ANSWER:
		call->sip_code = 0; /* its timer of ringing is on */
		break;
	}
}

static void dial(struct call *call)
{
	bool real = call->sandbox->sip && strncmp(call->to, "sip", 3) == 0;

	loop_timer_start(call->limit, sandbox_scaled(call->sandbox, (int64_t)call->timeout_s * 1000));
	life_event(call, LIFE_DIAL, NULL);
	if (!real) {
		after(call, call->plan->ring_after_ms ? call->plan->ring_after_ms : call->plan->ring_ms);
		return;
	}
	call->leg = sip_leg_new(call);
	if (call->leg)
		return;
	call->sip_code = 503;
	life_event(call, LIFE_FAIL, "sandbox");
}

/* Its one step timer: what comes next depends on the status. */
static void on_step(void *arg)
{
	struct call *call = arg;

	switch (call->status) {
	case CALL_QUEUED:
		dial(call);
		break;
	case CALL_INITIATED:
		if (call->plan->ring_after_ms) {
			life_event(call, LIFE_RING, NULL);
			if (call->plan->outcome != OUTCOME_NO_ANSWER)
				after(call, call->plan->ring_ms);
		} else {
			outcome(call);
		}
		break;
	case CALL_RINGING:
		outcome(call);
		break;
	case CALL_IN_PROGRESS:
		life_event(call, LIFE_HANGUP, "callee");
		break;
	default:
		break;
	}
}

/* Before the answer: it rang too long. After it: its time is over. */
static void on_limit(void *arg)
{
	struct call *call = arg;

	if (call->status == CALL_IN_PROGRESS) {
		life_end(call, "time limit");
		return;
	}
	sip_leg_end(call->leg);
	life_event(call, LIFE_TIMEOUT, "timeout");
}

void life_limit(struct call *call, int seconds)
{
	if (seconds > 0)
		loop_timer_start(call->limit, sandbox_scaled(call->sandbox, (int64_t)seconds * 1000));
	else
		loop_timer_stop(call->limit);
}

void life_begin(struct call *call)
{
	struct sandbox *sandbox = call->sandbox;
	int64_t now = loop_now_ms(), start = now + (int64_t)sandbox_scaled(sandbox, 100 + call->plan->queued_ms);

	call->step = loop_timer_new(sandbox->loop, on_step, call);
	call->limit = loop_timer_new(sandbox->loop, on_limit, call);
	if (!call->step || !call->limit) {
		life_event(call, LIFE_FAIL, "sandbox");
		return;
	}
	if (sandbox->opts.calls_per_second && !call->parent) {
		if (start < sandbox->next_start_ms)
			start = sandbox->next_start_ms;
		sandbox->next_start_ms = start + (int64_t)sandbox_scaled(sandbox, 1000) / sandbox->opts.calls_per_second;
	}
	loop_timer_start(call->step, (uint64_t)(start - now));
}

static void answered(struct call *call)
{
	call->answered_ms = call->updated_ms;
	if (call->wants_machine)
		call->answered_by = call->plan->machine ? "machine_start" : "human";
	loop_timer_stop(call->step);
	if (!call->leg && call->plan->talk_ms)
		after(call, call->plan->talk_ms);
	life_limit(call, call->limit_s);
	event_send(call, EVENT_ANSWERED);
	if (call->record.wanted)
		recording_begin(call);
	if (call->parent)
		bridge_child_answered(call);
	else
		script_begin(call);
}

static void ended(struct call *call, const char *by)
{
	call->ended_ms = call->updated_ms;
	call->ended_by = by;
	loop_timer_stop(call->step);
	loop_timer_stop(call->limit);
	sip_leg_end(call->leg);
	script_stop(call);
	recording_call_ended(call);
	event_send(call, EVENT_COMPLETED);
	if (call->parent)
		bridge_child_ended(call);
}

void life_event(struct call *call, enum life_event event, const char *by)
{
	enum call_status next = life_next(call->status, event);

	if (next == call->status)
		return;
	call->status = next;
	call->updated_ms = sandbox_utc_ms();
	call->history[call->moments++] = (struct moment){ next, call->updated_ms };
	switch (next) {
	case CALL_INITIATED:
		call->started_ms = call->updated_ms;
		event_send(call, EVENT_INITIATED);
		break;
	case CALL_RINGING:
		event_send(call, EVENT_RINGING);
		if (call->parent)
			bridge_child_ringing(call);
		break;
	case CALL_IN_PROGRESS:
		answered(call);
		break;
	default:
		ended(call, by);
	}
}

void life_end(struct call *call, const char *by)
{
	if (!call_ended(call))
		life_event(call, LIFE_CANCEL, by);
}
