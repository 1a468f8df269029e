/* params.h - the parameters that each operation takes, and the check of what came against them. Unlike Twilio, which drops
 * what it does not know, the sandbox refuses it: a misspelt parameter is a fault to be found here. */
#ifndef NEXUS_SANDBOX_PARAMS_H
#define NEXUS_SANDBOX_PARAMS_H

#include "errors.h"
#include "twilio/form.h"

enum param_kind {
	PARAM_TEXT,
	PARAM_URL,
	PARAM_METHOD, /**< GET or POST */
	PARAM_NUMBER,
	PARAM_BOOL,
	PARAM_WORD,   /**< one of words */
	PARAM_EVENTS, /**< of words; repeated, or separated by blanks */
	PARAM_SID,    /**< words is its prefix */
	PARAM_DIGITS, /**< to be dialled */
	PARAM_TIME    /**< a day or a moment */
};
struct param {
	const char *name; /**< NULL ends a table */
	enum param_kind kind;
	const char *words;   /**< "a b c" */
	int min, max;        /**< of a number; max of a text's length, 0: none */
	int code;            /**< Twilio's error for a bad value; 0: 20422 */
};

extern const struct param params_create[], params_update[], params_list[];
extern const struct param params_recording_create[], params_recording_update[], params_recording_list[], params_recording_fetch[], params_media[];
extern const struct param params_none[];

/** Check every pair of a form. False: refused. */
bool params_check(const struct param *table, const struct form *form, struct refusal *refusal);
/** A value; NULL when absent or empty. */
const char *param_text(const struct form *form, const char *name);
int param_number(const struct form *form, const char *name, int fallback);
bool param_true(const struct form *form, const char *name);
bool param_is_get(const struct form *form, const char *name);
/** Bits by the order of words; fallback when absent. */
unsigned param_events(const struct form *form, const char *name, const char *words, unsigned fallback);
/** Seconds since 1970 of "2009-07-06" or "2009-07-06T12:30:00Z"; last: of the last second of such a day. False if it is none. */
bool param_time(const char *text, bool last, int64_t *out);

#define CALL_EVENT_WORDS "initiated ringing answered completed"
#define RECORDING_EVENT_WORDS "in-progress completed absent"
#define CALL_STATUS_WORDS "queued ringing in-progress completed busy failed no-answer canceled"

/** The place of a word in a list of words; -1 if it is not there. */
int word_index(const char *words, const char *word, size_t len);

#endif
