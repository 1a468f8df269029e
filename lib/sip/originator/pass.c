/* pass.c - requests that one phone means for the other (INFO with DTMF): passed on, the answer's code passed back. */
#include "sip/originator/call.h"

#include "base/buf.h"

#include <stdlib.h>

enum { PASSING_MAX = 32 };

struct passing {
	struct le le;
	struct leg *from;
	struct sip_strans *transaction;
	struct sip_msg *message;
};

static void passing_free(struct passing *p)
{
	list_unlink(&p->le);
	mem_deref(p->transaction);
	mem_deref(p->message);
	free(p);
}

static void answer(struct passing *p, uint16_t code, const char *reason)
{
	(void)sip_treply(&p->transaction, p->from->call->o->sip, p->message, code, reason);
	p->transaction = NULL;
	passing_free(p);
}

static void on_answer(void *arg, int err, const struct sip_msg *msg)
{
	struct passing *p = arg;
	char *reason;

	if (!err && msg->scode < 200)
		return;
	if (err || message_passed_code(msg->scode) != msg->scode) {
		answer(p, 500, "No Answer From The Other Phone");
		return;
	}
	reason = message_text(&msg->reason);
	answer(p, msg->scode, reason ? reason : "OK");
	free(reason);
}

static nxv_status forward(struct passing *p)
{
	struct outgoing out = { .fn = on_answer, .arg = p };
	char *method = message_text(&p->message->met);
	const struct sip_hdr *type = sip_msg_hdr(p->message, SIP_HDR_CONTENT_TYPE);
	const struct sip_hdr *package = sip_msg_xhdr(p->message, "Info-Package");
	char *type_text = type ? message_text(&type->val) : NULL;
	struct buf headers = { .max = 256 };
	nxv_status st = NXV_E_NOMEM;

	if (package)
		buf_printf(&headers, "Info-Package: %.*s\r\n", (int)package->val.l, package->val.p);
	if (method && (!type || type_text) && !headers.failed) {
		out.method = method;
		out.type = type_text;
		out.headers = headers.data;
		(void)message_body(p->message, &out.body);
		st = dialog_send(&call_other(p->from)->dialog, &out, NULL, NULL);
	}
	buf_free(&headers);
	free(method);
	free(type_text);
	return st;
}

void pass_request(struct leg *from, const struct sip_msg *msg)
{
	struct call *call = from->call;
	struct passing *p;

	if (call_other(from)->state != LEG_UP || list_count(&call->passing) >= PASSING_MAX) {
		message_reply(call->o, msg, 500, "Other Phone Not There");
		return;
	}
	p = calloc(1, sizeof(*p));
	if (!p || sip_strans_alloc(&p->transaction, call->o->sip, msg, NULL, NULL) != 0) {
		free(p);
		return;
	}
	p->from = from;
	p->message = mem_ref((void *)msg);
	list_append(&call->passing, &p->le, p);
	if (forward(p) != NXV_OK)
		answer(p, 500, "Cannot Reach The Other Phone");
}

void pass_clear(struct call *call)
{
	while (call->passing.head)
		passing_free(call->passing.head->data);
}
