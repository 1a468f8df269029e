/* digest.h - message digests from libcrypto, as bytes or hex. */
#ifndef NXV_BASE_DIGEST_H
#define NXV_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum digest_kind { DIGEST_MD5, DIGEST_SHA256, DIGEST_SHA512_256 };
enum { DIGEST_MAX_BYTES = 32 };

/** Bytes of a digest of this kind. */
size_t digest_size(enum digest_kind kind);
/** Digest data into out (digest_size() bytes); false when libcrypto refuses (MD5 under FIPS). */
bool digest_bytes(enum digest_kind kind, const void *data, size_t len, uint8_t *out);
/** The same in lower-case hex; out holds 2 * digest_size() + 1. */
bool digest_hex(enum digest_kind kind, const void *data, size_t len, char *out);
/** CRC-32 (IEEE 802.3), for the checksum inside keys. */
uint32_t digest_crc32(const void *data, size_t len);
/** Compare in time that depends on len only. */
bool digest_equal(const void *a, const void *b, size_t len);

#endif
