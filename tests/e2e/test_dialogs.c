/* test_dialogs.c - offers and answers of every kind in a call that is up or comes up: holds, requests for an offer, offers
 * that meet, UPDATE, other codecs, large descriptions, early and changed answers. */
#include "in_call.h"

#include <stdio.h>

/* --- offers --- */

static void a_hold_and_its_end_pass_from_either_phone_to_the_other(void)
{
	struct told call;
	struct user *both[] = { &alice, &bob };
	talk(&call);
	for (int i = 0; i < 6; i++) { /* in turns, one right after the other: no 491 although an ACK may still be on its way */
		struct phone *by = both[i % 2]->phone, *other = both[1 - i % 2]->phone;
		assert_int_equal(phone_hold(by, 0, true), 200);
		assert_true(wait_seen(other, "INVITE", 1));
		assert_non_null(strstr(last(other, "INVITE"), "a=sendonly"));
		assert_true(names_port_of(text, by));
		assert_int_equal(phone_hold(by, 0, false), 200);
		assert_non_null(strstr(last(other, "INVITE"), "a=sendrecv"));
	}
	still_up(&call);
}

static void a_reinvite_without_a_description_asks_the_other_phone_for_one(void)
{
	struct told call;
	talk(&call);
	char ack[1024];
	snprintf(ack, sizeof(ack), "%s", sdp(alice.phone, "0", "a=sendrecv\r\n"));
	struct phone_ask ask = { .method = "INVITE", .ack = ack };
	size_t acks = phone_seen_count(bob.phone, "ACK");
	assert_int_equal(phone_ask(alice.phone, 0, &ask, reply, sizeof(reply)), 200);
	assert_true(names_port_of(reply, bob.phone));
	assert_non_null(strstr(last(bob.phone, "INVITE"), "Content-Length: 0\r\n"));
	assert_true(wait_seen(bob.phone, "ACK", acks + 1));
	assert_true(names_port_of(last(bob.phone, "ACK"), alice.phone));
	assert_int_equal(phone_hold(bob.phone, 0, true), 200);
	assert_int_equal(phone_hold(bob.phone, 0, false), 200);
	still_up(&call);
}

/* bob's phone does not hear alice's offer at first; meanwhile it makes one itself. */
static void offers_that_meet_are_refused_with_491_and_succeed_later(void)
{
	struct told call;
	talk(&call);
	struct holding h;
	phone_lose(bob.phone, false, "INVITE", 1);
	begin_hold(&h, alice.phone);
	nap_ms(100);
	assert_int_equal(phone_hold(bob.phone, 0, true), 491);
	assert_int_equal(end_hold(&h), 200);
	assert_int_equal(phone_hold(bob.phone, 0, false), 200);
	assert_int_equal(phone_hold(alice.phone, 0, false), 200);
	still_up(&call);
}

static void a_491_of_the_other_phone_is_passed_back(void)
{
	struct told call;
	talk(&call);
	phone_will(bob.phone, (struct phone_will){ .method = "INVITE", .code = 491, .times = 1 });
	assert_int_equal(phone_hold(alice.phone, 0, true), 491);
	assert_int_equal(phone_hold(alice.phone, 0, true), 200);
	still_up(&call);
}

/* We own the Call-ID of both legs: 2.1 to 4 s (RFC 3261, 14.1). */
static void our_own_offer_is_made_again_after_a_491(void)
{
	struct told call;
	pair_reset();
	phone_will(alice.phone, (struct phone_will){ .method = "INVITE", .code = 491, .times = 1 });
	pair_talk(&call);
	int64_t waited = phone_at_ms(alice.phone, 0, PHONE_JOINED) - phone_at_ms(bob.phone, 0, PHONE_ANSWERED);
	assert_in_range(waited, 2100, 4000 + SLACK_MS);
	still_up(&call);
}

static void an_update_changes_the_session_or_refreshes_it(void)
{
	struct told call;
	talk(&call);
	struct phone_ask ask = { .method = "UPDATE", .body = sdp(alice.phone, "0", "a=sendonly\r\n") };
	assert_int_equal(phone_ask(alice.phone, 0, &ask, reply, sizeof(reply)), 200);
	assert_true(names_port_of(reply, bob.phone));
	assert_non_null(strstr(reply, "a=recvonly"));
	assert_non_null(strstr(last(bob.phone, "INVITE"), "a=sendonly"));
	ask = (struct phone_ask){ .method = "UPDATE", .lines = "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n" };
	size_t before = phone_requests(alice.phone);
	assert_int_equal(phone_ask(bob.phone, 0, &ask, reply, sizeof(reply)), 200);
	assert_non_null(strstr(reply, "Session-Expires: 600;refresher=uac"));
	assert_int_equal(phone_requests(alice.phone), before);
	still_up(&call);
}

static void another_codec_is_agreed_or_refused_during_the_call(void)
{
	struct told call;
	talk(&call);
	struct phone_ask ask = { .method = "INVITE", .body = sdp(alice.phone, "0 101", "a=rtpmap:101 telephone-event/8000\r\n") };
	assert_int_equal(phone_ask(alice.phone, 0, &ask, NULL, 0), 200);
	assert_non_null(strstr(last(bob.phone, "INVITE"), " RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"));
	ask.body = sdp(alice.phone, "8", "");
	assert_int_equal(phone_ask(alice.phone, 0, &ask, NULL, 0), 488);
	static char answer[1024];
	snprintf(answer, sizeof(answer), "%s", sdp(bob.phone, "8", "a=rtpmap:8 PCMA/8000\r\n"));
	phone_will(bob.phone, (struct phone_will){ .method = "INVITE", .code = 200, .body = answer, .times = 1 });
	assert_int_equal(phone_ask(alice.phone, 0, &ask, reply, sizeof(reply)), 200);
	assert_non_null(strstr(reply, " RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"));
	still_up(&call);
}

/* RFC 3261, 18.1.1 lets UDP carry no more than the path does: here that is loopback, which takes 64 KB whole. */
static void a_description_of_nine_kilobytes_passes_whole(void)
{
	static char more[9000], offer[TEXT_MAX], answer[TEXT_MAX];
	struct told call;
	size_t len = 0;
	talk(&call);
	for (int i = 0; len + 64 < sizeof(more); i++) {
		len += (size_t)snprintf(more + len, sizeof(more) - len, "a=candidate:%d 1 UDP 2130706431 127.0.0.1 4000 typ host\r\n", i);
	}
	snprintf(offer, sizeof(offer), "%s", sdp(alice.phone, "0", more));
	snprintf(answer, sizeof(answer), "%s", sdp(bob.phone, "0", more));
	phone_will(bob.phone, (struct phone_will){ .method = "INVITE", .code = 200, .body = answer, .times = 1 });
	struct phone_ask ask = { .method = "INVITE", .body = offer };
	assert_int_equal(phone_ask(alice.phone, 0, &ask, reply, sizeof(reply)), 200);
	assert_non_null(strstr(reply, more));
	assert_non_null(strstr(last(bob.phone, "INVITE"), more));
	still_up(&call);
}

/* --- answers --- */

static void a_reliable_183_is_acknowledged(void)
{
	for (int i = 0; i < 4; i++) {
		struct told call;
		struct phone *phone = i % 2 ? alice.phone : bob.phone;
		struct phone_script script = { .manner = PHONE_ANSWERS, .ring_ms = 100, .early = 183, .reliable = true, .bare = i >= 2 };
		pair_reset();
		phone_script(phone, script);
		pair_talk(&call);
		assert_int_equal(phone_seen_count(phone, "PRACK"), 1);
		assert_non_null(strstr(last(phone, "PRACK"), "\r\nRAck: 1 "));
		assert_non_null(strstr(text, " INVITE\r\n"));
		assert_int_equal(phone_hold(phone, 0, true), 200);
		still_up(&call);
	}
}

static void the_last_answer_of_the_callee_counts(void)
{
	struct told call;
	pair_reset();
	phone_script(bob.phone, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 300, .early = 183, .moves = true });
	pair_talk(&call);
	assert_true(wait_offer_of(alice.phone, bob.phone));
	still_up(&call);
}

/* An announcement, or ringing that the callee's side makes itself: the caller's phone learns where it comes from. */
static void media_before_the_answer_reaches_the_caller(void)
{
	for (int i = 0; i < 2; i++) {
		struct told call;
		pair_reset();
		phone_script(bob.phone, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 600, .early = 183, .reliable = i == 1 });
		pair_start(&call);
		assert_true(phone_wait(alice.phone, 0, PHONE_JOINED, SOON_MS));
		assert_true(names_port_of(last(alice.phone, "INVITE"), bob.phone));
		assert_int_equal(phone_at_ms(bob.phone, 0, PHONE_ANSWERED), 0);
		assert_true(api_get(&gw, &alice, call.id, &call));
		assert_string_equal(call.status, "ringing");
		assert_true(phone_wait(bob.phone, 0, PHONE_ACKED, SOON_MS));
		assert_true(api_wait(&gw, &alice, call.id, "in-progress", SOON_MS, &call));
		still_up(&call);
	}
}

static void a_callee_that_declines_after_an_announcement_has_declined(void)
{
	struct told call;
	pair_reset();
	phone_script(bob.phone, (struct phone_script){ .manner = PHONE_REFUSES, .code = 486, .ring_ms = 300, .early = 183 });
	pair_start(&call);
	assert_true(phone_wait(alice.phone, 0, PHONE_JOINED, SOON_MS));
	pair_expect(&call, "busy", "callee_busy");
}

static void the_callee_is_told_what_the_caller_changed_as_they_were_joined(void)
{
	struct told call;
	static char answer[1024];
	pair_reset();
	snprintf(answer, sizeof(answer),
		"v=0\r\no=- 1 9 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4998 RTP/AVP 0\r\na=sendrecv\r\n");
	phone_will(alice.phone, (struct phone_will){ .method = "INVITE", .code = 200, .body = answer, .times = 2 });
	pair_start(&call);
	assert_true(wait_seen(bob.phone, "INVITE", 2));
	assert_non_null(strstr(last(bob.phone, "INVITE"), "\r\nm=audio 4998 "));
	assert_true(api_wait(&gw, &alice, call.id, "in-progress", SOON_MS, &call));
	still_up(&call);
}

static void of_two_phones_that_ring_with_media_the_one_that_answers_counts(void)
{
	struct told call;
	pair_reset();
	struct phone *second = user_phone(&gw, lab, &bob, 0);
	assert_int_equal(phone_register(second, 60), 200);
	phone_script(bob.phone, (struct phone_script){ .manner = PHONE_RINGS, .early = 183 });
	phone_script(second, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 400, .early = 183 });
	pair_start(&call);
	assert_true(phone_wait(second, 0, PHONE_ACKED, SOON_MS));
	assert_true(phone_wait(bob.phone, 0, PHONE_CANCELED, SOON_MS));
	assert_true(api_wait(&gw, &alice, call.id, "in-progress", SOON_MS, &call));
	assert_true(wait_offer_of(alice.phone, second));
	pair_joined(&call);
	assert_int_equal(phone_hold(second, 0, true), 200);
	phone_hangup(alice.phone, 0);
	assert_true(api_wait(&gw, &alice, call.id, "ended", SOON_MS, &call));
	assert_string_equal(call.reason, "hangup_caller");
	assert_true(phone_wait(second, 0, PHONE_ENDED, SOON_MS));
	assert_int_equal(phone_register(second, 0), 200);
	phone_free(second);
}

static const struct CMUnitTest tests[] = {
	E2E(a_hold_and_its_end_pass_from_either_phone_to_the_other),
	E2E(a_reinvite_without_a_description_asks_the_other_phone_for_one),
	E2E(offers_that_meet_are_refused_with_491_and_succeed_later),
	E2E(a_491_of_the_other_phone_is_passed_back),
	E2E(our_own_offer_is_made_again_after_a_491),
	E2E(an_update_changes_the_session_or_refreshes_it),
	E2E(another_codec_is_agreed_or_refused_during_the_call),
	E2E(a_description_of_nine_kilobytes_passes_whole),
	E2E(a_reliable_183_is_acknowledged),
	E2E(the_last_answer_of_the_callee_counts),
	E2E(media_before_the_answer_reaches_the_caller),
	E2E(a_callee_that_declines_after_an_announcement_has_declined),
	E2E(the_callee_is_told_what_the_caller_changed_as_they_were_joined),
	E2E(of_two_phones_that_ring_with_media_the_one_that_answers_counts),
};

int main(int argc, char **argv)
{
	const struct e2e_suite suite = { "dialogs", tests, sizeof(tests) / sizeof(tests[0]), NULL, 150, pair_setup, false };
	return e2e_main(argc, argv, &suite);
}
