/* test_originator_end.c - how calls end: by us, by either phone, by silence, and when messages cross. */
#include "test_originator_peer.h"

static void a_not_answering_is_canceled(void **state)
{
	struct rig *rig = *state;
	struct carrier_call call = call_s1;
	struct phone a;

	call.ring_timeout_ms = 200;
	assert_int_equal(rig_place(rig, &call), NXV_OK);
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	phone_answer(rig, &a, "180 Ringing", NULL);
	expect_event(rig, CARRIER_A_RINGING, 180);
	expect_event(rig, CARRIER_A_NO_ANSWER, 0);
	take_cancel(rig, &a);
	expect_event(rig, CARRIER_DOWN, 0);
}

static void b_not_answering_is_canceled_and_a_hung_up(void **state)
{
	struct rig *rig = *state;
	struct carrier_call call = call_s1;
	struct phone a, b;

	call.ring_timeout_ms = 300;
	assert_int_equal(rig_place(rig, &call), NXV_OK);
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	phone_answer(rig, &a, "200 OK", SDP_A);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_A_ANSWERED, 200);
	phone_take(rig, &b, "sip:user_9@nexus.test", "tb");
	phone_answer(rig, &b, "183 Session Progress", NULL);
	expect_event(rig, CARRIER_B_RINGING, 183);
	expect_event(rig, CARRIER_B_NO_ANSWER, 0);
	take_cancel_and_bye(rig, &b, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void a_hanging_up_while_b_rings_cancels_b(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	ring_b(rig, &a, &b);
	phone_request(rig, &a, "BYE", ++a.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 200");
	expect_event(rig, CARRIER_A_HANGUP, 0);
	take_cancel(rig, &b);
	expect_event(rig, CARRIER_DOWN, 0);
	assert_int_equal(rig->final_a, 200);
	assert_int_equal(rig->final_b, 487);
}

static void a_hanging_up_hangs_up_b(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	phone_request(rig, &a, "BYE", ++a.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 200");
	expect_event(rig, CARRIER_A_HANGUP, 0);
	take_bye(rig, "tb");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void b_hanging_up_hangs_up_a(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	phone_request(rig, &b, "BYE", ++b.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 200");
	expect_event(rig, CARRIER_B_HANGUP, 0);
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void both_hanging_up_at_once_is_one_end(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	phone_request(rig, &a, "BYE", ++a.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 200");
	expect(rig, "BYE sip:tb@");
	phone_request(rig, &b, "BYE", ++b.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 200");
	expect_event(rig, CARRIER_A_HANGUP, 0);
	expect_event(rig, CARRIER_DOWN, 0);
	expect_no_event(rig, 50);
}

static void end_before_any_answer_cancels_with_the_first_one(void **state)
{
	struct rig *rig = *state;
	struct phone a;

	assert_int_equal(rig_place(rig, &call_s1), NXV_OK);
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	expect_silence(rig, 100);
	phone_answer(rig, &a, "100 Trying", NULL);
	take_cancel(rig, &a);
	expect_event(rig, CARRIER_DOWN, 0);
}

static void end_twice_is_one_end(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	ring_b(rig, &a, &b);
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_cancel_and_bye(rig, &b, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
	expect_silence(rig, 50);
}

static void end_while_a_is_being_joined_still_acknowledges(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static struct msg offer;

	ring_b(rig, &a, &b);
	phone_answer(rig, &b, "200 OK", SDP_B);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "INVITE sip:ta@");
	offer = rig->in;
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	answer_to(rig, offer.text, "200 OK", NULL, NULL, SDP_A_ON);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_DOWN, 0);
	expect_no_event(rig, 50);
}

static void end_of_an_unknown_session_is_not_found(void **state)
{
	assert_int_equal(rig_end(*state, "session_none"), NXV_E_NOT_FOUND);
}

static void end_from_inside_the_sink_works(void **state)
{
	struct rig *rig = *state;
	struct phone a;

	rig->end_on_event = true;
	ring_a(rig, &a);
	take_cancel(rig, &a);
	expect_event(rig, CARRIER_DOWN, 0);
}

static void answer_crossing_cancel_is_acknowledged_and_hung_up(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	ring_b(rig, &a, &b);
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	expect(rig, "CANCEL ");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, NULL);
	take_bye(rig, "ta");
	phone_answer(rig, &b, "200 OK", SDP_B);
	expect(rig, "ACK sip:tb@");
	take_bye(rig, "tb");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void second_phone_answering_is_acknowledged_and_hung_up(void **state)
{
	struct rig *rig = *state;
	struct phone a, b, late;

	ring_b(rig, &a, &b);
	late = b;
	snprintf(late.tag, sizeof(late.tag), "late");
	phone_answer(rig, &b, "200 OK", SDP_B);
	expect(rig, "ACK sip:tb@");
	expect(rig, "INVITE sip:ta@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_A_ON);
	expect(rig, "ACK sip:ta@");
	phone_answer(rig, &late, "200 OK", SDP_B);
	expect(rig, "ACK sip:late@");
	assert_non_null(strstr(rig->in.text, ";tag=late\r\n"));
	take_bye(rig, "late");
	phone_answer(rig, &late, "200 OK", SDP_B);
	expect(rig, "ACK sip:late@");
	expect_silence(rig, 100);
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect_event(rig, CARRIER_JOINED, 0);
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void repeated_answer_is_acknowledged_again(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static struct msg ack;

	ring_b(rig, &a, &b);
	phone_answer(rig, &a, "200 OK", SDP_A);
	expect(rig, "ACK sip:ta@");
	ack = rig->in;
	phone_answer(rig, &a, "200 OK", SDP_A);
	expect(rig, "ACK sip:ta@");
	assert_string_equal(rig->in.text, ack.text);
	phone_request(rig, &a, "BYE", ++a.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 200");
	take_cancel(rig, &b);
	expect_event(rig, CARRIER_A_HANGUP, 0);
	expect_event(rig, CARRIER_DOWN, 0);
	phone_answer(rig, &a, "200 OK", SDP_A); /* a dead leg still answers */
	expect(rig, "ACK sip:ta@");
}

static void closing_cancels_what_rings(void **state)
{
	struct rig *rig = rig_open();
	struct phone a;

	(void)state;
	rig_start(rig);
	ring_a(rig, &a);
	loop_stop(rig->loop);
	expect(rig, "CANCEL ");
	rig_close(rig);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(a_not_answering_is_canceled),
		ON(b_not_answering_is_canceled_and_a_hung_up),
		ON(a_hanging_up_while_b_rings_cancels_b),
		ON(a_hanging_up_hangs_up_b),
		ON(b_hanging_up_hangs_up_a),
		ON(both_hanging_up_at_once_is_one_end),
		ON(end_before_any_answer_cancels_with_the_first_one),
		ON(end_twice_is_one_end),
		ON(end_while_a_is_being_joined_still_acknowledges),
		ON(end_of_an_unknown_session_is_not_found),
		ON(end_from_inside_the_sink_works),
		ON(answer_crossing_cancel_is_acknowledged_and_hung_up),
		ON(second_phone_answering_is_acknowledged_and_hung_up),
		ON(repeated_answer_is_acknowledged_again),
		cmocka_unit_test(closing_cancels_what_rings),
	};

	return cmocka_run_group_tests_name("originator_end", tests, NULL, NULL);
}
