/* auth.c - digest answers for the service user. libre's own sip_auth wants the clear password and gives up
 * when the first challenge is not MD5, so only its parser is used. */
#include <re.h>

#include "sip/originator/auth.h"

#include "base/error.h"

#include <string.h>

struct search {
	struct auth found;
	const struct auth_user *user;
	bool stale;
	bool other_realm;
	char refused[96]; /* what we could not answer, for the message */
};

static const char *ha1_of(const struct auth_user *user, enum digest_kind kind)
{
	const char *ha1 = kind == DIGEST_MD5 ? user->ha1_md5 : user->ha1_sha256;

	return ha1 && *ha1 ? ha1 : NULL;
}

static bool algorithm_of(const struct pl *name, enum digest_kind *kind)
{
	if (!pl_isset(name) || pl_strcasecmp(name, "MD5") == 0)
		*kind = DIGEST_MD5;
	else if (pl_strcasecmp(name, "SHA-256") == 0)
		*kind = DIGEST_SHA256;
	else
		return false;
	return true;
}

/* "auth" among the comma-separated words of qop. */
static bool offers_auth(const struct pl *qop)
{
	struct pl rest = *qop, word;

	while (re_regex(rest.p, rest.l, "[a-z\\-]+", &word) == 0) {
		if (pl_strcasecmp(&word, "auth") == 0)
			return true;
		pl_advance(&rest, word.p + word.l - rest.p);
	}
	return false;
}

static bool take(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct search *s = arg;
	struct httpauth_digest_chall ch;
	struct auth *a = &s->found;

	(void)msg;
	memset(a, 0, sizeof(*a));
	if (httpauth_digest_challenge_decode(&ch, &hdr->val) != 0) {
		str_ncpy(s->refused, "a scheme other than Digest", sizeof(s->refused));
		return false;
	}
	if (!algorithm_of(&ch.algorithm, &a->kind) || !ha1_of(s->user, a->kind)) {
		(void)re_snprintf(s->refused, sizeof(s->refused), "algorithm %r", &ch.algorithm);
		return false;
	}
	if (pl_isset(&ch.qop) && !offers_auth(&ch.qop)) {
		(void)re_snprintf(s->refused, sizeof(s->refused), "qop %r", &ch.qop);
		return false;
	}
	if (pl_strcmp(&ch.realm, s->user->realm) != 0) {
		(void)re_snprintf(s->refused, sizeof(s->refused), "%r", &ch.realm);
		s->other_realm = true;
		return false;
	}
	if (pl_strcpy(&ch.realm, a->realm, sizeof(a->realm)) || pl_strcpy(&ch.nonce, a->nonce, sizeof(a->nonce)))
		return false;
	if (pl_isset(&ch.opaque) && pl_strcpy(&ch.opaque, a->opaque, sizeof(a->opaque)))
		return false;
	a->qop = pl_isset(&ch.qop);
	a->proxy = hdr->id == SIP_HDR_PROXY_AUTHENTICATE;
	a->set = true;
	s->stale = pl_isset(&ch.stale) && pl_strcasecmp(&ch.stale, "true") == 0;
	return true;
}

nxv_status auth_learn(
	struct auth *auth, const struct auth_user *user, const struct sip_msg *msg, bool *stale, struct nxv_error *err)
{
	struct search s = { .user = user };
	enum sip_hdrid id = msg->scode == 401 ? SIP_HDR_WWW_AUTHENTICATE : SIP_HDR_PROXY_AUTHENTICATE;

	if (!sip_msg_hdr_apply(msg, true, id, take, &s)) {
		if (s.other_realm)
			return error_set(err, NXV_E_DENIED,
				"the SIP server challenges for realm '%s', the service user belongs to '%s': "
				"make sip.domain equal to the server's realm",
				s.refused, user->realm);
		return error_set(err, NXV_E_UNSUPPORTED,
			"cannot answer the SIP server's digest challenge (%s): "
			"let it offer MD5 or SHA-256 with qop=auth",
			s.refused[0] ? s.refused : "none was sent");
	}
	if (auth->set && strcmp(auth->nonce, s.found.nonce) == 0)
		s.found.count = auth->count;
	*auth = s.found;
	*stale = s.stale;
	return NXV_OK;
}

/* response = H(HA1:nonce:nc:cnonce:auth:H(method:uri)), or the short form of RFC 2069 without qop. */
static bool response(
	const struct auth *auth, const char *ha1, const char *method, const char *uri, const char *cnonce, char *out)
{
	struct buf text = BUF_INIT;
	char ha2[2 * DIGEST_MAX_BYTES + 1];
	bool ok;

	buf_printf(&text, "%s:%s", method, uri);
	ok = !text.failed && digest_hex(auth->kind, text.data, text.len, ha2);
	buf_free(&text);
	if (!ok)
		return false;
	buf_printf(&text, "%s:%s:", ha1, auth->nonce);
	if (auth->qop)
		buf_printf(&text, "%08x:%s:auth:", (unsigned)auth->count, cnonce);
	buf_str(&text, ha2);
	ok = !text.failed && digest_hex(auth->kind, text.data, text.len, out);
	buf_wipe(&text);
	return ok;
}

nxv_status auth_answer(struct auth *auth, const struct auth_user *user, const char *method, const char *uri,
	const char *cnonce, struct buf *out, struct nxv_error *err)
{
	const char *ha1 = ha1_of(user, auth->kind);
	char hex[2 * DIGEST_MAX_BYTES + 1];

	auth->count++;
	if (!ha1 || !response(auth, ha1, method, uri, cnonce, hex))
		return error_set(err, NXV_E_UNSUPPORTED,
			"cannot compute a %s digest here: let the SIP server challenge with %s",
			auth->kind == DIGEST_MD5 ? "MD5" : "SHA-256", auth->kind == DIGEST_MD5 ? "SHA-256" : "MD5");
	buf_printf(out,
		"%s: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", algorithm=%s",
		auth->proxy ? "Proxy-Authorization" : "Authorization", user->username, auth->realm, auth->nonce, uri,
		hex, auth->kind == DIGEST_MD5 ? "MD5" : "SHA-256");
	if (auth->opaque[0])
		buf_printf(out, ", opaque=\"%s\"", auth->opaque);
	if (auth->qop)
		buf_printf(out, ", cnonce=\"%s\", qop=auth, nc=%08x", cnonce, (unsigned)auth->count);
	buf_str(out, "\r\n");
	return out->failed ? error_nomem(err) : NXV_OK;
}
