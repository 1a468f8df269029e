/* media.c - nxv_recording_media(): a recording's sound, straight from Twilio. */
#include "base/error.h"
#include "ctx.h"
#include "recording/recording.h"
#include "twilio/account.h"

/* Twilio has no sound of it: why? */
static nxv_status find_out(nxv_ctx *ctx, nxv_twilio *twilio, const struct nxv_recording *was, struct nxv_error *err)
{
	struct nxv_recording *now = NULL;
	bool gone = false;
	nxv_status status = recording_look(ctx, twilio, was, &gone, err);

	if (status == NXV_OK)
		status = nxv_recording_get(ctx, was->id, &now, err);
	if (status == NXV_OK && !recording_status_final(now->status))
		status = error_code(err, NXV_E_CONFLICT, "recording_not_ready", "it is %s: there is something to hear once it is completed",
			now->status);
	else if (status == NXV_OK)
		status = error_set(err, NXV_E_NOT_FOUND, "Twilio has no sound of this recording");
	nxv_recording_free(now);
	return status;
}

nxv_status nxv_recording_media(nxv_ctx *ctx, const char *id, const struct nxv_twilio_media_opts *opts, nxv_twilio_media_fn *fn,
	void *user, struct nxv_error *err)
{
	struct nxv_recording *recording = NULL;
	nxv_twilio *twilio = NULL;
	nxv_status status = nxv_recording_get(ctx, id, &recording, err);

	if (status == NXV_OK)
		status = twilio_account_open(ctx, RECORDING_TIMEOUT_MS, &twilio, err);
	if (status == NXV_OK) {
		status = nxv_twilio_recording_media(twilio, id, opts, fn, user, err);
		if (status == NXV_E_NOT_FOUND)
			status = find_out(ctx, twilio, recording, err);
	}
	nxv_twilio_close(twilio);
	nxv_recording_free(recording);
	return status;
}
