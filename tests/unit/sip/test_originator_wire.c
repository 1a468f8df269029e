/* test_originator_wire.c - addresses, transports and messages that are wrong, large, foreign or asked to be
 * acknowledged. */
#include "test_originator_peer.h"

#include <fcntl.h>
#include <sys/stat.h>

static void hang_up(struct rig *rig)
{
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void strangers_are_not_heard(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	struct sockaddr_in own;
	int proxy = rig->fd, stranger = udp_socket(&own);

	join(rig, &a, &b);
	rig->fd = stranger;
	phone_request(rig, &a, "BYE", a.cseq + 1, NULL, NULL);
	phone_request(rig, &a, "OPTIONS", a.cseq + 2, NULL, NULL);
	expect_silence(rig, 150);
	close(stranger);
	rig->fd = proxy;
	expect_no_event(rig, 0);
	hang_up(rig);
}

static void forged_answers_are_not_heard(void **state)
{
	struct rig *rig = *state;
	struct phone a;
	struct sockaddr_in own;
	int proxy = rig->fd, stranger = udp_socket(&own);

	ring_a(rig, &a);
	rig->fd = stranger;
	phone_answer(rig, &a, "200 OK", SDP_A);
	rig->fd = proxy;
	expect_silence(rig, 100);
	close(stranger);
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_cancel(rig, &a);
	expect_event(rig, CARRIER_DOWN, 0);
}

static void request_with_a_cut_body_is_refused(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	char text[1024];
	int n;

	join(rig, &a, &b);
	n = snprintf(text, sizeof(text),
		"INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKcut\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\n"
		"CSeq: %u INVITE\r\nContent-Type: application/sdp\r\nContent-Length: 500\r\n\r\nv=0\r\n",
		a.target, rig->proxy_text, a.local, a.remote, a.call_id, ++a.cseq);
	send_text(rig, text, (size_t)n);
	expect(rig, "SIP/2.0 400");
	expect_silence(rig, 100);
	hang_up(rig);
}

static void answer_with_a_cut_body_is_dropped(void **state)
{
	struct rig *rig = *state;
	struct phone a;
	char via[256], from[256], text[2048];
	int n;

	ring_a(rig, &a);
	n = snprintf(text, sizeof(text),
		"SIP/2.0 200 OK\r\nVia: %s\r\nFrom: %s\r\nTo: <sip:user_1@nexus.test>;tag=ta\r\nCall-ID: "
		"session_1_x-a\r\n"
		"CSeq: 1 INVITE\r\nContact: <sip:ta@127.0.0.1:6000>\r\nContent-Type: "
		"application/sdp\r\nContent-Length: 500\r\n\r\nv=0\r\n",
		header(a.invite.text, "Via", via, sizeof(via)), header(a.invite.text, "From", from, sizeof(from)));
	send_text(rig, text, (size_t)n);
	expect_silence(rig, 100);
	expect_no_event(rig, 0);
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_cancel(rig, &a);
	expect_event(rig, CARRIER_DOWN, 0);
}

/* Valid, and longer than libre reads by itself. */
static void large_descriptions_pass_whole(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static char sdp[40000];
	char *p = sdp;

	p += sprintf(p, "%s", SDP_A);
	for (int i = 0; i < 600; i++)
		p += sprintf(p, "a=candidate:%d 1 UDP 2130706431 10.0.0.1 4000 typ host\r\n", i);
	assert_true(p - sdp > 30000);
	ring_a(rig, &a);
	phone_answer(rig, &a, "200 OK", sdp);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_A_ANSWERED, 200);
	phone_take(rig, &b, "sip:user_9@nexus.test", "tb");
	assert_non_null(strstr(b.invite.text, "a=candidate:599 "));
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	phone_answer(rig, &b, "180 Ringing", NULL);
	take_bye(rig, "ta");
	take_cancel(rig, &b);
	expect_event(rig, CARRIER_DOWN, 0);
}

static void nothing_is_printed_whatever_comes(void **state)
{
	static const char *const rubbish[] = { "hello", "SIP/2.0 200 OK\r\n\r\n", "SIP/2.0 xx\r\nVia: ?\r\n\r\n",
		"INVITE\r\n\r\n", "INVITE sip:x SIP/2.0\r\nVia: nonsense\r\n\r\n", "BYE sip:x@y SIP/2.0\r\n:\r\n\r\n",
		"\r\n\r\n\r\n\r\n",
		("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 1.1.1.1;branch=z9\r\nTo: <sip:a@b>\r\nFrom: <sip:a@b>\r\nCall-ID: "
		"q\r\nCSeq: 1 X\r\n\r\n") };
	struct rig *rig = *state;
	char path[] = "/tmp/originator_stderr_XXXXXX";
	int file = mkstemp(path), saved = dup(STDERR_FILENO);
	struct stat info;

	assert_true(file >= 0);
	(void)dup2(file, STDERR_FILENO);
	for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++)
		send_text(rig, rubbish[i], strlen(rubbish[i]));
	expect_silence(rig, 150);
	(void)dup2(saved, STDERR_FILENO);
	assert_int_equal(fstat(file, &info), 0);
	assert_int_equal(info.st_size, 0);
	close(saved);
	close(file);
	unlink(path);
}

static void reliable_provisional_answers_are_acknowledged_once(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	const char *reliable = "Contact: <sip:ta@127.0.0.1:6000>\r\nRequire: 100rel\r\nRSeq: 7\r\n" ROUTES;

	assert_int_equal(rig_place(rig, &call_s1), NXV_OK);
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	answer_to(rig, a.invite.text, "183 Session Progress", "ta", reliable, SDP_A);
	expect(rig, "PRACK sip:ta@127.0.0.1:6000");
	assert_true(has_line(rig->in.text, "RAck: 7 1 INVITE"));
	assert_true(has_line(rig->in.text, "CSeq: 2 PRACK"));
	assert_non_null(strstr(rig->in.text, ";tag=ta\r\n"));
	assert_true(has_line(rig->in.text, "Route: <sip:127.0.0.1:7002;lr>"));
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, NULL);
	answer_to(rig, a.invite.text, "183 Session Progress", "ta", reliable, SDP_A);
	expect_silence(rig, 50);
	phone_answer(rig, &a, "200 OK", NULL); /* the description came before */
	expect(rig, "ACK sip:ta@");
	phone_take(rig, &b, "sip:user_9@nexus.test", "tb");
	assert_true(has_line(b.invite.text, "m=audio 4000 RTP/AVP 0 8 101"));
	phone_answer(rig, &b, "486 Busy Here", NULL);
	expect(rig, "ACK ");
	expect(rig, "BYE sip:ta@");
	assert_true(has_line(rig->in.text, "CSeq: 3 BYE"));
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, NULL);
}

static void contact_that_would_break_a_request_is_not_used(void **state)
{
	struct rig *rig = *state;
	struct phone a;

	ring_a(rig, &a);
	answer_to(rig, a.invite.text, "200 OK", "ta", "Contact: <sip:ta@127.0.0.1:6000\r\n X-Evil: 1>\r\n", SDP_A);
	expect(rig, "ACK sip:user_1@nexus.test SIP/2.0\r\n");
}

static nxv_status try_open(struct rig *rig)
{
	nxv_status st;

	pthread_create(&rig->thread, NULL, rig_thread, rig);
	st = rig_wait(rig);
	if (st == NXV_OK) {
		rig_close(rig);
		return st;
	}
	pthread_join(rig->thread, NULL);
	close(rig->fd);
	return st;
}

static void wrong_addresses_are_refused_by_name(void **state)
{
	static const struct {
		const char *proxy, *listen, *field;
	} cases[] = { { "nohost", "127.0.0.1:0", "proxy" }, { "localhost:5060", "127.0.0.1:0", "proxy" },
		{ "127.0.0.1:0", "127.0.0.1:0", "proxy" }, { "127.0.0.1:5060", "0.0.0.0:0", "listen" },
		{ "127.0.0.1:5060", "[::1]:0", "listen" }, { "127.0.0.1:5060", "", "listen" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *rig = rig_open();

		rig->opts.proxy = cases[i].proxy;
		rig->opts.listen = cases[i].listen;
		assert_int_equal(try_open(rig), NXV_E_INVALID);
		assert_string_equal(rig->err.field, cases[i].field);
		free(rig);
	}
}

static void a_port_in_use_is_an_error(void **state)
{
	struct rig *rig = rig_open();
	char own[32];

	(void)state;
	snprintf(own, sizeof(own), "%s", rig->proxy_text); /* the test's own socket has it */
	rig->opts.listen = own;
	assert_int_equal(try_open(rig), NXV_E_IO);
	assert_int_equal(rig->err.detail, EADDRINUSE);
	free(rig);
}

static void ipv6_server_is_spoken_to(void **state)
{
	struct rig *rig = rig_open();
	struct sockaddr_in6 addr = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t len = sizeof(addr);
	char via[256];

	(void)state;
	close(rig->fd);
	rig->fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (rig->fd < 0 || bind(rig->fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		print_message("SKIPPED: no IPv6 here\n");
		close(rig->fd);
		free(rig);
		skip();
	}
	assert_int_equal(getsockname(rig->fd, (struct sockaddr *)&addr, &len), 0);
	snprintf(rig->proxy_text, sizeof(rig->proxy_text), "[::1]:%d", ntohs(addr.sin6_port));
	rig->opts.listen = "[::1]:0";
	rig_start(rig);
	assert_int_equal(rig_place(rig, &call_s1), NXV_OK);
	expect(rig, "INVITE sip:user_1@nexus.test");
	assert_int_equal(strncmp(header(rig->in.text, "Via", via, sizeof(via)), "SIP/2.0/UDP [::1]:", 18), 0);
	assert_non_null(strstr(rig->in.text, "Contact: <sip:nexusvoip@[::1]:"));
	assert_non_null(strstr(rig->in.text, "\r\nc=IN IP6 ::1\r\n"));
	rig_close(rig);
}

static void tcp_server_is_spoken_to(void **state)
{
	struct rig *rig = rig_open();
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0), udp = rig->fd;
	struct phone a;
	char via[64];

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	snprintf(rig->proxy_text, sizeof(rig->proxy_text), "127.0.0.1:%d", ntohs(addr.sin_port));
	rig->opts.tcp = true;
	rig_start(rig);
	assert_int_equal(rig_place(rig, &call_s1), NXV_OK);
	rig->fd = accept(listener, NULL, NULL);
	rig->stream = true;
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	assert_int_equal(strncmp(header(a.invite.text, "Via", via, sizeof(via)), "SIP/2.0/TCP ", 12), 0);
	assert_non_null(strstr(a.invite.text, ";transport=tcp>\r\n"));
	phone_answer(rig, &a, "180 Ringing", NULL);
	expect_event(rig, CARRIER_A_RINGING, 180);
	phone_answer(rig, &a, "200 OK", NULL);
	expect(rig, "ACK sip:ta@");
	expect_event(rig, CARRIER_A_ANSWERED, 200);
	expect_event(rig, CARRIER_MEDIA_REFUSED, 0);
	expect(rig, "BYE sip:ta@");
	phone_request(rig, &a, "BYE", ++a.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 200");
	expect_event(rig, CARRIER_DOWN, 0);
	close(udp);
	close(listener);
	rig_close(rig);
}

static void unreachable_tcp_server_fails_the_call_at_once(void **state)
{
	struct rig *rig = rig_open();

	(void)state;
	rig->opts.proxy = "127.0.0.1:1";
	rig->opts.tcp = true;
	rig_start(rig);
	if (rig_place(rig, &call_s1) == NXV_OK) {
		expect_event(rig, CARRIER_LOST, 0);
		expect_event(rig, CARRIER_DOWN, 0);
	}
	rig_close(rig);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(strangers_are_not_heard),
		ON(forged_answers_are_not_heard),
		ON(request_with_a_cut_body_is_refused),
		ON(answer_with_a_cut_body_is_dropped),
		ON(large_descriptions_pass_whole),
		ON(nothing_is_printed_whatever_comes),
		ON(reliable_provisional_answers_are_acknowledged_once),
		ON(contact_that_would_break_a_request_is_not_used),
		cmocka_unit_test(wrong_addresses_are_refused_by_name),
		cmocka_unit_test(a_port_in_use_is_an_error),
		cmocka_unit_test(ipv6_server_is_spoken_to),
		cmocka_unit_test(tcp_server_is_spoken_to),
		cmocka_unit_test(unreachable_tcp_server_fails_the_call_at_once),
	};

	return cmocka_run_group_tests_name("originator_wire", tests, NULL, NULL);
}
