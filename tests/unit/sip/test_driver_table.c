/* test_driver_table.c - the table of drivers: where programs are looked for, and which version they say they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "sip/server.h"

static char dir[64];

static int make_programs(void **state)
{
	char command[640];

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/nxv-table-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(command, sizeof(command), "cd %s && "
		"printf '#!/bin/sh\\necho \"version: kamailio 5.6.3 (x86_64/linux)\"\\n' > kamailio && "
		"printf '#!/bin/sh\\n[ \"$1\" = -V ] && echo \"version: opensips 3.6.8 (x86_64/linux)\" >&2\\n' > opensips && "
		"printf '#!/bin/sh\\necho hello\\n' > other && chmod 755 kamailio opensips other && touch opensips-data", dir);
	return system(command);
}

static int remove_programs(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static const char *in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void opensips_is_the_first_choice(void **state)
{
	(void)state;
	assert_string_equal(sip_drivers[0]->name, "opensips");
	assert_string_equal(sip_drivers[1]->name, "kamailio");
	assert_null(sip_drivers[2]);
}

static void a_given_program_tells_its_driver(void **state)
{
	char path[256] = "";

	(void)state;
	assert_string_equal(sip_driver_find("auto", in_dir("kamailio"), path, sizeof(path))->name, "kamailio");
	assert_string_equal(path, in_dir("kamailio"));
	assert_string_equal(sip_driver_find("auto", in_dir("opensips"), NULL, 0)->name, "opensips");
	assert_string_equal(sip_driver_find("kamailio", in_dir("other"), path, sizeof(path))->name, "kamailio");
	assert_null(sip_driver_find("auto", in_dir("other"), path, sizeof(path)));
	assert_null(sip_driver_find("opensips", in_dir("missing"), path, sizeof(path)));
	assert_null(sip_driver_find("auto", in_dir("opensips-data"), path, sizeof(path)));
	assert_null(sip_driver_find("asterisk", "", path, sizeof(path)));
}

static void versions_are_what_programs_say(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	char version[32];

	(void)state;
	assert_int_equal(sip_driver_version(sip_drivers[0], in_dir("opensips"), version, sizeof(version), &err), NXV_OK);
	assert_string_equal(version, "3.6.8");
	assert_int_equal(sip_driver_version(sip_drivers[1], in_dir("kamailio"), version, sizeof(version), &err), NXV_OK);
	assert_string_equal(version, "5.6.3");
	assert_int_equal(sip_driver_version(sip_drivers[1], in_dir("other"), version, sizeof(version), &err), NXV_E_UNSUPPORTED);
	assert_int_equal(sip_driver_version(sip_drivers[1], in_dir("missing"), version, sizeof(version), &err), NXV_E_IO);
}

static void a_release_that_nobody_tried_is_known_as_such(void **state)
{
	static const struct sip_driver driver = { .name = "x", .releases = "3.4, 3.6, 4.0" };

	(void)state;
	assert_true(sip_driver_tried(&driver, "3.4.18"));
	assert_true(sip_driver_tried(&driver, "3.6"));
	assert_true(sip_driver_tried(&driver, "4.0.1"));
	assert_false(sip_driver_tried(&driver, "3.5.2"));
	assert_false(sip_driver_tried(&driver, "3.60.1"));
	assert_false(sip_driver_tried(&driver, "4.1.0"));
	assert_false(sip_driver_tried(&driver, "13.4.0"));
	assert_false(sip_driver_tried(&driver, "4"));
	assert_false(sip_driver_tried(&driver, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opensips_is_the_first_choice),
		cmocka_unit_test(a_given_program_tells_its_driver),
		cmocka_unit_test(versions_are_what_programs_say),
		cmocka_unit_test(a_release_that_nobody_tried_is_known_as_such),
	};

	return cmocka_run_group_tests(tests, make_programs, remove_programs);
}
