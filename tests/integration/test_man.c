/* test_man.c - the manual pages tell of every command, option and configuration option there is, and of no other. */
#include <nexusvoip/nexusvoip.h>

#include <json-c/json.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_stream(FILE *f)
{
	size_t cap = 1 << 18, len;
	char *text = malloc(cap);

	assert_non_null(f);
	assert_non_null(text);
	len = fread(text, 1, cap - 1, f);
	assert_true(len > 0 && len < cap - 1);
	text[len] = '\0';
	return text;
}

static char *read_page(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/docs/man/%s", SOURCE_DIR, name);
	FILE *f = fopen(path, "r");
	if (!f)
		fail_msg("%s cannot be read", path);
	char *text = read_stream(f);
	fclose(f);
	return text;
}

/* The commands as nexusctl itself lists them. */
static struct json_object *read_commands(void)
{
	FILE *f = popen(NEXUSCTL " help --json", "r");
	char *text = read_stream(f);
	struct json_object *list = json_tokener_parse(text);

	assert_int_equal(pclose(f), 0);
	free(text);
	assert_true(json_object_is_type(list, json_type_array));
	assert_true(json_object_array_length(list) > 20);
	return list;
}

/* The line of the manual that tells of a command; [owned], NULL when there is none. */
static char *entry_of(const char *page, const char *command)
{
	char start[80];

	snprintf(start, sizeof(start), "\n.It Ic %s", command);
	for (const char *at = strstr(page, start); at; at = strstr(at + 1, start)) {
		char next = at[strlen(start)];
		if (next == '\n' || next == ' ')
			return strndup(at + 1, strcspn(at + 1, "\n"));
	}
	return NULL;
}

static void every_command_is_in_the_manual_with_its_options(void **state)
{
	char *page = read_page("nexusctl.1");
	struct json_object *list = read_commands();

	(void)state;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *row = json_object_array_get_idx(list, i);
		const char *command = json_object_get_string(json_object_object_get(row, "command"));
		const char *usage = json_object_get_string(json_object_object_get(row, "usage"));
		char *entry = entry_of(page, command);
		if (!entry)
			fail_msg("nexusctl(1) does not tell of %s", command);
		for (const char *opt = strstr(usage, "--"); opt; opt = strstr(opt + 2, "--")) {
			char flag[64];
			snprintf(flag, sizeof(flag), "Fl -%.*s", (int)strcspn(opt + 2, " ]"), opt + 2);
			if (!strstr(entry, flag))
				fail_msg("nexusctl(1) does not tell of %.*s of %s", (int)strcspn(opt, " ]"), opt, command);
		}
		free(entry);
	}
	json_object_put(list);
	free(page);
}

static void the_manual_tells_of_no_other_command(void **state)
{
	char *page = read_page("nexusctl.1");
	struct json_object *list = read_commands();

	(void)state;
	for (const char *at = strstr(page, "\n.It Ic "); at; at = strstr(at + 1, "\n.It Ic ")) {
		const char *name = at + 8;
		bool known = false;
		for (size_t i = 0; i < json_object_array_length(list) && !known; i++) {
			const char *command = json_object_get_string(json_object_object_get(json_object_array_get_idx(list, i), "command"));
			size_t len = strlen(command);
			known = !strncmp(name, command, len) && (name[len] == '\n' || name[len] == ' ');
		}
		if (!known)
			fail_msg("there is no command %.*s", (int)strcspn(name, "\n"), name);
	}
	json_object_put(list);
	free(page);
}

static void every_configuration_option_is_in_the_manual_with_its_default(void **state)
{
	char *page = read_page("nexusvoip.conf.5");
	const struct nxv_config_option *o;
	size_t count = 0, told = 0;

	(void)state;
	for (; (o = nxv_config_option_at(count)); count++) {
		char it[80], fallback[256], env[96];
		snprintf(it, sizeof(it), "\n.It Va %s\n", o->key);
		snprintf(fallback, sizeof(fallback), "\nDefault: %s.\n", *o->fallback ? o->fallback : "empty");
		snprintf(env, sizeof(env), "\n.Ev %s .\n", o->env);
		char *at = strstr(page, it);
		if (!at) {
			fail_msg("nexusvoip.conf(5) does not tell of %s", o->key);
			break; /* the compiler does not know that it never gets here */
		}
		char *end = strstr(at + 1, "\n.It ");
		char *entry = strndup(at, end ? (size_t)(end - at) + 1 : strlen(at));
		if (!strstr(entry, fallback))
			fail_msg("nexusvoip.conf(5): the default of %s is %s", o->key, *o->fallback ? o->fallback : "empty");
		if (!strstr(entry, env))
			fail_msg("nexusvoip.conf(5): %s has the variable %s", o->key, o->env);
		free(entry);
	}
	for (const char *at = strstr(page, "\n.It Va "); at; at = strstr(at + 1, "\n.It Va "))
		told++;
	assert_int_equal(told, count);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_is_in_the_manual_with_its_options),
		cmocka_unit_test(the_manual_tells_of_no_other_command),
		cmocka_unit_test(every_configuration_option_is_in_the_manual_with_its_default),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
