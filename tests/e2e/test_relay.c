/* test_relay.c - nobody gets through the SIP server who may not: no open relay, no borrowed name, no forged header. */
#include "pair.h"

#include <stdio.h>

static struct phone *stranger; /* no credential */
static struct phone *victim;   /* somebody's phone outside our domain: must hear nothing from our server */
static char outside[64];       /* its URI */
static struct phone *trunk;    /* must hear nothing either */
static unsigned trunk_port;

static bool setup(void)
{
	struct phone_opts opts = { .username = "mallory", .password = "guess", .domain = gw.domain, .server = gw.sip };
	stranger = phone_new(lab, &opts);
	opts.username = "victim";
	opts.domain = "127.0.0.1";
	victim = phone_new(lab, &opts);
	opts.username = "trunk";
	opts.from_user = "+14155550123";
	opts.address = "127.0.0.2";
	opts.port = trunk_port;
	trunk = phone_new(lab, &opts);
	if (!stranger || !victim || !trunk || !pair_setup()) {
		return false;
	}
	snprintf(outside, sizeof(outside), "sip:victim@127.0.0.1:%u", phone_port(victim));
	pair_reset();
	return true;
}

static int dial_code(struct phone *phone, const char *target)
{
	struct phone_call call;
	int number = phone_dial(phone, target);
	assert_true(phone_wait(phone, number, PHONE_ENDED, SOON_MS));
	assert_true(phone_call(phone, number, &call));
	return call.code;
}

static void assert_refused(int code)
{
	assert_in_range(code, 400, 699);
}

/* Give what should never come a moment to come. */
static void assert_victim_heard_nothing(void)
{
	nap_ms(150);
	assert_int_equal(phone_requests(victim), 0);
}

static void a_stranger_cannot_call_our_users(void)
{
	assert_refused(dial_code(stranger, bob.username));
	phone_answer_challenges(stranger, false);
	assert_int_equal(dial_code(stranger, bob.username), 407);
	phone_answer_challenges(stranger, true);
	assert_int_equal(phone_calls(bob.phone), 0);
}

static void a_stranger_cannot_reach_the_outside(void)
{
	phone_answer_challenges(stranger, false);
	assert_refused(dial_code(stranger, outside));
	phone_answer_challenges(stranger, true);
	assert_refused(dial_code(stranger, outside));
	assert_victim_heard_nothing();
}

static void our_users_cannot_reach_the_outside(void)
{
	assert_refused(dial_code(alice.phone, outside));
	assert_victim_heard_nothing();
}

static void other_methods_are_not_relayed_either(void)
{
	static const char *const methods[] = { "OPTIONS", "MESSAGE", "SUBSCRIBE", "REFER", "NOTIFY", "PUBLISH", "INFO", "UPDATE", "BYE" };
	struct phone *phones[] = { stranger, alice.phone };
	for (size_t i = 0; i < 2 * sizeof(methods) / sizeof(methods[0]); i++) {
		int code = phone_request(phones[i % 2], methods[i / 2], outside);
		if (code != 0 && (code < 400 || code > 699)) {
			fail_msg("%s to the outside was answered with %d", methods[i / 2], code);
		}
	}
	assert_victim_heard_nothing();
}

/* A request that claims to belong to a call, with the victim as its target or in its route. */
static void forge(const char *method, const char *target, const char *routes, unsigned serial)
{
	char text[2048], body[] = "v=0\r\n";
	snprintf(text, sizeof(text),
		"%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=z9hG4bKforged%u\r\nMax-Forwards: 70\r\n%s"
		"From: <sip:%s@%s>;tag=forged\r\nTo: <sip:%s@%s>;tag=forged\r\nCall-ID: forged-%u\r\nCSeq: 7 %s\r\n"
		"Contact: <sip:mallory@127.0.0.1:%u>\r\nContent-Length: %zu\r\n\r\n%s",
		method, target, phone_port(stranger), serial, routes, alice.username, gw.domain, bob.username, gw.domain, serial, method,
		phone_port(stranger), strlen(body), body);
	phone_send_raw(stranger, text);
}

static void forged_requests_within_no_call_go_nowhere(void)
{
	static const char *const methods[] = { "INVITE", "BYE", "UPDATE", "INFO", "MESSAGE", "ACK", "CANCEL" };
	unsigned bobs = phone_requests(bob.phone);
	char through_us[256], bob_target[96];
	snprintf(through_us, sizeof(through_us), "Route: <sip:%s;lr>\r\n", gw.sip);
	snprintf(bob_target, sizeof(bob_target), "sip:%s@127.0.0.1:%u", bob.username, phone_port(bob.phone));
	for (unsigned i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		forge(methods[i], outside, through_us, 3 * i);
		forge(methods[i], bob_target, through_us, 3 * i + 1);
		forge(methods[i], outside, "", 3 * i + 2);
	}
	assert_victim_heard_nothing();
	assert_int_equal(phone_requests(bob.phone), bobs);
}

static void a_route_to_the_outside_is_not_followed(void)
{
	char route[256];
	snprintf(route, sizeof(route), "Route: <sip:%s;lr>\r\nRoute: <%s;lr>\r\n", gw.sip, outside);
	struct phone_opts opts = { .username = alice.username, .password = alice.password, .domain = gw.domain, .server = gw.sip, .extra = route };
	struct phone *phone = phone_new(lab, &opts);
	int number = phone_dial(phone, bob.username);
	phone_wait(phone, number, PHONE_ACKED, 1000);
	phone_hangup(phone, number);
	assert_true(phone_wait(phone, number, PHONE_ENDED, SOON_MS));
	assert_victim_heard_nothing();
	phone_free(phone);
}

static void a_credential_cannot_call_under_another_name(void)
{
	struct phone_opts opts = { .username = alice.username, .password = alice.password, .domain = gw.domain, .server = gw.sip,
		.from_user = bob.username };
	struct phone *phone = phone_new(lab, &opts);
	unsigned bobs = phone_requests(bob.phone);
	assert_refused(dial_code(phone, bob.username));
	assert_int_equal(phone_requests(bob.phone), bobs);
	phone_free(phone);
}

/* Only the gateway's own user is believed about whose call it is. */
static void forged_nexus_headers_are_not_believed(void)
{
	struct phone_opts opts = { .username = alice.username, .password = alice.password, .domain = gw.domain, .server = gw.sip,
		.extra = "X-Nexus-Session: session_1_forged\r\nX-Nexus-Leg: b\r\nX-Nexus-User: carol\r\nX-Nexus-Owner: carol\r\n"
			"X-Nexus-Limit: 1\r\nX-Nexus-Max: 1\r\n" };
	struct phone *phone = phone_new(lab, &opts);
	struct told call;
	pair_reset();
	int number = phone_dial(phone, bob.username);
	assert_true(phone_wait(phone, number, PHONE_ACKED, SOON_MS));
	pair_find_dialled(&call);
	assert_string_not_equal(call.id, "session_1_forged");
	assert_true(api_wait(&gw, &alice, call.id, "in-progress", SOON_MS, &call));
	assert_int_equal(slots_wait(&gw, "alice", 1, SOON_MS), 1);
	phone_hangup(phone, number);
	assert_true(api_wait(&gw, &alice, call.id, "ended", SOON_MS, &call));
	assert_int_equal(lab_nexus_headers(lab), 0);
	phone_free(phone);
}

static void nobody_unregistered_reaches_the_trunk(void)
{
	char at_trunk[64], through_us[128];
	snprintf(at_trunk, sizeof(at_trunk), "sip:+14155550123@127.0.0.2:%u", trunk_port);
	snprintf(through_us, sizeof(through_us), "Route: <sip:%s;lr>\r\nRoute: <sip:127.0.0.2:%u;lr>\r\n", gw.sip, trunk_port);
	assert_refused(dial_code(stranger, "+14155550123"));
	assert_refused(dial_code(stranger, at_trunk));
	assert_refused(dial_code(alice.phone, at_trunk)); /* the number, yes; the address, no */
	forge("INVITE", at_trunk, through_us, 100);
	forge("BYE", at_trunk, through_us, 101);
	forge("INVITE", at_trunk, "X-Nexus-Ask: phone\r\nX-Nexus-Number: +14155550123\r\n", 102);
	nap_ms(150);
	assert_int_equal(phone_requests(trunk), 0);
}

static void the_trunk_reaches_no_phone_and_not_itself(void)
{
	static const char *const methods[] = { "OPTIONS", "MESSAGE", "SUBSCRIBE", "REFER", "NOTIFY", "PUBLISH", "INFO", "BYE" };
	char uri[128];
	unsigned bobs = phone_requests(bob.phone);
	snprintf(uri, sizeof(uri), "sip:%s@%s", bob.username, gw.sip);
	assert_int_equal(dial_code(trunk, uri), 404);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		assert_refused(phone_request(trunk, methods[i], uri));
	}
	snprintf(uri, sizeof(uri), "sip:+14155550123@%s", gw.sip);
	assert_int_equal(dial_code(trunk, uri), 404);
	snprintf(uri, sizeof(uri), "sip:+14155550123@127.0.0.2:%u", trunk_port);
	assert_int_equal(dial_code(trunk, uri), 404);
	nap_ms(150);
	assert_int_equal(phone_requests(trunk), 0);
	assert_int_equal(phone_requests(bob.phone), bobs);
}

static const struct CMUnitTest tests[] = {
	E2E(nobody_unregistered_reaches_the_trunk), E2E(the_trunk_reaches_no_phone_and_not_itself),
	E2E(a_stranger_cannot_call_our_users), E2E(a_stranger_cannot_reach_the_outside), E2E(our_users_cannot_reach_the_outside),
	E2E(other_methods_are_not_relayed_either), E2E(forged_requests_within_no_call_go_nowhere),
	E2E(a_route_to_the_outside_is_not_followed), E2E(a_credential_cannot_call_under_another_name),
	E2E(forged_nexus_headers_are_not_believed),
};

int main(int argc, char **argv)
{
	char port[32];
	const char *const settings[] = { "trunk.host=127.0.0.2", port, "trunk.addresses=127.0.0.2", "trunk.caller_id=+15005550006",
		"calls.allow=*", NULL };
	const struct e2e_suite suite = { "relay attempts", tests, sizeof(tests) / sizeof(tests[0]), settings, 90, setup, false };
	trunk_port = proc_free_port(1);
	snprintf(port, sizeof(port), "trunk.port=%u", trunk_port);
	return e2e_main(argc, argv, &suite);
}
