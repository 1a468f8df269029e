/* capture.c - the capture of SIP messages held against what was sent: phones over UDP, hand-made pieces over TCP. */
#include "capture.h"
#include "e2e.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 3000 };

static struct lab *room;
static struct phone *ann, *ned;
static struct capture *tap;
static unsigned stream_port[2];
static char address[64];

static int setup(void **state)
{
	(void)state;
	char server[32];
	room = lab_open();
	ned = phone_new(room, &(struct phone_opts){ .username = "ned", .domain = "127.0.0.1", .server = "127.0.0.1:9" });
	snprintf(server, sizeof(server), "127.0.0.1:%u", phone_port(ned));
	snprintf(address, sizeof(address), "sip:ned@%s", server);
	ann = phone_new(room, &(struct phone_opts){ .username = "ann", .domain = "127.0.0.1", .server = server });
	stream_port[0] = proc_free_port(2);
	stream_port[1] = stream_port[0] + 1;
	unsigned ports[] = { phone_port(ned), stream_port[0], stream_port[1] };
	tap = capture_open(ports, 3);
	return ann && ned && tap ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	capture_close(tap);
	lab_close(room);
	return 0;
}

static void a_call_is_told_as_the_phones_saw_it(void **state)
{
	(void)state;
	struct phone_call a, b;
	struct capture_leg leg;
	phone_script(ned, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 300, .talk_ms = 200 });
	phone_dial(ann, address);
	assert_true(phone_wait(ann, 0, PHONE_BYE, WAIT_MS));
	assert_true(phone_call(ann, 0, &a) && phone_call(ned, 0, &b));
	assert_non_null(capture_wait(tap, &(struct capture_query){ .call_id = a.call_id, .method = "BYE", .code = 200 }, WAIT_MS));
	assert_true(capture_leg(tap, a.call_id, 0, &leg));
	const struct { int64_t wire; enum phone_moment moment; } moments[] = { { leg.invited, PHONE_INVITED },
		{ leg.ringing, PHONE_RINGING }, { leg.answered, PHONE_ANSWERED }, { leg.acked, PHONE_ACKED }, { leg.bye, PHONE_BYE } };
	for (size_t i = 0; i < 5; i++) { /* between the one phone's doing it and the other's hearing of it, or soon after both */
		int64_t x = a.at_us[moments[i].moment] / 1000, y = b.at_us[moments[i].moment] / 1000;
		assert_in_range(moments[i].wire, (x < y ? x : y) - 50, (x > y ? x : y) + 50);
		assert_true(i == 0 || moments[i].wire >= moments[i - 1].wire);
	}
	assert_in_range(leg.answered - leg.ringing, 280, 600);
	assert_int_equal(leg.code, 200);
	assert_false(leg.bye_by_caller);
	assert_int_equal(leg.canceled + leg.refused, 0);
	assert_int_equal(capture_count(tap, &(struct capture_query){ .call_id = a.call_id, .method = "INVITE" }), 1); /* and not twice */
	assert_int_equal(capture_lost(tap), 0);
}

static void a_refusal_and_a_cancel_are_told(void **state)
{
	(void)state;
	struct phone_call a;
	struct capture_leg leg;
	phone_forget(ann);
	phone_script(ned, (struct phone_script){ .manner = PHONE_REFUSES, .code = 486 });
	phone_dial(ann, address);
	assert_true(phone_wait(ann, 0, PHONE_ENDED, WAIT_MS) && phone_call(ann, 0, &a));
	assert_non_null(capture_wait(tap, &(struct capture_query){ .call_id = a.call_id, .code = 4 }, WAIT_MS));
	assert_true(capture_leg(tap, a.call_id, 0, &leg));
	assert_int_equal(leg.code, 486);
	assert_true(leg.refused && !leg.answered && !leg.ringing);
	phone_forget(ann);
	phone_script(ned, (struct phone_script){ .manner = PHONE_RINGS });
	phone_dial(ann, address);
	assert_true(phone_wait(ann, 0, PHONE_RINGING, WAIT_MS));
	phone_hangup(ann, 0);
	assert_true(phone_wait(ann, 0, PHONE_ENDED, WAIT_MS) && phone_call(ann, 0, &a));
	assert_non_null(capture_wait(tap, &(struct capture_query){ .call_id = a.call_id, .code = 487 }, WAIT_MS));
	assert_true(capture_leg(tap, a.call_id, 0, &leg));
	assert_true(leg.canceled && leg.refused && leg.ringing);
	assert_int_equal(leg.code, 487);
}

/* Two messages and a keep-alive, cut anywhere. */
static const char pieces[] = "\r\n\r\nOPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1\r\nFrom: <sip:y@x>;tag=one\r\n"
	"To: <sip:x@x>\r\nCall-ID: pieces\r\nX-Nexus-Session: session_1\r\nCSeq: 7 OPTIONS\r\nContent-Length: 4\r\n\r\nBODY"
	"SIP/2.0 480 Gone\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK2\r\nFrom: <sip:y@x>;tag=one\r\nTo: <sip:x@x>;tag=two\r\n"
	"Call-ID: pieces\r\nReason: Q.850;cause=16\r\nCSeq: 8 BYE\r\nContent-Length: 0\r\n\r\n";

static void check_stream(int family, unsigned port)
{
	int one = 1;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = in6addr_loopback };
	const struct sockaddr *sa = family == AF_INET ? (struct sockaddr *)&in : (struct sockaddr *)&in6;
	socklen_t len = family == AF_INET ? sizeof(in) : sizeof(in6);
	int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(bind(listener, sa, len) == 0 && listen(listener, 1) == 0 && connect(fd, sa, len) == 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (size_t sent = 0, step = 1; sent < sizeof(pieces) - 1; sent += step, step = step * 3 % 97 + 1) {
		step = step < sizeof(pieces) - 1 - sent ? step : sizeof(pieces) - 1 - sent;
		assert_int_equal(send(fd, pieces + sent, step, MSG_NOSIGNAL), step);
	}
	const struct captured *end = capture_wait(tap, &(struct capture_query){ .dst_port = port, .code = 480 }, WAIT_MS);
	const struct captured *begin = capture_find(tap, &(struct capture_query){ .dst_port = port, .method = "OPTIONS" });
	close(fd);
	close(listener);
	assert_non_null(end);
	assert_non_null(begin);
	assert_true(begin->tcp && begin->cseq == 7 && begin->at_us <= end->at_us && end->cseq == 8);
	assert_string_equal(begin->session, "session_1");
	assert_string_equal(begin->call_id, "pieces");
	assert_non_null(strstr(begin->text, "\r\n\r\nBODY"));
	assert_string_equal(end->reason, "Q.850;cause=16");
	assert_string_equal(end->to_tag, "two");
	assert_string_equal(end->method, "BYE");
}

static void messages_are_put_together_from_pieces(void **state)
{
	(void)state;
	check_stream(AF_INET, stream_port[0]);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool v6 = fd >= 0;
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	v6 = v6 && bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0;
	close(fd);
	if (v6) {
		check_stream(AF_INET6, stream_port[1]);
	}
	assert_int_equal(capture_lost(tap), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_told_as_the_phones_saw_it), cmocka_unit_test(a_refusal_and_a_cancel_are_told),
		cmocka_unit_test(messages_are_put_together_from_pieces),
	};
	if (!capture_possible()) {
		printf("SKIPPED: capturing needs CAP_NET_RAW (root)\n");
		return 77;
	}
	return cmocka_run_group_tests_name("capture", tests, setup, teardown);
}
