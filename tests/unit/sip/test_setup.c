/* test_setup.c - settings of the SIP server: paths, kept ports and secret, and every value that is refused. */
#include "state_folder.h"

#include <arpa/inet.h>
#include <sys/wait.h>

#include "base/text.h"
#include "sip/probe.h"

/* The drivers themselves have their own tests: two names and "installed or not" are all that the settings need. */
static const struct sip_driver fake_opensips = { .name = "opensips", .program = "opensips" };
static const struct sip_driver fake_kamailio = { .name = "kamailio", .program = "kamailio" };
const struct sip_driver *const sip_drivers[] = { &fake_opensips, &fake_kamailio, NULL };
static bool installed;

const struct sip_driver *sip_driver_find(const char *name, const char *binary, char *path, size_t size)
{
	(void)binary;
	if (!installed)
		return NULL;
	text_copy(path, size, "/usr/sbin/fake");
	return strcmp(name, "kamailio") == 0 ? &fake_kamailio : &fake_opensips;
}

static int start(void **state)
{
	installed = true;
	return folder_make(state);
}

static struct sip_setup *load(const char *const *set)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct sip_setup *setup;

	if (setup_load(set, &setup, &err) != NXV_OK)
		fail_msg("%s: %s", err.field, err.message);
	return setup;
}

static void paths_lie_in_a_private_folder_named_after_the_driver(void **state)
{
	struct sip_setup *setup = load((const char *[]){ "sip.server=kamailio", NULL });
	char expected[128];

	(void)state;
	snprintf(expected, sizeof(expected), "%s/sip", folder);
	assert_string_equal(setup->set.run_dir, expected);
	assert_int_equal(folder_mode("sip"), 0700);
	snprintf(expected, sizeof(expected), "%s/sip/location-kamailio.db", folder);
	assert_string_equal(setup->set.location_db, expected);
	snprintf(expected, sizeof(expected), "%s/sip/control.sock", folder);
	assert_string_equal(setup->set.control, expected);
	assert_string_equal(setup->set.binary, "/usr/sbin/fake");
	assert_ptr_equal(setup->driver, &fake_kamailio);
	assert_false(setup->external);
	sip_setup_free(setup);
}

static void no_installed_server_is_no_error(void **state)
{
	struct sip_setup *setup;

	(void)state;
	installed = false;
	setup = load((const char *[]){ NULL });
	assert_null(setup->driver);
	sip_setup_free(setup);
}

static void originator_follows_an_ipv6_listener(void **state)
{
	struct sip_setup *setup = load((const char *[]){ "sip.listen=[::1]:0", NULL });

	(void)state;
	assert_int_equal(strncmp(setup->set.originator, "[::1]:", 6), 0);
	sip_setup_free(setup);
}

/* Its events leave from the listener; OpenSIPS has a socket for them. */
static void kamailios_events_follow_an_ipv6_listener(void **state)
{
	struct sip_setup *setup = load((const char *[]){ "sip.server=kamailio", "sip.mode=external", "sip.control=/run/k.sock",
		"sip.listen=[::1]:0", NULL });

	(void)state;
	assert_int_equal(strncmp(setup->set.events, "[::1]:", 6), 0);
	sip_setup_free(setup);
}

static void port_zero_is_drawn_once_and_kept(void **state)
{
	const char *const set[] = { "sip.listen=127.0.0.1:0", "sip.ws_listen=127.0.0.1:0", NULL };
	struct sip_setup *first = load(set), *second = load(set);
	struct sockaddr_storage sa;
	socklen_t len;

	(void)state;
	assert_string_equal(first->set.listen, second->set.listen);
	assert_string_equal(first->set.ws_listen, second->set.ws_listen);
	assert_string_equal(first->set.originator, second->set.originator);
	assert_string_equal(first->set.events, second->set.events);
	assert_string_not_equal(first->set.listen, first->set.originator);
	assert_true(probe_address(first->set.listen, &sa, &len));
	assert_in_range(ntohs(((struct sockaddr_in *)&sa)->sin_port), 10240, 30240);
	assert_int_equal(probe_bind(first->set.listen, SOCK_DGRAM), 0);
	assert_int_equal(folder_mode("sip/ports"), 0600);
	sip_setup_free(first);
	sip_setup_free(second);
}

static void a_torn_ports_file_costs_only_the_torn_port(void **state)
{
	struct sip_setup *first = load((const char *[]){ NULL }), *second;

	(void)state;
	folder_write("sip/ports", "sip.events=12345\nsip.originator_li");
	second = load((const char *[]){ NULL });
	assert_string_equal(second->set.events, "127.0.0.1:12345");
	assert_true(strncmp(second->set.originator, "127.0.0.1:", 10) == 0);
	sip_setup_free(first);
	sip_setup_free(second);
}

static void two_processes_on_a_new_folder_draw_the_same_ports(void **state)
{
	struct sip_setup *setup;
	int status, children = 4;
	char line[200], *all;

	(void)state;
	for (int i = 0; i < children; i++) {
		if (fork() == 0) {
			setup = load((const char *[]){ "sip.listen=127.0.0.1:0", NULL });
			snprintf(line, sizeof(line), "child%d", i);
			char text[300];
			snprintf(text, sizeof(text), "%s %s %s %s", setup->set.listen, setup->set.events, setup->set.originator, setup->set.secret);
			folder_write(line, text);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		assert_int_equal(status, 0);
	all = folder_read("child0");
	for (int i = 1; i < children; i++) {
		snprintf(line, sizeof(line), "child%d", i);
		char *other = folder_read(line);
		assert_string_equal(all, other);
		free(other);
	}
	free(all);
}

static void the_secret_is_private_kept_and_unlike_another_folders(void **state)
{
	struct sip_setup *first = load((const char *[]){ NULL }), *second = load((const char *[]){ NULL });
	char before[64];

	assert_string_equal(first->set.secret, second->set.secret);
	assert_int_equal(strlen(first->set.secret), 32); /* what OpenSIPS insists on */
	assert_int_equal(folder_mode("sip/secret"), 0600);
	assert_string_equal(first->service_md5, second->service_md5);
	snprintf(before, sizeof(before), "%s", first->set.secret);
	sip_setup_free(first);
	sip_setup_free(second);
	folder_remove(state);
	folder_make(state);
	first = load((const char *[]){ NULL });
	assert_string_not_equal(first->set.secret, before);
	sip_setup_free(first);
}

static void the_service_users_row_holds_digests_of_the_domain(void **state)
{
	struct sip_setup *one = load((const char *[]){ "sip.domain=one.test", NULL });
	struct sip_setup *two = load((const char *[]){ "sip.domain=two.test", NULL });
	struct subscriber row;

	(void)state;
	sip_setup_service(one, &row);
	assert_string_equal(row.username, one->set.service_user);
	assert_string_equal(row.domain, "one.test");
	assert_int_equal(strlen(row.ha1), 32);
	assert_int_equal(strlen(row.ha1_sha256), 64);
	assert_int_equal(strlen(row.ha1_sha512t256), 64);
	assert_string_not_equal(row.ha1, two->service_md5);
	assert_int_equal(row.call_limit, 0);
	sip_setup_free(one);
	sip_setup_free(two);
}

static void every_wrong_option_is_named_with_its_remedy(void **state)
{
	static const struct {
		const char *set, *more, *field;
	} rows[] = {
		{ "sip.domain=bad domain", NULL, "sip.domain" },
		{ "sip.domain=a\";x", NULL, "sip.domain" },
		{ "sip.domain=0123456789012345678901234567890123456789012345678901234567890123.test", NULL, "sip.domain" },
		{ "sip.listen=localhost:5060", NULL, "sip.listen" },
		{ "sip.listen=198.51.100.7:0", NULL, "sip.listen" },
		{ "sip.events=192.0.2.1:5000", NULL, "sip.events" },
		{ "sip.events=0.0.0.0:0", NULL, "sip.events" },
		{ "sip.digest=SHA1", NULL, "sip.digest" },
		{ "sip.digest= ", NULL, "sip.digest" },
		{ "sip.ws_origins=https://a.test\"", NULL, "sip.ws_origins" },
		{ "sip.advertise=sip.test\n:5060", NULL, "sip.advertise" },
		{ "sip.control=/tmp/a b", NULL, "sip.control" },
		{ "sip.tls_listen=127.0.0.1:5061", NULL, "sip.tls_certificate" },
		{ "sip.wss_listen=127.0.0.1:5061", "sip.tls_certificate=/nonexistent.pem", "sip.tls_certificate" },
		{ "sip.mode=external", NULL, "sip.server" },
		{ "sip.mode=external", "sip.server=kamailio", "sip.control" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nxv_error err = NXV_ERROR_INIT;
		struct sip_setup *setup;
		if (setup_load((const char *[]){ rows[i].set, rows[i].more, NULL }, &setup, &err) != NXV_E_INVALID)
			fail_msg("accepted: %s", rows[i].set);
		assert_null(setup);
		if (!strstr(err.field, rows[i].field) && !strstr(err.message, rows[i].field))
			fail_msg("%s: names '%s', says '%s'", rows[i].set, err.field, err.message);
		assert_true(strlen(err.message) > 10);
	}
}

static void digest_algorithms_keep_their_order(void **state)
{
	struct sip_setup *setup = load((const char *[]){ "sip.digest=SHA-256, MD5", NULL });

	(void)state;
	assert_string_equal(setup->set.digest, "SHA-256,MD5");
	sip_setup_free(setup);
}

static void external_mode_takes_the_named_server_even_when_not_installed(void **state)
{
	struct sip_setup *setup;

	(void)state;
	installed = false;
	setup = load((const char *[]){ "sip.mode=external", "sip.server=opensips", "sip.control=/run/opensips/mi.sock", NULL });
	assert_true(setup->external);
	assert_ptr_equal(setup->driver, &fake_opensips);
	assert_string_equal(setup->set.control, "/run/opensips/mi.sock");
	sip_setup_free(setup);
}

static void a_folder_too_long_for_sockets_is_refused(void **state)
{
	char keep[sizeof(folder)], deep[200];
	struct nxv_error err = NXV_ERROR_INIT;
	struct config *cfg;
	struct sip_setup *setup;

	(void)state;
	memcpy(keep, folder, sizeof(folder));
	snprintf(deep, sizeof(deep), "%s/%060d", folder, 0);
	assert_int_equal(mkdir(deep, 0700), 0);
	assert_int_equal(config_load(NULL, false, NULL, NULL, &cfg, &err), NXV_OK);
	assert_int_equal(sip_setup_load(&test_env, cfg, deep, &setup, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "state_dir");
	config_free(cfg);
}

static void a_folder_whose_name_could_break_the_configuration_is_refused(void **state)
{
	char odd[100];
	struct nxv_error err = NXV_ERROR_INIT;
	struct config *cfg;
	struct sip_setup *setup;

	(void)state;
	snprintf(odd, sizeof(odd), "%s/a\"b", folder);
	assert_int_equal(mkdir(odd, 0700), 0);
	assert_int_equal(config_load(NULL, false, NULL, NULL, &cfg, &err), NXV_OK);
	assert_int_equal(sip_setup_load(&test_env, cfg, odd, &setup, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "state_dir");
	config_free(cfg);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, folder_remove)
	const struct CMUnitTest tests[] = {
		CASE(paths_lie_in_a_private_folder_named_after_the_driver),
		CASE(no_installed_server_is_no_error),
		CASE(kamailios_events_follow_an_ipv6_listener),
		CASE(originator_follows_an_ipv6_listener),
		CASE(port_zero_is_drawn_once_and_kept),
		CASE(a_torn_ports_file_costs_only_the_torn_port),
		CASE(two_processes_on_a_new_folder_draw_the_same_ports),
		CASE(the_secret_is_private_kept_and_unlike_another_folders),
		CASE(the_service_users_row_holds_digests_of_the_domain),
		CASE(every_wrong_option_is_named_with_its_remedy),
		CASE(digest_algorithms_keep_their_order),
		CASE(external_mode_takes_the_named_server_even_when_not_installed),
		CASE(a_folder_too_long_for_sockets_is_refused),
		CASE(a_folder_whose_name_could_break_the_configuration_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
