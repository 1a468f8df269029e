/* unheard.c - calls that ended while the gateway was away, or whose report was lost: as the SIP server remembers them. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "session/live.h"
#include "store/setting.h"

/* Reports and endings may be a little out of order, and clocks are set. */
enum { HEARD_MARGIN_MS = 5000, OVERDUE_MS = 60000 };

void unheard_begin(struct calls *calls)
{
	char text[32] = "";

	setting_read(calls->opts.db, SETTING_HEARD, text, sizeof(text), NULL);
	if (!text_int(text, 1, INT64_MAX, &calls->heard_at_ms)) /* the first gateway here: whatever was before is not ours */
		calls_heard(calls, env_now_ms(calls->opts.env));
}

int64_t calls_heard_since(const struct calls *calls)
{
	return calls->heard_at_ms - HEARD_MARGIN_MS;
}

void calls_heard(struct calls *calls, int64_t at_ms)
{
	char text[32];

	calls->heard_at_ms = at_ms;
	snprintf(text, sizeof(text), "%lld", (long long)at_ms);
	setting_write(calls->opts.db, SETTING_HEARD, text, NULL); /* should it fail, more is read another time */
}

/* Whether the call is known. Its Call-ID does not tell: a phone may use one again, and others may take it. */
static nxv_status on_record(struct calls *calls, const struct calls_ending *ending, bool *known)
{
	struct db_tx *tx;
	nxv_status status = db_begin(calls->opts.db, DB_READ, &tx, NULL);

	if (status != NXV_OK)
		return status;
	status = session_dialled_at(tx, ending->report.owner, ending->report.call_id, ending->invited_at_ms, known, NULL);
	db_rollback(tx);
	return status;
}

static void earliest(int64_t *at_ms, int64_t other_ms)
{
	if (!*at_ms || other_ms < *at_ms)
		*at_ms = other_ms;
}

/* Which phone left first, of those that the SIP server remembers. */
static int first_left(const struct call *call)
{
	const int64_t a_ms = call->left_at_ms[0], b_ms = call->left_at_ms[1];

	return b_ms && (!a_ms || b_ms < a_ms);
}

bool unheard_left(struct call *call)
{
	const int leg = first_left(call);
	const int64_t left_ms = call->left_at_ms[leg], out_ms = call->timed_out_at_ms;

	if (call->row->state != CALL_UP || (!left_ms && !out_ms))
		return false;
	if (out_ms && (!left_ms || out_ms <= left_ms))
		live_end_as(call, EV_MAX_DURATION, out_ms, true);
	else
		live_end_as(call, leg ? EV_B_HANGUP : EV_A_HANGUP, left_ms, true);
	return true;
}

void unheard_overdue(struct call *call)
{
	call->overdue = true;
	loop_timer_start(call->max_timer, OVERDUE_MS);
}

/* The SIP server was to end it a little after we would have; if it did not, it is ended now. */
bool unheard_too_long(struct call *call)
{
	const struct calls *calls = call->calls;
	const int64_t slack_ms = call->row->sip_call_id ? 0 : CARRIER_SLACK_SECONDS * 1000, now_ms = env_now_ms(calls->opts.env);
	const int64_t due_ms = call->row->pub.answered_at_ms + calls->opts.max_seconds * 1000 + slack_ms;

	if (!call->overdue)
		return false;
	call->overdue = false;
	live_end_as(call, EV_MAX_DURATION, due_ms < now_ms ? due_ms : now_ms, true);
	return true;
}

/* A phone repeats its BYE until it is heard: when it hung up in truth, the SIP server may remember. */
bool unheard_hangup(struct call *call, const struct carrier_event *event)
{
	const int leg = event->kind == CARRIER_B_HANGUP;

	if (!call->recovered || call->row->state != CALL_UP)
		return false;
	if (event->kind == CARRIER_DOWN && call->waits_since_ms) {
		call->carrier = NULL; /* the other leg is gone, too: nothing is left but to say when it ended */
		return true;
	}
	if (event->kind != CARRIER_A_HANGUP && event->kind != CARRIER_B_HANGUP)
		return false;
	earliest(&call->left_at_ms[leg], event->at_ms);
	call->waits_since_ms = event->at_ms;
	return true;
}

void unheard_sweep(struct calls *calls)
{
	const int64_t now_ms = env_now_ms(calls->opts.env);
	struct call *call, *next;

	for (size_t b = 0; b < CALLS_BUCKETS; b++)
		for (call = calls->by_id[b]; call; call = next) {
			next = call->next;
			if (call->waits_since_ms && now_ms - call->waits_since_ms > CALL_SETTLE_MS)
				unheard_left(call);
		}
}

/* A leg of ours. While its carrier holds the call, when the phone left is kept for the comparison with the server's list. */
static void leg_ended(struct calls *calls, const struct calls_report *report)
{
	struct call *call = live_find(calls, report->session);
	const int leg = report->leg[0] == 'b';

	if (!call)
		return;
	if (!call->carrier)
		calls_report(calls, report);
	else if (report->kind == REPORT_ENDED && strcmp(report->who, "callee") == 0)
		earliest(&call->left_at_ms[leg], report->at_ms);
	else if (report->kind == REPORT_ENDED && strcmp(report->who, "timeout") == 0)
		earliest(&call->timed_out_at_ms, report->at_ms);
}

static void step(struct calls *calls, struct calls_report report, int kind, int64_t at_ms)
{
	report.kind = kind;
	report.at_ms = at_ms;
	calls_report(calls, &report);
}

static bool dialled_ended(struct calls *calls, const struct calls_ending *ending, const struct calls_report *report, int64_t asked_at_ms)
{
	const struct call *call = live_find_sip(calls, report->call_id);
	struct calls_report past = *report;
	bool known = !*report->owner || !ending->invited_at_ms;

	if (!call) {
		if (!known && on_record(calls, ending, &known) != NXV_OK)
			return false;
		if (known)
			return true;
		if (report->at_ms > asked_at_ms - CALL_SETTLE_MS)
			return false;
		past.noticed_ms = 0;
		step(calls, past, REPORT_CALL, ending->invited_at_ms);
		call = live_find_sip(calls, report->call_id);
		if (!call)
			return false;
	}
	if (report->at_ms < call->row->pub.started_at_ms || (*report->owner && strcmp(report->owner, call->row->pub.user_id) != 0))
		return true;
	if (ending->ringing_at_ms && !call->row->pub.ringing_at_ms)
		step(calls, past, REPORT_RINGING, ending->ringing_at_ms);
	if (ending->answered_at_ms && call->row->state != CALL_UP)
		step(calls, past, REPORT_ANSWERED, ending->answered_at_ms);
	calls_report(calls, &past);
	return true;
}

bool calls_ended_unheard(struct calls *calls, const struct calls_ending *ending, int64_t asked_at_ms)
{
	struct calls_report report = ending->report;

	report.noticed_ms = env_now_ms(calls->opts.env);
	if (!*report.session)
		return dialled_ended(calls, ending, &report, asked_at_ms);
	leg_ended(calls, &report);
	return true;
}
