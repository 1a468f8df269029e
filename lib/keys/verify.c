/* verify.c - from a token to a verdict. Every call reads the store in a transaction of its own, so that a change
 * made by any process counts from the moment it is committed. */
#include "keys/verify.h"

#include "base/error.h"
#include "keys/key_sql.h"
#include "keys/token.h"
#include "ctx.h"
#include "store/db.h"

nxv_status key_refuse(struct nxv_error *err)
{
	return error_set(err, NXV_E_UNAUTHENTICATED,
		"a valid API key is needed: send the header \"Authorization: Bearer " TOKEN_START "...\"");
}

nxv_status key_check(const struct env *env, struct db *db, const char *token, struct nxv_key **known,
	struct nxv_error *err)
{
	uint8_t digest[TOKEN_DIGEST_BYTES];
	struct db_tx *tx = NULL;
	nxv_status status;

	*known = NULL;
	if (!token_valid(token))
		return key_refuse(err);
	if (!token_digest(token, digest))
		return error_set(err, NXV_E_INTERNAL, "libcrypto cannot compute SHA-256");
	status = db_begin(db, DB_READ, &tx, err);
	if (status)
		return status;
	status = key_sql_by_digest(tx, digest, known, err);
	db_rollback(tx);
	if (status)
		return status;
	if (!*known || !(*known)->active)
		return key_refuse(err);
	if ((*known)->expires_at_ms && (*known)->expires_at_ms <= env_now_ms(env))
		return key_refuse(err);
	return NXV_OK;
}

nxv_status nxv_key_verify(nxv_ctx *ctx, const char *token, struct nxv_key **out, struct nxv_error *err)
{
	nxv_status status = key_check(&ctx->env, ctx->db, token, out, err);

	if (status) {
		nxv_key_free(*out);
		*out = NULL;
	}
	return status;
}
