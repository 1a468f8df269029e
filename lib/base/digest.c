/* digest.c - message digests on libcrypto; CRC-32 from zlib. */
#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <zlib.h>

#include "base/text.h"

size_t digest_size(enum digest_kind kind)
{
	return kind == DIGEST_MD5 ? 16 : 32;
}

static const EVP_MD *method(enum digest_kind kind)
{
	switch (kind) {
	case DIGEST_MD5:
		return EVP_md5();
	case DIGEST_SHA256:
		return EVP_sha256();
	case DIGEST_SHA512_256:
		return EVP_sha512_256();
	}
	return NULL;
}

bool digest_bytes(enum digest_kind kind, const void *data, size_t len, uint8_t *out)
{
	const EVP_MD *md = method(kind);

	return md && EVP_Digest(data, len, out, NULL, md, NULL) == 1;
}

bool digest_hex(enum digest_kind kind, const void *data, size_t len, char *out)
{
	uint8_t bytes[DIGEST_MAX_BYTES];

	if (!digest_bytes(kind, data, len, bytes))
		return false;
	text_hex(bytes, digest_size(kind), out);
	return true;
}

uint32_t digest_crc32(const void *data, size_t len)
{
	return (uint32_t)crc32_z(0, data, len);
}

bool digest_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}
