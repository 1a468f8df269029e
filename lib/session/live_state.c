/* live_state.c - what a carrier needs to go on with a call after a crash: asked of it when it says that it has changed,
 * and stored with the step it belongs to, else with that of every other call a moment later. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "session/live.h"

enum { FLUSH_MS = 100 };

static uint64_t digest(const char *text)
{
	uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return h;
}

nxv_status live_state_put(struct db_tx *tx, struct call *call, struct nxv_error *err)
{
	const char *id = call->row->pub.id;
	char *text = NULL;
	nxv_status status = NXV_OK;

	if (call->row->state == CALL_ENDED)
		return session_state_drop(tx, id, err);
	if (!call->carrier || !call->carrier->ops->save || call->row->state != CALL_UP)
		return NXV_OK;
	text = call->carrier->ops->save(call->carrier, id);
	call->saving = text ? digest(text) : 0;
	if (text && call->saving != call->saved)
		status = session_state_put(tx, id, text, env_now_ms(call->calls->opts.env), err);
	free(text);
	return status;
}

void live_state_stored(struct call *call)
{
	call->saved = call->saving;
	call->unsaved = false;
}

/* Those that changed, or only one of them, in one transaction. */
static void flush(struct calls *calls, struct call *only)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct db_tx *tx = NULL;
	struct call *call;
	nxv_status status = db_begin(calls->opts.db, DB_WRITE, &tx, &err);

	for (size_t b = 0; status == NXV_OK && !only && b < CALLS_BUCKETS; b++)
		for (call = calls->by_id[b]; status == NXV_OK && call; call = call->next)
			if (call->unsaved)
				status = live_state_put(tx, call, &err);
	if (status == NXV_OK && only)
		status = live_state_put(tx, only, &err);
	if (status == NXV_OK) {
		status = db_commit(tx, &err);
		tx = NULL;
	}
	db_rollback(tx);
	if (status != NXV_OK) {
		env_log(calls->opts.env, NXV_LOG_ERROR, "session", "calls would not survive a crash now, will try again: %s",
			err.message);
		loop_timer_start(calls->flush, CALL_RETRY_MS);
		return;
	}
	for (size_t b = 0; !only && b < CALLS_BUCKETS; b++)
		for (call = calls->by_id[b]; call; call = call->next)
			if (call->unsaved)
				live_state_stored(call);
	if (only)
		live_state_stored(only);
}

void live_state_flush(void *arg)
{
	struct calls *calls = arg;
	bool any = false;

	for (size_t b = 0; !any && b < CALLS_BUCKETS; b++)
		for (const struct call *call = calls->by_id[b]; call; call = call->next)
			any = any || call->unsaved;
	if (any)
		flush(calls, NULL);
}

void calls_flush(struct calls *calls)
{
	if (calls)
		live_state_flush(calls);
}

void live_state_changed(struct call *call, bool at_once)
{
	struct calls *calls = call->calls;

	if (call->row->state != CALL_UP)
		return;
	call->unsaved = true;
	if (at_once)
		flush(calls, call);
	else if (!loop_timer_running(calls->flush))
		loop_timer_start(calls->flush, FLUSH_MS);
}

static nxv_status load(struct calls *calls, const char *id, char **text, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(calls->opts.db, DB_READ, &tx, err);

	*text = NULL;
	if (status != NXV_OK)
		return status;
	status = session_state_load(tx, id, text, err);
	db_rollback(tx);
	return status;
}

void live_state_restore(struct call *call)
{
	struct calls *calls = call->calls;
	const char *id = call->row->pub.id;
	struct carrier *carrier = calls->opts.ports.carrier(calls->opts.ports.arg, call->row->carrier);
	struct nxv_error err = NXV_ERROR_INIT;
	char *text = NULL;
	nxv_status status;

	if (!carrier || !carrier->ops->restore)
		return;
	status = load(calls, id, &text, &err);
	if (status == NXV_OK && text)
		status = carrier->ops->restore(carrier, id, text, &err);
	if (status != NXV_OK)
		env_log(calls->opts.env, NXV_LOG_WARN, "session",
			"call %s goes on, but its phones cannot hold or change it any more: %s", id, err.message);
	else if (text)
		call->carrier = carrier;
	free(text);
}
