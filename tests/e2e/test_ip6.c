/* test_ip6.c - a gateway whose SIP server listens on [::1]: phones call each other there as anywhere; media between an IPv6
 * and an IPv4 address does not flow, and the call says so. */
#include "in_call.h"

#include <stdio.h>

static void phones_on_ip6_call_hold_and_hang_up(void)
{
	struct told call;
	talk(&call);
	struct phone_ask info = { .method = "INFO", .type = "application/dtmf-relay", .body = "Signal=1\r\n" };
	struct user *both[] = { &alice, &bob };
	assert_non_null(strstr(last(bob.phone, "INVITE"), "\r\nc=IN IP6 ::1\r\n"));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(phone_hold(both[i]->phone, 0, true), 200);
		assert_int_equal(phone_hold(both[i]->phone, 0, false), 200);
		assert_int_equal(phone_ask(both[i]->phone, 0, &info, NULL, 0), 200);
	}
	still_up(&call);
}

static void sound_passes_on_ip6(void)
{
	struct told call;
	talk(&call);
	nap_ms(1300);
	assert_true(phone_heard(alice.phone, 1000) > 0.9);
	assert_true(phone_heard(bob.phone, 440) > 0.9);
	still_up(&call);
}

static void a_phone_on_tcp_is_called_on_ip6(void)
{
	struct told call;
	struct user carol;
	pair_reset();
	assert_true(user_make(&gw, "carol", &carol));
	struct phone_opts opts = { .username = carol.username, .password = carol.password, .domain = gw.domain, .server = gw.sip, .tcp = true };
	struct phone *phone = phone_new(lab, &opts);
	assert_non_null(phone);
	assert_int_equal(phone_register(phone, 60), 200);
	assert_int_equal(api_initiate(&gw, &alice, carol.username, &call), 201);
	assert_true(phone_wait(phone, 0, PHONE_ACKED, SOON_MS));
	assert_true(api_wait(&gw, &alice, call.id, "in-progress", SOON_MS, &call));
	phone_hangup(phone, 0);
	assert_true(api_wait(&gw, &alice, call.id, "ended", SOON_MS, &call));
	assert_string_equal(call.reason, "hangup_callee");
	assert_int_equal(slots_wait(&gw, alice.id, 0, 2000), 0);
	assert_int_equal(phone_register(phone, 0), 200);
	phone_free(phone);
}

static void media_at_an_ip4_and_an_ip6_address_is_incompatible_at_once(void)
{
	struct told call;
	struct user dave;
	pair_reset();
	assert_true(user_make(&gw, "dave", &dave));
	struct phone_opts opts = { .username = dave.username, .password = dave.password, .domain = gw.domain, .server = gw.sip,
		.media_at = "IP4 127.0.0.1" };
	struct phone *phone = phone_new(lab, &opts);
	assert_non_null(phone);
	phone_script(phone, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 50 });
	assert_int_equal(phone_register(phone, 60), 200);
	assert_int_equal(api_initiate(&gw, &alice, dave.username, &call), 201);
	assert_true(api_wait(&gw, &alice, call.id, "ended", SOON_MS, &call));
	assert_string_equal(call.status, "failed");
	assert_string_equal(call.reason, "media_incompatible");
	assert_true(phone_wait(phone, 0, PHONE_BYE, SOON_MS));
	assert_true(phone_wait(alice.phone, 0, PHONE_BYE, SOON_MS));
	assert_int_equal(slots_wait(&gw, alice.id, 0, 2000), 0);
	assert_int_equal(phone_register(phone, 0), 200);
	phone_free(phone);
}

static const struct CMUnitTest tests[] = {
	E2E(phones_on_ip6_call_hold_and_hang_up),
	E2E(sound_passes_on_ip6),
	E2E(a_phone_on_tcp_is_called_on_ip6),
	E2E(media_at_an_ip4_and_an_ip6_address_is_incompatible_at_once),
};

int main(int argc, char **argv)
{
	static const char *const settings[] = { GATEWAY_IP6, NULL };
	const struct e2e_suite suite = { "IPv6", tests, sizeof(tests) / sizeof(tests[0]), settings, 60, pair_setup_with_tones, false };
	return e2e_main(argc, argv, &suite);
}
