/* record.h - how a record becomes JSON: a table of fields per record, and the one writer that walks it.
 * Members that are absent (NULL, or 0 where 0 means "not yet") are left out, never written as null. */
#ifndef NXV_WIRE_RECORD_H
#define NXV_WIRE_RECORD_H

#include "base/buf.h"

enum wire_type {
	WIRE_TEXT,   /**< char *; left out when NULL */
	WIRE_BOOL,   /**< bool */
	WIRE_INT,    /**< int */
	WIRE_INT64,  /**< int64_t */
	WIRE_TIME,   /**< int64_t ms as RFC 3339; left out when 0 */
	WIRE_JSON,   /**< constant JSON text, in arg.json */
	WIRE_PUT,    /**< written by arg.put from the member's address */
	WIRE_OBJECT, /**< nested object of fields of the same record, in arg.inner; left out when empty */
	WIRE_END
};

/** One row of a record's table; the last one has type WIRE_END. */
struct wire_field {
	const char *name;
	enum wire_type type;
	size_t offset;
	union {
		const char *json;
		void (*put)(struct buf *out, const void *member);
		const struct wire_field *inner;
	} arg;
	bool skip_zero;     /**< leave a number out when it is 0 */
	bool skip_negative; /**< leave an int64_t out when it is below 0 */
};

/** Append a string literal, quotes included. Bytes that are not UTF-8 (a phone may send any) become U+FFFD. */
void wire_put_string(struct buf *out, const char *text);
/** Append a record as an object. */
void wire_put_record(struct buf *out, const struct wire_field *fields, const void *record);
/** A record as text: [owned], NULL when memory ran out or record is NULL. */
char *wire_record(const struct wire_field *fields, const void *record);
/** Whether a member is left out: NULL, a time or marked number that is 0. */
bool wire_absent(const struct wire_field *field, const void *member);
/** A record as one line of CSV, its end included; NULL: the line of column names. Absent members are empty cells.
 * [owned], NULL when memory ran out. */
char *wire_csv(const struct wire_field *fields, const void *record);
/** Records as an array: [owned], NULL when memory ran out. */
char *wire_array(const struct wire_field *fields, const void *const *items, size_t count);

#endif
