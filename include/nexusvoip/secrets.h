/* secrets.h - secrets of the gateway (Twilio's token, the trunk's password), sealed at rest. No function gives one out. */
#ifndef NEXUSVOIP_SECRETS_H
#define NEXUSVOIP_SECRETS_H

#include <nexusvoip/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where the value in force comes from. */
typedef enum nxv_secret_source { NXV_SECRET_UNSET, NXV_SECRET_STORE, NXV_SECRET_ENVIRONMENT } nxv_secret_source;

/** A secret, without its value. */
struct nxv_secret {
	char name[48];            /**< "twilio.auth_token" */
	char key_id[48];          /**< of the sealing key; "" unless stored */
	nxv_secret_source source; /**< the environment is stronger than the store */
	int64_t set_at_ms;        /**< when it was stored, ms since 1970 UTC; 0 unless stored */
};
/** Every secret there can be, by name. Freed by nxv_secret_list_free(). */
struct nxv_secret_list {
	size_t count;
	struct nxv_secret *items;
};

/** What seals them. */
struct nxv_sealing {
	char key_id[48];       /**< "" while nothing is stored */
	char kind[16];         /**< "passphrase" or "key"; "" while nothing is stored */
	int64_t created_at_ms; /**< ms since 1970 UTC; 0 while nothing is stored */
};

/*
 * The sealing key comes from the first of these that fits:
 *   a passphrase, stretched by Argon2id: nxv_secret_unlock(), NEXUSVOIP_SECRETS_PASSPHRASE, the systemd credential
 *   nexusvoip.passphrase, secrets.passphrase_file; or
 *   a random key: the systemd credential nexusvoip.key, secrets.key_file (by default secrets.key in the state folder).
 * The first secret that is stored decides: by a passphrase if there is one, else by the key, which is made when it is missing.
 * Errors of all below that need the key: NXV_E_DENIED "sealing_key_missing", "wrong_sealing_key", or "sealing_key_open" when its file
 * may be used by others; NXV_E_BUSY "sealing_key_changed" by a rotation meanwhile; NXV_E_STORE "secret_damaged". Nothing was changed.
 */

/**
 * Seal and store a secret, over an older value.
 * @param name  "twilio.auth_token", "twilio.api_key_secret" or "trunk.password".
 * @param value [borrowed] 1 to 1024 bytes without control characters.
 * Errors: NXV_E_INVALID with field "name" or "value". Thread safety: any thread.
 */
NXV_API nxv_status nxv_secret_set(nxv_ctx *ctx, const char *name, const char *value, struct nxv_error *err);
/** Forget a stored secret; needs no key. The last one takes the sealing key's record with it.
 * Errors: NXV_E_NOT_FOUND; NXV_E_INVALID with field "name". Thread safety: any thread. */
NXV_API nxv_status nxv_secret_unset(nxv_ctx *ctx, const char *name, struct nxv_error *err);
/** List, without values. @param out [owned]. Thread safety: any thread. */
NXV_API nxv_status nxv_secret_list(nxv_ctx *ctx, struct nxv_secret_list **out, struct nxv_error *err);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_secret_list_free(struct nxv_secret_list *list);

/** How secrets are sealed now. @param out filled. Thread safety: any thread. */
NXV_API nxv_status nxv_secret_sealing(nxv_ctx *ctx, struct nxv_sealing *out, struct nxv_error *err);
/** Give the passphrase for as long as ctx is open. Checked when secrets are stored, else the first one will be sealed by it.
 * @param passphrase [borrowed]. Errors: NXV_E_DENIED "wrong_sealing_key". Thread safety: any thread. */
NXV_API nxv_status nxv_secret_unlock(nxv_ctx *ctx, const char *passphrase, struct nxv_error *err);
/** Open the sealing key and every stored secret, to see that they can be used. Thread safety: any thread. */
NXV_API nxv_status nxv_secret_check(nxv_ctx *ctx, struct nxv_error *err);
/**
 * Seal everything by a new key, all in one transaction: cut off at any point, the old or the new key fits, and only it.
 * @param new_passphrase [borrowed] NULL: a new random key, written to the key file.
 * Errors: NXV_E_CONFLICT "no_secrets" while nothing is stored. Thread safety: any thread.
 */
NXV_API nxv_status nxv_secret_rotate(nxv_ctx *ctx, const char *new_passphrase, struct nxv_error *err);

#ifdef __cplusplus
}
#endif
#endif
