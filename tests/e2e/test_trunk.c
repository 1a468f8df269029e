/* test_trunk.c - telephone numbers: what phones dial and the API calls leaves through a trunk that wants a password, as far as
 * the rules allow; what the trunk calls rings the phones of the number's user. The trunk is a phone on another address. */
#include "pair.h"

#include <stdio.h>
#include <sys/stat.h>

#define NUMBER "+14155550123"
#define OURS "+15005550001"
#define SHOWN "+15005550006"

static struct phone *trunk;
static unsigned trunk_port;

static struct phone *trunk_new(const char *realm, const char *password)
{
	struct phone_opts opts = { .username = "nexus-trunk", .password = password, .domain = "carrier.example", .server = gw.sip,
		.from_user = NUMBER, .address = "127.0.0.2", .port = trunk_port, .demands = realm };
	struct phone *phone = phone_new(lab, &opts);
	if (phone) {
		phone_script(phone, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 50 });
	}
	return phone;
}

static bool setup(void)
{
	trunk = trunk_new("trunk.example", "trunk-Secret-1");
	return trunk && pair_setup() && gateway_ctl(&gw, "numbers add " OURS " --user bob") == 0 &&
		gateway_ctl(&gw, "callers add " SHOWN " --user alice") == 0;
}

static void reset(void)
{
	pair_reset();
	phone_forget(trunk);
	phone_script(trunk, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 50 });
}

static int dial_code(const char *number)
{
	struct phone_call call;
	int n = phone_dial(alice.phone, number);
	assert_true(phone_wait(alice.phone, n, PHONE_ENDED, 15000));
	assert_true(phone_call(alice.phone, n, &call));
	return call.code;
}

static void expect_dialled(const char *status, const char *reason)
{
	struct told call;
	pair_find_dialled(&call);
	assert_true(api_wait(&gw, &alice, call.id, "ended", SOON_MS, &call));
	assert_string_equal(call.status, status);
	assert_string_equal(call.reason, reason);
	assert_int_equal(slots_wait(&gw, "alice", 0, 2000), 0);
}

static void a_dialled_number_leaves_through_the_trunk(void)
{
	struct told call;
	reset();
	int n = phone_dial(alice.phone, "0014155550123");
	assert_true(phone_wait(alice.phone, n, PHONE_ACKED, SOON_MS));
	assert_string_equal(phone_invite_header(trunk, ""), NUMBER);
	assert_non_null(strstr(phone_invite_header(trunk, "From"), "<sip:" SHOWN "@127.0.0.2>"));
	assert_string_equal(phone_invite_header(trunk, "P-Asserted-Identity"), "<sip:" SHOWN "@127.0.0.2>");
	pair_find_dialled(&call);
	assert_true(api_wait(&gw, &alice, call.id, "in-progress", SOON_MS, &call));
	assert_int_equal(slots_wait(&gw, "alice", 1, SOON_MS), 1);
	phone_hangup(alice.phone, n);
	expect_dialled("completed", "hangup_caller");
	assert_true(phone_wait(trunk, 0, PHONE_ENDED, SOON_MS));
}

static void the_far_end_hangs_up(void)
{
	reset();
	phone_script(trunk, (struct phone_script){ .manner = PHONE_ANSWERS, .talk_ms = 100 });
	int n = phone_dial(alice.phone, NUMBER);
	assert_true(phone_wait(alice.phone, n, PHONE_ENDED, SOON_MS));
	expect_dialled("completed", "hangup_callee");
}

static void a_national_number_gets_the_country_code(void)
{
	reset();
	phone_script(trunk, (struct phone_script){ .manner = PHONE_REFUSES, .code = 486 });
	assert_int_equal(dial_code("0915550123"), 486);
	assert_string_equal(phone_invite_header(trunk, ""), "+34915550123");
	expect_dialled("busy", "callee_busy");
}

static void the_api_calls_a_number(void)
{
	struct told call;
	reset();
	assert_int_equal(api_initiate(&gw, &alice, NUMBER, &call), 201);
	assert_true(phone_wait(alice.phone, 0, PHONE_JOINED, SOON_MS));
	assert_true(api_wait(&gw, &alice, call.id, "in-progress", SOON_MS, &call));
	assert_non_null(strstr(phone_invite_header(trunk, "From"), "<sip:+15550001111@127.0.0.2>"));
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	assert_true(phone_wait(trunk, 0, PHONE_ENDED, SOON_MS));
	assert_true(api_wait(&gw, &alice, call.id, "ended", SOON_MS, &call));
	assert_string_equal(call.reason, "ended_by_api");
}

static void the_trunks_answers_end_calls_with_their_reason(void)
{
	static const struct { int code; const char *status, *reason; } cases[] = { { 486, "busy", "callee_busy" },
		{ 603, "busy", "callee_rejected" }, { 403, "busy", "callee_rejected" }, { 404, "failed", "callee_unreachable" },
		{ 503, "failed", "callee_unreachable" } };
	struct told call;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reset();
		phone_script(trunk, (struct phone_script){ .manner = PHONE_REFUSES, .code = cases[i].code });
		assert_int_equal(dial_code(NUMBER), cases[i].code);
		expect_dialled(cases[i].status, cases[i].reason);
		reset();
		phone_script(trunk, (struct phone_script){ .manner = PHONE_REFUSES, .code = cases[i].code });
		assert_int_equal(api_initiate(&gw, &alice, NUMBER, &call), 201);
		assert_true(api_wait(&gw, &alice, call.id, "ended", SOON_MS, &call));
		assert_string_equal(call.status, cases[i].status);
		assert_string_equal(call.reason, cases[i].reason);
	}
}

static void what_the_rules_forbid_never_reaches_the_trunk(void)
{
	static const char *const numbers[] = { "+33145550123", "+19005550123", "112", "911", "+1911", "0018005", "+881612345678", "+340803123456",
		"+101144909879000", "+0019005550123" };
	unsigned before = phone_requests(trunk);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		reset();
		phone_script(trunk, (struct phone_script){ .manner = PHONE_REFUSES, .code = 486 });
		int code = dial_code(numbers[i]);
		if (i == 5) { /* short, but allowed: the control */
			assert_int_equal(code, 486);
			expect_dialled("busy", "callee_busy");
			continue;
		}
		assert_int_equal(code, 403);
		expect_dialled("failed", "not_allowed");
		if (i < 5) {
			assert_int_equal(phone_requests(trunk), before);
		}
	}
}

static void the_password_is_nowhere_in_clear(void)
{
	char command[256], path[128];
	struct stat st;
	snprintf(command, sizeof(command), "grep -rqF trunk-Secret-1 %s", gw.state);
	assert_int_not_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/sip/%s.cfg", gw.state, gw.server);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(gateway_ctl(&gw, "sip render"), 0);
}

static void a_wrong_password_is_told(void)
{
	reset();
	phone_free(trunk);
	trunk = trunk_new("trunk.example", "another");
	assert_int_equal(dial_code(NUMBER), 503);
	expect_dialled("failed", "callee_unreachable");
	phone_free(trunk);
	trunk = trunk_new(NULL, ""); /* knows us by our address */
	assert_int_equal(phone_dial(alice.phone, NUMBER) >= 0, 1);
	assert_true(phone_wait(trunk, 0, PHONE_ACKED, SOON_MS));
	phone_hangup(trunk, 0);
	assert_true(phone_wait(trunk, 0, PHONE_ENDED, SOON_MS));
	phone_free(trunk);
	trunk = trunk_new("trunk.example", "trunk-Secret-1");
}

static void a_trunk_that_is_down_is_told(void)
{
	reset();
	phone_free(trunk);
	assert_int_equal(dial_code(NUMBER), 503);
	trunk = trunk_new("trunk.example", "trunk-Secret-1");
	expect_dialled("failed", "callee_unreachable");
}

/* ---- inbound */

static int call_in(struct phone *from, const char *number)
{
	char uri[96];
	snprintf(uri, sizeof(uri), "sip:%s@%s", number, gw.sip);
	return phone_dial(from, uri);
}

static void a_call_from_the_trunk_rings_all_phones_of_its_user(void)
{
	struct http_reply *reply;
	struct told call;
	reset();
	struct phone *second = user_phone(&gw, lab, &bob, 0);
	assert_int_equal(phone_register(second, 600), 200);
	phone_script(second, (struct phone_script){ .manner = PHONE_RINGS });
	phone_script(bob.phone, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 300 });
	int n = call_in(trunk, OURS);
	assert_true(phone_wait(second, 0, PHONE_RINGING, SOON_MS));
	assert_true(phone_wait(bob.phone, 0, PHONE_ACKED, SOON_MS));
	assert_true(phone_wait(trunk, n, PHONE_ACKED, SOON_MS));
	assert_true(phone_wait(second, 0, PHONE_ENDED, SOON_MS));
	reply = gateway_http(&gw, "GET", "/api/v1/opensips/calls?limit=1", bob.key, NULL);
	api_read(json_at(reply->json, "calls.0"), &call);
	assert_string_equal(call.direction, "inbound");
	assert_string_equal(json_text(reply->json, "calls.0.fromNumber"), NUMBER);
	assert_string_equal(json_text(reply->json, "calls.0.toNumber"), OURS);
	assert_true(api_wait(&gw, &bob, call.id, "in-progress", SOON_MS, &call));
	assert_int_equal(slots_wait(&gw, "bob", 1, SOON_MS), 1);
	phone_hangup(bob.phone, 0);
	assert_true(phone_wait(trunk, n, PHONE_ENDED, SOON_MS));
	assert_true(api_wait(&gw, &bob, call.id, "ended", SOON_MS, &call));
	assert_string_equal(call.reason, "hangup_callee");
	assert_int_equal(slots_wait(&gw, "bob", 0, 2000), 0);
	assert_int_equal(phone_register(second, 0), 200);
	phone_free(second);
}

static int in_code(struct phone *from, const char *number)
{
	struct phone_call call;
	int n = call_in(from, number);
	assert_true(phone_wait(from, n, PHONE_ENDED, SOON_MS));
	assert_true(phone_call(from, n, &call));
	return call.code;
}

static void numbers_change_without_a_restart(void)
{
	reset();
	assert_int_equal(in_code(trunk, "+15005550002"), 404);
	assert_int_equal(gateway_ctl(&gw, "numbers add +15005550002 --user bob"), 0);
	phone_script(bob.phone, (struct phone_script){ .manner = PHONE_REFUSES, .code = 486 });
	assert_int_equal(in_code(trunk, "15005550002"), 486);
	assert_int_equal(gateway_ctl(&gw, "numbers add +15005550002 --user alice"), 4);
	assert_int_equal(gateway_ctl(&gw, "numbers list --user bob"), 0);
	assert_non_null(strstr(gateway_ctl_out(), "+15005550002"));
	assert_int_equal(gateway_ctl(&gw, "numbers remove +15005550002"), 0);
	assert_int_equal(in_code(trunk, "+15005550002"), 404);
}

static void another_address_is_not_the_trunk(void)
{
	struct phone_opts opts = { .username = "mallory", .password = "guess", .domain = "carrier.example", .server = gw.sip,
		.from_user = NUMBER, .address = "127.0.0.4", .extra = "X-Nexus-Key: 0\r\nX-Nexus-Ask: trunk\r\nX-Nexus-Caller-Id: +1\r\n" };
	reset();
	struct phone *phone = phone_new(lab, &opts);
	unsigned bobs = phone_requests(bob.phone), trunks = phone_requests(trunk);
	assert_in_range(in_code(phone, OURS), 400, 499);
	assert_in_range(in_code(phone, NUMBER), 400, 499);
	phone_answer_challenges(phone, false);
	assert_in_range(in_code(phone, OURS), 400, 499);
	assert_int_equal(phone_requests(bob.phone), bobs);
	assert_int_equal(phone_requests(trunk), trunks);
	phone_free(phone);
}

/* ---- what phones may not have the trunk do */

static void nothing_that_a_phone_says_of_itself_reaches_the_trunk(void)
{
	static const char *const names[] = { "Diversion: ", "diversion : ", "HISTORY-INFO\t: ", "P-Asserted-Identity : ", "P-Preferred-Identity: ",
		"Remote-Party-ID: ", "Referred-By: ", "b: ", "b : ", "Identity: ", "y: ", "P-Charging-Vector: ", "X-Account: ", "Call-Info: ", "Reply-To: ",
		"User-to-User : ", "Subject: ", "s : ", "Organization: ", "X-Nexus-Caller-Id : ", "X-Nexus-Owner\t: " };
	char extra[2048], invite[8192];
	size_t len = 0;
	struct phone_opts opts = { .username = alice.username, .password = alice.password, .domain = gw.domain, .server = gw.sip, .extra = extra };
	reset();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		len += (size_t)snprintf(extra + len, sizeof(extra) - len, "%s<sip:+15005559999@127.0.0.2>\r\n", names[i]);
	struct phone *phone = phone_new(lab, &opts);
	phone_script(trunk, (struct phone_script){ .manner = PHONE_REFUSES, .code = 486 });
	int n = phone_dial(phone, NUMBER);
	assert_true(phone_wait(phone, n, PHONE_ENDED, SOON_MS));
	assert_true(phone_seen(trunk, "INVITE", 0, invite, sizeof(invite)));
	assert_null(strstr(invite, "+15005559999"));
	assert_string_equal(phone_invite_header(trunk, "P-Asserted-Identity"), "<sip:" SHOWN "@127.0.0.2>");
	expect_dialled("busy", "callee_busy");
	phone_free(phone);
}

static void a_phone_cannot_have_the_trunk_transfer_the_call(void)
{
	const struct phone_ask refer = { .method = "REFER", .lines = "Refer-To: <sip:+19005550123@127.0.0.2>\r\n" };
	reset();
	int n = phone_dial(alice.phone, NUMBER);
	assert_true(phone_wait(alice.phone, n, PHONE_ACKED, SOON_MS));
	assert_int_equal(phone_ask(alice.phone, n, &refer, NULL, 0), 603);
	assert_int_equal(phone_seen_count(trunk, "REFER"), 0);
	assert_int_equal(phone_ask(trunk, 0, &refer, NULL, 0), 603);
	assert_int_equal(phone_seen_count(alice.phone, "REFER"), 0);
	phone_hangup(alice.phone, n);
	expect_dialled("completed", "hangup_caller");
	n = call_in(trunk, OURS);
	assert_true(phone_wait(trunk, n, PHONE_ACKED, SOON_MS));
	assert_int_equal(phone_ask(bob.phone, 0, &refer, NULL, 0), 603);
	assert_int_equal(phone_seen_count(trunk, "REFER"), 0);
	phone_hangup(trunk, n);
	assert_true(phone_wait(bob.phone, 0, PHONE_ENDED, SOON_MS));
}

static void a_freeze_stops_what_the_trunk_was_not_asked_for_yet(void)
{
	struct told call;
	unsigned before;
	reset();
	before = phone_requests(trunk);
	phone_script(alice.phone, (struct phone_script){ .manner = PHONE_RINGS });
	assert_int_equal(api_initiate(&gw, &alice, NUMBER, &call), 201);
	assert_true(phone_wait(alice.phone, 0, PHONE_RINGING, SOON_MS));
	assert_int_equal(gateway_ctl(&gw, "calls freeze"), 0);
	phone_answer(alice.phone, 0);
	assert_true(api_wait(&gw, &alice, call.id, "ended", SOON_MS, &call));
	assert_string_equal(call.status, "failed");
	assert_string_equal(call.reason, "not_allowed");
	assert_true(phone_wait(alice.phone, 0, PHONE_ENDED, SOON_MS));
	assert_int_equal(phone_requests(trunk), before);
	assert_int_equal(slots_wait(&gw, "alice", 0, 2000), 0);
	assert_int_equal(gateway_ctl(&gw, "calls thaw"), 0);
	pair_reset();
}

static void a_phone_cannot_redirect_a_call_of_the_trunk(void)
{
	reset();
	phone_script(bob.phone, (struct phone_script){ .manner = PHONE_REFUSES, .code = 302 });
	assert_int_equal(in_code(trunk, OURS), 480);
}

static const struct CMUnitTest tests[] = {
	E2E(a_dialled_number_leaves_through_the_trunk), E2E(the_far_end_hangs_up), E2E(a_national_number_gets_the_country_code),
	E2E(the_api_calls_a_number), E2E(the_trunks_answers_end_calls_with_their_reason),
	E2E(what_the_rules_forbid_never_reaches_the_trunk), E2E(the_password_is_nowhere_in_clear), E2E(a_wrong_password_is_told),
	E2E(a_trunk_that_is_down_is_told), E2E(a_call_from_the_trunk_rings_all_phones_of_its_user),
	E2E(numbers_change_without_a_restart), E2E(another_address_is_not_the_trunk),
	E2E(nothing_that_a_phone_says_of_itself_reaches_the_trunk), E2E(a_phone_cannot_have_the_trunk_transfer_the_call),
	E2E(a_phone_cannot_redirect_a_call_of_the_trunk), E2E(a_freeze_stops_what_the_trunk_was_not_asked_for_yet),
};

int main(int argc, char **argv)
{
	char port[32];
	const char *const settings[] = { "trunk.host=127.0.0.2", port, "trunk.username=nexus-trunk", "trunk.realm=trunk.example",
		"trunk.addresses=127.0.0.2", "trunk.caller_id=" SHOWN, "calls.allow=+1 +34 +881", "calls.country=+34",
		"calls.caller_ids=+15550001111", NULL };
	const struct e2e_suite suite = { "telephone numbers", tests, sizeof(tests) / sizeof(tests[0]), settings, 120, setup, false };
	trunk_port = proc_free_port(1);
	snprintf(port, sizeof(port), "trunk.port=%u", trunk_port);
	setenv("NEXUSVOIP_TRUNK_PASSWORD", "trunk-Secret-1", 1);
	return e2e_main(argc, argv, &suite);
}
