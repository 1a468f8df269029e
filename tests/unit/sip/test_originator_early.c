/* test_originator_early.c - what B's side sends before it answers (183 with media) reaches A. */
#include "test_originator_peer.h"

#define SDP_EARLY                                                                                                      \
	"v=0\r\no=network 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 9000 RTP/AVP 0\r\n"

static void hang_up(struct rig *rig)
{
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
	expect_no_event(rig, 20);
}

/* B's side announces something; A is offered it. */
static void announce(struct rig *rig, struct phone *a, struct phone *b)
{
	ring_b(rig, a, b);
	phone_answer(rig, b, "183 Session Progress", SDP_EARLY);
	expect(rig, "INVITE sip:ta@");
	assert_true(has_line(rig->in.text, "m=audio 9000 RTP/AVP 0"));
	assert_null(strstr(rig->in.text, "o=network"));
}

static void answer_b(struct rig *rig, const struct phone *b)
{
	phone_answer(rig, b, "200 OK", SDP_B);
	expect(rig, "ACK sip:tb@");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
}

static void join_a(struct rig *rig)
{
	expect(rig, "INVITE sip:ta@");
	assert_true(has_line(rig->in.text, "m=audio 5000 RTP/AVP 0 101"));
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_A_ON);
	expect(rig, "ACK sip:ta@");
	expect_event(rig, CARRIER_JOINED, 0);
}

static void media_before_the_answer_is_offered_to_a(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	announce(rig, &a, &b);
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_A_ON);
	expect(rig, "ACK sip:ta@");
	phone_answer(rig, &b, "183 Session Progress", SDP_EARLY); /* the same again is no news */
	expect_silence(rig, 50);
	expect_no_event(rig, 0);
	answer_b(rig, &b);
	join_a(rig);
	hang_up(rig);
}

static void answer_that_comes_while_a_is_asked_waits(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static struct msg early;

	announce(rig, &a, &b);
	early = rig->in;
	answer_b(rig, &b);
	expect_silence(rig, 50);
	answer_to(rig, early.text, "200 OK", NULL, NULL, SDP_A_ON);
	expect(rig, "ACK sip:ta@");
	join_a(rig);
	hang_up(rig);
}

static void refusal_of_early_media_changes_nothing(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	announce(rig, &a, &b);
	answer_to(rig, rig->in.text, "488 Not Acceptable Here", NULL, NULL, NULL);
	expect(rig, "ACK sip:ta@");
	expect_no_event(rig, 20);
	answer_b(rig, &b);
	join_a(rig);
	hang_up(rig);
}

/* A took it with another codec list than it first had: B must hear of that. */
static void what_a_changed_for_early_media_is_told_to_b(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	const char *moved = "v=0\r\no=alice 1 3 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
			    "m=audio 4444 RTP/AVP 0 101\r\na=sendrecv\r\n";

	announce(rig, &a, &b);
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, moved);
	expect(rig, "ACK sip:ta@");
	answer_b(rig, &b);
	expect(rig, "INVITE sip:ta@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, moved);
	expect(rig, "ACK sip:ta@");
	expect(rig, "INVITE sip:tb@");
	assert_true(has_line(rig->in.text, "m=audio 4444 RTP/AVP 0 101"));
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_B);
	expect(rig, "ACK sip:tb@");
	expect_event(rig, CARRIER_JOINED, 0);
	hang_up(rig);
}

static void b_that_fails_after_early_media_ends_the_call(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static struct msg early;

	announce(rig, &a, &b);
	early = rig->in;
	phone_answer(rig, &b, "486 Busy Here", NULL);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_B_FAILED, 486);
	take_bye(rig, "ta");
	answer_to(rig, early.text, "481 Call Does Not Exist", NULL, NULL, NULL);
	expect(rig, "ACK sip:ta@");
	expect_event(rig, CARRIER_DOWN, 0);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(media_before_the_answer_is_offered_to_a),
		ON(answer_that_comes_while_a_is_asked_waits),
		ON(refusal_of_early_media_changes_nothing),
		ON(what_a_changed_for_early_media_is_told_to_b),
		ON(b_that_fails_after_early_media_ends_the_call),
	};

	return cmocka_run_group_tests_name("originator_early", tests, NULL, NULL);
}
