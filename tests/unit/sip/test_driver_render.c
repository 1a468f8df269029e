/* test_driver_render.c - the configurations: filled in, secrets masked, and nothing that could break out of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "sip/control/common.h"
#include "sip/control/template.h"
#include "sip/kamailio/kamailio.h"
#include "sip/opensips/opensips.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static char dir[64], program[128];

/* An installation with the folders of one: the modules are found from the program. */
static int make_installation(void **state)
{
	char command[512];

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/nxv-render-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(program, sizeof(program), "%s/sbin/server", dir);
	snprintf(command, sizeof(command), "cd %s && mkdir -p sbin bare/sbin lib64/opensips/modules lib/kamailio/modules && "
		"touch lib64/opensips/modules/tm.so lib/kamailio/modules/tm.so && printf '#!/bin/sh\\n' > sbin/server && chmod 755 sbin/server && "
		"cp sbin/server bare/sbin/", dir);
	return system(command);
}

static int remove_installation(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static struct sip_settings settings(void)
{
	return (struct sip_settings){ .domain = "sip.example.com", .listen = "127.0.0.1:5060", .ws_listen = "", .tls_listen = "",
		.wss_listen = "", .tls_certificate = "", .tls_private_key = "", .advertise = "", .ws_origins = "", .digest = "MD5",
		.run_dir = "/run/x", .auth_db = "/run/x/auth.db", .location_db = "/run/x/location.db", .control = "/run/x/control.sock",
		.events = "127.0.0.1:5999", .originator = "127.0.0.1:5070", .service_user = "nexus-gateway", .secret = SECRET,
		.binary = program, .calls_per_user = 50, .max_call_seconds = 14400, .ring_seconds = 60 };
}

static const struct sip_driver *const both[] = { &opensips_driver, &kamailio_driver };

static void render(const struct sip_driver *driver, const struct sip_settings *set, const char *version, bool mask, struct buf *out)
{
	struct nxv_error err = NXV_ERROR_INIT;

	*out = (struct buf)BUF_INIT;
	if (driver->render(set, version, mask, out, &err) != NXV_OK)
		fail_msg("%s: %s", driver->name, err.message);
}

static void nothing_is_left_to_fill_in(void **state)
{
	struct sip_settings set = settings();
	struct buf out;

	(void)state;
	set.ws_listen = "127.0.0.1:8088";
	set.tls_listen = "127.0.0.1:5061";
	set.wss_listen = "127.0.0.1:8089";
	set.tls_certificate = "/etc/x/cert.pem";
	set.tls_private_key = "/etc/x/key.pem";
	set.ws_origins = "*";
	set.advertise = "sip.example.com:5060";
	for (size_t i = 0; i < 2; i++) {
		render(both[i], &set, "5.6.3", false, &out);
		assert_null(strstr(out.data, "@if"));
		assert_null(strstr(out.data, "@end"));
		assert_null(strstr(out.data, "@DOMAIN"));
		assert_non_null(strstr(out.data, SECRET));
		assert_non_null(strstr(out.data, i ? "udp:127.0.0.1:5060 advertise sip.example.com:5060\n" : "udp:127.0.0.1:5060 as sip.example.com:5060\n"));
		assert_non_null(strstr(out.data, i ? "tls:127.0.0.1:8089 advertise sip.example.com:8089\n" : "wss:127.0.0.1:8089 as sip.example.com:8089\n"));
		assert_non_null(strstr(out.data, "/etc/x/key.pem"));
		buf_free(&out);
	}
}

static void listeners_that_are_off_do_not_appear(void **state)
{
	struct sip_settings set = settings();
	struct buf out;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		render(both[i], &set, NULL, false, &out);
		assert_null(strstr(out.data, "websocket.so"));
		assert_null(strstr(out.data, "proto_ws"));
		assert_null(strstr(out.data, "tls:"));
		assert_null(strstr(out.data, "tls_mgm"));
		assert_null(strstr(out.data, "tls.so"));
		buf_free(&out);
	}
}

static void secrets_are_masked_where_people_look(void **state)
{
	struct sip_settings set = settings();
	struct buf out;
	char key[33];

	(void)state;
	common_event_key(&set, key);
	assert_int_equal(strlen(key), 32);
	for (size_t i = 0; i < 2; i++) {
		render(both[i], &set, NULL, true, &out);
		assert_null(strstr(out.data, SECRET));
		assert_null(strstr(out.data, key));
		assert_non_null(strstr(out.data, "***"));
		buf_free(&out);
	}
	for (size_t i = 0; i < 2; i++) {
		render(both[i], &set, NULL, false, &out);
		assert_non_null(strstr(out.data, key));
		buf_free(&out);
	}
}

/* Text that a release's configuration must have, or must not. */
struct words {
	const struct sip_driver *driver;
	const char *version, *has, *has_not;
};

static void each_release_gets_its_own_words(void **state)
{
	static const struct words words[] = {
		{ &opensips_driver, "3.4.18", "create_dialog(\"B\")", "bye-on-timeout" },
		{ &opensips_driver, "3.4.18", "event_route.so", "busy_timeout" },
		{ &opensips_driver, "3.6.8", "create_dialog(\"B\")", "bye-on-timeout" },
		{ &opensips_driver, "3.6.8", "event_route.so", NULL },
		{ &opensips_driver, "3.6.8", "busy_timeout", NULL },
		{ &opensips_driver, "4.0.1", "create_dialog(\"bye-on-timeout\")", "event_route.so" },
		{ &opensips_driver, "4.0.1", "busy_timeout", NULL },
		{ &opensips_driver, "10.0.0", "bye-on-timeout", "event_route.so" },
		{ &kamailio_driver, "5.6.3", "fr_inv_timer", "reply_matching" },
		{ &kamailio_driver, "5.8.8", "fr_inv_timer", "reply_matching" },
		{ &kamailio_driver, "6.1.3", "fr_inv_timer", "reply_matching" }, /* would refuse to start */
		{ &kamailio_driver, "6.1.4", "modparam(\"tm\", \"reply_matching\", 0)", NULL },
		{ &kamailio_driver, "6.2.0", "reply_matching", NULL },
		{ &kamailio_driver, "7.0", "reply_matching", NULL },
	};
	struct sip_settings set = settings();
	struct buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		render(words[i].driver, &set, words[i].version, false, &out);
		assert_non_null(strstr(out.data, words[i].has));
		assert_true(!words[i].has_not || !strstr(out.data, words[i].has_not));
		buf_free(&out);
	}
}

/* What each setting must not be, the status it gives, and the field it names. */
static void assert_refused(const struct sip_driver *driver, const struct sip_settings *set, const char *version, nxv_status expected, const char *field)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct buf out = BUF_INIT;

	assert_int_equal(driver->render(set, version, false, &out, &err), expected);
	assert_int_equal(err.status, expected);
	assert_string_equal(err.field, field);
	assert_true(strlen(err.message) > 20);
	assert_null(strstr(err.message, SECRET));
	buf_free(&out);
}

static void nothing_can_be_injected(void **state)
{
	static const char *const addresses[] = { "127.0.0.1:5060\nlog_level=4", "127.0.0.1:5060 as x:1", "localhost:5060", "127.0.0.1", "127.0.0.1:0",
		"127.0.0.1:99999", "" };
	static const char *const domains[] = { "a\";exec(\"x\")", "a b", "A.Example", "a@b", "", "a\nb", "$var(x)" };
	static const char *const paths[] = { "relative/auth.db", "/run/x\";", "/run/x;y", "/run/x y", "/run/$x", "/run/x\n", "" };
	static const char *const origins[] = { "https://a\" || 1", "https://a b", "https://a)", "$hdr(x)" };

	(void)state;
	for (size_t d = 0; d < 2; d++) {
		struct sip_settings set;

		for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
			set = settings();
			set.listen = addresses[i];
			assert_refused(both[d], &set, NULL, NXV_E_INVALID, "sip.listen");
			set = settings();
			set.events = addresses[i];
			assert_refused(both[d], &set, NULL, NXV_E_INVALID, "sip.events");
		}
		for (size_t i = 0; i < sizeof(domains) / sizeof(*domains); i++) {
			set = settings();
			set.domain = domains[i];
			assert_refused(both[d], &set, NULL, NXV_E_INVALID, "sip.domain");
		}
		for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
			set = settings();
			set.control = paths[i];
			assert_refused(both[d], &set, NULL, NXV_E_INVALID, "sip.control");
			set = settings();
			set.location_db = paths[i];
			assert_refused(both[d], &set, NULL, NXV_E_INVALID, "state folder");
			set = settings();
			set.tls_listen = "127.0.0.1:5061";
			set.tls_certificate = paths[i];
			assert_refused(both[d], &set, NULL, NXV_E_INVALID, "sip.tls_certificate");
		}
		for (size_t i = 0; i < sizeof(origins) / sizeof(*origins); i++) {
			set = settings();
			set.ws_listen = "127.0.0.1:8088";
			set.ws_origins = origins[i];
			assert_refused(both[d], &set, NULL, NXV_E_INVALID, "sip.ws_origins");
		}
		set = settings();
		set.advertise = "host\" x:5060";
		assert_refused(both[d], &set, NULL, NXV_E_INVALID, "sip.advertise");
		set = settings();
		set.secret = "has\"quote";
		assert_refused(both[d], &set, NULL, NXV_E_INTERNAL, "");
		set = settings();
		set.listen = "0.0.0.0:5060";
		assert_refused(both[d], &set, NULL, NXV_E_INVALID, "sip.advertise");
		set = settings();
		set.ws_listen = "127.0.0.1:8088";
		assert_refused(both[d], &set, NULL, NXV_E_INVALID, "sip.ws_origins");
	}
}

static void what_a_server_cannot_do_is_said(void **state)
{
	struct sip_settings set = settings();
	char bare[160];

	(void)state;
	set.digest = "MD5,SHA-256";
	assert_refused(&kamailio_driver, &set, NULL, NXV_E_UNSUPPORTED, "sip.digest");
	set.digest = "SHA-512-256";
	assert_refused(&kamailio_driver, &set, NULL, NXV_E_UNSUPPORTED, "sip.digest");
	set.digest = "MD4";
	assert_refused(&opensips_driver, &set, NULL, NXV_E_INVALID, "sip.digest");
	set.digest = "";
	assert_refused(&opensips_driver, &set, NULL, NXV_E_INVALID, "sip.digest");
	set = settings();
	set.ws_listen = "127.0.0.1:8088";
	set.ws_origins = "https://app.example.com";
	assert_refused(&opensips_driver, &set, NULL, NXV_E_UNSUPPORTED, "sip.ws_origins");
	set = settings();
	assert_refused(&opensips_driver, &set, "3.3.9", NXV_E_UNSUPPORTED, "");
	assert_refused(&kamailio_driver, &set, "5.5.1", NXV_E_UNSUPPORTED, "");
	set.binary = "/nonexistent/opensips";
	assert_refused(&opensips_driver, &set, NULL, NXV_E_UNSUPPORTED, "");
	snprintf(bare, sizeof(bare), "%s/bare/sbin/server", dir); /* a program, but with no modules beside it */
	set.binary = bare;
	assert_refused(&kamailio_driver, &set, NULL, NXV_E_UNSUPPORTED, "");
}

static void origins_become_one_condition(void **state)
{
	struct sip_settings set = settings();
	struct buf out;

	(void)state;
	set.ws_listen = "127.0.0.1:8088";
	set.ws_origins = " https://a.example.com ,http://localhost:3000";
	render(&kamailio_driver, &set, NULL, false, &out);
	assert_non_null(strstr(out.data, "if ($hdr(Origin) != \"https://a.example.com\" && $hdr(Origin) != \"http://localhost:3000\") {"));
	buf_free(&out);
	set.ws_origins = "*";
	render(&kamailio_driver, &set, NULL, false, &out);
	assert_null(strstr(out.data, "$hdr(Origin)"));
	buf_free(&out);
}

static void the_program_is_started_in_the_foreground_without_secrets(void **state)
{
	struct sip_settings set = settings();

	(void)state;
	for (size_t d = 0; d < 2; d++) {
		for (int check = 0; check < 2; check++) {
			const char *argv[16] = { "unset" };
			bool config = false;
			int i;

			both[d]->argv(&set, "/run/x/server.cfg", check, argv);
			assert_string_equal(argv[0], program);
			for (i = 1; argv[i]; i++) {
				config = config || strcmp(argv[i], "/run/x/server.cfg") == 0;
				assert_null(strstr(argv[i], SECRET));
			}
			assert_true(config && i < 16);
		}
	}
}

static void templates_fail_loudly(void **state)
{
	struct template_vars vars = { .count = 0 };
	struct nxv_error err = NXV_ERROR_INIT;
	struct buf out = BUF_INIT;

	(void)state;
	template_set(&vars, "ONE", "%d", 1);
	template_set(&vars, "NONE", "%s", "");
	assert_int_equal(template_render("a@@ONE@ @one@ user@host\n@if ONE\nin\n@if NONE\nout\n@end\nin2\n@end\n@if NONE\n@if ONE\nout\n@end\nout\n@end\nlast",
		&vars, &out, &err), NXV_OK);
	assert_string_equal(out.data, "a@1 @one@ user@host\nin\nin2\nlast");
	assert_int_equal(template_render("@MISSING@", &vars, &out, &err), NXV_E_INTERNAL);
	assert_int_equal(template_render("@if ONE\n", &vars, &out, &err), NXV_E_INTERNAL);
	assert_int_equal(template_render("@end\n", &vars, &out, &err), NXV_E_INTERNAL);
	buf_free(&out);
	template_vars_free(&vars);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_left_to_fill_in),
		cmocka_unit_test(listeners_that_are_off_do_not_appear),
		cmocka_unit_test(secrets_are_masked_where_people_look),
		cmocka_unit_test(each_release_gets_its_own_words),
		cmocka_unit_test(nothing_can_be_injected),
		cmocka_unit_test(what_a_server_cannot_do_is_said),
		cmocka_unit_test(origins_become_one_condition),
		cmocka_unit_test(the_program_is_started_in_the_foreground_without_secrets),
		cmocka_unit_test(templates_fail_loudly),
	};

	return cmocka_run_group_tests(tests, make_installation, remove_installation);
}
