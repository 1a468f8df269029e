/* config.h - the command line of nexusd. Everything else is the library's configuration. */
#ifndef NEXUSD_CONFIG_H
#define NEXUSD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

struct config {
	const char *state_dir;
	const char *config_file; /**< NULL: the library's default */
	const char **set;        /**< KEY=VALUE, NULL-ended */
	char *listen;            /**< "http.listen=...", kept in set */
	char *state_made;        /**< state_dir if it was composed */
	const char *const *env;  /**< NAME=VALUE, NULL-ended; NULL: the process's own */
	bool sandbox;            /**< nexus-sandbox stands in for Twilio */
	bool help, version, routes;
};

/** Read the arguments and, for what they leave open, the environment. @param why filled with what is wrong. */
bool config_read(struct config *config, int argc, char **argv, char *why, size_t why_len);
void config_free(struct config *config);
extern const char config_usage[];

#endif
