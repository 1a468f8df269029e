/* test_credentials.c - the life of a SIP credential: made, found, listed, expired, revoked, and a kill at the worst moment. */
#define _GNU_SOURCE /* memmem */
#include "state_folder.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "base/text.h"
#include "ctx.h"
#include "engine/engine.h"
#include "sip/credentials.h"

static struct nxv_ctx ctx;
static struct sip_setup sip;
static int64_t now_ms;
static char gone[64], expires[64];
static nxv_status engine_says;

/* Stands in for the engine: remembers whom it was told about. */
nxv_status engine_call(nxv_ctx *c, const char *const *args, uint32_t timeout_ms, char **text, struct nxv_error *err)
{
	(void)c;
	(void)timeout_ms;
	(void)text;
	(void)err;
	assert_null(args[2]);
	if (strcmp(args[0], "credential.gone") == 0)
		text_copy(gone, sizeof(gone), args[1]);
	else if (strcmp(args[0], "credential.expires") == 0)
		text_copy(expires, sizeof(expires), args[1]);
	else
		fail_msg("%s", args[0]);
	return engine_says;
}

static int64_t test_clock(void *user)
{
	(void)user;
	return now_ms;
}

static void open_dbs(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/nexusvoip.db", folder);
	assert_int_equal(db_open(&ctx.env, path, db_migrations, &ctx.db, NULL), NXV_OK);
	snprintf(path, sizeof(path), "%s/auth.db", folder);
	assert_int_equal(subscriber_open(&ctx.env, path, &ctx.auth, NULL), NXV_OK);
}

static void close_dbs(void)
{
	db_close(ctx.db);
	db_close(ctx.auth);
}

static int start(void **state)
{
	if (folder_make(state))
		return 1;
	now_ms = (int64_t)time(NULL) * 1000;
	gone[0] = '\0';
	engine_says = NXV_E_NOT_RUNNING;
	memset(&ctx, 0, sizeof(ctx));
	ctx.env.clock = test_clock;
	env_defaults(&ctx.env);
	sip.set.domain = "sip.nexus.test";
	sip.set.listen = "127.0.0.1:5060";
	sip.set.advertise = "";
	sip.set.calls_per_user = 50;
	ctx.sip = &sip;
	open_dbs();
	return 0;
}

static int stop(void **state)
{
	close_dbs();
	return folder_remove(state);
}

static const char *one(struct db *db, const char *sql)
{
	static char text[512];
	struct nxv_error err = NXV_ERROR_INIT;
	struct db_tx *tx;
	struct db_stmt *stmt;
	bool row = false;

	assert_int_equal(db_begin(db, DB_READ, &tx, &err), NXV_OK);
	if (db_query(tx, sql, &stmt, &err) != NXV_OK || db_step(stmt, &row, &err) != NXV_OK)
		fail_msg("%s", err.message);
	snprintf(text, sizeof(text), "%s", row && db_text(stmt, 0) ? db_text(stmt, 0) : "");
	db_done(stmt);
	db_rollback(tx);
	return text;
}

static struct nxv_credential *make(const char *user_id, int64_t expires_at_ms)
{
	struct nxv_credential_opts opts = NXV_CREDENTIAL_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_credential *cred;

	opts.user_id = user_id;
	opts.expires_at_ms = expires_at_ms;
	if (nxv_credential_create(&ctx, &opts, &cred, &err) != NXV_OK)
		fail_msg("%s %s", err.field, err.message);
	now_ms++; /* so that the order of creation is defined */
	return cred;
}

static void create_gives_what_a_phone_needs_and_a_password_once(void **state)
{
	struct nxv_credential *cred = make("user_123", 0), *again;
	char md5[33], sha256[65], sha512t256[65], uri[100];

	(void)state;
	assert_int_equal(strncmp(cred->username, "user_", 5), 0);
	assert_int_equal(strspn(cred->username + 5, "0123456789"), strlen(cred->username + 5));
	assert_true(strlen(cred->username) >= 15);
	assert_true(strlen(cred->password) >= 24);
	assert_string_equal(cred->domain, "sip.nexus.test");
	snprintf(uri, sizeof(uri), "sip:%s@sip.nexus.test", cred->username);
	assert_string_equal(cred->sip_uri, uri);
	assert_string_equal(cred->proxy_server, "127.0.0.1:5060");
	assert_int_equal(subscriber_digests(cred->username, cred->domain, cred->password, md5, sha256, sha512t256, NULL), NXV_OK);
	assert_string_equal(one(ctx.auth, "SELECT ha1 FROM subscriber"), md5);
	assert_string_equal(one(ctx.auth, "SELECT ha1_sha256 FROM subscriber"), sha256);
	assert_string_equal(one(ctx.db, "SELECT ha1_sha512t256 FROM credential"), sha512t256);
	assert_string_equal(one(ctx.auth, "SELECT owner||' '||call_limit FROM subscriber"), "user_123 50");
	assert_int_equal(nxv_credential_get(&ctx, cred->id, &again, NULL), NXV_OK);
	assert_null(again->password);
	assert_string_equal(again->username, cred->username);
	assert_string_equal(again->sip_uri, cred->sip_uri);
	nxv_credential_free(again);
	nxv_credential_free(cred);
}

static void the_password_reaches_no_file(void **state)
{
	struct nxv_credential *cred = make("anna", 0);
	static const char *const files[] = { "nexusvoip.db", "nexusvoip.db-wal", "auth.db", "auth.db-wal" };
	char path[64];
	static char bytes[4 << 20];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		FILE *file = fopen(path, "r");
		assert_non_null(file);
		size_t n = fread(bytes, 1, sizeof(bytes), file);
		assert_true(n < sizeof(bytes));
		assert_null(memmem(bytes, n, cred->password, strlen(cred->password)));
		fclose(file);
	}
	nxv_credential_free(cred);
}

static void usernames_and_passwords_do_not_repeat(void **state)
{
	struct nxv_credential *all[50];

	(void)state;
	for (int i = 0; i < 50; i++) {
		all[i] = make("anna", 0);
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(all[i]->username, all[j]->username);
			assert_string_not_equal(all[i]->password, all[j]->password);
		}
	}
	for (int i = 0; i < 50; i++)
		nxv_credential_free(all[i]);
}

static bool stuck_random(void *user, void *buf, size_t len)
{
	(void)user;
	memset(buf, 7, len);
	return true;
}

static void a_taken_username_is_never_handed_out_again(void **state)
{
	struct nxv_credential_opts opts = NXV_CREDENTIAL_OPTS_INIT;
	struct nxv_credential *cred, *second;

	(void)state;
	ctx.env.random = stuck_random;
	cred = make("anna", 0);
	opts.user_id = "ben";
	assert_int_equal(nxv_credential_create(&ctx, &opts, &second, NULL), NXV_E_CONFLICT);
	assert_null(second);
	assert_string_equal(one(ctx.auth, "SELECT owner FROM subscriber"), "anna");
	nxv_credential_free(cred);
}

static void wrong_options_are_refused_by_field(void **state)
{
	struct nxv_credential_opts opts = NXV_CREDENTIAL_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_credential *cred;

	(void)state;
	assert_int_equal(nxv_credential_create(&ctx, &opts, &cred, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "userId");
	opts.user_id = "a b";
	assert_int_equal(nxv_credential_create(&ctx, &opts, &cred, &err), NXV_E_INVALID);
	opts.user_id = "anna";
	opts.expires_at_ms = now_ms;
	assert_int_equal(nxv_credential_create(&ctx, &opts, &cred, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "expiresAt");
	assert_string_equal(one(ctx.db, "SELECT count(*) FROM credential"), "0");
	assert_string_equal(one(ctx.db, "SELECT count(*) FROM event"), "0");
}

static void advertise_is_what_phones_are_told(void **state)
{
	struct nxv_credential *cred;

	(void)state;
	sip.set.advertise = "sip.example.com:5060";
	cred = make("anna", 0);
	assert_string_equal(cred->proxy_server, "sip.example.com:5060");
	nxv_credential_free(cred);
}

static void lists_page_newest_first_without_gaps_or_repeats(void **state)
{
	struct nxv_credential_list_opts opts = NXV_CREDENTIAL_LIST_OPTS_INIT;
	struct nxv_credential_page *list;
	char cursor[128] = "", previous[64] = "";
	int64_t newest = INT64_MAX;
	size_t seen = 0, pages = 0;

	(void)state;
	for (int i = 0; i < 7; i++) {
		nxv_credential_free(make(i % 2 ? "anna" : "ben", 0));
		if (i == 3)
			now_ms--; /* two in the same millisecond */
	}
	opts.limit = 3;
	do {
		opts.cursor = *cursor ? cursor : NULL;
		assert_int_equal(nxv_credential_list(&ctx, &opts, &list, NULL), NXV_OK);
		for (size_t i = 0; i < list->count; i++, seen++) {
			assert_true(list->items[i]->created_at_ms <= newest);
			assert_string_not_equal(list->items[i]->id, previous);
			newest = list->items[i]->created_at_ms;
			text_copy(previous, sizeof(previous), list->items[i]->id);
			assert_null(list->items[i]->password);
			assert_string_equal(list->items[i]->proxy_server, "127.0.0.1:5060");
		}
		text_copy(cursor, sizeof(cursor), list->next_cursor ? list->next_cursor : "");
		nxv_credential_page_free(list);
		pages++;
	} while (*cursor);
	assert_int_equal(seen, 7);
	assert_int_equal(pages, 3);
	opts = (struct nxv_credential_list_opts)NXV_CREDENTIAL_LIST_OPTS_INIT;
	opts.user_id = "anna";
	assert_int_equal(nxv_credential_list(&ctx, &opts, &list, NULL), NXV_OK);
	assert_int_equal(list->count, 3);
	assert_null(list->next_cursor);
	nxv_credential_page_free(list);
}

static void a_made_up_cursor_or_limit_is_refused(void **state)
{
	static const char *const cursors[] = { "", "x", "12", "12.", ".a", "-1.a", "99999999999999999999.a" };
	struct nxv_credential_list_opts opts = NXV_CREDENTIAL_LIST_OPTS_INIT;
	struct nxv_credential_page *list;
	struct nxv_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(cursors) / sizeof(cursors[0]); i++) {
		opts.cursor = cursors[i];
		assert_int_equal(nxv_credential_list(&ctx, &opts, &list, &err), NXV_E_INVALID);
		assert_string_equal(err.field, "cursor");
	}
	opts.cursor = NULL;
	opts.limit = 1001;
	assert_int_equal(nxv_credential_list(&ctx, &opts, &list, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "limit");
}

static void revoke_removes_the_row_tells_the_engine_and_leaves_an_event(void **state)
{
	struct nxv_credential *cred = make("anna", 0), *again;
	struct nxv_error err = NXV_ERROR_INIT;

	(void)state;
	assert_int_equal(nxv_credential_revoke(&ctx, cred->username, &err), NXV_OK);
	assert_string_equal(gone, cred->username);
	assert_string_equal(one(ctx.auth, "SELECT count(*) FROM subscriber"), "0");
	assert_string_equal(
		one(ctx.db, "SELECT group_concat(type) FROM (SELECT type FROM event ORDER BY seq)"), "credential.created,credential.revoked");
	assert_string_equal(one(ctx.db, "SELECT subject FROM event WHERE type = 'credential.revoked'"), cred->id);
	assert_string_equal(one(ctx.db, "SELECT user_id FROM event WHERE type = 'credential.revoked'"), "anna");
	assert_int_equal(nxv_credential_get(&ctx, cred->id, &again, &err), NXV_E_NOT_FOUND);
	assert_null(again);
	gone[0] = '\0';
	assert_int_equal(nxv_credential_revoke(&ctx, cred->id, &err), NXV_E_NOT_FOUND);
	assert_string_equal(gone, "");
	assert_string_equal(one(ctx.db, "SELECT count(*) FROM event"), "2");
	nxv_credential_free(cred);
}

static void revoke_succeeds_when_the_engine_cannot_end_the_registration(void **state)
{
	struct nxv_credential *cred = make("anna", 0);

	(void)state;
	engine_says = NXV_E_UNREACHABLE;
	assert_int_equal(nxv_credential_revoke(&ctx, cred->id, NULL), NXV_OK);
	assert_int_equal(nxv_credential_revoke(&ctx, "cred_unknown", NULL), NXV_E_NOT_FOUND);
	nxv_credential_free(cred);
}

static void an_expired_credential_is_gone_and_can_be_collected(void **state)
{
	struct nxv_credential *soon = make("anna", now_ms + 5000), *later = make("anna", now_ms + 60000), *never = make("anna", 0), *out;
	char *names[4];
	size_t count;
	int64_t next_ms;
	struct db_tx *tx;

	(void)state;
	assert_int_not_equal(atoll(one(ctx.auth, "SELECT max(expires_at) FROM subscriber")), 0);
	assert_string_equal(expires, later->username); /* the engine is told, but not of one that never expires */
	now_ms = soon->expires_at_ms;
	assert_int_equal(nxv_credential_get(&ctx, soon->id, &out, NULL), NXV_E_NOT_FOUND);
	assert_int_equal(db_begin(ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(credentials_usernames(tx, "anna", now_ms, names, 4, &count, NULL), NXV_OK);
	assert_int_equal(count, 2);
	assert_string_equal(names[0], later->username);
	assert_string_equal(names[1], never->username);
	free(names[0]);
	free(names[1]);
	assert_int_equal(credentials_expire(tx, now_ms, names, 4, &count, &next_ms, NULL), NXV_OK);
	assert_int_equal(count, 1);
	assert_string_equal(names[0], soon->username);
	assert_int_equal(next_ms, later->expires_at_ms);
	free(names[0]);
	assert_int_equal(credentials_expire(tx, now_ms, names, 4, &count, &next_ms, NULL), NXV_OK);
	assert_int_equal(count, 0);
	assert_int_equal(credentials_owner(tx, never->username, now_ms, names, NULL), NXV_OK);
	assert_string_equal(names[0], "anna");
	free(names[0]);
	assert_int_equal(credentials_owner(tx, soon->username, now_ms, names, NULL), NXV_E_NOT_FOUND);
	assert_int_equal(db_commit(tx, NULL), NXV_OK);
	nxv_credential_free(soon);
	nxv_credential_free(later);
	nxv_credential_free(never);
}

static void a_user_has_at_most_as_many_names_as_there_is_room_for(void **state)
{
	char *names[2];
	size_t count;
	struct db_tx *tx;

	(void)state;
	for (int i = 0; i < 3; i++)
		nxv_credential_free(make("anna", 0));
	assert_int_equal(db_begin(ctx.db, DB_READ, &tx, NULL), NXV_OK);
	assert_int_equal(credentials_usernames(tx, "anna", now_ms, names, 2, &count, NULL), NXV_OK);
	assert_int_equal(count, 2);
	free(names[0]);
	free(names[1]);
	db_rollback(tx);
}

static void changing_the_domain_under_live_credentials_is_refused(void **state)
{
	struct nxv_credential *cred = make("anna", 0);
	struct nxv_error err = NXV_ERROR_INIT;

	(void)state;
	assert_int_equal(credentials_check_domain(ctx.db, "sip.nexus.test", &err), NXV_OK);
	assert_int_equal(credentials_check_domain(ctx.db, "other.test", &err), NXV_E_CONFLICT);
	assert_string_equal(err.code, "domain_in_use");
	assert_non_null(strstr(err.message, "sip.nexus.test"));
	assert_non_null(strstr(err.message, "revoke"));
	assert_int_equal(nxv_credential_revoke(&ctx, cred->id, NULL), NXV_OK);
	assert_int_equal(credentials_check_domain(ctx.db, "other.test", &err), NXV_OK);
	nxv_credential_free(cred);
}

/* Run work() in a child while this process holds auth.db; kill it once nexusvoip.db shows that it got past its first half. */
static void kill_between(void (*work)(const char *), const char *arg, const char *probe, const char *expected)
{
	struct db_tx *held;
	pid_t child;
	int go[2];
	char byte = 0;

	assert_int_equal(pipe(go), 0);
	close_dbs(); /* SQLite handles must not cross fork() */
	child = fork();
	if (child == 0) {
		assert_int_equal(read(go[0], &byte, 1), 1);
		open_dbs();
		work(arg);
		_exit(1);
	}
	open_dbs();
	assert_int_equal(db_begin(ctx.auth, DB_WRITE, &held, NULL), NXV_OK);
	assert_int_equal(write(go[1], &byte, 1), 1);
	for (int i = 0; i < 400 && strcmp(one(ctx.db, probe), expected) != 0; i++)
		usleep(10000);
	assert_string_equal(one(ctx.db, probe), expected);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	db_rollback(held);
	close(go[0]);
	close(go[1]);
}

static void child_create(const char *user_id)
{
	make(user_id, 0);
}

static void child_revoke(const char *id)
{
	nxv_credential_revoke(&ctx, id, NULL);
}

static void a_kill_between_the_two_databases_is_repaired_by_sync(void **state)
{
	char username[64];

	(void)state;
	kill_between(child_create, "anna", "SELECT count(*) FROM credential", "1");
	assert_string_equal(one(ctx.auth, "SELECT count(*) FROM subscriber"), "0");
	assert_int_equal(subscriber_sync(ctx.auth, ctx.db, NULL, 50, NULL), NXV_OK);
	text_copy(username, sizeof(username), one(ctx.db, "SELECT username FROM credential"));
	assert_string_equal(one(ctx.auth, "SELECT username FROM subscriber"), username);
	assert_string_equal(one(ctx.auth, "SELECT owner FROM subscriber"), "anna");
	kill_between(child_revoke, username, "SELECT revoked_at_ms > 0 FROM credential", "1");
	assert_string_equal(one(ctx.auth, "SELECT count(*) FROM subscriber"), "1");
	assert_int_equal(subscriber_sync(ctx.auth, ctx.db, NULL, 50, NULL), NXV_OK);
	assert_string_equal(one(ctx.auth, "SELECT count(*) FROM subscriber"), "0");
}

static void nothing_stays_behind_when_the_copy_cannot_be_written(void **state)
{
	struct nxv_credential_opts opts = NXV_CREDENTIAL_OPTS_INIT;
	struct nxv_credential *cred;
	struct db_tx *tx;

	(void)state;
	assert_int_equal(db_begin(ctx.auth, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(db_script(tx, "CREATE TRIGGER no BEFORE INSERT ON subscriber BEGIN SELECT RAISE(FAIL, 'disk full'); END", NULL), NXV_OK);
	assert_int_equal(db_commit(tx, NULL), NXV_OK);
	opts.user_id = "anna";
	assert_int_not_equal(nxv_credential_create(&ctx, &opts, &cred, NULL), NXV_OK);
	assert_null(cred);
	assert_string_equal(one(ctx.db, "SELECT count(*) FROM credential"), "0");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		CASE(create_gives_what_a_phone_needs_and_a_password_once),
		CASE(the_password_reaches_no_file),
		CASE(usernames_and_passwords_do_not_repeat),
		CASE(a_taken_username_is_never_handed_out_again),
		CASE(wrong_options_are_refused_by_field),
		CASE(advertise_is_what_phones_are_told),
		CASE(lists_page_newest_first_without_gaps_or_repeats),
		CASE(a_made_up_cursor_or_limit_is_refused),
		CASE(revoke_removes_the_row_tells_the_engine_and_leaves_an_event),
		CASE(revoke_succeeds_when_the_engine_cannot_end_the_registration),
		CASE(an_expired_credential_is_gone_and_can_be_collected),
		CASE(a_user_has_at_most_as_many_names_as_there_is_room_for),
		CASE(changing_the_domain_under_live_credentials_is_refused),
		CASE(a_kill_between_the_two_databases_is_repaired_by_sync),
		CASE(nothing_stays_behind_when_the_copy_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
