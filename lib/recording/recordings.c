/* recordings.c - the public functions of recordings.h that list, fetch and delete. */
#include <stdlib.h>

#include "base/error.h"
#include "ctx.h"
#include "recording/recording.h"
#include "twilio/account.h"

enum { TWILIO_IN_USE = 20009, NEW_MS = 60000 };

static nxv_status load_list(nxv_ctx *ctx, const char *session_id, struct nxv_recording_list **out, struct nxv_error *err)
{
	struct nxv_recording_list *list = calloc(1, sizeof(*list));
	struct db_tx *tx = NULL;
	nxv_status status = list ? db_begin(ctx->db, DB_READ, &tx, err) : error_nomem(err);

	*out = NULL;
	if (status == NXV_OK)
		status = recording_load_all(tx, session_id, list, err);
	db_rollback(tx);
	if (status == NXV_OK)
		*out = list;
	else
		nxv_recording_list_free(list);
	return status;
}

/* What is known here and was not listed may be gone; what is quite new may not be listed yet. */
static nxv_status look_for_unheard(struct recorder *r, struct nxv_error *err)
{
	const int64_t old_ms = env_now_ms(&r->ctx->env) - NEW_MS;
	nxv_status status = NXV_OK;
	bool gone;

	for (size_t i = 0; status == NXV_OK && r->twilio && i < r->unheard->count; i++)
		if (r->unheard->items[i]->created_at_ms < old_ms)
			status = recording_look(r->ctx, r->twilio, r->unheard->items[i], &gone, err);
	return status;
}

nxv_status nxv_recording_list(nxv_ctx *ctx, const char *session_id, struct nxv_recording_list **out, struct nxv_error *err)
{
	struct recorder r;
	nxv_status status = recorder_open(&r, ctx, session_id, err);

	*out = NULL;
	if (status == NXV_OK)
		status = load_list(ctx, session_id, &r.unheard, err);
	if (status == NXV_OK)
		status = recorder_refresh(&r, err);
	if (status == NXV_OK)
		status = look_for_unheard(&r, err);
	if (status == NXV_OK)
		status = load_list(ctx, session_id, out, err);
	recorder_close(&r);
	return status;
}

nxv_status nxv_recording_get(nxv_ctx *ctx, const char *id, struct nxv_recording **out, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(ctx->db, DB_READ, &tx, err);

	*out = NULL;
	if (status != NXV_OK)
		return status;
	status = recording_load(tx, id, out, err);
	db_rollback(tx);
	return status;
}

nxv_status nxv_recording_delete(nxv_ctx *ctx, const char *id, struct nxv_error *err)
{
	struct nxv_error why = NXV_ERROR_INIT;
	struct nxv_recording *recording = NULL;
	nxv_twilio *twilio = NULL;
	nxv_status status = nxv_recording_get(ctx, id, &recording, err);

	if (status == NXV_OK)
		status = twilio_account_open(ctx, RECORDING_TIMEOUT_MS, &twilio, err);
	if (status != NXV_OK)
		goto out;
	status = nxv_twilio_recording_delete(twilio, recording->id, &why);
	if (status == NXV_OK || status == NXV_E_NOT_FOUND)
		status = recording_mark(ctx, recording, "deleted", err);
	else if (status == NXV_E_CONFLICT || why.detail == TWILIO_IN_USE)
		status = error_code(err, NXV_E_CONFLICT, "recording_in_progress", "it is still being recorded: stop it first");
	else if (err)
		*err = why;
out:
	nxv_twilio_close(twilio);
	nxv_recording_free(recording);
	return status;
}

void nxv_recording_free(struct nxv_recording *recording)
{
	if (!recording)
		return;
	free(recording->id);
	free(recording->session_id);
	free(recording->user_id);
	free(recording->status);
	free(recording);
}

void nxv_recording_list_free(struct nxv_recording_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		nxv_recording_free(list->items[i]);
	free(list->items);
	free(list);
}
