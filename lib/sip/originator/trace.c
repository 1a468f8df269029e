/* trace.c - SIP messages of our calls for their timelines: found by Call-ID, written without credentials, media keys and
 * bodies that are no session description (a DTMF digit may be part of a PIN). */
#include "sip/originator/call.h"

#include "base/buf.h"
#include "trace/trace_log.h"

#include <stdlib.h>
#include <string.h>

enum { LEG_MESSAGES_MAX = 500 };

static const char *find_text(const char *in, size_t len, const char *what)
{
	const size_t size = strlen(what);

	for (; len >= size; in++, len--)
		if (memcmp(in, what, size) == 0)
			return in;
	return NULL;
}

/* The value of a header in the head of a message, by its long or compact name. */
static bool header(const char *head, size_t len, const char *name, const char *compact, struct pl *value)
{
	char regex[64];
	struct pl tail = PL_INIT;

	snprintf(regex, sizeof(regex), "\r\n%s[ \t]*:[ \t]*[^\r]+", name);
	if (re_regex(head, len, regex, NULL, NULL, &tail) != 0) {
		snprintf(regex, sizeof(regex), "\r\n%s[ \t]*:[ \t]*[^\r]+", compact);
		if (re_regex(head, len, regex, NULL, NULL, &tail) != 0)
			return false;
	}
	*value = tail;
	while (value->l && (value->p[value->l - 1] == ' ' || value->p[value->l - 1] == '\t'))
		value->l--;
	return true;
}

static bool same_call_id(struct le *le, void *arg)
{
	const struct leg *leg = le->data;

	return pl_strcmp(arg, leg->dialog.call_id) == 0;
}

static struct leg *find_leg(const struct originator *o, const char *head, size_t len)
{
	struct pl call_id;

	if (!header(head, len, "Call-ID", "i", &call_id))
		return NULL;
	return list_ledata(hash_lookup(o->legs, hash_joaat_pl(&call_id), same_call_id, &call_id));
}

static size_t line_length(const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);

	return end ? (size_t)(end - text) + 1 : len;
}

static bool begins(const char *line, size_t len, const char *with)
{
	return len >= strlen(with) && strncasecmp(line, with, strlen(with)) == 0;
}

/* A header may have blanks before its colon (RFC 3261, 25.1, HCOLON). */
static bool is_secret(const char *line, size_t len, const char *name)
{
	size_t n = strcspn(name, ":");
	const bool whole = !name[n]; /* "k=" */

	if (len < n || strncasecmp(line, name, n) != 0)
		return false;
	while (!whole && n < len && (line[n] == ' ' || line[n] == '\t'))
		n++;
	return whole || (n < len && line[n] == ':');
}

/* Lines of head and session description; a line that goes on in the next (RFC 3261, 7.3.1) is hidden with its begin. */
static void put_lines(struct buf *out, const char *text, size_t len)
{
	static const char *const secret[] = { "Authorization:", "Proxy-Authorization:", "a=crypto:", "a=ice-pwd:", "a=key-mgmt:", "k=" };
	bool hidden = false;

	for (size_t line; len; text += line, len -= line) {
		const char *name = NULL;
		line = line_length(text, len);
		if (hidden && (*text == ' ' || *text == '\t'))
			continue;
		for (size_t i = 0; !name && i < sizeof(secret) / sizeof(secret[0]); i++)
			name = is_secret(text, line, secret[i]) ? secret[i] : NULL;
		hidden = name;
		if (name)
			buf_printf(out, "%s (left out)\r\n", name);
		else
			buf_append(out, text, line);
	}
}

static void put_message(struct buf *out, const char *text, size_t head, size_t len)
{
	struct pl type = PL_INIT;

	put_lines(out, text, head);
	if (head == len)
		return;
	if (header(text, head, "Content-Type", "c", &type) && begins(type.p, type.l, "application/sdp"))
		put_lines(out, text + head, len - head);
	else
		buf_printf(out, "(%zu bytes left out)\r\n", len - head);
}

/* "INVITE sip:bob@example.com" or "180 Ringing (INVITE)". */
static void put_summary(struct buf *out, const char *text, size_t head)
{
	size_t line = line_length(text, head);
	struct pl cseq = PL_INIT;

	while (line && (text[line - 1] == '\n' || text[line - 1] == '\r'))
		line--;
	if (!begins(text, line, "SIP/2.0 ")) {
		const char *version = find_text(text, line, " SIP/2.0");
		buf_append(out, text, version ? (size_t)(version - text) : line);
		return;
	}
	buf_append(out, text + 8, line - 8);
	if (header(text, head, "CSeq", "CSeq", &cseq)) {
		const char *method = memchr(cseq.p, ' ', cseq.l);
		if (method)
			buf_printf(out, " (%.*s)", (int)(cseq.l - (size_t)(method + 1 - cseq.p)), method + 1);
	}
}

static void note(struct leg *leg, bool sent, const char *text, size_t head, size_t len)
{
	struct buf summary = BUF_INIT, detail = BUF_INIT;

	put_summary(&summary, text, head);
	put_message(&detail, text, head, len);
	if (!summary.failed && !detail.failed)
		trace_note(leg->call->o->trace, leg->call->session_id, NXV_TRACE_SIP, leg->name, sent, summary.data, detail.data);
	buf_free(&summary);
	buf_free(&detail);
}

static void on_message(bool tx, enum sip_transp tp, const struct sa *src, const struct sa *dst, const uint8_t *data, size_t len, void *arg)
{
	struct originator *o = arg;
	const char *text = (const char *)data, *end = find_text(text, len, "\r\n\r\n");
	size_t head = end ? (size_t)(end - text) + 4 : len;
	struct leg *leg;

	(void)tp;
	(void)dst;
	if (!o->legs || (!tx && !sa_cmp(src, &o->proxy, SA_ADDR)))
		return;
	leg = find_leg(o, text, head);
	if (!leg || leg->traced > LEG_MESSAGES_MAX)
		return;
	if (++leg->traced > LEG_MESSAGES_MAX)
		trace_note(o->trace, leg->call->session_id, NXV_TRACE_SIP, leg->name, tx, "(more messages are not kept)", NULL);
	else
		note(leg, tx, text, head, len);
}

void trace_open(struct originator *o)
{
	if (o->trace)
		sip_set_trace_handler(o->sip, on_message);
}
