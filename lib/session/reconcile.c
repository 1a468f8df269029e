/* reconcile.c - after a restart of the gateway or of the SIP server: what the server still lists is kept, what vanished is
 * closed with its reason, what was dialled meanwhile is taken up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "events/event_log.h"
#include "limits/limits.h"
#include "session/lease.h"
#include "session/live.h"

enum { RECOVER_BATCH = 64 };

/* A call that was not up when the gateway died is given up: its legs are ended. One that was up goes on between the phones,
 * and its carrier takes it up again; where it cannot, the SIP server tells when it ends. */
static void take_up(struct calls *calls, struct session_row *row)
{
	struct call *call = live_add(calls, row);
	int64_t left;

	if (!call)
		return;
	call->changed_at_ms = 0;
	if (live_is_remote(call)) {
		remote_restore(call);
		return;
	}
	call->recovered = true;
	if (call->row->state != CALL_UP) {
		if (!call->row->sip_call_id)
			live_end_as(call, EV_GATEWAY_RESTARTED, 0, true);
		return;
	}
	if (!call->row->sip_call_id)
		live_state_restore(call);
	live_apply(call, EV_RECOVERED, &(struct call_facts){ .at_ms = env_now_ms(calls->opts.env) });
	call->changed_at_ms = 0; /* that is no news from the wire: the SIP server's list may judge it at once */
	left = call->row->pub.answered_at_ms + calls->opts.max_seconds * 1000 - env_now_ms(calls->opts.env);
	if (left > 0)
		loop_timer_start(call->max_timer, (uint64_t)left);
	else
		unheard_overdue(call);
}

static nxv_status load_batch(struct calls *calls, const char *after, struct session_row **rows, size_t *count, struct nxv_error *err)
{
	char *ids[RECOVER_BATCH];
	struct db_tx *tx;
	size_t n = 0;
	nxv_status status = db_begin(calls->opts.db, DB_READ, &tx, err);

	*count = 0;
	if (status != NXV_OK)
		return status;
	status = session_live_ids(tx, after, ids, RECOVER_BATCH, &n, err);
	for (size_t i = 0; status == NXV_OK && i < n; i++) {
		status = session_load(tx, ids[i], env_now_ms(calls->opts.env), &rows[*count], err);
		*count += status == NXV_OK;
	}
	for (size_t i = 0; i < n; i++)
		free(ids[i]);
	db_rollback(tx);
	return status;
}

/* Every live call holds one slot, and nothing else does. */
static nxv_status recount(struct calls *calls, struct session_row *const *rows, size_t count, struct nxv_error *err)
{
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(calls->opts.db, DB_WRITE, &tx, err);

	if (status == NXV_OK)
		status = session_sweep(tx, err);
	for (size_t i = 0; status == NXV_OK && i < count; i++) {
		const struct nxv_session *s = &rows[i]->pub;

		status = slot_note(tx, s->id, s->user_id, s->started_at_ms,
			lease_end(s->started_at_ms, calls->opts.ring_ms, calls->opts.max_seconds), err);
	}
	if (status == NXV_OK) {
		status = db_commit(tx, err);
		tx = NULL;
	}
	db_rollback(tx);
	return status;
}

/* Whoever follows the events learns that some may be missing before this one. */
static nxv_status mark_gap(struct calls *calls, size_t found, struct nxv_error *err)
{
	struct db_tx *tx;
	char data[64];
	nxv_status status = db_begin(calls->opts.db, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	snprintf(data, sizeof(data), "calls=%zu kept=%zu", found, calls_count(calls));
	status = event_append(tx, env_now_ms(calls->opts.env), "gateway.recovered", "gateway", NULL, data, NULL, err);
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

nxv_status calls_recover(struct calls *calls, struct nxv_error *err)
{
	struct session_row *rows[RECOVER_BATCH];
	char after[80] = "";
	size_t count, i, found = 0;
	nxv_status status;

	do {
		status = load_batch(calls, after, rows, &count, err);
		if (count)
			snprintf(after, sizeof(after), "%s", rows[count - 1]->pub.id);
		if (status == NXV_OK)
			status = recount(calls, rows, count, err);
		for (i = 0; i < count; i++)
			take_up(calls, rows[i]);
		found += count;
	} while (status == NXV_OK && count == RECOVER_BATCH);
	return status == NXV_OK && found ? mark_gap(calls, found, err) : status;
}

static void end_forgotten(struct calls *calls, const char *id)
{
	struct session_row *row = NULL;
	struct call *call;
	struct db_tx *tx;

	if (live_find(calls, id) || db_begin(calls->opts.db, DB_READ, &tx, NULL) != NXV_OK)
		return;
	if (session_load(tx, id, env_now_ms(calls->opts.env), &row, NULL) != NXV_OK)
		row = NULL;
	db_rollback(tx);
	call = row ? live_add(calls, row) : NULL;
	if (!call)
		return;
	env_log(calls->opts.env, NXV_LOG_WARN, "session", "call %s was stored but never handed over: it is ended", id);
	live_end_as(call, EV_GATEWAY_RESTARTED, 0, false);
}

void calls_sweep(struct calls *calls)
{
	char *ids[RECOVER_BATCH], after[80] = "";
	size_t count;

	unheard_sweep(calls);
	do {
		struct db_tx *tx;

		if (db_begin(calls->opts.db, DB_READ, &tx, NULL) != NXV_OK)
			return;
		session_queued_ids(tx, after, env_now_ms(calls->opts.env) - CALL_FORGOTTEN_MS, ids, RECOVER_BATCH, &count, NULL);
		db_rollback(tx);
		for (size_t i = 0; i < count; i++) {
			end_forgotten(calls, ids[i]);
			snprintf(after, sizeof(after), "%s", ids[i]);
			free(ids[i]);
		}
	} while (count == RECOVER_BATCH);
}

/* Which legs of a call are in the list; a dialled call has one dialog, counted as both. */
static void find_legs(const struct call *call, const struct calls_dialog *dialogs, size_t count, bool *a, bool *b)
{
	*a = *b = false;
	for (size_t i = 0; i < count; i++) {
		if (call->row->sip_call_id) {
			*a = *b = *a || strcmp(dialogs[i].call_id, call->row->sip_call_id) == 0;
		} else if (strcmp(dialogs[i].session, call->row->pub.id) == 0) {
			*a = *a || dialogs[i].leg[0] == 'a';
			*b = *b || dialogs[i].leg[0] == 'b';
		}
	}
}

void calls_server_lost(struct calls *calls, int64_t at_ms)
{
	if (!calls->server_lost_at_ms)
		calls->server_lost_at_ms = at_ms;
}

void calls_server_found(struct calls *calls, bool found)
{
	calls->server_found = found;
}

/* When the SIP server lost a call that it does not list: as it went away; with the machine, if we went away too; else now. */
static int64_t lost_at(const struct call *call)
{
	const struct calls *calls = call->calls;
	const struct nxv_session *s = &call->row->pub;
	const int64_t known_ms = s->answered_at_ms ? s->answered_at_ms : s->ringing_at_ms ? s->ringing_at_ms : s->started_at_ms;
	const int64_t at_ms = call->recovered ? alive_last(calls->alive) : calls->server_lost_at_ms;

	return at_ms > known_ms && at_ms > call->changed_at_ms ? at_ms : 0;
}

/* A call that has just moved may not be in the list yet, or no longer: its own events tell. One that was taken up after a
 * restart gets none for what it missed. @return false: look again later. */
static bool compare(struct call *call, const struct calls_dialog *dialogs, size_t count, int64_t listed_at_ms)
{
	bool a, b;

	/* What waits for us to place it is in no list; what a phone dialled is, until it ends. */
	if (call->row->state == CALL_ENDED || live_is_remote(call) || (call->row->state == CALL_QUEUED && !call->row->sip_call_id))
		return true;
	if (call->recovered && unheard_left(call))
		return true;
	find_legs(call, dialogs, count, &a, &b);
	if ((a || b) && unheard_too_long(call))
		return true;
	if (a && b)
		call->recovered = false;
	if (a || b)
		call->missing = false;
	/* What a carrier has held all along, it knows better. */
	if ((a && b) || ((a || b) && ((call->carrier && !call->recovered) || call->row->state != CALL_UP)))
		return true;
	if (call->changed_at_ms > listed_at_ms - CALL_SETTLE_MS)
		return false;
	/* With no reason to have lost it, a server that is busy may have left it out of one list. */
	if (!a && !b && !call->recovered && !call->calls->server_lost_at_ms && !call->missing) {
		call->missing = true;
		return false;
	}
	if (unheard_left(call) || (call->calls->server_found && unheard_too_long(call)))
		return true;
	/* A leg of which only the other one is left was hung up by its phone while nobody listened. */
	if (a || b)
		live_end_as(call, a ? EV_B_HANGUP : EV_A_HANGUP, 0, true);
	else /* what a server had all along and has no more was hung up while nobody listened */
		live_end_as(call, call->recovered && call->calls->server_found ? EV_GATEWAY_RESTARTED : EV_SERVER_LOST, lost_at(call), true);
	return true;
}

/* We ended it, and not because the SIP server or a phone had. */
static bool ended_by_us(const struct session_row *row)
{
	const char *reason = row->pub.end_reason ? row->pub.end_reason : "";

	return strcmp(reason, "ended_by_api") == 0 || strcmp(reason, "max_duration") == 0;
}

/* What is left of a call that ended while the SIP server could not be told: a leg of ours, or a call that a phone dialled. It
 * may also be one that ended since it was listed. @return true: the call has ended, there is nothing to take up. */
static bool end_leftover(struct calls *calls, const struct calls_dialog *dialog)
{
	const bool ours = *dialog->session;
	struct session_row *row = NULL;
	struct db_tx *tx;
	bool ended;

	if ((ours ? live_find(calls, dialog->session) : live_find_sip(calls, dialog->call_id)) ||
		db_begin(calls->opts.db, DB_READ, &tx, NULL) != NXV_OK)
		return false;
	if ((ours ? session_load : session_load_dialled)(tx, ours ? dialog->session : dialog->call_id, 0, &row, NULL) != NXV_OK)
		row = NULL;
	db_rollback(tx);
	ended = row && row->state == CALL_ENDED;
	if (ended && (ours || ended_by_us(row)))
		calls->opts.ports.end_dialog(calls->opts.ports.arg, dialog->call_id);
	session_row_free(row);
	return ended;
}

void calls_server_gone(struct calls *calls, int64_t at_ms)
{
	struct call *call, *next;

	calls_server_lost(calls, at_ms);
	for (size_t b = 0; b < CALLS_BUCKETS; b++)
		for (call = calls->by_id[b]; call; call = next) {
			next = call->next;
			if (call->row->state != CALL_ENDED && !live_is_remote(call) && (call->row->state != CALL_QUEUED || call->row->sip_call_id))
				live_end_as(call, EV_SERVER_LOST, lost_at(call), true);
		}
	calls->server_lost_at_ms = 0;
}

static void take_up_dialled(struct calls *calls, const struct calls_dialog *dialog)
{
	struct calls_report report = { .kind = REPORT_CALL, .call_id = dialog->call_id, .session = "", .leg = "",
		.owner = dialog->owner, .from_user = dialog->from_user, .to_user = dialog->to_user, .who = "", .contact = "",
		.reason = "", .at_ms = dialog->invited_at_ms };

	if (!report.at_ms)
		report.at_ms = dialog->started_at_ms ? dialog->started_at_ms : env_now_ms(calls->opts.env);
	calls_report(calls, &report);
	if (dialog->ringing_at_ms) {
		report.kind = REPORT_RINGING;
		report.at_ms = dialog->ringing_at_ms;
		calls_report(calls, &report);
	}
	if (dialog->confirmed) {
		report.kind = REPORT_ANSWERED;
		report.at_ms = dialog->started_at_ms ? dialog->started_at_ms : report.at_ms;
		calls_report(calls, &report);
	}
}

bool calls_need_list(const struct calls *calls)
{
	for (size_t b = 0; b < CALLS_BUCKETS; b++)
		for (const struct call *call = calls->by_id[b]; call; call = call->next)
			if (call->row->state != CALL_ENDED && !call->carrier && (call->row->sip_call_id || call->row->state == CALL_UP))
				return true;
	return false;
}

bool calls_reconcile(struct calls *calls, const struct calls_dialog *dialogs, size_t count, int64_t listed_at_ms)
{
	struct call *call, *next;
	bool done = true;

	if (calls->server_lost_at_ms > listed_at_ms)
		return false; /* the server has gone since: the next one's list counts */
	for (size_t i = 0; i < count; i++) {
		if (!end_leftover(calls, &dialogs[i]) && !*dialogs[i].session && *dialogs[i].owner)
			take_up_dialled(calls, &dialogs[i]);
	}
	for (size_t b = 0; b < CALLS_BUCKETS; b++)
		for (call = calls->by_id[b]; call; call = next) {
			next = call->next;
			done = compare(call, dialogs, count, listed_at_ms) && done;
		}
	if (done)
		calls->server_lost_at_ms = 0;
	return done;
}
