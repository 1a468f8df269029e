/* token.h - the form of an API key: "sk_voip_", 43 base62 characters of 256 random bits, and a checksum of 6 more,
 * so that a mistyped key is told from an unknown one without a look into the database. No I/O. */
#ifndef NXV_KEYS_TOKEN_H
#define NXV_KEYS_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_START "sk_voip_"
enum {
	TOKEN_RANDOM_BYTES = 32,
	TOKEN_DIGEST_BYTES = 32,
	TOKEN_START_LEN = 8,
	TOKEN_SECRET_LEN = 43,
	TOKEN_CHECK_LEN = 6,
	TOKEN_LEN = TOKEN_START_LEN + TOKEN_SECRET_LEN + TOKEN_CHECK_LEN,
	TOKEN_PREFIX_LEN = 12 /* what lists show of a key */
};

/** Write the token of these random bytes, NUL-ended. */
void token_make(const uint8_t random[TOKEN_RANDOM_BYTES], char out[TOKEN_LEN + 1]);
/** True when text has a token's length, start, alphabet and checksum. NULL is allowed. */
bool token_valid(const char *text);
/** SHA-256 of a token: the only form in which it is stored. False when libcrypto fails. */
bool token_digest(const char *token, uint8_t out[TOKEN_DIGEST_BYTES]);

#endif
