/* fixture.h - for every unit test that needs a store: a private folder, a clock that stands still until it is moved,
 * randomness that repeats, and a nxv_ctx put together by hand (env, cfg, db, rate, usage; no SIP, no engine). */
#ifndef NXV_TESTS_UNIT_FIXTURE_H
#define NXV_TESTS_UNIT_FIXTURE_H

#include "config/config.h"
#include "ctx.h"
#include "limits/limits.h"
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
 * Two processes: fixture_detach() (closes the store, keeps the folder), fork(), then fixture_attach() on each side:
 * a store must not be carried through fork(). The child ends with _exit(). */
struct fixture {
	struct nxv_ctx ctx;
	char dir[64];
	char db_path[96];
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
	    rate_open(&f->ctx.env, 60000, &f->ctx.rate, &err) ||
	    usage_log_open(&f->ctx.env, f->ctx.db, &f->ctx.usage, &err))
		fail_msg("fixture: %s", err.message);
	pthread_mutex_init(&f->ctx.lock, NULL);
}

static inline void fixture_detach(struct fixture *f)
{
	usage_log_close(f->ctx.usage);
	rate_close(f->ctx.rate);
	db_close(f->ctx.db);
	config_free(f->ctx.cfg);
	pthread_mutex_destroy(&f->ctx.lock);
	f->ctx = (struct nxv_ctx){ 0 };
}

static inline void fixture_open(struct fixture *f, const char *const *set)
{
	*f = (struct fixture){ .dir = "/tmp/nexusvoip-unit-XXXXXX" };
	f->now_ms = FIXTURE_NOW_MS;
	atomic_init(&f->random, 1);
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->db_path, sizeof(f->db_path), "%s/nexusvoip.db", f->dir);
	fixture_attach(f, set);
}

static inline void fixture_close(struct fixture *f)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	char path[128];

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
		char path[128];
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

/* Wait for a child that must end with status 0. */
static inline void fixture_reap(pid_t child)
{
	int status = 0;

	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("the other process ended with status %d", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

#endif
