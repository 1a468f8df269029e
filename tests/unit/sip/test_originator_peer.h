/* test_originator_peer.h - the scripted SIP server of a rig with two phones behind it, played line by line by the
 * test's thread. */
#ifndef TEST_ORIGINATOR_PEER_H
#define TEST_ORIGINATOR_PEER_H

#include "test_originator_rig.h"

#define SDP_A                                                                                                          \
	"v=0\r\no=alice 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\n"  \
	"a=rtpmap:101 telephone-event/8000\r\na=inactive\r\n"
#define SDP_A_ON                                                                                                       \
	"v=0\r\no=alice 1 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n"    \
	"a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
#define SDP_B                                                                                                          \
	"v=0\r\no=bob 7 7 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0 101\r\n"      \
	"a=rtpmap:101 telephone-event/8000\r\n"

/* One leg as its phone sees it. */
struct phone {
	char call_id[128], local[512], remote[512], target[256], tag[32];
	unsigned cseq;
	unsigned branch; /* of its own last INVITE; CANCEL, and the ACK of a refusal, share it */
	bool refused;
	struct msg invite;
};

/* Take one message of what the connection brought. */
static inline bool take_whole(struct rig *rig)
{
	char *end, *length;
	size_t size;

	rig->rest[rig->rest_len] = '\0';
	end = strstr(rig->rest, "\r\n\r\n");
	length = strstr(rig->rest, "\r\nContent-Length: ");
	if (!end || !length)
		return false;
	size = (size_t)(end + 4 - rig->rest) + (size_t)atoi(length + 18);
	if (rig->rest_len < size)
		return false;
	memcpy(rig->in.text, rig->rest, size);
	rig->in.text[size] = '\0';
	rig->in.len = size;
	rig->rest_len -= size;
	memmove(rig->rest, rig->rest + size, rig->rest_len);
	return true;
}

static inline bool receive_stream(struct rig *rig, int timeout_ms)
{
	struct pollfd p = { .fd = rig->fd, .events = POLLIN };

	while (!take_whole(rig)) {
		ssize_t n;

		if (poll(&p, 1, timeout_ms) <= 0)
			return false;
		n = recv(rig->fd, rig->rest + rig->rest_len, MSG_MAX - 1 - rig->rest_len, 0);
		if (n <= 0)
			return false;
		rig->rest_len += (size_t)n;
	}
	return true;
}

static inline bool receive(struct rig *rig, int timeout_ms)
{
	struct pollfd p = { .fd = rig->fd, .events = POLLIN };
	ssize_t n;

	if (rig->stream)
		return receive_stream(rig, timeout_ms);
	if (poll(&p, 1, timeout_ms) <= 0)
		return false;
	n = recv(rig->fd, rig->in.text, MSG_MAX - 1, 0);
	assert_true(n > 0);
	rig->in.text[n] = '\0';
	rig->in.len = (size_t)n;
	if (getenv("TEST_SIP_TRACE"))
		print_message("<- %s\n", rig->in.text);
	return true;
}

/* The next datagram starts so: "INVITE sip:...", "SIP/2.0 200". */
static inline const char *expect(struct rig *rig, const char *start)
{
	if (!receive(rig, WAIT_MS))
		fail_msg("nothing came, expected %s", start);
	if (strncmp(rig->in.text, start, strlen(start)) != 0)
		fail_msg("expected %s, got %.*s", start, (int)strcspn(rig->in.text, "\r\n"), rig->in.text);
	return rig->in.text;
}

static inline void expect_silence(struct rig *rig, int ms)
{
	if (receive(rig, ms))
		fail_msg("expected nothing, got %.*s", (int)strcspn(rig->in.text, "\r\n"), rig->in.text);
}

/* A header's value; "" if missing. */
static inline const char *header(const char *text, const char *name, char *out, size_t size)
{
	size_t len = strlen(name);
	const char *p = text, *end = strstr(text, "\r\n\r\n");

	out[0] = '\0';
	while ((p = strstr(p, "\r\n")) != NULL && p < end) {
		p += 2;
		if (strncasecmp(p, name, len) == 0 && p[len] == ':') {
			snprintf(out, size, "%.*s", (int)strcspn(p + len + 2, "\r"), p + len + 2);
			break;
		}
	}
	return out;
}

static inline bool has_line(const char *text, const char *line)
{
	char wanted[512];

	snprintf(wanted, sizeof(wanted), "\r\n%s\r\n", line);
	return strstr(text, wanted) != NULL;
}

static inline const char *body_of(const char *text)
{
	const char *p = strstr(text, "\r\n\r\n");

	return p ? p + 4 : "";
}

static inline void send_text(struct rig *rig, const char *text, size_t len)
{
	if (getenv("TEST_SIP_TRACE"))
		print_message("-> %s\n", text);
	if (rig->stream) {
		assert_int_equal(send(rig->fd, text, len, 0), (ssize_t)len);
		return;
	}
	assert_int_equal(sendto(rig->fd, text, len, 0, (struct sockaddr *)&rig->originator, sizeof(rig->originator)),
		(ssize_t)len);
}

/* Answer a request of the originator's; extra: header lines; tag and sdp may be NULL. */
static inline void answer_to(
	struct rig *rig, const char *request, const char *status, const char *tag, const char *extra, const char *sdp)
{
	static char out[MSG_MAX];
	char via[256], from[256], to[256], id[128], cseq[64];
	bool tagged = strstr(header(request, "To", to, sizeof(to)), ";tag=") != NULL;
	int n = snprintf(out, sizeof(out),
		"SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s%s%s\r\nCall-ID: %s\r\nCSeq: %s\r\n%s%sContent-Length: "
		"%zu\r\n\r\n%s",
		status, header(request, "Via", via, sizeof(via)), header(request, "From", from, sizeof(from)), to,
		tag && !tagged ? ";tag=" : "", tag && !tagged ? tag : "", header(request, "Call-ID", id, sizeof(id)),
		header(request, "CSeq", cseq, sizeof(cseq)), extra ? extra : "",
		sdp ? "Content-Type: application/sdp\r\n" : "", sdp ? strlen(sdp) : (size_t)0, sdp ? sdp : "");

	send_text(rig, out, (size_t)n);
}

#define ROUTES "Record-Route: <sip:127.0.0.1:7001;lr>, <sip:127.0.0.1:7002;lr>\r\n"

/* Take an INVITE: remembers it, and who we are in that dialog. */
static inline void phone_take(struct rig *rig, struct phone *phone, const char *uri, const char *tag)
{
	char start[160], value[256];

	snprintf(start, sizeof(start), "INVITE %s SIP/2.0\r\n", uri);
	expect(rig, start);
	phone->invite = rig->in;
	phone->cseq = 100;
	phone->refused = false;
	snprintf(phone->tag, sizeof(phone->tag), "%s", tag);
	header(rig->in.text, "Call-ID", phone->call_id, sizeof(phone->call_id));
	header(rig->in.text, "From", phone->remote, sizeof(phone->remote));
	snprintf(
		phone->local, sizeof(phone->local), "%s;tag=%s", header(rig->in.text, "To", value, sizeof(value)), tag);
	header(rig->in.text, "Contact", value, sizeof(value));
	snprintf(phone->target, sizeof(phone->target), "%.*s", (int)strcspn(value + 1, ">"), value + 1);
}

static inline void phone_answer(struct rig *rig, const struct phone *phone, const char *status, const char *sdp)
{
	char extra[256];

	snprintf(extra, sizeof(extra), "Contact: <sip:%s@127.0.0.1:6000>\r\nAllow: INVITE, ACK, BYE, UPDATE\r\n" ROUTES,
		phone->tag);
	answer_to(rig, phone->invite.text, status, phone->tag, extra, sdp);
}

/* A request of the phone's own in its dialog. */
static inline void phone_request(
	struct rig *rig, struct phone *phone, const char *method, unsigned cseq, const char *extra, const char *sdp)
{
	static char out[MSG_MAX];
	unsigned branch = strcmp(method, "CANCEL") == 0 || phone->refused ? phone->branch : ++rig->serial;
	int n = snprintf(out, sizeof(out),
		"%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKtest%u\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: "
		"%s\r\nCall-ID: %s\r\n"
		"CSeq: %u %s\r\nContact: <sip:%s@127.0.0.1:6000>\r\n%s%sContent-Length: %zu\r\n\r\n%s",
		method, phone->target, rig->proxy_text, branch, phone->local, phone->remote, phone->call_id, cseq,
		method, phone->tag, extra ? extra : "", sdp ? "Content-Type: application/sdp\r\n" : "",
		sdp ? strlen(sdp) : (size_t)0, sdp ? sdp : "");

	if (strcmp(method, "INVITE") == 0)
		phone->branch = branch;
	send_text(rig, out, (size_t)n);
}

/* The phone acknowledges our 2xx to its re-INVITE; or our refusal of it, hop by hop. */
static inline void phone_ack(struct rig *rig, struct phone *phone, const char *sdp)
{
	phone_request(rig, phone, "ACK", phone->cseq, NULL, sdp);
}

static inline void phone_ack_refusal(struct rig *rig, struct phone *phone)
{
	phone->refused = true;
	phone_request(rig, phone, "ACK", phone->cseq, NULL, NULL);
	phone->refused = false;
}

/* ---- whole stretches of a call */

static const struct carrier_call call_s1 = { .session_id = "session_1_x",
	.user_id = "user_123",
	.from_number = "+1234567890",
	.to_number = "+0987654321",
	.a_targets = { "user_1", "user_2", "user_3" },
	.a_count = 3,
	.b_targets = { "user_9" },
	.b_count = 1,
	.request_id = "req-1",
	.ring_timeout_ms = 20000,
	.max_seconds = 3600,
	.call_limit = 50 };

static inline void ring_a(struct rig *rig, struct phone *a)
{
	assert_int_equal(rig_place(rig, &call_s1), NXV_OK);
	phone_take(rig, a, "sip:user_1@nexus.test", "ta");
	phone_answer(rig, a, "180 Ringing", NULL);
	expect_event(rig, CARRIER_A_RINGING, 180);
}

static inline void ring_b(struct rig *rig, struct phone *a, struct phone *b)
{
	ring_a(rig, a);
	phone_answer(rig, a, "200 OK", SDP_A);
	expect(rig, "ACK sip:ta@127.0.0.1:6000 SIP/2.0");
	expect_event(rig, CARRIER_A_ANSWERED, 200);
	phone_take(rig, b, "sip:user_9@nexus.test", "tb");
	phone_answer(rig, b, "180 Ringing", NULL);
	expect_event(rig, CARRIER_B_RINGING, 180);
}

static inline void join(struct rig *rig, struct phone *a, struct phone *b)
{
	ring_b(rig, a, b);
	phone_answer(rig, b, "200 OK", SDP_B);
	expect(rig, "ACK sip:tb@127.0.0.1:6000 SIP/2.0");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "INVITE sip:ta@127.0.0.1:6000 SIP/2.0");
	answer_to(rig, rig->in.text, "200 OK", NULL, "Contact: <sip:ta@127.0.0.1:6000>\r\n", SDP_A_ON);
	expect(rig, "ACK sip:ta@127.0.0.1:6000 SIP/2.0");
	expect_event(rig, CARRIER_JOINED, 0);
}

/* A BYE to this phone comes and is taken. */
static inline void take_bye(struct rig *rig, const char *phone_tag)
{
	char start[96];

	snprintf(start, sizeof(start), "BYE sip:%s@127.0.0.1:6000 SIP/2.0", phone_tag);
	expect(rig, start);
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, NULL);
}

/* A CANCEL comes; it and its INVITE are answered, and the 487 acknowledged. */
static inline void take_cancel(struct rig *rig, const struct phone *phone)
{
	expect(rig, "CANCEL ");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, NULL);
	answer_to(rig, phone->invite.text, "487 Request Terminated", phone->tag, NULL, NULL);
	expect(rig, "ACK ");
}

/* The same while the other phone, already up, is hung up. */
static inline void take_cancel_and_bye(struct rig *rig, const struct phone *phone, const char *other_tag)
{
	expect(rig, "CANCEL ");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, NULL);
	take_bye(rig, other_tag);
	answer_to(rig, phone->invite.text, "487 Request Terminated", phone->tag, NULL, NULL);
	expect(rig, "ACK ");
}

static inline int rig_setup(void **state)
{
	struct rig *rig = rig_open();

	rig_start(rig);
	*state = rig;
	return 0;
}

static inline int rig_teardown(void **state)
{
	rig_close(*state);
	return 0;
}

#endif
