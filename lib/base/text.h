/* text.h - small text helpers: copies, numbers, hex and base62, user ids and phone numbers. */
#ifndef NXV_BASE_TEXT_H
#define NXV_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** strdup() that takes NULL for NULL. */
char *text_dup(const char *s);
/** malloc'ed printf; NULL when memory ran out. */
char *text_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** Copy with truncation, always NUL-ended; false if it did not fit. */
bool text_copy(char *dst, size_t size, const char *src);
/** Whole decimal number within [min, max]; false otherwise. */
bool text_int(const char *s, int64_t min, int64_t max, int64_t *out);
/** Lower-case hex; dst holds 2 * len + 1. */
void text_hex(const uint8_t *data, size_t len, char *dst);
/** Base62 (0-9A-Za-z) of a big-endian number, zero-padded to width; dst holds width + 1. False if it does not fit. */
bool text_base62(const uint8_t *data, size_t len, char *dst, size_t width);
/** 1 to 64 of A-Z a-z 0-9 . _ @ + - */
bool text_is_user_id(const char *s);
/** Bytes of the UTF-8 sequence at text, 0 if it is not one (RFC 3629: no overlong forms, no surrogates). */
size_t text_utf8_len(const char *text);
/** 1 to max bytes of valid UTF-8 without control characters. */
bool text_is_label(const char *s, size_t max);
/** "+" and 2 to 15 digits (the guide's own examples included). */
bool text_is_number(const char *s);
/** Split "host:port" or "[v6]:port"; host gets no brackets. */
bool text_hostport(const char *s, char *host, size_t host_size, uint16_t *port);
/** free() after explicit_bzero(); NULL is allowed. */
void text_wipe_free(char *s);

#endif
