/* uas.c - requests from phones, each to its call: hang-ups, new offers, DTMF; and what nobody asked for.
 * Answers that no transaction waits for arrive here too. */
#include "sip/originator/call.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

enum { REQUIRE_MAX = 512 };

static bool same_call_id(struct le *le, void *arg)
{
	const struct leg *leg = le->data;
	const struct sip_msg *msg = arg;

	return pl_strcmp(&msg->callid, leg->dialog.call_id) == 0;
}

static struct leg *find_leg(const struct originator *o, const struct sip_msg *msg)
{
	return list_ledata(hash_lookup(o->legs, hash_joaat_pl(&msg->callid), same_call_id, (void *)msg));
}

static void on_bye(struct leg *leg, const struct sip_msg *msg)
{
	message_reply(leg->call->o, msg, 200, "OK");
	call_leg_hangup(leg);
}

static void on_invite(struct leg *leg, const struct sip_msg *msg)
{
	relay_start(leg, msg);
}

static void on_update(struct leg *leg, const struct sip_msg *msg)
{
	struct originator *o = leg->call->o;
	struct pl body;
	char *timer;

	if (message_body(msg, &body) && pl_isset(&body)) {
		relay_start(leg, msg);
		return;
	}
	if (!refresh_requested(leg, msg))
		return;
	dialog_move(&leg->dialog, msg);
	timer = refresh_answer_headers(leg);
	(void)sip_treplyf(NULL, NULL, o->sip, msg, false, 200, "OK",
		"Contact: <sip:nexusvoip@%s%s>\r\n%sContent-Length: 0\r\n\r\n", o->hostport,
		o->transport == SIP_TRANSP_TCP ? ";transport=tcp" : "", timer ? timer : "");
	free(timer);
}

static void on_options(struct leg *leg, const struct sip_msg *msg)
{
	message_reply_with(
		leg->call->o, msg, 200, "OK", DIALOG_ALLOW "Accept: application/sdp\r\nSupported: timer, 100rel\r\n");
}

static void on_prack(struct leg *leg, const struct sip_msg *msg)
{
	message_reply(leg->call->o, msg, 481, "No Reliable Answer To Acknowledge"); /* we send none */
}

static void on_refer(struct leg *leg, const struct sip_msg *msg)
{
	message_reply(leg->call->o, msg, 603, "Transfer Not Supported");
}

static const struct method {
	const char *name;
	void (*fn)(struct leg *leg, const struct sip_msg *msg);
} methods[] = {
	{ "BYE", on_bye },
	{ "INVITE", on_invite },
	{ "UPDATE", on_update },
	{ "INFO", pass_request },
	{ "OPTIONS", on_options },
	{ "PRACK", on_prack },
	{ "REFER", on_refer },
};

/* RFC 3261, 8.2.1 and 21.5.2: known to SIP but not done here, or unknown. */
static void refuse_method(struct originator *o, const struct sip_msg *msg)
{
	static const char *const known[] = { "BYE", "CANCEL", "INFO", "MESSAGE", "NOTIFY", "OPTIONS", "PRACK", "PUBLISH", "REFER",
		"REGISTER", "SUBSCRIBE", "UPDATE" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (pl_strcmp(&msg->met, known[i]) == 0) {
			message_reply_with(o, msg, 405, "Method Not Allowed", DIALOG_ALLOW);
			return;
		}
	}
	message_reply_with(o, msg, 501, "Method Not Known", DIALOG_ALLOW);
}

static void dispatch(struct leg *leg, const struct sip_msg *msg)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (pl_strcmp(&msg->met, methods[i].name) == 0) {
			methods[i].fn(leg, msg);
			return;
		}
	}
	refuse_method(leg->call->o, msg);
}

/* A request outside our calls: the server's own probes and questions are answered, nobody can call us. */
static void outside(struct originator *o, const struct sip_msg *msg)
{
	if (pl_strcmp(&msg->met, "CANCEL") == 0 || pl_isset(&msg->to.tag))
		message_reply(o, msg, 481, "Call Does Not Exist");
	else if (pl_strcmp(&msg->met, "OPTIONS") == 0)
		message_reply_with(o, msg, 200, "OK", DIALOG_ALLOW);
	else if (pl_strcmp(&msg->met, "INVITE") == 0 && consent_asked(o, msg))
		return;
	else if (pl_strcmp(&msg->met, "INVITE") == 0)
		message_reply(o, msg, 403, "This Address Takes No Calls");
	else
		refuse_method(o, msg);
}

/* Collect what a request asks for that is not done here (RFC 3261, 8.2.2.3: all of it). */
static bool put_unsupported(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct buf *list = arg;

	(void)msg;
	if (pl_strcasecmp(&hdr->val, "timer") != 0 && pl_strcasecmp(&hdr->val, "100rel") != 0)
		buf_printf(list, "%s%.*s", list->len ? ", " : "", (int)hdr->val.l, hdr->val.p);
	return false;
}

/* False: it was answered with 420. */
static bool supported(struct originator *o, const struct sip_msg *msg)
{
	struct buf list = { .max = REQUIRE_MAX };
	bool all;

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_REQUIRE, put_unsupported, &list);
	all = !list.len && !list.failed;
	if (!all)
		(void)sip_treplyf(NULL, NULL, o->sip, msg, false, 420, "Bad Extension", "%s%s%sContent-Length: 0\r\n\r\n",
			list.len ? "Unsupported: " : "", list.len ? list.data : "", list.len ? "\r\n" : "");
	buf_free(&list);
	return all;
}

/* What any request of a call must fulfil; answers it and returns false if it does not. */
static bool acceptable(struct leg *leg, const struct sip_msg *msg)
{
	struct originator *o = leg->call->o;
	bool offer = pl_strcmp(&msg->met, "INVITE") == 0 || pl_strcmp(&msg->met, "UPDATE") == 0;
	struct pl body;

	if (leg->dialog.remote_seq && msg->cseq.num < leg->dialog.remote_seq) {
		message_reply(o, msg, 500, "CSeq Out Of Order");
		return false;
	}
	leg->dialog.remote_seq = msg->cseq.num;
	if (!supported(o, msg))
		return false;
	if (offer && message_body(msg, &body) && pl_isset(&body) && !msg_ctype_cmp(&msg->ctyp, "application", "sdp")) {
		message_reply_with(o, msg, 415, "Unsupported Media Type", "Accept: application/sdp\r\n");
		return false;
	}
	return true;
}

void uas_request(struct originator *o, const struct sip_msg *msg)
{
	struct leg *leg = find_leg(o, msg);
	bool ours = leg && dialog_matches(&leg->dialog, msg);
	struct pl body;

	transport_tune(msg);
	if (pl_strcmp(&msg->met, "ACK") == 0) {
		if (ours && message_body(msg, &body)) {
			relay_acknowledged(leg, msg);
			call_changed(leg->call, CARRIER_CHANGED);
		}
		return;
	}
	if (!message_body(msg, &body))
		message_reply(o, msg, 400, "Body Shorter Than Content-Length");
	else if (!ours)
		outside(o, msg);
	else if (leg->state == LEG_DONE)
		message_reply(o, msg, 481, "Call Has Ended");
	else if (acceptable(leg, msg))
		dispatch(leg, msg);
	if (ours)
		call_changed(leg->call, CARRIER_CHANGED);
}

void uas_stray_response(struct originator *o, const struct sip_msg *msg)
{
	struct leg *leg;

	if (pl_strcmp(&msg->cseq.met, "INVITE") != 0 || msg->scode < 200 || msg->scode >= 300)
		return;
	leg = find_leg(o, msg);
	if (leg)
		leg_stray_answer(leg, msg);
}
