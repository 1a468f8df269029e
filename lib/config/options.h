/* options.h - the table of every option: key, type, default and help, in the order of enum config_key. */
#ifndef NXV_CONFIG_OPTIONS_H
#define NXV_CONFIG_OPTIONS_H

#include "config/config.h"

enum option_type { OPT_TEXT, OPT_INT, OPT_BOOL, OPT_WORD, OPT_ADDR, OPT_ADDR_OR_NONE };

struct option_spec {
	struct nxv_config_option pub;
	enum option_type type;
	int64_t min, max;        /**< OPT_INT */
	const char *words;       /**< OPT_WORD: allowed values, separated by a space */
};

extern const struct option_spec option_specs[CFG_COUNT];

#endif
