/* text.c - growing text for answers and logs, and checks of single values. */
#include "text.h"

#include <nexusvoip/wire.h>

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void text_begin(struct text *text)
{
	*text = (struct text){ 0 };
	text->stream = open_memstream(&text->data, &text->len);
}

void text_add(struct text *text, const char *format, ...)
{
	va_list args;

	if (!text->stream)
		return;
	va_start(args, format);
	vfprintf(text->stream, format, args);
	va_end(args);
}

void text_add_json(struct text *text, const char *value)
{
	char *json = nxv_json_string(value);

	text_add(text, "%s", json ? json : "\"\"");
	free(json);
}

void text_add_logged(struct text *text, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@+";

	if (value[0] && strspn(value, plain) == strlen(value))
		text_add(text, "%s", value);
	else
		text_add_json(text, value);
}

char *text_take(struct text *text, size_t *len)
{
	bool good = text->stream && !ferror(text->stream);

	if (text->stream && fclose(text->stream) != 0)
		good = false;
	text->stream = NULL;
	if (!good) {
		free(text->data);
		text->data = NULL;
	}
	if (len)
		*len = good ? text->len : 0;
	return text->data;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool text_unescape(char *value, bool plus)
{
	char *to = value;

	for (const char *from = value; *from; from++) {
		int c = (unsigned char)*from;

		if (c == '%') {
			int high = hex(from[1]), low = high < 0 ? -1 : hex(from[2]);

			if (low < 0)
				return false;
			c = high * 16 + low;
			from += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c < 0x20 || c == 0x7f)
			return false;
		*to++ = (char)c;
	}
	*to = '\0';
	return true;
}

void text_add_escaped(struct text *text, const char *value)
{
	for (; *value; value++)
		if (isalnum((unsigned char)*value) || strchr("-._~", *value))
			text_add(text, "%c", *value);
		else
			text_add(text, "%%%02X", (unsigned char)*value);
}

bool text_is_visible(const char *value, size_t max)
{
	size_t len = 0;

	for (; value[len]; len++)
		if (len == max || value[len] <= ' ' || value[len] >= 0x7f)
			return false;
	return len > 0;
}
