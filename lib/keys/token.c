/* token.c - making and checking the form of an API key.
 * A CRC-32 finds every single wrong character; it guards against typing, not against guessing. */
#include "keys/token.h"

#include "base/digest.h"
#include "base/text.h"

#include <string.h>

_Static_assert(sizeof(TOKEN_START) - 1 == TOKEN_START_LEN, "TOKEN_START_LEN is the length of TOKEN_START");

/* The checksum of the TOKEN_LEN - TOKEN_CHECK_LEN characters before it. 62^6 exceeds 2^32, so it always fits. */
static void write_check(const char *token, char out[TOKEN_CHECK_LEN + 1])
{
	uint32_t crc = digest_crc32(token, TOKEN_LEN - TOKEN_CHECK_LEN);
	uint8_t bytes[4] = { (uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8), (uint8_t)crc };

	text_base62(bytes, sizeof(bytes), out, TOKEN_CHECK_LEN);
}

void token_make(const uint8_t random[TOKEN_RANDOM_BYTES], char out[TOKEN_LEN + 1])
{
	memcpy(out, TOKEN_START, TOKEN_START_LEN);
	text_base62(random, TOKEN_RANDOM_BYTES, out + TOKEN_START_LEN, TOKEN_SECRET_LEN);
	write_check(out, out + TOKEN_LEN - TOKEN_CHECK_LEN);
}

static bool is_base62(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool token_valid(const char *text)
{
	char check[TOKEN_CHECK_LEN + 1];

	if (!text || strnlen(text, TOKEN_LEN + 1) != TOKEN_LEN || memcmp(text, TOKEN_START, TOKEN_START_LEN))
		return false;
	for (size_t i = TOKEN_START_LEN; i < TOKEN_LEN; i++) {
		if (!is_base62(text[i]))
			return false;
	}
	write_check(text, check);
	return memcmp(text + TOKEN_LEN - TOKEN_CHECK_LEN, check, TOKEN_CHECK_LEN) == 0;
}

bool token_digest(const char *token, uint8_t out[TOKEN_DIGEST_BYTES])
{
	return digest_bytes(DIGEST_SHA256, token, strlen(token), out);
}
