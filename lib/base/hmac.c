/* hmac.c - HMAC on libcrypto, and its base64. */
#include "base/hmac.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/text.h"

bool hmac_sha1_base64(const void *key, size_t key_len, const void *data, size_t len, char *out)
{
	uint8_t digest[HMAC_SHA1_BYTES];
	unsigned digest_len = sizeof(digest);

	if (key_len > INT_MAX || !HMAC(EVP_sha1(), key, (int)key_len, data, len, digest, &digest_len))
		return false;
	return EVP_EncodeBlock((unsigned char *)out, digest, (int)digest_len) == HMAC_SHA1_BASE64;
}

bool hmac_sha256_hex(const void *key, size_t key_len, const void *data, size_t len, char *out)
{
	uint8_t digest[HMAC_SHA256_HEX / 2];
	unsigned digest_len = sizeof(digest);

	if (key_len > INT_MAX || !HMAC(EVP_sha256(), key, (int)key_len, data, len, digest, &digest_len))
		return false;
	text_hex(digest, digest_len, out);
	return true;
}
