/* json_scan.c - even strict, json-c takes single quotes, comments, NaN, bare control characters in strings and numbers like
 * 01 or 1., and of a doubled member it keeps the last. This scan refuses or finds all of that. */
#include "base/json_scan.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 256 };

static bool is_digit(const char *text, size_t len, size_t i)
{
	return i < len && text[i] >= '0' && text[i] <= '9';
}

static size_t skip_digits(const char *text, size_t len, size_t i)
{
	while (is_digit(text, len, i))
		i++;
	return i;
}

/* The offset behind the string that begins at i, or 0 if it is none. */
static size_t skip_string(const char *text, size_t len, size_t i)
{
	for (i++; i < len; i++) {
		if ((unsigned char)text[i] < 0x20)
			return 0;
		if (text[i] == '"')
			return i + 1;
		if (text[i] == '\\')
			i++;
	}
	return 0;
}

/* A string is a member's name when a colon comes next. */
static bool is_name(const char *text, size_t len, size_t i)
{
	while (i < len && memchr(" \t\r\n", text[i], 4))
		i++;
	return i < len && text[i] == ':';
}

/* json-c ends a member's name at its first NUL, so that another member would be taken for a known one. */
static bool holds_nul(const char *text, size_t from, size_t to)
{
	for (size_t i = from; i + 6 <= to; i++) {
		if (text[i] != '\\')
			continue;
		if (memcmp(text + i, "\\u0000", 6) == 0)
			return true;
		i++; /* what is escaped may be a backslash */
	}
	return false;
}

/* The offset behind the number that begins at i, or 0: [-] 0 or 1-9 and digits, [. digits] [e [+-] digits]. */
static size_t skip_number(const char *text, size_t len, size_t i)
{
	size_t from;

	i += text[i] == '-';
	if (!is_digit(text, len, i))
		return 0;
	i = text[i] == '0' ? i + 1 : skip_digits(text, len, i);
	if (i < len && text[i] == '.') {
		from = ++i;
		if ((i = skip_digits(text, len, i)) == from)
			return 0;
	}
	if (i < len && (text[i] == 'e' || text[i] == 'E')) {
		i++;
		i += i < len && (text[i] == '+' || text[i] == '-');
		from = i;
		if ((i = skip_digits(text, len, i)) == from)
			return 0;
	}
	return is_digit(text, len, i) || (i < len && strchr(".+-", text[i])) ? 0 : i;
}

bool json_scan(const char *text, size_t len, size_t *members, size_t *bad)
{
	size_t i = 0, next;

	*members = 0;
	while (i < len) {
		if (text[i] == '"')
			next = skip_string(text, len, i);
		else if (text[i] == '-' || is_digit(text, len, i))
			next = skip_number(text, len, i);
		else
			next = text[i] && strchr("{}[]:,truefalsn \t\r\n", text[i]) ? i + 1 : 0;
		if (!next || (text[i] == '"' && is_name(text, len, next) && holds_nul(text, i, next))) {
			*bad = i;
			return false;
		}
		*members += text[i] == ':';
		i = next;
	}
	return true;
}

void json_scan_double(const char *text, size_t len, char *name, size_t size)
{
	struct {
		const char *at;
		size_t len;
	} names[NAMES_MAX];
	size_t count = 0, depth = 0, i = 0, end;

	name[0] = '\0';
	while (i < len && count < NAMES_MAX) {
		if (text[i] != '"') {
			depth += text[i] == '{' || text[i] == '[';
			depth -= text[i] == '}' || text[i] == ']';
			i++;
			continue;
		}
		end = skip_string(text, len, i);
		if (!end)
			return;
		if (depth == 1 && is_name(text, len, end)) {
			names[count].at = text + i + 1;
			names[count].len = end - i - 2;
			for (size_t j = 0; j < count; j++)
				if (names[j].len == names[count].len && memcmp(names[j].at, names[count].at, names[j].len) == 0) {
					snprintf(name, size, "%.*s", (int)names[count].len, names[count].at);
					return;
				}
			count++;
		}
		i = end;
	}
}
