/* idem.c - safe retries: work begun under an Idempotency-Key is done once, and its answer given again.
 * The stored row alone opens nothing: the key is there as a digest, the answer sealed with the key. */
#include <nexusvoip/gate.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/seal.h"
#include "base/text.h"
#include "ctx.h"
#include "idem/idem_sql.h"
#include "store/db.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 255, ANSWER_MAX_BYTES = 256 * 1024, PURGE_SLICE = 64, AT_WORK_RETRY_MS = 1000 };
static const int64_t kept_ms = INT64_C(24) * 3600 * 1000;
/* No request works this long: one that is still "at work" then died with its process. */
static const int64_t lost_after_ms = INT64_C(5) * 60 * 1000;

/* What a key and a request are known by. */
struct names {
	uint8_t key[DIGEST_MAX_BYTES];
	uint8_t request[DIGEST_MAX_BYTES];
};

static nxv_status check_key(const char *key, struct nxv_error *err)
{
	size_t len = key ? strnlen(key, KEY_MAX + 1) : 0;

	for (size_t i = 0; i < len; i++) {
		if (key[i] < ' ' || key[i] > '~')
			len = 0;
	}
	if (len < 1 || len > KEY_MAX)
		return error_field(err, "Idempotency-Key",
			"must be 1 to %d printable ASCII characters, such as a new UUID", KEY_MAX);
	return NXV_OK;
}

static nxv_status no_digest(struct nxv_error *err)
{
	return error_set(err, NXV_E_INTERNAL, "libcrypto cannot compute SHA-256");
}

static nxv_status name_request(const char *route, const void *body, size_t len, struct names *names,
	struct nxv_error *err)
{
	size_t route_size = strlen(route) + 1; /* its NUL keeps route and body apart */
	uint8_t *both = malloc(route_size + len);
	bool done;

	if (!both)
		return error_nomem(err);
	memcpy(both, route, route_size);
	if (len)
		memcpy(both + route_size, body, len);
	done = digest_bytes(DIGEST_SHA256, both, route_size + len, names->request);
	explicit_bzero(both, route_size + len);
	free(both);
	return done ? NXV_OK : no_digest(err);
}

/* An answer belongs to its scope, request and HTTP status: a row that was moved or changed does not open. */
struct binding {
	struct seal_binding seal;
	char context[128];
	uint8_t bound[DIGEST_MAX_BYTES + 2];
};

static void bind_answer(struct binding *b, const char *scope, const char *key, const uint8_t *request, int http_status)
{
	text_copy(b->context, sizeof(b->context), "nexusvoip idempotent answer 1 ");
	text_copy(b->context + strlen(b->context), sizeof(b->context) - strlen(b->context), scope);
	memcpy(b->bound, request, DIGEST_MAX_BYTES);
	b->bound[DIGEST_MAX_BYTES] = (uint8_t)(http_status >> 8);
	b->bound[DIGEST_MAX_BYTES + 1] = (uint8_t)http_status;
	b->seal = (struct seal_binding){ key, b->context, b->bound, sizeof(b->bound) };
}

/* Somebody came before with this key. When that request was cut short by a crash, nobody knows whether its call was
 * placed; so the key stays refused until it is forgotten, because a call is never placed twice. */
static nxv_status judge(const struct idem_row *row, const struct names *names, int64_t now_ms, struct nxv_error *err)
{
	if (!digest_equal(row->request, names->request, sizeof(row->request)))
		return error_code(err, NXV_E_UNCALLABLE, "idempotency_mismatch",
			"this Idempotency-Key was used for another request; send a new key with a new request");
	if (row->http_status)
		return NXV_OK;
	if (now_ms - row->created_at_ms >= lost_after_ms)
		return error_code(err, NXV_E_CONFLICT, "idempotency_in_progress",
			"the first request with this Idempotency-Key was cut short and may have done its work;"
			" list what there is, and only if it is missing send the request again with a new key");
	error_code(err, NXV_E_CONFLICT, "idempotency_in_progress",
		"the first request with this Idempotency-Key is still at work; ask again in a moment");
	if (err)
		err->retry_after_ms = AT_WORK_RETRY_MS;
	return NXV_E_CONFLICT;
}

/* Claim the key, or read who has it: *found. */
static nxv_status claim(nxv_ctx *ctx, const char *scope, const struct names *names, int64_t now_ms,
	struct idem_row *row, bool *found, struct nxv_error *err)
{
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(ctx->db, DB_WRITE, &tx, err);

	if (!status)
		status = idem_sql_purge(tx, now_ms - kept_ms, PURGE_SLICE, err);
	if (!status)
		status = idem_sql_get(tx, scope, names->key, row, found, err);
	if (!status && *found && row->created_at_ms <= now_ms - kept_ms) { /* too old, and not purged yet */
		*found = false;
		status = idem_sql_delete(tx, scope, names->key, err);
	}
	if (!status && !*found)
		status = idem_sql_insert(tx, scope, names->key, names->request, now_ms, err);
	if (!status) {
		status = db_commit(tx, err);
		tx = NULL;
	}
	db_rollback(tx);
	return status;
}

nxv_status nxv_idempotency_begin(nxv_ctx *ctx, const char *scope, const char *route, const char *key, const void *body,
	size_t len, nxv_replay *replay, int *http_status, char **answer, struct nxv_error *err)
{
	int64_t now_ms = env_now_ms(&ctx->env);
	struct idem_row row = { 0 };
	struct binding binding;
	struct names names;
	bool found = false;
	nxv_status status;

	*replay = NXV_REPLAY_NEW;
	*http_status = 0;
	*answer = NULL;
	status = check_key(key, err);
	if (!status)
		status = name_request(route, body, len, &names, err);
	if (!status && !digest_bytes(DIGEST_SHA256, key, strlen(key), names.key))
		status = no_digest(err);
	if (!status)
		status = claim(ctx, scope, &names, now_ms, &row, &found, err);
	if (!status && found)
		status = judge(&row, &names, now_ms, err);
	if (!status && found) {
		bind_answer(&binding, scope, key, row.request, row.http_status);
		status = seal_open(&binding.seal, row.answer, row.answer_len, answer, err);
		if (status == NXV_E_INVALID)
			status = error_set(err, NXV_E_STORE,
				"the stored answer of this Idempotency-Key is damaged; list what there is");
	}
	if (!status && found) {
		*replay = NXV_REPLAY_STORED;
		*http_status = row.http_status;
	}
	free(row.answer);
	return status;
}

/* In the transaction: store the answer in the row that was begun, or forget the row. */
static nxv_status end_row(nxv_ctx *ctx, struct db_tx *tx, const char *scope, const char *key, const uint8_t *digest,
	int http_status, const char *answer, struct nxv_error *err)
{
	struct idem_row row;
	struct binding binding;
	uint8_t *sealed = NULL;
	size_t len = 0;
	bool found;
	nxv_status status = idem_sql_get(tx, scope, digest, &row, &found, err);

	free(row.answer);
	if (status)
		return status;
	if (!found || row.http_status)
		return error_set(err, NXV_E_NOT_FOUND,
			"no work is under way with this Idempotency-Key; begin it first");
	if (!answer)
		return idem_sql_delete(tx, scope, digest, err);
	bind_answer(&binding, scope, key, row.request, http_status);
	status = seal_text(&ctx->env, &binding.seal, answer, &sealed, &len, err);
	if (!status)
		status = idem_sql_answer(tx, scope, digest, http_status, sealed, len, err);
	free(sealed);
	return status;
}

nxv_status nxv_idempotency_finish(nxv_ctx *ctx, const char *scope, const char *key, int http_status, const char *answer,
	struct nxv_error *err)
{
	uint8_t digest[DIGEST_MAX_BYTES];
	struct db_tx *tx = NULL;
	nxv_status status = check_key(key, err);

	if (status)
		return status;
	if (answer && (http_status < 100 || http_status > 599))
		return error_field(err, "http_status", "must be an HTTP status, 100 to 599");
	if (answer && strlen(answer) > ANSWER_MAX_BYTES)
		return error_field(err, "answer", "must be at most %d bytes", ANSWER_MAX_BYTES);
	if (!digest_bytes(DIGEST_SHA256, key, strlen(key), digest))
		return no_digest(err);
	status = db_begin(ctx->db, DB_WRITE, &tx, err);
	if (!status)
		status = end_row(ctx, tx, scope, key, digest, http_status, answer, err);
	if (!status) {
		status = db_commit(tx, err);
		tx = NULL;
	}
	db_rollback(tx);
	return status;
}
