/* call.c - the flow of a third-party call (RFC 3725). Flow II: ring A with media held back, ring B with A's, give A B's.
 * Flow I, for browsers: ring A without an offer, ring B with A's, acknowledge A with B's answer. Everything that can end it is decided here, and told to the carrier's owner. */
#include "sip/originator/call.h"

#include "base/error.h"
#include "base/text.h"
#include "sip/originator/invite.h"
#include "sip/originator/sdp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A phone repeats its 2xx for 64 * T1 = 32 s and then gives up (RFC 3261, 13.3.1.4). */
enum { OFFER_WAIT_MS = 28000 };

struct leg *call_other(struct leg *leg)
{
	return leg == &leg->call->a ? &leg->call->b : &leg->call->a;
}

void call_emit(
	struct call *call, enum carrier_event_kind kind, int code, const struct pl *reason, const struct pl *contact)
{
	struct originator *o = call->o;
	char *why = reason && pl_isset(reason) ? message_text(reason) : NULL;
	char *where = contact && pl_isset(contact) ? message_text(contact) : NULL;
	struct carrier_event event = {
		.kind = kind, .sip_code = code, .sip_reason = why, .contact = where, .at_ms = env_now_ms(o->env)
	};

	if (!o->closing)
		o->sink(o->sink_arg, call->session_id, &event);
	free(why);
	free(where);
}

static bool same_call_id(struct le *le, void *arg)
{
	const struct leg *leg = le->data;

	return strcmp(leg->dialog.call_id, arg) == 0;
}

struct call *call_find(const struct originator *o, const char *session_id)
{
	char call_id[160];
	struct leg *a = NULL;

	if (snprintf(call_id, sizeof(call_id), "%s-a", session_id) < (int)sizeof(call_id))
		a = list_ledata(hash_lookup(o->legs, hash_joaat_str(call_id), same_call_id, call_id));
	return a ? a->call : NULL;
}

void call_free(struct call *call)
{
	if (!call)
		return;
	tmr_cancel(&call->linger);
	tmr_cancel(&call->rejoin);
	relay_turn_away(call);
	exchange_clear(call);
	pass_clear(call);
	leg_clear(&call->a);
	leg_clear(&call->b);
	if (call->le.list) {
		list_unlink(&call->le);
		call->o->call_count--;
		if (call->state != CALL_DOWN)
			call->o->live_count--;
	}
	free(call->headers_a);
	free(call->headers_b);
	free(call->session_id);
	free(call);
}

static void on_linger(void *arg)
{
	call_free(arg);
}

/* Tell the SIP server which of the party's phones may ring: those that send sound in this way. */
static nxv_status add_media(char **headers, unsigned media, struct nxv_error *err)
{
	const char *word = media == CARRIER_MEDIA_PLAIN ? "plain" : media == CARRIER_MEDIA_WEB ? "web" : NULL;
	char *all;

	if (!word)
		return NXV_OK;
	all = text_printf("%sX-Nexus-Media: %s\r\n", *headers, word);
	if (!all)
		return error_nomem(err);
	free(*headers);
	*headers = all;
	return NXV_OK;
}

/* A browser takes no offer that carries nothing, so it is asked for one. */
static bool offerless(const struct call *call)
{
	return call->media & CARRIER_MEDIA_WEB;
}

static nxv_status ring_a(struct call *call, struct nxv_error *err)
{
	struct sdp_origin origin;
	char *offer;
	nxv_status st = add_media(&call->headers_a, call->media, err);

	if (st != NXV_OK || offerless(call))
		return st == NXV_OK ? leg_invite(&call->a, NULL, call->headers_a, err) : st;
	call->a.sdp_version = 1;
	leg_origin(&call->a, &origin);
	offer = sdp_text_offer(&origin);
	st = offer ? leg_invite(&call->a, offer, call->headers_a, err) : error_nomem(err);
	leg_told(&call->a, offer);
	return st;
}

nxv_status call_admit(const struct originator *o, const char *session_id, struct nxv_error *err)
{
	if (o->call_count >= ORIGINATOR_CALLS_MAX)
		return error_set(err, NXV_E_LIMIT, "%d calls are under way: try later", ORIGINATOR_CALLS_MAX);
	if (call_find(o, session_id))
		return error_set(err, NXV_E_CONFLICT, "session %s is being called already", session_id);
	return NXV_OK;
}

/* Both legs, nothing sent yet. Takes the headers out of texts. */
static nxv_status make(struct originator *o, const struct carrier_call *in, struct invite_texts *texts,
	struct call **out, struct nxv_error *err)
{
	struct call *call = calloc(1, sizeof(*call));
	nxv_status st;

	*out = call;
	if (!call)
		return error_nomem(err);
	call->o = o;
	call->ring_ms = in->ring_timeout_ms;
	call->media = in->media;
	call->session_id = text_dup(in->session_id);
	call->headers_a = texts->headers_a;
	call->headers_b = texts->headers_b;
	texts->headers_a = texts->headers_b = NULL;
	st = call->session_id ? NXV_OK : error_nomem(err);
	if (st == NXV_OK)
		st = leg_init(&call->a, call, 'a', texts->from_a, texts->target_a, err);
	if (st == NXV_OK)
		st = leg_init(&call->b, call, 'b', texts->from_b, texts->target_b, err);
	return st;
}

nxv_status call_place(struct originator *o, const struct carrier_call *in, struct nxv_error *err)
{
	struct invite_texts texts = { 0 };
	struct call *call = NULL;
	nxv_status st = invite_texts_make(o, in, &texts, err);

	if (st == NXV_OK)
		st = call_admit(o, in->session_id, err);
	if (st == NXV_OK)
		st = make(o, in, &texts, &call, err);
	if (st == NXV_OK)
		st = ring_a(call, err);
	invite_texts_free(&texts);
	if (st != NXV_OK) {
		call_free(call);
		return st;
	}
	call_enlist(call);
	return NXV_OK;
}

void call_enlist(struct call *call)
{
	list_append(&call->o->calls, &call->le, call);
	call->o->call_count++;
	call->o->live_count++;
}

void call_changed(struct call *call, enum carrier_event_kind kind)
{
	if (call->a.state == LEG_UP && call->b.state == LEG_UP && call->state < CALL_ENDING)
		call_emit(call, kind, 0, NULL, NULL);
}

void call_end(struct call *call)
{
	if (call->state >= CALL_ENDING)
		return;
	call->state = CALL_ENDING;
	tmr_cancel(&call->rejoin);
	relay_turn_away(call);
	relay_abort(call);
	leg_end(&call->b);
	leg_end(&call->a);
	call_leg_done(&call->a); /* both may have been gone before */
}

void call_leg_done(struct leg *leg)
{
	struct call *call = leg->call;

	if (call->state != CALL_ENDING || call->a.state != LEG_DONE || call->b.state != LEG_DONE)
		return;
	call->state = CALL_DOWN;
	call->o->live_count--;
	tmr_start(&call->linger, ORIGINATOR_LINGER_MS, on_linger, call);
	call_emit(call, CARRIER_DOWN, 0, NULL, NULL);
}

void call_leg_ringing(struct leg *leg, const struct sip_msg *msg)
{
	call_emit(leg->call, leg->name == 'a' ? CARRIER_A_RINGING : CARRIER_B_RINGING, msg->scode, &msg->reason, NULL);
}

void call_media_refused(struct call *call, int code, const struct pl *reason)
{
	if (call->state < CALL_ENDING)
		call_emit(call, CARRIER_MEDIA_REFUSED, code, reason, NULL);
	call_end(call);
}

void call_lost(struct leg *leg, int code, const char *why)
{
	struct call *call = leg->call;
	struct pl pl;

	env_log(call->o->env, NXV_LOG_WARN, "sip", "session %s: leg %c lost: %s", call->session_id, leg->name, why);
	pl_set_str(&pl, why);
	if (call->state < CALL_ENDING)
		call_emit(call, leg->name == 'a' ? CARRIER_A_LOST : CARRIER_B_LOST, code, &pl, NULL);
	call_end(call);
}

void call_server_silent(struct call *call)
{
	env_log(call->o->env, NXV_LOG_WARN, "sip", "session %s: the SIP server does not answer", call->session_id);
	if (call->state < CALL_ENDING)
		call_emit(call, CARRIER_LOST, 0, NULL, NULL);
	call_end(call);
}

static void ring_b(struct call *call)
{
	struct nxv_error err = NXV_ERROR_INIT;
	const bool web = sdp_text_web(call->a.media);
	char *offer = leg_describe(&call->b, call->a.media, offerless(call) ? NULL : "sendrecv");
	nxv_status st = offer ? NXV_OK : error_nomem(&err);

	if (st == NXV_OK && call->media)
		st = add_media(&call->headers_b, web ? CARRIER_MEDIA_WEB : CARRIER_MEDIA_PLAIN, &err);
	if (offerless(call) && call->ring_ms > OFFER_WAIT_MS)
		call->ring_ms = OFFER_WAIT_MS;
	if (st == NXV_OK)
		st = leg_invite(&call->b, offer, call->headers_b, &err);
	alive_watch(&call->a);
	leg_told(&call->b, offer);
	if (st == NXV_OK) {
		call->state = CALL_RINGING_B;
		return;
	}
	env_log(call->o->env, NXV_LOG_ERROR, "sip", "session %s: cannot ring the callee: %s", call->session_id,
		err.message);
	call_emit(call, CARRIER_B_FAILED, 503, NULL, NULL);
	call_end(call);
}

/* B's answer is the one that A's offer waits for. */
static void join_at_once(struct call *call)
{
	leg_settle(&call->a, call->b.media);
	exchange_settled(call);
	call_changed(call, CARRIER_CHANGED);
}

void call_leg_answered(struct leg *leg, const struct sip_msg *msg)
{
	struct call *call = leg->call;
	struct pl contact = PL_INIT;

	(void)message_contact(msg, &contact);
	call_emit(call, leg->name == 'a' ? CARRIER_A_ANSWERED : CARRIER_B_ANSWERED, msg->scode, &msg->reason, &contact);
	if (call->state >= CALL_ENDING)
		return;
	if (!sdp_text_usable(leg->media) || (leg->name == 'b' && sdp_text_apart(call->a.media, leg->media)))
		call_media_refused(call, 0, NULL);
	else if (leg->name == 'a')
		ring_b(call);
	else if (call->a.ack_due)
		join_at_once(call);
	else
		exchange_join(call);
}

static const struct pl silence = PL("The SIP Server Does Not Answer");

void call_leg_final(struct leg *leg, const struct sip_msg *msg)
{
	call_emit(leg->call, leg->name == 'a' ? CARRIER_A_FINAL : CARRIER_B_FINAL, msg ? msg->scode : 408,
		msg ? &msg->reason : &silence, NULL);
}

void call_leg_failed(struct leg *leg, const struct sip_msg *msg)
{
	struct call *call = leg->call;

	if (call->state >= CALL_ENDING) /* whoever heard of its answer ended the call */
		return;
	if (!msg) {
		call_server_silent(call);
		return;
	}
	if (msg->scode == 488 || msg->scode == 606)
		call_emit(call, CARRIER_MEDIA_REFUSED, msg->scode, &msg->reason, NULL);
	else
		call_emit(call, leg->name == 'a' ? CARRIER_A_FAILED : CARRIER_B_FAILED, msg->scode, &msg->reason, NULL);
	call_end(call);
}

void call_leg_no_answer(struct leg *leg)
{
	struct call *call = leg->call;

	call_emit(call, leg->name == 'a' ? CARRIER_A_NO_ANSWER : CARRIER_B_NO_ANSWER, 0, NULL, NULL);
	call_end(call);
}

void call_leg_hangup(struct leg *leg)
{
	struct call *call = leg->call;

	leg->state = LEG_DONE;
	refresh_stop(leg);
	alive_stop(leg);
	if (call->state < CALL_ENDING)
		call_emit(call, leg->name == 'a' ? CARRIER_A_HANGUP : CARRIER_B_HANGUP, 0, NULL, NULL);
	call_end(call);
	call_leg_done(leg);
}
