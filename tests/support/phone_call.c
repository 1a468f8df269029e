/* phone_call.c - calls that come in to a test phone, and what both sides of any call have in common. */
#include "phone_inside.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

void call_moment(struct phone *phone, struct dialog *d, enum phone_moment moment)
{
	if (d->seen.at_us[moment] == 0) {
		d->seen.at_us[moment] = lab_utc_us();
		lab_changed(phone->lab);
	}
}

void call_end(struct phone *phone, struct dialog *d)
{
	d->seen.live = false;
	d->act_at = d->hangup_at = 0;
	call_moment(phone, d, PHONE_ENDED);
}

struct dialog *call_new(struct phone *phone, bool incoming)
{
	struct dialog *d = calloc(1, sizeof(*d));
	if (!d) {
		return NULL;
	}
	d->seen.number = phone->next_number++;
	d->seen.incoming = incoming;
	d->seen.live = true;
	d->script = phone->script;
	snprintf(d->local_tag, sizeof(d->local_tag), "%s%u", phone->tag, ++phone->serial);
	d->next = phone->dialogs;
	phone->dialogs = d;
	return d;
}

void call_free(struct dialog *d)
{
	free(d->answer);
	free(d->ack);
	sip_text_free(&d->invite);
	free(d);
}

struct dialog *call_find(struct phone *phone, int number)
{
	struct dialog *d = phone->dialogs;
	while (d && (d->forgotten || d->seen.number != number)) {
		d = d->next;
	}
	return d;
}

static struct dialog *find_by_call_id(struct phone *phone, const struct sip_text *msg)
{
	struct dialog *d = phone->dialogs;
	while (d && (strcmp(d->seen.call_id, msg->call_id) != 0 || (msg->to_tag[0] && strcmp(msg->to_tag, d->local_tag) != 0))) {
		d = d->next;
	}
	return d;
}

/* Where requests within the dialog go: the first route, else the other party's contact. */
static void set_peer(struct dialog *d)
{
	char uri[256], host[64];
	unsigned port;
	snprintf(uri, sizeof(uri), "%s", d->remote_target);
	if (d->route[0]) {
		sip_text_uri(d->route, uri, sizeof(uri));
	}
	if (sip_uri_host(uri, host, sizeof(host), &port)) {
		d->peer = wire_address(host, port);
	}
}

void call_route(struct dialog *d, const struct sip_text *msg, bool reversed)
{
	char value[1024], routes[16][256];
	size_t count = 0;
	if (sip_text_header(msg, "Contact", 0, value, sizeof(value))) {
		sip_text_uri(value, d->remote_target, sizeof(d->remote_target));
	}
	for (size_t i = 0; sip_text_header(msg, "Record-Route", i, value, sizeof(value)); i++) {
		for (char *p = strchr(value, '<'); p && count < 16; p = strchr(p + 1, '<')) {
			snprintf(routes[count++], sizeof(routes[0]), "%.*s>", (int)strcspn(p, ">"), p);
		}
	}
	d->route[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(d->route);
		snprintf(d->route + len, sizeof(d->route) - len, "Route: %s\r\n", routes[reversed ? count - 1 - i : i]);
	}
	set_peer(d);
}

/* A response to msg; tag is ours, put where To has none. */
static void begin_response(struct text *out, const struct sip_text *msg, int code, const char *tag)
{
	char to[512];
	text_clear(out);
	text_add(out, "SIP/2.0 %d %s\r\n", code, code < 200 ? "Ringing" : code < 300 ? "OK" : "No");
	sip_text_copy(msg, "Via", out);
	if (code < 300) {
		sip_text_copy(msg, "Record-Route", out);
	}
	sip_text_copy(msg, "From", out);
	sip_text_header(msg, "To", 0, to, sizeof(to));
	text_add(out, "To: %s%s%s\r\n", to, msg->to_tag[0] ? "" : ";tag=", msg->to_tag[0] ? "" : tag);
	sip_text_copy(msg, "Call-ID", out);
	sip_text_copy(msg, "CSeq", out);
}

static void respond_plainly(struct phone *phone, const struct sip_text *msg, int code, const char *tag, const struct sockaddr_in6 *from)
{
	struct text out;
	begin_response(&out, msg, code, tag);
	text_add(&out, "Content-Length: 0\r\n\r\n");
	wire_send(phone, out.data, from);
}

static const char *contact_line(const struct phone *phone)
{
	static char line[128];
	snprintf(line, sizeof(line), "Contact: <sip:%s@%s:%u;transport=%s>\r\n", phone->username, phone->host, ntohs(phone->self.sin6_port),
		phone->opts.tcp ? "tcp" : "udp");
	return line;
}

/* To be sent again until ACK or PRACK comes. */
static void keep_answer(struct phone *phone, struct dialog *d, const char *text, int code)
{
	free(d->answer);
	d->answer = strdup(text);
	d->answer_resend_ms = RESEND_FIRST_MS;
	d->answer_resend_at = code >= 200 || (d->early && d->script.reliable) ? lab_now_ms() + d->answer_resend_ms : 0;
	d->answer_give_up_at = lab_now_ms() + GIVE_UP_MS;
	lab_poke(phone->lab);
}

static void respond_to_invite(struct phone *phone, struct dialog *d, int code)
{
	struct text out, body;
	text_clear(&body);
	begin_response(&out, &d->invite, code, d->local_tag);
	if (code < 300) {
		text_add(&out, "%s", contact_line(phone));
	}
	bool bare = code >= 200 && d->script.bare && d->early && d->seen.reinvites == 0;
	d->early = code == 183;
	if (d->early && d->script.reliable) {
		text_add(&out, "Require: 100rel\r\nRSeq: 1\r\n");
	}
	if ((code >= 200 && code < 300 && !bare) || d->early) {
		d->offered = d->invite.body[0] == '\0';
		media_write(phone, d, !d->offered, &body);
		if (d->script.session_timer) {
			text_add(&out, "Supported: timer\r\nRequire: timer\r\nSession-Expires: %s\r\n", d->script.session_timer);
		}
		text_add(&out, "Content-Type: application/sdp\r\n");
	}
	text_add(&out, "Content-Length: %zu\r\n\r\n%s", body.len, body.data);
	keep_answer(phone, d, out.data, code);
	wire_send(phone, d->answer, &d->answer_to);
}

void call_final(struct phone *phone, struct dialog *d, int code)
{
	if (d->seen.code) {
		return;
	}
	d->seen.code = code;
	d->act_at = 0;
	respond_to_invite(phone, d, code);
	if (code < 300) {
		call_moment(phone, d, PHONE_ANSWERED);
	} else {
		call_end(phone, d);
	}
}

void call_bye(struct phone *phone, struct dialog *d)
{
	struct request *req = request_new(phone, d, "BYE", d->remote_target);
	if (!req) {
		return;
	}
	d->seen.bye_was_ours = true;
	call_moment(phone, d, PHONE_BYE);
	call_end(phone, d);
	request_start(phone, req);
}

static void keep_invite(struct dialog *d, const struct sip_text *msg, const struct sockaddr_in6 *from)
{
	sip_text_free(&d->invite);
	sip_text_parse(msg->data, msg->len, &d->invite);
	d->answer_to = *from;
}

static void first_invite(struct phone *phone, const struct sip_text *msg, const struct sockaddr_in6 *from)
{
	char value[512];
	struct dialog *d = call_new(phone, true);
	if (!d) {
		return;
	}
	keep_invite(d, msg, from);
	snprintf(d->seen.call_id, sizeof(d->seen.call_id), "%s", msg->call_id);
	snprintf(d->remote_tag, sizeof(d->remote_tag), "%s", msg->from_tag);
	sip_text_header(msg, "From", 0, value, sizeof(value));
	sip_text_uri(value, d->remote_uri, sizeof(d->remote_uri));
	sip_uri_user(d->remote_uri, d->seen.peer, sizeof(d->seen.peer));
	sip_text_header(msg, "To", 0, value, sizeof(value));
	sip_text_uri(value, d->local_uri, sizeof(d->local_uri));
	d->seen.auto_answer = sip_text_header(msg, "Call-Info", 0, value, sizeof(value)) && strstr(value, "answer-after=0");
	call_route(d, msg, false);
	call_moment(phone, d, PHONE_INVITED);
	bool refuse_at_once = d->script.manner == PHONE_REFUSES && d->script.ring_ms == 0;
	if (refuse_at_once || (msg->body[0] && !media_take(phone, d, msg->body))) {
		call_final(phone, d, refuse_at_once ? d->script.code : 488);
		return;
	}
	respond_to_invite(phone, d, d->script.early ? 183 : 180);
	call_moment(phone, d, PHONE_RINGING);
	if (d->script.manner == PHONE_ANSWERS || d->script.manner == PHONE_REFUSES) {
		d->act_at = lab_now_ms() + d->script.ring_ms;
	}
}

static void demand(struct phone *phone, const struct sip_text *msg, const struct sockaddr_in6 *from)
{
	struct text out;
	begin_response(&out, msg, 407, phone->tag);
	text_add(&out, "Proxy-Authenticate: Digest realm=\"%s\",nonce=\"n%u\",qop=\"auth\",algorithm=MD5\r\nContent-Length: 0\r\n\r\n",
		phone->opts.demands, ++phone->serial);
	wire_send(phone, out.data, from);
}

static void invite(struct phone *phone, const struct sip_text *msg, const struct sockaddr_in6 *from)
{
	struct dialog *d = find_by_call_id(phone, msg);
	sip_text_free(&phone->last_invite);
	sip_text_parse(msg->data, msg->len, &phone->last_invite);
	if (!d && !msg->to_tag[0] && phone->opts.demands && !sip_text_login_right(msg, phone->username, phone->password)) {
		demand(phone, msg, from);
	} else if (!d && !msg->to_tag[0]) {
		first_invite(phone, msg, from);
	} else if (!d || (d->seen.at_us[PHONE_ENDED] && msg->to_tag[0])) {
		respond_plainly(phone, msg, 481, phone->tag, from);
	} else if (msg->cseq == d->invite.cseq && strcmp(msg->from_tag, d->remote_tag) == 0) {
		if (d->answer) {
			wire_send(phone, d->answer, &d->answer_to); /* a repetition */
		}
	} else {
		d->seen.reinvites++;
		keep_invite(d, msg, from);
		bool fits = !msg->body[0] || media_take(phone, d, msg->body);
		respond_to_invite(phone, d, fits ? 200 : 488);
		lab_changed(phone->lab);
	}
}

static void ack(struct phone *phone, struct dialog *d, const struct sip_text *msg)
{
	if (d->script.lost_acks > 0 && d->seen.at_us[PHONE_ACKED] == 0) {
		d->script.lost_acks--;
		return;
	}
	d->answer_resend_at = 0;
	if (d->offered && msg->body[0]) {
		media_take(phone, d, msg->body);
		d->offered = false;
	}
	if (d->seen.code >= 200 && d->seen.code < 300) {
		bool first = d->seen.at_us[PHONE_ACKED] == 0;
		call_moment(phone, d, PHONE_ACKED);
		if (first && d->script.talk_ms > 0) {
			d->hangup_at = lab_now_ms() + d->script.talk_ms;
		}
	}
}

/* Answer as the test said. */
static void as_told(struct phone *phone, struct dialog *d, const struct sip_text *msg, struct phone_will *will,
	const struct sockaddr_in6 *from)
{
	struct text out;
	will->times--;
	if (will->code == 0) {
		return;
	}
	begin_response(&out, msg, will->code, d->local_tag);
	text_add(&out, "%s%s", will->code < 300 ? contact_line(phone) : "", will->lines ? will->lines : "");
	if (will->body) {
		text_add(&out, "Content-Type: %s\r\n", will->type ? will->type : "application/sdp");
	}
	text_add(&out, "Content-Length: %zu\r\n\r\n%s", will->body ? strlen(will->body) : 0, will->body ? will->body : "");
	if (strcmp(msg->method, "INVITE") == 0) {
		d->seen.reinvites++;
		d->offered = will->code < 300 && msg->body[0] == '\0';
		keep_invite(d, msg, from);
		keep_answer(phone, d, out.data, will->code);
		lab_changed(phone->lab);
	}
	wire_send(phone, out.data, from);
}

void call_request(struct phone *phone, const struct sip_text *msg, const struct sockaddr_in6 *from)
{
	struct dialog *d = find_by_call_id(phone, msg);
	struct phone_will *will = d && msg->to_tag[0] ? ask_will(phone, msg->method) : NULL;
	if (will && !(d->answer && strcmp(msg->method, "INVITE") == 0 && msg->cseq == d->invite.cseq)) {
		as_told(phone, d, msg, will, from);
	} else if (strcmp(msg->method, "INVITE") == 0) {
		invite(phone, msg, from);
	} else if (strcmp(msg->method, "ACK") == 0) {
		if (d) {
			ack(phone, d, msg);
		}
	} else if (strcmp(msg->method, "CANCEL") == 0) {
		bool rings = d && d->seen.incoming && d->seen.code == 0;
		respond_plainly(phone, msg, d ? 200 : 481, d ? d->local_tag : phone->tag, from);
		if (rings) {
			call_moment(phone, d, PHONE_CANCELED);
			call_final(phone, d, d->script.manner == PHONE_CROSSES ? 200 : 487);
		}
	} else if (strcmp(msg->method, "BYE") == 0) {
		respond_plainly(phone, msg, d ? 200 : 481, phone->tag, from);
		if (d) {
			d->answer_resend_at = 0;
			call_moment(phone, d, PHONE_BYE);
			call_end(phone, d);
		}
	} else {
		if (d && strcmp(msg->method, "PRACK") == 0) {
			d->pracked = true;
			d->answer_resend_at = 0;
		}
		respond_plainly(phone, msg, 200, phone->tag, from);
	}
}

static void act(struct phone *phone, struct dialog *d)
{
	d->act_at = 0;
	call_final(phone, d, d->script.manner == PHONE_ANSWERS ? 200 : d->script.code);
}

int64_t call_timers(struct phone *phone, int64_t now)
{
	int64_t next = 0;
	for (struct dialog *d = phone->dialogs; d; d = d->next) {
		if (d->act_at && now >= d->act_at && (!d->script.reliable || d->pracked)) {
			act(phone, d);
		}
		if (d->hangup_at && now >= d->hangup_at) {
			d->hangup_at = 0;
			call_bye(phone, d);
		}
		if (d->answer_resend_at && now >= d->answer_give_up_at) {
			d->answer_resend_at = 0;
		} else if (d->answer_resend_at && now >= d->answer_resend_at) {
			wire_send(phone, d->answer, &d->answer_to);
			d->answer_resend_ms = d->answer_resend_ms * 2 < RESEND_MAX_MS ? d->answer_resend_ms * 2 : RESEND_MAX_MS;
			d->answer_resend_at = now + d->answer_resend_ms;
		}
		int64_t due[] = { d->script.reliable && !d->pracked ? 0 : d->act_at, d->hangup_at, d->answer_resend_at };
		for (size_t i = 0; i < sizeof(due) / sizeof(due[0]); i++) {
			next = due[i] && (!next || due[i] < next) ? due[i] : next;
		}
	}
	return next;
}
