/* hand_over.c - a webhook's way on to the engine, and what a call's timeline says of it. With no engine in this process, what
 * was kept is read when the next one starts. */
#include <nexusvoip/webhooks.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctx.h"
#include "engine/engine.h"
#include "twilio/client.h"
#include "twilio/facts.h"
#include "twilio/form.h"
#include "twilio/intent.h"
#include "twilio/webhook.h"

enum { SUMMARY_BYTES = 160, REFUSED_A_SECOND = 20 };

static void ignore_answer(void *arg, nxv_status status, const struct nxv_error *err, const char *text)
{
	(void)arg, (void)status, (void)err, (void)text;
}

/* What is refused may be anybody's, and as much as he likes: the engine hears of a few only. */
static bool may_tell(nxv_ctx *ctx)
{
	struct webhook_tally *tally = &ctx->webhooks;
	const int64_t second = env_now_ms(&ctx->env) / 1000;
	bool may;

	pthread_mutex_lock(&ctx->lock);
	if (tally->handed_second != second) {
		tally->handed_second = second;
		tally->handed = 0;
	}
	may = tally->handed < REFUSED_A_SECOND;
	tally->handed += may;
	pthread_mutex_unlock(&ctx->lock);
	return may;
}

void webhook_words(const struct callback *cb, char words[WEBHOOK_WORDS_BYTES], char detail[WEBHOOK_DETAIL_BYTES])
{
	const char *status = cb->dial_status ? cb->dial_status : cb->status;
	size_t len, size = WEBHOOK_DETAIL_BYTES;

	if (cb->sequence >= 0 && !cb->dial_status)
		snprintf(words, WEBHOOK_WORDS_BYTES, "%.20s, sequence %" PRId64, status ? status : "no status", cb->sequence);
	else
		snprintf(words, WEBHOOK_WORDS_BYTES, "%s%.20s", cb->dial_status ? "dial ended, " : "", status ? status : "no status");
	len = (size_t)snprintf(detail, size, "CallSid=%.64s", cb->call_sid ? cb->call_sid : "");
	if (cb->parent_sid)
		len += (size_t)snprintf(detail + len, size - len, " ParentCallSid=%.64s", cb->parent_sid);
	if (cb->dial_sid)
		len += (size_t)snprintf(detail + len, size - len, " DialCallSid=%.64s", cb->dial_sid);
	if (cb->duration >= 0)
		len += (size_t)snprintf(detail + len, size - len, " seconds=%" PRId64, cb->duration);
	if (cb->sip_code)
		snprintf(detail + len, size - len, " SipResponseCode=%d", cb->sip_code);
}

static char *word(const struct form *form, const char *name)
{
	const char *value = form_get(form, name);

	return twilio_state_parse(value) == TS_NONE ? NULL : (char *)value;
}

static char *sid(const struct form *form, const char *name)
{
	const char *value = form_get(form, name);

	return twilio_check_sid(value, "CA", name, NULL) == NXV_OK ? (char *)value : NULL;
}

/* As far as it is what it should be: it may be forged. */
static void read_loosely(const struct form *form, struct callback *cb)
{
	*cb = (struct callback){ .call_sid = sid(form, "CallSid"), .parent_sid = sid(form, "ParentCallSid"),
		.dial_sid = sid(form, "DialCallSid"), .status = word(form, "CallStatus"), .dial_status = word(form, "DialCallStatus"),
		.sequence = -1, .duration = -1 };
	text_int(form_get(form, "SequenceNumber"), 0, INT32_MAX, &cb->sequence);
}

void webhook_hand_over(nxv_ctx *ctx, const struct nxv_webhook *hook, nxv_webhook_verdict verdict, const char *why)
{
	const bool refused = verdict >= NXV_WEBHOOK_DUPLICATE;
	char summary[SUMMARY_BYTES], words[WEBHOOK_WORDS_BYTES], detail[WEBHOOK_DETAIL_BYTES], told[WEBHOOK_DETAIL_BYTES + 320];
	struct callback cb;
	struct form form;

	if (refused && !may_tell(ctx))
		return;
	form_parse(hook->body, hook->body_len, &form, NULL); /* empty when it is none */
	read_loosely(&form, &cb);
	webhook_words(&cb, words, detail);
	form_free(&form);
	if (verdict == NXV_WEBHOOK_DUPLICATE)
		snprintf(summary, sizeof(summary), "webhook, told before: %s", words);
	else if (refused)
		snprintf(summary, sizeof(summary), "webhook refused (%s): it says %s", nxv_webhook_verdict_name(verdict), words);
	else
		snprintf(summary, sizeof(summary), "webhook after the end: %s", words);
	snprintf(told, sizeof(told), "%.300s%s%s", refused ? why : "", refused && *why ? "; " : "", detail);
	engine_call_async(ctx, (const char *const[]){ "twilio.callback", hook->session_id, refused ? "refused" : "kept", summary, told, NULL },
		ignore_answer, NULL, NULL);
}
