/* phone_dial.c - calls that a test phone dials, and re-INVITEs that it sends. */
#include "phone_inside.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

void dial_start(struct phone *phone, struct dialog *d, const char *target)
{
	bool whole = strncmp(target, "sip:", 4) == 0;
	snprintf(d->remote_target, sizeof(d->remote_target), "%s%s%s%s", whole ? "" : "sip:", target, whole ? "" : "@", whole ? "" : phone->domain);
	snprintf(d->remote_uri, sizeof(d->remote_uri), "%s", d->remote_target);
	snprintf(d->local_uri, sizeof(d->local_uri), "sip:%s@%s", phone->from_user, phone->domain);
	snprintf(d->seen.call_id, sizeof(d->seen.call_id), "%s-call", d->local_tag);
	sip_uri_user(d->remote_uri, d->seen.peer, sizeof(d->seen.peer));
	d->peer = phone->server;
	struct request *req = request_new(phone, d, "INVITE", d->remote_target);
	if (req) {
		call_moment(phone, d, PHONE_INVITED);
		request_start(phone, req);
	}
}

/* The INVITE that is under way, if any. */
static struct request *invite_of(struct phone *phone, const struct dialog *d)
{
	struct request *req = phone->requests;
	while (req && (req->dialog != d || strcmp(req->method, "INVITE") != 0)) {
		req = req->next;
	}
	return req;
}

void dial_cancel(struct phone *phone, struct dialog *d)
{
	struct request *invite = invite_of(phone, d);
	d->cancel_wanted = true;
	if (!invite || !invite->provisional || d->seen.at_us[PHONE_CANCELED]) {
		return; /* not before a provisional answer: RFC 3261, 9.1 */
	}
	struct request *req = request_new(phone, d, "CANCEL", invite->uri);
	struct text out;
	if (!req) {
		return;
	}
	text_clear(&out);
	snprintf(req->branch, sizeof(req->branch), "%s", invite->branch);
	text_add(&out, "CANCEL %s SIP/2.0\r\nVia: SIP/2.0/%s %s:%u;rport;branch=%s\r\nMax-Forwards: 70\r\nFrom: <%s>;tag=%s\r\n"
		"To: <%s>\r\nCall-ID: %s\r\nCSeq: %u CANCEL\r\nContent-Length: 0\r\n\r\n", req->uri, wire_transport(phone), phone->host,
		ntohs(phone->self.sin6_port), req->branch, d->local_uri, d->local_tag, d->remote_uri, d->seen.call_id, invite->cseq);
	req->text = strdup(out.data);
	req->to = invite->to;
	req->give_up_at = lab_now_ms() + GIVE_UP_MS;
	req->next = phone->requests;
	phone->requests = req;
	call_moment(phone, d, PHONE_CANCELED);
	wire_send(phone, req->text, &req->to);
}

static void send_ack(struct phone *phone, struct dialog *d, unsigned cseq, const char *sdp)
{
	struct text out;
	text_clear(&out);
	text_add(&out, "ACK %s SIP/2.0\r\nVia: SIP/2.0/%s %s:%u;rport;branch=z9hG4bK%s%u\r\nMax-Forwards: 70\r\n%s", d->remote_target,
		wire_transport(phone), phone->host, ntohs(phone->self.sin6_port), phone->tag, ++phone->serial, d->route);
	text_add(&out, "From: <%s>;tag=%s\r\nTo: <%s>;tag=%s\r\nCall-ID: %s\r\nCSeq: %u ACK\r\n%sContent-Length: %zu\r\n\r\n%s", d->local_uri,
		d->local_tag, d->remote_uri, d->remote_tag, d->seen.call_id, cseq, sdp ? "Content-Type: application/sdp\r\n" : "",
		sdp ? strlen(sdp) : 0, sdp ? sdp : "");
	free(d->ack);
	d->ack = strdup(out.data);
	wire_send(phone, d->ack, &d->peer);
}

static void answered(struct phone *phone, struct dialog *d, const struct sip_text *msg)
{
	snprintf(d->remote_tag, sizeof(d->remote_tag), "%s", msg->to_tag);
	call_route(d, msg, true);
	d->seen.code = msg->code;
	call_moment(phone, d, PHONE_ANSWERED);
	media_take(phone, d, msg->body);
	send_ack(phone, d, msg->cseq, NULL);
	call_moment(phone, d, PHONE_ACKED);
	if (d->cancel_wanted) {
		call_bye(phone, d); /* the 200 crossed our CANCEL */
	} else if (d->script.talk_ms > 0) {
		d->hangup_at = lab_now_ms() + d->script.talk_ms;
	}
}

void dial_response(struct phone *phone, struct request *req, const struct sip_text *msg)
{
	struct dialog *d = req->dialog;
	if (strcmp(req->method, "INVITE") != 0) {
		return;
	}
	bool first = !d->seen.incoming && d->seen.at_us[PHONE_ANSWERED] == 0;
	if (first && msg->code < 200) {
		if (msg->code > 100) {
			call_moment(phone, d, PHONE_RINGING);
		}
		if (d->cancel_wanted) {
			dial_cancel(phone, d);
		}
	} else if (first && msg->code < 300) {
		answered(phone, d, msg);
	} else if (first) {
		d->seen.code = msg->code;
		call_end(phone, d);
	} else if (msg->code >= 200 && msg->code < 300) {
		media_take(phone, d, msg->body);
		send_ack(phone, d, msg->cseq, req->ack);
	}
}

void dial_repeated(struct phone *phone, const struct sip_text *msg)
{
	for (struct dialog *d = phone->dialogs; d; d = d->next) {
		if (strcmp(d->seen.call_id, msg->call_id) == 0 && d->ack && msg->code < 300) {
			wire_send(phone, d->ack, &d->peer);
		}
	}
}

void dial_reinvite(struct phone *phone, struct dialog *d, int *result)
{
	struct request *req = request_new(phone, d, "INVITE", d->remote_target);
	if (req) {
		req->result = result;
		request_start(phone, req);
	}
}
