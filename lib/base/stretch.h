/* stretch.h - a key from what a person chose: Argon2id. */
#ifndef NXV_BASE_STRETCH_H
#define NXV_BASE_STRETCH_H

#include <nexusvoip/types.h>

enum { STRETCH_SALT_BYTES = 16, STRETCH_KEY_BYTES = 32 };

/** What guessing one passphrase costs; kept beside the salt, so that it can rise later. */
struct stretch_cost {
	uint32_t passes, memory_kib;
};
/** About 0.1 s of one core. */
#define STRETCH_COST { .passes = 3, .memory_kib = 64 * 1024 }

/** Errors: NXV_E_NOMEM, NXV_E_INVALID for costs that Argon2id does not know. */
nxv_status stretch(const char *passphrase, const uint8_t salt[STRETCH_SALT_BYTES], const struct stretch_cost *cost, uint8_t key[STRETCH_KEY_BYTES], struct nxv_error *err);

#endif
