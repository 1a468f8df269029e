/* dialog.c - dialog state and the requests we send in it. libre's own sipsess cannot be used: it makes Call-IDs
 * of its own, ACKs at once, and drops other forks' answers. */
#include "sip/originator/dialog.h"

#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES_MAX = 4 };

struct request {
	struct le le;
	struct dialog *dialog;
	struct request **self;
	struct sip_request *under_way;
	char *method, *headers, *type, *body;
	size_t body_len;
	uint32_t seq;
	unsigned tries;
	bool canceled;
	bool provisional; /* an answer of this kind came */
	request_fn *fn;
	void *arg;
};

static void request_free(struct request *r)
{
	if (!r)
		return;
	if (r->self)
		*r->self = NULL;
	list_unlink(&r->le);
	mem_deref(r->under_way);
	free(r->method);
	free(r->headers);
	free(r->type);
	free(r->body);
	free(r);
}

static nxv_status random_hex(const struct originator *o, char out[33], struct nxv_error *err)
{
	uint8_t bytes[16];
	nxv_status st = env_random(o->env, bytes, sizeof(bytes), err);

	if (st == NXV_OK)
		text_hex(bytes, sizeof(bytes), out);
	return st;
}

nxv_status dialog_init(struct dialog *d, struct originator *o, const char *call_id, const char *from, const char *to,
	const char *target, struct nxv_error *err)
{
	char tag[33];
	nxv_status st = random_hex(o, tag, err);

	memset(d, 0, sizeof(*d));
	d->o = o;
	if (st != NXV_OK)
		return st;
	d->call_id = text_dup(call_id);
	d->local_tag = text_dup(tag);
	d->from = text_dup(from);
	d->to = text_dup(to);
	d->target = text_dup(target);
	return d->call_id && d->local_tag && d->from && d->to && d->target ? NXV_OK : error_nomem(err);
}

nxv_status dialog_fork(struct dialog *d, const struct dialog *of, const struct sip_msg *msg, struct nxv_error *err)
{
	nxv_status st = dialog_init(d, of->o, of->call_id, of->from, of->to, of->target, err);

	if (st != NXV_OK)
		return st;
	free(d->local_tag);
	d->local_tag = text_dup(of->local_tag);
	d->local_seq = msg->cseq.num;
	return d->local_tag ? dialog_confirm(d, msg, err) : error_nomem(err);
}

void dialog_clear(struct dialog *d)
{
	while (d->requests.head)
		request_free(d->requests.head->data);
	for (size_t i = 0; i < DIALOG_ACKS; i++)
		mem_deref(d->acks[i].mb);
	free(d->call_id);
	free(d->local_tag);
	free(d->from);
	free(d->to);
	free(d->remote_tag);
	free(d->target);
	free(d->routes);
	memset(d, 0, sizeof(*d));
}

static bool add_route(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	(void)msg;
	if (!hdr->val.l)
		return false;
	buf_str(arg, "Route: ");
	for (size_t i = 0; i < hdr->val.l; i++) { /* a folded line becomes one */
		bool control = (unsigned char)hdr->val.p[i] < ' ' || hdr->val.p[i] == 0x7f;

		buf_append(arg, control ? " " : &hdr->val.p[i], 1);
	}
	buf_str(arg, "\r\n");
	return false;
}

void dialog_move(struct dialog *d, const struct sip_msg *msg)
{
	struct pl uri;
	char *target = message_contact(msg, &uri) ? message_text(&uri) : NULL;

	if (!target)
		return;
	free(d->target);
	d->target = target;
}

nxv_status dialog_confirm(struct dialog *d, const struct sip_msg *msg, struct nxv_error *err)
{
	struct buf routes = { .max = 8192 };

	free(d->remote_tag);
	free(d->routes);
	d->routes = NULL;
	d->remote_tag = message_is_word(&msg->to.tag) ? message_text(&msg->to.tag) : text_dup("");
	(void)sip_msg_hdr_apply(msg, false, SIP_HDR_RECORD_ROUTE, add_route, &routes);
	if (routes.failed) {
		buf_free(&routes);
		return error_set(
			err, NXV_E_LIMIT, "the SIP server recorded more routes than fit: shorten the chain of proxies");
	}
	d->routes = routes.len ? buf_take(&routes) : NULL;
	dialog_move(d, msg);
	if (!message_is_word(&msg->to.tag))
		return error_set(err, NXV_E_INVALID, "a phone answered with a tag that is none");
	return d->remote_tag ? NXV_OK : error_nomem(err);
}

bool dialog_matches(const struct dialog *d, const struct sip_msg *msg)
{
	const struct pl *ours = msg->req ? &msg->to.tag : &msg->from.tag;
	const struct pl *theirs = msg->req ? &msg->from.tag : &msg->to.tag;

	return d->remote_tag && pl_strcmp(&msg->callid, d->call_id) == 0 && pl_strcmp(ours, d->local_tag) == 0 &&
		pl_strcmp(theirs, d->remote_tag) == 0;
}

/* Everything between the first Via and the request's own headers. */
static void put_head(const struct dialog *d, struct buf *b, const char *method, uint32_t seq)
{
	buf_printf(b, "Max-Forwards: 70\r\n%sTo: %s", d->routes ? d->routes : "", d->to);
	if (d->remote_tag && *d->remote_tag) /* RFC 2543 knew none */
		buf_printf(b, ";tag=%s", d->remote_tag);
	buf_printf(b, "\r\nFrom: %s;tag=%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\nUser-Agent: nexusvoip/" NXV_VERSION "\r\n",
		d->from, d->local_tag, d->call_id, (unsigned)seq, method);
}

static void put_body(struct buf *b, const char *type, const char *body, size_t len)
{
	if (type)
		buf_printf(b, "Content-Type: %s\r\n", type);
	buf_printf(b, "Content-Length: %zu\r\n\r\n", len);
	buf_append(b, body, len);
}

static struct mbuf *to_mbuf(struct buf *b)
{
	struct mbuf *mb = b->failed ? NULL : mbuf_alloc(b->len);

	if (mb && mbuf_write_mem(mb, (const uint8_t *)b->data, b->len) != 0)
		mb = mem_deref(mb);
	if (mb)
		mb->pos = 0;
	buf_free(b);
	return mb;
}

static nxv_status put_credentials(struct dialog *d, const char *method, struct buf *b, struct nxv_error *err)
{
	char cnonce[33];
	nxv_status st = random_hex(d->o, cnonce, err);

	return st == NXV_OK ? auth_answer(&d->auth, &d->o->user, method, d->target, cnonce, b, err) : st;
}

static void on_answer(int err, const struct sip_msg *msg, void *arg);

static nxv_status transmit(struct request *r, bool with_credentials, struct nxv_error *err)
{
	struct dialog *d = r->dialog;
	struct originator *o = d->o;
	struct buf b = { .max = ORIGINATOR_DATAGRAM_MAX };
	struct mbuf *mb;
	int e;

	r->seq = ++d->local_seq;
	r->tries++;
	r->provisional = false;
	put_head(d, &b, r->method, r->seq);
	if (strcmp(r->method, "INVITE") == 0 || strcmp(r->method, "UPDATE") == 0)
		/* An offer in a reliable provisional answer would want its answer in the PRACK, before anybody can give one. */
		buf_printf(&b, "Contact: <sip:nexusvoip@%s%s>\r\n" DIALOG_ALLOW "Supported: timer%s\r\n", o->hostport,
			o->transport == SIP_TRANSP_TCP ? ";transport=tcp" : "", r->body ? ", 100rel" : "");
	if (with_credentials) {
		nxv_status st = put_credentials(d, r->method, &b, err);

		if (st != NXV_OK) {
			buf_free(&b);
			return st;
		}
	}
	if (r->headers)
		buf_str(&b, r->headers);
	put_body(&b, r->type, r->body, r->body_len);
	mb = to_mbuf(&b);
	if (!mb)
		return error_set(err, NXV_E_NOMEM, "a SIP request would be larger than %d bytes, or memory ran out",
			ORIGINATOR_DATAGRAM_MAX);
	e = sip_request(
		&r->under_way, o->sip, true, r->method, -1, d->target, -1, &o->route, mb, 0, NULL, on_answer, r);
	mem_deref(mb);
	if (e)
		return error_errno(err, e, "cannot send %s to the SIP server at %s", r->method, o->route_text);
	return NXV_OK;
}

/* True when the request was repeated with an answer to the server's challenge. */
static bool answered_challenge(struct request *r, const struct sip_msg *msg)
{
	struct originator *o = r->dialog->o;
	struct nxv_error err = NXV_ERROR_INIT;
	bool stale = false;
	nxv_status st;

	if ((msg->scode != 401 && msg->scode != 407) || r->canceled || o->closing)
		return false;
	st = auth_learn(&r->dialog->auth, &o->user, msg, &stale, &err);
	if (st == NXV_OK && ((r->tries > 1 && !stale) || r->tries >= TRIES_MAX))
		st = error_set(&err, NXV_E_DENIED,
			"the SIP server refuses the service user's digest: "
			"its row in the subscriber table is missing or old; restart the engine, which writes it anew");
	if (st == NXV_OK)
		st = transmit(r, true, &err);
	if (st != NXV_OK)
		env_log(o->env, NXV_LOG_ERROR, "sip", "%s of %s not authenticated: %s", r->method, r->dialog->call_id,
			err.message);
	return st == NXV_OK;
}

static void on_answer(int err, const struct sip_msg *msg, void *arg)
{
	struct request *r = arg;
	request_fn *fn = r->fn;
	void *fn_arg = r->arg;

	if (!err && (msg->scode < 100 || msg->scode > 699)) /* no SIP: as good as no answer */
		err = EBADMSG;
	if (!err)
		transport_tune(msg);
	if (!err && msg->scode < 200) {
		if (r->canceled && !r->provisional)
			sip_request_cancel(r->under_way);
		r->provisional = true;
		if (fn)
			fn(fn_arg, 0, msg);
		return;
	}
	if (!err && answered_challenge(r, msg))
		return;
	request_free(r);
	if (fn)
		fn(fn_arg, err, err ? NULL : msg);
}

nxv_status dialog_send(struct dialog *d, const struct outgoing *out, struct request **rp, struct nxv_error *err)
{
	struct request *r = calloc(1, sizeof(*r));
	nxv_status st;

	if (!r)
		return error_nomem(err);
	list_append(&d->requests, &r->le, r);
	r->dialog = d;
	r->fn = out->fn;
	r->arg = out->arg;
	r->method = text_dup(out->method);
	r->headers = text_dup(out->headers);
	r->type = text_dup(out->type);
	r->body = pl_isset(&out->body) ? message_text(&out->body) : NULL;
	r->body_len = r->body ? out->body.l : 0;
	if (!r->method || (out->headers && !r->headers) || (out->type && !r->type) ||
		(pl_isset(&out->body) && !r->body)) {
		request_free(r);
		return error_nomem(err);
	}
	st = transmit(r, false, err);
	if (st != NXV_OK) {
		request_free(r);
		return st;
	}
	r->self = rp;
	if (rp)
		*rp = r;
	return NXV_OK;
}

void request_cancel(struct request *r)
{
	if (!r || r->canceled)
		return;
	r->canceled = true;
	if (r->provisional) /* not before (RFC 3261, 9.1): newer libre would forget the request */
		sip_request_cancel(r->under_way);
}

static struct mbuf *ack_message(const struct dialog *d, uint32_t seq, const char *sdp)
{
	struct originator *o = d->o;
	struct buf b = { .max = ORIGINATOR_DATAGRAM_MAX };

	/* Credentials stay out of it: nobody may challenge an ACK, and they would travel on to the phone. */
	buf_printf(&b, "ACK %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%016llx;rport\r\n", d->target,
		sip_transp_name(o->transport), o->hostport, (unsigned long long)rand_u64());
	put_head(d, &b, "ACK", seq);
	put_body(&b, sdp ? "application/sdp" : NULL, sdp, sdp ? strlen(sdp) : 0);
	return to_mbuf(&b);
}

void dialog_ack(struct dialog *d, uint32_t seq, const char *sdp)
{
	struct dialog_ack *ack = &d->acks[d->ack_next++ % DIALOG_ACKS];

	mem_deref(ack->mb);
	ack->seq = seq;
	ack->mb = ack_message(d, seq, sdp);
	if (!ack->mb) {
		env_log(d->o->env, NXV_LOG_ERROR, "sip", "no memory for the ACK of %s", d->call_id);
		return;
	}
	(void)dialog_ack_again(d, seq);
}

bool dialog_ack_again(const struct dialog *d, uint32_t seq)
{
	for (size_t i = 0; i < DIALOG_ACKS; i++) {
		const struct dialog_ack *ack = &d->acks[i];

		if (!ack->mb || ack->seq != seq)
			continue;
		ack->mb->pos = 0;
		(void)sip_send(d->o->sip, NULL, d->o->transport, &d->o->proxy, ack->mb);
		return true;
	}
	return false;
}
