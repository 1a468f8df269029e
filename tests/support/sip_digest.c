/* sip_digest.c - answers to digest challenges (RFC 7616, RFC 8760). Owns the test phone's own computation of them. */
#include "sip_text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct hash {
	const char *token;   /* in SIP */
	const char *openssl;
};
static const struct hash hashes[] = { { "MD5", "MD5" }, { "SHA-256", "SHA256" }, { "SHA-512-256", "SHA512-256" } };

static const struct hash *hash_find(const char *token)
{
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		if (strcasecmp(hashes[i].token, token) == 0) {
			return &hashes[i];
		}
	}
	return NULL;
}

static bool hash_hex(const struct hash *hash, const char *text, char out[65])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	EVP_MD *md = EVP_MD_fetch(NULL, hash->openssl, NULL);
	bool ok = md && EVP_Digest(text, strlen(text), digest, &len, md, NULL) == 1 && len <= 32;
	for (unsigned int i = 0; ok && i < len; i++) {
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	}
	EVP_MD_free(md);
	return ok;
}

/* The first challenge that we can and may answer. */
static const struct hash *pick(const struct sip_text *msg, const char *wanted, char *value, size_t size)
{
	const char *name = msg->code == 407 ? "Proxy-Authenticate" : "WWW-Authenticate";
	char algorithm[24];
	for (size_t i = 0; sip_text_header(msg, name, i, value, size); i++) {
		if (!sip_text_param(value, "algorithm", algorithm, sizeof(algorithm))) {
			snprintf(algorithm, sizeof(algorithm), "MD5");
		}
		const struct hash *hash = hash_find(algorithm);
		if (hash && (!wanted || strcasecmp(wanted, algorithm) == 0)) {
			return hash;
		}
	}
	return NULL;
}

bool sip_text_answer_challenge(const struct sip_text *challenge, const struct sip_login *login, struct text *out, char *algorithm)
{
	char value[1024], realm[128], nonce[256], opaque[128], qop[32], a[1024], ha1[65], ha2[65], response[65];
	const struct hash *hash = pick(challenge, login->algorithm, value, sizeof(value));
	if (!hash || !sip_text_param(value, "realm", realm, sizeof(realm)) || !sip_text_param(value, "nonce", nonce, sizeof(nonce))) {
		return false;
	}
	bool with_qop = sip_text_param(value, "qop", qop, sizeof(qop)) && strstr(qop, "auth");
	bool with_opaque = sip_text_param(value, "opaque", opaque, sizeof(opaque));
	const char *cnonce = "7f3a91c2d0";
	snprintf(a, sizeof(a), "%s:%s:%s", login->username, realm, login->password);
	bool ok = hash_hex(hash, a, ha1);
	snprintf(a, sizeof(a), "%s:%s", login->method, login->uri);
	ok = ok && hash_hex(hash, a, ha2);
	if (with_qop) {
		snprintf(a, sizeof(a), "%s:%s:00000001:%s:auth:%s", ha1, nonce, cnonce, ha2);
	} else {
		snprintf(a, sizeof(a), "%s:%s:%s", ha1, nonce, ha2);
	}
	if (!ok || !hash_hex(hash, a, response)) {
		return false;
	}
	text_add(out, "%s: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", algorithm=%s",
		challenge->code == 407 ? "Proxy-Authorization" : "Authorization", login->username, realm, nonce, login->uri, response,
		hash->token);
	if (with_qop) {
		text_add(out, ", qop=auth, nc=00000001, cnonce=\"%s\"", cnonce);
	}
	if (with_opaque) {
		text_add(out, ", opaque=\"%s\"", opaque);
	}
	text_add(out, "\r\n");
	if (algorithm) {
		snprintf(algorithm, 16, "%s", hash->token);
	}
	return true;
}

bool sip_text_login_right(const struct sip_text *msg, const char *username, const char *password)
{
	char value[1024], user[128], realm[128], nonce[256], uri[256], nc[16], cnonce[128], given[80], a[1024], ha1[65], ha2[65], want[65];
	const struct hash *md5 = &hashes[0];
	if (!sip_text_header(msg, "Proxy-Authorization", 0, value, sizeof(value)) || !sip_text_param(value, "username", user, sizeof(user)) ||
		!sip_text_param(value, "realm", realm, sizeof(realm)) || !sip_text_param(value, "nonce", nonce, sizeof(nonce)) ||
		!sip_text_param(value, "uri", uri, sizeof(uri)) || !sip_text_param(value, "nc", nc, sizeof(nc)) ||
		!sip_text_param(value, "cnonce", cnonce, sizeof(cnonce)) || !sip_text_param(value, "response", given, sizeof(given))) {
		return false;
	}
	snprintf(a, sizeof(a), "%s:%s:%s", username, realm, password);
	bool ok = strcmp(user, username) == 0 && hash_hex(md5, a, ha1);
	snprintf(a, sizeof(a), "%s:%s", msg->method, uri);
	ok = ok && hash_hex(md5, a, ha2);
	snprintf(a, sizeof(a), "%s:%s:%s:%s:auth:%s", ha1, nonce, nc, cnonce, ha2);
	return ok && hash_hex(md5, a, want) && strcmp(want, given) == 0;
}
