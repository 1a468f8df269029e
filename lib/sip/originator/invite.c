/* invite.c - the texts of a call's initial INVITEs. Whatever a user gave us is checked before it goes on the wire. */
#include "sip/originator/invite.h"

#include "base/error.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum {
	WORD_MAX = 128,
	NAME_MAX_LENGTH = 255
};

/* Printable, without what could end a header or a URI early. */
static bool is_word(const char *s)
{
	size_t n = 0;

	for (; s && s[n]; n++) {
		unsigned char c = (unsigned char)s[n];

		if (n >= WORD_MAX || c <= ' ' || c == 0x7f || strchr("<>\"\\,;?&=%", c))
			return false;
	}
	return n > 0;
}

/* One line of text that may go into a display name. */
static bool is_name(const char *s)
{
	size_t n = 0;

	for (; s && s[n]; n++) {
		if (n >= NAME_MAX_LENGTH || (unsigned char)s[n] < ' ' || s[n] == 0x7f)
			return false;
	}
	return n > 0;
}

static nxv_status check_targets(const char *member, const char *const *targets, size_t count, struct nxv_error *err)
{
	if (count == 0 || count > CARRIER_TARGETS_MAX)
		return error_field(err, member, "a leg needs 1 to %d SIP usernames to ring", CARRIER_TARGETS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (!is_word(targets[i]) || strchr(targets[i], '@'))
			return error_field(err, member, "a SIP username has characters that no username can have");
	}
	return NXV_OK;
}

static nxv_status check(const struct carrier_call *c, struct nxv_error *err)
{
	nxv_status st = check_targets("a_targets", c->a_targets, c->a_count, err);

	if (st == NXV_OK)
		st = check_targets("b_targets", c->b_targets, c->b_count, err);
	if (st != NXV_OK)
		return st;
	if (!is_word(c->session_id) || strchr(c->session_id, '@'))
		return error_field(err, "session_id", "a session id is 1 to %d printable characters", WORD_MAX);
	if (!is_word(c->user_id))
		return error_field(err, "user_id", "a user id is 1 to %d printable characters", WORD_MAX);
	if (!is_name(c->from_number))
		return error_field(err, "from_number", "a caller ID is 1 to %d characters without control characters",
			NAME_MAX_LENGTH);
	if (!is_name(c->to_number))
		return error_field(
			err, "to_number", "a callee is 1 to %d characters without control characters", NAME_MAX_LENGTH);
	if (text_is_number(c->b_targets[0]) && !text_is_number(c->from_number))
		return error_field(err, "from_number", "a telephone call needs a number as caller ID");
	if (c->ring_timeout_ms <= 0 || c->max_seconds <= 0)
		return error_field(err, "ring_timeout_ms", "ring timeout and maximum duration must be positive");
	return NXV_OK;
}

/* Append the user part of an address: "sip:bob@here" gives "bob"; what a URI cannot hold is escaped (RFC 3261, 25.1).
 */
static void put_user(struct buf *b, const char *address)
{
	static const char plain[] = "-_.!~*'()&=+$,;?/";
	const char *start = strncmp(address, "sip:", 4) == 0 ? address + 4 : address;
	size_t len = start == address ? strlen(start) : strcspn(start, "@;?");

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)start[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (alnum || strchr(plain, c))
			buf_append(b, &start[i], 1);
		else
			buf_printf(b, "%%%02X", c);
	}
}

/* "name" <sip:name@domain> */
static char *from_value(const char *address, const char *domain)
{
	struct buf b = BUF_INIT;

	buf_str(&b, "\"");
	for (const char *p = address; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_str(&b, "\\");
		buf_append(&b, p, 1);
	}
	buf_str(&b, "\" <sip:");
	put_user(&b, address);
	buf_printf(&b, "@%s>", domain);
	return buf_take(&b);
}

/* The usernames that ring besides the first. */
static void put_others(struct buf *b, const char *const *targets, size_t count)
{
	for (size_t i = 1; i < count; i++)
		buf_printf(b, "%s%s", i == 1 ? "X-Nexus-Targets: " : ",", targets[i]);
	if (count > 1)
		buf_str(b, "\r\n");
}

static char *headers(const struct originator *o, const struct carrier_call *c, char leg)
{
	struct buf b = BUF_INIT;

	buf_printf(&b, "X-Nexus-Session: %s\r\nX-Nexus-Leg: %c\r\nX-Nexus-Max: %lld\r\n", c->session_id, leg,
		(long long)c->max_seconds + CARRIER_SLACK_SECONDS);
	if (is_name(c->request_id)) /* a help in captures, no reason to refuse a call */
		buf_printf(&b, "X-Nexus-Request: %s\r\n", c->request_id);
	if (leg == 'b' && c->b_count == 1 && text_is_number(c->b_targets[0]))
		buf_printf(&b, "X-Nexus-Caller-Id: %s\r\n", c->from_number); /* through the trunk */
	if (leg == 'b') {
		put_others(&b, c->b_targets, c->b_count);
		return buf_take(&b);
	}
	buf_printf(&b, "X-Nexus-Owner: %s\r\nX-Nexus-Limit: %lld\r\n", c->user_id, (long long)c->call_limit);
	put_others(&b, c->a_targets, c->a_count);
	if (c->auto_answer)
		buf_printf(&b, "Call-Info: <sip:%s>;answer-after=0\r\nAlert-Info: <sip:%s>;info=alert-autoanswer\r\n",
			o->domain, o->domain);
	return buf_take(&b);
}

static char *target(const char *username, const char *domain)
{
	struct buf b = BUF_INIT;

	buf_str(&b, "sip:");
	put_user(&b, username);
	buf_printf(&b, "@%s", domain);
	return buf_take(&b);
}

nxv_status invite_texts_make(
	const struct originator *o, const struct carrier_call *call, struct invite_texts *out, struct nxv_error *err)
{
	nxv_status st = check(call, err);

	memset(out, 0, sizeof(*out));
	if (st != NXV_OK)
		return st;
	out->from_a = from_value(call->to_number, o->domain);
	out->from_b = from_value(call->from_number, o->domain);
	out->target_a = target(call->a_targets[0], o->domain);
	out->target_b = target(call->b_targets[0], o->domain);
	out->headers_a = headers(o, call, 'a');
	out->headers_b = headers(o, call, 'b');
	if (out->from_a && out->from_b && out->target_a && out->target_b && out->headers_a && out->headers_b)
		return NXV_OK;
	invite_texts_free(out);
	return error_nomem(err);
}

void invite_texts_free(struct invite_texts *t)
{
	free(t->from_a);
	free(t->from_b);
	free(t->target_a);
	free(t->target_b);
	free(t->headers_a);
	free(t->headers_b);
	memset(t, 0, sizeof(*t));
}
