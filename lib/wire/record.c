/* record.c - the writer that turns a record into JSON by its table of fields. */
#include "wire/record.h"

#include <nexusvoip/wire.h>

#include <inttypes.h>
#include <string.h>

/* Bytes of the well-formed UTF-8 sequence at s (RFC 3629: no overlong form, no surrogate); 0 if there is none. */
static size_t utf8_sequence(const unsigned char *s)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xC2 && s[0] < 0xE0 ? 2 : (s[0] & 0xF0) == 0xE0 ? 3 : s[0] >= 0xF0 && s[0] < 0xF5 ? 4 : 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF0 && s[1] < 0x90) ||
		(s[0] == 0xF4 && s[1] > 0x8F))
		return 0;
	return len;
}

static void put_escape(struct buf *out, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t";
	static const char to[] = "\"\\bfnrt";
	const char *at = strchr(from, c);
	if (at)
		buf_printf(out, "\\%c", to[at - from]);
	else
		buf_printf(out, "\\u%04x", c);
}

void wire_put_string(struct buf *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	buf_str(out, "\"");
	while (*s) {
		size_t plain = 0;
		while (s[plain] >= 0x20 && s[plain] < 0x7F && s[plain] != '"' && s[plain] != '\\')
			plain++;
		buf_append(out, s, plain);
		s += plain;
		if (!*s)
			break;
		size_t len = utf8_sequence(s);
		if (len > 1)
			buf_append(out, s, len);
		else if (len == 1)
			put_escape(out, *s);
		else
			buf_str(out, "\xEF\xBF\xBD");
		s += len ? len : 1;
	}
	buf_str(out, "\"");
}

static void put_time(struct buf *out, int64_t at_ms)
{
	char text[32];
	nxv_time_format(at_ms, text);
	buf_printf(out, "\"%s\"", text);
}

bool wire_absent(const struct wire_field *field, const void *member)
{
	switch (field->type) {
	case WIRE_TEXT:
		return !*(char *const *)member;
	case WIRE_TIME:
		return *(const int64_t *)member == 0;
	case WIRE_INT:
		return field->skip_zero && *(const int *)member == 0;
	case WIRE_INT64:
		return (field->skip_zero && *(const int64_t *)member == 0) || (field->skip_negative && *(const int64_t *)member < 0);
	default:
		return false;
	}
}

static void put_members(struct buf *out, const struct wire_field *fields, const void *record);

static void put_value(struct buf *out, const struct wire_field *field, const void *record)
{
	const void *member = (const char *)record + field->offset;
	switch (field->type) {
	case WIRE_TEXT:
		wire_put_string(out, *(char *const *)member);
		break;
	case WIRE_BOOL:
		buf_str(out, *(const bool *)member ? "true" : "false");
		break;
	case WIRE_INT:
		buf_printf(out, "%d", *(const int *)member);
		break;
	case WIRE_INT64:
		buf_printf(out, "%" PRId64, *(const int64_t *)member);
		break;
	case WIRE_TIME:
		put_time(out, *(const int64_t *)member);
		break;
	case WIRE_JSON:
		buf_str(out, field->arg.json);
		break;
	case WIRE_PUT:
		field->arg.put(out, member);
		break;
	case WIRE_OBJECT:
		wire_put_record(out, field->arg.inner, record);
		break;
	case WIRE_END:
		break;
	}
}

/* An object none of whose members is there is left out itself. */
static bool empty_object(const struct wire_field *field, const void *record)
{
	if (field->type != WIRE_OBJECT)
		return false;
	for (const struct wire_field *f = field->arg.inner; f->type != WIRE_END; f++)
		if (!wire_absent(f, (const char *)record + f->offset) && !empty_object(f, record))
			return false;
	return true;
}

static void put_members(struct buf *out, const struct wire_field *fields, const void *record)
{
	const char *comma = "";
	for (const struct wire_field *f = fields; f->type != WIRE_END; f++) {
		if (wire_absent(f, (const char *)record + f->offset) || empty_object(f, record))
			continue;
		buf_printf(out, "%s\"%s\":", comma, f->name);
		put_value(out, f, record);
		comma = ",";
	}
}

void wire_put_record(struct buf *out, const struct wire_field *fields, const void *record)
{
	buf_str(out, "{");
	put_members(out, fields, record);
	buf_str(out, "}");
}

/* Records may hold a secret: what a failed buffer collected is wiped. */
static char *finish(struct buf *out)
{
	char *text = out->failed ? NULL : buf_take(out);
	if (!text)
		buf_wipe(out);
	return text;
}

char *wire_record(const struct wire_field *fields, const void *record)
{
	struct buf out = BUF_INIT;
	if (!record)
		return NULL;
	wire_put_record(&out, fields, record);
	return finish(&out);
}

char *wire_array(const struct wire_field *fields, const void *const *items, size_t count)
{
	struct buf out = BUF_INIT;
	buf_str(&out, "[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_str(&out, ",");
		wire_put_record(&out, fields, items[i]);
	}
	buf_str(&out, "]");
	return finish(&out);
}
