/* calls.c - what happens to live calls: orders from the API, events from carriers, reports from the SIP server. */
#include "session/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "policy/policy.h"
#include "session/live.h"
#include "session/outside.h"
#include "trace/trace_log.h"

/* A question to the SIP server that is under way; the call may be gone when the answer comes. */
struct lookup {
	struct calls *calls;
	char id[80];
	bool callee;     /* asks for the callee; the caller was found */
	unsigned caller; /* what the caller's phones do */
};

static void apply_now(struct call *call, enum call_event event)
{
	const struct call_facts facts = { .at_ms = env_now_ms(call->calls->opts.env) };

	live_apply(call, event, &facts);
}

static size_t split_targets(char *text, const char **targets)
{
	size_t n = 0;
	char *save = NULL;

	for (char *t = strtok_r(text, " ", &save); t && n < CARRIER_TARGETS_MAX; t = strtok_r(NULL, " ", &save))
		targets[n++] = t;
	return n;
}

static nxv_status place(struct call *call, struct carrier *carrier, const struct carrier_call *order, struct nxv_error *err)
{
	nxv_status status;

	call->held++;
	call->carrier = carrier;
	status = carrier->ops->place(carrier, order, err);
	call->held--;
	if (status != NXV_OK)
		call->carrier = NULL;
	return status;
}

/* phone: the SIP username found registered. */
static void hand_to_carrier(struct call *call, unsigned media, const char *phone)
{
	struct calls *calls = call->calls;
	const struct nxv_session *s = &call->row->pub;
	struct carrier *carrier = calls->opts.ports.carrier(calls->opts.ports.arg, call->row->carrier);
	struct carrier_call order = { .session_id = s->id, .user_id = s->user_id, .from_number = s->from_number,
		.to_number = s->to_number, .request_id = s->request_id, .ring_timeout_ms = calls->opts.ring_ms,
		.max_seconds = calls->opts.max_seconds, .call_limit = calls->opts.call_limit,
		.media = media, .auto_answer = call->row->auto_answer, .callee_first = call->row->callee_first };
	char *a = text_dup(call->row->a_targets), *b = text_dup(call->row->b_targets);
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status;

	if (!a || !b) {
		status = error_nomem(&err);
	} else if (!carrier) {
		status = error_code(&err, NXV_E_UNREACHABLE, live_is_remote(call) ? "twilio_not_configured" : "sip_server_lost",
			"the engine has no carrier for it; see its log");
	} else {
		order.a_count = split_targets(a, order.a_targets);
		order.b_count = split_targets(b, order.b_targets);
		if (carrier->ops->remote && phone) { /* it can ring one address only */
			order.a_targets[0] = phone;
			order.a_count = 1;
		}
		status = place(call, carrier, &order, &err);
	}
	if (status != NXV_OK)
		env_log(calls->opts.env, NXV_LOG_ERROR, "session", "call %s cannot be placed: %s", s->id, err.message);
	if (status != NXV_OK && live_is_remote(call))
		remote_note_error(call, &err);
	if (status != NXV_OK)
		apply_now(call, live_is_remote(call) ? EV_REFUSED : EV_SERVER_LOST);
	else if (!live_is_remote(call))
		apply_now(call, EV_PLACED);
	free(a);
	free(b);
}

static void on_registered(void *arg, nxv_status status, unsigned media, const char *username);

/* caller: what the caller's phones do; 0: they are asked first. */
static void ask_registered(struct call *call, unsigned caller)
{
	struct calls *calls = call->calls;
	struct lookup *lookup = calloc(1, sizeof(*lookup));

	if (!lookup) {
		apply_now(call, EV_SERVER_LOST);
		return;
	}
	lookup->calls = calls;
	lookup->callee = caller != 0;
	lookup->caller = caller;
	text_copy(lookup->id, sizeof(lookup->id), call->row->pub.id);
	trace_notef(calls->opts.trace, lookup->id, NXV_TRACE_CONTROL, caller ? 'b' : 'a', true, "which phones are registered for %s?",
		caller ? call->row->b_targets : call->row->a_targets);
	calls->opts.ports.registered(calls->opts.ports.arg, caller ? call->row->b_targets : call->row->a_targets,
		on_registered, lookup);
}

static const char *media_words(unsigned media)
{
	static const char *const words[] = { "none", "plain phones", "browsers", "plain phones and browsers" };

	return words[(media & CARRIER_MEDIA_PLAIN ? 1 : 0) + (media & CARRIER_MEDIA_WEB ? 2 : 0)];
}

static void on_registered(void *arg, nxv_status status, unsigned media, const char *username)
{
	struct lookup *lookup = arg;
	struct call *call = live_find(lookup->calls, lookup->id);
	const char leg = lookup->callee ? 'b' : 'a';

	if (status == NXV_OK)
		trace_notef(lookup->calls->opts.trace, lookup->id, NXV_TRACE_CONTROL, leg, false, "%s",
			media_words(media));
	else
		trace_notef(lookup->calls->opts.trace, lookup->id, NXV_TRACE_CONTROL, leg, false, "no answer: %s",
			nxv_status_name(status));
	if (call && call->row->state == CALL_QUEUED) {
		call->held++;
		if (status != NXV_OK)
			apply_now(call, EV_SERVER_LOST);
		else if (!media)
			apply_now(call, lookup->callee ? EV_B_NOT_REGISTERED : EV_A_NOT_REGISTERED);
		else if (live_is_remote(call))
			hand_to_carrier(call, media, username);
		else if (!lookup->callee && !text_is_number(call->row->b_targets))
			ask_registered(call, media);
		else if (!lookup->callee && !(media & CARRIER_MEDIA_PLAIN)) /* a trunk is a plain phone */
			apply_now(call, EV_MEDIA_REFUSED);
		else if (!lookup->callee)
			hand_to_carrier(call, CARRIER_MEDIA_PLAIN, NULL);
		else if (!(media & lookup->caller)) /* nobody translates between a browser and a plain phone */
			apply_now(call, EV_MEDIA_REFUSED);
		else
			hand_to_carrier(call, media & lookup->caller, username);
		call->held--;
		live_settle(call);
	}
	free(lookup);
}

nxv_status calls_place(struct calls *calls, const char *id, struct nxv_error *err)
{
	struct session_row *row = NULL;
	struct db_tx *tx;
	struct call *call;
	nxv_status status;

	if (live_find(calls, id))
		return NXV_OK;
	status = db_begin(calls->opts.db, DB_READ, &tx, err);
	if (status != NXV_OK)
		return status;
	status = session_load(tx, id, env_now_ms(calls->opts.env), &row, err);
	db_rollback(tx);
	if (status != NXV_OK)
		return status;
	if (row->state != CALL_QUEUED) {
		session_row_free(row);
		return NXV_OK;
	}
	call = live_add(calls, row);
	if (!call)
		return error_nomem(err);
	call->held++;
	ask_registered(call, 0);
	call->held--;
	live_settle(call);
	return NXV_OK;
}

static nxv_status exists(struct calls *calls, const char *id, struct nxv_error *err)
{
	struct session_row *row = NULL;
	struct db_tx *tx;
	nxv_status status = db_begin(calls->opts.db, DB_READ, &tx, err);

	if (status != NXV_OK)
		return status;
	status = session_load(tx, id, 0, &row, err);
	db_rollback(tx);
	session_row_free(row);
	return status;
}

nxv_status calls_end(struct calls *calls, const char *id, struct nxv_error *err)
{
	struct call *call = live_find(calls, id);
	nxv_status status = NXV_OK;

	if (!call) {
		status = exists(calls, id, err);
		if (status == NXV_OK)
			status = calls_place(calls, id, err); /* stored by another process, not taken up yet */
		call = status == NXV_OK ? live_find(calls, id) : NULL;
	}
	if (call)
		live_end(call, EV_END);
	return status;
}

void calls_stop_all(struct calls *calls)
{
	struct call *call, *next;

	for (size_t b = 0; b < CALLS_BUCKETS; b++)
		for (call = calls->by_id[b]; call; call = next) {
			next = call->next;
			live_end(call, EV_GATEWAY_STOPPED);
		}
}

/* A trunk that knows no such number is not a phone that is not registered. */
static enum call_event classify_callee(const struct call *call, int sip_code, const char *reason)
{
	const enum call_event event = call_classify('b', sip_code, reason);

	return event == EV_B_NOT_REGISTERED && dialled_telephone(call) ? EV_B_UNREACHABLE : event;
}

static enum call_event from_carrier(const struct call *call, const struct carrier_event *ev)
{
	switch (ev->kind) {
	case CARRIER_A_RINGING:
		return EV_A_RINGING;
	case CARRIER_A_ANSWERED:
		return EV_A_ANSWERED;
	case CARRIER_A_FAILED:
		return call_classify('a', ev->sip_code, ev->sip_reason);
	case CARRIER_A_NO_ANSWER:
		return EV_A_NO_ANSWER;
	case CARRIER_B_RINGING:
		return EV_B_RINGING;
	case CARRIER_B_ANSWERED:
		return EV_B_ANSWERED;
	case CARRIER_B_FAILED:
		return classify_callee(call, ev->sip_code, ev->sip_reason);
	case CARRIER_B_NO_ANSWER:
		return EV_B_NO_ANSWER;
	case CARRIER_JOINED:
		return EV_JOINED;
	case CARRIER_A_HANGUP:
		return EV_A_HANGUP;
	case CARRIER_B_HANGUP:
		return EV_B_HANGUP;
	case CARRIER_MEDIA_REFUSED:
		return EV_MEDIA_REFUSED;
	case CARRIER_A_LOST:
	case CARRIER_B_LOST: /* a server that was away since the call began refuses a dialog of which it has lost sight */
		if (call->calls->server_lost_at_ms > call->row->pub.started_at_ms)
			return EV_SERVER_LOST;
		return ev->kind == CARRIER_A_LOST ? EV_A_LOST : EV_B_LOST;
	case CARRIER_HANGUP:
		return EV_HANGUP;
	case CARRIER_CANCELED:
		return EV_CANCELED;
	case CARRIER_LIMIT:
		return EV_MAX_DURATION;
	case CARRIER_LOST:
		return EV_SERVER_LOST;
	case CARRIER_A_FINAL:
	case CARRIER_B_FINAL:
		return EV_REFUSED;
	case CARRIER_REFUSED: /* by Twilio, or by our own rules while it waited in line */
		return ev->error && strcmp(ev->error->code, "calls_frozen") == 0 ? EV_NOT_ALLOWED : EV_REFUSED;
	case CARRIER_UNREACHABLE:
		return EV_UNREACHABLE;
	case CARRIER_UNKNOWN:
		return EV_UNKNOWN;
	case CARRIER_TAKEN:
	case CARRIER_NOTICE:
	case CARRIER_CHANGED:
	case CARRIER_PROMISED:
	case CARRIER_DOWN:
		break;
	}
	return EV_CARRIER_DOWN;
}

/* The user's phone has answered, and a telephone number would be called next: calls may have been stopped while it rang. */
static bool stopped_meanwhile(struct call *call, const struct carrier_event *event)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct db_tx *tx = NULL;

	if (event->kind != CARRIER_A_ANSWERED || live_is_remote(call) || !dialled_telephone(call) ||
		db_begin(call->calls->opts.db, DB_READ, &tx, NULL) != NXV_OK)
		return false;
	policy_check_frozen(tx, &err);
	db_rollback(tx);
	if (strcmp(err.code, "calls_frozen") != 0)
		return false;
	remote_note_error(call, &err);
	return true;
}

void calls_carrier_event(void *sink, const char *session_id, const struct carrier_event *event)
{
	struct calls *calls = sink;
	struct call *call = live_find(calls, session_id);
	const struct call_facts facts = { .at_ms = event->at_ms, .sip_code = event->sip_code, .contact = event->contact };
	enum call_event what;

	if (!call)
		return;
	if (event->kind == CARRIER_CHANGED || event->kind == CARRIER_PROMISED) {
		live_state_changed(call, event->kind == CARRIER_PROMISED);
		return;
	}
	if (event->kind == CARRIER_A_FINAL || event->kind == CARRIER_B_FINAL) {
		live_note_final(call, event->kind == CARRIER_A_FINAL ? 'a' : 'b', event->sip_code, event->sip_reason);
		return;
	}
	if (remote_event(call, event))
		return;
	if (unheard_hangup(call, event))
		return;
	what = event->kind == CARRIER_DOWN && call->wish != EV_PLACED ? call->wish : from_carrier(call, event);
	live_apply(call, what, &facts);
	if (event->kind == CARRIER_DOWN)
		call->carrier = NULL;
	if (stopped_meanwhile(call, event))
		live_end(call, EV_NOT_ALLOWED);
	else
		live_settle(call);
}

static enum call_event report_ended(const struct calls_report *report, const struct call *call)
{
	const bool ours = !call->row->sip_call_id; /* a leg of ours: "callee" is the phone, whichever leg it is */

	if (strcmp(report->who, "timeout") == 0)
		return EV_MAX_DURATION;
	if (strcmp(report->who, "caller") == 0)
		return ours ? EV_END : EV_A_HANGUP;
	if (strcmp(report->who, "callee") == 0)
		return ours && report->leg[0] == 'a' ? EV_A_HANGUP : EV_B_HANGUP;
	return EV_END;
}

static enum call_event report_failed(const struct calls_report *report, const struct call *call)
{
	if (report->code == 487)
		return EV_A_HANGUP;
	if (strstr(report->reason, OUTSIDE_REFUSED))
		return EV_NOT_ALLOWED;
	if (report->code == 403 && strstr(report->reason, "limit reached"))
		return EV_CALL_LIMIT;
	return classify_callee(call, report->code, report->reason);
}

/* One INVITE rang both. */
static void note_dialled(struct call *call, const struct calls_report *report)
{
	const bool answered = report->kind == REPORT_ANSWERED;

	if (!call->row->sip_call_id || call->row->state == CALL_ENDED || (!answered && report->kind != REPORT_FAILED))
		return;
	for (const char *leg = "ab"; *leg; leg++)
		live_note_final(call, *leg, answered ? 200 : report->code, answered ? "OK" : report->reason);
}

/* In a leg of ours the SIP server's caller is the gateway, and its callee that leg's phone. */
static const char *who_word(const struct call *call, const char *who)
{
	if (call->row->sip_call_id)
		return who;
	return strcmp(who, "caller") == 0 ? "the gateway" : strcmp(who, "callee") == 0 ? "the phone" : who;
}

static void trace_report(const struct call *call, const struct calls_report *report)
{
	static const char *const words[] = { [REPORT_CALL] = "call", [REPORT_RINGING] = "ringing", [REPORT_ANSWERED] = "answered",
		[REPORT_FAILED] = "failed", [REPORT_ENDED] = "ended" };
	const char leg = report->leg[0] == 'a' || report->leg[0] == 'b' ? report->leg[0] : '\0';

	if (report->code)
		trace_notef(call->calls->opts.trace, call->row->pub.id, NXV_TRACE_CONTROL, leg, false, "report: %s, %d%s%s",
			words[report->kind], report->code, *report->reason ? " " : "", report->reason);
	else
		trace_notef(call->calls->opts.trace, call->row->pub.id, NXV_TRACE_CONTROL, leg, false, "report: %s%s%s",
			words[report->kind], *report->who ? " by " : "", who_word(call, report->who));
}

void calls_report(struct calls *calls, const struct calls_report *report)
{
	const struct call_facts facts = { .at_ms = report->at_ms, .noticed_ms = report->noticed_ms, .sip_code = report->code,
		.contact = report->contact };
	struct call *call;
	bool applied = false;

	if (report->kind == REPORT_CALL) {
		if (!*report->session)
			dialled_take(calls, report);
		return;
	}
	call = *report->session ? live_find(calls, report->session) : live_find_sip(calls, report->call_id);
	if (call)
		trace_report(call, report);
	if (!call || call->carrier)
		return; /* nobody's, or the originator knows better */
	note_dialled(call, report);
	if (report->kind == REPORT_RINGING && call->row->sip_call_id)
		applied = live_apply(call, EV_B_RINGING, &facts);
	else if (report->kind == REPORT_ANSWERED && call->row->sip_call_id)
		applied = live_apply(call, EV_B_ANSWERED, &facts);
	else if (report->kind == REPORT_FAILED && call->row->sip_call_id)
		applied = live_apply(call, report_failed(report, call), &facts);
	else if (report->kind == REPORT_ENDED)
		applied = live_apply(call, report_ended(report, call), &(struct call_facts){ .at_ms = report->at_ms, .noticed_ms = report->noticed_ms });
	if (applied && call->row->state == CALL_ENDED && !call->row->sip_call_id)
		live_hang_up(call); /* the other leg is still up */
	live_settle(call);
}
