/* sip_uri.c - the headers that a sip: address carries, decoded into lines of an INVITE. */
#include "sip_uri.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_BYTES = 64, VALUE_MAX_BYTES = 1024 };

char *sip_uri_target(const char *address)
{
	return strndup(address, strcspn(address, "?"));
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decoded into to; false if it does not fit or holds a control character. */
static bool decode(const char *from, size_t len, char *to, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)from[i];

		if (c == '%' && i + 2 < len && hex(from[i + 1]) >= 0 && hex(from[i + 2]) >= 0) {
			c = (unsigned char)(hex(from[i + 1]) << 4 | hex(from[i + 2]));
			i += 2;
		}
		if (c < 0x20 || c == 0x7f || n + 1 >= size)
			return false;
		to[n++] = (char)c;
	}
	to[n] = '\0';
	return true;
}

static bool is_token(const char *s)
{
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || strchr("-.!%*_+`'~", *s)))
			return false;
	return true;
}

void sip_uri_headers(const char *address, struct buf *out)
{
	const char *at = strchr(address, '?');
	char name[NAME_MAX_BYTES], value[VALUE_MAX_BYTES];

	if (!at)
		return;
	for (at++; *at; at += *at == '&') {
		size_t len = strcspn(at, "&"), mark = strcspn(at, "=&");

		if (mark < len && decode(at, mark, name, sizeof(name)) && decode(at + mark + 1, len - mark - 1, value, sizeof(value)) &&
			strncasecmp(name, "X-", 2) == 0 && is_token(name))
			buf_printf(out, "%s: %s\r\n", name, value);
		at += len;
	}
}
