/* seal.h - sealing a text at rest: AES-256-GCM under a key derived from a secret by HKDF-SHA256. */
#ifndef NXV_BASE_SEAL_H
#define NXV_BASE_SEAL_H

#include "base/env.h"

enum { SEAL_OVERHEAD_BYTES = 12 + 16 }; /* nonce and tag */

/** What a sealed text is bound to: it opens only with all of it. */
struct seal_binding {
	const char *secret;  /**< what the key is derived from; as hard to guess as the text is to be kept secret */
	const char *context; /**< what the secret is used for here, so that it gives another key elsewhere */
	const void *bound;   /**< further data that must be the same, not stored */
	size_t bound_len;
};

/** Seal. @param out [owned], strlen(text) + SEAL_OVERHEAD_BYTES. Errors: NXV_E_NOMEM, NXV_E_INTERNAL. */
nxv_status seal_text(const struct env *env, const struct seal_binding *to, const char *text, uint8_t **out, size_t *len, struct nxv_error *err);
/** Open. @param text [owned]; wipe it if it is a secret. Errors: NXV_E_INVALID when it was sealed otherwise, or altered. */
nxv_status seal_open(const struct seal_binding *to, const uint8_t *sealed, size_t len, char **text, struct nxv_error *err);

#endif
