/* hmac.h - keyed digests from libcrypto, and base64, the form they travel in. */
#ifndef NXV_BASE_HMAC_H
#define NXV_BASE_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HMAC_SHA1_BYTES = 20, HMAC_SHA1_BASE64 = 28, HMAC_SHA256_HEX = 64 };

/** HMAC-SHA1 (RFC 2104) of data in base64; out holds HMAC_SHA1_BASE64 + 1. False when libcrypto refuses. */
bool hmac_sha1_base64(const void *key, size_t key_len, const void *data, size_t len, char *out);
/** HMAC-SHA256 in lower-case hex; out holds HMAC_SHA256_HEX + 1. False when libcrypto refuses. */
bool hmac_sha256_hex(const void *key, size_t key_len, const void *data, size_t len, char *out);

#endif
