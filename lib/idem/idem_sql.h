/* idem_sql.h - the idempotency table: what was begun, and answered, under an Idempotency-Key. */
#ifndef NXV_IDEM_IDEM_SQL_H
#define NXV_IDEM_IDEM_SQL_H

#include "base/digest.h"
#include "store/db.h"

/** One row; answer [owned]. */
struct idem_row {
	uint8_t request[DIGEST_MAX_BYTES];
	int http_status; /**< 0: at work */
	int64_t created_at_ms;
	uint8_t *answer;
	size_t answer_len;
};

/** Forget up to max rows from before a time. */
nxv_status idem_sql_purge(struct db_tx *tx, int64_t before_ms, int64_t max, struct nxv_error *err);
nxv_status idem_sql_insert(struct db_tx *tx, const char *scope, const uint8_t digest[DIGEST_MAX_BYTES], const uint8_t request[DIGEST_MAX_BYTES], int64_t now_ms, struct nxv_error *err);
/** @param found false: there is none, and row is empty. */
nxv_status idem_sql_get(struct db_tx *tx, const char *scope, const uint8_t digest[DIGEST_MAX_BYTES], struct idem_row *row, bool *found, struct nxv_error *err);
nxv_status idem_sql_answer(struct db_tx *tx, const char *scope, const uint8_t digest[DIGEST_MAX_BYTES], int http_status, const uint8_t *answer, size_t len, struct nxv_error *err);
nxv_status idem_sql_delete(struct db_tx *tx, const char *scope, const uint8_t digest[DIGEST_MAX_BYTES], struct nxv_error *err);

#endif
