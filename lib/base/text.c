/* text.c - small text helpers. */
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *text_dup(const char *s)
{
	return s ? strdup(s) : NULL;
}

char *text_printf(const char *fmt, ...)
{
	va_list args, again;
	char *out = NULL;
	int n;

	va_start(args, fmt);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, args);
	if (n >= 0 && (out = malloc((size_t)n + 1)))
		vsnprintf(out, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(args);
	return out;
}

bool text_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);
	bool fits = len < size;

	if (!size)
		return false;
	if (!fits)
		len = size - 1;
	memcpy(dst, src, len);
	dst[len] = '\0';
	return fits;
}

bool text_int(const char *s, int64_t min, int64_t max, int64_t *out)
{
	char *end;
	long long v;

	if (!s || !(*s == '-' || (*s >= '0' && *s <= '9')))
		return false;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno || *end || end == s || v < min || v > max)
		return false;
	*out = v;
	return true;
}

void text_hex(const uint8_t *data, size_t len, char *dst)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		dst[2 * i] = digits[data[i] >> 4];
		dst[2 * i + 1] = digits[data[i] & 15];
	}
	dst[2 * len] = '\0';
}

bool text_base62(const uint8_t *data, size_t len, char *dst, size_t width)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint8_t number[64];
	bool zero = true;

	if (len > sizeof(number))
		return false;
	memcpy(number, data, len);
	dst[width] = '\0';
	for (size_t pos = width; pos-- > 0;) {
		unsigned rest = 0;
		for (size_t i = 0; i < len; i++) {
			unsigned v = rest << 8 | number[i];
			number[i] = (uint8_t)(v / 62);
			rest = v % 62;
		}
		dst[pos] = digits[rest];
	}
	for (size_t i = 0; i < len; i++)
		zero = zero && number[i] == 0;
	explicit_bzero(number, sizeof(number));
	return zero;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool text_is_user_id(const char *s)
{
	size_t len = s ? strlen(s) : 0;

	if (len < 1 || len > 64)
		return false;
	for (; *s; s++)
		if (!is_alnum(*s) && !strchr("._@+-", *s))
			return false;
	return true;
}

size_t text_utf8_len(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c;

	if (n <= 1)
		return n;
	c = s[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : n;
}

bool text_is_label(const char *s, size_t max)
{
	size_t len = s ? strlen(s) : 0;
	const unsigned char *p = (const unsigned char *)s;

	if (len < 1 || len > max)
		return false;
	while (*p) {
		size_t n = text_utf8_len((const char *)p);
		bool control = *p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0);
		if (!n || control)
			return false;
		p += n;
	}
	return true;
}

bool text_is_number(const char *s)
{
	size_t digits = 0;

	if (!s || *s++ != '+')
		return false;
	for (; *s; s++, digits++)
		if (*s < '0' || *s > '9')
			return false;
	return digits >= 2 && digits <= 15;
}

bool text_hostport(const char *s, char *host, size_t host_size, uint16_t *port)
{
	const char *colon = strrchr(s, ':');
	size_t len;
	int64_t value;

	if (!colon || colon == s || !text_int(colon + 1, 0, 65535, &value) || colon[1] == '-')
		return false;
	len = (size_t)(colon - s);
	if (s[0] == '[') {
		if (s[len - 1] != ']' || len < 3)
			return false;
		s++;
		len -= 2;
	} else if (memchr(s, ':', len)) {
		return false;
	}
	if (len >= host_size)
		return false;
	memcpy(host, s, len);
	host[len] = '\0';
	*port = (uint16_t)value;
	return true;
}

void text_wipe_free(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}
