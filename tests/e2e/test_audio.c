/* test_audio.c - sound: what each phone says is found in what the other one heard. */
#include "pair.h"

#include "baresip.h"

#include <stdio.h>

enum { ALICE_HZ = 440, BOB_HZ = 1000, TALK_MS = 1800 };

/* In a recording the tone must dominate; the phone's own one must not be there. */
static const double present = 0.7, absent = 0.05;

static struct baresip *start(struct user *user, double hz)
{
	struct baresip_opts opts = { .username = user->username, .password = user->password, .domain = gw.domain, .server = gw.sip,
		.tone_hz = hz, .answers = true };
	struct baresip *phone = baresip_start(&opts);
	assert_non_null(phone);
	if (!baresip_registered(phone, 10000)) {
		char *output = baresip_output(phone);
		fail_msg("baresip is not registered:\n%s", output);
	}
	return phone;
}

static void check(struct baresip *phone, double theirs, double own)
{
	baresip_stop(phone);
	double heard = baresip_heard(phone, theirs), echo = baresip_heard(phone, own);
	print_message("heard %.0f Hz: %.2f, %.0f Hz: %.2f of the energy\n", theirs, heard, own, echo);
	assert_true(heard > present);
	assert_true(echo < absent);
}

static void two_real_phones_hear_each_other(void)
{
	struct user anna, ben;
	struct told call;
	assert_true(user_make(&gw, "anna", &anna) && user_make(&gw, "ben", &ben));
	struct baresip *a = start(&anna, ALICE_HZ), *b = start(&ben, BOB_HZ);
	assert_int_equal(api_initiate(&gw, &anna, "ben", &call), 201);
	assert_true(baresip_wait(a, "CALL_ESTABLISHED", 1, 8000));
	assert_true(baresip_wait(b, "CALL_ESTABLISHED", 1, 8000));
	assert_true(api_wait(&gw, &anna, call.id, "in-progress", SOON_MS, &call));
	nap_ms(TALK_MS);
	assert_int_equal(api_end(&gw, &anna, call.id), 200);
	assert_true(baresip_wait(a, "CALL_CLOSED", 1, SOON_MS));
	assert_true(baresip_wait(b, "CALL_CLOSED", 1, SOON_MS));
	check(a, BOB_HZ, ALICE_HZ);
	check(b, ALICE_HZ, BOB_HZ);
	baresip_free(a);
	baresip_free(b);
	assert_int_equal(slots_wait(&gw, "anna", 0, SOON_MS), 0);
}

static void a_real_phone_that_dials_is_heard(void)
{
	struct user anna, ben;
	char target[128];
	assert_true(user_make(&gw, "anna2", &anna) && user_make(&gw, "ben2", &ben));
	struct baresip *a = start(&anna, ALICE_HZ), *b = start(&ben, BOB_HZ);
	snprintf(target, sizeof(target), "sip:%s@%s", ben.username, gw.domain);
	assert_true(baresip_command(a, "dial", target));
	assert_true(baresip_wait(b, "CALL_ESTABLISHED", 1, 8000));
	nap_ms(TALK_MS);
	assert_true(baresip_command(a, "hangup", ""));
	assert_true(baresip_wait(b, "CALL_CLOSED", 1, SOON_MS));
	check(a, BOB_HZ, ALICE_HZ);
	check(b, ALICE_HZ, BOB_HZ);
	baresip_free(a);
	baresip_free(b);
	assert_int_equal(slots_wait(&gw, "anna2", 0, SOON_MS), 0);
}

/* Loudness of a tone in the last second heard; waits for it to come. */
static bool hears(struct phone *phone, double hz)
{
	int64_t deadline = now_ms() + SOON_MS;
	while (phone_heard(phone, hz) < present && now_ms() < deadline) {
		nap_ms(50);
	}
	return phone_heard(phone, hz) > present;
}

static void test_phones_hear_each_other(void)
{
	struct told call;
	pair_reset();
	pair_talk(&call);
	assert_true(hears(alice.phone, BOB_HZ));
	assert_true(hears(bob.phone, ALICE_HZ));
	assert_true(phone_heard(alice.phone, ALICE_HZ) < absent);
	assert_true(phone_heard(bob.phone, BOB_HZ) < absent);
	phone_hangup(bob.phone, 0);
	pair_expect(&call, "completed", "hangup_callee");
}

static void sound_comes_back_after_hold(void)
{
	struct told call;
	pair_reset();
	pair_talk(&call);
	assert_true(hears(bob.phone, ALICE_HZ));
	assert_int_equal(phone_hold(alice.phone, 0, true), 200);
	nap_ms(300);
	unsigned before = phone_heard_packets(alice.phone);
	nap_ms(300);
	assert_in_range(phone_heard_packets(alice.phone) - before, 0, 2); /* bob was told to be silent */
	assert_int_equal(phone_hold(alice.phone, 0, false), 200);
	assert_true(hears(alice.phone, BOB_HZ));
	assert_true(hears(bob.phone, ALICE_HZ));
	phone_hangup(alice.phone, 0);
	pair_expect(&call, "completed", "hangup_caller");
}

static void a_test_phone_and_a_real_one_hear_each_other(void)
{
	struct user ben;
	struct told call;
	pair_reset();
	assert_true(user_make(&gw, "ben3", &ben));
	struct baresip *b = start(&ben, BOB_HZ);
	assert_int_equal(api_initiate(&gw, &alice, "ben3", &call), 201);
	assert_true(baresip_wait(b, "CALL_ESTABLISHED", 1, 8000));
	assert_true(hears(alice.phone, BOB_HZ));
	nap_ms(TALK_MS);
	phone_hangup(alice.phone, 0);
	assert_true(baresip_wait(b, "CALL_CLOSED", 1, SOON_MS));
	check(b, ALICE_HZ, BOB_HZ);
	baresip_free(b);
	pair_expect(&call, "completed", "hangup_caller");
}

static const struct CMUnitTest tests[] = {
	E2E(two_real_phones_hear_each_other), E2E(a_real_phone_that_dials_is_heard), E2E(test_phones_hear_each_other),
	E2E(sound_comes_back_after_hold), E2E(a_test_phone_and_a_real_one_hear_each_other),
};

int main(int argc, char **argv)
{
	const struct e2e_suite suite = { "sound", tests, sizeof(tests) / sizeof(tests[0]), NULL, 90, pair_setup_with_tones, false };
	if (argc > 1 && !proc_installed("baresip")) {
		printf("SKIPPED: baresip is not installed\n");
		return 77;
	}
	return e2e_main(argc, argv, &suite);
}
