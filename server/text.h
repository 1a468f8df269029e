/* text.h - growing text for answers and logs, and checks of single values. */
#ifndef NEXUSD_TEXT_H
#define NEXUSD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** Text that grows. When memory runs out text_take() returns NULL; nothing in between needs a check. */
struct text {
	FILE *stream;
	char *data;
	size_t len;
};
void text_begin(struct text *text);
__attribute__((format(printf, 2, 3))) void text_add(struct text *text, const char *format, ...);
/** A JSON string, quotes included. */
void text_add_json(struct text *text, const char *value);
/** A value for a log line: quoted where it holds anything but plain words. */
void text_add_logged(struct text *text, const char *value);
/** @return [owned], free(); NULL when memory ran out. @param len nullable. */
char *text_take(struct text *text, size_t *len);

/** Decode %XX, and + as a space if plus is set, in place; false when malformed or when it holds a control character. */
bool text_unescape(char *value, bool plus);
/** Add with everything but unreserved characters as %XX. */
void text_add_escaped(struct text *text, const char *value);
/** 1 to max visible ASCII characters. */
bool text_is_visible(const char *value, size_t max);

#endif
