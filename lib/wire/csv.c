/* csv.c - records as CSV (RFC 4180), by the same tables of fields that make their JSON: a column is named as the member
 * is, a nested one "outer.inner". */
#include "wire/record.h"

#include <inttypes.h>
#include <string.h>

#include <nexusvoip/wire.h>

static void put_heads(struct buf *out, const struct wire_field *fields, const char *prefix, const char **comma)
{
	for (const struct wire_field *f = fields; f->type != WIRE_END; f++) {
		if (f->type == WIRE_OBJECT) {
			struct buf name = BUF_INIT;
			buf_printf(&name, "%s%s.", prefix, f->name);
			out->failed = out->failed || name.failed;
			if (!name.failed)
				put_heads(out, f->arg.inner, name.data, comma);
			buf_free(&name);
			continue;
		}
		buf_printf(out, "%s%s%s", *comma, prefix, f->name);
		*comma = ",";
	}
}

/* A spreadsheet would compute it; and phones and carriers may say what they like. */
static bool is_formula(const char *text)
{
	const bool sign = *text == '+' || *text == '-';

	return *text && (strchr("=@\t\r", *text) || (sign && text[1 + strspn(text + 1, "0123456789")]));
}

static void put_text(struct buf *out, const char *text)
{
	const bool formula = is_formula(text);

	if (!formula && !strpbrk(text, "\",\r\n")) {
		buf_str(out, text);
		return;
	}
	buf_str(out, formula ? "\"'" : "\"");
	for (; *text; text++)
		buf_printf(out, *text == '"' ? "\"\"" : "%c", *text);
	buf_str(out, "\"");
}

/* A word that is written as a JSON string, without its quotes; anything else as JSON. */
static void put_put(struct buf *out, const struct wire_field *field, const void *member)
{
	struct buf json = BUF_INIT;
	size_t len;

	field->arg.put(&json, member);
	out->failed = out->failed || json.failed;
	len = json.failed ? 0 : json.len;
	if (len >= 2 && json.data[0] == '"' && !memchr(json.data, '\\', len)) {
		json.data[len - 1] = '\0';
		put_text(out, json.data + 1);
	} else if (len) {
		put_text(out, json.data);
	}
	buf_free(&json);
}

static void put_cell(struct buf *out, const struct wire_field *field, const void *member)
{
	char time[32];

	switch (field->type) {
	case WIRE_TEXT:
		put_text(out, *(char *const *)member);
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
		nxv_time_format(*(const int64_t *)member, time);
		buf_str(out, time);
		break;
	case WIRE_JSON:
		put_text(out, field->arg.json);
		break;
	case WIRE_PUT:
		put_put(out, field, member);
		break;
	case WIRE_OBJECT:
	case WIRE_END:
		break;
	}
}

static void put_cells(struct buf *out, const struct wire_field *fields, const void *record, const char **comma)
{
	for (const struct wire_field *f = fields; f->type != WIRE_END; f++) {
		const void *member = (const char *)record + f->offset;
		if (f->type == WIRE_OBJECT) {
			put_cells(out, f->arg.inner, record, comma);
			continue;
		}
		buf_str(out, *comma);
		*comma = ",";
		if (!wire_absent(f, member))
			put_cell(out, f, member);
	}
}

char *wire_csv(const struct wire_field *fields, const void *record)
{
	struct buf out = BUF_INIT;
	const char *comma = "";

	if (record)
		put_cells(&out, fields, record, &comma);
	else
		put_heads(&out, fields, "", &comma);
	buf_str(&out, "\r\n");
	return buf_take(&out);
}
