/* live.c - one step of one call: state table, then row + event + slot in one transaction, then timers and waiters.
 * A step that cannot be stored stays pending and is tried again; the call itself goes on. */
#include "session/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "events/event_log.h"
#include "limits/limits.h"
#include "session/lease.h"
#include "trace/trace_log.h"

static size_t bucket(const char *key)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 16777619u;
	return h % CALLS_BUCKETS;
}

struct call *live_find(struct calls *calls, const char *session_id)
{
	struct call *call = calls->by_id[bucket(session_id)];

	while (call && strcmp(call->row->pub.id, session_id) != 0)
		call = call->next;
	return call;
}

struct call *live_find_sip(struct calls *calls, const char *call_id)
{
	struct call *call = calls->by_sip[bucket(call_id)];

	while (call && strcmp(call->row->sip_call_id, call_id) != 0)
		call = call->next_by_sip;
	return call;
}

/* Longer than allowed: the SIP server's own timer should have come first for dialled calls, ours for the others. */
static void on_max_duration(void *arg)
{
	struct call *call = arg;

	if (!unheard_too_long(call))
		live_end(call, EV_MAX_DURATION);
}

struct call *live_add(struct calls *calls, struct session_row *row)
{
	struct call *call = calloc(1, sizeof(*call));
	size_t b;

	if (call)
		call->max_timer = loop_timer_new(calls->opts.loop, on_max_duration, call);
	if (!call || !call->max_timer) {
		free(call);
		session_row_free(row);
		return NULL;
	}
	call->calls = calls;
	call->row = row;
	if (!loop_timer_running(calls->mark))
		loop_timer_start(calls->mark, 0);
	call->changed_at_ms = env_now_ms(calls->opts.env);
	b = bucket(row->pub.id);
	call->next = calls->by_id[b];
	calls->by_id[b] = call;
	if (row->sip_call_id) {
		b = bucket(row->sip_call_id);
		call->next_by_sip = calls->by_sip[b];
		calls->by_sip[b] = call;
	}
	return call;
}

void live_remove(struct call *call)
{
	struct call **at = &call->calls->by_id[bucket(call->row->pub.id)];

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	if (call->row->sip_call_id) {
		at = &call->calls->by_sip[bucket(call->row->sip_call_id)];
		while (*at != call)
			at = &(*at)->next_by_sip;
		*at = call->next_by_sip;
	}
	loop_timer_free(call->max_timer);
	session_row_free(call->row);
	free(call->caller_contact);
	free(call);
}

void live_settle(struct call *call)
{
	if (call->row->state == CALL_ENDED && !call->carrier && !call->held && !call->pending_count && !call->unstored)
		live_remove(call);
}

/* Which phone an event is about, " contact=..."; "" for most. */
static void contact_data(const struct call *call, enum call_event event, char *out, size_t size)
{
	const char *contact = event == EV_A_ANSWERED ? call->caller_contact : event == EV_B_ANSWERED ? call->row->pub.answered_contact : NULL;

	*out = '\0';
	if (contact)
		snprintf(out, size, " contact=%.*s", (int)strcspn(contact, " \t\r\n"), contact);
}

static void event_type(const struct call *call, enum call_event event, bool ended, char *out, size_t size)
{
	snprintf(out, size, "call.%s", ended ? nxv_call_status_name(call->row->pub.status) : call_event_name(event));
}

/* Where among the messages it happened: the event itself knows only the millisecond. */
static void mark_event(const struct call *call, enum call_event event)
{
	char type[48];

	event_type(call, event, call->row->state == CALL_ENDED, type, sizeof(type));
	trace_note(call->calls->opts.trace, call->row->pub.id, NXV_TRACE_EVENT, '\0', true, type, NULL);
}

static nxv_status append_event(struct db_tx *tx, struct call *call, const struct pending_event *ev, bool last, struct nxv_error *err)
{
	const struct nxv_session *s = &call->row->pub;
	const bool ended = last && call->row->state == CALL_ENDED;
	char type[48], data[400], contact[300];

	contact_data(call, ev->event, contact, sizeof(contact));
	event_type(call, ev->event, ended, type, sizeof(type));
	if (ended)
		snprintf(data, sizeof(data), "status=%s reason=%s sipCode=%d", nxv_call_status_name(s->status),
			s->end_reason ? s->end_reason : "", s->sip_code);
	else
		snprintf(data, sizeof(data), "status=%s%s", nxv_call_status_name(s->status), contact);
	return event_append(tx, ev->at_ms, type, s->id, s->user_id, data, &call->row->pub.seq, err);
}

static nxv_status renew_lease(struct db_tx *tx, struct call *call, struct nxv_error *err)
{
	const struct calls_opts *opts = &call->calls->opts;
	const int64_t now_ms = env_now_ms(opts->env);

	return slot_note(tx, call->row->pub.id, call->row->pub.user_id, now_ms, lease_end(now_ms, opts->ring_ms, opts->max_seconds), err);
}

static nxv_status store(struct call *call, struct nxv_error *err)
{
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(call->calls->opts.db, DB_WRITE, &tx, err);

	for (size_t i = 0; status == NXV_OK && i < call->pending_count; i++)
		status = append_event(tx, call, &call->pending[i], i + 1 == call->pending_count, err);
	if (status == NXV_OK)
		status = session_update(tx, call->row, err);
	if (status == NXV_OK && call->row->state == CALL_ENDED)
		status = slot_give(tx, call->row->pub.id, err);
	else if (status == NXV_OK && call->renew_lease)
		status = renew_lease(tx, call, err);
	if (status == NXV_OK)
		status = live_state_put(tx, call, err);
	if (status == NXV_OK) {
		status = db_commit(tx, err);
		tx = NULL;
	}
	db_rollback(tx);
	return status;
}

void live_store(struct call *call)
{
	struct calls *calls = call->calls;
	struct nxv_error err = NXV_ERROR_INIT;

	if (store(call, &err) == NXV_OK) {
		call->pending_count = 0;
		call->unstored = call->renew_lease = false;
		live_state_stored(call);
		calls->opts.ports.changed(calls->opts.ports.arg, call->row);
		return;
	}
	call->unstored = true;
	env_log(calls->opts.env, NXV_LOG_ERROR, "session", "call %s cannot be stored, will try again: %s", call->row->pub.id,
		err.message);
	if (!loop_timer_running(calls->retry))
		loop_timer_start(calls->retry, CALL_RETRY_MS);
}

static void set_reason(struct session_row *row, const char *reason)
{
	free(row->pub.end_reason);
	row->pub.end_reason = text_dup(reason);
}

static void note_facts(struct session_row *row, enum call_event event, const struct call_step *step, const struct call_facts *facts)
{
	struct nxv_session *s = &row->pub;

	if ((event == EV_A_RINGING || event == EV_B_RINGING) && !s->ringing_at_ms)
		s->ringing_at_ms = facts->at_ms;
	if (event == EV_B_ANSWERED) {
		s->answered_at_ms = facts->at_ms;
		free(s->answered_contact);
		s->answered_contact = text_dup(facts->contact && *facts->contact ? facts->contact : NULL);
	}
	if (step->next == CALL_ENDED) {
		s->ended_at_ms = facts->at_ms;
		s->sip_code = facts->sip_code;
		set_reason(row, step->reason);
	}
}

/* Who carries the call ends it at the same limit; that is to come first. */
static uint64_t others_limit_ms(const struct call *call)
{
	return live_is_remote(call) ? 30000 : call->row->sip_call_id ? 2000 : 0;
}

bool live_apply(struct call *call, enum call_event event, const struct call_facts *facts)
{
	struct session_row *row = call->row;
	struct call_step step;

	if (!call_step(row->state, event, &step)) {
		env_log(call->calls->opts.env, NXV_LOG_DEBUG, "session", "call %s: %s means nothing in state %s", row->pub.id,
			call_event_name(event), call_state_name(row->state));
		return false;
	}
	note_facts(row, event, &step, facts);
	if (event == EV_A_ANSWERED && facts->contact && *facts->contact) {
		free(call->caller_contact);
		call->caller_contact = text_dup(facts->contact);
	}
	row->state = step.next;
	row->pub.status = step.status;
	call->changed_at_ms = env_now_ms(call->calls->opts.env);
	if (call->pending_count == CALL_PENDING_MAX) /* the store has been away for long: keep the newest */
		memmove(call->pending, call->pending + 1, sizeof(call->pending[0]) * --call->pending_count);
	call->pending[call->pending_count++] = (struct pending_event){ event, facts->noticed_ms ? facts->noticed_ms : facts->at_ms };
	mark_event(call, event);
	if (event == EV_B_ANSWERED)
		loop_timer_start(call->max_timer, (uint64_t)call->calls->opts.max_seconds * 1000 + others_limit_ms(call));
	if (step.next == CALL_ENDED)
		loop_timer_stop(call->max_timer);
	env_log(call->calls->opts.env, NXV_LOG_INFO, "session", "call %s: %s, %s%s%s", row->pub.id, call_event_name(event),
		nxv_call_status_name(row->pub.status), row->pub.end_reason ? ", " : "", row->pub.end_reason ? row->pub.end_reason : "");
	live_store(call);
	return true;
}

void live_note_final(struct call *call, char leg, int sip_code, const char *reason)
{
	struct nxv_session *s = &call->row->pub;
	char **phrase = leg == 'a' ? &s->caller_sip_reason : &s->callee_sip_reason;

	*(leg == 'a' ? &s->caller_sip_code : &s->callee_sip_code) = sip_code;
	free(*phrase);
	*phrase = text_dup(reason && *reason ? reason : NULL);
	if (call->row->state == CALL_ENDED)
		live_store(call);
}

void live_end(struct call *call, enum call_event event)
{
	const struct call_facts facts = { .at_ms = env_now_ms(call->calls->opts.env) };

	if (call->row->state == CALL_ENDED)
		return;
	if (live_is_remote(call) && (call->carrier || call->away))
		remote_end(call, event);
	else if (live_apply(call, event, &facts))
		live_hang_up(call);
	live_settle(call);
}

static void end_dialog(struct call *call, const char *call_id)
{
	struct calls *calls = call->calls;

	trace_notef(calls->opts.trace, call->row->pub.id, NXV_TRACE_CONTROL, '\0', true, "end the dialog %s", call_id);
	calls->opts.ports.end_dialog(calls->opts.ports.arg, call_id);
}

void live_end_as(struct call *call, enum call_event event, int64_t at_ms, bool hang_up)
{
	const int64_t now_ms = env_now_ms(call->calls->opts.env);
	const struct call_facts facts = { .at_ms = at_ms ? at_ms : now_ms, .noticed_ms = now_ms };

	if (live_apply(call, event, &facts) && hang_up)
		live_hang_up(call);
	live_settle(call);
}

void live_hang_up(struct call *call)
{
	char call_id[160];

	if (call->carrier) {
		call->held++;
		call->carrier->ops->end(call->carrier, call->row->pub.id, NULL);
		call->held--;
		return;
	}
	if (call->row->sip_call_id) {
		end_dialog(call, call->row->sip_call_id);
		return;
	}
	for (const char *leg = "ab"; *leg; leg++) {
		snprintf(call_id, sizeof(call_id), "%s-%c", call->row->pub.id, *leg);
		end_dialog(call, call_id);
	}
}

/* Every call whose last step is not in the store yet. */
static void on_retry(void *arg)
{
	struct calls *calls = arg;
	struct call *call, *next;

	for (size_t b = 0; b < CALLS_BUCKETS; b++)
		for (call = calls->by_id[b]; call; call = next) {
			next = call->next;
			if (call->unstored) {
				live_store(call);
				live_settle(call);
			}
		}
}

static nxv_status renew_leases(struct calls *calls, struct nxv_error *err)
{
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(calls->opts.db, DB_WRITE, &tx, err);

	for (size_t b = 0; b < CALLS_BUCKETS; b++)
		for (struct call *call = calls->by_id[b]; status == NXV_OK && call; call = call->next)
			if (call->row->state != CALL_ENDED)
				status = renew_lease(tx, call, err);
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

/* Leases end by the clock: set forward, it would end those of calls that are up. */
static void watch_clock(struct calls *calls, int64_t now_ms)
{
	const int64_t ahead_ms = now_ms - loop_now_ms();
	struct nxv_error err = NXV_ERROR_INIT;

	if (calls->clock_ahead_ms && ahead_ms - calls->clock_ahead_ms > CLOCK_JUMP_MS && renew_leases(calls, &err) != NXV_OK)
		env_log(calls->opts.env, NXV_LOG_ERROR, "session", "the clock was set forward, and calls may lose their slots: %s", err.message);
	else
		calls->clock_ahead_ms = ahead_ms;
}

static void on_mark(void *arg)
{
	struct calls *calls = arg;
	const int64_t now_ms = env_now_ms(calls->opts.env);

	alive_mark(calls->alive, now_ms);
	watch_clock(calls, now_ms);
	if (calls_count(calls))
		loop_timer_start(calls->mark, ALIVE_MS);
}

nxv_status calls_open(const struct calls_opts *opts, struct calls **out, struct nxv_error *err)
{
	struct calls *calls = calloc(1, sizeof(*calls));
	nxv_status status;

	*out = NULL;
	if (calls)
		*calls = (struct calls){ .opts = *opts, .retry = loop_timer_new(opts->loop, on_retry, calls),
			.flush = loop_timer_new(opts->loop, live_state_flush, calls), .mark = loop_timer_new(opts->loop, on_mark, calls),
			.away = loop_timer_new(opts->loop, remote_look, calls) };
	if (!calls || !calls->retry || !calls->flush || !calls->mark || !calls->away)
		status = error_nomem(err);
	else
		status = alive_open(opts->alive_path, &calls->alive, err);
	if (status == NXV_OK)
		unheard_begin(calls);
	if (status != NXV_OK)
		calls_close(calls);
	else
		*out = calls;
	return status;
}

void calls_close(struct calls *calls)
{
	if (!calls)
		return;
	for (size_t b = 0; b < CALLS_BUCKETS; b++)
		while (calls->by_id[b])
			live_remove(calls->by_id[b]);
	loop_timer_free(calls->retry);
	loop_timer_free(calls->flush);
	loop_timer_free(calls->mark);
	loop_timer_free(calls->away);
	alive_close(calls->alive);
	free(calls);
}

size_t calls_count(const struct calls *calls)
{
	size_t n = 0;

	for (size_t b = 0; b < CALLS_BUCKETS; b++)
		for (const struct call *call = calls->by_id[b]; call; call = call->next)
			n += call->row->state != CALL_ENDED;
	return n;
}
