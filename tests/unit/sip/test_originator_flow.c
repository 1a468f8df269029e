/* test_originator_flow.c - how calls come about and end, seen from the SIP server's side. */
#include "test_originator_peer.h"

static void call_is_joined_and_ended_by_us(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	assert_int_equal(originator_call_count(rig->carrier), 1);
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_E_NOT_FOUND);
	assert_int_equal(originator_call_count(rig->carrier), 0);
	expect_no_event(rig, 50);
}

static void first_invite_carries_what_the_server_needs(void **state)
{
	struct rig *rig = *state;
	struct phone a;
	const char *text;
	char value[256];

	assert_int_equal(rig_place(rig, &call_s1), NXV_OK);
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	text = a.invite.text;
	assert_string_equal(header(text, "Call-ID", value, sizeof(value)), "session_1_x-a");
	assert_true(has_line(text, "X-Nexus-Session: session_1_x"));
	assert_true(has_line(text, "X-Nexus-Leg: a"));
	assert_true(has_line(text, "X-Nexus-Owner: user_123"));
	assert_true(has_line(text, "X-Nexus-Limit: 50"));
	assert_true(has_line(text, "X-Nexus-Max: 3605"));
	assert_true(has_line(text, "X-Nexus-Targets: user_2,user_3"));
	assert_true(has_line(text, "X-Nexus-Request: req-1"));
	assert_true(has_line(text, "To: <sip:user_1@nexus.test>"));
	assert_int_equal(strncmp(header(text, "From", value, sizeof(value)),
					"\"+0987654321\" <sip:+0987654321@nexus.test>;tag=", 46),
		0);
	assert_true(has_line(text, "c=IN IP4 0.0.0.0"));
	assert_null(strstr(text, "answer-after"));
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	phone_answer(rig, &a, "180 Ringing", NULL);
	take_cancel(rig, &a);
	expect_event(rig, CARRIER_DOWN, 0);
}

static void second_invite_shows_the_caller_and_offers_the_first_phones_media(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	const char *text;
	char value[256];

	ring_b(rig, &a, &b);
	text = b.invite.text;
	assert_string_equal(header(text, "Call-ID", value, sizeof(value)), "session_1_x-b");
	assert_int_equal(strncmp(header(text, "From", value, sizeof(value)),
					"\"+1234567890\" <sip:+1234567890@nexus.test>;tag=", 46),
		0);
	assert_true(has_line(text, "X-Nexus-Leg: b"));
	assert_true(has_line(text, "X-Nexus-Max: 3605"));
	assert_null(strstr(text, "X-Nexus-Owner"));
	assert_null(strstr(text, "X-Nexus-Limit"));
	assert_true(has_line(text, "m=audio 4000 RTP/AVP 0 8 101"));
	assert_true(has_line(text, "c=IN IP4 10.0.0.1"));
	assert_non_null(strstr(text, "a=sendrecv\r\n"));
	assert_null(strstr(text, "a=inactive"));
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_cancel_and_bye(rig, &b, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void requests_in_a_dialog_follow_the_recorded_route(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	const char *routes;

	join(rig, &a, &b);
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	expect(rig, "BYE sip:tb@127.0.0.1:6000");
	routes = strstr(rig->in.text, "Route: <sip:127.0.0.1:7002;lr>\r\nRoute: <sip:127.0.0.1:7001;lr>\r\n");
	assert_non_null(routes);
	assert_null(strstr(rig->in.text, "X-Nexus"));
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, NULL);
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void offers_to_one_phone_keep_their_origin_and_raise_its_version(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	unsigned long long first_id, second_id;
	unsigned first, second;

	ring_b(rig, &a, &b);
	assert_int_equal(sscanf(strstr(a.invite.text, "o="), "o=nexusvoip %llu %u", &first_id, &first), 2);
	phone_answer(rig, &b, "200 OK", SDP_B);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "INVITE sip:ta@");
	assert_int_equal(sscanf(strstr(rig->in.text, "\r\no="), "\r\no=nexusvoip %llu %u", &second_id, &second), 2);
	assert_true(first_id == second_id);
	assert_int_equal(second, first + 1);
	assert_true(has_line(rig->in.text, "m=audio 5000 RTP/AVP 0 101"));
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_A_ON);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_JOINED, 0);
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void hang_up_overtaken_by_the_answer_to_the_joining_offer_is_a_hang_up(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	ring_b(rig, &a, &b);
	phone_answer(rig, &b, "200 OK", SDP_B);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "INVITE sip:ta@");
	answer_to(rig, rig->in.text, "481 Call Does Not Exist", NULL, NULL, NULL);
	expect(rig, "ACK sip:ta@");
	phone_request(rig, &a, "BYE", ++a.cseq, NULL, NULL);
	expect_event(rig, CARRIER_A_HANGUP, 0);
	expect(rig, "SIP/2.0 200");
	take_bye(rig, "tb");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void auto_answer_is_asked_of_the_first_phone_only(void **state)
{
	struct rig *rig = *state;
	struct carrier_call call = call_s1;
	struct phone a, b;

	call.auto_answer = true;
	assert_int_equal(rig_place(rig, &call), NXV_OK);
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	assert_true(has_line(a.invite.text, "Call-Info: <sip:nexus.test>;answer-after=0"));
	assert_true(has_line(a.invite.text, "Alert-Info: <sip:nexus.test>;info=alert-autoanswer"));
	phone_answer(rig, &a, "200 OK", SDP_A);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_A_ANSWERED, 200);
	phone_take(rig, &b, "sip:user_9@nexus.test", "tb");
	assert_null(strstr(b.invite.text, "answer-after"));
	phone_answer(rig, &b, "486 Busy Here", NULL);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_B_FAILED, 486);
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void refuse_a(struct rig *rig, const char *status, enum carrier_event_kind kind, int code)
{
	struct phone a;

	ring_a(rig, &a);
	phone_answer(rig, &a, status, NULL);
	expect(rig, "ACK ");
	expect_event(rig, kind, code);
	expect_event(rig, CARRIER_DOWN, 0);
}

static void a_busy_ends_the_call(void **state)
{
	refuse_a(*state, "486 Busy Here", CARRIER_A_FAILED, 486);
}

static void a_rejecting_ends_the_call(void **state)
{
	refuse_a(*state, "603 Decline", CARRIER_A_FAILED, 603);
}

static void a_without_common_media_is_told_apart(void **state)
{
	refuse_a(*state, "488 Not Acceptable Here", CARRIER_MEDIA_REFUSED, 488);
}

static void refuse_b(struct rig *rig, const char *status, enum carrier_event_kind kind, int code)
{
	struct phone a, b;

	ring_b(rig, &a, &b);
	phone_answer(rig, &b, status, NULL);
	expect(rig, "ACK ");
	expect_event(rig, kind, code);
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void b_busy_hangs_up_a(void **state)
{
	refuse_b(*state, "486 Busy Here", CARRIER_B_FAILED, 486);
}

static void b_rejecting_hangs_up_a(void **state)
{
	refuse_b(*state, "603 Decline", CARRIER_B_FAILED, 603);
}

static void b_unregistered_hangs_up_a(void **state)
{
	refuse_b(*state, "480 Temporarily Unavailable", CARRIER_B_FAILED, 480);
}

static void b_without_common_media_hangs_up_a(void **state)
{
	refuse_b(*state, "606 Not Acceptable", CARRIER_MEDIA_REFUSED, 606);
}

static void b_learns_what_a_changed_while_it_was_joined(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static const char moved[] = "v=0\r\no=alice 1 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 "
					"0\r\nm=audio 4444 RTP/AVP 0 101\r\n";

	ring_b(rig, &a, &b);
	phone_answer(rig, &b, "200 OK", SDP_B);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "INVITE sip:ta@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, moved);
	expect(rig, "ACK sip:ta@");
	expect(rig, "INVITE sip:tb@");
	assert_true(has_line(rig->in.text, "m=audio 4444 RTP/AVP 0 101"));
	assert_true(has_line(rig->in.text, "c=IN IP4 10.0.0.9"));
	expect_no_event(rig, 50);
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_B);
	expect(rig, "ACK sip:tb@");
	expect_event(rig, CARRIER_JOINED, 0);
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void a_refusing_bs_media_ends_both(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	ring_b(rig, &a, &b);
	phone_answer(rig, &b, "200 OK", SDP_B);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "INVITE sip:ta@");
	answer_to(rig, rig->in.text, "488 Not Acceptable Here", NULL, NULL, NULL);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_MEDIA_REFUSED, 488);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void answer_without_media_ends_the_call(void **state)
{
	struct rig *rig = *state;
	struct phone a;

	ring_a(rig, &a);
	phone_answer(rig, &a, "200 OK", NULL);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_A_ANSWERED, 200);
	expect_event(rig, CARRIER_MEDIA_REFUSED, 0);
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void joining_goes_another_round_when_b_moves_too(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static const char a_moved[] =
		"v=0\r\no=a 1 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4444 RTP/AVP 0 101\r\n";
	static const char b_moved[] =
		"v=0\r\no=b 1 2 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.8\r\nt=0 0\r\nm=audio 5555 RTP/AVP 0 101\r\n";

	ring_b(rig, &a, &b);
	phone_answer(rig, &b, "200 OK", SDP_B);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "INVITE sip:ta@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, a_moved);
	expect(rig, "ACK sip:ta@");
	expect(rig, "INVITE sip:tb@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, b_moved);
	expect(rig, "ACK sip:tb@");
	expect(rig, "INVITE sip:ta@");
	assert_true(has_line(rig->in.text, "m=audio 5555 RTP/AVP 0 101"));
	expect_no_event(rig, 30);
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, a_moved);
	expect(rig, "ACK sip:ta@");
	expect_event(rig, CARRIER_JOINED, 0);
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void a_refusing_every_stream_of_bs_ends_both(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	ring_b(rig, &a, &b);
	phone_answer(rig, &b, "200 OK", SDP_B);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "INVITE sip:ta@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL,
		"v=0\r\no=a 1 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n");
	expect(rig, "ACK sip:ta@");
	expect_event(rig, CARRIER_MEDIA_REFUSED, 200);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void names_are_quoted_and_users_escaped(void **state)
{
	struct rig *rig = *state;
	struct carrier_call call = call_s1;
	struct phone a;
	char from[256];

	call.to_number = "Bob \"the\" [x]";
	assert_int_equal(rig_place(rig, &call), NXV_OK);
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	header(a.invite.text, "From", from, sizeof(from));
	*strstr(from, ";tag=") = '\0';
	assert_string_equal(from, "\"Bob \\\"the\\\" [x]\" <sip:Bob%20%22the%22%20%5Bx%5D@nexus.test>");
	phone_answer(rig, &a, "486 Busy Here", NULL);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_A_FAILED, 486);
	expect_event(rig, CARRIER_DOWN, 0);
	call.to_number = "sip:bob@nexus.test";
	call.session_id = "session_2_x";
	assert_int_equal(rig_place(rig, &call), NXV_OK);
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	assert_non_null(strstr(a.invite.text, "<sip:bob@nexus.test>;tag="));
	phone_answer(rig, &a, "486 Busy Here", NULL);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_A_FAILED, 486);
	expect_event(rig, CARRIER_DOWN, 0);
}

static void a_session_is_placed_once(void **state)
{
	struct rig *rig = *state;
	struct phone a;

	ring_a(rig, &a);
	assert_int_equal(rig_place(rig, &call_s1), NXV_E_CONFLICT);
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_cancel(rig, &a);
	expect_event(rig, CARRIER_DOWN, 0);
}

static void place_refuses_what_would_break_a_header(void **state)
{
	struct rig *rig = *state;
	struct carrier_call call = call_s1;

	call.to_number = "+1\r\nX-Evil: 1";
	assert_int_equal(rig_place(rig, &call), NXV_E_INVALID);
	assert_string_equal(rig->err.field, "to_number");
	call = call_s1;
	call.a_targets[1] = "user_2>";
	assert_int_equal(rig_place(rig, &call), NXV_E_INVALID);
	assert_string_equal(rig->err.field, "a_targets");
	call = call_s1;
	call.b_count = 0;
	assert_int_equal(rig_place(rig, &call), NXV_E_INVALID);
	expect_silence(rig, 50);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(call_is_joined_and_ended_by_us),
		ON(first_invite_carries_what_the_server_needs),
		ON(second_invite_shows_the_caller_and_offers_the_first_phones_media),
		ON(requests_in_a_dialog_follow_the_recorded_route),
		ON(offers_to_one_phone_keep_their_origin_and_raise_its_version),
		ON(auto_answer_is_asked_of_the_first_phone_only),
		ON(a_busy_ends_the_call),
		ON(a_rejecting_ends_the_call),
		ON(a_without_common_media_is_told_apart),
		ON(b_busy_hangs_up_a),
		ON(b_rejecting_hangs_up_a),
		ON(b_unregistered_hangs_up_a),
		ON(b_without_common_media_hangs_up_a),
		ON(hang_up_overtaken_by_the_answer_to_the_joining_offer_is_a_hang_up),
		ON(b_learns_what_a_changed_while_it_was_joined),
		ON(a_refusing_bs_media_ends_both),
		ON(answer_without_media_ends_the_call),
		ON(joining_goes_another_round_when_b_moves_too),
		ON(a_refusing_every_stream_of_bs_ends_both),
		ON(names_are_quoted_and_users_escaped),
		ON(a_session_is_placed_once),
		ON(place_refuses_what_would_break_a_header),
	};

	return cmocka_run_group_tests_name("originator_flow", tests, NULL, NULL);
}
