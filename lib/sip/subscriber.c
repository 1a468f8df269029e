/* subscriber.c - the digests (HA1) that stand in for a password: RFC 7616 with MD5, SHA-256 and SHA-512-256.
 * Owns no table; the rows are written by subscriber_sql.c. */
#include "sip/subscriber.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

nxv_status subscriber_digests(const char *username, const char *domain, const char *password, char *md5, char *sha256,
	char *sha512t256, struct nxv_error *err)
{
	char *a1 = text_printf("%s:%s:%s", username, domain, password);
	nxv_status status = NXV_OK;
	size_t len;

	if (!a1)
		return error_nomem(err);
	len = strlen(a1);
	if (!digest_hex(DIGEST_MD5, a1, len, md5) || !digest_hex(DIGEST_SHA256, a1, len, sha256) ||
		!digest_hex(DIGEST_SHA512_256, a1, len, sha512t256))
		status = error_code(err, NXV_E_UNSUPPORTED, "no_digest",
			"OpenSSL refuses MD5, SHA-256 or SHA-512-256 (FIPS mode?); SIP phones need them");
	text_wipe_free(a1);
	return status;
}
