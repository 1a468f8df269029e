/* fixture.h - for every unit test that needs a store: a private folder, a clock that stands still until it is moved,
 * randomness that repeats, and a nxv_ctx put together by hand (env, cfg, db, rate, usage; no SIP, no engine). */
#ifndef NXV_TESTS_UNIT_FIXTURE_H
#define NXV_TESTS_UNIT_FIXTURE_H

#include "config/config.h"
#include "ctx.h"
#include "limits/limits.h"
#include "secrets/secrets.h"
#include "store/db.h"
#include "usage/usage_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FIXTURE_NOW_MS INT64_C(1700000000000)

/* How to use it:
 *	struct fixture f;
 *	fixture_open(&f, NULL);                 // or with "key=value" overrides, NULL-ended
 *	f.now_ms += 60000;                      // time passes
 *	nxv_key_create(&f.ctx, ...);
 *	fixture_close(&f);                      // removes the folder
 * Two processes racing on one store: fixture_split(), fixture_meet() before each race, fixture_join().
 * Otherwise by hand: fixture_detach() (closes the store, keeps the folder), fork(), then fixture_attach() on each side,
 * because a store must not be carried through fork(); the child ends with _exit(). */
struct fixture {
	struct nxv_ctx ctx;
	char dir[128];
	char db_path[160];
	_Atomic int64_t now_ms;
	atomic_uint_fast64_t random;  /* state of the repeating generator */
	atomic_bool random_fails;
};

static inline int64_t fixture_clock(void *user)
{
	return ((struct fixture *)user)->now_ms;
}

/* splitmix64: different bytes at every call, the same ones in every run. */
static inline bool fixture_random(void *user, void *buf, size_t len)
{
	struct fixture *f = user;
	uint8_t *out = buf;

	for (size_t i = 0; i < len; i++) {
		uint64_t z = atomic_fetch_add(&f->random, UINT64_C(0x9e3779b97f4a7c15));

		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		out[i] = (uint8_t)((z ^ (z >> 31)) >> 24);
	}
	return !f->random_fails;
}

/* Open what is in f->dir. set: "limits.calls_per_user=2" and the like, NULL-ended; nullable. */
static inline void fixture_attach(struct fixture *f, const char *const *set)
{
	struct nxv_error err = NXV_ERROR_INIT;

	f->ctx = (struct nxv_ctx){ .env = { .clock = fixture_clock, .random = fixture_random, .user = f },
		.state_dir = f->dir };
	env_defaults(&f->ctx.env);
	if (config_load(NULL, false, NULL, set, &f->ctx.cfg, &err) ||
	    db_open(&f->ctx.env, f->db_path, db_migrations, &f->ctx.db, &err) ||
	    secrets_open(&f->ctx.env, f->ctx.db, f->ctx.cfg, f->dir, &f->ctx.secrets, &err) ||
	    rate_open(&f->ctx.env, 60000, &f->ctx.rate, &err) ||
	    usage_log_open(&f->ctx.env, f->ctx.db, &f->ctx.usage, &err))
		fail_msg("fixture: %s", err.message);
	pthread_mutex_init(&f->ctx.lock, NULL);
}

static inline void fixture_detach(struct fixture *f)
{
	usage_log_close(f->ctx.usage);
	rate_close(f->ctx.rate);
	secrets_close(f->ctx.secrets);
	db_close(f->ctx.db);
	config_free(f->ctx.cfg);
	pthread_mutex_destroy(&f->ctx.lock);
	f->ctx = (struct nxv_ctx){ 0 };
}

static inline void fixture_open(struct fixture *f, const char *const *set)
{
	const char *tmp = getenv("TMPDIR");

	*f = (struct fixture){ 0 };
	snprintf(f->dir, sizeof(f->dir), "%s/nexusvoip-unit-XXXXXX", tmp ? tmp : "/tmp");
	f->now_ms = FIXTURE_NOW_MS;
	atomic_init(&f->random, 1);
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->db_path, sizeof(f->db_path), "%s/nexusvoip.db", f->dir);
	fixture_attach(f, set);
}

static inline void fixture_close(struct fixture *f)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	char path[192];

	fixture_detach(f);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		snprintf(path, sizeof(path), "%s%s", f->db_path, suffixes[i]);
		unlink(path);
	}
	if (rmdir(f->dir))
		fail_msg("fixture: files are left in %s", f->dir);
}

/* First column of the first row of a statement, as a number; -1 when there is none. */
static inline int64_t fixture_count(struct fixture *f, const char *sql)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct db_stmt *stmt = NULL;
	struct db_tx *tx = NULL;
	int64_t value = -1;
	bool row = false;

	assert_int_equal(db_begin(f->ctx.db, DB_READ, &tx, &err), NXV_OK);
	assert_int_equal(db_query(tx, sql, &stmt, &err), NXV_OK);
	assert_int_equal(db_step(stmt, &row, &err), NXV_OK);
	if (row)
		value = db_int(stmt, 0);
	db_done(stmt);
	db_rollback(tx);
	return value;
}

/* Change the store behind the library's back. */
static inline void fixture_sql(struct fixture *f, const char *sql)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct db_tx *tx = NULL;

	assert_int_equal(db_begin(f->ctx.db, DB_WRITE, &tx, &err), NXV_OK);
	if (db_script(tx, sql, &err))
		fail_msg("fixture: %s", err.message);
	assert_int_equal(db_commit(tx, &err), NXV_OK);
}

/* True when text stands anywhere in the store's files. */
static inline bool fixture_file_holds(struct fixture *f, const char *text)
{
	static const char *const suffixes[] = { "", "-wal" };
	bool found = false;

	for (size_t i = 0; i < 2 && !found; i++) {
		char path[192];
		struct stat info;
		FILE *file;

		snprintf(path, sizeof(path), "%s%s", f->db_path, suffixes[i]);
		file = fopen(path, "rb");
		if (!file)
			continue;
		assert_int_equal(fstat(fileno(file), &info), 0);
		char *data = malloc((size_t)info.st_size + 1);
		assert_non_null(data);
		size_t len = fread(data, 1, (size_t)info.st_size, file);
		for (size_t at = 0; at + strlen(text) <= len && !found; at++)
			found = memcmp(data + at, text, strlen(text)) == 0;
		free(data);
		fclose(file);
	}
	return found;
}

/* Wait for a child that must end by itself. Returns its exit status. */
static inline int fixture_reap(pid_t child)
{
	int status = 0;

	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status))
		fail_msg("the other process was killed by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* Two processes on one store. */
struct fixture_pair {
	pid_t child; /* 0 in the child */
	int other;   /* socket to the other one */
};

static inline void fixture_split(struct fixture *f, struct fixture_pair *pair)
{
	int ends[2];

	fixture_detach(f);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pair->child = fork();
	assert_true(pair->child >= 0);
	pair->other = ends[pair->child == 0];
	close(ends[pair->child != 0]);
	fixture_attach(f, NULL);
}

/* Wait until the other process is here, too. */
static inline void fixture_meet(const struct fixture_pair *pair)
{
	char here = 0;

	if (write(pair->other, &here, 1) != 1 || read(pair->other, &here, 1) != 1) {
		if (!pair->child)
			_exit(255);
		fail_msg("the other process went away");
	}
}

/* The child ends here; the parent gets the sum of both results. */
static inline int fixture_join(const struct fixture_pair *pair, int result)
{
	int others = 0;

	if (!pair->child)
		_exit(write(pair->other, &result, sizeof(result)) != (ssize_t)sizeof(result));
	assert_int_equal(read(pair->other, &others, sizeof(others)), sizeof(others));
	assert_int_equal(fixture_reap(pair->child), 0);
	close(pair->other);
	return result + others;
}

#endif
