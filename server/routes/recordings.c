/* recordings.c - recordings over HTTP: Twilio is asked on threads beside the loop. */
#include "exchange.h"
#include "routes/routes.h"

static void ask_control(struct exchange *x)
{
	struct nxv_recording *recording = NULL;

	x->done.status = nxv_recording_control(x->ctx, x->param, x->body->action, &recording, &x->done.error);
	x->result = recording;
}

static void tell_control(struct exchange *x, const struct nxv_completion *done)
{
	if (done->status == NXV_OK)
		answer_ok(x, 200, "recording", nxv_json_recording(x->result));
	else
		answer_error(x, &done->error);
	nxv_recording_free(x->result);
}

void recording_control(struct exchange *x)
{
	struct nxv_session *call = call_find(x, x->param);

	if (call)
		exchange_aside(x, x->lane->twilio, NULL, ask_control, tell_control);
	nxv_session_free(call);
}

static void ask_list(struct exchange *x)
{
	struct nxv_recording_list *list = NULL;

	x->done.status = nxv_recording_list(x->ctx, x->param, &list, &x->done.error);
	x->result = list;
}

static void tell_list(struct exchange *x, const struct nxv_completion *done)
{
	if (done->status == NXV_OK)
		answer_page(x, "recordings", nxv_json_recordings(x->result), NULL);
	else
		answer_error(x, &done->error);
	nxv_recording_list_free(x->result);
}

void recording_list(struct exchange *x)
{
	struct nxv_session *call = call_find(x, x->param);

	if (call)
		exchange_aside(x, x->lane->twilio, NULL, ask_list, tell_list);
	nxv_session_free(call);
}

/* True if it is there and may be touched; else it is answered. */
static bool find(struct exchange *x)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_recording *recording = NULL;
	nxv_status status = nxv_recording_get(x->ctx, x->param, &recording, &err);
	const bool may = status == NXV_OK && owner_may(x, recording->user_id);

	if (may)
		nxv_gate_about(x->pass, recording->session_id);
	else if (status == NXV_OK || status == NXV_E_NOT_FOUND)
		owner_not_found(x, "recording");
	else
		answer_error(x, &err);
	nxv_recording_free(recording);
	return may;
}

static void ask_delete(struct exchange *x)
{
	x->done.status = nxv_recording_delete(x->ctx, x->param, &x->done.error);
}

static void tell_deleted(struct exchange *x, const struct nxv_completion *done)
{
	if (done->status == NXV_OK)
		answer_ok(x, 200, NULL, NULL);
	else if (done->status == NXV_E_NOT_FOUND) /* somebody else's request was quicker */
		owner_not_found(x, "recording");
	else
		answer_error(x, &done->error);
}

void recording_delete(struct exchange *x)
{
	if (find(x))
		exchange_aside(x, x->lane->twilio, NULL, ask_delete, tell_deleted);
}
