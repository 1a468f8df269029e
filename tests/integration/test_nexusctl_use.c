/* test_nexusctl_use.c - how nexusctl is used, rightly and wrongly: options, exit statuses, error objects, configuration. */
#define _XOPEN_SOURCE 700 /* nftw() */

#include <nexusvoip/nexusvoip.h>

#include "nexusctl_run.h"

static void wrong_use_gets_2_and_the_nearest_that_is_right(void **unused)
{
	static const struct {
		const char *args[8];
		const char *words;
	} cases[] = {
		{ { NULL }, "no command" },
		{ { "kyes", "list" }, "did you mean \"keys\"?" },
		{ { "keys", "lst" }, "did you mean \"keys list\"?" },
		{ { "keys" }, "create, list, show, toggle" },
		{ { "zebra" }, "there is no command \"zebra\"" },
		{ { "keys", "list", "--usr", "u" }, "did you mean --user?" },
		{ { "keys", "list", "--user" }, "--user needs a value: --user USER" },
		{ { "keys", "list", "--user=a", "--user=b" }, "--user is given twice" },
		{ { "keys", "list", "-u" }, "there is no option -u" },
		{ { "keys", "list", "extra" }, "\"extra\" is one argument too many" },
		{ { "keys", "show" }, "ID is missing" },
		{ { "keys", "show", "" }, "ID must not be empty" },
		{ { "keys", "create", "--user", "u", "--name", "n" }, "--permissions is missing: --permissions LIST" },
		{ { "--json=yes", "version" }, "--json takes no value" },
		{ { "--set", "sip.domian=x", "keys", "list" }, "did you mean sip.domain?" },
		{ { "--set", "sip.domain", "keys", "list" }, "--set takes KEY=VALUE" },
		{ { "keys", "rotate", "x", "--overlap", "1y" }, "--overlap takes a duration such as 90s" },
		{ { "keys", "rotate", "x", "--overlap", "" }, "--overlap takes a duration" },
		{ { "call", "list", "--limit", "0" }, "--limit takes a whole number from 1" },
		{ { "call", "list", "--limit", "1x" }, "--limit takes a whole number from 1" },
		{ { "call", "list", "--since", "noon" }, "--since takes a time" },
		{ { "call", "list", "--status", "lost" }, "--status: " },
		{ { "usage", "export", "--format", "xml" }, "--format takes one of: csv, jsonl" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const *a = cases[i].args;
		expect(run(a[0], a[1], a[2], a[3], a[4], a[5], a[6], NULL), 2);
		assert_string_equal(out, "");
		expect_in(err, cases[i].words);
	}
	expect(run("keys", "create", "--user", "a b", "--name", "n", "--permissions", "sip", NULL), 2);
	expect_in(err, "--user: ");
	expect(run("keys", "create", "--user", "u", "--name", "n", "--permissions", "sip,fly", NULL), 2);
	expect_in(err, "\"fly\"");
	expect(run("call", "start", "--user", "u", "--from", "+12", "--to", "b", "--wait", "forever", NULL), 2);
	expect_in(err, "ringing, answered, ended");
	expect(run("call", "start", "--user", "u", "--from", "+12", "--to", "b", "--twilio", "--no-twilio", NULL), 2);
}

static void options_may_stand_anywhere(void **unused)
{
	(void)unused;
	const char *const last[] = { "nexusctl", "keys", "list", "--json", "--state", state, NULL };
	expect(run_args(last), 0);
	assert_memory_equal(out, "[", 1);
	const char *const between[] = { "nexusctl", "keys", "--json", "list", "--state", state, NULL };
	expect(run_args(between), 0);
	assert_memory_equal(out, "[", 1);
	expect(run("keys", "show", "--", "--json", NULL), 3);
	assert_memory_equal(err, "nexusctl: ", 10);
	expect(run("keys", "create", "--user", "u", "--name", "--json", "--permissions", "sip", NULL), 0);
	expect_in(out, "name         --json");
}

static void errors_are_json_too_when_asked_for(void **unused)
{
	(void)unused;
	expect(run("keys", "show", "key_none", "--json", NULL), 3);
	assert_string_equal(out, "");
	struct json_object *obj = json_of(err);
	struct json_object *error = json_object_object_get(obj, "error");
	assert_string_equal(text_of(error, "code"), "not_found");
	assert_true(*text_of(error, "message"));
	json_object_put(obj);
	expect(run("keys", "create", "--json", "--user", "a b", "--name", "n", "--permissions", "sip", NULL), 2);
	obj = json_of(err);
	assert_string_equal(text_of(json_object_object_get(obj, "error"), "field"), "userId");
	json_object_put(obj);
	expect(run("keys", "lst", "--json", NULL), 2);
	obj = json_of(err);
	assert_string_equal(text_of(json_object_object_get(obj, "error"), "code"), "usage");
	json_object_put(obj);
}

static void unknown_calls_and_missing_engine_have_their_statuses(void **unused)
{
	(void)unused;
	expect(run("call", "show", "session_1_x", NULL), 3);
	expect(run("call", "end", "session_1_x", NULL), 3);
	expect(run("call", "watch", "session_1_x", NULL), 3);
	expect(run("registrations", "kick", "user_1", NULL), 5);
	if (run("registrations", "list", NULL) != 5) /* unless there is no SIP server here to be unreachable */
		expect_in(err, "no SIP server was found");
}

static void a_wrong_configuration_is_named_and_the_options_still_listed(void **unused)
{
	char path[128];

	(void)unused;
	snprintf(path, sizeof(path), "%s/nexusvoip.conf", state);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("[sip]\ndomian = x\n", f);
	fclose(f);
	expect(run("keys", "list", NULL), 1);
	expect_in(err, "nexusvoip.conf:2");
	expect_in(err, "sip.domain");
	expect(run("config", "list", NULL), 1);
	expect_in(out, "sip.domain");
	expect_in(err, "nexusvoip.conf:2");
	assert_int_equal(remove(path), 0);
}

static void config_list_shows_values_in_force(void **unused)
{
	size_t count = 0;

	(void)unused;
	while (nxv_config_option_at(count))
		count++;
	expect(run("config", "list", "--json", "--set", "limits.calls_per_user=7", NULL), 0);
	struct json_object *list = json_of(out);
	assert_int_equal(json_object_array_length(list), count);
	for (size_t i = 0; i < count; i++) {
		struct json_object *row = json_object_array_get_idx(list, i);
		if (!strcmp(text_of(row, "key"), "limits.calls_per_user")) {
			assert_string_equal(text_of(row, "value"), "7");
			assert_string_equal(text_of(row, "default"), "50");
			assert_string_equal(text_of(row, "env"), "NEXUSVOIP_LIMITS_CALLS_PER_USER");
		}
	}
	json_object_put(list);
}

static void version_and_help_need_no_state(void **unused)
{
	(void)unused;
	expect(run("version", "--json", NULL), 0);
	struct json_object *obj = json_of(out);
	assert_string_equal(text_of(obj, "version"), nxv_version());
	json_object_put(obj);
	expect(run("help", NULL), 0);
	expect_in(out, "keys create");
	expect(run("keys", "create", "--help", NULL), 0);
	expect_in(out, "usage: nexusctl keys create --user USER");
	const char *const complete[] = { "nexusctl", "complete", "keys", "", NULL };
	expect(run_args(complete), 0);
	expect_in(out, "rotate\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_use_gets_2_and_the_nearest_that_is_right),
		cmocka_unit_test(options_may_stand_anywhere),
		cmocka_unit_test(errors_are_json_too_when_asked_for),
		cmocka_unit_test(unknown_calls_and_missing_engine_have_their_statuses),
		cmocka_unit_test(a_wrong_configuration_is_named_and_the_options_still_listed),
		cmocka_unit_test(config_list_shows_values_in_force),
		cmocka_unit_test(version_and_help_need_no_state),
	};
	return cmocka_run_group_tests(tests, setup_with_state, teardown);
}
