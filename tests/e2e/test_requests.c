/* test_requests.c - what else phones may send within a call: requests that pass or are refused, messages that are not what
 * they seem, or do not arrive, or come twice. */
#include "in_call.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

/* --- requests without an offer --- */

static void dtmf_by_info_passes_both_ways_with_its_answer(void)
{
	struct told call;
	struct user *both[] = { &alice, &bob };
	talk(&call);
	struct phone_ask ask = { .method = "INFO", .type = "application/dtmf-relay", .body = "Signal=5\r\nDuration=160\r\n" };
	for (int i = 0; i < 2; i++) {
		struct phone *other = both[1 - i]->phone;
		assert_int_equal(phone_ask(both[i]->phone, 0, &ask, NULL, 0), 200);
		assert_non_null(strstr(last(other, "INFO"), "\r\nContent-Type: application/dtmf-relay\r\n"));
		assert_non_null(strstr(text, "\r\n\r\nSignal=5\r\nDuration=160\r\n"));
		phone_will(other, (struct phone_will){ .method = "INFO", .code = 415, .times = 1 });
		assert_int_equal(phone_ask(both[i]->phone, 0, &ask, NULL, 0), 415);
	}
	still_up(&call);
}

static void options_are_answered_in_and_out_of_a_call(void)
{
	struct told call;
	char uri[96];
	talk(&call);
	struct phone_ask ask = { .method = "OPTIONS" };
	assert_int_equal(phone_ask(alice.phone, 0, &ask, reply, sizeof(reply)), 200);
	assert_non_null(strstr(reply, "\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK\r\n"));
	assert_non_null(strstr(reply, "\r\nSupported: timer, 100rel\r\n"));
	snprintf(uri, sizeof(uri), "sip:%s", gw.domain);
	assert_int_equal(phone_request(bob.phone, "OPTIONS", uri), 200);
	still_up(&call);
}

static void a_transfer_is_refused_and_the_call_goes_on(void)
{
	struct told call;
	talk(&call);
	struct phone_ask ask = { .method = "REFER", .lines = "Refer-To: <sip:carol@127.0.0.1>\r\n" };
	size_t before = phone_requests(bob.phone);
	assert_int_equal(phone_ask(alice.phone, 0, &ask, reply, sizeof(reply)), 603);
	assert_int_equal(phone_requests(bob.phone), before);
	still_up(&call);
}

static void what_no_call_needs_is_refused_by_its_kind(void)
{
	static const struct {
		struct phone_ask ask;
		int code;
		const char *line;
	} rows[] = {
		{ { .method = "SUBSCRIBE", .lines = "Event: dialog\r\n" }, 405, "\r\nAllow: INVITE, ACK" },
		{ { .method = "MESSAGE", .type = "text/plain", .body = "hello" }, 405, "\r\nAllow: INVITE, ACK" },
		{ { .method = "FROBNICATE" }, 501, "" },
		{ { .method = "PRACK", .lines = "RAck: 1 1 INVITE\r\n" }, 481, "" },
		{ { .method = "INVITE", .lines = "Require: sparkle\r\n" }, 420, "\r\nUnsupported: sparkle\r\n" },
		{ { .method = "INVITE", .type = "text/plain", .body = "hello" }, 415, "\r\nAccept: application/sdp\r\n" },
		{ { .method = "INVITE", .body = "hello" }, 488, "" },
		{ { .method = "OPTIONS", .cseq_step = -1 }, 500, "" },
	};
	struct told call;
	talk(&call);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s: %d\n", rows[i].ask.method, rows[i].code);
		size_t before = phone_requests(bob.phone);
		assert_int_equal(phone_ask(alice.phone, 0, &rows[i].ask, reply, sizeof(reply)), rows[i].code);
		assert_non_null(strstr(reply, rows[i].line));
		assert_int_equal(phone_requests(bob.phone), before);
	}
	assert_int_equal(phone_hold(alice.phone, 0, true), 200);
	still_up(&call);
}

/* --- messages that are not what they seem --- */

/* Straight to the gateway's port, from a socket of nobody's. */
static void send_foreign(const char *to, const char *message)
{
	char host[64];
	unsigned port;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(sscanf(to, "%63[^:]:%u", host, &port), 2);
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	inet_pton(AF_INET, host, &addr.sin_addr);
	assert_int_equal(sendto(fd, message, strlen(message), 0, (struct sockaddr *)&addr, sizeof(addr)), (ssize_t)strlen(message));
	nap_ms(100);
	char byte;
	assert_true(recv(fd, &byte, 1, MSG_DONTWAIT) < 0);
	close(fd);
}

static void who_is_not_the_sip_server_is_not_heard(void)
{
	static const char *const methods[] = { "BYE", "INVITE", "UPDATE", "OPTIONS" };
	struct told call;
	char peer[80];
	talk(&call);
	assert_true(phone_peer(alice.phone, 0, peer, sizeof(peer)));
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct phone_ask ask = { .method = methods[i], .body = sdp(alice.phone, "0", "a=inactive\r\n") };
		size_t before = phone_requests(bob.phone);
		assert_true(phone_compose(alice.phone, 0, &ask, text, sizeof(text)));
		send_foreign(peer, text);
		assert_int_equal(phone_requests(bob.phone), before);
	}
	still_up(&call);
}

/* bob is asked for his answer to a hold; a stranger gives one in his place. */
static void a_strangers_answer_is_not_bobs(void)
{
	struct told call;
	char peer[80];
	talk(&call);
	struct holding h;
	assert_true(phone_peer(bob.phone, 0, peer, sizeof(peer)));
	phone_lose(bob.phone, true, "SIP/2.0 200", 1);
	begin_hold(&h, alice.phone);
	assert_true(wait_seen(bob.phone, "INVITE", 2));
	last(bob.phone, "INVITE");
	char *via = strstr(text, "\r\nVia:"), *second = strstr(via + 2, "\r\nVia:");
	assert_non_null(second);
	char forged[4000], from[512], to[512], id[256], cseq[64];
	assert_int_equal(sscanf(strstr(text, "\r\nFrom:"), "\r\n%511[^\r]", from), 1);
	assert_int_equal(sscanf(strstr(text, "\r\nTo:"), "\r\n%511[^\r]", to), 1);
	assert_int_equal(sscanf(strstr(text, "\r\nCall-ID:"), "\r\n%255[^\r]", id), 1);
	assert_int_equal(sscanf(strstr(text, "\r\nCSeq:"), "\r\n%63[^\r]", cseq), 1);
	const char *body = sdp(bob.phone, "0", "a=inactive\r\n");
	snprintf(forged, sizeof(forged), "SIP/2.0 200 OK%.*s\r\n%s\r\n%s\r\n%s\r\n%s\r\nContact: <sip:eve@127.0.0.9>\r\n"
		"Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s", (int)strcspn(second + 2, "\r") + 2, second, from, to, id, cseq,
		strlen(body), body);
	send_foreign(peer, forged);
	assert_int_equal(end_hold(&h), 200);
	assert_non_null(strstr(last(alice.phone, "SIP/2.0 200"), "a=recvonly"));
	still_up(&call);
}

/* Replace the first `what` after `after`. */
static void forge(char *message, const char *after, const char *what, const char *with)
{
	static char out[TEXT_MAX];
	char *at = strstr(message, after);
	assert_non_null(at);
	at = strstr(at, what);
	assert_non_null(at);
	snprintf(out, sizeof(out), "%.*s%s%s", (int)(at - message), message, with, at + strlen(what));
	snprintf(message, TEXT_MAX, "%s", out);
}

static void wrong_tags_belong_to_no_call(void)
{
	static const char *const headers[] = { "\r\nFrom:", "\r\nTo:", "\r\nCall-ID: " };
	struct told call;
	talk(&call);
	for (size_t i = 0; i < 3; i++) {
		struct phone_ask ask = { .method = "BYE" };
		size_t before = phone_requests(bob.phone), answers = phone_seen_count(alice.phone, "SIP/2.0 481");
		assert_true(phone_compose(alice.phone, 0, &ask, text, sizeof(text)));
		forge(text, headers[i], i < 2 ? ";tag=" : "Call-ID: ", i < 2 ? ";tag=x" : "Call-ID: x");
		phone_send_raw(alice.phone, text);
		assert_true(wait_seen(alice.phone, "SIP/2.0 481", answers + 1));
		assert_int_equal(phone_requests(bob.phone), before);
	}
	still_up(&call);
}

/* --- messages that do not arrive, or twice --- */

static void lost_messages_are_sent_again(void)
{
	static const struct {
		bool callee, sent;
		const char *start;
	} rows[] = { { false, false, "INVITE" }, { false, true, "SIP/2.0 200" }, { false, false, "ACK" }, { true, false, "INVITE" },
		{ true, true, "SIP/2.0 180" }, { true, true, "SIP/2.0 200" }, { true, false, "ACK" } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct told call;
		pair_reset();
		print_message("%s, %s: %s\n", rows[i].callee ? "callee" : "caller", rows[i].sent ? "sent" : "received", rows[i].start);
		phone_lose(rows[i].callee ? bob.phone : alice.phone, rows[i].sent, rows[i].start, 1);
		pair_start(&call);
		assert_true(phone_wait(alice.phone, 0, PHONE_JOINED, SOON_MS));
		assert_true(phone_wait(bob.phone, 0, PHONE_ACKED, SOON_MS));
		assert_true(api_wait(&gw, &alice, call.id, "in-progress", SOON_MS, &call));
		assert_int_equal(phone_calls(bob.phone), 1);
		pair_joined(&call);
		phone_lose(alice.phone, false, "SIP/2.0 200", 1);
		assert_int_equal(phone_hold(alice.phone, 0, true), 200);
		phone_lose(bob.phone, true, "SIP/2.0 200", 2);
		phone_hangup(alice.phone, 0);
		assert_true(api_wait(&gw, &alice, call.id, "ended", SOON_MS, &call));
		assert_string_equal(call.reason, "hangup_caller");
		assert_true(phone_wait(bob.phone, 0, PHONE_ENDED, SOON_MS));
		assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
	}
}

static void messages_that_come_twice_count_once(void)
{
	struct told call;
	pair_reset();
	phone_double(alice.phone, true);
	phone_double(bob.phone, true);
	pair_talk(&call);
	struct phone_ask info = { .method = "INFO", .type = "application/dtmf-relay", .body = "Signal=1\r\n" };
	assert_int_equal(phone_ask(bob.phone, 0, &info, NULL, 0), 200);
	assert_int_equal(phone_seen_count(alice.phone, "INFO"), 1);
	size_t before = phone_seen_count(bob.phone, "INVITE");
	assert_int_equal(phone_hold(alice.phone, 0, true), 200);
	assert_int_equal(phone_hold(alice.phone, 0, false), 200);
	assert_int_equal(phone_seen_count(bob.phone, "INVITE"), before + 2);
	still_up(&call);
}

/* --- transports --- */

static void phones_on_tcp_and_udp_do_everything_with_each_other(void)
{
	struct told call;
	pair_reset();
	struct phone_opts opts = { .username = bob.username, .password = bob.password, .domain = gw.domain, .server = gw.sip, .tcp = true };
	struct phone *stream = phone_new(lab, &opts);
	assert_non_null(stream);
	assert_int_equal(phone_register(bob.phone, 0), 200);
	assert_int_equal(phone_register(stream, 60), 200);
	pair_start(&call);
	assert_true(phone_wait(stream, 0, PHONE_ACKED, SOON_MS));
	assert_true(api_wait(&gw, &alice, call.id, "in-progress", SOON_MS, &call));
	pair_joined(&call);
	struct phone_ask info = { .method = "INFO", .type = "application/dtmf-relay", .body = "Signal=1\r\n" };
	struct phone *both[] = { alice.phone, stream };
	for (int i = 0; i < 2; i++) {
		assert_int_equal(phone_hold(both[i], 0, true), 200);
		assert_int_equal(phone_hold(both[i], 0, false), 200);
		assert_int_equal(phone_ask(both[i], 0, &info, NULL, 0), 200);
	}
	phone_hangup(stream, 0);
	assert_true(api_wait(&gw, &alice, call.id, "ended", SOON_MS, &call));
	assert_string_equal(call.reason, "hangup_callee");
	assert_int_equal(phone_register(stream, 0), 200);
	phone_free(stream);
	assert_int_equal(phone_register(bob.phone, 600), 200);
}

static const struct CMUnitTest tests[] = {
	E2E(dtmf_by_info_passes_both_ways_with_its_answer),
	E2E(options_are_answered_in_and_out_of_a_call),
	E2E(a_transfer_is_refused_and_the_call_goes_on),
	E2E(what_no_call_needs_is_refused_by_its_kind),
	E2E(who_is_not_the_sip_server_is_not_heard),
	E2E(a_strangers_answer_is_not_bobs),
	E2E(wrong_tags_belong_to_no_call),
	E2E(lost_messages_are_sent_again),
	E2E(messages_that_come_twice_count_once),
	E2E(phones_on_tcp_and_udp_do_everything_with_each_other),
};

int main(int argc, char **argv)
{
	const struct e2e_suite suite = { "requests within calls", tests, sizeof(tests) / sizeof(tests[0]), NULL, 150, pair_setup, false };
	return e2e_main(argc, argv, &suite);
}
