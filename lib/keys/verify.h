/* verify.h - telling whose key a token is: the seam behind which a table in memory may come between the request and
 * the store. */
#ifndef NXV_KEYS_VERIFY_H
#define NXV_KEYS_VERIFY_H

#include <nexusvoip/keys.h>

#include "base/env.h"

struct db;

/** NXV_E_UNAUTHENTICATED in the one wording that every refused key gets, so that it tells nothing about the key. */
nxv_status key_refuse(struct nxv_error *err);

/**
 * Verify a token against the store as it is now.
 * @param known [owned] the key: with NXV_OK, and also with NXV_E_UNAUTHENTICATED when it is known but disabled or
 * expired, so that its use goes on record; else NULL. Errors: NXV_E_UNAUTHENTICATED, NXV_E_STORE, NXV_E_BUSY.
 */
nxv_status key_check(const struct env *env, struct db *db, const char *token, struct nxv_key **known, struct nxv_error *err);

#endif
