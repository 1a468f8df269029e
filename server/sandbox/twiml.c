/* twiml.c - the parser: elements, attributes, text, CDATA, comments, the five entities and character references. A document
 * type is refused: there is no entity to be expanded here. */
#include "twiml.h"

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const char *at, *end;
	const char *why;
	int depth;
};

static bool fail(struct reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
	return false;
}

static bool looking_at(const struct reader *r, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(r->end - r->at) >= len && memcmp(r->at, text, len) == 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->end && is_blank(*r->at))
		r->at++;
}

static bool skip_past(struct reader *r, const char *text)
{
	for (; r->at < r->end; r->at++)
		if (looking_at(r, text)) {
			r->at += strlen(text);
			return true;
		}
	return fail(r, "it ends too early");
}

static bool is_name(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
		(!first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}

static char *read_name(struct reader *r)
{
	const char *from = r->at;

	while (r->at < r->end && is_name(*r->at, r->at == from))
		r->at++;
	if (r->at == from) {
		fail(r, "a name is expected");
		return NULL;
	}
	return strndup(from, (size_t)(r->at - from));
}

static void put_character(struct buf *out, unsigned long c)
{
	char bytes[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		bytes[i] = (char)(0x80 | (c & 0x3f));
	bytes[0] = (char)(n == 1 ? c : (0xf00 >> n & 0xff) | c);
	buf_append(out, bytes, n);
}

/* Behind "&". */
static bool read_reference(struct reader *r, struct buf *out)
{
	static const struct {
		const char *name;
		char c;
	} entities[] = { { "amp;", '&' }, { "lt;", '<' }, { "gt;", '>' }, { "quot;", '"' }, { "apos;", '\'' } };
	char digits[12] = "", *stop;
	unsigned long c;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
		if (looking_at(r, entities[i].name)) {
			r->at += strlen(entities[i].name);
			buf_append(out, &entities[i].c, 1);
			return true;
		}
	if (!looking_at(r, "#"))
		return fail(r, "an entity is not known");
	for (r->at++; r->at < r->end && *r->at != ';' && n + 1 < sizeof(digits); r->at++)
		digits[n++] = *r->at;
	if (r->at == r->end || *r->at != ';')
		return fail(r, "a character reference has no end");
	r->at++;
	c = digits[0] == 'x' ? strtoul(digits + 1, &stop, 16) : strtoul(digits, &stop, 10);
	if (*stop || c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || (c < 0x20 && !is_blank((char)c)))
		return fail(r, "a character reference is wrong");
	put_character(out, c);
	return true;
}

/* Up to one of the characters in stops. */
static bool read_text(struct reader *r, const char *stops, struct buf *out)
{
	while (r->at < r->end && !strchr(stops, *r->at)) {
		if ((unsigned char)*r->at < 0x20 && !is_blank(*r->at))
			return fail(r, "it holds a control character");
		if (*r->at++ != '&')
			buf_append(out, r->at - 1, 1);
		else if (!read_reference(r, out))
			return false;
	}
	return r->at < r->end || fail(r, "it ends too early");
}

static bool read_attr(struct reader *r, struct twiml *node, int *count)
{
	struct twiml_attr *attr = calloc(1, sizeof(*attr)), **last = &node->attrs;
	struct buf value = BUF_INIT;
	char quote[3] = "";

	if (!attr)
		return fail(r, "out of memory");
	while (*last)
		last = &(*last)->next;
	*last = attr;
	attr->name = read_name(r);
	if (!attr->name || ++*count > TWIML_ATTRS_MAX)
		return fail(r, "too many attributes");
	for (const struct twiml_attr *a = node->attrs; a != attr; a = a->next)
		if (strcmp(a->name, attr->name) == 0)
			return fail(r, "an attribute is there twice");
	skip_blanks(r);
	if (!looking_at(r, "="))
		return fail(r, "an attribute has no value");
	r->at++;
	skip_blanks(r);
	if (r->at == r->end || (*r->at != '"' && *r->at != '\''))
		return fail(r, "an attribute's value is not in quotes");
	quote[0] = *r->at++;
	quote[1] = '<';
	if (!read_text(r, quote, &value) || *r->at == '<') {
		buf_free(&value);
		return fail(r, "an attribute's value holds <");
	}
	r->at++;
	buf_str(&value, "");
	attr->value = buf_take(&value);
	return attr->value || fail(r, "out of memory");
}

static bool skip_misc(struct reader *r)
{
	for (;;) {
		skip_blanks(r);
		if (looking_at(r, "<!--") ? !skip_past(r, "-->") : looking_at(r, "<?") ? !skip_past(r, "?>") : true)
			return !r->why;
	}
}

static char *trimmed(struct buf *text)
{
	char *whole, *from;
	size_t len;

	buf_str(text, "");
	whole = buf_take(text);
	if (!whole)
		return NULL;
	for (from = whole; is_blank(*from); from++)
		;
	for (len = strlen(from); len && is_blank(from[len - 1]); len--)
		;
	memmove(whole, from, len);
	whole[len] = '\0';
	return whole;
}

static struct twiml *read_element(struct reader *r, struct twiml *parent);

/* After a start tag, up to and with the end tag. */
static bool read_content(struct reader *r, struct twiml *node, struct buf *text)
{
	struct twiml **last = &node->child;

	for (;;) {
		if (!read_text(r, "<", text))
			return false;
		if (looking_at(r, "</"))
			break;
		if (looking_at(r, "<!--")) {
			if (!skip_past(r, "-->"))
				return false;
		} else if (looking_at(r, "<![CDATA[")) {
			const char *from = r->at += 9;

			if (!skip_past(r, "]]>"))
				return false;
			buf_append(text, from, (size_t)(r->at - 3 - from));
		} else if (looking_at(r, "<?")) {
			if (!skip_past(r, "?>"))
				return false;
		} else {
			*last = read_element(r, node);
			if (r->why)
				return false;
			last = &(*last)->next;
		}
	}
	r->at += 2;
	if (!looking_at(r, node->name))
		return fail(r, "an end tag does not fit");
	r->at += strlen(node->name);
	skip_blanks(r);
	if (!looking_at(r, ">"))
		return fail(r, "an end tag does not fit");
	r->at++;
	return true;
}

/* At "<". The node is given even when it is broken, for twiml_free(). */
static struct twiml *read_element(struct reader *r, struct twiml *parent)
{
	struct twiml *node = calloc(1, sizeof(*node));
	struct buf text = BUF_INIT;
	int attrs = 0;

	if (!node || r->depth == TWIML_DEPTH_MAX) {
		fail(r, node ? "it is nested too deep" : "out of memory");
		return node;
	}
	r->depth++;
	node->parent = parent;
	r->at++;
	node->name = read_name(r);
	for (skip_blanks(r); node->name && r->at < r->end && *r->at != '>' && *r->at != '/' && !r->why; skip_blanks(r))
		(void)read_attr(r, node, &attrs);
	if (r->why)
		;
	else if (looking_at(r, "/>"))
		r->at += 2;
	else if (looking_at(r, ">") && r->at++)
		(void)read_content(r, node, &text);
	else
		fail(r, "a tag has no end");
	node->text = trimmed(&text);
	if (!node->text)
		fail(r, "out of memory");
	r->depth--;
	return node;
}

struct twiml *twiml_parse(const char *text, size_t len, char *why, size_t why_len)
{
	struct reader r = { .at = text, .end = text + len };
	struct twiml *root = NULL;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		r.at += 3;
	while (skip_misc(&r) && (looking_at(&r, "<!--") || looking_at(&r, "<?")))
		;
	if (!r.why && (!looking_at(&r, "<") || looking_at(&r, "<!")))
		fail(&r, "an element is expected");
	if (!r.why)
		root = read_element(&r, NULL);
	while (!r.why && skip_misc(&r) && (looking_at(&r, "<!--") || looking_at(&r, "<?")))
		;
	if (!r.why && r.at != r.end)
		fail(&r, "something follows the document");
	if (!r.why && !twiml_is(root, "Response"))
		fail(&r, "the root is not Response");
	if (!r.why)
		return root;
	snprintf(why, why_len, "%s, at character %td", r.why, r.at - text);
	twiml_free(root);
	return NULL;
}

void twiml_free(struct twiml *twiml)
{
	struct twiml_attr *attr, *next_attr;
	struct twiml *next;

	for (; twiml; twiml = next) { /* siblings by loop, children by call: the depth is limited */
		next = twiml->next;
		twiml_free(twiml->child);
		for (attr = twiml->attrs; attr; attr = next_attr) {
			next_attr = attr->next;
			free(attr->name);
			free(attr->value);
			free(attr);
		}
		free(twiml->name);
		free(twiml->text);
		free(twiml);
	}
}

const char *twiml_attr(const struct twiml *twiml, const char *name, const char *fallback)
{
	for (const struct twiml_attr *attr = twiml->attrs; attr; attr = attr->next)
		if (strcmp(attr->name, name) == 0)
			return attr->value;
	return fallback;
}

int twiml_attr_int(const struct twiml *twiml, const char *name, int fallback)
{
	const char *value = twiml_attr(twiml, name, NULL);
	char *stop;
	long n;

	if (!value || !*value)
		return fallback;
	n = strtol(value, &stop, 10);
	return *stop || n < 0 || n > 86400 ? fallback : (int)n;
}

bool twiml_is(const struct twiml *twiml, const char *name)
{
	return twiml && strcmp(twiml->name, name) == 0;
}
