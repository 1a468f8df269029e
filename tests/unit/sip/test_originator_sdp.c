/* test_originator_sdp.c - what is changed in session descriptions, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/originator/sdp.h"

static const struct sdp_origin origin = { .id = 42, .version = 7, .address = "127.0.0.1" };

#define TWO_STREAMS                                                                                                    \
	"v=0\r\no=alice 1 1 IN IP4 10.0.0.1\r\ns=call\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"                               \
	"m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=inactive\r\n"                            \
	"m=video 4002 RTP/AVP 96\r\nc=IN IP4 10.0.0.7\r\na=rtpmap:96 VP8/90000\r\n"

static void check(char *got, const char *wanted)
{
	assert_non_null(got);
	assert_string_equal(got, wanted);
	free(got);
}

static void first_offer_is_one_silent_audio_stream(void **state)
{
	char *offer = sdp_text_offer(&origin);

	(void)state;
	assert_non_null(strstr(offer, "v=0\r\no=nexusvoip 42 7 IN IP4 127.0.0.1\r\n"));
	assert_non_null(strstr(offer, "m=audio 9 RTP/AVP 0 8 101\r\n"));
	assert_non_null(strstr(offer, "c=IN IP4 0.0.0.0\r\n"));
	assert_null(strstr(offer, "a=inactive"));
	assert_true(sdp_text_usable(offer));
	free(offer);
}

static void ipv6_addresses_are_named_as_such(void **state)
{
	const struct sdp_origin six = { .id = 1, .version = 1, .ip6 = true, .address = "::1" };
	char *offer = sdp_text_offer(&six);

	(void)state;
	assert_non_null(strstr(offer, "o=nexusvoip 1 1 IN IP6 ::1\r\n"));
	assert_non_null(strstr(offer, "c=IN IP6 ::1\r\n"));
	assert_non_null(strstr(offer, "a=inactive\r\n"));
	free(offer);
}

static void relayed_description_changes_only_its_origin(void **state)
{
	(void)state;
	check(sdp_text_relay(TWO_STREAMS, &origin, NULL),
		"v=0\r\no=nexusvoip 42 7 IN IP4 127.0.0.1\r\ns=call\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
		"m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=inactive\r\n"
		"m=video 4002 RTP/AVP 96\r\nc=IN IP4 10.0.0.7\r\na=rtpmap:96 VP8/90000\r\n");
}

static void direction_is_set_on_every_stream(void **state)
{
	(void)state;
	check(sdp_text_relay(TWO_STREAMS, &origin, "sendrecv"),
		"v=0\r\no=nexusvoip 42 7 IN IP4 127.0.0.1\r\ns=call\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
		"m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
		"m=video 4002 RTP/AVP 96\r\nc=IN IP4 10.0.0.7\r\na=rtpmap:96 VP8/90000\r\na=sendrecv\r\n");
}

static void direction_of_the_session_is_replaced_too(void **state)
{
	(void)state;
	check(sdp_text_relay("v=0\no=a 1 1 IN IP4 1.1.1.1\ns=-\na=sendonly\nt=0 0\nm=audio 1 RTP/AVP 0\n", &origin,
			"sendrecv"),
		"v=0\r\no=nexusvoip 42 7 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 1 RTP/AVP 0\r\na=sendrecv\r\n");
}

static void attributes_that_only_begin_like_a_direction_stay(void **state)
{
	char *text = sdp_text_relay(
		"v=0\r\no=a 1 1 IN IP4 1.1.1.1\r\nm=audio 1 RTP/AVP 0\r\na=inactivex\r\na=sendrecv:1\r\n", &origin,
		"sendrecv");

	(void)state;
	assert_non_null(strstr(text, "a=inactivex\r\n"));
	assert_non_null(strstr(text, "a=sendrecv:1\r\n"));
	free(text);
}

static void refusal_sets_every_port_to_zero(void **state)
{
	(void)state;
	check(sdp_text_refuse(TWO_STREAMS, &origin),
		"v=0\r\no=nexusvoip 42 7 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		"m=audio 0 RTP/AVP 0 101\r\nm=video 0 RTP/AVP 96\r\n");
}

static void refusal_of_nonsense_is_empty_of_streams(void **state)
{
	char *text = sdp_text_refuse("m=audio\r\nm=\r\nm=audio 5\r\ngarbage", &origin);

	(void)state;
	assert_null(strstr(text, "m="));
	free(text);
}

static void usable_needs_a_stream_that_was_not_refused(void **state)
{
	(void)state;
	assert_true(sdp_text_usable(TWO_STREAMS));
	assert_true(sdp_text_apart("v=0\r\nc=IN IP4 1.1.1.1\r\n", "v=0\r\nc=IN IP6 ::1\r\n"));
	assert_false(sdp_text_apart("v=0\r\nc=IN IP6 ::2\r\n", "v=0\r\nc=IN IP6 ::1\r\n"));
	assert_false(sdp_text_apart("v=0\r\n", "v=0\r\nc=IN IP6 ::1\r\n"));
	assert_false(sdp_text_apart("v=0\r\nc=IN IP4 1.1.1.1\r\na=candidate:1 1 UDP 1 ::1 9 typ host\r\n", "v=0\r\nc=IN IP6 ::1\r\n"));
	assert_false(sdp_text_usable(NULL));
	assert_false(sdp_text_usable(""));
	assert_false(sdp_text_usable("hello"));
	assert_false(sdp_text_usable("v=0\r\no=a 1 1 IN IP4 1.1.1.1\r\nm=audio 0 RTP/AVP 0\r\n"));
	assert_false(sdp_text_usable("v=0\r\nm=audio 4000 RTP/AVP 0\r\n"));
}

static void same_means_same_but_for_the_origin(void **state)
{
	(void)state;
	assert_true(sdp_text_same("v=0\r\no=a 1 1 IN IP4 1.1.1.1\r\ns=-\r\n", "v=0\no=b 2 2 IN IP4 2.2.2.2\ns=-"));
	assert_false(sdp_text_same("v=0\r\no=a 1\r\ns=-\r\n", "v=0\r\no=a 1\r\ns=x\r\n"));
	assert_false(sdp_text_same("v=0\r\no=a 1\r\ns=-\r\n", "v=0\r\no=a 1\r\ns=-\r\nt=0 0\r\n"));
}

#define A_SAYS(address, port, formats, more)                                                                           \
	"v=0\r\no=a 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 " address "\r\nt=0 0\r\n"                                    \
	"m=audio " port " RTP/AVP " formats "\r\n" more

static const char promised[] = A_SAYS("10.0.0.1", "4000", "0 8 101", "a=inactive\r\n");
static const char b_answer[] = A_SAYS("10.0.0.2", "5000", "0 101", "");

static void settled_when_a_keeps_what_it_promised(void **state)
{
	(void)state;
	assert_true(sdp_text_settled(promised, b_answer, A_SAYS("10.0.0.1", "4000", "0 101", "a=sendrecv\r\n")));
	assert_true(sdp_text_settled(promised, b_answer, A_SAYS("10.0.0.1", "4000", "101 0 8", "")));
}

static void not_settled_when_a_moves_or_narrows(void **state)
{
	(void)state;
	assert_false(sdp_text_settled(promised, b_answer, A_SAYS("10.0.0.9", "4000", "0 101", "")));
	assert_false(sdp_text_settled(promised, b_answer, A_SAYS("10.0.0.1", "4444", "0 101", "")));
	assert_false(sdp_text_settled(promised, b_answer, A_SAYS("10.0.0.1", "4000", "0", "")));
	assert_false(
		sdp_text_settled(promised, b_answer, A_SAYS("10.0.0.1", "4000", "0 101", "c=IN IP4 10.0.0.3\r\n")));
	assert_false(sdp_text_settled(promised, b_answer, A_SAYS("10.0.0.1", "4000", "0 101", "a=inactive\r\n")));
	assert_false(
		sdp_text_settled(promised, b_answer, A_SAYS("10.0.0.1", "4000", "0 101", "m=video 1 RTP/AVP 96\r\n")));
}

static void a_mirrors_a_one_way_answer(void **state)
{
	static const char one_way[] = A_SAYS("10.0.0.2", "5000", "0 101", "a=sendonly\r\n");

	(void)state;
	assert_true(sdp_text_settled(promised, one_way, A_SAYS("10.0.0.1", "4000", "0 101", "a=recvonly\r\n")));
	assert_false(sdp_text_settled(promised, one_way, A_SAYS("10.0.0.1", "4000", "0 101", "a=sendrecv\r\n")));
}

static void long_descriptions_pass_whole(void **state)
{
	size_t lines = 900;
	char *long_sdp = calloc(1, 64 + lines * 40), *p = long_sdp, *text;

	(void)state;
	p += sprintf(p, "v=0\r\no=a 1 1 IN IP4 1.1.1.1\r\nm=audio 1 RTP/AVP 0\r\n");
	for (size_t i = 0; i < lines; i++)
		p += sprintf(p, "a=candidate:%zu 1 UDP 1 1.1.1.1 1\r\n", i);
	text = sdp_text_relay(long_sdp, &origin, NULL);
	assert_non_null(text);
	assert_true(sdp_text_same(long_sdp, text));
	free(text);
	free(long_sdp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_offer_is_one_silent_audio_stream),
		cmocka_unit_test(ipv6_addresses_are_named_as_such),
		cmocka_unit_test(relayed_description_changes_only_its_origin),
		cmocka_unit_test(direction_is_set_on_every_stream),
		cmocka_unit_test(direction_of_the_session_is_replaced_too),
		cmocka_unit_test(attributes_that_only_begin_like_a_direction_stay),
		cmocka_unit_test(refusal_sets_every_port_to_zero),
		cmocka_unit_test(refusal_of_nonsense_is_empty_of_streams),
		cmocka_unit_test(usable_needs_a_stream_that_was_not_refused),
		cmocka_unit_test(same_means_same_but_for_the_origin),
		cmocka_unit_test(settled_when_a_keeps_what_it_promised),
		cmocka_unit_test(not_settled_when_a_moves_or_narrows),
		cmocka_unit_test(a_mirrors_a_one_way_answer),
		cmocka_unit_test(long_descriptions_pass_whole),
	};

	return cmocka_run_group_tests_name("originator_sdp", tests, NULL, NULL);
}
