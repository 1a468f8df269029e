/* db.h - the database port: transactions and statements, one driver per database. */
#ifndef NXV_STORE_DB_H
#define NXV_STORE_DB_H

#include "base/env.h"

struct db;
struct db_tx;
struct db_stmt;
enum db_mode { DB_READ, DB_WRITE };

/** One step of the schema. Steps are numbered from 1 without gaps and never change once released. */
struct db_migration {
	int version;
	const char *name;
	const char *sql;
};
/** The steps of nexusvoip.db, made from store/migrations/NNNN_name.sql at build time; ended by version 0. */
extern const struct db_migration db_migrations[];

/**
 * Open (and create, mode 0600) a database file and bring its schema up to date, each step in one transaction.
 * @param steps ended by version 0; NULL: no schema is managed.
 * Errors: NXV_E_STORE "schema_newer" when the file's schema is newer than the steps.
 * A struct db is thread-safe; a transaction belongs to the thread that began it.
 */
nxv_status db_open(const struct env *env, const char *path, const struct db_migration *steps, struct db **out, struct nxv_error *err);
void db_close(struct db *db);
/** Schema version in force. */
int db_version(struct db *db);

/** Begin. DB_WRITE takes the write lock at once, so that what is read under it is still true at commit.
 * Never keep one open across a network request. Errors: NXV_E_BUSY after 5 s. */
nxv_status db_begin(struct db *db, enum db_mode mode, struct db_tx **out, struct nxv_error *err);
/** Commit and free tx, also on failure. A tx in which a statement failed is rolled back and gives NXV_E_STORE. */
nxv_status db_commit(struct db_tx *tx, struct nxv_error *err);
/** Roll back and free. NULL is allowed: the `goto out` idiom ends with it. */
void db_rollback(struct db_tx *tx);

/** Prepare (cached per connection); end with db_done() before the tx ends. sql must be a literal or outlive the db. */
nxv_status db_query(struct db_tx *tx, const char *sql, struct db_stmt **out, struct nxv_error *err);
/* Parameters from 1; NULL text binds NULL. Text and blobs must live until db_done(). */
void db_bind_text(struct db_stmt *stmt, int index, const char *text);
void db_bind_int(struct db_stmt *stmt, int index, int64_t value);
void db_bind_blob(struct db_stmt *stmt, int index, const void *data, size_t len);
/** *row true: a row is there; false: at the end. Errors: NXV_E_CONFLICT on a unique or foreign key, NXV_E_STORE. */
nxv_status db_step(struct db_stmt *stmt, bool *row, struct nxv_error *err);
/* Columns from 0; text is [borrowed] until the next step and NULL for NULL. */
const char *db_text(struct db_stmt *stmt, int column);
int64_t db_int(struct db_stmt *stmt, int column);
const void *db_blob(struct db_stmt *stmt, int column, size_t *len);
void db_done(struct db_stmt *stmt);
/** db_query, step to the end, done: for statements without result, bound by a format of one letter per
 * parameter: 't' const char *, 'i' int64_t. */
nxv_status db_run(struct db_tx *tx, const char *sql, struct nxv_error *err, const char *format, ...);
/** Bring what is committed to the disk (commits alone are safe from a crash of the program, not from a power cut).
 * Errors: NXV_E_BUSY when a reader or writer is in the way. Not inside a transaction. */
nxv_status db_sync(struct db *db, struct nxv_error *err);
/** Rows changed by the last statement. */
int64_t db_changes(struct db_tx *tx);
/** Run several statements at once (schema scripts). */
nxv_status db_script(struct db_tx *tx, const char *sql, struct nxv_error *err);

#endif
