/* test_subscriber.c - digests against values computed elsewhere, and auth.db as a copy of the credential table. */
#include "state_folder.h"

#include "store/db.h"

static struct db *auth, *store;

static int open_both(void **state)
{
	char path[64];

	if (folder_make(state))
		return 1;
	snprintf(path, sizeof(path), "%s/auth.db", folder);
	assert_int_equal(subscriber_open(&test_env, path, &auth, NULL), NXV_OK);
	snprintf(path, sizeof(path), "%s/nexusvoip.db", folder);
	assert_int_equal(db_open(&test_env, path, db_migrations, &store, NULL), NXV_OK);
	return 0;
}

static int close_both(void **state)
{
	db_close(auth);
	db_close(store);
	return folder_remove(state);
}

static void run(struct db *db, const char *sql)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct db_tx *tx;

	assert_int_equal(db_begin(db, DB_WRITE, &tx, &err), NXV_OK);
	if (db_script(tx, sql, &err) != NXV_OK)
		fail_msg("%s", err.message);
	assert_int_equal(db_commit(tx, &err), NXV_OK);
}

/* First column of the first row, as text; "" when there is no row. */
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

/* RFC 7616 section 3.9.1's user, and one of ours; expected values by `openssl dgst -md5 | -sha256 | -sha512-256`. */
static void digests_equal_those_of_openssl(void **state)
{
	char md5[33], sha256[65], sha512t256[65];

	(void)state;
	assert_int_equal(
		subscriber_digests("Mufasa", "http-auth@example.org", "Circle of Life", md5, sha256, sha512t256, NULL), NXV_OK);
	assert_string_equal(md5, "3d78807defe7de2157e2b0b6573a855f");
	assert_string_equal(sha256, "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232");
	assert_string_equal(sha512t256, "fb174f5c3c7802721517cae13b98e2b8dae2e0118cb705d94ee29946319204ce");
	assert_int_equal(subscriber_digests("user_1234567890", "sip.nexus.test", "s3cret", md5, sha256, sha512t256, NULL), NXV_OK);
	assert_string_equal(md5, "08fb211f3f1b0357c702bfb48ef7c60b");
	assert_string_equal(sha256, "8b2ce4623342d32ddb98d219d6702fde6dbbd7c991604396211dc021c072692f");
	assert_string_equal(sha512t256, "5b3a81ece2257d646b15eeec451336cc05bfb0d090ea7671233216617a58714b");
}

static const struct subscriber anna = { .username = "user_1",
	.domain = "a.test",
	.ha1 = "11",
	.ha1_sha256 = "22",
	.ha1_sha512t256 = "33",
	.owner = "anna",
	.call_limit = 50,
	.expires_at_ms = 1700000000999 };

static void a_row_holds_digests_owner_limit_and_seconds_but_no_password(void **state)
{
	(void)state;
	assert_int_equal(subscriber_put(auth, &anna, NULL), NXV_OK);
	assert_string_equal(one(auth, "SELECT username||'|'||domain||'|'||password||'|'||ha1||'|'||ha1b||'|'||ha1_sha256||'|'||"
				      "ha1_sha512t256||'|'||owner||'|'||call_limit||'|'||expires_at FROM subscriber"),
		"user_1|a.test||11||22|33|anna|50|1700000000");
	assert_string_equal(one(auth, "SELECT table_version FROM version WHERE table_name = 'subscriber'"), "8");
	assert_string_equal(one(auth, "PRAGMA journal_mode"), "wal");
}

static void putting_again_replaces_and_deleting_is_idempotent(void **state)
{
	struct subscriber again = anna;

	(void)state;
	again.call_limit = 3;
	assert_int_equal(subscriber_put(auth, &anna, NULL), NXV_OK);
	assert_int_equal(subscriber_put(auth, &again, NULL), NXV_OK);
	assert_string_equal(one(auth, "SELECT count(*)||' '||call_limit FROM subscriber"), "1 3");
	assert_int_equal(subscriber_delete(auth, "user_1", NULL), NXV_OK);
	assert_int_equal(subscriber_delete(auth, "user_1", NULL), NXV_OK);
	assert_string_equal(one(auth, "SELECT count(*) FROM subscriber"), "0");
}

static void sync_makes_the_copy_equal_to_the_live_credentials(void **state)
{
	const struct subscriber service = { .username = "gateway", .domain = "a.test", .ha1 = "s1", .ha1_sha256 = "s2", .ha1_sha512t256 = "s3", .owner = "" };

	(void)state;
	run(store, "INSERT INTO credential VALUES "
		   "('cred_1','anna','user_1','a.test','m1','s1','t1',1,0,0),"
		   "('cred_2','ben','user_2','a.test','m2','s2','t2',2,0,99),"
		   "('cred_3','cleo','user_3','a.test','m3','s3','t3',3,9000,0);");
	run(auth, "INSERT INTO subscriber (username, domain, ha1) VALUES ('user_2','a.test','m2'), ('stranger','a.test','x'), "
		  "('user_1','a.test','wrong'), ('gateway','old.test','x');");
	assert_int_equal(subscriber_sync(auth, store, &service, 7, NULL), NXV_OK);
	assert_string_equal(one(auth, "SELECT group_concat(r) FROM (SELECT username||':'||domain||':'||ha1||':'||owner||':'||call_limit||':'||"
				      "expires_at AS r FROM subscriber ORDER BY username)"),
		"gateway:a.test:s1::0:0,user_1:a.test:m1:anna:7:0,user_3:a.test:m3:cleo:7:9");
}

static void sync_without_a_difference_writes_nothing(void **state)
{
	char before[32];

	(void)state;
	run(store, "INSERT INTO credential VALUES ('cred_1','anna','user_1','a.test','m1','s1','t1',1,0,0);");
	assert_int_equal(subscriber_sync(auth, store, NULL, 7, NULL), NXV_OK);
	run(auth, "CREATE TABLE touched (n INTEGER); INSERT INTO touched VALUES (0);"
		  "CREATE TRIGGER u AFTER UPDATE ON subscriber BEGIN UPDATE touched SET n = n + 1; END;"
		  "CREATE TRIGGER i AFTER INSERT ON subscriber BEGIN UPDATE touched SET n = n + 1; END;");
	snprintf(before, sizeof(before), "%s", one(auth, "SELECT n FROM touched"));
	assert_int_equal(subscriber_sync(auth, store, NULL, 7, NULL), NXV_OK);
	assert_string_equal(one(auth, "SELECT n FROM touched"), before);
	assert_int_equal(subscriber_sync(auth, store, NULL, 8, NULL), NXV_OK);
	assert_string_equal(one(auth, "SELECT n FROM touched"), "1");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_both, close_both)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_equal_those_of_openssl),
		CASE(a_row_holds_digests_owner_limit_and_seconds_but_no_password),
		CASE(putting_again_replaces_and_deleting_is_idempotent),
		CASE(sync_makes_the_copy_equal_to_the_live_credentials),
		CASE(sync_without_a_difference_writes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
