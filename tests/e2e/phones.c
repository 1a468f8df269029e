/* phones.c - the test phones against each other, without any gateway: a harness that cannot be trusted proves nothing. */
#include "e2e.h"

#include <stdio.h>

static struct lab *room;
static struct phone *ann, *ned;
static char address[64];

static int setup(void **state)
{
	(void)state;
	struct phone_opts opts = { .username = "ann", .domain = "127.0.0.1", .server = "127.0.0.1:9", .tone_hz = 440 };
	char server[32];
	room = lab_open();
	ned = phone_new(room, &(struct phone_opts){ .username = "ned", .domain = "127.0.0.1", .server = "127.0.0.1:9", .tone_hz = 1000 });
	snprintf(server, sizeof(server), "127.0.0.1:%u", phone_port(ned));
	snprintf(address, sizeof(address), "sip:ned@%s", server);
	opts.server = server;
	ann = phone_new(room, &opts);
	return ann && ned ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	lab_close(room);
	return 0;
}

static int dial(struct phone_script script)
{
	phone_forget(ann);
	phone_forget(ned);
	phone_script(ned, script);
	return phone_dial(ann, address);
}

static int code_of(struct phone *phone)
{
	struct phone_call call;
	phone_call(phone, 0, &call);
	return call.code;
}

static void phones_talk_and_hear_tones(void **state)
{
	(void)state;
	dial((struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 50 });
	assert_true(phone_wait(ned, 0, PHONE_ACKED, 3000));
	nap_ms(1300);
	assert_true(phone_heard(ann, 1000) > 0.9);
	assert_true(phone_heard(ned, 440) > 0.9);
	assert_true(phone_heard(ned, 1000) < 0.05);
	assert_int_equal(phone_hold(ann, 0, true), 200);
	assert_int_equal(phone_hold(ann, 0, false), 200);
	phone_hangup(ned, 0);
	assert_true(phone_wait(ann, 0, PHONE_BYE, 3000));
	assert_true(phone_at_ms(ned, 0, PHONE_RINGING) <= phone_at_ms(ned, 0, PHONE_ANSWERED));
	assert_near(phone_at_ms(ann, 0, PHONE_ANSWERED), phone_at_ms(ned, 0, PHONE_ANSWERED), 50);
}

static void phones_refuse_with_the_code_asked_for(void **state)
{
	(void)state;
	dial((struct phone_script){ .manner = PHONE_REFUSES, .code = 486 });
	assert_true(phone_wait(ann, 0, PHONE_ENDED, 3000));
	assert_int_equal(code_of(ann), 486);
	dial((struct phone_script){ .manner = PHONE_REFUSES, .code = 603, .ring_ms = 50 });
	assert_true(phone_wait(ann, 0, PHONE_ENDED, 3000));
	assert_int_equal(code_of(ann), 603);
	assert_true(phone_at_ms(ann, 0, PHONE_RINGING) != 0);
}

static void a_ringing_call_is_cancelled(void **state)
{
	(void)state;
	dial((struct phone_script){ .manner = PHONE_RINGS });
	assert_true(phone_wait(ann, 0, PHONE_RINGING, 3000));
	phone_hangup(ann, 0);
	assert_true(phone_wait(ned, 0, PHONE_CANCELED, 3000));
	assert_true(phone_wait(ann, 0, PHONE_ENDED, 3000));
	assert_int_equal(code_of(ann), 487);
}

static void a_200_that_crosses_the_cancel_is_hung_up(void **state)
{
	(void)state;
	dial((struct phone_script){ .manner = PHONE_CROSSES });
	assert_true(phone_wait(ann, 0, PHONE_RINGING, 3000));
	phone_hangup(ann, 0);
	assert_true(phone_wait(ned, 0, PHONE_BYE, 3000));
}

static void a_phone_hangs_up_by_itself(void **state)
{
	(void)state;
	dial((struct phone_script){ .manner = PHONE_ANSWERS, .talk_ms = 100 });
	assert_true(phone_wait(ann, 0, PHONE_BYE, 3000));
	assert_near(phone_at_ms(ann, 0, PHONE_BYE) - phone_at_ms(ann, 0, PHONE_ANSWERED), 100, 100);
}

static void phones_without_a_common_codec_do_not_talk(void **state)
{
	(void)state;
	char target[64];
	struct phone *odd = phone_new(room, &(struct phone_opts){ .username = "odd", .domain = "127.0.0.1", .server = "127.0.0.1:9", .payload = 8 });
	snprintf(target, sizeof(target), "127.0.0.1:%u", phone_port(odd));
	struct phone *caller = phone_new(room, &(struct phone_opts){ .username = "cal", .domain = "127.0.0.1", .server = target });
	phone_dial(caller, "sip:odd@127.0.0.1");
	assert_true(phone_wait(caller, 0, PHONE_ENDED, 3000));
	assert_int_equal(code_of(caller), 488);
}

static void nexus_headers_are_noticed(void **state)
{
	(void)state;
	char target[64];
	snprintf(target, sizeof(target), "127.0.0.1:%u", phone_port(ned));
	struct phone *leaky = phone_new(room, &(struct phone_opts){ .username = "leaky", .domain = "127.0.0.1", .server = target,
		.extra = "x-nexus-session: s\r\n" });
	assert_int_equal(lab_nexus_headers(room), 0);
	phone_forget(ned);
	phone_dial(leaky, address);
	assert_true(phone_wait(ned, 0, PHONE_INVITED, 3000));
	assert_true(lab_nexus_headers(room) > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(phones_talk_and_hear_tones), cmocka_unit_test(phones_refuse_with_the_code_asked_for),
		cmocka_unit_test(a_ringing_call_is_cancelled), cmocka_unit_test(a_200_that_crosses_the_cancel_is_hung_up),
		cmocka_unit_test(a_phone_hangs_up_by_itself), cmocka_unit_test(phones_without_a_common_codec_do_not_talk),
		cmocka_unit_test(nexus_headers_are_noticed),
	};
	return cmocka_run_group_tests_name("test phones", tests, setup, teardown);
}
