/* test_store.c - transactions, migrations, and two processes on one database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/leg_token.h"
#include "store/db.h"
#include "store/setting.h"

static const struct env env;
static char dir[32], path[64];

static const struct db_migration first[] = {
	{ 1, "init", "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE); CREATE TABLE child (t INTEGER REFERENCES t(id));" },
	{ 0, NULL, NULL },
};
static const struct db_migration second[] = {
	{ 1, "init", "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE); CREATE TABLE child (t INTEGER REFERENCES t(id));" },
	{ 2, "more", "ALTER TABLE t ADD COLUMN w TEXT;" },
	{ 0, NULL, NULL },
};
static const struct db_migration broken[] = {
	{ 1, "init", "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE);" },
	{ 2, "broken", "ALTER TABLE t ADD COLUMN w TEXT; INSERT INTO nowhere VALUES (1);" },
	{ 0, NULL, NULL },
};

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/nxv-store-XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/db", dir);
	return 0;
}

static int teardown(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char file[80];

	(void)state;
	for (int i = 0; i < 3; i++) {
		snprintf(file, sizeof(file), "%s%s", path, suffixes[i]);
		unlink(file);
	}
	return rmdir(dir);
}

static struct db *open_db(const struct db_migration *steps)
{
	struct db *db;
	struct nxv_error err = NXV_ERROR_INIT;

	if (db_open(&env, path, steps, &db, &err) != NXV_OK)
		fail_msg("%s", err.message);
	return db;
}

static int64_t count(struct db *db, const char *sql)
{
	struct db_tx *tx;
	struct db_stmt *stmt;
	bool row;
	int64_t n;

	assert_int_equal(db_begin(db, DB_READ, &tx, NULL), NXV_OK);
	assert_int_equal(db_query(tx, sql, &stmt, NULL), NXV_OK);
	assert_int_equal(db_step(stmt, &row, NULL), NXV_OK);
	n = row ? db_int(stmt, 0) : -1;
	db_done(stmt);
	db_rollback(tx);
	return n;
}

static void insert(struct db *db, int64_t id)
{
	struct db_tx *tx;

	assert_int_equal(db_begin(db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(db_run(tx, "INSERT INTO t (id) VALUES (?)", NULL, "i", id), NXV_OK);
	assert_int_equal(db_commit(tx, NULL), NXV_OK);
}

static void committed_rows_stay_and_rolled_back_rows_go(void **state)
{
	struct db *db = open_db(first);
	struct db_tx *tx;

	(void)state;
	insert(db, 1);
	assert_int_equal(db_begin(db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(db_run(tx, "INSERT INTO t (id) VALUES (?)", NULL, "i", (int64_t)2), NXV_OK);
	db_rollback(tx);
	assert_int_equal(count(db, "SELECT count(*) FROM t"), 1);
	db_close(db);
}

static void file_is_private(void **state)
{
	struct db *db = open_db(first);
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	db_close(db);
}

static void failed_statement_spoils_its_transaction(void **state)
{
	struct db *db = open_db(first);
	struct db_tx *tx;
	struct nxv_error err;

	(void)state;
	insert(db, 1);
	assert_int_equal(db_begin(db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(db_run(tx, "INSERT INTO t (id) VALUES (?)", NULL, "i", (int64_t)2), NXV_OK);
	assert_int_equal(db_run(tx, "INSERT INTO t (id) VALUES (?)", &err, "i", (int64_t)1), NXV_E_CONFLICT);
	assert_null(strstr(err.message, path)); /* a conflict may be told to a client */
	assert_null(strstr(err.message, "t.id"));
	assert_int_equal(db_commit(tx, &err), NXV_E_STORE);
	assert_int_equal(count(db, "SELECT count(*) FROM t"), 1);
	db_close(db);
}

static void foreign_keys_hold(void **state)
{
	struct db *db = open_db(first);
	struct db_tx *tx;

	(void)state;
	assert_int_equal(db_begin(db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(db_run(tx, "INSERT INTO child (t) VALUES (?)", NULL, "i", (int64_t)99), NXV_E_CONFLICT);
	db_rollback(tx);
	db_close(db);
}

static void writer_inside_writer_is_an_error_not_a_deadlock(void **state)
{
	struct db *db = open_db(first);
	struct db_tx *outer, *inner;

	(void)state;
	assert_int_equal(db_begin(db, DB_WRITE, &outer, NULL), NXV_OK);
	assert_int_equal(db_begin(db, DB_WRITE, &inner, NULL), NXV_E_INTERNAL);
	assert_null(inner);
	db_rollback(outer);
	db_close(db);
}

static void schema_moves_forward_and_keeps_rows(void **state)
{
	struct db *db = open_db(first);

	(void)state;
	assert_int_equal(db_version(db), 1);
	insert(db, 7);
	db_close(db);
	db = open_db(second);
	assert_int_equal(db_version(db), 2);
	assert_int_equal(count(db, "SELECT id FROM t WHERE w IS NULL"), 7);
	db_close(db);
}

static void newer_schema_is_refused_with_remedy(void **state)
{
	struct nxv_error err;
	struct db *db = open_db(second);

	(void)state;
	db_close(db);
	assert_int_equal(db_open(&env, path, first, &db, &err), NXV_E_STORE);
	assert_string_equal(err.code, "schema_newer");
	assert_non_null(strstr(err.message, "run the newer program"));
	assert_null(db);
}

static void failing_step_leaves_the_schema_before_it(void **state)
{
	struct db *db = open_db(first);

	(void)state;
	insert(db, 1);
	db_close(db);
	assert_int_equal(db_open(&env, path, broken, &db, NULL), NXV_E_STORE);
	db = open_db(first);
	assert_int_equal(db_version(db), 1);
	assert_int_equal(count(db, "SELECT count(*) FROM pragma_table_info('t') WHERE name='w'"), 0);
	assert_int_equal(count(db, "SELECT count(*) FROM t"), 1);
	db_close(db);
}

static void damaged_file_is_a_store_error_with_path_and_remedy(void **state)
{
	FILE *f = fopen(path, "w");
	struct nxv_error err;
	struct db *db;

	(void)state;
	for (int i = 0; i < 1000; i++)
		fputs("this is no database at all\n", f);
	fclose(f);
	assert_int_equal(db_open(&env, path, first, &db, &err), NXV_E_STORE);
	assert_null(db);
	assert_non_null(strstr(err.message, path));
	assert_non_null(strstr(err.message, "restore a backup"));
}

static void two_processes_write_without_losing_a_row(void **state)
{
	enum { ROWS = 100 };
	pid_t pid = fork();
	struct db *db;
	int status;

	(void)state;
	db = open_db(first);
	for (int i = 0; i < ROWS; i++)
		insert(db, i + (pid ? 0 : ROWS));
	if (!pid) {
		db_close(db);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(count(db, "SELECT count(*) FROM t"), 2 * ROWS);
	db_close(db);
}

static void many_processes_may_create_it_at_once(void **state)
{
	enum { ROUNDS = 20, PROCESSES = 6 };
	int status, go[2];

	for (int round = 0; round < ROUNDS; round++) {
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
		assert_int_equal(pipe(go), 0);
		for (int i = 0; i < PROCESSES; i++)
			if (fork() == 0) {
				struct nxv_error err = NXV_ERROR_INIT;
				struct db *db = NULL;

				close(go[1]);
				if (read(go[0], &status, 1) != 0) /* until all are there */
					_exit(2);
				_exit(db_open(&env, path, first, &db, &err) != NXV_OK);
			}
		close(go[0]);
		close(go[1]);
		for (int i = 0; i < PROCESSES; i++) {
			assert_true(wait(&status) > 0);
			assert_int_equal(status, 0);
		}
	}
}

/* Else the process that leaves first takes itself for the last, and deletes the log under the other. */
static void opening_it_twice_keeps_the_locks_of_the_first(void **state)
{
	int go[2], status;
	struct db *db, *again;
	char wal[80];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (!pid) {
		bool good = read(go[0], &(char){ 0 }, 1) == 1;
		db = open_db(first);
		insert(db, 2);
		db_close(db);
		_exit(good ? 0 : 1);
	}
	db = open_db(first);
	insert(db, 1);
	again = open_db(first);
	db_close(again);
	assert_int_equal(write(go[1], "", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	assert_int_equal(access(wal, F_OK), 0);
	insert(db, 3);
	again = open_db(first);
	assert_int_equal(count(again, "SELECT count(*) FROM t"), 3);
	db_close(again);
	db_close(db);
	close(go[0]);
	close(go[1]);
}

static void shipped_schema_opens(void **state)
{
	struct db *db = open_db(db_migrations);

	(void)state;
	assert_true(db_version(db) >= 1);
	assert_int_equal(count(db, "SELECT count(*) FROM session"), 0);
	db_close(db);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

static void the_key_of_leg_tokens_is_made_once(void **state)
{
	char key[LEG_KEY_TEXT + 1], again[LEG_KEY_TEXT + 1];
	struct env system = { 0 };
	struct db *db;

	(void)state;
	env_defaults(&system);
	assert_int_equal(db_open(&system, path, db_migrations, &db, NULL), NXV_OK);
	assert_int_equal(setting_leg_key(db, &system, key, sizeof(key), NULL), NXV_OK);
	assert_int_equal(strlen(key), LEG_KEY_TEXT);
	assert_int_equal(setting_leg_key(db, &system, again, sizeof(again), NULL), NXV_OK);
	assert_string_equal(key, again);
	db_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(committed_rows_stay_and_rolled_back_rows_go),
		TEST(file_is_private),
		TEST(failed_statement_spoils_its_transaction),
		TEST(foreign_keys_hold),
		TEST(writer_inside_writer_is_an_error_not_a_deadlock),
		TEST(schema_moves_forward_and_keeps_rows),
		TEST(newer_schema_is_refused_with_remedy),
		TEST(failing_step_leaves_the_schema_before_it),
		TEST(damaged_file_is_a_store_error_with_path_and_remedy),
		TEST(two_processes_write_without_losing_a_row),
		TEST(many_processes_may_create_it_at_once),
		TEST(opening_it_twice_keeps_the_locks_of_the_first),
		TEST(shipped_schema_opens),
		TEST(the_key_of_leg_tokens_is_made_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
