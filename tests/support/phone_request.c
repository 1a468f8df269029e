/* phone_request.c - requests of a test phone: sent again until answered, with digest when asked. */
#include "phone_inside.h"

#include <stdlib.h>
#include <string.h>

void request_free(struct request *req)
{
	free(req->lines);
	free(req->type);
	free(req->body);
	free(req->ack);
	free(req->text);
	free(req->challenge);
	free(req);
}

void request_free_all(struct phone *phone)
{
	while (phone->requests) {
		struct request *next = phone->requests->next;
		request_free(phone->requests);
		phone->requests = next;
	}
}

struct request *request_new(struct phone *phone, struct dialog *dialog, const char *method, const char *uri)
{
	struct request *req = calloc(1, sizeof(*req));
	if (!req) {
		return NULL;
	}
	req->dialog = dialog;
	snprintf(req->method, sizeof(req->method), "%s", method);
	snprintf(req->uri, sizeof(req->uri), "%s", uri);
	req->to = dialog ? dialog->peer : phone->server;
	return req;
}

/* The lines that every request of this phone begins with; the caller gives the rest. */
void request_write(struct phone *phone, struct request *req, struct text *out)
{
	struct dialog *d = req->dialog;
	struct text body;
	text_clear(out);
	text_clear(&body);
	snprintf(req->branch, sizeof(req->branch), "z9hG4bK%s%u", phone->tag, ++phone->serial);
	text_add(out, "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s:%u;rport;branch=%s\r\nMax-Forwards: 70\r\n", req->method, req->uri,
		wire_transport(phone), phone->host, ntohs(phone->self.sin6_port), req->branch);
	if (d) {
		req->cseq = d->local_cseq + (unsigned)(req->cseq_step ? req->cseq_step : 1);
		d->local_cseq = req->cseq > d->local_cseq ? req->cseq : d->local_cseq;
		text_add(out, "%sFrom: <%s>;tag=%s\r\nTo: <%s>%s%s\r\nCall-ID: %s\r\n", d->route, d->local_uri, d->local_tag, d->remote_uri,
			d->remote_tag[0] ? ";tag=" : "", d->remote_tag, d->seen.call_id);
	} else {
		req->cseq = ++phone->register_cseq;
		text_add(out, "From: <sip:%s@%s>;tag=%s\r\nTo: <sip:%s@%s>\r\nCall-ID: %s\r\n", phone->from_user, phone->domain, phone->tag,
			phone->from_user, phone->domain, phone->register_call_id);
	}
	text_add(out, "CSeq: %u %s\r\nUser-Agent: test phone\r\n", req->cseq, req->method);
	const bool all = !d && req->expires < 0;
	if (all) {
		text_add(out, "Contact: *\r\n");
	} else if (!d || strcmp(req->method, "INVITE") == 0 || strcmp(req->method, "UPDATE") == 0) {
		text_add(out, "Contact: <sip:%s@%s:%u;transport=%s>\r\n", phone->username, phone->host, ntohs(phone->self.sin6_port),
			phone->opts.tcp ? "tcp" : "udp");
	}
	if (req->asked) {
		text_add(out, "%s", req->lines ? req->lines : "");
		text_add(&body, "%s", req->body ? req->body : "");
		if (req->body) {
			text_add(out, "Content-Type: %s\r\n", req->type ? req->type : "application/sdp");
		}
		d->offered = strcmp(req->method, "INVITE") == 0 && req->body;
	} else if (d && strcmp(req->method, "INVITE") == 0) {
		media_write(phone, d, false, &body);
		d->offered = true;
		text_add(out, "%s", phone->opts.extra ? phone->opts.extra : "");
		text_add(out, "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE\r\nContent-Type: application/sdp\r\n");
	}
	if (strcmp(req->method, "REGISTER") == 0) {
		text_add(out, "Expires: %d\r\n", all ? 0 : req->expires);
	}
	if (req->challenge) {
		text_add(out, "%s", req->challenge);
	}
	text_add(out, "Content-Length: %zu\r\n\r\n%s", body.len, body.data);
}

static void transmit(struct phone *phone, struct request *req)
{
	static struct text out; /* one lab thread writes at a time: the lock is held */
	int64_t now = lab_now_ms();
	request_write(phone, req, &out);
	free(req->text);
	req->text = strdup(out.data);
	req->resend_ms = RESEND_FIRST_MS;
	req->resend_at = phone->opts.tcp ? 0 : now + req->resend_ms;
	req->give_up_at = now + GIVE_UP_MS;
	req->provisional = false;
	wire_send(phone, req->text, &req->to);
}

void request_start(struct phone *phone, struct request *req)
{
	req->next = phone->requests;
	phone->requests = req;
	transmit(phone, req);
	lab_poke(phone->lab);
}

/* Finish: tell whoever waits, and forget it. */
static void request_done(struct phone *phone, struct request *req, int code)
{
	struct request **link = &phone->requests;
	while (*link && *link != req) {
		link = &(*link)->next;
	}
	if (*link) {
		*link = req->next;
	}
	if (req->result) {
		*req->result = code;
	}
	request_free(req);
	lab_changed(phone->lab);
}

/* ACK to a refusal goes the way of its INVITE, with the same branch (RFC 3261, 17.1.1.3). */
static void ack_refusal(struct phone *phone, const struct request *req, const struct sip_text *msg)
{
	struct text out;
	char to[512] = "", from[512] = "";
	text_clear(&out);
	sip_text_header(msg, "To", 0, to, sizeof(to));
	sip_text_header(msg, "From", 0, from, sizeof(from));
	text_add(&out, "ACK %s SIP/2.0\r\nVia: SIP/2.0/%s %s:%u;rport;branch=%s\r\nMax-Forwards: 70\r\n%sFrom: %s\r\nTo: %s\r\n"
		"Call-ID: %s\r\nCSeq: %u ACK\r\nContent-Length: 0\r\n\r\n", req->uri, wire_transport(phone), phone->host,
		ntohs(phone->self.sin6_port), req->branch, req->dialog->route, from, to, msg->call_id, msg->cseq);
	wire_send(phone, out.data, &req->to);
}

static bool authenticate(struct phone *phone, struct request *req, const struct sip_text *msg)
{
	struct text line;
	text_clear(&line);
	struct sip_login login = { phone->username, phone->password, phone->algorithm[0] ? phone->algorithm : NULL, req->method, req->uri };
	if (req->authenticated || !phone->answer_challenges
		|| !sip_text_answer_challenge(msg, &login, &line, phone->used_algorithm)) {
		return false;
	}
	req->authenticated = true;
	free(req->challenge);
	req->challenge = strdup(line.data);
	transmit(phone, req);
	return true;
}

void request_response(struct phone *phone, const struct sip_text *msg, const struct sockaddr_in6 *from)
{
	(void)from;
	struct request *req = phone->requests;
	while (req && (strcmp(req->branch, msg->branch) != 0 || strcmp(req->method, msg->method) != 0)) {
		req = req->next;
	}
	bool invite = strcmp(msg->method, "INVITE") == 0;
	if (!req) {
		if (invite && msg->code >= 200) {
			dial_repeated(phone, msg);
		}
		return;
	}
	if (msg->code < 200) {
		req->provisional = true;
		req->resend_at = 0;
	} else if (invite && msg->code >= 300) {
		ack_refusal(phone, req, msg);
	}
	if ((msg->code == 401 || msg->code == 407) && authenticate(phone, req, msg)) {
		return;
	}
	if (req->dialog) {
		dial_response(phone, req, msg);
	}
	if (msg->code >= 200 && req->reply) {
		*req->reply = strndup(msg->data, msg->len);
	}
	if (msg->code >= 200) {
		request_done(phone, req, msg->code);
	}
}

int64_t request_timers(struct phone *phone, int64_t now)
{
	int64_t next = 0;
	for (struct request *req = phone->requests, *after; req; req = after) {
		after = req->next;
		if (now >= req->give_up_at && !(req->provisional && strcmp(req->method, "INVITE") == 0)) {
			struct dialog *d = req->dialog;
			bool ends = d && (strcmp(req->method, "BYE") == 0 || (d->seen.at_us[PHONE_ANSWERED] == 0 && !d->seen.incoming));
			if (ends) {
				call_end(phone, d);
			}
			request_done(phone, req, 408);
			continue;
		}
		if (req->resend_at && now >= req->resend_at) {
			wire_send(phone, req->text, &req->to);
			req->resend_ms = req->resend_ms * 2 < RESEND_MAX_MS ? req->resend_ms * 2 : RESEND_MAX_MS;
			req->resend_at = now + req->resend_ms;
		}
		next = req->resend_at && (!next || req->resend_at < next) ? req->resend_at : next;
	}
	return next;
}
