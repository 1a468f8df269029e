/* test_twilio_facts.c - what follows from what Twilio tells, in whatever order it comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "twilio/facts.h"

enum { LIMIT = 14400 };

static struct twilio_facts f;

static bool learn(struct twilio_leg *leg, const char *sid, const char *word, int64_t sequence, int64_t duration)
{
	const struct twilio_news news = { .sid = sid, .state = twilio_state_parse(word), .sequence = sequence,
		.duration_seconds = duration, .at_ms = 1000000 + sequence * 1000 };

	return twilio_leg_learn(leg, &news);
}

static bool parent(const char *word, int64_t sequence)
{
	return learn(&f.parent, "CA1", word, sequence, -1);
}

static bool child(const char *word, int64_t sequence, int64_t duration)
{
	return learn(&f.child, "CA2", word, sequence, duration);
}

static void expect(enum carrier_event_kind event, bool callee_first)
{
	const struct twilio_verdict v = twilio_facts_judge(&f, callee_first, LIMIT);

	assert_int_equal(v.kind, VERDICT_ENDED);
	assert_int_equal(v.event, event);
}

static void begin(void)
{
	f = (struct twilio_facts)TWILIO_FACTS_INIT;
}

static void words_are_known_and_others_are_none(void **state)
{
	(void)state;
	assert_int_equal(twilio_state_parse("initiated"), TS_QUEUED);
	assert_int_equal(twilio_state_parse("answered"), TS_UP);
	assert_int_equal(twilio_state_parse("no-answer"), TS_NO_ANSWER);
	assert_int_equal(twilio_state_parse("COMPLETED"), TS_NONE);
	assert_int_equal(twilio_state_parse(NULL), TS_NONE);
}

static void old_news_and_news_of_others_change_nothing(void **state)
{
	(void)state;
	begin();
	assert_true(parent("in-progress", 2));
	assert_false(parent("ringing", 1));
	assert_false(parent("ringing", -1));
	assert_false(parent("completed", 2)); /* the same number */
	assert_false(learn(&f.parent, "CA9", "completed", 3, 5));
	assert_int_equal(f.parent.state, TS_UP);
	assert_true(parent("completed", 3));
	assert_false(parent("failed", 4)); /* final is final */
	assert_int_equal(f.parent.state, TS_COMPLETED);
}

static void a_leg_known_by_its_end_only_was_up_for_its_duration(void **state)
{
	(void)state;
	begin();
	assert_true(child("completed", 3, 42));
	assert_int_equal(f.child.ended_at_ms - f.child.up_at_ms, 42000);
}

/* Every order of the six callbacks of a call that the callee ended: the same end. */
static void permute(unsigned left, int depth)
{
	static const struct {
		bool child;
		const char *word;
		int64_t sequence;
	} told[] = { { false, "ringing", 1 }, { false, "in-progress", 2 }, { false, "completed", 3 }, { true, "ringing", 1 },
		{ true, "in-progress", 2 }, { true, "completed", 3 } };
	struct twilio_facts before = f;

	if (!left) {
		expect(CARRIER_B_HANGUP, false);
		return;
	}
	for (int i = 0; i < 6; i++)
		if (left & 1u << i) {
			learn(told[i].child ? &f.child : &f.parent, told[i].child ? "CA2" : "CA1", told[i].word, told[i].sequence, 5);
			permute(left & ~(1u << i), depth + 1);
			f = before;
		}
}

static void the_end_does_not_depend_on_the_order(void **state)
{
	(void)state;
	begin();
	f.dial = TS_COMPLETED;
	f.dial_left_parent = true;
	permute(63, 0);
}

static void the_child_decides_where_the_parent_says_completed(void **state)
{
	static const struct {
		const char *child;
		enum carrier_event_kind event;
	} rows[] = { { "busy", CARRIER_B_FAILED }, { "failed", CARRIER_B_FAILED }, { "no-answer", CARRIER_B_NO_ANSWER },
		{ "canceled", CARRIER_A_HANGUP } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		parent("completed", 4);
		assert_int_equal(twilio_facts_judge(&f, false, LIMIT).kind, VERDICT_ASK_CHILD);
		child(rows[i].child, 3, -1);
		expect(rows[i].event, false);
	}
	begin(); /* the other way round the child is the user's phone */
	parent("completed", 4);
	child("busy", 3, -1);
	expect(CARRIER_A_FAILED, true);
	begin(); /* nobody was dialled */
	parent("completed", 4);
	f.no_child = true;
	expect(CARRIER_A_HANGUP, false);
}

static void a_parent_that_was_not_answered_decides_alone(void **state)
{
	static const struct {
		const char *word;
		enum carrier_event_kind caller, callee;
	} rows[] = { { "busy", CARRIER_A_FAILED, CARRIER_B_FAILED }, { "failed", CARRIER_A_FAILED, CARRIER_B_FAILED },
		{ "no-answer", CARRIER_A_NO_ANSWER, CARRIER_B_NO_ANSWER }, { "canceled", CARRIER_CANCELED, CARRIER_CANCELED } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		parent(rows[i].word, 3);
		expect(rows[i].caller, false);
		expect(rows[i].callee, true);
	}
}

static void who_hung_up_is_told_by_the_dial(void **state)
{
	(void)state;
	begin();
	parent("completed", 4);
	child("completed", 3, 5);
	f.dial = TS_COMPLETED;
	f.dial_left_parent = true;
	expect(CARRIER_B_HANGUP, false);
	expect(CARRIER_A_HANGUP, true);
	f.dial = TS_NONE; /* callbacks come, and none says that the child left */
	expect(CARRIER_A_HANGUP, false);
	begin(); /* known by polls alone */
	parent("completed", -1);
	child("completed", -1, 5);
	expect(CARRIER_HANGUP, false);
}

static void a_call_as_long_as_allowed_reached_its_limit(void **state)
{
	(void)state;
	begin();
	parent("completed", 4);
	child("completed", 3, LIMIT);
	expect(CARRIER_LIMIT, false);
}

static void nothing_is_decided_before_the_parent_ends(void **state)
{
	(void)state;
	begin();
	parent("in-progress", 2);
	child("busy", 3, -1);
	assert_int_equal(twilio_facts_judge(&f, false, LIMIT).kind, VERDICT_OPEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_known_and_others_are_none),
		cmocka_unit_test(old_news_and_news_of_others_change_nothing),
		cmocka_unit_test(a_leg_known_by_its_end_only_was_up_for_its_duration),
		cmocka_unit_test(the_end_does_not_depend_on_the_order),
		cmocka_unit_test(the_child_decides_where_the_parent_says_completed),
		cmocka_unit_test(a_parent_that_was_not_answered_decides_alone),
		cmocka_unit_test(who_hung_up_is_told_by_the_dial),
		cmocka_unit_test(a_call_as_long_as_allowed_reached_its_limit),
		cmocka_unit_test(nothing_is_decided_before_the_parent_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
