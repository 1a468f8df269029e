/* sip_text.c - parse and build SIP messages as text. Owns the phone's idea of the grammar: small, but its own. */
#include "sip_text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void text_clear(struct text *t)
{
	t->len = 0;
	t->cut = false;
	t->data[0] = '\0';
}

void text_add(struct text *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	size_t room = sizeof(t->data) - t->len;
	int n = vsnprintf(t->data + t->len, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room) {
		t->cut = true;
		t->len = sizeof(t->data) - 1;
		return;
	}
	t->len += (size_t)n;
}

static const char *compact_form(const char *name)
{
	static const char *const forms[][2] = { { "Via", "v" }, { "From", "f" }, { "To", "t" }, { "Call-ID", "i" },
		{ "Contact", "m" }, { "Content-Length", "l" }, { "Content-Type", "c" } };
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcasecmp(forms[i][0], name) == 0) {
			return forms[i][1];
		}
	}
	return NULL;
}

/* The end of a line, folded continuations included. */
static const char *line_end(const char *p, const char *stop)
{
	while (p < stop) {
		const char *nl = memchr(p, '\n', (size_t)(stop - p));
		if (!nl) {
			return stop;
		}
		if (nl + 1 < stop && (nl[1] == ' ' || nl[1] == '\t')) {
			p = nl + 1;
			continue;
		}
		return nl + 1;
	}
	return stop;
}

static bool name_matches(const char *line, const char *name, const char **value)
{
	size_t n = strlen(name);
	if (strncasecmp(line, name, n) != 0) {
		return false;
	}
	const char *p = line + n;
	while (*p == ' ' || *p == '\t') {
		p++;
	}
	if (*p != ':') {
		return false;
	}
	*value = p + 1;
	return true;
}

/* The nth header line of that name; NULL if there is none. */
static const char *find_line(const struct sip_text *msg, const char *name, size_t nth, const char **value, const char **end)
{
	const char *stop = msg->body ? msg->body : msg->data + msg->len;
	const char *brief = compact_form(name);
	const char *p = line_end(msg->data, stop);
	while (p < stop) {
		const char *next = line_end(p, stop);
		if (name_matches(p, name, value) || (brief && name_matches(p, brief, value))) {
			if (nth-- == 0) {
				*end = next;
				return p;
			}
		}
		p = next;
	}
	return NULL;
}

static void copy_trimmed(const char *from, const char *end, char *out, size_t size)
{
	while (from < end && isspace((unsigned char)*from)) {
		from++;
	}
	while (end > from && isspace((unsigned char)end[-1])) {
		end--;
	}
	size_t n = (size_t)(end - from) < size - 1 ? (size_t)(end - from) : size - 1;
	memcpy(out, from, n);
	out[n] = '\0';
}

bool sip_text_header(const struct sip_text *msg, const char *name, size_t nth, char *out, size_t size)
{
	const char *value, *end;
	out[0] = '\0';
	if (!find_line(msg, name, nth, &value, &end)) {
		return false;
	}
	copy_trimmed(value, end, out, size);
	return true;
}

void sip_text_copy(const struct sip_text *msg, const char *name, struct text *out)
{
	const char *value, *end;
	for (size_t i = 0; find_line(msg, name, i, &value, &end); i++) {
		char line[2048];
		copy_trimmed(value, end, line, sizeof(line));
		text_add(out, "%s: %s\r\n", name, line);
	}
}

bool sip_text_has_prefix(const struct sip_text *msg, const char *prefix)
{
	const char *stop = msg->body ? msg->body : msg->data + msg->len;
	for (const char *p = line_end(msg->data, stop); p < stop; p = line_end(p, stop)) {
		if (strncasecmp(p, prefix, strlen(prefix)) == 0) {
			return true;
		}
	}
	return false;
}

bool sip_text_param(const char *value, const char *name, char *out, size_t size)
{
	size_t n = strlen(name);
	const char *angle = strchr(value, '>');
	out[0] = '\0';
	for (const char *p = angle ? angle : value; (p = strcasestr(p, name)); p += n) {
		const char *before = p;
		while (before > value && (before[-1] == ' ' || before[-1] == '\t')) {
			before--;
		}
		bool starts = before == value || strchr(";, ", before[-1]) || before != p;
		const char *q = p + n;
		while (*q == ' ') {
			q++;
		}
		if (!starts || *q != '=') {
			continue;
		}
		q++;
		bool quoted = *q == '"';
		q += quoted;
		size_t len = strcspn(q, quoted ? "\"" : ";, \t\r\n>");
		copy_trimmed(q, q + len, out, size);
		return true;
	}
	return false;
}

void sip_text_uri(const char *value, char *out, size_t size)
{
	const char *open = strchr(value, '<');
	const char *start = open ? open + 1 : value;
	copy_trimmed(start, start + strcspn(start, open ? ">" : "; \t\r\n,"), out, size);
}

/* Past "sip:" or "sips:", if there. */
static const char *after_scheme(const char *uri)
{
	return strncasecmp(uri, "sip:", 4) == 0 ? uri + 4 : strncasecmp(uri, "sips:", 5) == 0 ? uri + 5 : uri;
}

void sip_uri_user(const char *uri, char *out, size_t size)
{
	const char *start = after_scheme(uri);
	const char *at = strchr(start, '@');
	copy_trimmed(start, at ? at : start, out, size);
}

bool sip_uri_host(const char *uri, char *host, size_t size, unsigned *port)
{
	const char *start = after_scheme(uri);
	const char *at = strchr(start, '@');
	start = at ? at + 1 : start;
	size_t n = *start == '[' ? strcspn(start, "]") + 1 : strcspn(start, ":;?> ");
	copy_trimmed(start, start + n, host, size);
	*port = start[n] == ':' ? (unsigned)strtoul(start + n + 1, NULL, 10) : 5060;
	return host[0] != '\0';
}

static bool parse_start(struct sip_text *msg)
{
	char line[512];
	copy_trimmed(msg->data, line_end(msg->data, msg->data + msg->len), line, sizeof(line));
	if (strncmp(line, "SIP/2.0 ", 8) == 0) {
		msg->code = atoi(line + 8);
		return msg->code >= 100 && msg->code < 700;
	}
	char version[16] = "";
	msg->request = sscanf(line, "%15s %255s %15s", msg->method, msg->uri, version) == 3;
	return msg->request && strcmp(version, "SIP/2.0") == 0;
}

bool sip_text_parse(const char *data, size_t len, struct sip_text *out)
{
	char value[1024], method[16] = "";
	*out = (struct sip_text){ .len = len, .data = malloc(len + 1) };
	if (!out->data) {
		return false;
	}
	memcpy(out->data, data, len);
	out->data[len] = '\0';
	char *blank = strstr(out->data, "\r\n\r\n");
	if (!blank || !parse_start(out)) {
		return false;
	}
	out->body = blank + 4;
	if (!sip_text_header(out, "CSeq", 0, value, sizeof(value)) || sscanf(value, "%u %15s", &out->cseq, method) != 2) {
		return false;
	}
	if (!out->request) {
		memcpy(out->method, method, sizeof(method));
	}
	sip_text_header(out, "Call-ID", 0, out->call_id, sizeof(out->call_id));
	if (sip_text_header(out, "From", 0, value, sizeof(value))) {
		sip_text_param(value, "tag", out->from_tag, sizeof(out->from_tag));
	}
	if (sip_text_header(out, "To", 0, value, sizeof(value))) {
		sip_text_param(value, "tag", out->to_tag, sizeof(out->to_tag));
	}
	if (sip_text_header(out, "Via", 0, value, sizeof(value))) {
		sip_text_param(value, "branch", out->branch, sizeof(out->branch));
	}
	return out->call_id[0] != '\0';
}

void sip_text_free(struct sip_text *msg)
{
	free(msg->data);
	*msg = (struct sip_text){ .data = NULL };
}

size_t sip_text_frame(const char *data, size_t len)
{
	const char *blank = memmem(data, len, "\r\n\r\n", 4);
	if (!blank) {
		return 0;
	}
	size_t head = (size_t)(blank - data) + 4, body = 0;
	for (const char *p = data; p < blank; p++) {
		if (*p == '\n' && (strncasecmp(p + 1, "Content-Length:", 15) == 0 || strncasecmp(p + 1, "l:", 2) == 0)) {
			body = strtoul(strchr(p, ':') + 1, NULL, 10);
		}
	}
	return head + body <= len ? head + body : 0;
}
