/* test_state_table.c - every state with every event, against a drawing that is independent of the table's rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "session/state_table.h"

/* Per state, one letter per event in the order of enum call_event: where it leads. Small letters are states
 * (q queued, c calling, a caller rings, n connecting, b callee rings, u up), capitals are endings with a status
 * (B busy, N no-answer, F failed, X canceled, C completed), a dot is an event that means
 * nothing there. Columns: placed; the caller's leg (rings, answers, busy, rejects, no answer, absent, unreachable, hangs up, lost);
 * the callee's, likewise; then joined, media, limit, rules, end, duration, server lost, restarted, stopped, carrier down,
 * recovered; what only remote carriers tell: hung up, ended there, refused, unreachable, unknown. */
static const char *const drawing[CALL_STATES] = {
	[CALL_QUEUED] = "c" "anBBFFFX." "buBBFFFF." ".FFFXXFFXF." "XXFFF",
	[CALL_CALLING] = "." "anBBFFFX." "buBBFFFF." ".FFFXXFFXF." "XXFFF",
	[CALL_A_RINGING] = "." ".nBBNFFX." ".uBB.FFF." ".FFFXXFFXF." "XXFFF",
	[CALL_CONNECTING] = "." "..BBNFFXF" "buBBFFFFF" ".FFFXXFFXF." "XXFFF",
	[CALL_B_RINGING] = "." "..BBNFFXF" ".uBBNFFFF" ".FFFXXFFXF." "XXFFF",
	[CALL_UP] = "." ".......CC" ".......CC" "uF..CCCCCCu" "CC...",
	[CALL_ENDED] = "." "........." "........." "..........." ".....",
};

static char letter(enum call_state state, enum call_event event)
{
	static const char statuses[] = { [NXV_CALL_COMPLETED] = 'C', [NXV_CALL_BUSY] = 'B', [NXV_CALL_NO_ANSWER] = 'N',
		[NXV_CALL_CANCELED] = 'X', [NXV_CALL_FAILED] = 'F' };
	struct call_step step;

	if (!call_step(state, event, &step))
		return '.';
	return step.next == CALL_ENDED ? statuses[step.status] : "qcanbu"[step.next];
}

static void every_state_takes_every_event_as_drawn(void **state)
{
	(void)state;
	for (int s = 0; s < CALL_STATES; s++) {
		assert_int_equal(strlen(drawing[s]), CALL_EVENTS);
		for (int e = 0; e < CALL_EVENTS; e++)
			if (letter((enum call_state)s, (enum call_event)e) != drawing[s][e])
				fail_msg("%s in state %s leads to %c, not %c", call_event_name((enum call_event)e),
					call_state_name((enum call_state)s), letter((enum call_state)s, (enum call_event)e), drawing[s][e]);
	}
}

static bool is_known_reason(const char *reason)
{
	for (size_t i = 0; call_reasons[i]; i++)
		if (strcmp(call_reasons[i], reason) == 0)
			return true;
	return false;
}

static void every_ending_has_a_reason_of_the_closed_list(void **state)
{
	bool used[64] = { false };
	struct call_step step;

	(void)state;
	for (int s = 0; s < CALL_STATES; s++)
		for (int e = 0; e < CALL_EVENTS; e++) {
			if (!call_step((enum call_state)s, (enum call_event)e, &step))
				continue;
			assert_int_equal(step.next == CALL_ENDED, nxv_call_status_ended(step.status));
			assert_int_equal(step.next == CALL_ENDED, step.reason != NULL);
			if (step.reason && !is_known_reason(step.reason))
				fail_msg("%s is not in the list", step.reason);
			for (size_t i = 0; step.reason && call_reasons[i]; i++)
				used[i] = used[i] || strcmp(call_reasons[i], step.reason) == 0;
		}
	for (size_t i = 0; call_reasons[i]; i++)
		if (!used[i])
			fail_msg("%s is never given", call_reasons[i]);
}

static void final_answers_are_sorted_by_code(void **state)
{
	(void)state;
	assert_int_equal(call_classify('a', 486, "Busy Here"), EV_A_BUSY);
	assert_int_equal(call_classify('b', 600, NULL), EV_B_BUSY);
	assert_int_equal(call_classify('b', 603, "Decline"), EV_B_REJECTED);
	assert_int_equal(call_classify('a', 403, "Call limit reached"), EV_CALL_LIMIT);
	assert_int_equal(call_classify('a', 403, "Forbidden"), EV_A_REJECTED);
	assert_int_equal(call_classify('b', 488, NULL), EV_MEDIA_REFUSED);
	assert_int_equal(call_classify('b', 408, NULL), EV_B_NO_ANSWER);
	assert_int_equal(call_classify('a', 480, NULL), EV_A_UNREACHABLE);
	assert_int_equal(call_classify('b', 480, "Temporarily Unavailable"), EV_B_UNREACHABLE);
	assert_int_equal(call_classify('b', 480, "Not Registered"), EV_B_NOT_REGISTERED);
	assert_int_equal(call_classify('a', 404, "Not Found"), EV_A_NOT_REGISTERED);
	assert_int_equal(call_classify('b', 403, "Call limit reached"), EV_CALL_LIMIT);
	assert_int_equal(call_classify('b', 503, NULL), EV_B_UNREACHABLE);
}

static void state_names_are_read_back(void **state)
{
	(void)state;
	for (int s = 0; s < CALL_STATES; s++)
		assert_int_equal(call_state_parse(call_state_name((enum call_state)s)), s);
	assert_int_equal(call_state_parse("nonsense"), CALL_STATES);
	for (int e = 0; e < CALL_EVENTS; e++)
		assert_int_equal(call_event_parse(call_event_name((enum call_event)e)), e);
	assert_int_equal(call_event_parse("nonsense"), CALL_EVENTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_takes_every_event_as_drawn),
		cmocka_unit_test(every_ending_has_a_reason_of_the_closed_list),
		cmocka_unit_test(final_answers_are_sorted_by_code),
		cmocka_unit_test(state_names_are_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
