/* webhook.c - a webhook's way in: signature, age, form, what it repeats; kept in the store before it is answered, then
 * handed to the engine. What is refused changes nothing and is counted; events tell of it once a minute at most. */
#include <nexusvoip/webhooks.h>

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/opts.h"
#include "base/text.h"
#include "ctx.h"
#include "events/event_log.h"
#include "secrets/secrets.h"
#include "twilio/client.h"
#include "twilio/facts.h"
#include "twilio/form.h"
#include "twilio/intent.h"
#include "twilio/record.h"
#include "twilio/webhook.h"

enum { OLDEST_MS = 3600000, AHEAD_MS = 300000, EXACT_MS = 2000, EVENT_EVERY_MS = 60000, URL_BYTES = 8192, MARK_BYTES = 128 };

static const char *const names[NXV_WEBHOOK_VERDICTS] = { "accepted", "late", "duplicate", "forged", "stale", "malformed", "unknown",
	"failed" };

const char *nxv_webhook_verdict_name(nxv_webhook_verdict verdict)
{
	return (unsigned)verdict < NXV_WEBHOOK_VERDICTS ? names[verdict] : "none";
}

void nxv_webhook_counts(nxv_ctx *ctx, uint64_t *counts)
{
	pthread_mutex_lock(&ctx->lock);
	memcpy(counts, ctx->webhooks.counts, sizeof(ctx->webhooks.counts));
	pthread_mutex_unlock(&ctx->lock);
}

/* --- counting --- */

static nxv_status append_event(nxv_ctx *ctx, int64_t now_ms, const char *data, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(ctx->db, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	status = event_append(tx, now_ms, "twilio.webhooks_refused", "twilio", NULL, data, NULL, err);
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

void webhook_tell_refused(nxv_ctx *ctx)
{
	struct webhook_tally *tally = &ctx->webhooks;
	const int64_t now_ms = env_now_ms(&ctx->env);
	char data[256] = "";
	size_t len = 0;

	pthread_mutex_lock(&ctx->lock);
	if (tally->told_at_ms > now_ms - EVENT_EVERY_MS && tally->told_at_ms <= now_ms) {
		pthread_mutex_unlock(&ctx->lock);
		return;
	}
	for (int v = NXV_WEBHOOK_DUPLICATE; v < NXV_WEBHOOK_VERDICTS; v++) {
		uint64_t n = tally->counts[v] - tally->told[v];
		if (n)
			len += (size_t)snprintf(data + len, sizeof(data) - len, "%s%s=%llu", len ? " " : "", names[v], (unsigned long long)n);
		tally->told[v] = tally->counts[v];
	}
	if (len)
		tally->told_at_ms = now_ms;
	pthread_mutex_unlock(&ctx->lock);
	if (len && append_event(ctx, now_ms, data, NULL) != NXV_OK)
		env_log(&ctx->env, NXV_LOG_WARN, "twilio", "webhooks were refused: %s", data);
}

void webhook_count(nxv_ctx *ctx, nxv_webhook_verdict verdict)
{
	pthread_mutex_lock(&ctx->lock);
	ctx->webhooks.counts[verdict]++;
	pthread_mutex_unlock(&ctx->lock);
	if (verdict >= NXV_WEBHOOK_DUPLICATE)
		webhook_tell_refused(ctx);
}

/* --- checking --- */

/* The URL as Twilio was given it: from configuration, never from the request's Host. */
nxv_status webhook_check_signature(nxv_ctx *ctx, const char *place, const struct nxv_webhook *hook, struct nxv_error *err)
{
	struct nxv_twilio_payload payload = NXV_TWILIO_PAYLOAD_INIT;
	const char *base = config_text(ctx->cfg, CFG_HTTP_PUBLIC_URL), *query = hook->query ? hook->query : "";
	char url[URL_BYTES], *token = NULL;
	size_t len = strlen(base);
	nxv_status status;
	int n;

	while (len && base[len - 1] == '/')
		len--;
	n = snprintf(url, sizeof(url), "%.*s/twilio/v1/%s/%s%s%s", (int)len, base, place, hook->session_id, *query ? "?" : "", query);
	status = secret_get(ctx->secrets, SECRET_TWILIO_AUTH_TOKEN, &token, err);
	if (status != NXV_OK && status != NXV_E_NOT_FOUND && status != NXV_E_DENIED)
		return status; /* nothing is known of it: Twilio is to send it again */
	if (status != NXV_OK || !len || n < 0 || (size_t)n >= sizeof(url)) {
		text_wipe_free(token);
		return error_code(err, NXV_E_DENIED, "bad_signature",
			"webhooks cannot be checked here: set http.public_url and the secret twilio.auth_token");
	}
	payload.body = hook->body;
	payload.body_len = hook->body_len;
	status = nxv_twilio_signature_check(token, url, &payload, hook->signature, err);
	text_wipe_free(token);
	return status;
}

static bool take_number(const struct form *form, const char *name, int64_t *out)
{
	const char *text = form_get(form, name);

	return !text || !*text || text_int(text, 0, INT32_MAX, out);
}

static nxv_status malformed(struct nxv_error *err, const char *what)
{
	return error_set(err, NXV_E_INVALID, "this is no report of a call: %s is missing or wrong", what);
}

/* Everything that is used, and nothing that is not what it should be. Text stays the form's. */
static nxv_status read_report(const struct form *form, struct callback *cb, struct nxv_error *err)
{
	const bool dial = form_get(form, "DialCallStatus") != NULL;
	int64_t sip_code = 0;

	cb->call_sid = (char *)form_get(form, "CallSid");
	cb->parent_sid = (char *)form_get(form, "ParentCallSid");
	cb->status = (char *)form_get(form, "CallStatus");
	cb->dial_status = (char *)form_get(form, "DialCallStatus");
	cb->dial_sid = (char *)form_get(form, "DialCallSid");
	cb->sequence = cb->duration = -1;
	if (cb->parent_sid && !*cb->parent_sid)
		cb->parent_sid = NULL;
	if (cb->dial_sid && !*cb->dial_sid)
		cb->dial_sid = NULL;
	if (twilio_check_sid(cb->call_sid, "CA", "CallSid", NULL))
		return malformed(err, "CallSid");
	if (cb->parent_sid && twilio_check_sid(cb->parent_sid, "CA", "ParentCallSid", NULL))
		return malformed(err, "ParentCallSid");
	if (cb->dial_sid && twilio_check_sid(cb->dial_sid, "CA", "DialCallSid", NULL))
		return malformed(err, "DialCallSid");
	if (twilio_state_parse(cb->status) == TS_NONE)
		return malformed(err, "CallStatus");
	if (dial && twilio_state_parse(cb->dial_status) == TS_NONE)
		return malformed(err, "DialCallStatus");
	if (!take_number(form, "SequenceNumber", &cb->sequence))
		return malformed(err, "SequenceNumber");
	if (!take_number(form, dial ? "DialCallDuration" : "CallDuration", &cb->duration))
		return malformed(err, "CallDuration");
	if (!take_number(form, dial ? "DialSipResponseCode" : "SipResponseCode", &sip_code))
		return malformed(err, "SipResponseCode");
	cb->sip_code = sip_code < 700 ? (int)sip_code : 0;
	return NXV_OK;
}

/* When it happened: Twilio's own clock, to the second, unless it has just happened. */
static nxv_status check_age(const struct form *form, int64_t now_ms, int64_t *at_ms, struct nxv_error *err)
{
	const char *text = form_get(form, "Timestamp");
	const int64_t told = text ? record_time_ms(text) : 0;

	*at_ms = now_ms;
	if (!text)
		return NXV_OK;
	if (told < now_ms - OLDEST_MS || told > now_ms + AHEAD_MS)
		return error_code(err, NXV_E_DENIED, "stale", "it is too old, or this host's clock is not Twilio's: set it by NTP");
	if (told < now_ms - EXACT_MS)
		*at_ms = told;
	return NXV_OK;
}

/* It must be of the call that the session became, once that is known. */
static nxv_status check_call(nxv_ctx *ctx, const struct nxv_webhook *hook, const struct callback *cb, struct nxv_error *err)
{
	const char *sid = cb->parent_sid ? cb->parent_sid : cb->call_sid;
	struct intent intent;
	nxv_status status = intent_load(ctx->db, hook->session_id, &intent, err);

	if (status == NXV_OK && intent.call_sid && strcmp(intent.call_sid, sid) != 0)
		status = error_set(err, NXV_E_NOT_FOUND, "this session is another call at Twilio");
	intent_clear(&intent);
	return status;
}

static void make_mark(const struct callback *cb, const struct nxv_webhook *hook, char *mark)
{
	char digest[2 * DIGEST_MAX_BYTES + 1];

	if (cb->sequence >= 0 && !cb->dial_status)
		snprintf(mark, MARK_BYTES, "%s:%lld", cb->call_sid, (long long)cb->sequence);
	else if (digest_hex(DIGEST_SHA256, hook->body, hook->body_len, digest))
		snprintf(mark, MARK_BYTES, "%s", digest);
	else
		snprintf(mark, MARK_BYTES, "%s:%s:%s", cb->call_sid, cb->status, cb->dial_status ? cb->dial_status : "");
}

static nxv_status keep(nxv_ctx *ctx, const struct nxv_webhook *hook, const struct form *form, nxv_webhook_verdict *verdict,
	bool *wants_twiml, struct nxv_error *err)
{
	struct callback cb = { .session_id = hook->session_id, .token = hook->token };
	char mark[MARK_BYTES];
	bool late = false;
	nxv_status status = read_report(form, &cb, err);

	*verdict = NXV_WEBHOOK_MALFORMED;
	if (status != NXV_OK)
		return status;
	*wants_twiml = cb.dial_status != NULL;
	*verdict = NXV_WEBHOOK_STALE;
	status = check_age(form, env_now_ms(&ctx->env), &cb.at_ms, err);
	if (status != NXV_OK)
		return status;
	make_mark(&cb, hook, mark);
	cb.mark = mark;
	status = check_call(ctx, hook, &cb, err);
	if (status == NXV_OK)
		status = callback_append(ctx->db, &cb, &late, err);
	*verdict = status == NXV_OK && late ? NXV_WEBHOOK_LATE : status == NXV_OK ? NXV_WEBHOOK_ACCEPTED :
		status == NXV_E_CONFLICT ? NXV_WEBHOOK_DUPLICATE : status == NXV_E_NOT_FOUND ? NXV_WEBHOOK_UNKNOWN : NXV_WEBHOOK_FAILED;
	if (status == NXV_E_CONFLICT) {
		error_clear(err);
		status = NXV_OK;
	}
	return status;
}

nxv_status nxv_webhook_take(
	nxv_ctx *ctx, const struct nxv_webhook *given, nxv_webhook_verdict *verdict, bool *wants_twiml, struct nxv_error *err)
{
	struct nxv_webhook hook;
	struct form form = { 0 };
	nxv_webhook_verdict what = NXV_WEBHOOK_FORGED;
	bool twiml = false;
	nxv_status status;

	if (!opts_take(&hook, sizeof(hook), given, OPTS_LEAST(struct nxv_webhook, body_len)) || !hook.session_id)
		return error_field(err, "webhook", "start it with NXV_WEBHOOK_INIT, and name the session");
	hook.token = hook.token && *hook.token && strlen(hook.token) < MARK_BYTES ? hook.token : NULL;
	status = webhook_check_signature(ctx, "status", &hook, err);
	if (status == NXV_E_STORE || status == NXV_E_BUSY || status == NXV_E_NOMEM) {
		what = NXV_WEBHOOK_FAILED;
	} else if (status == NXV_OK) {
		what = NXV_WEBHOOK_MALFORMED;
		status = form_parse(hook.body, hook.body_len, &form, err);
	}
	if (status == NXV_OK)
		status = keep(ctx, &hook, &form, &what, &twiml, err);
	form_free(&form);
	webhook_count(ctx, what);
	webhook_hand_over(ctx, &hook, what, err ? err->message : "");
	if (verdict)
		*verdict = what;
	if (wants_twiml)
		*wants_twiml = twiml;
	return status;
}
