/* test_nexusctl.c - nexusctl without a SIP server: set up, keys, credentials, lists, usage. */
#define _XOPEN_SOURCE 700 /* nftw() */

#include <nexusvoip/nexusvoip.h>

#include "nexusctl_run.h"

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

/* Whoever does not own what lies below the folder. */
static uid_t expected_owner;
static int check_owner(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)type, (void)ftw;
	if (st->st_uid != expected_owner)
		print_message("%s belongs to %u\n", path, (unsigned)st->st_uid);
	return st->st_uid != expected_owner;
}

static void root_works_as_the_owner_of_the_state_folder(void **unused)
{
	enum { NOBODY = 65534 };

	(void)unused;
	if (geteuid() != 0) {
		print_message("SKIPPED: only root can become another user\n");
		skip();
	}
	expected_owner = NOBODY;
	assert_int_equal(chmod(dir, 0711), 0);
	assert_int_equal(mkdir(state, 0700), 0);
	assert_int_equal(chown(state, NOBODY, NOBODY), 0);
	expect(run("init", NULL), 0);
	make_key("bob");
	expect(run("credentials", "create", "--user", "bob", NULL), 0);
	assert_int_equal(nftw(state, check_owner, 16, FTW_PHYS), 0);
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
	assert_memory_equal(out, "id,at,requestId,", 16);
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
		cmocka_unit_test_setup(root_works_as_the_owner_of_the_state_folder, no_state),
		cmocka_unit_test_setup(usage_shows_each_rows_request_id, new_state),
		cmocka_unit_test(output_that_cannot_be_written_is_a_failure),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
