/* twilio.c - webhooks of Twilio: no API key, but a signature; answered once they are in the store. */
#include <nexusvoip/webhooks.h>

#include <string.h>

#include "exchange.h"
#include "routes/routes.h"

/* What a call does when the party that was dialled has left: it ends. */
static const char hang_up[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Hangup/></Response>";

static struct nxv_webhook read_hook(const struct exchange *x)
{
	struct nxv_webhook hook = NXV_WEBHOOK_INIT;

	hook.session_id = x->param;
	hook.query = http_query(x->http);
	hook.signature = http_header(x->http, "X-Twilio-Signature");
	hook.token = http_header(x->http, "I-Twilio-Idempotency-Token");
	hook.body = http_body(x->http, &hook.body_len);
	return hook;
}

static void refuse(struct exchange *x, const struct nxv_error *err)
{
	if (err->status == NXV_E_DENIED || err->status == NXV_E_INVALID || err->status == NXV_E_NOT_FOUND) {
		answer_error(x, err);
	} else { /* Twilio sends it again */
		http_answer_header(x->http, "Retry-After", "1");
		answer_problem(x, 503, "not_stored", "It could not be stored; send it again.", NULL);
	}
}

void twilio_status(struct exchange *x)
{
	const struct nxv_webhook hook = read_hook(x);
	struct nxv_error err = NXV_ERROR_INIT;
	bool wants_twiml = false;

	if (nxv_webhook_take(x->ctx, &hook, NULL, &wants_twiml, &err) != NXV_OK) {
		refuse(x, &err);
		return;
	}
	if (wants_twiml)
		x->type = "text/xml; charset=utf-8";
	answer_static(x, wants_twiml ? 200 : 204, wants_twiml ? hang_up : NULL, wants_twiml ? strlen(hang_up) : 0);
}

void twilio_recording(struct exchange *x)
{
	const struct nxv_webhook hook = read_hook(x);
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_webhook_take_recording(x->ctx, &hook, NULL, &err) == NXV_OK)
		answer_static(x, 204, NULL, 0);
	else
		refuse(x, &err);
}
