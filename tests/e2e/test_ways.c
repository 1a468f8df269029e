/* test_ways.c - the same call started every way there is: curl, nexusctl, a C program, a phone that dials, sipp; and calls
 * that reach the longest time a call may last. */
#include "pair.h"

#include "sipp.h"

#include <stdio.h>

static void write_curl_config(char *path, size_t size, const char *key)
{
	char line[256];
	snprintf(path, size, "%s/curl.conf", gw.state);
	snprintf(line, sizeof(line), "header = \"Authorization: Bearer %s\"\n", key);
	assert_true(proc_write_file(path, line));
}

static void call_by_curl(void)
{
	char config[128], body[256], url[128], *out = NULL;
	struct told call = { .http_status = 0 };
	pair_reset();
	write_curl_config(config, sizeof(config), alice.key);
	snprintf(url, sizeof(url), "%s/api/v1/opensips/call/initiate", gw.url);
	snprintf(body, sizeof(body), "{\"fromNumber\":\"+1234567890\",\"toNumber\":\"%s\",\"useTwilio\":false}", bob.username);
	const char *const argv[] = { "curl", "-sS", "-K", config, "-X", "POST", url, "-H", "Content-Type: application/json", "-d", body, NULL };
	assert_int_equal(proc_run(argv, &out, NULL, 10000), 0);
	struct json_object *json = json_parse(out);
	api_read(json_at(json, "session"), &call);
	json_free(json);
	free(out);
	assert_string_equal(call.status, "ringing");
	assert_true(phone_wait(bob.phone, 0, PHONE_ACKED, SOON_MS));
	assert_true(api_wait(&gw, &alice, call.id, "in-progress", SOON_MS, &call));
	phone_hangup(bob.phone, 0);
	pair_expect(&call, "completed", "hangup_callee");
}

static void call_by_nexusctl(void)
{
	struct told call = { .http_status = 0 };
	pair_reset();
	assert_int_equal(gateway_ctl(&gw, "call start --user alice --from +1234567890 --to %s --wait answered", bob.username), 0);
	api_read(gateway_ctl_json(), &call);
	assert_string_equal(call.status, "in-progress");
	assert_true(phone_wait(bob.phone, 0, PHONE_ACKED, SOON_MS));
	assert_int_equal(gateway_ctl(&gw, "call end %s", call.id), 0);
	pair_expect(&call, "completed", "ended_by_api");
	assert_int_equal(gateway_ctl(&gw, "call show %s", call.id), 0);
	assert_string_equal(json_text(gateway_ctl_json(), "endReason"), "ended_by_api");
}

static void call_by_c_program(void)
{
	struct told call = { .http_status = 0 };
	pair_reset();
	const char *const argv[] = { PLACE_CALL_PATH, gw.state, "alice", "+1234567890", bob.username, NULL };
	struct proc *program = proc_start(argv, NULL, NULL);
	assert_non_null(program);
	assert_true(phone_wait(bob.phone, 0, PHONE_ACKED, SOON_MS));
	assert_true(phone_wait(alice.phone, 0, PHONE_JOINED, SOON_MS));
	phone_hangup(alice.phone, 0);
	int status = proc_wait(program, SOON_MS);
	char *out = proc_output(program);
	proc_stop(program, 1000);
	assert_int_equal(status, 0);
	assert_non_null(strstr(out, "completed: hangup_caller"));
	assert_int_equal(sscanf(out, "%95s", call.id), 1);
	free(out);
	pair_expect(&call, "completed", "hangup_caller");
}

static void dial(struct told *call)
{
	pair_reset();
	assert_int_equal(phone_dial(alice.phone, bob.username), 0);
	assert_true(phone_wait(bob.phone, 0, PHONE_INVITED, SOON_MS));
	pair_find_dialled(call);
}

static void call_dialled_by_a_phone_is_a_session(void)
{
	struct told call;
	dial(&call);
	assert_true(phone_wait(alice.phone, 0, PHONE_ACKED, SOON_MS));
	assert_true(api_wait(&gw, &alice, call.id, "in-progress", SOON_MS, &call));
	assert_int_equal(slots_wait(&gw, alice.id, 1, SOON_MS), 1);
	phone_hangup(alice.phone, 0);
	pair_expect(&call, "completed", "hangup_caller");
}

static void dialled_call_ends_when_callee_hangs_up(void)
{
	struct told call;
	dial(&call);
	assert_true(phone_wait(bob.phone, 0, PHONE_ACKED, SOON_MS));
	phone_hangup(bob.phone, 0);
	pair_expect(&call, "completed", "hangup_callee");
}

static void dialled_call_ends_when_api_asks(void)
{
	struct told call;
	dial(&call);
	assert_true(phone_wait(bob.phone, 0, PHONE_ACKED, SOON_MS));
	assert_true(api_wait(&gw, &alice, call.id, "in-progress", SOON_MS, &call));
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	pair_expect(&call, "completed", "ended_by_api");
	assert_true(phone_at_ms(alice.phone, 0, PHONE_BYE) != 0);
	assert_true(phone_at_ms(bob.phone, 0, PHONE_BYE) != 0);
}

static void dialled_call_ended_by_api_while_it_rings(void)
{
	struct told call;
	pair_reset();
	phone_script(bob.phone, (struct phone_script){ .manner = PHONE_RINGS });
	assert_int_equal(phone_dial(alice.phone, bob.username), 0);
	assert_true(phone_wait(alice.phone, 0, PHONE_RINGING, SOON_MS));
	pair_find_dialled(&call);
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	assert_true(phone_wait(bob.phone, 0, PHONE_CANCELED, SOON_MS));
	assert_true(phone_wait(alice.phone, 0, PHONE_ENDED, SOON_MS));
	pair_expect(&call, "canceled", "ended_by_api");
}

static void dialled_call_to_a_busy_phone(void)
{
	struct phone_call a;
	struct told call;
	pair_reset();
	phone_script(bob.phone, (struct phone_script){ .manner = PHONE_REFUSES, .code = 486 });
	assert_int_equal(phone_dial(alice.phone, bob.username), 0);
	assert_true(phone_wait(alice.phone, 0, PHONE_ENDED, SOON_MS));
	assert_true(phone_call(alice.phone, 0, &a));
	assert_int_equal(a.code, 486);
	pair_find_dialled(&call);
	pair_expect(&call, "busy", "callee_busy");
}

static void dialled_call_cancelled_by_its_caller(void)
{
	struct told call;
	pair_reset();
	phone_script(bob.phone, (struct phone_script){ .manner = PHONE_RINGS });
	assert_int_equal(phone_dial(alice.phone, bob.username), 0);
	assert_true(phone_wait(alice.phone, 0, PHONE_RINGING, SOON_MS));
	pair_find_dialled(&call);
	phone_hangup(alice.phone, 0);
	assert_true(phone_wait(bob.phone, 0, PHONE_CANCELED, SOON_MS));
	pair_expect(&call, "canceled", "hangup_caller");
}

static void dialled_call_by_sipp(void)
{
	struct told call;
	char *trace = NULL;
	pair_reset();
	struct sipp_opts opts = { .scenario = "call", .server = gw.sip, .username = alice.username, .password = alice.password,
		.domain = gw.domain, .target = bob.username };
	int status = sipp_play(&opts, &trace);
	if (status != 0) {
		print_error("%s\n", trace);
	}
	free(trace);
	assert_int_equal(status, 0);
	pair_find_dialled(&call);
	pair_expect(&call, "completed", "hangup_caller");
}

static void longest_call_is_ended_for_both(void)
{
	struct told call;
	pair_reset();
	pair_talk(&call);
	assert_true(phone_wait(alice.phone, 0, PHONE_BYE, 8000));
	assert_true(phone_wait(bob.phone, 0, PHONE_BYE, SOON_MS));
	pair_expect(&call, "completed", "max_duration");
	assert_near(call.ended_ms - call.answered_ms, 5000, 1200);
}

static void longest_dialled_call_is_ended_for_both(void)
{
	struct told call;
	dial(&call);
	assert_true(phone_wait(bob.phone, 0, PHONE_ACKED, SOON_MS));
	assert_true(phone_wait(alice.phone, 0, PHONE_BYE, 9000));
	assert_true(phone_wait(bob.phone, 0, PHONE_BYE, SOON_MS));
	pair_expect(&call, "completed", "max_duration");
	assert_near(call.ended_ms - call.answered_ms, 5000, 2200); /* the server counts in seconds of its own */
}

static const struct CMUnitTest tests[] = {
	E2E(call_by_curl), E2E(call_by_nexusctl), E2E(call_by_c_program), E2E(call_dialled_by_a_phone_is_a_session),
	E2E(dialled_call_ends_when_callee_hangs_up), E2E(dialled_call_ends_when_api_asks),
	E2E(dialled_call_ended_by_api_while_it_rings), E2E(dialled_call_to_a_busy_phone),
	E2E(dialled_call_cancelled_by_its_caller), E2E(dialled_call_by_sipp), E2E(longest_call_is_ended_for_both),
	E2E(longest_dialled_call_is_ended_for_both),
};

int main(int argc, char **argv)
{
	static const char *const settings[] = { "limits.max_call_seconds=5", NULL };
	const struct e2e_suite suite = { "ways to call", tests, sizeof(tests) / sizeof(tests[0]), settings, 90, pair_setup, false };
	return e2e_main(argc, argv, &suite);
}
