/* options.h - options structs as form parameters: one table row per member. */
#ifndef NXV_TWILIO_OPTIONS_H
#define NXV_TWILIO_OPTIONS_H

#include <nexusvoip/types.h>

#include "base/buf.h"

enum option_kind {
	OPTION_TEXT, /**< const char *; NULL and "" are left out */
	OPTION_INT,  /**< int; 0 is left out; limit is the greatest */
	OPTION_PAGE, /**< unsigned; 0 is left out; limit is the greatest */
	OPTION_TRUE, /**< bool; false is left out */
	OPTION_WORD, /**< enum: words[value - 1]; 0 is left out */
	OPTION_BITS, /**< unsigned: words[n] for each bit n, the parameter repeated */
	OPTION_TIME  /**< int64_t ms: ISO 8601 in UTC, seconds rounded down; 0 is left out */
};
struct option {
	const char *param;        /**< Twilio's name; NULL ends a table */
	const char *field;        /**< ours, for errors */
	enum option_kind kind;
	size_t offset;
	const char *const *words; /**< NULL-ended */
	int limit;                /**< characters of a text, or the greatest number; 0: no limit of ours */
};
#define OPTION(opts, k, member, name, list, most) { name, #member, OPTION_##k, offsetof(struct opts, member), list, most }

extern const char *const option_methods[], *const option_channels[], *const option_tracks[], *const option_trims[],
	*const option_recording_events[];

/** Add what is set. Errors: NXV_E_INVALID with the field. */
nxv_status options_add(struct buf *form, const struct option *table, const void *opts, struct nxv_error *err);

#endif
