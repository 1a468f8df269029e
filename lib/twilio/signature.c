/* signature.c - the signature of a webhook: HMAC-SHA1 over URL and sorted parameters, as Twilio makes it.
 * Twilio signs the URL with or without its port, whatever it was given, so both are tried. */
#include <nexusvoip/twilio.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/opts.h"
#include "base/hmac.h"
#include "twilio/form.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHA256_HEX = 64 };

/* A URL by its parts; each points into the text. */
struct parts {
	const char *scheme; /* "https://" */
	size_t scheme_len;
	const char *host; /* user part included */
	size_t host_len;
	const char *port; /* ":8443", or empty */
	size_t port_len;
	const char *rest;
};

static const char *last_of(const char *s, const char *end, char c)
{
	while (end > s)
		if (*--end == c)
			return end;
	return NULL;
}

static bool split(const char *url, struct parts *p)
{
	const char *colon = strstr(url, "://"), *user, *bracket;

	if (!colon || colon == url)
		return false;
	p->scheme = url;
	p->scheme_len = (size_t)(colon - url) + 3;
	p->host = url + p->scheme_len;
	p->rest = p->host + strcspn(p->host, "/?#");
	user = last_of(p->host, p->rest, '@');
	user = user ? user + 1 : p->host;
	bracket = last_of(user, p->rest, ']');
	if (!bracket)
		bracket = user;
	p->port = memchr(bracket, ':', (size_t)(p->rest - bracket));
	if (!p->port)
		p->port = p->rest;
	p->host_len = (size_t)(p->port - p->host);
	p->port_len = (size_t)(p->rest - p->port);
	return true;
}

/* JavaScript sorts by UTF-16 units, where what lies beyond U+FFFF begins with a surrogate, below U+E000. */
static int rank(unsigned char c)
{
	return c >= 0xf0 ? c - 2 : c >= 0xee ? c + 0x10 : c;
}

static int compare_text(const char *a, const char *b)
{
	for (; *a && *a == *b; a++)
		b++;
	return rank((unsigned char)*a) - rank((unsigned char)*b);
}

static int compare(const void *a, const void *b)
{
	const struct nxv_twilio_param *x = a, *y = b;
	int by_name = compare_text(x->name, y->name);

	return by_name ? by_name : compare_text(x->value, y->value);
}

/* name and value of each parameter, sorted; what is there twice counts once. */
static bool join(const struct nxv_twilio_param *params, size_t count, struct buf *out)
{
	struct nxv_twilio_param *sorted = count ? malloc(count * sizeof(*sorted)) : NULL;

	if (count && !sorted)
		return false;
	if (count) {
		memcpy(sorted, params, count * sizeof(*sorted));
		qsort(sorted, count, sizeof(*sorted), compare);
	}
	for (size_t i = 0; i < count; i++) {
		if (i && compare(&sorted[i - 1], &sorted[i]) == 0)
			continue;
		buf_str(out, sorted[i].name);
		buf_str(out, sorted[i].value);
	}
	free(sorted);
	return !out->failed;
}

static void lower(char *s, size_t len)
{
	for (; len; s++, len--)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

/* Does the signature fit this spelling of the URL? */
static bool fits(const char *token, const struct parts *p, bool with_port, bool lower_case, const struct buf *params,
	const char *signature, bool *out)
{
	bool https = strncasecmp(p->scheme, "https://", 8) == 0;
	char expected[HMAC_SHA1_BASE64 + 1];
	struct buf text = BUF_INIT;
	bool made;

	buf_append(&text, p->scheme, p->scheme_len);
	buf_append(&text, p->host, p->host_len);
	if (lower_case && !text.failed)
		lower(text.data, text.len);
	if (with_port && p->port_len)
		buf_append(&text, p->port, p->port_len);
	else if (with_port)
		buf_str(&text, https ? ":443" : ":80");
	buf_str(&text, p->rest);
	if (params->len)
		buf_append(&text, params->data, params->len);
	made = !text.failed && hmac_sha1_base64(token, strlen(token), text.data, text.len, expected);
	*out = made && strlen(signature) == HMAC_SHA1_BASE64 && digest_equal(expected, signature, HMAC_SHA1_BASE64);
	buf_free(&text);
	return made;
}

/* The value of bodySHA256 in the URL's query; NULL if it has none. It ends where the parameter does. */
static const char *body_digest(const char *url, size_t *len)
{
	static const char name[] = "bodySHA256=";
	const char *at = strchr(url, '?');

	while (at) {
		at++;
		if (strncmp(at, name, sizeof(name) - 1) == 0) {
			at += sizeof(name) - 1;
			*len = strcspn(at, "&#");
			return at;
		}
		at = strchr(at, '&');
	}
	return NULL;
}

static bool body_fits(const char *digest, size_t digest_len, const struct nxv_twilio_payload *payload)
{
	char expected[SHA256_HEX + 1];

	return digest_len == SHA256_HEX && digest_hex(DIGEST_SHA256, payload->body ? payload->body : "", payload->body_len, expected) &&
		digest_equal(expected, digest, SHA256_HEX);
}

/* The text that the parameters add to the URL. False: memory ran out; *good says whether they can be right at all. */
static bool payload_text(const char *url, const struct nxv_twilio_payload *payload, struct buf *out, bool *good)
{
	struct form form = { 0 };
	const char *digest;
	size_t digest_len = 0;
	nxv_status status;
	bool done = true;

	*good = true;
	if (!payload)
		return true;
	if (payload->params)
		return join(payload->params, payload->param_count, out);
	digest = body_digest(url, &digest_len);
	if (digest) {
		*good = body_fits(digest, digest_len, payload);
		return true;
	}
	status = form_parse(payload->body, payload->body ? payload->body_len : 0, &form, NULL);
	*good = status == NXV_OK;
	if (status == NXV_OK)
		done = join(form.params, form.count, out);
	form_free(&form);
	return done && status != NXV_E_NOMEM;
}

nxv_status nxv_twilio_signature_check(const char *token, const char *url, const struct nxv_twilio_payload *payload,
	const char *signature, struct nxv_error *err)
{
	struct nxv_twilio_payload ours;
	struct buf params = BUF_INIT;
	struct parts parts;
	bool good = false, match = false, made = true;

	if (!token || !*token)
		return error_field(err, "token", "give the account's auth token");
	if (!url || !split(url, &parts))
		return error_field(err, "url", "give the URL as Twilio calls it, with https:// in front");
	if (payload && !opts_take(&ours, sizeof(ours), payload, OPTS_LEAST(struct nxv_twilio_payload, body_len)))
		return error_set(err, NXV_E_INVALID, "pass struct nxv_twilio_payload with its size set (NXV_TWILIO_PAYLOAD_INIT)");
	made = payload_text(url, payload ? &ours : NULL, &params, &good);
	/* All spellings are always tried: how long it takes says nothing about which one fits. */
	for (unsigned i = 0; made && i < 4; i++) {
		bool fit = false;

		made = fits(token, &parts, i & 1, i & 2, &params, signature ? signature : "", &fit);
		match = match || fit;
	}
	buf_wipe(&params);
	if (!made)
		return error_nomem(err);
	if (good && match)
		return NXV_OK;
	return error_code(err, NXV_E_DENIED, "bad_signature",
		"the request is not signed by this account: check the auth token, and that the configured public URL is what Twilio calls");
}
