/* test_originator_alive.c - browsers are asked whether they are still there; it takes as long as it takes. */
#include "test_originator_peer.h"

#define WEB(port)                                                                                                      \
	"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio " port " UDP/TLS/RTP/SAVPF 0\r\na=sendrecv\r\n"

/* Answer what comes, A's questions so, B's with 501 as a page may. @return how often A was asked, until it was `most`
 * times, or until both were hung up. */
static unsigned answer_questions(struct rig *rig, const char *status, unsigned most)
{
	unsigned asked = 0, byes = 0;

	while (asked < most && byes < 2) {
		const char *with = "501 Not Implemented";

		if (!receive(rig, 12000))
			fail_msg("nothing was asked");
		if (strncmp(rig->in.text, "BYE ", 4) == 0) {
			byes++;
			with = "200 OK";
		} else {
			assert_int_equal(strncmp(rig->in.text, "OPTIONS sip:t", 13), 0);
			if (rig->in.text[13] == 'a') {
				asked++;
				with = status;
			}
		}
		answer_to(rig, rig->in.text, with, NULL, NULL, NULL);
	}
	return asked;
}

static void browser_that_is_gone_twice_is_lost(void **state)
{
	struct carrier_call call = call_s1;
	struct rig *rig = *state;
	struct phone a, b;

	call.media = CARRIER_MEDIA_WEB;
	assert_int_equal(rig_place(rig, &call), NXV_OK);
	phone_take(rig, &a, "sip:user_1@nexus.test", "ta");
	phone_answer(rig, &a, "200 OK", WEB("4000"));
	expect_event(rig, CARRIER_A_ANSWERED, 200);
	phone_take(rig, &b, "sip:user_9@nexus.test", "tb");
	phone_answer(rig, &b, "200 OK", WEB("5000"));
	expect(rig, "ACK ");
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect_event(rig, CARRIER_JOINED, 0);
	answer_questions(rig, "477 Send failed", 1);
	answer_questions(rig, "200 OK", 1); /* the page had another connection by then */
	answer_questions(rig, "477 Send failed", 1);
	answer_questions(rig, "430 Flow Failed", 1);
	expect_event(rig, CARRIER_A_LOST, 430);
	assert_int_equal(answer_questions(rig, "430 Flow Failed", 1), 0); /* hung up */
	expect_event(rig, CARRIER_DOWN, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(browser_that_is_gone_twice_is_lost, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests_name("originator_alive", tests, NULL, NULL);
}
