/* key_sql.h - the api_key table: every statement about it, inside the caller's transaction.
 * Records handed out are [owned] by the caller. */
#ifndef NXV_KEYS_KEY_SQL_H
#define NXV_KEYS_KEY_SQL_H

#include <nexusvoip/keys.h>

#include "keys/token.h"
#include "store/db.h"

enum key_change { KEY_FLIP, KEY_ENABLE, KEY_DISABLE };

nxv_status key_sql_insert(struct db_tx *tx, const struct nxv_key *key, const uint8_t digest[TOKEN_DIGEST_BYTES], struct nxv_error *err);
/** The key with this digest; *out NULL, with NXV_OK, when there is none. */
nxv_status key_sql_by_digest(struct db_tx *tx, const uint8_t digest[TOKEN_DIGEST_BYTES], struct nxv_key **out, struct nxv_error *err);
/** @param replaced_by nullable; [owned]: the key made from this one by rotation, NULL if none. Errors: NXV_E_NOT_FOUND. */
nxv_status key_sql_by_id(struct db_tx *tx, const char *id, struct nxv_key **out, char **replaced_by, struct nxv_error *err);
/** Up to limit keys after (before_ms, before_id) in the order newest first; fills list->items and next_cursor. */
nxv_status key_sql_page(struct db_tx *tx, const char *user_id, int64_t before_ms, const char *before_id, unsigned limit, struct nxv_key_page *list, struct nxv_error *err);
/** @param changed false: there is no such key, or it is in that state already. */
nxv_status key_sql_set_active(struct db_tx *tx, const char *id, enum key_change change, bool *changed, struct nxv_error *err);
/** Let a key run out, because another one takes its place. */
nxv_status key_sql_replace(struct db_tx *tx, const char *id, const char *new_id, int64_t expires_at_ms, struct nxv_error *err);
nxv_status key_sql_delete(struct db_tx *tx, const char *id, struct nxv_error *err);

#endif
