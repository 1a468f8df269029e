/* leg.c - one leg of a call: the life of its INVITE, its CANCEL and BYE, and what its phone was told.
 * 2xx answers are acknowledged here, repeated ones and those of other phones included. */
#include "sip/originator/call.h"

#include "base/error.h"
#include "base/text.h"
#include "sip/originator/sdp.h"

#include <stdlib.h>
#include <string.h>

enum { SIBLINGS_MAX = 16 };

/* A phone that answered the INVITE after another one had. */
struct sibling {
	struct le le;
	struct dialog dialog;
};

nxv_status leg_init(
	struct leg *leg, struct call *call, char name, const char *from, const char *target, struct nxv_error *err)
{
	char *call_id = text_printf("%s-%c", call->session_id, name), *to = text_printf("<%s>", target);
	nxv_status st = call_id && to ? NXV_OK : error_nomem(err);

	leg->call = call;
	leg->name = name;
	if (st == NXV_OK)
		st = env_random(call->o->env, &leg->sdp_id, sizeof(leg->sdp_id), err);
	leg->sdp_id >>= 2; /* some phones read it as a signed number */
	if (st == NXV_OK)
		st = dialog_init(&leg->dialog, call->o, call_id, from, to, target, err);
	if (st == NXV_OK)
		hash_append(call->o->legs, hash_joaat_str(call_id), &leg->he, leg);
	free(call_id);
	free(to);
	return st;
}

void leg_clear(struct leg *leg)
{
	hash_unlink(&leg->he);
	tmr_cancel(&leg->ring);
	refresh_stop(leg);
	alive_stop(leg);
	early_clear(leg);
	while (leg->siblings.head) {
		struct sibling *s = leg->siblings.head->data;

		list_unlink(&s->le);
		dialog_clear(&s->dialog);
		free(s);
	}
	dialog_clear(&leg->dialog);
	free(leg->told);
	free(leg->media);
	leg->told = leg->media = NULL;
}

void leg_origin(const struct leg *leg, struct sdp_origin *out)
{
	const struct originator *o = leg->call->o;

	*out = (struct sdp_origin){ .id = leg->sdp_id,
		.version = leg->sdp_version,
		.ip6 = sa_af(&o->local) == AF_INET6,
		.address = o->address };
}

char *leg_describe(struct leg *leg, const char *sdp, const char *direction)
{
	struct sdp_origin origin;
	char *text;

	leg_origin(leg, &origin);
	text = sdp_text_relay(sdp, &origin, direction);
	if (!text || (leg->told && !leg->stale && sdp_text_same(text, leg->told)))
		return text;
	free(text);
	origin.version = ++leg->sdp_version;
	return sdp_text_relay(sdp, &origin, direction);
}

void leg_told(struct leg *leg, char *text)
{
	free(leg->told);
	leg->told = text;
	leg->stale = false;
}

void leg_heard(struct leg *leg, const struct sip_msg *msg)
{
	char *sdp = message_sdp(msg);

	if (!sdp_text_valid(sdp)) {
		free(sdp);
		return;
	}
	free(leg->media);
	leg->media = sdp;
}

static void leg_done(struct leg *leg)
{
	leg->state = LEG_DONE;
	tmr_cancel(&leg->ring);
	refresh_stop(leg);
	alive_stop(leg);
	call_leg_done(leg);
}

static void on_bye(void *arg, int err, const struct sip_msg *msg)
{
	struct leg *leg = arg;

	if ((err || msg->scode >= 200) && leg->state == LEG_BYING)
		leg_done(leg);
}

void leg_settle(struct leg *leg, const char *sdp)
{
	struct sdp_origin origin;
	char *answer;

	if (!leg->ack_due)
		return;
	leg_origin(leg, &origin);
	answer = sdp ? leg_describe(leg, sdp, NULL) : sdp_text_refuse(leg->media ? leg->media : "", &origin);
	dialog_ack(&leg->dialog, leg->ack_due, answer);
	leg_told(leg, answer);
	leg->ack_due = 0;
}

static void send_bye(struct leg *leg)
{
	const struct outgoing bye = { .method = "BYE", .fn = on_bye, .arg = leg };

	leg_settle(leg, NULL);
	leg->state = LEG_BYING;
	refresh_stop(leg);
	alive_stop(leg);
	if (dialog_send(&leg->dialog, &bye, NULL, NULL) != NXV_OK)
		leg_done(leg);
}

void leg_end(struct leg *leg)
{
	switch (leg->state) {
	case LEG_IDLE:
		leg_done(leg);
		break;
	case LEG_CALLING:
		leg->state = LEG_CANCELLING;
		tmr_cancel(&leg->ring);
		request_cancel(leg->invite);
		break;
	case LEG_UP:
		send_bye(leg);
		break;
	default:
		break;
	}
}

static void answered(struct leg *leg, const struct sip_msg *msg)
{
	bool canceled = leg->state == LEG_CANCELLING;
	nxv_status st;

	tmr_cancel(&leg->ring);
	st = dialog_confirm(&leg->dialog, msg, NULL);
	leg->state = LEG_UP;
	leg_heard(leg, msg);
	early_done(leg, msg);
	leg->can_update = message_lists(msg, SIP_HDR_ALLOW, "UPDATE");
	if (leg->told)
		dialog_ack(&leg->dialog, msg->cseq.num, NULL);
	else
		leg->ack_due = msg->cseq.num;
	if (canceled || st != NXV_OK) { /* the answer crossed our CANCEL */
		send_bye(leg);
		if (st != NXV_OK)
			call_lost(leg, 0, "its answer does not make a dialog");
		return;
	}
	refresh_accepted(leg, msg);
	call_leg_answered(leg, msg);
}

static bool invite_again(struct leg *leg)
{
	const struct call *call = leg->call;

	return leg_invite(leg, leg->told, leg->name == 'a' ? call->headers_a : call->headers_b, NULL) == NXV_OK;
}

static void on_invite(void *arg, int err, const struct sip_msg *msg)
{
	struct leg *leg = arg;
	bool canceled = leg->state == LEG_CANCELLING;

	if (!err && msg->scode < 200) {
		early_answer(leg, msg);
		if (msg->scode > 100 && !canceled && !leg->ringing) {
			leg->ringing = true;
			call_leg_ringing(leg, msg);
		}
		if (leg->name == 'b')
			exchange_early(leg->call, msg);
		return;
	}
	if (!err && msg->scode < 300) {
		call_leg_final(leg, msg);
		answered(leg, msg);
		return;
	}
	if (canceled) {
		call_leg_final(leg, err ? NULL : msg);
		leg_done(leg);
		return;
	}
	if (!err && refresh_raised(leg, msg) && invite_again(leg))
		return;
	leg->state = LEG_DONE;
	tmr_cancel(&leg->ring);
	call_leg_final(leg, err ? NULL : msg);
	call_leg_failed(leg, err ? NULL : msg);
}

static void on_ring_timeout(void *arg)
{
	struct leg *leg = arg;

	if (leg->state == LEG_CALLING)
		call_leg_no_answer(leg);
}

nxv_status leg_invite(struct leg *leg, const char *sdp, const char *headers, struct nxv_error *err)
{
	struct outgoing invite = { .method = "INVITE", .fn = on_invite, .arg = leg };
	char *timer = refresh_offer_headers(leg), *all = timer ? text_printf("%s%s", headers, timer) : NULL;
	nxv_status st;

	invite.headers = all;
	if (sdp) {
		invite.type = "application/sdp";
		pl_set_str(&invite.body, sdp);
	}
	st = all ? dialog_send(&leg->dialog, &invite, &leg->invite, err) : error_nomem(err);
	free(timer);
	free(all);
	if (st != NXV_OK)
		return st;
	leg->state = LEG_CALLING;
	tmr_start(&leg->ring, (uint64_t)leg->call->ring_ms, on_ring_timeout, leg);
	return NXV_OK;
}

static struct sibling *find_sibling(struct leg *leg, const struct sip_msg *msg)
{
	for (struct le *le = leg->siblings.head; le; le = le->next) {
		struct sibling *s = le->data;

		if (dialog_matches(&s->dialog, msg))
			return s;
	}
	return NULL;
}

/* Several phones were rung and more than one was picked up: the first one has the call, the others are hung up. */
static void refuse_sibling(struct leg *leg, const struct sip_msg *msg)
{
	const struct outgoing bye = { .method = "BYE" };
	struct sibling *s = calloc(1, sizeof(*s));

	if (!s)
		return;
	if (list_count(&leg->siblings) >= SIBLINGS_MAX || dialog_fork(&s->dialog, &leg->dialog, msg, NULL) != NXV_OK) {
		dialog_clear(&s->dialog);
		free(s);
		return;
	}
	list_append(&leg->siblings, &s->le, s);
	dialog_ack(&s->dialog, msg->cseq.num, NULL);
	(void)dialog_send(&s->dialog, &bye, NULL, NULL);
}

void leg_stray_answer(struct leg *leg, const struct sip_msg *msg)
{
	struct sibling *s;

	if (!leg->dialog.remote_tag || pl_strcmp(&msg->from.tag, leg->dialog.local_tag) != 0 || !pl_isset(&msg->to.tag))
		return;
	if (dialog_matches(&leg->dialog, msg)) {
		/* The answer to an INVITE that died with the gateway before us: its ACK did, too. */
		if (!dialog_ack_again(&leg->dialog, msg->cseq.num) && msg->cseq.num <= leg->dialog.lost_seq)
			dialog_ack(&leg->dialog, msg->cseq.num, NULL);
		return;
	}
	s = find_sibling(leg, msg);
	if (s)
		(void)dialog_ack_again(&s->dialog, msg->cseq.num);
	else
		refuse_sibling(leg, msg);
}
