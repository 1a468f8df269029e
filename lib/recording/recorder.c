/* recorder.c - a call over Twilio whose recordings are asked about: what Twilio says is kept here. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ctx.h"
#include "recording/recording.h"
#include "twilio/account.h"

enum { PAGE = 1000, PAGES_MAX = 100 };

nxv_status recorder_open(struct recorder *r, nxv_ctx *ctx, const char *session_id, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status;

	*r = (struct recorder){ .ctx = ctx };
	status = db_begin(ctx->db, DB_READ, &tx, err);
	if (status != NXV_OK)
		return status;
	status = session_load(tx, session_id, env_now_ms(&ctx->env), &r->row, err);
	db_rollback(tx);
	if (status == NXV_OK && strcmp(r->row->carrier, "twilio") != 0)
		status = error_code(err, NXV_E_UNSUPPORTED, "recording_not_supported",
			"only calls over Twilio can be recorded: place the call with useTwilio true");
	return status;
}

nxv_status recorder_connect(struct recorder *r, struct nxv_error *err)
{
	return r->twilio ? NXV_OK : twilio_account_open(r->ctx, RECORDING_TIMEOUT_MS, &r->twilio, err);
}

void recorder_close(struct recorder *r)
{
	nxv_recording_list_free(r->unheard);
	free(r->about);
	session_row_free(r->row);
	nxv_twilio_close(r->twilio);
}

/* End a write transaction that went this far. */
static nxv_status finish(struct db_tx *tx, nxv_status status, struct nxv_error *err)
{
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

/* In a write transaction of its own. */
static nxv_status keep(nxv_ctx *ctx, const struct recording_news *news, struct nxv_error *err)
{
	enum recording_change change;
	struct db_tx *tx;
	nxv_status status = db_begin(ctx->db, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	return finish(tx, recording_store(tx, news, env_now_ms(&ctx->env), &change, err), err);
}

static struct recording_news news_of(const char *session_id, const char *user_id, const struct nxv_twilio_recording *told)
{
	return (struct recording_news){ .id = told->sid, .session_id = session_id, .user_id = user_id, .status = told->status,
		.duration_seconds = told->duration_seconds, .channels = told->channels, .created_at_ms = told->created_at_ms };
}

static nxv_status keep_told(
	nxv_ctx *ctx, const char *session_id, const char *user_id, const struct nxv_twilio_recording *told, struct nxv_error *err)
{
	const struct recording_news news = news_of(session_id, user_id, told);

	if (!recording_status_known(told->status))
		return error_code(err, NXV_E_UNREACHABLE, "twilio_bad_answer", "Twilio tells of a recording in a state that is not known here");
	return keep(ctx, &news, err);
}

nxv_status recorder_keep(struct recorder *r, const struct nxv_twilio_recording *recording, struct nxv_error *err)
{
	return keep_told(r->ctx, r->row->pub.id, r->row->pub.user_id, recording, err);
}

nxv_status recording_mark(nxv_ctx *ctx, const struct nxv_recording *recording, const char *word, struct nxv_error *err)
{
	const struct recording_news news = { .id = recording->id, .session_id = recording->session_id, .user_id = recording->user_id,
		.status = word, .duration_seconds = -1 };

	return keep(ctx, &news, err);
}

static void heard_of(struct recorder *r, const char *id)
{
	struct nxv_recording_list *list = r->unheard;

	for (size_t i = 0; list && i < list->count; i++)
		if (strcmp(list->items[i]->id, id) == 0) {
			nxv_recording_free(list->items[i]);
			list->items[i] = list->items[--list->count];
			return;
		}
}

static nxv_status keep_all(struct recorder *r, const struct nxv_twilio_recording_list *list, struct nxv_error *err)
{
	enum recording_change change;
	struct db_tx *tx;
	nxv_status status = list->count ? db_begin(r->ctx->db, DB_WRITE, &tx, err) : NXV_OK;

	if (status != NXV_OK || !list->count)
		return status;
	for (size_t i = 0; status == NXV_OK && i < list->count; i++) {
		const struct recording_news news = news_of(r->row->pub.id, r->row->pub.user_id, list->items[i]);

		heard_of(r, news.id);
		if (recording_status_known(news.status))
			status = recording_store(tx, &news, env_now_ms(&r->ctx->env), &change, err);
	}
	return finish(tx, status, err);
}

/* One page; *next [owned] is where the following one is. */
static nxv_status keep_page(struct recorder *r, char **next, struct nxv_error *err)
{
	struct nxv_twilio_recording_list_opts opts = NXV_TWILIO_RECORDING_LIST_OPTS_INIT;
	struct nxv_twilio_recording_list *list = NULL;
	nxv_status status;

	opts.call_sid = r->row->pub.twilio_call_sid;
	opts.page_size = PAGE;
	opts.page = *next;
	status = nxv_twilio_recording_list(r->twilio, &opts, &list, err);
	free(*next);
	*next = NULL;
	if (status == NXV_OK)
		status = keep_all(r, list, err);
	if (status == NXV_OK) {
		*next = list->next_page;
		list->next_page = NULL;
	}
	nxv_twilio_recording_list_free(list);
	return status;
}

nxv_status recorder_refresh(struct recorder *r, struct nxv_error *err)
{
	char *next = NULL;
	nxv_status status;

	if (!r->row->pub.twilio_call_sid) /* Twilio has not taken the call, so it has no recording of it */
		return NXV_OK;
	status = recorder_connect(r, err);
	if (status == NXV_OK)
		status = keep_page(r, &next, err);
	for (int page = 1; status == NXV_OK && next && page < PAGES_MAX; page++)
		status = keep_page(r, &next, err);
	free(next);
	return status;
}

nxv_status recording_look(nxv_ctx *ctx, nxv_twilio *twilio, const struct nxv_recording *recording, bool *gone, struct nxv_error *err)
{
	struct nxv_twilio_recording *now = NULL;
	nxv_status status = nxv_twilio_recording_fetch(twilio, recording->id, &now, err);

	*gone = status == NXV_E_NOT_FOUND;
	if (*gone)
		status = recording_mark(ctx, recording, "deleted", err);
	else if (status == NXV_OK)
		status = keep_told(ctx, recording->session_id, recording->user_id, now, err);
	nxv_twilio_recording_free(now);
	return status;
}

nxv_status recorder_running(struct recorder *r, struct nxv_recording **out, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(r->ctx->db, DB_READ, &tx, err);

	*out = NULL;
	if (status != NXV_OK)
		return status;
	status = recording_load_running(tx, r->row->pub.id, out, err);
	db_rollback(tx);
	return status;
}
