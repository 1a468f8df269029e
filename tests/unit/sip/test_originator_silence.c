/* test_originator_silence.c - peers that fall silent, and session timers. The waits of RFC 3261 take 32 s each: they
 * all run at once, each against an originator of its own, while this program sleeps; session timers are made to fire
 * early. */
#include "test_originator_peer.h"

#include "sip/originator/call.h"

enum { SILENCE_MS = 36000 };

static struct rig *no_answer, *no_bye_answer, *no_ack, *forgotten;
static struct carrier_call patient;
static struct phone a1, b1, a2, b2, a3, b3;

#define SDP_HOLD                                                                                                       \
	"v=0\r\no=alice 1 3 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 "           \
	"101\r\na=sendonly\r\n"

static int start_all(void **state)
{
	(void)state;
	no_answer = rig_open();
	no_bye_answer = rig_open();
	no_ack = rig_open();
	forgotten = rig_open();
	rig_start(no_answer);
	rig_start(no_bye_answer);
	rig_start(no_ack);
	rig_start(forgotten);

	patient = call_s1;
	patient.ring_timeout_ms = 60000;
	assert_int_equal(rig_place(no_answer, &patient), NXV_OK);

	join(no_bye_answer, &a1, &b1);
	assert_int_equal(rig_end(no_bye_answer, "session_1_x"), NXV_OK);

	join(no_ack, &a2, &b2);
	phone_request(no_ack, &a2, "INVITE", ++a2.cseq, NULL, SDP_HOLD);
	expect(no_ack, "INVITE sip:tb@");
	answer_to(no_ack, no_ack->in.text, "200 OK", NULL, NULL, SDP_B);

	join(forgotten, &a3, &b3);
	assert_int_equal(rig_end(forgotten, "session_1_x"), NXV_OK);
	take_bye(forgotten, "tb");
	take_bye(forgotten, "ta");
	expect_event(forgotten, CARRIER_DOWN, 0);
	return 0;
}

static int stop_all(void **state)
{
	(void)state;
	rig_close(no_answer);
	rig_close(no_bye_answer);
	rig_close(no_ack);
	rig_close(forgotten);
	return 0;
}

/* Drain what the originator repeats. */
static int drain(struct rig *rig, const char *start)
{
	int count = 0;

	while (receive(rig, 0)) {
		if (strncmp(rig->in.text, start, strlen(start)) == 0)
			count++;
	}
	return count;
}

static const struct rig_event *wait_event(struct rig *rig)
{
	const struct rig_event *event = rig_next(rig, SILENCE_MS);

	assert_non_null(event);
	return event;
}

static void invite_without_any_answer_is_a_lost_server(void **state)
{
	const struct rig_event *event = wait_event(no_answer);

	(void)state;
	assert_int_equal(event->kind, CARRIER_LOST);
	assert_true(drain(no_answer, "INVITE ") >= 6);
	event = wait_event(no_answer);
	assert_int_equal(event->kind, CARRIER_DOWN);
}

static void unanswered_bye_is_given_up(void **state)
{
	(void)state;
	assert_int_equal(wait_event(no_bye_answer)->kind, CARRIER_DOWN);
	assert_true(drain(no_bye_answer, "BYE ") >= 10);
}

static void answer_never_acknowledged_is_a_lost_call(void **state)
{
	(void)state;
	assert_int_equal(wait_event(no_ack)->kind, CARRIER_A_LOST);
	assert_true(drain(no_ack, "SIP/2.0 200") >= 8);
}

static size_t kept;

static void count_kept(void *arg)
{
	struct rig *rig = arg;

	kept = ((const struct originator *)rig->carrier)->call_count;
	rig_tell(rig, NXV_OK);
}

/* The list belongs to the loop's thread. */
static size_t calls_kept(struct rig *rig)
{
	assert_int_equal(loop_post(rig->loop, count_kept, rig), NXV_OK);
	(void)rig_wait(rig);
	return kept;
}

static void dead_call_is_forgotten_after_its_time(void **state)
{
	(void)state;
	for (int i = 0; i < 80 && calls_kept(forgotten); i++)
		usleep(100000);
	assert_int_equal(calls_kept(forgotten), 0);
	phone_answer(forgotten, &a3, "200 OK", SDP_A);
	expect_silence(forgotten, 100);
}

/* ---- session timers */

static void fire_now(struct rig *rig, char name)
{
	struct call *call = call_find((const struct originator *)rig->carrier, "session_1_x");
	struct leg *leg = name == 'a' ? &call->a : &call->b;

	if (tmr_isrunning(&leg->refresh))
		tmr_start(&leg->refresh, 1, leg->refresh.th, leg->refresh.arg);
}

static void fire_a(void *arg)
{
	fire_now(arg, 'a');
}

static void fire_b(void *arg)
{
	fire_now(arg, 'b');
}

static void hang_up(struct rig *rig)
{
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void guard_now(void *arg)
{
	struct rig *rig = arg;
	struct call *call = call_find((const struct originator *)rig->carrier, "session_1_x");

	tmr_start(&call->x.timer, 1, call->x.timer.th, call->x.timer.arg);
}

static void phone_that_never_answers_a_re_invite_is_lost(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	ring_b(rig, &a, &b);
	phone_answer(rig, &b, "200 OK", SDP_B);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "INVITE sip:ta@");
	answer_to(rig, rig->in.text, "100 Trying", NULL, NULL, NULL);
	expect_silence(rig, 50);
	assert_int_equal(loop_post(rig->loop, guard_now, rig), NXV_OK);
	expect(rig, "CANCEL sip:ta@");
	expect_event(rig, CARRIER_A_LOST, 408);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void refresh_waits_for_a_hold_to_end(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	phone_request(rig, &b, "INVITE", ++b.cseq, NULL, SDP_HOLD);
	expect(rig, "INVITE sip:ta@");
	assert_int_equal(loop_post(rig->loop, fire_a, rig), NXV_OK);
	expect_silence(rig, 50);
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_A_ON);
	expect(rig, "ACK sip:ta@");
	expect(rig, "SIP/2.0 200");
	phone_ack(rig, &b, NULL);
	expect_silence(rig, 50);
	assert_int_equal(loop_post(rig->loop, fire_a, rig), NXV_OK);
	expect(rig, "UPDATE sip:ta@");
	answer_to(rig, rig->in.text, "500 Busy", NULL, NULL, NULL); /* the session stays as it was */
	expect_no_event(rig, 50);
	hang_up(rig);
}

static void longer_interval_is_granted_when_a_phone_insists(void **state)
{
	struct rig *rig = *state;
	struct phone a;

	assert_int_equal(rig_place(rig, &call_s1), NXV_OK);
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	answer_to(rig, a.invite.text, "422 Session Interval Too Small", "ta", "Min-SE: 7200\r\n", NULL);
	expect(rig, "ACK ");
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	assert_true(has_line(a.invite.text, "Session-Expires: 7200"));
	assert_true(has_line(a.invite.text, "Min-SE: 7200"));
	assert_true(has_line(a.invite.text, "X-Nexus-Leg: a"));
	answer_to(rig, a.invite.text, "422 Session Interval Too Small", "ta", "Min-SE: 9000\r\n", NULL);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_A_FAILED, 422);
	expect_event(rig, CARRIER_DOWN, 0);
}

static void phone_that_allows_update_is_refreshed_by_it(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	char length[8];

	join(rig, &a, &b);
	assert_true(has_line(a.invite.text, "Session-Expires: 1800"));
	assert_int_equal(loop_post(rig->loop, fire_a, rig), NXV_OK);
	expect(rig, "UPDATE sip:ta@");
	assert_true(has_line(rig->in.text, "Session-Expires: 1800;refresher=uac"));
	assert_string_equal(header(rig->in.text, "Content-Length", length, sizeof(length)), "0");
	answer_to(rig, rig->in.text, "200 OK", NULL, "Session-Expires: 1800;refresher=uac\r\n", NULL);
	expect_no_event(rig, 50);
	hang_up(rig);
}

static void other_phones_are_refreshed_by_the_same_description(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static struct msg offer;

	ring_b(rig, &a, &b);
	answer_to(rig, b.invite.text, "200 OK", "tb", "Contact: <sip:tb@127.0.0.1:6000>\r\nAllow: INVITE, ACK, BYE\r\n",
		SDP_B);
	expect(rig, "ACK sip:tb@");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "INVITE sip:ta@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_A_ON);
	expect(rig, "ACK sip:ta@");
	expect_event(rig, CARRIER_JOINED, 0);
	assert_int_equal(loop_post(rig->loop, fire_b, rig), NXV_OK);
	expect(rig, "INVITE sip:tb@");
	offer = rig->in;
	assert_string_equal(body_of(offer.text), body_of(b.invite.text));
	answer_to(rig, offer.text, "200 OK", NULL, NULL, SDP_B);
	expect(rig, "ACK sip:tb@");
	hang_up(rig);
}

static void phone_that_does_not_answer_a_refresh_is_lost(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	assert_int_equal(loop_post(rig->loop, fire_a, rig), NXV_OK);
	expect(rig, "UPDATE sip:ta@");
	answer_to(rig, rig->in.text, "481 Call Does Not Exist", NULL, NULL, NULL);
	expect_event(rig, CARRIER_A_LOST, 481);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void phone_that_does_not_refresh_as_it_promised_is_lost(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	ring_b(rig, &a, &b);
	answer_to(rig, b.invite.text, "200 OK", "tb",
		"Contact: <sip:tb@127.0.0.1:6000>\r\nRequire: timer\r\nSession-Expires: 200;refresher=uas\r\n", SDP_B);
	expect(rig, "ACK sip:tb@");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "INVITE sip:ta@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_A_ON);
	expect(rig, "ACK sip:ta@");
	expect_event(rig, CARRIER_JOINED, 0);
	assert_int_equal(loop_post(rig->loop, fire_b, rig), NXV_OK);
	expect_event(rig, CARRIER_B_LOST, 0);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(phone_that_never_answers_a_re_invite_is_lost),
		ON(refresh_waits_for_a_hold_to_end),
		ON(longer_interval_is_granted_when_a_phone_insists),
		ON(phone_that_allows_update_is_refreshed_by_it),
		ON(other_phones_are_refreshed_by_the_same_description),
		ON(phone_that_does_not_answer_a_refresh_is_lost),
		ON(phone_that_does_not_refresh_as_it_promised_is_lost),
		cmocka_unit_test(invite_without_any_answer_is_a_lost_server),
		cmocka_unit_test(unanswered_bye_is_given_up),
		cmocka_unit_test(answer_never_acknowledged_is_a_lost_call),
		cmocka_unit_test(dead_call_is_forgotten_after_its_time),
	};

	return cmocka_run_group_tests_name("originator_silence", tests, start_all, stop_all);
}
