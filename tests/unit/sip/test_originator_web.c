/* test_originator_web.c - calls to browsers (RFC 3725, Flow I): A is asked for an offer, and has its answer from B. */
#include "test_originator_peer.h"

#include "sip/originator/sdp.h"

#define WEB_MEDIA(port)                                                                                                \
	"m=audio " port " UDP/TLS/RTP/SAVPF 111 0\r\na=mid:0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"  \
	"a=fingerprint:sha-256 AA:BB\r\n"
#define WEB_A                                                                                                          \
	"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" WEB_MEDIA("4000") "a=setup:actpass\r\n"  \
	"a=sendrecv\r\n"
#define WEB_B                                                                                                          \
	"v=0\r\no=- 5 6 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" WEB_MEDIA("5000") "a=setup:active\r\n"   \
	"a=sendrecv\r\n"

static struct carrier_call web_call(unsigned media)
{
	struct carrier_call call = call_s1;

	call.media = media;
	return call;
}

/* A has answered with its offer, and B rings with it. */
static void web_ring_b(struct rig *rig, unsigned media, struct phone *a, struct phone *b)
{
	const struct carrier_call call = web_call(media);

	assert_int_equal(rig_place(rig, &call), NXV_OK);
	phone_take(rig, a, "sip:user_1@nexus.test", "ta");
	assert_string_equal(body_of(a->invite.text), "");
	assert_null(strstr(a->invite.text, "Content-Type"));
	assert_null(strstr(a->invite.text, "100rel")); /* an offer in a 18x could not be answered in time */
	phone_answer(rig, a, "180 Ringing", NULL);
	expect_event(rig, CARRIER_A_RINGING, 180);
	phone_answer(rig, a, "200 OK", WEB_A);
	expect_event(rig, CARRIER_A_ANSWERED, 200);
	phone_take(rig, b, "sip:user_9@nexus.test", "tb");
	assert_true(has_line(b->invite.text, "X-Nexus-Media: web"));
	assert_true(has_line(b->invite.text, "m=audio 4000 UDP/TLS/RTP/SAVPF 111 0"));
	assert_true(has_line(b->invite.text, "a=setup:actpass"));
	phone_answer(rig, b, "180 Ringing", NULL);
	expect_event(rig, CARRIER_B_RINGING, 180);
}

static void expect_refusing_ack(struct rig *rig)
{
	expect(rig, "ACK sip:ta@127.0.0.1:6000 SIP/2.0");
	assert_true(has_line(rig->in.text, "m=audio 0 UDP/TLS/RTP/SAVPF 111 0"));
}

static void browsers_are_joined_by_the_acknowledgement(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	web_ring_b(rig, CARRIER_MEDIA_WEB, &a, &b);
	assert_true(has_line(a.invite.text, "X-Nexus-Media: web"));
	phone_answer(rig, &b, "200 OK", WEB_B);
	expect(rig, "ACK sip:tb@127.0.0.1:6000 SIP/2.0");
	assert_string_equal(body_of(rig->in.text), "");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "ACK sip:ta@127.0.0.1:6000 SIP/2.0");
	assert_true(has_line(rig->in.text, "m=audio 5000 UDP/TLS/RTP/SAVPF 111 0"));
	assert_true(has_line(rig->in.text, "a=setup:active"));
	expect_event(rig, CARRIER_JOINED, 0);
	phone_answer(rig, &a, "200 OK", WEB_A); /* repeated: so is its ACK, answer included */
	expect(rig, "ACK sip:ta@127.0.0.1:6000 SIP/2.0");
	assert_true(has_line(rig->in.text, "m=audio 5000 UDP/TLS/RTP/SAVPF 111 0"));
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void browser_that_waits_for_an_answer_is_refused_before_it_is_hung_up(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	web_ring_b(rig, CARRIER_MEDIA_WEB, &a, &b);
	phone_answer(rig, &a, "200 OK", WEB_A); /* it repeats that until B has answered */
	expect_silence(rig, 50);
	phone_answer(rig, &b, "486 Busy Here", NULL);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_B_FAILED, 486);
	expect_refusing_ack(rig);
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void answer_that_crosses_the_cancel_is_refused_and_hung_up(void **state)
{
	const struct carrier_call call = web_call(CARRIER_MEDIA_WEB);
	struct rig *rig = *state;
	struct phone a;

	assert_int_equal(rig_place(rig, &call), NXV_OK);
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	phone_answer(rig, &a, "180 Ringing", NULL);
	expect_event(rig, CARRIER_A_RINGING, 180);
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	expect(rig, "CANCEL ");
	phone_answer(rig, &a, "200 OK", WEB_A);
	expect_refusing_ack(rig);
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void whoever_answers_decides_which_of_the_others_phones_ring(void **state)
{
	struct carrier_call call = web_call(CARRIER_MEDIA_PLAIN | CARRIER_MEDIA_WEB);
	struct rig *rig = *state;
	struct phone a, b;

	assert_int_equal(rig_place(rig, &call), NXV_OK);
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	assert_null(strstr(a.invite.text, "X-Nexus-Media"));
	assert_string_equal(body_of(a.invite.text), "");
	phone_answer(rig, &a, "200 OK", SDP_A_ON);
	expect_event(rig, CARRIER_A_ANSWERED, 200);
	phone_take(rig, &b, "sip:user_9@nexus.test", "tb");
	assert_true(has_line(b.invite.text, "X-Nexus-Media: plain"));
	assert_true(has_line(b.invite.text, "m=audio 4000 RTP/AVP 0 101"));
	phone_answer(rig, &b, "488 Not Acceptable Here", NULL);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_MEDIA_REFUSED, 488);
	expect(rig, "ACK sip:ta@127.0.0.1:6000 SIP/2.0");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void plain_phones_are_called_as_ever_and_browsers_left_out(void **state)
{
	const struct carrier_call call = web_call(CARRIER_MEDIA_PLAIN);
	struct rig *rig = *state;
	struct phone a, b;

	assert_int_equal(rig_place(rig, &call), NXV_OK);
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	assert_true(has_line(a.invite.text, "X-Nexus-Media: plain"));
	assert_true(has_line(a.invite.text, "c=IN IP4 0.0.0.0"));
	phone_answer(rig, &a, "200 OK", SDP_A);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_A_ANSWERED, 200);
	phone_take(rig, &b, "sip:user_9@nexus.test", "tb");
	assert_true(has_line(b.invite.text, "X-Nexus-Media: plain"));
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	expect(rig, "BYE "); /* the CANCEL waits for a provisional answer */
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, NULL);
	phone_answer(rig, &b, "180 Ringing", NULL);
	take_cancel(rig, &b);
	expect_event(rig, CARRIER_DOWN, 0);
}

static void answer_without_an_offer_ends_the_call(void **state)
{
	const struct carrier_call call = web_call(CARRIER_MEDIA_WEB);
	struct rig *rig = *state;
	struct phone a;

	assert_int_equal(rig_place(rig, &call), NXV_OK);
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	phone_answer(rig, &a, "200 OK", NULL);
	expect_event(rig, CARRIER_A_ANSWERED, 200);
	expect_event(rig, CARRIER_MEDIA_REFUSED, 0);
	expect(rig, "ACK sip:ta@127.0.0.1:6000 SIP/2.0");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
}

static void description_of_a_browser_is_told_from_a_plain_one(void **state)
{
	(void)state;
	assert_true(sdp_text_web(WEB_A));
	assert_true(sdp_text_web("v=0\r\nm=audio 1 UDP/TLS/RTP/SAVP 0\r\n"));
	assert_false(sdp_text_web(SDP_A));
	assert_false(sdp_text_web("v=0\r\nm=audio 1 RTP/SAVPF 0\r\na=x: UDP/TLS/RTP/SAVPF\r\n"));
	assert_false(sdp_text_web("m=audio"));
	assert_false(sdp_text_web(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(browsers_are_joined_by_the_acknowledgement, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			browser_that_waits_for_an_answer_is_refused_before_it_is_hung_up, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(answer_that_crosses_the_cancel_is_refused_and_hung_up, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			whoever_answers_decides_which_of_the_others_phones_ring, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(plain_phones_are_called_as_ever_and_browsers_left_out, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(answer_without_an_offer_ends_the_call, rig_setup, rig_teardown),
		cmocka_unit_test(description_of_a_browser_is_told_from_a_plain_one),
	};

	return cmocka_run_group_tests_name("originator_web", tests, NULL, NULL);
}
