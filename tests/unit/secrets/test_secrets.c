/* test_secrets.c - secrets at rest: set, get, list, unset, the sources of the key, and what happens with a wrong one. */
#include <signal.h>

#include <nexusvoip/secrets.h>

#include "base/text.h"
#include "secrets/secrets.h"
#include "../fixture.h"

#define TOKEN "0123456789abcdef-the-token"

static void drop(struct fixture *f, const char *name)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	unlink(path);
}

static void write_file(struct fixture *f, const char *name, const char *text, mode_t mode)
{
	char path[192];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void close_all(struct fixture *f)
{
	drop(f, "secrets.key");
	drop(f, "secrets.key.new");
	drop(f, "secrets.lock");
	drop(f, "pass");
	fixture_close(f);
}

static void gives(struct fixture *f, const char *name, const char *value)
{
	struct nxv_error err = NXV_ERROR_INIT;
	char *got = NULL;

	if (secret_get(f->ctx.secrets, name, &got, &err))
		fail_msg("%s", err.message);
	assert_string_equal(got, value);
	text_wipe_free(got);
}

static void refuses(struct fixture *f, const char *name, nxv_status status, const char *code)
{
	struct nxv_error err = NXV_ERROR_INIT;
	char *got = NULL;

	assert_int_equal(secret_get(f->ctx.secrets, name, &got, &err), status);
	assert_null(got);
	assert_string_equal(err.code, code);
}

/* As another program would see it: nothing remembered. */
static void reopen(struct fixture *f, const char *const *set)
{
	fixture_detach(f);
	fixture_attach(f, set);
}

static void stored_secret_comes_back_and_stands_in_no_file(void **state)
{
	struct fixture f;
	char text[4096] = "", path[192];
	FILE *file;

	(void)state;
	fixture_open(&f, NULL);
	assert_int_equal(nxv_secret_set(&f.ctx, "twilio.auth_token", TOKEN, NULL), NXV_OK);
	gives(&f, "twilio.auth_token", TOKEN);
	reopen(&f, NULL);
	gives(&f, "twilio.auth_token", TOKEN);
	assert_false(fixture_file_holds(&f, TOKEN));
	snprintf(path, sizeof(path), "%s/secrets.key", f.dir);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
	assert_int_equal(strlen(text), 64);
	assert_false(fixture_file_holds(&f, text));
	close_all(&f);
}

static void secret_that_is_not_set_says_how_to_set_it(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct fixture f;
	char *value;

	(void)state;
	fixture_open(&f, NULL);
	assert_int_equal(secret_get(f.ctx.secrets, "trunk.password", &value, &err), NXV_E_NOT_FOUND);
	assert_string_equal(err.code, "no_secret");
	assert_non_null(strstr(err.message, "nexusctl secrets set trunk.password"));
	assert_non_null(strstr(err.message, "NEXUSVOIP_TRUNK_PASSWORD"));
	close_all(&f);
}

static void unknown_name_and_bad_value_are_refused(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct fixture f;
	char long_value[1026];

	(void)state;
	fixture_open(&f, NULL);
	memset(long_value, 'x', 1025);
	long_value[1025] = '\0';
	assert_int_equal(nxv_secret_set(&f.ctx, "twilio.token", TOKEN, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "name");
	assert_int_equal(nxv_secret_set(&f.ctx, "secrets.passphrase", TOKEN, &err), NXV_E_INVALID);
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "", &err), NXV_E_INVALID);
	assert_string_equal(err.field, "value");
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "a\nb", &err), NXV_E_INVALID);
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", long_value, &err), NXV_E_INVALID);
	long_value[1024] = '\0';
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", long_value, &err), NXV_OK);
	gives(&f, "trunk.password", long_value);
	close_all(&f);
}

static void wrong_passphrase_is_told_and_overwrites_nothing(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	assert_int_equal(nxv_secret_unlock(&f.ctx, "correct horse", &err), NXV_OK);
	assert_int_equal(nxv_secret_set(&f.ctx, "twilio.auth_token", TOKEN, &err), NXV_OK);
	reopen(&f, NULL);
	refuses(&f, "twilio.auth_token", NXV_E_DENIED, "sealing_key_missing");
	assert_int_equal(nxv_secret_unlock(&f.ctx, "wrong horse", &err), NXV_E_DENIED);
	assert_string_equal(err.code, "wrong_sealing_key");
	assert_null(strstr(err.message, "horse"));
	assert_int_equal(nxv_secret_set(&f.ctx, "twilio.auth_token", "other", &err), NXV_E_DENIED);
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "other", &err), NXV_E_DENIED);
	assert_int_equal(nxv_secret_rotate(&f.ctx, "another", &err), NXV_E_DENIED);
	assert_int_equal(nxv_secret_unlock(&f.ctx, "correct horse", &err), NXV_OK);
	gives(&f, "twilio.auth_token", TOKEN);
	assert_int_equal(fixture_count(&f, "SELECT COUNT(*) FROM secret"), 1);
	assert_false(fixture_file_holds(&f, "correct horse"));
	close_all(&f);
}

/* Whoever sends webhooks must not make the gateway stretch a wrong passphrase for each. */
static void wrong_passphrase_is_not_stretched_again_at_once(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct fixture f;
	char set[256];

	(void)state;
	fixture_open(&f, NULL);
	snprintf(set, sizeof(set), "secrets.passphrase_file=%s/pass", f.dir);
	write_file(&f, "pass", "right\n", 0600);
	reopen(&f, (const char *[]){ set, NULL });
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "x", &err), NXV_OK);
	write_file(&f, "pass", "wrong\n", 0600);
	reopen(&f, (const char *[]){ set, NULL });
	refuses(&f, "trunk.password", NXV_E_DENIED, "wrong_sealing_key");
	write_file(&f, "pass", "right\n", 0600);
	f.now_ms += 4999;
	refuses(&f, "trunk.password", NXV_E_DENIED, "wrong_sealing_key"); /* not even looked at */
	f.now_ms += 1;
	gives(&f, "trunk.password", "x");
	close_all(&f);
}

static void passphrase_file_that_others_may_read_is_refused(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct fixture f;
	char set[256];

	(void)state;
	fixture_open(&f, NULL);
	snprintf(set, sizeof(set), "secrets.passphrase_file=%s/pass", f.dir);
	reopen(&f, (const char *[]){ set, NULL });
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "x", &err), NXV_E_DENIED);
	assert_string_equal(err.code, "sealing_key_missing");
	write_file(&f, "pass", "from a file\n", 0640);
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "x", &err), NXV_E_DENIED);
	assert_string_equal(err.code, "sealing_key_open");
	assert_non_null(strstr(err.message, "chmod 600"));
	write_file(&f, "pass", "from a file\n", 0600);
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "x", &err), NXV_OK);
	reopen(&f, NULL);
	refuses(&f, "trunk.password", NXV_E_DENIED, "sealing_key_missing");
	assert_int_equal(nxv_secret_unlock(&f.ctx, "from a file", &err), NXV_OK);
	gives(&f, "trunk.password", "x");
	close_all(&f);
}

static void key_file_is_checked_like_a_key(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	write_file(&f, "secrets.key", "short\n", 0600);
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "x", &err), NXV_E_DENIED);
	assert_non_null(strstr(err.message, "64 digits"));
	drop(&f, "secrets.key");
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "x", &err), NXV_OK);
	write_file(&f, "secrets.key", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", 0600);
	reopen(&f, NULL);
	refuses(&f, "trunk.password", NXV_E_DENIED, "wrong_sealing_key");
	drop(&f, "secrets.key");
	refuses(&f, "trunk.password", NXV_E_DENIED, "sealing_key_missing");
	assert_int_equal(nxv_secret_check(&f.ctx, &err), NXV_E_DENIED);
	close_all(&f);
}

static void systemd_credential_holds_the_key_or_the_passphrase(void **state)
{
	static const char *const names[] = { "nexusvoip.key", "nexusvoip.passphrase" };
	char env[192];
	const char *const envs[] = { env, NULL };
	struct nxv_error err = NXV_ERROR_INIT;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fixture_open(&f, NULL);
		snprintf(env, sizeof(env), "CREDENTIALS_DIRECTORY=%s", f.dir);
		write_file(&f, names[i], "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n", 0440);
		config_free(f.ctx.cfg);
		assert_int_equal(config_load(NULL, false, envs, NULL, &f.ctx.cfg, &err), NXV_OK);
		secrets_close(f.ctx.secrets);
		assert_int_equal(secrets_open(&f.ctx.env, f.ctx.db, f.ctx.cfg, f.dir, &f.ctx.secrets, &err), NXV_OK);
		assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "x", &err), NXV_OK);
		gives(&f, "trunk.password", "x");
		assert_int_equal(fixture_count(&f, "SELECT kind = 'key' FROM seal_key"), i == 0);
		reopen(&f, NULL);
		refuses(&f, "trunk.password", NXV_E_DENIED, "sealing_key_missing");
		drop(&f, names[i]);
		close_all(&f);
	}
}

static void environment_beats_the_store_and_the_list_says_so(void **state)
{
	const char *const env[] = { "NEXUSVOIP_TWILIO_AUTH_TOKEN=from-env", NULL };
	struct nxv_secret_list *list = NULL;
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	assert_int_equal(nxv_secret_set(&f.ctx, "twilio.auth_token", TOKEN, NULL), NXV_OK);
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "x", NULL), NXV_OK);
	config_free(f.ctx.cfg);
	assert_int_equal(config_load(NULL, false, env, NULL, &f.ctx.cfg, NULL), NXV_OK);
	secrets_close(f.ctx.secrets);
	assert_int_equal(secrets_open(&f.ctx.env, f.ctx.db, f.ctx.cfg, f.dir, &f.ctx.secrets, NULL), NXV_OK);
	gives(&f, "twilio.auth_token", "from-env");
	assert_int_equal(nxv_secret_list(&f.ctx, &list, NULL), NXV_OK);
	assert_int_equal(list->count, 3);
	assert_string_equal(list->items[0].name, "twilio.auth_token");
	assert_int_equal(list->items[0].source, NXV_SECRET_ENVIRONMENT);
	assert_int_equal(list->items[1].source, NXV_SECRET_UNSET);
	assert_int_equal(list->items[2].source, NXV_SECRET_STORE);
	assert_int_equal(list->items[2].set_at_ms, FIXTURE_NOW_MS);
	assert_true(*list->items[2].key_id);
	nxv_secret_list_free(list);
	close_all(&f);
}

static void row_that_was_altered_or_moved_does_not_open(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	assert_int_equal(nxv_secret_set(&f.ctx, "twilio.auth_token", TOKEN, NULL), NXV_OK);
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "x", NULL), NXV_OK);
	fixture_sql(&f, "UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE name = 'twilio.auth_token') WHERE name = 'trunk.password'");
	refuses(&f, "trunk.password", NXV_E_STORE, "secret_damaged");
	fixture_sql(&f, "UPDATE secret SET sealed = zeroblob(40) WHERE name = 'trunk.password'");
	refuses(&f, "trunk.password", NXV_E_STORE, "secret_damaged");
	assert_int_equal(nxv_secret_check(&f.ctx, NULL), NXV_E_STORE);
	gives(&f, "twilio.auth_token", TOKEN);
	close_all(&f);
}

static void unset_needs_no_key_and_the_last_one_frees_the_choice(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_sealing sealing;
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	assert_int_equal(nxv_secret_unlock(&f.ctx, "soon forgotten", &err), NXV_OK);
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "x", &err), NXV_OK);
	reopen(&f, NULL);
	assert_int_equal(nxv_secret_unset(&f.ctx, "twilio.auth_token", &err), NXV_E_NOT_FOUND);
	assert_int_equal(nxv_secret_unset(&f.ctx, "trunk.password", &err), NXV_OK);
	assert_int_equal(nxv_secret_sealing(&f.ctx, &sealing, &err), NXV_OK);
	assert_string_equal(sealing.kind, "");
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "y", &err), NXV_OK);
	assert_int_equal(nxv_secret_sealing(&f.ctx, &sealing, &err), NXV_OK);
	assert_string_equal(sealing.kind, "key");
	close_all(&f);
}

/* --- rotation --- */

static void rotation_changes_the_key_and_no_value(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_sealing before, after;
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	assert_int_equal(nxv_secret_rotate(&f.ctx, NULL, &err), NXV_E_CONFLICT);
	assert_string_equal(err.code, "no_secrets");
	assert_int_equal(nxv_secret_set(&f.ctx, "twilio.auth_token", TOKEN, &err), NXV_OK);
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "x", &err), NXV_OK);
	assert_int_equal(nxv_secret_sealing(&f.ctx, &before, &err), NXV_OK);
	for (int turn = 0; turn < 3; turn++) { /* to a key, to a passphrase, back to a key */
		assert_int_equal(nxv_secret_rotate(&f.ctx, turn == 1 ? "new words" : NULL, &err), NXV_OK);
		assert_int_equal(nxv_secret_sealing(&f.ctx, &after, &err), NXV_OK);
		assert_string_equal(after.kind, turn == 1 ? "passphrase" : "key");
		assert_string_not_equal(after.key_id, before.key_id);
		before = after;
		reopen(&f, NULL);
		if (turn == 1)
			assert_int_equal(nxv_secret_unlock(&f.ctx, "new words", &err), NXV_OK);
		gives(&f, "twilio.auth_token", TOKEN);
		gives(&f, "trunk.password", "x");
		assert_int_equal(fixture_count(&f, "SELECT COUNT(*) FROM seal_key"), 1);
	}
	close_all(&f);
}

/* Another program that has the old key in memory sees the new one by itself. */
static void rotation_is_seen_by_who_has_the_old_key(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct secrets *other = NULL;
	struct fixture f;
	char *value;

	(void)state;
	fixture_open(&f, NULL);
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "x", &err), NXV_OK);
	assert_int_equal(secrets_open(&f.ctx.env, f.ctx.db, f.ctx.cfg, f.dir, &other, &err), NXV_OK);
	assert_int_equal(secret_get(other, "trunk.password", &value, &err), NXV_OK);
	text_wipe_free(value);
	assert_int_equal(nxv_secret_rotate(&f.ctx, NULL, &err), NXV_OK);
	assert_int_equal(secret_get(other, "trunk.password", &value, &err), NXV_OK);
	assert_string_equal(value, "x");
	text_wipe_free(value);
	secrets_close(other);
	close_all(&f);
}

static void one_damaged_secret_stops_the_rotation_before_it_changed_anything(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_sealing before, after;
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	assert_int_equal(nxv_secret_set(&f.ctx, "twilio.auth_token", TOKEN, &err), NXV_OK);
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "x", &err), NXV_OK);
	fixture_sql(&f, "UPDATE secret SET sealed = zeroblob(40) WHERE name = 'trunk.password'");
	assert_int_equal(nxv_secret_sealing(&f.ctx, &before, &err), NXV_OK);
	assert_int_equal(nxv_secret_rotate(&f.ctx, NULL, &err), NXV_E_STORE);
	assert_int_equal(nxv_secret_sealing(&f.ctx, &after, &err), NXV_OK);
	assert_string_equal(before.key_id, after.key_id);
	reopen(&f, NULL);
	gives(&f, "twilio.auth_token", TOKEN);
	close_all(&f);
}

/* The process dies when randomness is asked for the n-th time, or after the commit, when it is logged. */
struct death {
	struct fixture *f;
	int randoms_left;
	bool in_log;
};

static bool deadly_random(void *user, void *buf, size_t len)
{
	struct death *death = user;

	if (death->randoms_left-- == 0)
		raise(SIGKILL);
	return fixture_random(death->f, buf, len);
}

static void deadly_log(void *user, nxv_log_level level, const char *module, const char *text)
{
	(void)level, (void)module, (void)text;
	if (((struct death *)user)->in_log)
		raise(SIGKILL);
}

static int64_t deadly_clock(void *user)
{
	return fixture_clock(((struct death *)user)->f);
}

/* @return true when the rotation came to its end. */
static bool rotate_and_die(struct fixture *f, struct death death, const char *passphrase)
{
	int status;
	pid_t child;

	fixture_detach(f);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		fixture_attach(f, NULL);
		f->random += (uint64_t)getpid() * 1000003; /* not what the first store drew */
		f->ctx.env.random = deadly_random;
		f->ctx.env.clock = deadly_clock;
		f->ctx.env.log = deadly_log;
		f->ctx.env.level = NXV_LOG_DEBUG;
		f->ctx.env.user = &death;
		_exit(nxv_secret_rotate(&f->ctx, passphrase, NULL) != NXV_OK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	fixture_attach(f, NULL);
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFEXITED(status);
}

static void rotation_killed_at_any_point_leaves_a_key_that_fits(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_sealing before, after;
	struct fixture f;
	int deaths = 0;
	bool done = false;

	(void)state;
	fixture_open(&f, NULL);
	assert_int_equal(nxv_secret_set(&f.ctx, "twilio.auth_token", TOKEN, &err), NXV_OK);
	assert_int_equal(nxv_secret_set(&f.ctx, "trunk.password", "x", &err), NXV_OK);
	for (int n = 0; !done; n++) {
		assert_int_equal(nxv_secret_sealing(&f.ctx, &before, &err), NXV_OK);
		done = rotate_and_die(&f, (struct death){ .f = &f, .randoms_left = n }, NULL);
		deaths += !done;
		assert_int_equal(nxv_secret_sealing(&f.ctx, &after, &err), NXV_OK);
		assert_int_equal(strcmp(before.key_id, after.key_id) != 0, done);
		gives(&f, "twilio.auth_token", TOKEN);
		gives(&f, "trunk.password", "x");
	}
	assert_true(deaths >= 4);
	for (int n = 0; n < 3; n++) { /* after the commit, before the key has its name; the next one finishes it */
		assert_int_equal(nxv_secret_sealing(&f.ctx, &before, &err), NXV_OK);
		assert_false(rotate_and_die(&f, (struct death){ .f = &f, .randoms_left = 100, .in_log = true }, NULL));
		assert_int_equal(nxv_secret_sealing(&f.ctx, &after, &err), NXV_OK);
		assert_string_not_equal(before.key_id, after.key_id);
		gives(&f, "twilio.auth_token", TOKEN);
	}
	assert_true(rotate_and_die(&f, (struct death){ .f = &f, .randoms_left = 100 }, NULL));
	drop(&f, "secrets.key.new"); /* not needed any more */
	gives(&f, "trunk.password", "x");
	close_all(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stored_secret_comes_back_and_stands_in_no_file),
		cmocka_unit_test(secret_that_is_not_set_says_how_to_set_it),
		cmocka_unit_test(unknown_name_and_bad_value_are_refused),
		cmocka_unit_test(wrong_passphrase_is_told_and_overwrites_nothing),
		cmocka_unit_test(wrong_passphrase_is_not_stretched_again_at_once),
		cmocka_unit_test(passphrase_file_that_others_may_read_is_refused),
		cmocka_unit_test(key_file_is_checked_like_a_key),
		cmocka_unit_test(systemd_credential_holds_the_key_or_the_passphrase),
		cmocka_unit_test(environment_beats_the_store_and_the_list_says_so),
		cmocka_unit_test(row_that_was_altered_or_moved_does_not_open),
		cmocka_unit_test(unset_needs_no_key_and_the_last_one_frees_the_choice),
		cmocka_unit_test(rotation_changes_the_key_and_no_value),
		cmocka_unit_test(rotation_is_seen_by_who_has_the_old_key),
		cmocka_unit_test(one_damaged_secret_stops_the_rotation_before_it_changed_anything),
		cmocka_unit_test(rotation_killed_at_any_point_leaves_a_key_that_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
