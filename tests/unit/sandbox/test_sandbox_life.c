/* test_sandbox_life.c - the statuses of a simulated call: every status meets every event. */
#include "life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* One row per status, one letter per event (dial ring answer busy fail timeout cancel hangup): Queued Initiated Ringing in-Progress
 * Completed Busy Failed No-answer cAnceled; '.' for no change. */
static const char *const matrix[CALL_STATUSES] = {
	[CALL_QUEUED] = "I...F.A.",
	[CALL_INITIATED] = ".RPBFNA.",
	[CALL_RINGING] = "..PBFNA.",
	[CALL_IN_PROGRESS] = "......CC",
	[CALL_COMPLETED] = "........",
	[CALL_BUSY] = "........",
	[CALL_FAILED] = "........",
	[CALL_NO_ANSWER] = "........",
	[CALL_CANCELED] = "........",
};

static void every_status_takes_every_event_as_drawn(void **state)
{
	static const char letters[CALL_STATUSES + 1] = "QIRPCBFNA";

	(void)state;
	for (int status = 0; status < CALL_STATUSES; status++)
		for (int event = 0; event < LIFE_EVENTS; event++) {
			enum call_status next = life_next((enum call_status)status, (enum life_event)event);
			char want = matrix[status][event];

			if (want == '.' ? next != (enum call_status)status : letters[next] != want)
				fail_msg("%s and event %d give %s", call_status_name((enum call_status)status), event, call_status_name(next));
		}
}

static void sip_answers_mean_what_twilio_makes_of_them(void **state)
{
	(void)state;
	assert_int_equal(life_of_sip(486), LIFE_BUSY);
	assert_int_equal(life_of_sip(600), LIFE_BUSY);
	assert_int_equal(life_of_sip(603), LIFE_BUSY);
	assert_int_equal(life_of_sip(408), LIFE_TIMEOUT);
	assert_int_equal(life_of_sip(480), LIFE_TIMEOUT);
	assert_int_equal(life_of_sip(487), LIFE_TIMEOUT);
	assert_int_equal(life_of_sip(404), LIFE_FAIL);
	assert_int_equal(life_of_sip(503), LIFE_FAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_takes_every_event_as_drawn),
		cmocka_unit_test(sip_answers_mean_what_twilio_makes_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
