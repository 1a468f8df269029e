/* seal.c - AES-256-GCM and HKDF-SHA256 from libcrypto. A sealed text is nonce, ciphertext, tag. */
#include "base/seal.h"

#include "base/error.h"
#include "base/text.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdlib.h>
#include <string.h>

enum { NONCE = 12, TAG = 16, KEY = 32 };
_Static_assert(NONCE + TAG == SEAL_OVERHEAD_BYTES, "the overhead is nonce and tag");

static bool derive(const struct seal_binding *to, uint8_t key[KEY])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)to->secret, strlen(to->secret)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)to->context, strlen(to->context)),
		OSSL_PARAM_construct_end(),
	};
	bool done = ctx && EVP_KDF_derive(ctx, key, KEY, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return done;
}

/* A cipher that has its key, its nonce and the bound data; NULL when libcrypto fails. */
static EVP_CIPHER_CTX *cipher_new(const struct seal_binding *to, const uint8_t nonce[NONCE], int encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t key[KEY];
	int n;
	bool ready = ctx && to->bound_len <= INT_MAX && derive(to, key) &&
		EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, encrypt) == 1 &&
		EVP_CipherUpdate(ctx, NULL, &n, to->bound, (int)to->bound_len) == 1;

	explicit_bzero(key, sizeof(key));
	if (ready)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

nxv_status seal_text(const struct env *env, const struct seal_binding *to, const char *text, uint8_t **out, size_t *len,
	struct nxv_error *err)
{
	size_t text_len = strlen(text);
	EVP_CIPHER_CTX *ctx = NULL;
	uint8_t *sealed = NULL;
	nxv_status status;
	int n;

	*out = NULL;
	if (text_len > INT_MAX - SEAL_OVERHEAD_BYTES)
		return error_set(err, NXV_E_INVALID, "the text is too long to be sealed");
	sealed = malloc(text_len + SEAL_OVERHEAD_BYTES);
	if (!sealed)
		return error_nomem(err);
	status = env_random(env, sealed, NONCE, err);
	if (status)
		goto out;
	ctx = cipher_new(to, sealed, 1);
	if (!ctx || EVP_CipherUpdate(ctx, sealed + NONCE, &n, (const uint8_t *)text, (int)text_len) != 1 ||
		EVP_CipherFinal_ex(ctx, sealed + NONCE + n, &n) != 1 ||
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, sealed + NONCE + text_len) != 1) {
		status = error_set(err, NXV_E_INTERNAL, "libcrypto cannot seal with AES-256-GCM");
		goto out;
	}
	*len = text_len + SEAL_OVERHEAD_BYTES;
	*out = sealed;
	sealed = NULL;
out:
	EVP_CIPHER_CTX_free(ctx);
	free(sealed);
	return status;
}

nxv_status seal_open(
	const struct seal_binding *to, const uint8_t *sealed, size_t len, char **text, struct nxv_error *err)
{
	EVP_CIPHER_CTX *ctx = NULL;
	char *opened = NULL;
	nxv_status status = NXV_OK;
	size_t text_len;
	int n;

	*text = NULL;
	if (!sealed || len < SEAL_OVERHEAD_BYTES || len > INT_MAX)
		return error_set(err, NXV_E_INVALID, "this is no sealed text");
	text_len = len - SEAL_OVERHEAD_BYTES;
	opened = calloc(1, text_len + 1);
	if (!opened)
		return error_nomem(err);
	ctx = cipher_new(to, sealed, 0);
	if (!ctx || EVP_CipherUpdate(ctx, (uint8_t *)opened, &n, sealed + NONCE, (int)text_len) != 1 ||
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, (void *)(sealed + NONCE + text_len)) != 1 ||
		EVP_CipherFinal_ex(ctx, (uint8_t *)opened + n, &n) != 1) {
		explicit_bzero(opened, text_len);
		status = error_set(err, NXV_E_INVALID, "the sealed text was altered, or sealed with another secret");
	} else {
		*text = opened;
		opened = NULL;
	}
	EVP_CIPHER_CTX_free(ctx);
	free(opened);
	return status;
}
