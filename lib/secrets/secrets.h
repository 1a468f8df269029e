/* secrets.h - the sealed secrets, for the modules that need a value. */
#ifndef NXV_SECRETS_SECRETS_H
#define NXV_SECRETS_SECRETS_H

#include "config/config.h"
#include "store/db.h"

#define SECRET_TWILIO_AUTH_TOKEN "twilio.auth_token"
#define SECRET_TWILIO_API_KEY_SECRET "twilio.api_key_secret"
#define SECRET_TRUNK_PASSWORD "trunk.password"

struct secrets;

/** Reads nothing yet. All is borrowed. */
nxv_status secrets_open(const struct env *env, struct db *db, const struct config *cfg, const char *state_dir, struct secrets **out, struct nxv_error *err);
/** Keys are wiped. NULL is allowed. */
void secrets_close(struct secrets *secrets);

/**
 * The value of a secret: from the environment, else from the store as it is now, whoever changed it last. The first one under
 * a passphrase takes about 0.2 s (Argon2id); after that a read of the database. Not to be called by nxv_open(): commands that
 * need no secret must work without the key.
 * @param value [owned], text_wipe_free(); NULL on failure.
 * Errors: NXV_E_NOT_FOUND "no_secret"; NXV_E_DENIED "sealing_key_missing", "wrong_sealing_key". Any thread.
 */
nxv_status secret_get(struct secrets *secrets, const char *name, char **value, struct nxv_error *err);

#endif
