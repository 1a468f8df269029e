/* test_nexusctl.c - nexusctl without a SIP server: set up, keys, credentials, exit statuses, JSON, errors. */
#include <nexusvoip/nexusvoip.h>

#include <json-c/json.h>

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARGS_MAX = 32, OUTPUT_MAX = 256 * 1024, DEADLINE_S = 20 };

static char dir[] = "/tmp/nexusctl-test.XXXXXX";
static char state[64];
static char out[OUTPUT_MAX], err[OUTPUT_MAX];

static void read_output(const char *path, char *text)
{
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	text[fread(text, 1, OUTPUT_MAX - 1, f)] = '\0';
	fclose(f);
}

static void redirect(int fd, const char *path)
{
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (to < 0 || dup2(to, fd) < 0)
		_exit(99);
}

/* Run nexusctl with these arguments; what it printed is then in out and err. @return its exit status. */
static int run_args(const char *const *args)
{
	char out_path[96], err_path[96];
	int status = 0;

	snprintf(out_path, sizeof(out_path), "%s/out", dir);
	snprintf(err_path, sizeof(err_path), "%s/err", dir);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		union {
			const char *const *in;
			char *const *out;
		} argv = { .in = args };
		redirect(STDOUT_FILENO, out_path);
		redirect(STDERR_FILENO, err_path);
		alarm(DEADLINE_S);
		execv(NEXUSCTL, argv.out);
		_exit(98);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	read_output(out_path, out);
	read_output(err_path, err);
	if (!WIFEXITED(status))
		fail_msg("nexusctl ended by signal %d: %s", WTERMSIG(status), err);
	return WEXITSTATUS(status);
}

/* nexusctl --state <the test's folder> and the words of a command, NULL-ended. */
static int run(const char *word, ...)
{
	const char *args[ARGS_MAX] = { "nexusctl", "--state", state };
	int n = 3;
	va_list more;

	va_start(more, word);
	for (; word && n < ARGS_MAX - 1; word = va_arg(more, const char *))
		args[n++] = word;
	va_end(more);
	return run_args(args);
}

static void expect(int status, int expected)
{
	if (status != expected)
		fail_msg("exit status %d instead of %d\nout: %s\nerr: %s", status, expected, out, err);
}

static void expect_in(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("\"%s\" is not in: %s", words, text);
}

/* What was printed, as JSON; the caller puts it. */
static struct json_object *json_of(const char *text)
{
	struct json_object *obj = json_tokener_parse(text);

	if (!obj)
		fail_msg("no JSON: %s", text);
	return obj;
}

static const char *text_of(struct json_object *obj, const char *member)
{
	const char *text = json_object_get_string(json_object_object_get(obj, member));

	if (!text)
		fail_msg("no %s in %s", member, json_object_to_json_string(obj));
	return text;
}

/* A new key of a user; its id, [borrowed] until the next call. */
static const char *make_key(const char *user)
{
	static char id[64];

	expect(run("keys", "create", "--user", user, "--name", "test", "--permissions", "call,sip", "--json", NULL), 0);
	struct json_object *key = json_of(out);
	snprintf(id, sizeof(id), "%s", text_of(key, "id"));
	json_object_put(key);
	return id;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_state(void)
{
	nftw(state, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static int new_state(void **unused)
{
	(void)unused;
	remove_state();
	return run("init", NULL) == 0 ? 0 : -1;
}

static int no_state(void **unused)
{
	(void)unused;
	remove_state();
	return 0;
}

static void init_prints_the_admin_key_once_and_is_then_refused(void **unused)
{
	struct stat st;

	(void)unused;
	expect(run("init", "--json", NULL), 0);
	struct json_object *obj = json_of(out);
	assert_int_equal(json_object_object_length(obj), 1);
	assert_memory_equal(text_of(obj, "adminKey"), "sk_voip_", 8);
	json_object_put(obj);
	assert_string_equal(err, "");
	assert_int_equal(stat(state, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	expect(run("init", "--json", NULL), 4);
	assert_string_equal(out, "");
	expect_in(err, "already_initialised");
	expect_in(err, "keys rotate key_");
	expect(run("keys", "list", "--json", NULL), 0);
	obj = json_of(out);
	assert_int_equal(json_object_array_length(obj), 1);
	struct json_object *key = json_object_array_get_idx(obj, 0);
	assert_string_equal(text_of(key, "userId"), "admin");
	assert_int_equal(json_object_array_length(json_object_object_get(json_object_object_get(key, "metadata"), "permissions")), 4);
	assert_null(json_object_object_get(key, "key"));
	json_object_put(obj);
}

static void init_makes_the_folders_above_too(void **unused)
{
	char deep[128];

	(void)unused;
	snprintf(deep, sizeof(deep), "%s/a/b", state);
	const char *const args[] = { "nexusctl", "--state", deep, "init", NULL };
	expect(run_args(args), 0);
	assert_memory_equal(out, "sk_voip_", 8);
	expect_in(err, "never shown again");
}

static void only_one_of_two_inits_at_once_makes_a_key(void **unused)
{
	int made = 0;
	pid_t pids[4];

	(void)unused;
	for (size_t i = 0; i < 4; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			redirect(STDOUT_FILENO, "/dev/null");
			redirect(STDERR_FILENO, "/dev/null");
			alarm(DEADLINE_S);
			execl(NEXUSCTL, "nexusctl", "--state", state, "init", (char *)NULL);
			_exit(98);
		}
	}
	for (size_t i = 0; i < 4; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) != 0)
			assert_int_equal(WEXITSTATUS(status), 4);
		made += WEXITSTATUS(status) == 0;
	}
	assert_int_equal(made, 1);
}

static void commands_without_a_state_folder_say_how_to_make_one(void **unused)
{
	(void)unused;
	expect(run("keys", "list", NULL), 1);
	expect_in(err, "init`");
	assert_int_equal(access(state, F_OK), -1);
}

static void keys_live_through_their_commands(void **unused)
{
	char id[64];

	(void)unused;
	snprintf(id, sizeof(id), "%s", make_key("bob"));
	struct json_object *key = json_of(out);
	assert_memory_equal(text_of(key, "key"), "sk_voip_", 8);
	assert_string_equal(text_of(key, "service"), "voip");
	assert_string_equal(text_of(key, "userId"), "bob");
	json_object_put(key);
	expect(run("keys", "show", id, NULL), 0);
	expect_in(out, "permissions  call,sip");
	assert_null(strstr(out, "\nkey "));
	expect(run("keys", "toggle", id, "--json", NULL), 0);
	expect_in(out, "\"active\":false");
	expect(run("keys", "enable", id, "--json", NULL), 0);
	expect_in(out, "\"active\":true");
	expect(run("keys", "disable", id, "--json", NULL), 0);
	expect_in(out, "\"active\":false");
	expect(run("keys", "rotate", id, NULL), 4);
	expect(run("keys", "enable", id, NULL), 0);
	expect(run("keys", "rotate", id, "--overlap", "1h", "--json", NULL), 0);
	key = json_of(out);
	assert_string_not_equal(text_of(key, "id"), id);
	assert_memory_equal(text_of(key, "key"), "sk_voip_", 8);
	json_object_put(key);
	expect(run("keys", "delete", id, "--json", NULL), 0);
	expect_in(out, "\"deleted\":true");
	expect(run("keys", "delete", id, NULL), 3);
	assert_string_equal(out, "");
}

static void key_expiry_takes_a_time_or_a_distance(void **unused)
{
	int64_t at, now;

	(void)unused;
	expect(run("keys", "create", "--user", "u", "--name", "n", "--permissions", "sip", "--expires", "+30d", "--json", NULL), 0);
	struct json_object *key = json_of(out);
	assert_int_equal(nxv_time_parse(text_of(key, "createdAt"), &now, NULL), NXV_OK);
	assert_int_equal(nxv_time_parse(text_of(key, "expiresAt"), &at, NULL), NXV_OK);
	assert_in_range(at - now, INT64_C(30) * 86400000 - 60000, INT64_C(30) * 86400000);
	json_object_put(key);
	expect(run("keys", "create", "--user", "u", "--name", "n", "--permissions", "sip", "--expires", "2099-01-31T12:00:00+01:00", NULL), 0);
	expect_in(out, "2099-01-31T11:00:00Z");
	expect(run("keys", "create", "--user", "u", "--name", "n", "--permissions", "sip", "--expires=-1d", NULL), 2);
	expect_in(err, "--expires: ");
	expect(run("keys", "create", "--user", "u", "--name", "n", "--permissions", "sip", "--expires", "tomorrow", NULL), 2);
	expect(run("keys", "create", "--user", "u", "--name", "n", "--permissions", "sip", "--expires", "1970-01-01T00:00:00Z", NULL), 2);
}

static void lists_of_every_length_are_arrays(void **unused)
{
	(void)unused;
	for (int i = 0; i < 3; i++)
		make_key("lister");
	expect(run("keys", "list", "--user", "lister", "--json", NULL), 0);
	struct json_object *list = json_of(out);
	assert_int_equal(json_object_array_length(list), 3);
	json_object_put(list);
	static const char *const lists[][3] = { { "keys", "list" }, { "credentials", "list" }, { "call", "list" }, { "usage", "list" } };
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		expect(run(lists[i][0], lists[i][1], "--user", "nobody", "--json", NULL), 0);
		list = json_of(out);
		assert_true(json_object_is_type(list, json_type_array));
		assert_int_equal(json_object_array_length(list), 0);
		json_object_put(list);
		expect(run(lists[i][0], lists[i][1], "--user", "nobody", NULL), 0);
		assert_string_equal(out, "");
	}
}

static void credential_shows_its_password_once(void **unused)
{
	char id[64];

	(void)unused;
	expect(run("credentials", "create", "--user", "bob", "--json", NULL), 0);
	struct json_object *cred = json_of(out);
	snprintf(id, sizeof(id), "%s", text_of(cred, "id"));
	assert_memory_equal(text_of(cred, "username"), "user_", 5);
	assert_true(strlen(text_of(cred, "password")) >= 16);
	assert_memory_equal(text_of(cred, "sipUri"), "sip:user_", 9);
	char *password = strdup(text_of(cred, "password"));
	json_object_put(cred);
	expect(run("credentials", "list", "--json", NULL), 0);
	expect_in(out, id);
	assert_null(strstr(out, password));
	free(password);
	expect(run("credentials", "revoke", id, NULL), 0);
	expect(run("credentials", "revoke", id, NULL), 3);
	expect(run("credentials", "list", "--json", NULL), 0);
	assert_null(strstr(out, id));
}

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
	expect(run("sip", "registrations", NULL), 5);
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

/* A row of usage, written as the server does. */
static void use_key(nxv_ctx *ctx, const char *token, const char *request_id)
{
	struct nxv_gate_opts opts = NXV_GATE_OPTS_INIT;
	struct nxv_error error = NXV_ERROR_INIT;
	struct nxv_pass *pass = NULL;
	char bearer[128];

	snprintf(bearer, sizeof(bearer), "Bearer %s", token);
	opts.authorization = bearer;
	opts.method = "GET";
	opts.route = "/api/v1/opensips/health";
	opts.request_id = request_id;
	opts.client_address = "127.0.0.1";
	assert_int_equal(nxv_gate_enter(ctx, &opts, &pass, &error), NXV_OK);
	assert_int_equal(nxv_gate_leave(ctx, pass, 200, 12, &error), NXV_OK);
}

static void usage_shows_each_rows_request_id(void **unused)
{
	struct nxv_opts opts = NXV_OPTS_INIT;
	struct nxv_error error = NXV_ERROR_INIT;
	nxv_ctx *ctx = NULL;

	(void)unused;
	make_key("user1");
	struct json_object *key = json_of(out);
	opts.state_dir = state;
	assert_int_equal(nxv_open(&opts, &ctx, &error), NXV_OK);
	use_key(ctx, text_of(key, "key"), "first");
	use_key(ctx, text_of(key, "key"), "with,comma \"and quotes\"");
	nxv_close(ctx);
	json_object_put(key);
	expect(run("usage", "list", NULL), 0);
	expect_in(out, "REQUEST ID");
	expect_in(out, "first");
	expect(run("usage", "list", "--user", "user1", "--limit", "1", "--json", NULL), 0);
	struct json_object *rows = json_of(out);
	assert_int_equal(json_object_array_length(rows), 1);
	assert_string_equal(text_of(json_object_array_get_idx(rows, 0), "requestId"), "with,comma \"and quotes\"");
	json_object_put(rows);
	expect(run("usage", "export", NULL), 0);
	assert_memory_equal(out, "id,at,request_id,", 17);
	expect_in(out, ",first,key_");
	expect_in(out, ",\"with,comma \"\"and quotes\"\"\",key_");
	expect(run("usage", "export", "--format", "jsonl", NULL), 0);
	assert_non_null(strchr(out, '\n'));
	*strchr(out, '\n') = '\0';
	rows = json_of(out);
	assert_string_equal(text_of(rows, "requestId"), "first");
	json_object_put(rows);
	expect(run("usage", "list", "--until", "-1h", "--json", NULL), 0);
	assert_string_equal(out, "[]\n");
}

static void output_that_cannot_be_written_is_a_failure(void **unused)
{
	int status;

	(void)unused;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		redirect(STDOUT_FILENO, "/dev/full");
		redirect(STDERR_FILENO, "/dev/null");
		execl(NEXUSCTL, "nexusctl", "version", (char *)NULL);
		_exit(98);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1);
}

static int setup(void **unused)
{
	(void)unused;
	unsetenv("NEXUSVOIP_STATE");
	if (!mkdtemp(dir))
		return -1;
	snprintf(state, sizeof(state), "%s/state", dir);
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	return nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(init_prints_the_admin_key_once_and_is_then_refused, no_state),
		cmocka_unit_test_setup(init_makes_the_folders_above_too, no_state),
		cmocka_unit_test_setup(only_one_of_two_inits_at_once_makes_a_key, no_state),
		cmocka_unit_test_setup(commands_without_a_state_folder_say_how_to_make_one, no_state),
		cmocka_unit_test_setup(keys_live_through_their_commands, new_state),
		cmocka_unit_test(key_expiry_takes_a_time_or_a_distance),
		cmocka_unit_test(lists_of_every_length_are_arrays),
		cmocka_unit_test(credential_shows_its_password_once),
		cmocka_unit_test(wrong_use_gets_2_and_the_nearest_that_is_right),
		cmocka_unit_test(options_may_stand_anywhere),
		cmocka_unit_test(errors_are_json_too_when_asked_for),
		cmocka_unit_test(unknown_calls_and_missing_engine_have_their_statuses),
		cmocka_unit_test(a_wrong_configuration_is_named_and_the_options_still_listed),
		cmocka_unit_test(config_list_shows_values_in_force),
		cmocka_unit_test(version_and_help_need_no_state),
		cmocka_unit_test_setup(usage_shows_each_rows_request_id, new_state),
		cmocka_unit_test(output_that_cannot_be_written_is_a_failure),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
