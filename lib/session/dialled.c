/* dialled.c - sessions of calls that the SIP server has and we do not place. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/id.h"
#include "base/text.h"
#include "events/event_log.h"
#include "limits/limits.h"
#include "session/lease.h"
#include "session/outside.h"
#include "trace/trace_log.h"

nxv_status dialled_store(struct db_tx *tx, const struct calls *calls, struct session_row *row, struct nxv_error *err)
{
	struct nxv_session *s = &row->pub;
	nxv_status status = slot_note(tx, s->id, s->user_id, s->started_at_ms,
		lease_end(s->started_at_ms, calls->opts.ring_ms, calls->opts.max_seconds), err);

	if (status == NXV_OK)
		status = session_release_call_id(tx, row->sip_call_id, err);
	if (status == NXV_OK)
		status = event_append(tx, s->started_at_ms, "call.queued", s->id, s->user_id, "status=queued", &s->seq, err);
	return status == NXV_OK ? session_insert(tx, row, err) : status;
}

static nxv_status store(struct calls *calls, struct session_row *row, struct nxv_error *err)
{
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(calls->opts.db, DB_WRITE, &tx, err);

	if (status == NXV_OK)
		status = dialled_store(tx, calls, row, err);
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

struct session_row *dialled_row(struct calls *calls, const struct dialled *call)
{
	struct session_row *row = session_row_new();
	struct nxv_session *s;

	if (!row)
		return NULL;
	s = &row->pub;
	s->id = id_session(calls->opts.env);
	s->direction = text_dup(call->direction);
	s->from_number = text_dup(call->from);
	s->to_number = text_dup(call->to);
	s->user_id = text_dup(call->user_id);
	s->sip_username = text_dup(call->username);
	s->sip_domain = text_dup(calls->opts.domain);
	s->started_at_ms = call->at_ms;
	row->carrier = text_dup("dialled");
	row->sip_call_id = text_dup(call->call_id);
	if (s->id && s->direction && s->from_number && s->to_number && s->user_id && s->sip_username && s->sip_domain &&
		row->carrier && row->sip_call_id)
		return row;
	session_row_free(row);
	return NULL;
}

struct call *dialled_add(struct calls *calls, struct session_row *row)
{
	env_log(calls->opts.env, NXV_LOG_INFO, "session", "call %s: %s, from %s to %s", row->pub.id, row->pub.direction,
		row->pub.from_number, row->pub.to_number);
	calls->opts.ports.changed(calls->opts.ports.arg, row);
	return live_add(calls, row);
}

struct call *dialled_take(struct calls *calls, const struct calls_report *report)
{
	const struct dialled dialled = { .direction = "outbound-dial", .user_id = report->owner, .username = report->from_user,
		.from = report->from_user, .to = report->to_user, .call_id = report->call_id, .at_ms = report->at_ms };
	struct session_row *row;
	struct nxv_error err = NXV_ERROR_INIT;
	struct call *call = live_find_sip(calls, report->call_id);

	if (call || !*report->owner || !*report->call_id)
		return call;
	row = dialled_row(calls, &dialled);
	if (!row)
		return NULL;
	if (store(calls, row, &err) != NXV_OK) {
		env_log(calls->opts.env, NXV_LOG_ERROR, "session", "a dialled call cannot be stored: %s", err.message);
		session_row_free(row);
		return NULL;
	}
	trace_notef(calls->opts.trace, row->pub.id, NXV_TRACE_CONTROL, 'a', false, "report: %s dials %s", report->from_user,
		report->to_user);
	return dialled_add(calls, row);
}

bool dialled_telephone(const struct call *call)
{
	const struct session_row *row = call->row;
	const char *to = row->pub.to_number;

	if (!row->sip_call_id)
		return live_is_remote(call) || (row->b_targets && text_is_number(row->b_targets));
	return strcmp(row->pub.direction, "inbound") != 0 && (text_is_number(to) || !to[strspn(to, "0123456789")]);
}
