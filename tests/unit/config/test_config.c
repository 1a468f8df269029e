/* test_config.c - where options come from, and what is said when one is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"

static char path[] = "/tmp/nxv-config-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || close(fd) != 0;
}

static int drop_file(void **state)
{
	(void)state;
	return unlink(path);
}

static nxv_status load(const char *text, const char *const *env, const char *const *set, struct config **cfg,
	struct nxv_error *err)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return config_load(path, true, env, set, cfg, err);
}

static void defaults_hold_without_a_file(void **state)
{
	struct config *cfg;

	(void)state;
	assert_int_equal(config_load(NULL, false, NULL, NULL, &cfg, NULL), NXV_OK);
	assert_string_equal(config_text(cfg, CFG_SIP_SERVER), "auto");
	assert_int_equal(config_int(cfg, CFG_LIMITS_REQUESTS_PER_MINUTE), 100);
	assert_int_equal(config_int(cfg, CFG_LIMITS_CALLS_PER_USER), 50);
	assert_int_equal(config_int(cfg, CFG_LIMITS_MAX_CALL_SECONDS), 14400);
	config_free(cfg);
}

static void environment_beats_file_and_override_beats_both(void **state)
{
	const char *env[] = { "HOME=/", "NEXUSVOIP_SIP_DOMAIN=env.test", "NEXUSVOIP_LIMITS_REQUESTS_PER_MINUTE=7", NULL };
	const char *set[] = { "sip.domain=set.test", NULL };
	struct config *cfg;

	(void)state;
	assert_int_equal(
		load("[sip]\ndomain = file.test\n[limits]\nrequests_per_minute=5\ncalls_per_user = 6\n", env, set, &cfg, NULL),
		NXV_OK);
	assert_string_equal(config_by_name(cfg, "sip.domain"), "set.test");
	assert_int_equal(config_int(cfg, CFG_LIMITS_REQUESTS_PER_MINUTE), 7);
	assert_int_equal(config_int(cfg, CFG_LIMITS_CALLS_PER_USER), 6);
	config_free(cfg);
}

static void expect_complaint(const char *text, const char *const *env, const char *const *parts)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct config *cfg;

	assert_int_equal(load(text, env, NULL, &cfg, &err), NXV_E_INVALID);
	assert_null(cfg);
	assert_string_equal(err.code, "bad_config");
	for (; *parts; parts++)
		if (!strstr(err.message, *parts))
			fail_msg("\"%s\" does not say \"%s\"", err.message, *parts);
}

static void unknown_option_is_named_with_line_and_remedy(void **state)
{
	(void)state;
	expect_complaint("# head\n[sip]\ndomian = x.test\n", NULL,
		(const char *[]){ path, ":3:", "sip.domian", "did you mean sip.domain?", NULL });
	expect_complaint("[nonsense]\na = 1\n", NULL, (const char *[]){ ":2:", "nonsense.a", "config list", NULL });
}

static void wrong_value_is_named_with_line_and_remedy(void **state)
{
	(void)state;
	expect_complaint("[limits]\ncalls_per_user = many\n", NULL,
		(const char *[]){ ":2:", "limits.calls_per_user", "many", "whole number from 1", NULL });
	expect_complaint("[sip]\nserver = asterisk\n", NULL, (const char *[]){ ":2:", "auto opensips kamailio", NULL });
	expect_complaint("[sip]\nlisten = 5060\n", NULL, (const char *[]){ "host:port", NULL });
	expect_complaint("[sip]\ndomain = a\"b\n", NULL, (const char *[]){ "quotes", NULL });
	expect_complaint("[sip]\ndomain = Voice.Example.com\n", NULL, (const char *[]){ "sip.domain", "lower case", NULL });
}

static void double_option_and_stray_line_are_refused(void **state)
{
	(void)state;
	expect_complaint("[sip]\ndomain = a.test\ndomain = b.test\n", NULL,
		(const char *[]){ ":3:", "twice", "line 2", NULL });
	expect_complaint("[sip]\nthis is no option\n", NULL, (const char *[]){ ":2:", NULL });
}

static void line_too_long_is_called_that_and_one_that_just_fits_is_taken(void **state)
{
	static const char start[] = "[sip]\nws_origins = ";
	char text[400], origins[256];
	struct config *cfg;

	(void)state;
	memset(origins, 'o', sizeof(origins));
	origins[198 - strlen("ws_origins = ")] = '\0';
	snprintf(text, sizeof(text), "%s%s\n", start, origins);
	assert_int_equal(load(text, NULL, NULL, &cfg, NULL), NXV_OK);
	assert_string_equal(config_text(cfg, CFG_SIP_WS_ORIGINS), origins);
	config_free(cfg);
	snprintf(text, sizeof(text), "%s%so\n[limits]\n", start, origins);
	expect_complaint(text, NULL, (const char *[]){ ":2:", "longer than 198 bytes", "environment variable", NULL });
}

static void unknown_or_wrong_variable_is_named(void **state)
{
	(void)state;
	expect_complaint("", (const char *[]){ "NEXUSVOIP_SIP_DOMIAN=x", NULL },
		(const char *[]){ "NEXUSVOIP_SIP_DOMIAN", "unset", NULL });
	expect_complaint("", (const char *[]){ "NEXUSVOIP_LIMITS_CALLS_PER_USER=0", NULL },
		(const char *[]){ "NEXUSVOIP_LIMITS_CALLS_PER_USER", "from 1", NULL });
}

static void each_kind_of_telephony_value_is_checked(void **state)
{
	static const char *const wrong[] = { "[calls]\nallow = +1 34\n", "[calls]\nallow = +\n", "[calls]\nemergency = 1\n",
		"[calls]\ncaller_ids = +1555x\n", "[twilio]\naccount_sid = SK1\n", "[twilio]\nedge = Dub/lin\n",
		"[twilio]\naddresses = 10.0.0.0/33\n", "[trunk]\naddresses = example.com\n", "[trunk]\nhost = a b\n",
		"[http]\npublic_url = voip.example.com\n", "[http]\npublic_url = https://voip.example.com/\n",
		"[http]\npublic_url = https://u:p@voip.example.com\n", "[trunk]\nusername = me\n",
		"[trunk]\nhost = sip.example.com:5060\n", "[trunk]\nhost = sip.example.com\nusername = a:b\n",
		"[trunk]\nhost = sip.example.com\nrealm = a:b\n",
		"[twilio]\nbase_url = http://127.0.0.1:1\nedge = dublin\n" };
	const char *right = "[calls]\nallow = +1, +34 +44\nemergency = 116117\ncaller_ids = +15550100\n[twilio]\naccount_sid = AC12ab\n"
		"edge = dublin\naddresses = 192.0.2.0/24 2001:db8::/32 198.51.100.7\n[trunk]\nhost = trunk.example.com\nusername = me\n"
		"[http]\npublic_url = https://voip.example.com/gateway\n";
	struct config *cfg;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		expect_complaint(wrong[i], NULL, (const char *[]){ "", NULL });
	assert_int_equal(load(right, NULL, NULL, &cfg, NULL), NXV_OK);
	config_free(cfg);
}

static void secret_is_taken_from_the_environment_only(void **state)
{
	const char *env[] = { "NEXUSVOIP_TWILIO_AUTH_TOKEN=hush-hush", "CREDENTIALS_DIRECTORY=/run/cred", NULL };
	const char *set[] = { "trunk.password=hush-hush", NULL };
	struct nxv_error err = NXV_ERROR_INIT;
	struct config *cfg;

	(void)state;
	assert_int_equal(load("", env, NULL, &cfg, NULL), NXV_OK);
	assert_string_equal(config_secret(cfg, "twilio.auth_token"), "hush-hush");
	assert_null(config_secret(cfg, "trunk.password"));
	assert_null(config_by_name(cfg, "twilio.auth_token"));
	assert_string_equal(config_credentials_dir(cfg), "/run/cred");
	config_free(cfg);
	expect_complaint("[twilio]\nauth_token = hush-hush\n", NULL,
		(const char *[]){ ":2:", "is a secret", "nexusctl secrets set twilio.auth_token", NULL });
	expect_complaint("[secrets]\npassphrase = hush-hush\n", NULL, (const char *[]){ "secrets.passphrase_file", NULL });
	assert_int_equal(load("", NULL, set, &cfg, &err), NXV_E_INVALID);
	assert_non_null(strstr(err.message, "nexusctl secrets set trunk.password"));
	assert_null(strstr(err.message, "hush"));
	expect_complaint("", (const char *[]){ "NEXUSVOIP_TRUNK_PASSWORD=", NULL }, (const char *[]){ "NEXUSVOIP_TRUNK_PASSWORD", "unset", NULL });
}

static void tls_without_certificate_is_refused(void **state)
{
	(void)state;
	expect_complaint("[sip]\ntls_listen = 127.0.0.1:5061\n", NULL, (const char *[]){ "sip.tls_certificate", NULL });
}

static void named_file_must_exist(void **state)
{
	struct config *cfg;
	struct nxv_error err;

	(void)state;
	assert_int_equal(config_load("/nonexistent/nxv.conf", true, NULL, NULL, &cfg, &err), NXV_E_IO);
	assert_non_null(strstr(err.message, "/nonexistent/nxv.conf"));
	assert_int_equal(config_load("/nonexistent/nxv.conf", false, NULL, NULL, &cfg, &err), NXV_OK);
	config_free(cfg);
}

static void every_variable_is_the_key_in_capitals(void **state)
{
	const struct nxv_config_option *opt;
	char name[128];

	(void)state;
	for (size_t i = 0; (opt = nxv_config_option_at(i)); i++) {
		snprintf(name, sizeof(name), "NEXUSVOIP_%s", opt->key);
		for (char *p = name; *p; p++)
			*p = *p == '.' ? '_' : (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
		assert_string_equal(name, opt->env);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_hold_without_a_file),
		cmocka_unit_test(environment_beats_file_and_override_beats_both),
		cmocka_unit_test(unknown_option_is_named_with_line_and_remedy),
		cmocka_unit_test(wrong_value_is_named_with_line_and_remedy),
		cmocka_unit_test(double_option_and_stray_line_are_refused),
		cmocka_unit_test(line_too_long_is_called_that_and_one_that_just_fits_is_taken),
		cmocka_unit_test(unknown_or_wrong_variable_is_named),
		cmocka_unit_test(each_kind_of_telephony_value_is_checked),
		cmocka_unit_test(secret_is_taken_from_the_environment_only),
		cmocka_unit_test(tls_without_certificate_is_refused),
		cmocka_unit_test(named_file_must_exist),
		cmocka_unit_test(every_variable_is_the_key_in_capitals),
	};
	return cmocka_run_group_tests(tests, make_file, drop_file);
}
