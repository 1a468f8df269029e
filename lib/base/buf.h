/* buf.h - a growable text buffer with a stated maximum; failure is sticky, so callers check once at the end. */
#ifndef NXV_BASE_BUF_H
#define NXV_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

/** Zero-initialise with BUF_INIT; data is NUL-terminated after the first append. */
struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max;  /**< bytes allowed; BUF_MAX_DEFAULT when 0 */
	bool failed; /**< out of memory or past max; later appends do nothing */
};
#define BUF_MAX_DEFAULT ((size_t)16 * 1024 * 1024)
#define BUF_INIT { 0 }

void buf_append(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Drop the first n bytes. */
void buf_consume(struct buf *b, size_t n);
/** Hand the text over ([owned], free()); NULL if anything failed. Leaves b empty. */
char *buf_take(struct buf *b);
void buf_free(struct buf *b);
/** explicit_bzero() and free. */
void buf_wipe(struct buf *b);

#endif
