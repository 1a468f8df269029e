/* relay.c - a phone's own offer (hold, resume, another codec) or its request for one, passed to the other phone,
 * whose answer is passed back. Both phones always describe themselves; we change only the o= line. */
#include "sip/originator/call.h"

#include "base/error.h"
#include "sip/originator/sdp.h"

#include <stdlib.h>
#include <string.h>

enum { T1_MS = 500, T2_MS = 4000, REPEATS_MAX = 10 /* for 64 * T1 */, WAIT_MS = 400 /* less than T1: the phone need not ask again */ };

static bool is_invite(const struct sip_msg *msg)
{
	return pl_strcmp(&msg->met, "INVITE") == 0;
}

static void answer_asker(struct call *call, uint16_t code, const char *reason)
{
	struct exchange *x = &call->x;

	if (x->transaction)
		(void)sip_treply(&x->transaction, call->o->sip, x->message, code, reason);
	x->transaction = NULL;
}

static void on_repeat(void *arg)
{
	struct call *call = arg;
	struct exchange *x = &call->x;

	if (++x->repeated > REPEATS_MAX) {
		call_lost(x->asker, 0, "no ACK for the answer to its re-INVITE");
		return;
	}
	x->reply->pos = 0;
	(void)sip_send(call->o->sip, x->message->sock, x->message->tp, &x->message->src, x->reply);
	tmr_start(&x->timer, x->repeated < 3 ? (uint64_t)T1_MS << x->repeated : T2_MS, on_repeat, call);
}

/* A 2xx whose description is x->answer. False if the phone could not be answered. */
static bool accept_asker(struct call *call)
{
	struct exchange *x = &call->x;
	struct originator *o = call->o;
	char *timer = refresh_answer_headers(x->asker);
	bool invite = is_invite(x->message);
	int e;

	e = sip_treplyf(&x->transaction, invite ? &x->reply : NULL, o->sip, x->message, false, 200, "OK",
		"Contact: <sip:nexusvoip@%s%s>\r\n" DIALOG_ALLOW
		"Supported: timer\r\n%sContent-Type: application/sdp\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		o->hostport, o->transport == SIP_TRANSP_TCP ? ";transport=tcp" : "", timer ? timer : "",
		strlen(x->answer), x->answer);
	x->transaction = NULL;
	free(timer);
	if (e || !invite)
		return !e;
	x->repeated = 0;
	tmr_start(&x->timer, T1_MS, on_repeat, call);
	return true;
}

/* Both phones have agreed. */
static void settle(struct call *call)
{
	struct exchange *x = &call->x;

	leg_told(x->asker, x->answer);
	x->answer = NULL;
	if (x->heard) {
		free(x->asker->media);
		x->asker->media = x->heard;
		x->heard = NULL;
	}
	exchange_clear(call);
	if (tmr_isrunning(&call->rejoin))
		exchange_settled(call);
}

/* The phone takes its request back (CANCEL). */
static void on_cancel(void *arg)
{
	struct call *call = arg;

	answer_asker(call, 487, "Request Terminated");
	request_cancel(call->x.request);
}

/* Nothing changed: its session timer. No need to trouble the other phone. */
static bool repeats_itself(const struct leg *asker, const char *sdp)
{
	return sdp && asker->media && asker->told && !asker->stale && strcmp(sdp, asker->media) == 0;
}

static void begin(struct leg *asker, const struct sip_msg *msg, char *sdp)
{
	struct call *call = asker->call;
	struct exchange *x = &call->x;
	nxv_status st = NXV_OK;

	x->kind = EXCHANGE_RELAY;
	x->asker = asker;
	x->heard = sdp;
	x->message = mem_ref((void *)msg);
	if (sip_strans_alloc(&x->transaction, call->o->sip, msg, on_cancel, call) != 0) {
		exchange_clear(call);
		return;
	}
	if (repeats_itself(asker, sdp)) {
		x->answer = strdup(asker->told);
		if (x->answer && accept_asker(call)) {
			if (!is_invite(msg))
				settle(call);
			return;
		}
		st = NXV_E_NOMEM;
	}
	if (st == NXV_OK)
		st = exchange_offer(call, EXCHANGE_RELAY, call_other(asker), sdp, NULL);
	if (st != NXV_OK) {
		answer_asker(call, 500, "Cannot Reach The Other Phone");
		exchange_clear(call);
	}
}

/* The phone's next request: it has our 2xx, and only the ACK was overtaken on its way here. */
static bool implies_ack(const struct leg *asker, const struct sip_msg *msg)
{
	const struct exchange *x = &asker->call->x;

	return x->kind == EXCHANGE_RELAY && x->asker == asker && x->reply && !x->ack_due &&
		msg->cseq.num > x->message->cseq.num;
}

static void on_turn(void *arg)
{
	struct call *call = arg;
	struct sip_msg *msg = call->waiting;

	call->waiting = NULL;
	if (exchange_busy(call))
		message_reply(call->o, msg, 491, "Request Pending");
	else
		relay_start(call->next, msg);
	mem_deref(msg);
}

/* Nothing of ours is under way to this phone: its offer can wait for the other one's answer or ACK, which mostly are on
 * their way, instead of hearing 491. */
static bool wait_for_turn(struct leg *asker, const struct sip_msg *msg)
{
	struct call *call = asker->call;
	const struct exchange *x = &call->x;

	if (!exchange_busy(call) || x->kind == EXCHANGE_GONE || x->asker == asker || (x->request && x->asked == asker) ||
		(x->asked == asker && !x->reply) || call_other(asker)->state != LEG_UP || (call->waiting && call->next != asker))
		return false;
	if (!call->waiting) {
		call->next = asker;
		call->waiting = mem_ref((void *)msg);
		tmr_start(&call->turn, WAIT_MS, on_turn, call);
	}
	return true;
}

void relay_next(struct call *call)
{
	if (call->waiting)
		tmr_start(&call->turn, 0, on_turn, call);
}

void relay_turn_away(struct call *call)
{
	tmr_cancel(&call->turn);
	if (call->waiting)
		message_reply(call->o, call->waiting, 491, "Request Pending");
	call->waiting = mem_deref(call->waiting);
}

void relay_start(struct leg *asker, const struct sip_msg *msg)
{
	struct call *call = asker->call;
	struct leg *other = call_other(asker);
	char *sdp = message_sdp(msg);

	if (implies_ack(asker, msg))
		settle(call);
	if (sdp && !sdp_text_valid(sdp)) {
		message_reply(call->o, msg, 488, "No Session Description");
	} else if (asker->state == LEG_UP && !exchange_yield(call, asker) && wait_for_turn(asker, msg)) {
		/* its turn comes */
	} else if (asker->state != LEG_UP || exchange_busy(call)) {
		message_reply(call->o, msg, 491, "Request Pending");
	} else if (other->state != LEG_UP && !repeats_itself(asker, sdp)) {
		message_reply(call->o, msg, 491, "Other Phone Still Rings");
	} else if (refresh_requested(asker, msg)) {
		dialog_move(&asker->dialog, msg);
		begin(asker, msg, sdp);
		return;
	}
	free(sdp);
}

/* The offer, or the answer, of the asked phone goes to the asker. */
static void pass_back(struct call *call, const struct sip_msg *msg)
{
	struct exchange *x = &call->x;
	bool told = x->asked->media && (x->answer = leg_describe(x->asker, x->asked->media, NULL)) != NULL;

	if (!told || !accept_asker(call)) {
		answer_asker(call, 500, "Out Of Memory");
		call_lost(x->asker, 0, "its re-INVITE could not be answered");
	} else if (!is_invite(x->message)) {
		settle(call);
	}
	(void)msg;
}

void relay_answered(struct call *call, const struct sip_msg *msg)
{
	struct exchange *x = &call->x;
	struct leg *asked = x->asked;

	dialog_move(&asked->dialog, msg);
	refresh_accepted(asked, msg);
	leg_heard(asked, msg);
	if (x->offer) {
		dialog_ack(&asked->dialog, msg->cseq.num, NULL);
		leg_told(asked, x->offer);
		x->offer = NULL;
	} else {
		x->ack_due = msg->cseq.num;
	}
	if (call->state >= CALL_ENDING) {
		relay_abort(call);
	} else if (x->transaction) {
		pass_back(call, msg);
	} else { /* taken back meanwhile */
		relay_release(call);
		exchange_clear(call);
		exchange_restore(call, asked);
	}
}

void relay_failed(struct call *call, int err, const struct sip_msg *msg)
{
	struct exchange *x = &call->x;
	struct leg *asked = x->asked;
	int code = err ? 408 : msg->scode;
	char *reason = err ? NULL : message_text(&msg->reason);

	if (err || message_passed_code((uint16_t)code) != code)
		answer_asker(call, 500, "No Answer From The Other Phone");
	else
		answer_asker(call, (uint16_t)code, reason ? reason : "Refused");
	free(reason);
	exchange_clear(call);
	if (err)
		call_server_silent(call);
	else if (code == 481)
		exchange_gone(call, asked);
	else if (code == 408)
		call_lost(asked, code, "no answer to a relayed re-INVITE");
}

void relay_release(struct call *call)
{
	struct exchange *x = &call->x;
	struct sdp_origin origin;
	char *refusal;

	if (!x->ack_due)
		return;
	leg_origin(x->asked, &origin);
	refusal = sdp_text_refuse(x->asked->media ? x->asked->media : "", &origin);
	dialog_ack(&x->asked->dialog, x->ack_due, refusal);
	x->ack_due = 0;
	free(refusal);
}

/* The ACK holds the answer when the 2xx held the offer. */
static void pass_answer(struct call *call, const struct sip_msg *msg)
{
	struct exchange *x = &call->x;
	char *text;

	leg_heard(x->asker, msg);
	text = x->asker->media ? leg_describe(x->asked, x->asker->media, NULL) : NULL;
	dialog_ack(&x->asked->dialog, x->ack_due, text);
	x->ack_due = 0;
	if (text)
		leg_told(x->asked, text);
}

void relay_acknowledged(struct leg *asker, const struct sip_msg *msg)
{
	struct call *call = asker->call;
	struct exchange *x = &call->x;

	if (x->kind != EXCHANGE_RELAY || x->asker != asker || !x->reply || msg->cseq.num != x->message->cseq.num)
		return;
	tmr_cancel(&x->timer);
	if (x->ack_due)
		pass_answer(call, msg);
	settle(call);
}

void relay_abort(struct call *call)
{
	struct exchange *x = &call->x;

	if (x->kind != EXCHANGE_RELAY)
		return;
	answer_asker(call, 487, "Call Ended");
	relay_release(call);
	if (!x->request)
		exchange_clear(call);
	else
		tmr_cancel(&x->timer);
}
