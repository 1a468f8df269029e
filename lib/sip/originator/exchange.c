/* exchange.c - offers that we make to phones already up: joining A and B, restoring, refreshing; and what becomes of
 * them. One exchange at a time per call: RFC 3261 allows a dialog no more, and two dialogs share the media here. */
#include "sip/originator/call.h"

#include "base/error.h"
#include "sip/originator/sdp.h"

#include <stdlib.h>
#include <string.h>

enum {
	GUARD_MS = 32000,    /* a phone answers a re-INVITE without asking anybody */
	PAUSE_MIN_MS = 2100, /* after 491: we own the Call-ID (RFC 3261, 14.1) */
	PAUSE_SPAN_MS = 1900,
	GONE_MS = 500,        /* a 481 may overtake the BYE that explains it */
	TRIES_MAX = 5,
	JOIN_ROUNDS_MAX = 4,
	REJOIN_AGAIN_MS = 500,
	EARLIES_MAX = 8 /* phones that ring together take turns */
};

static void on_answer(void *arg, int err, const struct sip_msg *msg);

void exchange_clear(struct call *call)
{
	struct exchange *x = &call->x;

	tmr_cancel(&x->timer);
	free(x->offer);
	free(x->answer);
	free(x->heard);
	mem_deref(x->transaction);
	mem_deref(x->message);
	mem_deref(x->reply);
	memset(x, 0, sizeof(*x));
	relay_next(call);
}

bool exchange_busy(const struct call *call)
{
	return call->x.kind != EXCHANGE_NONE;
}

static void on_guard(void *arg)
{
	struct call *call = arg;

	request_cancel(call->x.request);
	call_lost(call->x.asked, 408, "no answer to a re-INVITE");
}

static nxv_status ask(struct call *call, struct nxv_error *err)
{
	struct exchange *x = &call->x;
	char *headers = refresh_offer_headers(x->asked);
	struct outgoing out = { .method = "INVITE", .headers = headers, .fn = on_answer, .arg = call };
	nxv_status st;

	if (x->offer) {
		out.type = "application/sdp";
		pl_set_str(&out.body, x->offer);
	}
	if (x->kind == EXCHANGE_REFRESH && x->asked->can_update) {
		out.method = "UPDATE";
		out.type = NULL;
		out.body = (struct pl)PL_INIT;
	}
	if (call->joined && x->kind != EXCHANGE_REFRESH)
		call_changed(call, CARRIER_PROMISED);
	if (call->state >= CALL_ENDING) { /* whoever was told ended it, and this exchange with it */
		free(headers);
		return NXV_OK;
	}
	st = headers ? dialog_send(&x->asked->dialog, &out, &x->request, err) : error_nomem(err);
	if (st == NXV_OK)
		tmr_start(&x->timer, GUARD_MS, on_guard, call);
	free(headers);
	return st;
}

nxv_status exchange_offer(
	struct call *call, enum exchange_kind kind, struct leg *asked, const char *sdp, struct nxv_error *err)
{
	struct exchange *x = &call->x;

	x->kind = kind;
	x->asked = asked;
	x->tries++;
	free(x->offer);
	x->offer = sdp ? leg_describe(asked, sdp, NULL) : NULL;
	if (sdp && !x->offer)
		return error_nomem(err);
	return ask(call, err);
}

/* For offers that no phone waits for. */
static void offer_or_lose(struct call *call, enum exchange_kind kind, struct leg *asked, const char *sdp)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (exchange_offer(call, kind, asked, sdp, &err) != NXV_OK)
		call_lost(asked, 0, err.message);
}

void exchange_join(struct call *call)
{
	call->state = CALL_JOINING;
	if (call->x.kind == EXCHANGE_EARLY) /* goes on when A has answered */
		return;
	call->x.tries = 0;
	offer_or_lose(call, EXCHANGE_JOIN, &call->a, call->b.media);
}

void exchange_early(struct call *call, const struct sip_msg *msg)
{
	char *sdp = message_sdp(msg);
	bool news = sdp_text_usable(sdp) && call->a.told && !sdp_text_same(sdp, call->a.told);

	if (news && call->state == CALL_RINGING_B && call->a.state == LEG_UP && !exchange_busy(call) &&
		call->earlies++ < EARLIES_MAX && exchange_offer(call, EXCHANGE_EARLY, &call->a, sdp, NULL) != NXV_OK)
		exchange_clear(call);
	free(sdp);
}

/* A took it or not: B's answer may have come meanwhile. */
static void early_over(struct call *call)
{
	exchange_clear(call);
	if (call->state == CALL_JOINING)
		exchange_join(call);
}

void exchange_restore(struct call *call, struct leg *asked)
{
	offer_or_lose(call, EXCHANGE_RESTORE, asked, call_other(asked)->media);
}

void exchange_refresh(struct leg *leg)
{
	struct call *call = leg->call;
	struct exchange *x = &call->x;

	if (leg->stale) {
		exchange_restore(call, leg);
		return;
	}
	x->kind = EXCHANGE_REFRESH;
	x->asked = leg;
	x->offer = leg->told ? strdup(leg->told) : NULL;
	if (!x->offer || ask(call, NULL) != NXV_OK) {
		exchange_clear(call);
		call_lost(leg, 0, "cannot send a session refresh");
	}
}

void exchange_settled(struct call *call)
{
	bool first = !call->joined;

	exchange_clear(call);
	tmr_cancel(&call->rejoin);
	call->state = CALL_JOINED;
	call->joined = true;
	if (!first)
		return;
	alive_watch(&call->a);
	alive_watch(&call->b);
	call_emit(call, CARRIER_JOINED, 0, NULL, NULL);
}

static void on_rejoin(void *arg)
{
	struct call *call = arg;

	if (exchange_busy(call))
		exchange_join_later(call, REJOIN_AGAIN_MS);
	else
		exchange_join(call);
}

void exchange_join_later(struct call *call, uint64_t ms)
{
	tmr_start(&call->rejoin, ms, on_rejoin, call);
}

/* A or B took our offer while they are being joined. What it now says may be news to the other one. */
static void join_step(struct call *call, char *before)
{
	struct exchange *x = &call->x;
	bool settled;

	if (x->kind == EXCHANGE_JOIN && call->b.stale)
		settled = false;
	else if (x->kind == EXCHANGE_JOIN)
		settled = sdp_text_settled(call->b.told, call->b.media, call->a.media);
	else
		settled = sdp_text_same(before, call->b.media);
	if (settled || x->tries >= JOIN_ROUNDS_MAX)
		exchange_settled(call);
	else if (x->kind == EXCHANGE_JOIN)
		offer_or_lose(call, EXCHANGE_TELL, &call->b, call->a.media);
	else
		offer_or_lose(call, EXCHANGE_JOIN, &call->a, call->b.media);
}

static void accepted(struct call *call, const struct sip_msg *msg)
{
	struct exchange *x = &call->x;
	struct leg *asked = x->asked;
	char *before = asked->media ? strdup(asked->media) : NULL;

	dialog_move(&asked->dialog, msg);
	if (pl_strcmp(&msg->cseq.met, "INVITE") == 0)
		dialog_ack(&asked->dialog, msg->cseq.num, NULL);
	leg_told(asked, x->offer);
	x->offer = NULL;
	leg_heard(asked, msg);
	refresh_accepted(asked, msg);
	if (call->state >= CALL_ENDING || !before)
		exchange_clear(call);
	else if ((x->kind == EXCHANGE_JOIN || x->kind == EXCHANGE_TELL) && !sdp_text_usable(asked->media))
		call_media_refused(call, msg->scode, NULL);
	else if (x->kind == EXCHANGE_JOIN || x->kind == EXCHANGE_TELL)
		join_step(call, before);
	else if (x->kind == EXCHANGE_EARLY)
		early_over(call);
	else
		exchange_clear(call);
	free(before);
}

bool exchange_yield(struct call *call, const struct leg *to)
{
	struct exchange *x = &call->x;
	bool paused = x->asked == to && !x->request && x->offer && tmr_isrunning(&x->timer);

	if (!paused || x->kind == EXCHANGE_RELAY || x->kind == EXCHANGE_GONE)
		return false;
	if (x->kind == EXCHANGE_JOIN || x->kind == EXCHANGE_TELL)
		exchange_join_later(call, PAUSE_MIN_MS + PAUSE_SPAN_MS); /* unless the phone's offer joins them */
	exchange_clear(call);
	return true;
}

static void on_pause_over(void *arg)
{
	struct call *call = arg;

	if (call->state >= CALL_ENDING)
		return;
	if (ask(call, NULL) != NXV_OK)
		call_lost(call->x.asked, 0, "cannot repeat a re-INVITE");
}

/* The phone knows the call no more, and no BYE came. */
static void on_gone(void *arg)
{
	struct call *call = arg;

	if (call->state < CALL_ENDING)
		call_lost(call->x.asked, 481, "its phone knows the call no more");
}

void exchange_gone(struct call *call, struct leg *asked)
{
	exchange_clear(call);
	call->x.kind = EXCHANGE_GONE;
	call->x.asked = asked;
	tmr_start(&call->x.timer, GONE_MS, on_gone, call);
}

/* The phone has an offer of its own under way, or ours of before a crash (RFC 3261, 14.2). */
static bool pending(int code, const struct sip_msg *msg)
{
	return code == 491 || (code == 500 && sip_msg_hdr(msg, SIP_HDR_RETRY_AFTER));
}

static void refused(struct call *call, int err, const struct sip_msg *msg)
{
	struct exchange *x = &call->x;
	int code = err ? 408 : msg->scode;

	if (x->kind == EXCHANGE_EARLY && code != 408 && code != 481) {
		early_over(call);
		return;
	}
	if (pending(code, msg) && ++x->tries < TRIES_MAX) {
		tmr_start(&x->timer, PAUSE_MIN_MS + rand_u16() % PAUSE_SPAN_MS, on_pause_over, call);
		return;
	}
	if (err)
		call_server_silent(call);
	else if (code == 481)
		exchange_gone(call, x->asked);
	else if (code == 408)
		call_lost(x->asked, code, "no answer to a re-INVITE");
	else if (x->kind == EXCHANGE_REFRESH || x->kind == EXCHANGE_RESTORE)
		exchange_clear(call); /* the session stays as it was */
	else if (call->joined)
		exchange_settled(call); /* likewise */
	else if (code == 415 || code == 488 || code == 606)
		call_media_refused(call, code, &msg->reason);
	else
		call_lost(x->asked, code, "refused the other phone's media");
}

static void on_answer(void *arg, int err, const struct sip_msg *msg)
{
	struct call *call = arg;
	struct exchange *x = &call->x;

	if (!err && msg->scode < 200)
		return;
	tmr_cancel(&x->timer);
	if (x->kind == EXCHANGE_RELAY && !err && msg->scode < 300)
		relay_answered(call, msg);
	else if (x->kind == EXCHANGE_RELAY)
		relay_failed(call, err, msg);
	else if (!err && msg->scode < 300)
		accepted(call, msg);
	else if (call->state < CALL_ENDING)
		refused(call, err, msg);
	call_changed(call, CARRIER_CHANGED);
}
