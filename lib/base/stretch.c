/* stretch.c - Argon2id from libargon2, one lane. */
#include "base/stretch.h"

#include "base/error.h"

#include <argon2.h>
#include <string.h>

nxv_status stretch(const char *passphrase, const uint8_t salt[STRETCH_SALT_BYTES], const struct stretch_cost *cost,
	uint8_t key[STRETCH_KEY_BYTES], struct nxv_error *err)
{
	int rc = argon2id_hash_raw(cost->passes, cost->memory_kib, 1, passphrase, strlen(passphrase), salt, STRETCH_SALT_BYTES, key,
		STRETCH_KEY_BYTES);

	if (rc == ARGON2_OK)
		return NXV_OK;
	if (rc == ARGON2_MEMORY_ALLOCATION_ERROR)
		return error_nomem(err);
	return error_set(err, NXV_E_INVALID, "the passphrase cannot be stretched: %s", argon2_error_message(rc));
}
