/* flow.c - how a call goes at Twilio: whom it rings first, and the TwiML that has it dial the other party. */
#include "twilio/inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

enum { RING_MAX = 600, URL_BYTES = 2048 };

/* The session's id is in the path, so that a callback tells which session it is of whatever became of the create's answer.
 * Twilio repeats what fails, and takes the fragment for itself. */
static void callback_url(const struct tw_call *call, char *url, size_t size)
{
	snprintf(url, size, "%s/twilio/v1/status/%s#rc=5&rp=all", call->carrier->public_url, call->intent.session_id);
}

static nxv_status make_twiml(const struct tw_call *call, int ring_seconds, const char *url, char **out, struct nxv_error *err)
{
	nxv_twiml *twiml = nxv_twiml_new();
	nxv_status status;

	*out = NULL;
	if (!twiml)
		return error_nomem(err);
	nxv_twiml_open(twiml, "Dial");
	nxv_twiml_attr(twiml, "callerId", call->intent.from);
	nxv_twiml_attr_int(twiml, "timeLimit", call->carrier->opts.max_seconds);
	nxv_twiml_attr_int(twiml, "timeout", ring_seconds);
	nxv_twiml_attr(twiml, "action", url);
	nxv_twiml_attr(twiml, "method", url ? "POST" : NULL);
	nxv_twiml_open(twiml, call->intent.callee_first ? "Sip" : "Number");
	nxv_twiml_attr(twiml, "statusCallback", url);
	nxv_twiml_attr(twiml, "statusCallbackEvent", url ? "initiated ringing answered completed" : NULL);
	nxv_twiml_attr(twiml, "statusCallbackMethod", url ? "POST" : NULL);
	nxv_twiml_text(twiml, call->intent.dial);
	status = nxv_twiml_take(twiml, out, err);
	nxv_twiml_free(twiml);
	return status;
}

nxv_status flow_create(const struct tw_call *call, struct twilio_exchange *x, struct nxv_error *err)
{
	const struct twilio_carrier *carrier = call->carrier;
	struct nxv_twilio_call_opts opts = NXV_TWILIO_CALL_OPTS_INIT;
	const int ring_seconds = (int)(carrier->opts.ring_seconds < RING_MAX ? carrier->opts.ring_seconds : RING_MAX);
	char buf[URL_BYTES], *url = carrier->public_url[0] ? buf : NULL, *twiml = NULL;
	nxv_status status;

	*x = (struct twilio_exchange){ 0 };
	callback_url(call, buf, sizeof(buf));
	status = make_twiml(call, ring_seconds, url, &twiml, err);
	if (status != NXV_OK)
		return status;
	opts.to = call->intent.to;
	opts.from = call->intent.from;
	opts.twiml = twiml;
	opts.time_limit_seconds = (int)carrier->opts.max_seconds;
	opts.timeout_seconds = ring_seconds;
	if (url) {
		opts.status_callback = url;
		opts.status_callback_events = NXV_TWILIO_INITIATED | NXV_TWILIO_RINGING | NXV_TWILIO_ANSWERED | NXV_TWILIO_COMPLETED;
		opts.status_callback_method = NXV_TWILIO_POST;
	}
	status = call_create_exchange(carrier->client, &opts, x, err);
	free(twiml);
	return status;
}
