/* leg_token.c - making and checking the tokens of legs that come back to us. */
#include "base/leg_token.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/hmac.h"

bool leg_token_make(const char *key, const char *session_id, char leg, char *out, size_t size)
{
	char mac[HMAC_SHA256_HEX + 1];
	int len = snprintf(out, size, "%s.%c", session_id, leg);

	if (len < 0 || (size_t)len + 1 + HMAC_SHA256_HEX >= size || !hmac_sha256_hex(key, strlen(key), out, (size_t)len, mac))
		return false;
	snprintf(out + len, size - (size_t)len, ".%s", mac);
	return true;
}

bool leg_token_check(const char *key, const char *token, char *session_id, size_t size, char *leg)
{
	char made[LEG_TOKEN_MAX];
	const char *dot = strchr(token, '.');
	size_t len = dot ? (size_t)(dot - token) : 0;

	if (!len || len >= size || strlen(token) != len + 3 + HMAC_SHA256_HEX || (dot[1] != 'a' && dot[1] != 'b'))
		return false;
	memcpy(session_id, token, len);
	session_id[len] = '\0';
	*leg = dot[1];
	return leg_token_make(key, session_id, *leg, made, sizeof(made)) && digest_equal(made, token, strlen(made));
}
