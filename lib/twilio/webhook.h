/* webhook.h - checking and counting webhooks, and telling of them: the engine of each, the event log of those that were refused. */
#ifndef NXV_TWILIO_WEBHOOK_H
#define NXV_TWILIO_WEBHOOK_H

#include <nexusvoip/webhooks.h>

/** Is it Twilio's? place: "status" or "recording", of the path /twilio/v1/PLACE/SESSION that it came to.
 * Errors: NXV_E_DENIED "bad_signature"; any other: it is not known. Any thread. */
nxv_status webhook_check_signature(nxv_ctx *ctx, const char *place, const struct nxv_webhook *hook, struct nxv_error *err);
/** Any thread. */
void webhook_count(nxv_ctx *ctx, nxv_webhook_verdict verdict);
/** Append an event with what was refused since the last one, unless that was within the last minute. Any thread. */
void webhook_tell_refused(nxv_ctx *ctx);
/** Tell the engine what came: to act on it, or to show in the call's timeline that it was refused, and why. Any thread. */
void webhook_hand_over(nxv_ctx *ctx, const struct nxv_webhook *hook, nxv_webhook_verdict verdict, const char *why);
struct callback;
enum { WEBHOOK_WORDS_BYTES = 80, WEBHOOK_DETAIL_BYTES = 400 };
/** What a report says, for a call's timeline: in short, and its numbers. */
void webhook_words(const struct callback *report, char words[WEBHOOK_WORDS_BYTES], char detail[WEBHOOK_DETAIL_BYTES]);

#endif
