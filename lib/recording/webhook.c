/* webhook.c - what Twilio tells of recordings: checked as what it tells of calls is, and kept before it is answered. */
#include <nexusvoip/webhooks.h>

#include <string.h>

#include "base/error.h"
#include "base/opts.h"
#include "base/text.h"
#include "ctx.h"
#include "recording/recording.h"
#include "twilio/form.h"
#include "twilio/record.h"
#include "twilio/webhook.h"

enum { LATEST_MS = 3600000, AHEAD_MS = 300000, SID_MAX = 64, TOKEN_MAX = 128, CHANNELS_MAX = 16 };

static nxv_status malformed(struct nxv_error *err, const char *what)
{
	return error_set(err, NXV_E_INVALID, "this is no report of a recording: %s is missing or wrong", what);
}

static bool is_sid(const char *sid, const char *prefix)
{
	static const char alnum[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	const size_t len = sid ? strlen(sid) : 0;

	return len > 2 && len <= SID_MAX && strncmp(sid, prefix, 2) == 0 && strspn(sid, alnum) == len;
}

static bool take_number(const struct form *form, const char *name, int64_t most, int64_t *out)
{
	const char *text = form_get(form, name);

	return !text || !*text || text_int(text, 0, most, out);
}

/* Everything that is used, and nothing that is not what it should be. Text stays the form's. */
static nxv_status read_report(const struct form *form, struct recording_news *news, struct nxv_error *err)
{
	int64_t channels = 0;

	*news = (struct recording_news){ .id = form_get(form, "RecordingSid"), .status = form_get(form, "RecordingStatus"),
		.duration_seconds = -1, .late_maybe = true };
	if (!is_sid(news->id, "RE"))
		return malformed(err, "RecordingSid");
	if (!is_sid(form_get(form, "CallSid"), "CA"))
		return malformed(err, "CallSid");
	if (news->status && strcmp(news->status, "failed") == 0)
		news->status = "absent";
	if (!recording_status_known(news->status) || strcmp(news->status, "deleted") == 0)
		return malformed(err, "RecordingStatus");
	if (!take_number(form, "RecordingDuration", INT32_MAX, &news->duration_seconds))
		return malformed(err, "RecordingDuration");
	if (!take_number(form, "RecordingChannels", CHANNELS_MAX, &channels))
		return malformed(err, "RecordingChannels");
	news->channels = (int)channels;
	return NXV_OK;
}

/* There is no time of the report itself: it comes at the end of the recording at the latest, and that ends with the call. */
static nxv_status check_age(nxv_ctx *ctx, const struct form *form, struct recording_news *news, struct nxv_error *err)
{
	const char *text = form_get(form, "RecordingStartTime");
	const int64_t now_ms = env_now_ms(&ctx->env), longest_ms = config_int(ctx->cfg, CFG_LIMITS_MAX_CALL_SECONDS) * 1000;

	if (!text)
		return NXV_OK;
	news->created_at_ms = record_time_ms(text);
	if (news->created_at_ms < now_ms - longest_ms - LATEST_MS || news->created_at_ms > now_ms + AHEAD_MS)
		return error_code(err, NXV_E_DENIED, "stale", "it is too old, or the clocks of Twilio and of this host differ");
	return NXV_OK;
}

/* In one transaction: whose it is, whether it was told before, what it changes. */
static nxv_status keep(struct db_tx *tx, const struct nxv_webhook *hook, struct recording_news *news, const char *call_sid, int64_t now_ms,
	nxv_webhook_verdict *verdict, struct nxv_error *err)
{
	struct session_row *row = NULL;
	enum recording_change change = RECORDING_CHANGED;
	bool again = false;
	nxv_status status = session_load(tx, hook->session_id, now_ms, &row, err);

	if (status == NXV_OK && (!row->pub.twilio_call_sid || strcmp(row->pub.twilio_call_sid, call_sid) != 0))
		status = error_set(err, NXV_E_NOT_FOUND, "this session is another call at Twilio");
	if (status == NXV_OK)
		status = recording_note(tx, news->id, news->status, hook->token, now_ms, &again, err);
	if (status == NXV_OK && !again) {
		news->session_id = row->pub.id;
		news->user_id = row->pub.user_id;
		status = recording_store(tx, news, now_ms, &change, err);
	}
	*verdict = status == NXV_E_NOT_FOUND ? NXV_WEBHOOK_UNKNOWN : status != NXV_OK ? NXV_WEBHOOK_FAILED :
		again ? NXV_WEBHOOK_DUPLICATE : change == RECORDING_LATE ? NXV_WEBHOOK_LATE : NXV_WEBHOOK_ACCEPTED;
	session_row_free(row);
	return status;
}

static nxv_status take(nxv_ctx *ctx, const struct nxv_webhook *hook, const struct form *form, nxv_webhook_verdict *verdict, struct nxv_error *err)
{
	const int64_t now_ms = env_now_ms(&ctx->env);
	struct recording_news news;
	struct db_tx *tx;
	nxv_status status = read_report(form, &news, err);

	if (status != NXV_OK)
		return status;
	*verdict = NXV_WEBHOOK_STALE;
	status = check_age(ctx, form, &news, err);
	if (status != NXV_OK)
		return status;
	*verdict = NXV_WEBHOOK_FAILED;
	status = db_begin(ctx->db, DB_WRITE, &tx, err);
	if (status != NXV_OK)
		return status;
	status = keep(tx, hook, &news, form_get(form, "CallSid"), now_ms, verdict, err);
	if (status != NXV_OK) {
		db_rollback(tx);
		return status;
	}
	status = db_commit(tx, err);
	if (status != NXV_OK)
		*verdict = NXV_WEBHOOK_FAILED;
	return status;
}

nxv_status nxv_webhook_take_recording(nxv_ctx *ctx, const struct nxv_webhook *given, nxv_webhook_verdict *verdict, struct nxv_error *err)
{
	struct nxv_webhook hook;
	struct form form = { 0 };
	nxv_webhook_verdict what = NXV_WEBHOOK_FORGED;
	nxv_status status;

	if (!opts_take(&hook, sizeof(hook), given, OPTS_LEAST(struct nxv_webhook, body_len)) || !hook.session_id)
		return error_field(err, "webhook", "start it with NXV_WEBHOOK_INIT, and name the session");
	hook.token = hook.token && *hook.token && strlen(hook.token) < TOKEN_MAX ? hook.token : NULL;
	status = webhook_check_signature(ctx, "recording", &hook, err);
	if (status != NXV_OK && status != NXV_E_DENIED) {
		what = NXV_WEBHOOK_FAILED;
	} else if (status == NXV_OK) {
		what = NXV_WEBHOOK_MALFORMED;
		status = form_parse(hook.body, hook.body_len, &form, err);
	}
	if (status == NXV_OK)
		status = take(ctx, &hook, &form, &what, err);
	form_free(&form);
	webhook_count(ctx, what);
	if (verdict)
		*verdict = what;
	return status;
}
