/* sip_leg.c - one dialog with a real phone, as caller: INVITE, CANCEL, ACK, BYE, and what the phone asks for meanwhile. */
#include "sip_inside.h"

#include "base/text.h"
#include "life.h"
#include "sip_uri.h"

#include <stdlib.h>
#include <string.h>

enum { TRIES_MAX = 3, LINGER_MS = 32000 };

static void on_answer(int err, const struct sip_msg *msg, void *arg);

static int credentials(char **user, char **password, const char *realm, void *arg)
{
	const struct sip_leg *leg = arg;
	const struct call *call = leg->call;

	(void)realm;
	if (!call || !call->sip_user || !call->sip_password)
		return EAUTH;
	return str_dup(user, call->sip_user) || str_dup(password, call->sip_password) ? ENOMEM : 0;
}

static char *copy(const struct pl *pl)
{
	return strndup(pl->p ? pl->p : "", pl->l);
}

/* Everything of a request behind the Via and Max-Forwards that libre writes. */
static void put_head(const struct sip_leg *leg, const char *method, uint32_t seq, struct buf *out)
{
	buf_printf(out, "%sTo: <%s>", leg->routes ? leg->routes : "", leg->to);
	if (leg->remote_tag)
		buf_printf(out, ";tag=%s", leg->remote_tag);
	buf_printf(out, "\r\nFrom: %s;tag=%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\nUser-Agent: nexus-sandbox/" NXV_VERSION "\r\n", leg->from, leg->tag,
		leg->call_id, (unsigned)seq, method);
}

static int send_request(struct sip_leg *leg, const char *method, uint32_t seq, const char *more, struct mbuf *body,
	struct sip_request **request, sip_resp_h *fn)
{
	struct buf text = BUF_INIT;
	int err;

	put_head(leg, method, seq, &text);
	buf_str(&text, more);
	buf_printf(&text, "Content-Length: %zu\r\n\r\n", body ? mbuf_get_left(body) : (size_t)0);
	if (body)
		buf_append(&text, mbuf_buf(body), mbuf_get_left(body));
	if (text.failed)
		err = ENOMEM;
	else
		err = sip_requestf(request, leg->ua->sip, fn != NULL, method, leg->target, &leg->ua->route, fn ? leg->auth : NULL, NULL, fn, leg,
			"%b", text.data, text.len);
	buf_free(&text);
	return err;
}

static bool send_invite(struct sip_leg *leg)
{
	struct mbuf *offer = sound_describe(leg->sound, true);
	struct buf more = BUF_INIT;
	bool sent;

	if (!offer)
		return false;
	buf_printf(&more, "Contact: <sip:sandbox@%s>\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE\r\n%sContent-Type: application/sdp\r\n",
		leg->ua->hostport, leg->headers.data ? leg->headers.data : "");
	leg->tries++;
	sent = !more.failed && send_request(leg, "INVITE", ++leg->seq, more.data, offer, &leg->invite, on_answer) == 0;
	buf_free(&more);
	mem_deref(offer);
	return sent;
}

static void acknowledge(struct sip_leg *leg, uint32_t seq)
{
	(void)send_request(leg, "ACK", seq, "", NULL, NULL, NULL);
}

static void on_linger(void *arg)
{
	struct sip_leg *leg = arg;

	list_unlink(&leg->le);
}

/* Nothing is to be heard any more; repeated messages are still recognised for a while. */
static void done(struct sip_leg *leg)
{
	leg->state = LEG_DONE;
	sound_close(leg->sound);
	leg->sound = NULL;
	tmr_start(&leg->linger, LINGER_MS, on_linger, leg);
}

static void on_bye_answer(int err, const struct sip_msg *msg, void *arg)
{
	(void)err;
	(void)msg;
	(void)arg;
}

static void send_bye(struct sip_leg *leg)
{
	(void)send_request(leg, "BYE", ++leg->seq, "", NULL, &leg->bye, on_bye_answer);
	done(leg);
}

static bool add_route(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	(void)msg;
	buf_printf(arg, "Route: %.*s\r\n", (int)hdr->val.l, hdr->val.p);
	return false;
}

static void move(struct sip_leg *leg, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	struct sip_addr addr;
	char *target;

	if (!hdr || sip_addr_decode(&addr, &hdr->val) != 0 || !(target = copy(&addr.auri)))
		return;
	free(leg->target);
	leg->target = target;
}

/* A 2xx makes it a dialog. */
static void confirm(struct sip_leg *leg, const struct sip_msg *msg)
{
	struct buf routes = { .max = 8192 };

	free(leg->remote_tag);
	free(leg->routes);
	leg->remote_tag = copy(&msg->to.tag);
	(void)sip_msg_hdr_apply(msg, false, SIP_HDR_RECORD_ROUTE, add_route, &routes);
	leg->routes = routes.len ? buf_take(&routes) : NULL;
	move(leg, msg);
	acknowledge(leg, msg->cseq.num);
}

static void answered(struct sip_leg *leg, const struct sip_msg *msg)
{
	confirm(leg, msg);
	if (leg->state != LEG_CALLING || !leg->call || call_ended(leg->call)) {
		send_bye(leg); /* it crossed our CANCEL */
		return;
	}
	if (!sound_heard_description(leg->sound, msg->mb, false)) {
		leg->call->sip_code = 488;
		life_event(leg->call, LIFE_FAIL, "media");
		send_bye(leg);
		return;
	}
	leg->state = LEG_UP;
	leg->call->sip_code = 200;
	sound_start(leg->sound);
	life_event(leg->call, LIFE_ANSWER, NULL);
}

/* True when it was sent again with an answer to the challenge. */
static bool challenged(struct sip_leg *leg, const struct sip_msg *msg)
{
	return (msg->scode == 401 || msg->scode == 407) && leg->state == LEG_CALLING && leg->tries < TRIES_MAX &&
		sip_auth_authenticate(leg->auth, msg) == 0 && send_invite(leg);
}

static void refused(struct sip_leg *leg, int code)
{
	bool canceled = leg->state == LEG_CANCELLING;

	done(leg);
	if (!leg->call || canceled)
		return;
	leg->call->sip_code = code;
	life_event(leg->call, life_of_sip(code), "callee");
}

static void on_answer(int err, const struct sip_msg *msg, void *arg)
{
	struct sip_leg *leg = arg;

	if (err) {
		refused(leg, 503);
	} else if (msg->scode < 200) {
		if (msg->scode >= 180 && leg->call && leg->state == LEG_CALLING)
			life_event(leg->call, LIFE_RING, NULL);
	} else if (msg->scode < 300) {
		answered(leg, msg);
	} else if (!challenged(leg, msg)) {
		refused(leg, msg->scode);
	}
}

void sip_leg_stray(struct sip_leg *leg, const struct sip_msg *msg)
{
	if (leg->remote_tag && pl_strcmp(&msg->to.tag, leg->remote_tag) == 0)
		acknowledge(leg, msg->cseq.num);
}

/* A new offer within the call, a hold for one. */
static void on_reinvite(struct sip_leg *leg, const struct sip_msg *msg)
{
	struct mbuf *body = NULL;
	bool offer = mbuf_get_left(msg->mb) > 0;

	if (offer && !sound_heard_description(leg->sound, msg->mb, true)) {
		(void)sip_treply(NULL, leg->ua->sip, msg, 488, "Not Acceptable Here");
		return;
	}
	move(leg, msg);
	if (offer || pl_strcmp(&msg->met, "INVITE") == 0)
		body = sound_describe(leg->sound, !offer);
	(void)sip_treplyf(NULL, NULL, leg->ua->sip, msg, false, 200, "OK", "Contact: <sip:sandbox@%s>\r\n%sContent-Length: %zu\r\n\r\n%b",
		leg->ua->hostport, body ? "Content-Type: application/sdp\r\n" : "", body ? mbuf_get_left(body) : (size_t)0,
		body ? mbuf_buf(body) : NULL, body ? mbuf_get_left(body) : (size_t)0);
	mem_deref(body);
}

void sip_leg_request(struct sip_leg *leg, const struct sip_msg *msg)
{
	struct sip *sip = leg->ua->sip;

	if (pl_strcmp(&msg->met, "ACK") == 0) {
		if (leg->state == LEG_UP && mbuf_get_left(msg->mb) > 0) /* the answer to an offer of ours */
			(void)sound_heard_description(leg->sound, msg->mb, false);
	} else if (leg->state != LEG_UP) {
		(void)sip_treply(NULL, sip, msg, 481, "Call Has Ended");
	} else if (msg->cseq.num <= leg->remote_seq) {
		(void)sip_treply(NULL, sip, msg, 500, "CSeq Out Of Order");
	} else if (pl_strcmp(&msg->met, "BYE") == 0) {
		(void)sip_treply(NULL, sip, msg, 200, "OK");
		done(leg);
		if (leg->call)
			life_event(leg->call, LIFE_HANGUP, "callee");
	} else if (pl_strcmp(&msg->met, "INVITE") == 0 || pl_strcmp(&msg->met, "UPDATE") == 0) {
		leg->remote_seq = msg->cseq.num;
		on_reinvite(leg, msg);
	} else {
		leg->remote_seq = msg->cseq.num;
		(void)sip_treply(NULL, sip, msg, pl_strcmp(&msg->met, "OPTIONS") == 0 || pl_strcmp(&msg->met, "INFO") == 0 ? 200 : 405,
			pl_strcmp(&msg->met, "OPTIONS") == 0 || pl_strcmp(&msg->met, "INFO") == 0 ? "OK" : "Method Not Allowed");
	}
}

/* What the INVITE says besides: the address's own X- headers, and who is calling. */
static void put_headers(struct sip_leg *leg, const struct call *call)
{
	sip_uri_headers(call->to, &leg->headers);
	buf_printf(&leg->headers, "X-Twilio-AccountSid: %s\r\nX-Twilio-CallSid: %s\r\n", call->sandbox->opts.account_sid, call->sid);
}

static char *from_header(const struct sip_leg *leg, const struct call *call)
{
	const char *from = call->caller_id ? call->caller_id : call->from;

	if (strncmp(from, "sip:", 4) == 0)
		return text_printf("<%.*s>", (int)strcspn(from, "?<>\" \r\n"), from);
	if (strncmp(from, "client:", 7) == 0)
		from += 7;
	if (from[strspn(from, "+0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.-")])
		from = "anonymous";
	return text_printf("<sip:%s@%s>", from, leg->ua->hostport);
}

struct sip_leg *sip_leg_new(struct call *call)
{
	struct sip_leg *leg = calloc(1, sizeof(*leg));
	char sid[SID_SIZE];

	if (!leg)
		return NULL;
	leg->ua = call->sandbox->sip;
	leg->call = call;
	tmr_init(&leg->linger);
	sandbox_sid("ID", sid);
	snprintf(leg->call_id, sizeof(leg->call_id), "%.32s@sandbox", sid + 2);
	sandbox_sid("ID", sid);
	snprintf(leg->tag, sizeof(leg->tag), "%.16s", sid + 2);
	leg->to = sip_uri_target(call->to);
	leg->target = sip_uri_target(call->to);
	leg->from = from_header(leg, call);
	put_headers(leg, call);
	leg->sound = sound_open(&leg->ua->local);
	if (leg->to && leg->target && leg->from && !leg->headers.failed && leg->sound &&
		sip_auth_alloc(&leg->auth, credentials, leg, false) == 0) {
		list_append(&leg->ua->legs, &leg->le, leg);
		if (send_invite(leg))
			return leg;
	}
	sip_leg_free(leg);
	return NULL;
}

void sip_leg_end(struct sip_leg *leg)
{
	if (!leg)
		return;
	if (leg->state == LEG_UP) {
		send_bye(leg);
	} else if (leg->state == LEG_CALLING) {
		leg->state = LEG_CANCELLING;
		sip_request_cancel(leg->invite);
	}
}

void sip_leg_free(struct sip_leg *leg)
{
	if (!leg)
		return;
	if (leg->invite) /* ends without a word to us */
		mem_deref(leg->invite);
	mem_deref(leg->bye);
	list_unlink(&leg->le);
	tmr_cancel(&leg->linger);
	sound_close(leg->sound);
	mem_deref(leg->auth);
	buf_free(&leg->headers);
	free(leg->to);
	free(leg->from);
	free(leg->target);
	free(leg->routes);
	free(leg->remote_tag);
	free(leg);
}

void sip_leg_play(struct sip_leg *leg, enum sound sound)
{
	if (leg && leg->sound)
		sound_play(leg->sound, sound);
}

void sip_leg_join(struct sip_leg *a, struct sip_leg *b)
{
	if (a && b && a->sound && b->sound) {
		sound_join(a->sound, b->sound);
		return;
	}
	sip_leg_play(a, SOUND_ECHO);
	sip_leg_play(b, SOUND_ECHO);
}

void sip_leg_part(struct sip_leg *leg)
{
	if (leg && leg->sound)
		sound_part(leg->sound);
}
