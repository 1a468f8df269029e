/* test_originator_requests.c - requests within a call that make no offer, and what nobody asked for: passed on, answered or refused. */
#include "test_originator_peer.h"

#define SDP_HOLD                                                                                                       \
	"v=0\r\no=alice 1 3 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 "           \
	"101\r\na=sendonly\r\n"

static void hang_up(struct rig *rig)
{
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
	expect_no_event(rig, 20);
}

static void dtmf_by_info_passes_to_the_other_phone_and_back(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static char text[2048];
	int n;

	join(rig, &a, &b);
	n = snprintf(text, sizeof(text),
		"INFO %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKdtmf\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: "
		"%s\r\n"
		"Call-ID: %s\r\nCSeq: %u INFO\r\nContent-Type: application/dtmf-relay\r\nContent-Length: "
		"24\r\n\r\nSignal=5\r\nDuration=160\r\n",
		a.target, rig->proxy_text, a.local, a.remote, a.call_id, ++a.cseq);
	send_text(rig, text, (size_t)n);
	expect(rig, "INFO sip:tb@");
	assert_true(has_line(rig->in.text, "Content-Type: application/dtmf-relay"));
	assert_string_equal(body_of(rig->in.text), "Signal=5\r\nDuration=160\r\n");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, NULL);
	expect(rig, "SIP/2.0 200");
	assert_true(has_line(rig->in.text, "Call-ID: session_1_x-a"));
	hang_up(rig);
}

static void dtmf_while_the_other_phone_rings_goes_nowhere(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	ring_b(rig, &a, &b);
	phone_request(rig, &a, "INFO", ++a.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 500"); /* 480 would end its own dialog (RFC 5057) */
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_cancel_and_bye(rig, &b, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void bye_during_dtmf_answers_it(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static struct msg info;

	join(rig, &a, &b);
	phone_request(rig, &a, "INFO", ++a.cseq, "Info-Package: dtmf\r\n", NULL);
	expect(rig, "INFO sip:tb@");
	assert_true(has_line(rig->in.text, "Info-Package: dtmf"));
	info = rig->in;
	phone_request(rig, &b, "BYE", ++b.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 200");
	expect_event(rig, CARRIER_B_HANGUP, 0);
	take_bye(rig, "ta");
	answer_to(rig, info.text, "481 Call Does Not Exist", NULL, NULL, NULL);
	expect(rig, "SIP/2.0 500");
	expect_event(rig, CARRIER_DOWN, 0);
}

/* The phone that sent it would take 408 or 481 for the end of its own dialog, and hang up (RFC 3261, 12.2.1.2). */
static void lost_dtmf_ends_no_call(void **state)
{
	static const char *const answers[][2] = { { "408 Request Timeout", "500" }, { "481 Call Does Not Exist", "500" },
		{ "480 Temporarily Unavailable", "500" }, { "302 Moved Temporarily", "500" }, { "415 Unsupported Media Type", "415" },
		{ "469 Bad Info Package", "469" }, { "603 Decline", "603" } };
	struct rig *rig = *state;
	struct phone a, b;
	char wanted[16];

	join(rig, &a, &b);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		phone_request(rig, &a, "INFO", ++a.cseq, NULL, NULL);
		expect(rig, "INFO sip:tb@");
		answer_to(rig, rig->in.text, answers[i][0], NULL, NULL, NULL);
		snprintf(wanted, sizeof(wanted), "SIP/2.0 %s", answers[i][1]);
		expect(rig, wanted);
	}
	expect_no_event(rig, 20);
	hang_up(rig);
}

static void offers_in_another_language_are_refused(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	char text[1024];
	int n;

	join(rig, &a, &b);
	n = snprintf(text, sizeof(text),
		"INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKmime\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\n"
		"CSeq: %u INVITE\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
		a.target, rig->proxy_text, a.local, a.remote, a.call_id, ++a.cseq);
	send_text(rig, text, (size_t)n);
	expect(rig, "SIP/2.0 415");
	assert_true(has_line(rig->in.text, "Accept: application/sdp"));
	hang_up(rig);
}

static void other_requests_get_their_plain_answers(void **state)
{
	struct rig *rig = *state;
	struct phone a, b, stranger;

	join(rig, &a, &b);
	phone_request(rig, &a, "OPTIONS", ++a.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 200");
	assert_non_null(strstr(rig->in.text, "Allow: INVITE, ACK"));
	phone_request(rig, &a, "REFER", ++a.cseq, "Refer-To: <sip:eve@nexus.test>\r\n", NULL);
	expect(rig, "SIP/2.0 603");
	phone_request(rig, &a, "PRACK", ++a.cseq, "RAck: 1 1 INVITE\r\n", NULL);
	expect(rig, "SIP/2.0 481");
	phone_request(rig, &a, "SUBSCRIBE", ++a.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 405");
	phone_request(rig, &a, "FROBNICATE", ++a.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 501");
	phone_request(rig, &a, "INVITE", ++a.cseq, "Require: gruu-nonsense, timer\r\nRequire: more\r\n", SDP_HOLD);
	expect(rig, "SIP/2.0 420");
	assert_true(has_line(rig->in.text, "Unsupported: gruu-nonsense, more"));
	phone_ack_refusal(rig, &a);
	phone_request(rig, &a, "OPTIONS", 50, NULL, NULL);
	expect(rig, "SIP/2.0 500");
	stranger = a;
	snprintf(stranger.local, sizeof(stranger.local), "<sip:eve@nexus.test>;tag=eve");
	phone_request(rig, &stranger, "BYE", ++a.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 481");
	expect_no_event(rig, 20);
	hang_up(rig);
}

static void calls_to_the_originator_are_refused(void **state)
{
	struct rig *rig = *state;
	struct phone eve = { .call_id = "from-outside",
		.local = "<sip:eve@nexus.test>;tag=e",
		.remote = "<sip:nexusvoip@nexus.test>",
		.target = "sip:nexusvoip@127.0.0.1",
		.tag = "e" };

	phone_request(rig, &eve, "INVITE", 1, NULL, SDP_B);
	expect(rig, "SIP/2.0 403");
	eve.cseq = 1;
	phone_ack_refusal(rig, &eve);
	phone_request(rig, &eve, "OPTIONS", 2, NULL, NULL);
	expect(rig, "SIP/2.0 200");
	phone_request(rig, &eve, "MESSAGE", 3, NULL, NULL);
	expect(rig, "SIP/2.0 405");
}

#define ON(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(dtmf_by_info_passes_to_the_other_phone_and_back),
		ON(dtmf_while_the_other_phone_rings_goes_nowhere),
		ON(bye_during_dtmf_answers_it), ON(lost_dtmf_ends_no_call),
		ON(offers_in_another_language_are_refused),
		ON(other_requests_get_their_plain_answers),
		ON(calls_to_the_originator_are_refused),
	};

	return cmocka_run_group_tests_name("originator_requests", tests, NULL, NULL);
}
