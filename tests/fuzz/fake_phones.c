/* fake_phones.c - see fake_phones.h. What the originator sends is read by the test phone's own parser, so that libre's
 * reading of it proves nothing. */
#include "fake_phones.h"

#include "fake_net.h"
#include "support/sip_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENT_MAX = 8, AGES_MS = 400000, TIMERS_MAX = 20000 };

struct fake_leg {
	struct sip_text sent[SENT_MAX]; /* requests to it */
	size_t sent_count;
	char local[600], remote[600], target[300], call_id[160]; /* of its dialog */
	unsigned cseq, branch;
};

static struct carrier *carrier;
static struct fake_leg legs[2];
static char last[2 * SIP_TEXT_MAX];
static bool placed, joined, down, closing;
static bool garbled; /* a datagram of any kind came: what answers it repeats its headers */
static unsigned end_at, told, sent;

static void check(bool right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "fake phones: %s\n", what);
	abort();
}

struct carrier *fake_phones_carrier(void)
{
	return carrier;
}

/* --- what the originator sends --- */

static struct fake_leg *leg_of(const struct sip_text *msg)
{
	size_t len = strlen(msg->call_id);

	check(len > 2 && msg->call_id[len - 2] == '-', "a Call-ID that is not ours");
	return &legs[msg->call_id[len - 1] == 'b'];
}

static void note_dialog(struct fake_leg *leg, const struct sip_text *msg)
{
	char value[512];

	if (!sip_text_header(msg, "To", 0, value, sizeof(value)))
		return;
	snprintf(leg->local, sizeof(leg->local), "%s%s%s", value, msg->to_tag[0] ? "" : ";tag=t",
		msg->to_tag[0] ? "" : leg == legs ? "a" : "b");
	sip_text_header(msg, "From", 0, leg->remote, sizeof(leg->remote));
	if (sip_text_header(msg, "Contact", 0, value, sizeof(value)))
		sip_text_uri(value, leg->target, sizeof(leg->target));
	snprintf(leg->call_id, sizeof(leg->call_id), "%s", msg->call_id);
}

static void note_request(struct sip_text *msg)
{
	struct fake_leg *leg = leg_of(msg);
	struct sip_text *slot = &leg->sent[leg->sent_count++ % SENT_MAX];

	if (strcmp(msg->method, "ACK") == 0) {
		leg->sent_count--;
		sip_text_free(msg);
		return;
	}
	note_dialog(leg, msg);
	sip_text_free(slot);
	*slot = *msg;
}

static void on_sent(const char *data, size_t len)
{
	struct sip_text msg;
	char length[16];

	sent++;
	if (closing) /* the same BYE again and again */
		return;
	check(!memchr(data, '\0', len), "a NUL was sent");
	if (!sip_text_parse(data, len, &msg)) {
		check(garbled && strncmp(data, "SIP/2.0 ", 8) == 0, "what was sent is no SIP message");
		sip_text_free(&msg);
		return;
	}
	if (len < SIP_TEXT_MAX) {
		check(sip_text_header(&msg, "Content-Length", 0, length, sizeof(length)), "no Content-Length");
		check(msg.body && strtoul(length, NULL, 10) == strlen(msg.body), "a wrong Content-Length");
	}
	/* Only the INVITEs that open a call may carry them, for the SIP server takes them away. */
	if (!msg.request || msg.to_tag[0])
		check(!sip_text_has_prefix(&msg, "X-Nexus-"), "X-Nexus-* for a phone");
	if (msg.request)
		note_request(&msg);
	else
		sip_text_free(&msg);
}

/* --- what it tells --- */

static void on_event(void *arg, const char *session_id, const struct carrier_event *event)
{
	(void)arg;
	check(strcmp(session_id, FAKE_SESSION) == 0, "an event of an unknown session");
	check(!down, "an event after the last one");
	told++;
	if (event->kind == CARRIER_JOINED) {
		check(!joined, "joined twice");
		joined = true;
	}
	if (event->kind == CARRIER_CHANGED || event->kind == CARRIER_PROMISED)
		free(carrier->ops->save(carrier, session_id));
	down = event->kind == CARRIER_DOWN;
	if (end_at && --end_at == 0)
		(void)carrier->ops->end(carrier, FAKE_SESSION, NULL);
}

void fake_phones_end_at(unsigned nth)
{
	end_at = nth;
}

/* --- the phones --- */

/* LF to CRLF; $0 to $9 are whole descriptions. */
static void put_lines(struct text *out, const char *p, size_t len)
{
	static const char *const directions[] = { "sendrecv", "sendonly", "recvonly", "inactive" };

	for (size_t i = 0; i < len; i++) {
		unsigned which = i + 1 < len ? (unsigned)(unsigned char)p[i + 1] - '0' : 10;

		if (p[i] == '$' && which < 10) {
			text_add(out,
				"v=0\r\no=phone %u 1 IN IP4 10.0.0.%u\r\ns=-\r\nc=IN IP4 10.0.0.%u\r\nt=0 0\r\nm=audio %u RTP/AVP "
				"0%s 101\r\na=rtpmap:101 telephone-event/8000\r\na=%s\r\n",
				which, which % 2 + 1, which % 2 + 1, 4000 + which, which < 2 ? " 8" : "", directions[which / 2 % 4]);
			i++;
		} else if (p[i] == '\n' && (i == 0 || p[i - 1] != '\r')) {
			text_add(out, "\r\n");
		} else if (p[i]) {
			text_add(out, "%c", p[i]);
		}
	}
}

/* The rest of a message: given header lines, default ones for what is not given, and the body. */
static void put_rest(struct text *out, const char *lines, char leg)
{
	static struct text body;
	const char *empty = lines[0] == '\n' ? lines : strstr(lines, "\n\n");
	size_t head = empty ? (size_t)(empty - lines) + (empty > lines) : strlen(lines);

	text_clear(&body);
	if (empty) {
		const char *start = empty + (empty > lines ? 2 : 1);

		put_lines(&body, start, strlen(start));
	}
	put_lines(out, lines, head);
	if (head && lines[head - 1] != '\n')
		text_add(out, "\r\n");
	if (!strstr(lines, "ontact:"))
		text_add(out, "Contact: <sip:t%c@127.0.0.1:6000>\r\n", leg);
	if (body.len && !strstr(lines, "ontent-T"))
		text_add(out, "Content-Type: application/sdp\r\n");
	if (!strstr(lines, "ontent-L"))
		text_add(out, "Content-Length: %zu\r\n", body.len);
	text_add(out, "\r\n%s", body.data);
}

static void deliver(const char *text, bool stranger)
{
	const unsigned sent_before = sent, told_before = told;

	if (text != last)
		snprintf(last, sizeof(last), "%s", text);
	fake_net_receive(last, strlen(last), stranger ? "127.0.0.9:5060" : FAKE_PROXY);
	if (stranger)
		check(sent == sent_before && told == told_before, "a stranger's message had an effect");
}

void fake_phones_deliver(const char *text, bool stranger)
{
	garbled = true;
	deliver(text, stranger);
}

void fake_phones_repeat(void)
{
	if (last[0])
		deliver(last, false);
}

void fake_phones_answer(char name, unsigned code, unsigned nth, const char *tag, const char *lines)
{
	static struct text out;
	struct fake_leg *leg = &legs[name == 'b'];
	const struct sip_text *req;
	char to[600] = "";

	if (nth >= leg->sent_count || nth >= SENT_MAX)
		return;
	req = &leg->sent[(leg->sent_count - 1 - nth) % SENT_MAX];
	text_clear(&out);
	text_add(&out, "SIP/2.0 %u Answer\r\n", code);
	sip_text_copy(req, "Via", &out);
	sip_text_copy(req, "From", &out);
	sip_text_header(req, "To", 0, to, sizeof(to));
	text_add(&out, "To: %s", to);
	if (!req->to_tag[0] && code > 100)
		text_add(&out, ";tag=%s", *tag ? tag : name == 'b' ? "tb" : "ta");
	text_add(&out, "\r\n");
	sip_text_copy(req, "Call-ID", &out);
	sip_text_copy(req, "CSeq", &out);
	put_rest(&out, lines, name);
	deliver(out.data, false);
}

void fake_phones_request(char name, const char *method, unsigned cseq, const char *lines)
{
	static struct text out;
	struct fake_leg *leg = &legs[name == 'b'];
	bool same = strcmp(method, "ACK") == 0 || strcmp(method, "CANCEL") == 0;

	if (!leg->call_id[0])
		return;
	leg->cseq = cseq ? cseq : leg->cseq + !same;
	leg->branch += !same;
	text_clear(&out);
	text_add(&out,
		"%s %s SIP/2.0\r\nVia: SIP/2.0/UDP " FAKE_PROXY ";branch=z9hG4bK%c%u\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\n"
		"Call-ID: %s\r\nCSeq: %u %s\r\n",
		method, leg->target, name, leg->branch, leg->local, leg->remote, leg->call_id, leg->cseq, method);
	put_rest(&out, lines, name);
	deliver(out.data, false);
}

/* --- its life --- */

void fake_phones_open(void)
{
	static const struct originator_opts opts = { .proxy = FAKE_PROXY,
		.listen = FAKE_SELF,
		.domain = "nexus.test",
		.username = "gateway",
		.ha1_md5 = "cc26ccb26ad1a0a2e14b1b6c7f1e4eb2",
		.ha1_sha256 = "",
		.sink = on_event };
	struct originator_opts mine = opts;

	fake_net_sent = on_sent;
	mine.env = fake_net_env();
	placed = joined = down = closing = garbled = false;
	end_at = told = sent = 0;
	last[0] = '\0';
	check(originator_open(&mine, &carrier, NULL) == NXV_OK, "it does not open");
}

nxv_status fake_phones_place(void)
{
	static const struct carrier_call call = { .session_id = FAKE_SESSION,
		.user_id = "user",
		.from_number = "+15550001111",
		.to_number = "+15550002222",
		.a_targets = { "ann", "ann2" },
		.a_count = 2,
		.b_targets = { "ben" },
		.b_count = 1,
		.ring_timeout_ms = 20000,
		.max_seconds = 3600,
		.call_limit = 50 };
	nxv_status status = carrier->ops->place(carrier, &call, NULL);

	placed = placed || status == NXV_OK;
	return status;
}

nxv_status fake_phones_restore(const char *state)
{
	nxv_status status = carrier->ops->restore(carrier, FAKE_SESSION, state, NULL);

	placed = placed || status == NXV_OK;
	return status;
}

static void forget(void)
{
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < SENT_MAX; k++)
			sip_text_free(&legs[i].sent[k]);
		memset(&legs[i], 0, sizeof(legs[i]));
	}
}

static void shut(void)
{
	fake_net_sent = NULL;
	carrier->ops->close(carrier);
	carrier = NULL;
	check(fake_net_timers() == 0, "timers run on after it was closed");
}

bool fake_phones_crash(void)
{
	char *state = carrier->ops->save(carrier, FAKE_SESSION), *again;
	bool was_joined = joined;
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status;

	if (!state)
		return false;
	shut();
	fake_phones_open();
	joined = was_joined;
	status = carrier->ops->restore(carrier, FAKE_SESSION, state, &err);
	check(status == NXV_OK, err.message);
	placed = true;
	again = carrier->ops->save(carrier, FAKE_SESSION);
	check(again != NULL, "what was restored cannot be saved");
	free(again);
	free(state);
	return true;
}

void fake_phones_close(void)
{
	(void)carrier->ops->end(carrier, FAKE_SESSION, NULL);
	closing = true;
	fake_net_pass(AGES_MS, TIMERS_MAX);
	check(originator_call_count(carrier) == 0, "a call that does not end");
	check(down == placed, "the last event is missing");
	shut();
	forget();
}
