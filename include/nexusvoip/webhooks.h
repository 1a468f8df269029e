/* webhooks.h - what Twilio tells of calls and recordings: checked, kept, and handed to the engine. nexusd serves
 * POST /twilio/v1/status/:sessionId and /twilio/v1/recording/:sessionId with it; another server can do the same. */
#ifndef NEXUSVOIP_WEBHOOKS_H
#define NEXUSVOIP_WEBHOOKS_H

#include <nexusvoip/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What became of a webhook. Only the first two changed anything. */
typedef enum nxv_webhook_verdict {
	NXV_WEBHOOK_ACCEPTED,
	NXV_WEBHOOK_LATE,      /**< kept, but a newer one of that call was there before */
	NXV_WEBHOOK_DUPLICATE, /**< told before: by SID and sequence number, by Twilio's token, or word for word; of recordings: by SID and status */
	NXV_WEBHOOK_FORGED,    /**< not signed, or wrongly */
	NXV_WEBHOOK_STALE,     /**< signed, but too long ago, or in the future */
	NXV_WEBHOOK_MALFORMED, /**< signed, but no report of a call, or of a recording */
	NXV_WEBHOOK_UNKNOWN,   /**< signed, but of no call that was handed to Twilio here */
	NXV_WEBHOOK_FAILED,    /**< it could not be kept: Twilio is to send it again */
	NXV_WEBHOOK_VERDICTS
} nxv_webhook_verdict;

/** A webhook as it came. All text is [borrowed]. */
struct nxv_webhook {
	size_t size;
	const char *session_id; /**< from the path */
	const char *query;      /**< what followed '?' in the URL; NULL or "": nothing */
	const char *signature;  /**< X-Twilio-Signature; nullable */
	const char *token;      /**< I-Twilio-Idempotency-Token; nullable */
	const void *body;       /**< the form as it came */
	size_t body_len;
};
#define NXV_WEBHOOK_INIT { .size = sizeof(struct nxv_webhook) }

/**
 * Take a webhook in. It is in the store when this returns NXV_OK, so it may be answered: NXV_WEBHOOK_ACCEPTED, _LATE and
 * _DUPLICATE alike, for Twilio is not to send it again.
 * @param verdict nullable. @param wants_twiml nullable; true: Twilio asks what to do next (the answer: hang up).
 * Errors: NXV_E_DENIED "bad_signature" or "stale" (403), NXV_E_INVALID (400), NXV_E_NOT_FOUND (404); any other: answer 503.
 * Thread safety: any thread.
 */
NXV_API nxv_status nxv_webhook_take(nxv_ctx *ctx, const struct nxv_webhook *webhook, nxv_webhook_verdict *verdict, bool *wants_twiml, struct nxv_error *err);
/** Take one of a recording in: as nxv_webhook_take(), of what came to the recording's callback. Thread safety: any thread. */
NXV_API nxv_status nxv_webhook_take_recording(nxv_ctx *ctx, const struct nxv_webhook *webhook, nxv_webhook_verdict *verdict, struct nxv_error *err);
/** How many there were of each verdict since this context was opened. counts holds NXV_WEBHOOK_VERDICTS. Thread safety: any thread. */
NXV_API void nxv_webhook_counts(nxv_ctx *ctx, uint64_t *counts);
/** "accepted", "forged", ... @return [borrowed] static. Thread safety: any thread. */
NXV_API const char *nxv_webhook_verdict_name(nxv_webhook_verdict verdict);

#ifdef __cplusplus
}
#endif
#endif
