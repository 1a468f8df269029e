/* bearer.c - the token in an Authorization header (RFC 6750, section 2.1; the scheme's case as in RFC 9110). */
#include "gate/bearer.h"

#include <string.h>
#include <strings.h>

bool bearer_token(const char *authorization, char token[TOKEN_LEN + 1])
{
	static const char scheme[] = "Bearer";
	static const char blanks[] = " \t";
	const char *at = authorization;
	size_t len;

	if (!at)
		return false;
	at += strspn(at, blanks);
	if (strncasecmp(at, scheme, sizeof(scheme) - 1))
		return false;
	at += sizeof(scheme) - 1;
	if (!strspn(at, blanks))
		return false;
	at += strspn(at, blanks);
	len = strcspn(at, blanks);
	if (len != TOKEN_LEN || at[len + strspn(at + len, blanks)])
		return false;
	memcpy(token, at, len);
	token[len] = '\0';
	return true;
}
