/* twilio.c - webhooks of Twilio: no API key, but a signature; answered once they are in the store. */
#include <nexusvoip/webhooks.h>

#include <stdlib.h>
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

/* A webhook that is being kept. */
struct taking {
	struct nxv_webhook hook;
	bool wants_twiml;
};

static void take(struct exchange *x)
{
	struct taking *t = x->result;

	x->done.status = nxv_webhook_take(x->ctx, &t->hook, NULL, &t->wants_twiml, &x->done.error);
}

static void tell_taken(struct exchange *x, const struct nxv_completion *done)
{
	struct taking *t = x->result;

	if (done->status != NXV_OK) {
		refuse(x, &done->error);
	} else {
		if (t->wants_twiml)
			x->type = "text/xml; charset=utf-8";
		answer_static(x, t->wants_twiml ? 200 : 204, t->wants_twiml ? hang_up : NULL, t->wants_twiml ? strlen(hang_up) : 0);
	}
	free(t);
}

void twilio_status(struct exchange *x)
{
	struct taking *t = calloc(1, sizeof(*t));

	if (!t) {
		answer_problem(x, 503, "not_stored", "It could not be stored; send it again.", NULL);
		return;
	}
	t->hook = read_hook(x);
	x->result = t;
	if (exchange_try_aside(x, x->lane->store, NULL, take, tell_taken))
		return;
	take(x);
	tell_taken(x, &x->done);
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
