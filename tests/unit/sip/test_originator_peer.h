/* test_originator_peer.h - a scripted SIP server with two phones behind it, on one plain UDP socket. The test's thread plays it
 * line by line; the originator runs on a loop of its own, in another thread. */
#ifndef TEST_ORIGINATOR_PEER_H
#define TEST_ORIGINATOR_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "loop/loop.h"
#include "sip/originator/originator.h"

enum { MSG_MAX = 65000, EVENTS_MAX = 32, WAIT_MS = 3000 };

/* MD5 and SHA-256 of "gateway:nexus.test:secret" */
#define HA1_MD5 "cc26ccb26ad1a0a2e14b1b6c7f1e4eb2"
#define SDP_A "v=0\r\no=alice 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\n" \
	"a=rtpmap:101 telephone-event/8000\r\na=inactive\r\n"
#define SDP_A_ON "v=0\r\no=alice 1 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n" \
	"a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
#define SDP_B "v=0\r\no=bob 7 7 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0 101\r\n" \
	"a=rtpmap:101 telephone-event/8000\r\n"

struct msg {
	char text[MSG_MAX];
	size_t len;
};

struct rig_event {
	enum carrier_event_kind kind;
	int code;
	char contact[128];
};

struct rig {
	struct env env;
	struct loop *loop;
	struct carrier *carrier;
	struct originator_opts opts;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ready;
	nxv_status status;          /* of the last posted call */
	bool done;
	struct nxv_error err;
	const struct carrier_call *placing;
	const char *ending;
	bool end_on_event;          /* end the call from inside the sink, at its first event */
	struct rig_event events[EVENTS_MAX];
	size_t event_count, event_read;
	int fd;                     /* the proxy's socket */
	struct sockaddr_in proxy, originator;
	char proxy_text[32];
	unsigned serial;
	bool stream;                /* fd is a TCP connection */
	char rest[MSG_MAX];         /* of what it brought, not yet taken */
	size_t rest_len;
	struct msg in;              /* last one received */
};

/* One leg as its phone sees it. */
struct phone {
	char call_id[128], local[512], remote[512], target[256], tag[32];
	unsigned cseq;
	unsigned branch;            /* of its own last INVITE; CANCEL, and the ACK of a refusal, share it */
	bool refused;
	struct msg invite;
};

static inline void rig_sink(void *arg, const char *session_id, const struct carrier_event *event)
{
	struct rig *rig = arg;
	bool first;

	pthread_mutex_lock(&rig->lock);
	assert_true(rig->event_count < EVENTS_MAX);
	rig->events[rig->event_count].kind = event->kind;
	rig->events[rig->event_count].code = event->sip_code;
	snprintf(rig->events[rig->event_count].contact, sizeof(rig->events[0].contact), "%s", event->contact ? event->contact : "");
	rig->event_count++;
	first = rig->event_count == 1;
	pthread_cond_broadcast(&rig->changed);
	pthread_mutex_unlock(&rig->lock);
	if (rig->end_on_event && first)
		(void)rig->carrier->ops->end(rig->carrier, session_id, NULL);
}

static inline void rig_tell(struct rig *rig, nxv_status status)
{
	pthread_mutex_lock(&rig->lock);
	rig->status = status;
	rig->done = true;
	pthread_cond_broadcast(&rig->changed);
	pthread_mutex_unlock(&rig->lock);
}

static inline void *rig_thread(void *arg)
{
	struct rig *rig = arg;
	nxv_status st = loop_open(&rig->loop, &rig->err);

	rig->opts.loop = rig->loop;
	if (st == NXV_OK)
		st = originator_open(&rig->opts, &rig->carrier, &rig->err);
	rig_tell(rig, st);
	if (st == NXV_OK)
		(void)loop_run(rig->loop, NULL);
	if (rig->carrier)
		rig->carrier->ops->close(rig->carrier);
	loop_close(rig->loop);
	return NULL;
}

static inline nxv_status rig_wait(struct rig *rig)
{
	nxv_status st;

	pthread_mutex_lock(&rig->lock);
	while (!rig->done)
		pthread_cond_wait(&rig->changed, &rig->lock);
	rig->done = false;
	st = rig->status;
	pthread_mutex_unlock(&rig->lock);
	return st;
}

static inline int udp_socket(struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof(*addr);

	memset(addr, 0, sizeof(*addr));
	addr->sin_family = AF_INET;
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)addr, sizeof(*addr)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)addr, &len), 0);
	return fd;
}

static inline void rig_log(void *user, nxv_log_level level, const char *module, const char *text)
{
	(void)user;
	(void)level;
	print_message("log %s: %s\n", module, text);
}

static inline struct rig *rig_open(void)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->env.log = rig_log;
	rig->env.level = NXV_LOG_INFO;
	env_defaults(&rig->env);
	pthread_mutex_init(&rig->lock, NULL);
	pthread_cond_init(&rig->changed, NULL);
	rig->fd = udp_socket(&rig->proxy);
	snprintf(rig->proxy_text, sizeof(rig->proxy_text), "127.0.0.1:%d", ntohs(rig->proxy.sin_port));
	rig->opts = (struct originator_opts){ .env = &rig->env, .proxy = rig->proxy_text, .listen = "127.0.0.1:0", .domain = "nexus.test",
		.username = "gateway", .ha1_md5 = HA1_MD5, .ha1_sha256 = "", .sink = rig_sink, .sink_arg = rig };
	return rig;
}

static inline void rig_start(struct rig *rig)
{
	pthread_create(&rig->thread, NULL, rig_thread, rig);
	if (rig_wait(rig) != NXV_OK)
		fail_msg("originator: %s", rig->err.message);
	rig->originator = rig->proxy;
	rig->originator.sin_port = htons(originator_port(rig->carrier));
}

static inline void rig_close(struct rig *rig)
{
	loop_stop(rig->loop);
	pthread_join(rig->thread, NULL);
	close(rig->fd);
	pthread_mutex_destroy(&rig->lock);
	pthread_cond_destroy(&rig->changed);
	free(rig);
}

static inline void rig_do_place(void *arg)
{
	struct rig *rig = arg;

	rig_tell(rig, rig->carrier->ops->place(rig->carrier, rig->placing, &rig->err));
}

static inline nxv_status rig_place(struct rig *rig, const struct carrier_call *call)
{
	rig->placing = call;
	assert_int_equal(loop_post(rig->loop, rig_do_place, rig), NXV_OK);
	return rig_wait(rig);
}

static inline void rig_do_end(void *arg)
{
	struct rig *rig = arg;

	rig_tell(rig, rig->carrier->ops->end(rig->carrier, rig->ending, &rig->err));
}

static inline nxv_status rig_end(struct rig *rig, const char *session_id)
{
	rig->ending = session_id;
	assert_int_equal(loop_post(rig->loop, rig_do_end, rig), NXV_OK);
	return rig_wait(rig);
}

static const char *const event_names[] = { "A_RINGING", "A_ANSWERED", "A_FAILED", "A_NO_ANSWER", "B_RINGING", "B_ANSWERED", "B_FAILED",
	"B_NO_ANSWER", "JOINED", "A_HANGUP", "B_HANGUP", "MEDIA_REFUSED", "LOST", "DOWN" };

static inline const struct rig_event *rig_next(struct rig *rig, int timeout_ms)
{
	struct timespec until;
	const struct rig_event *event = NULL;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (timeout_ms % 1000) * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&rig->lock);
	while (rig->event_read == rig->event_count && pthread_cond_timedwait(&rig->changed, &rig->lock, &until) == 0)
		;
	if (rig->event_read < rig->event_count)
		event = &rig->events[rig->event_read++];
	pthread_mutex_unlock(&rig->lock);
	return event;
}

/* The next event is this one. */
static inline const struct rig_event *expect_event(struct rig *rig, enum carrier_event_kind kind, int code)
{
	const struct rig_event *event = rig_next(rig, WAIT_MS);

	if (!event)
		fail_msg("no event, expected %s", event_names[kind]);
	if (event->kind != kind || event->code != code)
		fail_msg("event %s %d, expected %s %d", event_names[event->kind], event->code, event_names[kind], code);
	return event;
}

static inline void expect_no_event(struct rig *rig, int ms)
{
	const struct rig_event *event = rig_next(rig, ms);

	if (event)
		fail_msg("event %s, expected none", event_names[event->kind]);
}

/* ---- messages */

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
	assert_int_equal(sendto(rig->fd, text, len, 0, (struct sockaddr *)&rig->originator, sizeof(rig->originator)), (ssize_t)len);
}

/* Answer a request of the originator's; extra: header lines; tag and sdp may be NULL. */
static inline void answer_to(struct rig *rig, const char *request, const char *status, const char *tag, const char *extra, const char *sdp)
{
	static char out[MSG_MAX];
	char via[256], from[256], to[256], id[128], cseq[64];
	bool tagged = strstr(header(request, "To", to, sizeof(to)), ";tag=") != NULL;
	int n = snprintf(out, sizeof(out),
		"SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s%s%s\r\nCall-ID: %s\r\nCSeq: %s\r\n%s%sContent-Length: %zu\r\n\r\n%s", status,
		header(request, "Via", via, sizeof(via)), header(request, "From", from, sizeof(from)), to, tag && !tagged ? ";tag=" : "",
		tag && !tagged ? tag : "", header(request, "Call-ID", id, sizeof(id)), header(request, "CSeq", cseq, sizeof(cseq)),
		extra ? extra : "", sdp ? "Content-Type: application/sdp\r\n" : "", sdp ? strlen(sdp) : (size_t)0, sdp ? sdp : "");

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
	snprintf(phone->local, sizeof(phone->local), "%s;tag=%s", header(rig->in.text, "To", value, sizeof(value)), tag);
	header(rig->in.text, "Contact", value, sizeof(value));
	snprintf(phone->target, sizeof(phone->target), "%.*s", (int)strcspn(value + 1, ">"), value + 1);
}

static inline void phone_answer(struct rig *rig, const struct phone *phone, const char *status, const char *sdp)
{
	char extra[256];

	snprintf(extra, sizeof(extra), "Contact: <sip:%s@127.0.0.1:6000>\r\nAllow: INVITE, ACK, BYE, UPDATE\r\n" ROUTES, phone->tag);
	answer_to(rig, phone->invite.text, status, phone->tag, extra, sdp);
}

/* A request of the phone's own in its dialog. */
static inline void phone_request(struct rig *rig, struct phone *phone, const char *method, unsigned cseq, const char *extra, const char *sdp)
{
	static char out[MSG_MAX];
	unsigned branch = strcmp(method, "CANCEL") == 0 || phone->refused ? phone->branch : ++rig->serial;
	int n = snprintf(out, sizeof(out),
		"%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKtest%u\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\n"
		"CSeq: %u %s\r\nContact: <sip:%s@127.0.0.1:6000>\r\n%s%sContent-Length: %zu\r\n\r\n%s",
		method, phone->target, rig->proxy_text, branch, phone->local, phone->remote, phone->call_id, cseq, method, phone->tag,
		extra ? extra : "", sdp ? "Content-Type: application/sdp\r\n" : "", sdp ? strlen(sdp) : (size_t)0, sdp ? sdp : "");

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

static const struct carrier_call call_s1 = { .session_id = "session_1_x", .user_id = "user_123", .from_number = "+1234567890",
	.to_number = "+0987654321", .a_targets = { "user_1", "user_2", "user_3" }, .a_count = 3, .b_targets = { "user_9" }, .b_count = 1,
	.request_id = "req-1", .ring_timeout_ms = 20000, .max_seconds = 3600, .call_limit = 50 };

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
