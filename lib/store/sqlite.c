/* sqlite.c - the database port on SQLite: WAL, a pool of connections, one writer at a time in this process
 * (so that SQLite's own busy handler only meets other processes). */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "store/db.h"
#include "store/migrate.h"

enum { BUSY_MS = 5000, STATEMENTS_MAX = 96 };

struct db_stmt {
	const char *sql; /* its address is the cache's key */
	sqlite3_stmt *handle;
	struct conn *conn;
	struct db_tx *tx;
	bool in_use;
};

struct conn {
	struct conn *next;
	sqlite3 *handle;
	const char *path; /* the db's */
	struct db_stmt statements[STATEMENTS_MAX];
	size_t statement_count;
};

struct db {
	const struct env *env;
	char *path;
	pthread_mutex_t pool_lock;  /* guards idle */
	pthread_mutex_t write_lock; /* held by the one write transaction */
	struct conn *idle;
	int version;
};

struct db_tx {
	struct db *db;
	struct conn *conn;
	enum db_mode mode;
	bool failed;
};

/* What somebody who runs this can do about it. */
static const char *remedy(int code)
{
	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return "; the file is damaged: restore a backup of it";
	case SQLITE_FULL:
		return "; make room on its disk";
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return "; this user must be able to write the file and its folder";
	}
	return "";
}

static nxv_status fault(struct conn *conn, const char *what, struct nxv_error *err)
{
	int code = sqlite3_extended_errcode(conn->handle);
	nxv_status status = NXV_E_STORE;

	if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED)
		status = NXV_E_BUSY;
	else if ((code & 0xff) == SQLITE_CONSTRAINT)
		status = NXV_E_CONFLICT;
	if (status == NXV_E_CONFLICT) /* may reach a client, so it names neither file nor column */
		error_set(err, status, "this is there already, or refers to something that is not");
	else
		error_set(err, status, "the database %s cannot %s: %s%s", conn->path, what, sqlite3_errmsg(conn->handle), remedy(code));
	if (err) {
		err->detail = code;
		err->retry_after_ms = status == NXV_E_BUSY ? 1000 : 0;
	}
	return status;
}

static void conn_close(struct conn *conn)
{
	if (!conn)
		return;
	for (size_t i = 0; i < conn->statement_count; i++)
		sqlite3_finalize(conn->statements[i].handle);
	sqlite3_close(conn->handle);
	free(conn);
}

/* The change of a new file to WAL does not wait for another process that makes it too: SQLite's busy handler is not asked. */
static nxv_status set_up(struct conn *conn, struct nxv_error *err)
{
	int code, waited_ms = 0;

	while ((code = sqlite3_exec(conn->handle,
			"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;",
			NULL, NULL, NULL)) != SQLITE_OK) {
		if ((code & 0xff) != SQLITE_BUSY || waited_ms >= BUSY_MS)
			return fault(conn, "be set up", err);
		waited_ms += sqlite3_sleep(5);
	}
	return NXV_OK;
}

static nxv_status conn_open(struct db *db, struct conn **out, struct nxv_error *err)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	nxv_status status = NXV_OK;

	*out = NULL;
	if (!conn)
		return error_nomem(err);
	conn->path = db->path;
	if (sqlite3_open_v2(db->path, &conn->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		status = conn->handle ? fault(conn, "be opened", err) : error_nomem(err);
		goto out;
	}
	sqlite3_extended_result_codes(conn->handle, 1);
	sqlite3_busy_timeout(conn->handle, BUSY_MS);
	status = set_up(conn, err);
out:
	if (status != NXV_OK)
		conn_close(conn);
	else
		*out = conn;
	return status;
}

static nxv_status conn_take(struct db *db, struct conn **out, struct nxv_error *err)
{
	pthread_mutex_lock(&db->pool_lock);
	*out = db->idle;
	if (*out)
		db->idle = (*out)->next;
	pthread_mutex_unlock(&db->pool_lock);
	return *out ? NXV_OK : conn_open(db, out, err);
}

static void conn_give(struct db *db, struct conn *conn)
{
	pthread_mutex_lock(&db->pool_lock);
	conn->next = db->idle;
	db->idle = conn;
	pthread_mutex_unlock(&db->pool_lock);
}

/* SQLite would create the file with the process's umask; keys and calls are nobody else's business. One that is there is not
 * opened here: closing it would end the locks that this process holds on it by other connections, and the next process to
 * leave would take itself for the last and delete the log under them. */
static nxv_status create_file(const char *path, struct nxv_error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	else if (errno != EEXIST || access(path, R_OK | W_OK) != 0)
		return error_errno(err, errno, "cannot open the database %s", path);
	return NXV_OK;
}

nxv_status db_open(const struct env *env, const char *path, const struct db_migration *steps, struct db **out,
	struct nxv_error *err)
{
	struct db *db = calloc(1, sizeof(*db));
	pthread_mutexattr_t attr;
	nxv_status status;

	*out = NULL;
	if (!db)
		return error_nomem(err);
	db->env = env;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&db->write_lock, &attr);
	pthread_mutexattr_destroy(&attr);
	pthread_mutex_init(&db->pool_lock, NULL);
	db->path = text_dup(path);
	status = db->path ? create_file(path, err) : error_nomem(err);
	if (status == NXV_OK && steps)
		status = db_migrate(db, steps, &db->version, err);
	if (status != NXV_OK) {
		db_close(db);
		return status;
	}
	*out = db;
	return NXV_OK;
}

void db_close(struct db *db)
{
	struct conn *conn;

	if (!db)
		return;
	while ((conn = db->idle)) {
		db->idle = conn->next;
		conn_close(conn);
	}
	pthread_mutex_destroy(&db->pool_lock);
	pthread_mutex_destroy(&db->write_lock);
	free(db->path);
	free(db);
}

int db_version(struct db *db)
{
	return db->version;
}

nxv_status db_begin(struct db *db, enum db_mode mode, struct db_tx **out, struct nxv_error *err)
{
	struct db_tx *tx = calloc(1, sizeof(*tx));
	nxv_status status;

	*out = NULL;
	if (!tx)
		return error_nomem(err);
	tx->db = db;
	tx->mode = mode;
	if (mode == DB_WRITE && pthread_mutex_lock(&db->write_lock) != 0) {
		free(tx);
		return error_set(err, NXV_E_INTERNAL, "a write transaction was begun inside another");
	}
	status = conn_take(db, &tx->conn, err);
	if (status == NXV_OK &&
		sqlite3_exec(tx->conn->handle, mode == DB_WRITE ? "BEGIN IMMEDIATE" : "BEGIN", NULL, NULL, NULL) != SQLITE_OK) {
		status = fault(tx->conn, "begin a transaction", err);
		conn_give(db, tx->conn);
	}
	if (status != NXV_OK) {
		if (mode == DB_WRITE)
			pthread_mutex_unlock(&db->write_lock);
		free(tx);
		return status;
	}
	*out = tx;
	return NXV_OK;
}

static void tx_end(struct db_tx *tx)
{
	struct db *db = tx->db;

	if (!sqlite3_get_autocommit(tx->conn->handle))
		sqlite3_exec(tx->conn->handle, "ROLLBACK", NULL, NULL, NULL);
	conn_give(db, tx->conn);
	if (tx->mode == DB_WRITE)
		pthread_mutex_unlock(&db->write_lock);
	free(tx);
}

nxv_status db_commit(struct db_tx *tx, struct nxv_error *err)
{
	nxv_status status = NXV_OK;

	if (tx->failed)
		status = error_set(err, NXV_E_STORE, "the transaction was rolled back because one of its statements failed");
	else if (sqlite3_exec(tx->conn->handle, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		status = fault(tx->conn, "commit", err);
	tx_end(tx);
	return status;
}

void db_rollback(struct db_tx *tx)
{
	if (tx)
		tx_end(tx);
}

nxv_status db_query(struct db_tx *tx, const char *sql, struct db_stmt **out, struct nxv_error *err)
{
	struct conn *conn = tx->conn;
	struct db_stmt *stmt = NULL;

	*out = NULL;
	for (size_t i = 0; i < conn->statement_count && !stmt; i++)
		if (conn->statements[i].sql == sql && !conn->statements[i].in_use)
			stmt = &conn->statements[i];
	if (!stmt) {
		if (conn->statement_count == STATEMENTS_MAX)
			return error_set(err, NXV_E_INTERNAL, "more than %d different statements", STATEMENTS_MAX);
		stmt = &conn->statements[conn->statement_count];
		if (sqlite3_prepare_v3(conn->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt->handle, NULL) != SQLITE_OK) {
			tx->failed = true;
			return fault(conn, "prepare a statement", err);
		}
		stmt->sql = sql;
		stmt->conn = conn;
		conn->statement_count++;
	}
	stmt->in_use = true;
	stmt->tx = tx;
	*out = stmt;
	return NXV_OK;
}

void db_bind_text(struct db_stmt *stmt, int index, const char *text)
{
	if (sqlite3_bind_text(stmt->handle, index, text, -1, SQLITE_STATIC) != SQLITE_OK)
		stmt->tx->failed = true;
}

void db_bind_int(struct db_stmt *stmt, int index, int64_t value)
{
	if (sqlite3_bind_int64(stmt->handle, index, value) != SQLITE_OK)
		stmt->tx->failed = true;
}

void db_bind_blob(struct db_stmt *stmt, int index, const void *data, size_t len)
{
	if (sqlite3_bind_blob(stmt->handle, index, data, (int)len, SQLITE_STATIC) != SQLITE_OK)
		stmt->tx->failed = true;
}

nxv_status db_step(struct db_stmt *stmt, bool *row, struct nxv_error *err)
{
	int rc = sqlite3_step(stmt->handle);

	if (row)
		*row = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return NXV_OK;
	if (stmt->tx->mode == DB_WRITE)
		stmt->tx->failed = true;
	return fault(stmt->conn, "run a statement", err);
}

const char *db_text(struct db_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt->handle, column);
}

int64_t db_int(struct db_stmt *stmt, int column)
{
	return sqlite3_column_int64(stmt->handle, column);
}

const void *db_blob(struct db_stmt *stmt, int column, size_t *len)
{
	const void *data = sqlite3_column_blob(stmt->handle, column);

	*len = (size_t)sqlite3_column_bytes(stmt->handle, column);
	return data;
}

void db_done(struct db_stmt *stmt)
{
	if (!stmt)
		return;
	sqlite3_reset(stmt->handle);
	sqlite3_clear_bindings(stmt->handle);
	stmt->in_use = false;
}

nxv_status db_run(struct db_tx *tx, const char *sql, struct nxv_error *err, const char *format, ...)
{
	struct db_stmt *stmt;
	va_list args;
	nxv_status status = db_query(tx, sql, &stmt, err);

	if (status != NXV_OK)
		return status;
	va_start(args, format);
	for (int i = 0; format[i]; i++) {
		if (format[i] == 'i')
			db_bind_int(stmt, i + 1, va_arg(args, int64_t));
		else
			db_bind_text(stmt, i + 1, va_arg(args, const char *));
	}
	va_end(args);
	status = db_step(stmt, NULL, err);
	db_done(stmt);
	return status;
}

int64_t db_changes(struct db_tx *tx)
{
	return sqlite3_changes64(tx->conn->handle);
}

nxv_status db_script(struct db_tx *tx, const char *sql, struct nxv_error *err)
{
	if (sqlite3_exec(tx->conn->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
		return NXV_OK;
	tx->failed = true;
	return fault(tx->conn, "run a script", err);
}

nxv_status db_sync(struct db *db, struct nxv_error *err)
{
	struct conn *conn;
	int frames = 0, done = 0;
	nxv_status status = conn_take(db, &conn, err);

	if (status != NXV_OK)
		return status;
	if (sqlite3_wal_checkpoint_v2(conn->handle, NULL, SQLITE_CHECKPOINT_FULL, &frames, &done) != SQLITE_OK)
		status = fault(conn, "be brought to the disk", err);
	else if (done < frames)
		status = error_set(err, NXV_E_BUSY, "the database %s is being read", conn->path);
	conn_give(db, conn);
	return status;
}
