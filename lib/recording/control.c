/* control.c - nxv_recording_control(): a start is claimed in the store before Twilio hears of it, so that two never run on one
 * call; one whose answer was lost is looked for before another is made. */
#include <stdio.h>

#include "base/error.h"
#include "base/text.h"
#include "ctx.h"
#include "recording/recording.h"

/* Longer than the requests of a start can take, so that whoever claimed before that is no more. */
enum { CLAIM_MS = 5 * RECORDING_TIMEOUT_MS, URL_BYTES = 2048 };

const char *nxv_recording_action_name(nxv_recording_action action)
{
	static const char *const names[] = { NULL, "start", "pause", "resume", "stop" };

	return (unsigned)action < sizeof(names) / sizeof(names[0]) ? names[action] : NULL;
}

/* --- starting --- */

static nxv_status claim(struct recorder *r, bool *died, struct nxv_error *err)
{
	const int64_t now_ms = env_now_ms(&r->ctx->env);
	struct db_tx *tx;
	nxv_status status = db_begin(r->ctx->db, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	status = recording_claim(tx, r->row->pub.id, now_ms, now_ms - CLAIM_MS, died, err);
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

/* The answer that counts is in *err already. */
static void unclaim(struct recorder *r)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct db_tx *tx;
	nxv_status status = db_begin(r->ctx->db, DB_WRITE, &tx, &err);

	if (status == NXV_OK) {
		status = recording_unclaim(tx, r->row->pub.id, &err);
		if (status == NXV_OK)
			status = db_commit(tx, &err);
		else
			db_rollback(tx);
	}
	if (status != NXV_OK) /* it lapses by itself */
		env_log(&r->ctx->env, NXV_LOG_WARN, "recording", "call %s: its claim cannot be given back: %s", r->row->pub.id, err.message);
}

/* Errors: NXV_E_CONFLICT while one runs. What is thought to run is asked for first: it may have ended unheard. */
static nxv_status check_none_runs(struct recorder *r, struct nxv_error *err)
{
	struct nxv_recording *running = NULL;
	bool gone;
	nxv_status status = recorder_running(r, &running, err);

	if (status == NXV_OK && running) {
		status = recording_look(r->ctx, r->twilio, running, &gone, err);
		nxv_recording_free(running);
		running = NULL;
		if (status == NXV_OK)
			status = recorder_running(r, &running, err);
	}
	if (status == NXV_OK && running)
		status = error_code(err, NXV_E_CONFLICT, "recording_in_progress", "this call is being recorded already (%s): stop that first",
			running->id);
	nxv_recording_free(running);
	return status;
}

static nxv_status create(struct recorder *r, struct nxv_error *err)
{
	struct nxv_twilio_recording_opts opts = NXV_TWILIO_RECORDING_OPTS_INIT;
	const char *base = config_text(r->ctx->cfg, CFG_HTTP_PUBLIC_URL);
	struct nxv_twilio_recording *made = NULL;
	char url[URL_BYTES];
	nxv_status status;

	snprintf(url, sizeof(url), "%s/twilio/v1/recording/%s#rc=5&rp=all", base, r->row->pub.id);
	if (*base) {
		opts.status_callback = url;
		opts.status_callback_events = NXV_TWILIO_REC_IN_PROGRESS | NXV_TWILIO_REC_COMPLETED | NXV_TWILIO_REC_ABSENT;
		opts.status_callback_method = NXV_TWILIO_POST;
	}
	status = nxv_twilio_recording_start(r->twilio, r->row->pub.twilio_call_sid, &opts, &made, err);
	if (status == NXV_OK) {
		r->about = text_dup(made->sid);
		status = r->about ? recorder_keep(r, made, err) : error_nomem(err);
	}
	nxv_twilio_recording_free(made);
	return status;
}

/* The answer was lost: Twilio may list what it did. While it does not, the claim stays, and nothing is sent again. */
static nxv_status find_lost(struct recorder *r, const struct nxv_error *why, bool *found, struct nxv_error *err)
{
	struct nxv_recording *running = NULL;

	*found = recorder_refresh(r, NULL) == NXV_OK && recorder_running(r, &running, NULL) == NXV_OK && running;
	r->about = *found ? text_dup(running->id) : NULL;
	nxv_recording_free(running);
	if (*found)
		return NXV_OK;
	if (err)
		*err = *why;
	return why->status;
}

static nxv_status start(struct recorder *r, struct nxv_error *err)
{
	struct nxv_error why = NXV_ERROR_INIT;
	bool died = false, settled = true;
	nxv_status status = claim(r, &died, err);

	if (status != NXV_OK)
		return status;
	/* What was claimed just before a power cut may not be in the store, and a call over Twilio goes on meanwhile. */
	if (died || r->row->pub.started_at_ms < env_boot_ms(&r->ctx->env))
		status = recorder_refresh(r, err);
	if (status == NXV_OK)
		status = check_none_runs(r, err);
	if (status == NXV_OK) {
		status = create(r, &why);
		if (nxv_twilio_is_unknown(&why))
			status = find_lost(r, &why, &settled, err);
		else if (status == NXV_E_CONFLICT)
			status = error_code(err, NXV_E_CONFLICT, "call_not_in_progress", "Twilio does not record this call now: %.200s", why.message);
		else if (status != NXV_OK && err)
			*err = why;
		settled = settled && status != NXV_E_STORE && status != NXV_E_BUSY;
	}
	if (settled)
		unclaim(r);
	return status;
}

/* --- pausing, resuming, stopping --- */

static nxv_status not_recording(struct nxv_error *err)
{
	return error_code(err, NXV_E_CONFLICT, "not_recording", "no recording of this call runs: start one first");
}

static nxv_status change(struct recorder *r, nxv_recording_action action, struct nxv_error *err)
{
	static const nxv_twilio_recording_action orders[] = { [NXV_RECORDING_PAUSE] = NXV_TWILIO_REC_PAUSE_SILENCE,
		[NXV_RECORDING_RESUME] = NXV_TWILIO_REC_RESUME, [NXV_RECORDING_STOP] = NXV_TWILIO_REC_STOP };
	struct nxv_twilio_recording *now = NULL;
	struct nxv_recording *running = NULL;
	bool gone;
	nxv_status status = recorder_running(r, &running, err);

	if (status == NXV_OK && !running) { /* one may run that its start never told of */
		status = recorder_refresh(r, err);
		if (status == NXV_OK)
			status = recorder_running(r, &running, err);
	}
	if (status == NXV_OK && !running)
		status = not_recording(err);
	if (status != NXV_OK)
		return status;
	r->about = text_dup(running->id);
	status = nxv_twilio_recording_update(r->twilio, r->row->pub.twilio_call_sid, running->id, orders[action], &now, err);
	if (status == NXV_OK) {
		status = recorder_keep(r, now, err);
	} else if (status == NXV_E_CONFLICT || status == NXV_E_NOT_FOUND) { /* it has ended, unheard */
		status = recording_look(r->ctx, r->twilio, running, &gone, err);
		if (status == NXV_OK)
			status = not_recording(err);
	}
	nxv_twilio_recording_free(now);
	nxv_recording_free(running);
	return status;
}

/* --- both --- */

static nxv_status check_call(const struct recorder *r, struct nxv_error *err)
{
	const struct nxv_session *call = &r->row->pub;

	if (call->status == NXV_CALL_IN_PROGRESS && call->twilio_call_sid)
		return NXV_OK;
	return error_code(err, NXV_E_CONFLICT, "call_not_in_progress", "the call is %s: only a call that is in progress can be recorded",
		nxv_call_status_name(call->status));
}

nxv_status nxv_recording_control(
	nxv_ctx *ctx, const char *session_id, nxv_recording_action action, struct nxv_recording **out, struct nxv_error *err)
{
	struct recorder r;
	nxv_status status;

	if (out)
		*out = NULL;
	if (!nxv_recording_action_name(action))
		return error_field(err, "action", "write start, pause, resume or stop");
	status = recorder_open(&r, ctx, session_id, err);
	if (status == NXV_OK)
		status = check_call(&r, err);
	if (status == NXV_OK)
		status = recorder_connect(&r, err);
	if (status == NXV_OK)
		status = action == NXV_RECORDING_START ? start(&r, err) : change(&r, action, err);
	if (status == NXV_OK && out)
		status = r.about ? nxv_recording_get(ctx, r.about, out, err) : error_nomem(err);
	recorder_close(&r);
	return status;
}
