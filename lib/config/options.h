/* options.h - the table of every option: key, type, default and help, in the order of enum config_key. */
#ifndef NXV_CONFIG_OPTIONS_H
#define NXV_CONFIG_OPTIONS_H

#include "config/config.h"

/** All from OPT_ADDR_OR_NONE on may be empty. */
enum option_type {
	OPT_TEXT, OPT_INT, OPT_BOOL, OPT_WORD, OPT_ADDR, OPT_ADDR_OR_NONE,
	OPT_HOST,     /**< host or host:port */
	OPT_URL,      /**< http or https, no query, no slash at the end */
	OPT_LABEL,    /**< a-z 0-9 - */
	OPT_SID,      /**< words: how it begins */
	OPT_NUMBER,   /**< + and digits; OPT_NUMBERS: a list of them, */
	OPT_NUMBERS,  /**< or * */
	OPT_PREFIXES, /**< a list of + and digits */
	OPT_ALLOW,    /**< the same, with ! in front to exclude, or * */
	OPT_DIGITS,   /**< a list of short numbers */
	OPT_NETS      /**< a list of addresses and networks */
};

struct option_spec {
	struct nxv_config_option pub;
	enum option_type type;
	int64_t min, max;        /**< OPT_INT */
	const char *words;       /**< OPT_WORD: allowed values, separated by a space; OPT_SID */
};

extern const struct option_spec option_specs[CFG_COUNT];

/** Check a value. @param number the value of OPT_INT and OPT_BOOL. @param remedy what to write instead, filled always. */
bool option_check(const struct option_spec *spec, const char *value, int64_t *number, char *remedy, size_t size);
/** 1 to 1024 bytes without control characters. */
bool option_is_secret(const char *value);

#endif
