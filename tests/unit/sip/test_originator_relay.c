/* test_originator_relay.c - what phones do during a call: hold, resume, re-negotiate, DTMF, and requests that collide.
 */
#include "test_originator_peer.h"

#define SDP_HOLD                                                                                                       \
	"v=0\r\no=alice 1 3 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 "           \
	"101\r\na=sendonly\r\n"
#define SDP_HELD                                                                                                       \
	"v=0\r\no=bob 7 8 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0 "             \
	"101\r\na=recvonly\r\n"

static void hang_up(struct rig *rig)
{
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
	expect_no_event(rig, 20);
}

static void hold_passes_to_the_other_phone_and_back(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_HOLD);
	expect(rig, "INVITE sip:tb@");
	assert_true(has_line(rig->in.text, "a=sendonly"));
	assert_true(has_line(rig->in.text, "c=IN IP4 10.0.0.1"));
	assert_null(strstr(rig->in.text, "o=alice"));
	assert_null(strstr(rig->in.text, "X-Nexus"));
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_HELD);
	expect(rig, "ACK sip:tb@");
	expect(rig, "SIP/2.0 200");
	assert_true(has_line(rig->in.text, "a=recvonly"));
	assert_true(has_line(rig->in.text, "c=IN IP4 10.0.0.2"));
	assert_null(strstr(rig->in.text, "o=bob"));
	phone_ack(rig, &a, NULL);
	expect_silence(rig, 700);
	hang_up(rig);
}

static void answer_to_a_hold_is_repeated_until_acknowledged(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static struct msg first;

	join(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_HOLD);
	expect(rig, "INVITE sip:tb@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_HELD);
	expect(rig, "ACK sip:tb@");
	expect(rig, "SIP/2.0 200");
	first = rig->in;
	expect(rig, "SIP/2.0 200");
	assert_string_equal(rig->in.text, first.text);
	phone_ack(rig, &a, NULL);
	expect_silence(rig, 1200);
	hang_up(rig);
}

static void next_offer_that_overtakes_the_ack_is_taken(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_HOLD);
	expect(rig, "INVITE sip:tb@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_HELD);
	expect(rig, "ACK sip:tb@");
	expect(rig, "SIP/2.0 200");
	phone_request(rig, &a, "INVITE", a.cseq + 1, NULL, SDP_A_ON);
	phone_ack(rig, &a, NULL);
	a.cseq++;
	expect(rig, "INVITE sip:tb@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_B);
	expect(rig, "ACK sip:tb@");
	expect(rig, "SIP/2.0 200");
	phone_ack(rig, &a, NULL);
	expect_silence(rig, 700);
	hang_up(rig);
}

static void offer_of_the_other_phone_waits_for_a_late_ack(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_HOLD);
	expect(rig, "INVITE sip:tb@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_HELD);
	expect(rig, "ACK sip:tb@");
	expect(rig, "SIP/2.0 200");
	phone_request(rig, &b, "INVITE", ++b.cseq, NULL, SDP_B);
	expect_silence(rig, 50);
	phone_ack(rig, &a, NULL);
	expect(rig, "INVITE sip:ta@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_A_ON);
	expect(rig, "ACK sip:ta@");
	expect(rig, "SIP/2.0 200");
	phone_ack(rig, &b, NULL);
	hang_up(rig);
}

static void offer_is_refused_when_the_ack_of_the_other_does_not_come(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_HOLD);
	expect(rig, "INVITE sip:tb@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_HELD);
	expect(rig, "ACK sip:tb@");
	expect(rig, "SIP/2.0 200");
	phone_request(rig, &b, "INVITE", ++b.cseq, NULL, SDP_B);
	expect(rig, "SIP/2.0 491");
	phone_ack_refusal(rig, &b);
	expect(rig, "SIP/2.0 200");
	phone_ack(rig, &a, NULL);
	hang_up(rig);
}

static void refused_hold_leaves_the_call_as_it_was(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_HOLD);
	expect(rig, "INVITE sip:tb@");
	answer_to(rig, rig->in.text, "488 Not Acceptable Here", NULL, NULL, NULL);
	expect(rig, "ACK sip:tb@");
	expect(rig, "SIP/2.0 488");
	phone_ack_refusal(rig, &a);
	expect_silence(rig, 600); /* the refusal is not repeated */
	expect_no_event(rig, 0);
	hang_up(rig);
}

static void offer_to_a_vanished_phone_ends_the_call_as_lost(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_HOLD);
	expect(rig, "INVITE sip:tb@");
	answer_to(rig, rig->in.text, "481 Call Does Not Exist", NULL, NULL, NULL);
	expect(rig, "ACK sip:tb@");
	expect(rig, "SIP/2.0 500"); /* at 481 it would hang up, and be taken for the one that ended the call */
	phone_ack_refusal(rig, &a);
	expect_event(rig, CARRIER_B_LOST, 481);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void colliding_offers_are_refused_both_ways(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static struct msg offer;

	join(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_HOLD);
	expect(rig, "INVITE sip:tb@");
	offer = rig->in;
	phone_request(rig, &b, "INVITE", ++b.cseq, NULL, SDP_HELD);
	expect(rig, "SIP/2.0 491");
	phone_ack_refusal(rig, &b);
	answer_to(rig, offer.text, "491 Request Pending", NULL, NULL, NULL);
	expect(rig, "ACK sip:tb@");
	expect(rig, "SIP/2.0 491");
	phone_ack_refusal(rig, &a);
	hang_up(rig);
}

static void offer_while_the_other_phone_rings_is_put_off(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	ring_b(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_HOLD);
	expect(rig, "SIP/2.0 491");
	phone_ack_refusal(rig, &a);
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_cancel_and_bye(rig, &b, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void our_offer_refused_with_491_is_made_again(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	ring_b(rig, &a, &b);
	phone_answer(rig, &b, "200 OK", SDP_B);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "INVITE sip:ta@");
	answer_to(rig, rig->in.text, "491 Request Pending", NULL, NULL, NULL);
	expect(rig, "ACK sip:ta@");
	expect_silence(rig, 1900);
	expect(rig, "INVITE sip:ta@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_A_ON);
	expect(rig, "ACK sip:ta@");
	expect_event(rig, CARRIER_JOINED, 0);
	hang_up(rig);
}

static void offer_that_caused_a_491_is_taken_while_we_wait(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	ring_b(rig, &a, &b);
	phone_answer(rig, &b, "200 OK", SDP_B);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "INVITE sip:ta@");
	answer_to(rig, rig->in.text, "491 Request Pending", NULL, NULL, NULL);
	expect(rig, "ACK sip:ta@");
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_A_ON);
	expect(rig, "INVITE sip:tb@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_B);
	expect(rig, "ACK sip:tb@");
	expect(rig, "SIP/2.0 200");
	phone_ack(rig, &a, NULL);
	expect_event(rig, CARRIER_JOINED, 0);
	hang_up(rig);
}

static void offer_of_b_waits_until_a_is_joined(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static struct msg join_offer;

	ring_b(rig, &a, &b);
	phone_answer(rig, &b, "200 OK", SDP_B);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "INVITE sip:ta@");
	join_offer = rig->in;
	phone_request(rig, &b, "INVITE", ++b.cseq, NULL, SDP_HELD);
	expect_silence(rig, 50);
	answer_to(rig, join_offer.text, "200 OK", NULL, NULL, SDP_A_ON);
	expect(rig, "ACK sip:ta@");
	expect_event(rig, CARRIER_JOINED, 0);
	expect(rig, "INVITE sip:ta@");
	assert_true(has_line(rig->in.text, "a=recvonly"));
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_HOLD);
	expect(rig, "ACK sip:ta@");
	expect(rig, "SIP/2.0 200");
	phone_ack(rig, &b, NULL);
	hang_up(rig);
}

static void request_for_an_offer_is_passed_on_and_answered_in_the_ack(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	char length[16];

	join(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, NULL);
	expect(rig, "INVITE sip:tb@");
	assert_string_equal(header(rig->in.text, "Content-Length", length, sizeof(length)), "0");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_HELD);
	expect(rig, "SIP/2.0 200");
	assert_true(has_line(rig->in.text, "m=audio 5000 RTP/AVP 0 101"));
	phone_ack(rig, &a, SDP_HOLD);
	expect(rig, "ACK sip:tb@");
	assert_true(has_line(rig->in.text, "m=audio 4000 RTP/AVP 0 101"));
	assert_true(has_line(rig->in.text, "Content-Type: application/sdp"));
	hang_up(rig);
}

static void end_during_a_request_for_an_offer_acknowledges_with_a_refusal(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, NULL);
	expect(rig, "INVITE sip:tb@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_HELD);
	expect(rig, "SIP/2.0 200");
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	expect(rig, "ACK sip:tb@");
	assert_non_null(strstr(rig->in.text, "m=audio 0 RTP/AVP 0 101"));
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void offer_taken_back_is_canceled_and_the_other_phone_restored(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static struct msg offer;

	join(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_HOLD);
	expect(rig, "INVITE sip:tb@");
	offer = rig->in;
	answer_to(rig, offer.text, "100 Trying", NULL, NULL, NULL);
	phone_request(rig, &a, "CANCEL", a.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 200");
	expect(rig, "SIP/2.0 487");
	phone_ack_refusal(rig, &a);
	expect(rig, "CANCEL sip:tb@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, NULL);
	answer_to(rig, offer.text, "200 OK", NULL, NULL, SDP_HELD); /* it crossed */
	expect(rig, "ACK sip:tb@");
	expect(rig, "INVITE sip:tb@");
	assert_true(has_line(rig->in.text, "a=sendrecv"));
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_B);
	expect(rig, "ACK sip:tb@");
	hang_up(rig);
}

static void bye_during_an_offer_answers_it_and_ends_both(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static struct msg offer;

	join(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_HOLD);
	expect(rig, "INVITE sip:tb@");
	offer = rig->in;
	phone_request(rig, &a, "BYE", ++a.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 200");
	expect_event(rig, CARRIER_A_HANGUP, 0);
	expect(rig, "SIP/2.0 487");
	take_bye(rig, "tb");
	answer_to(rig, offer.text, "200 OK", NULL, NULL, SDP_HELD);
	expect(rig, "ACK sip:tb@");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void repeated_description_is_answered_without_the_other_phone(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	phone_request(
		rig, &a, "INVITE", ++a.cseq, "Supported: timer\r\nSession-Expires: 300;refresher=uac\r\n", SDP_A_ON);
	expect(rig, "SIP/2.0 200");
	assert_true(has_line(rig->in.text, "Session-Expires: 300;refresher=uac"));
	assert_true(has_line(rig->in.text, "Require: timer"));
	assert_true(has_line(rig->in.text, "m=audio 5000 RTP/AVP 0 101"));
	phone_ack(rig, &a, NULL);
	hang_up(rig);
}

static void update_with_media_passes_as_an_offer(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	phone_request(rig, &b, "UPDATE", ++b.cseq, NULL, SDP_HELD);
	expect(rig, "INVITE sip:ta@");
	assert_true(has_line(rig->in.text, "a=recvonly"));
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_HOLD);
	expect(rig, "ACK sip:ta@");
	expect(rig, "SIP/2.0 200");
	assert_true(has_line(rig->in.text, "a=sendonly"));
	expect_silence(rig, 700);
	hang_up(rig);
}

static void update_without_media_refreshes_the_session(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	char cseq[32];

	join(rig, &a, &b);
	phone_request(rig, &b, "UPDATE", ++b.cseq, "Session-Expires: 120;refresher=uac\r\n", NULL);
	expect(rig, "SIP/2.0 200");
	assert_string_equal(header(rig->in.text, "CSeq", cseq, sizeof(cseq)), "101 UPDATE");
	assert_true(has_line(rig->in.text, "Session-Expires: 120;refresher=uac"));
	phone_request(rig, &b, "UPDATE", ++b.cseq, "Session-Expires: 30\r\n", NULL);
	expect(rig, "SIP/2.0 422");
	assert_true(has_line(rig->in.text, "Min-SE: 90"));
	hang_up(rig);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(hold_passes_to_the_other_phone_and_back),
		ON(answer_to_a_hold_is_repeated_until_acknowledged),
		ON(next_offer_that_overtakes_the_ack_is_taken),
		ON(offer_of_the_other_phone_waits_for_a_late_ack),
		ON(offer_is_refused_when_the_ack_of_the_other_does_not_come),
		ON(refused_hold_leaves_the_call_as_it_was),
		ON(offer_to_a_vanished_phone_ends_the_call_as_lost),
		ON(colliding_offers_are_refused_both_ways),
		ON(offer_while_the_other_phone_rings_is_put_off),
		ON(our_offer_refused_with_491_is_made_again),
		ON(offer_that_caused_a_491_is_taken_while_we_wait),
		ON(offer_of_b_waits_until_a_is_joined),
		ON(request_for_an_offer_is_passed_on_and_answered_in_the_ack),
		ON(end_during_a_request_for_an_offer_acknowledges_with_a_refusal),
		ON(offer_taken_back_is_canceled_and_the_other_phone_restored),
		ON(bye_during_an_offer_answers_it_and_ends_both),
		ON(repeated_description_is_answered_without_the_other_phone),
		ON(update_with_media_passes_as_an_offer),
		ON(update_without_media_refreshes_the_session),
	};

	return cmocka_run_group_tests_name("originator_relay", tests, NULL, NULL);
}
