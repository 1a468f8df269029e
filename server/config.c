/* config.c - the command line of nexusd. */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char config_usage[] =
	"usage: nexusd [--config FILE] [--listen HOST:PORT] [--state DIR] [--set KEY=VALUE]... [--sandbox]\n"
	"\n"
	"  --config FILE       configuration file (default: nexusvoip.conf in the state folder, if it is there)\n"
	"  --listen HOST:PORT  serve HTTP here; port 0 takes a free one (same as --set http.listen=HOST:PORT)\n"
	"  --state DIR         state folder (default: $NEXUSVOIP_STATE, else $STATE_DIRECTORY,\n"
	"                      else /var/lib/nexusvoip for root and ~/.local/state/nexusvoip for others)\n"
	"  --set KEY=VALUE     any configuration option, stronger than file and environment\n"
	"  --sandbox           let nexus-sandbox stand in for Twilio: no real call can be made\n"
	"  --routes            print the table of routes and exit\n"
	"  --version, --help\n"
	"\n"
	"Make the first key with: nexusctl --state DIR init\n";

enum { OPT_CONFIG = 1, OPT_LISTEN, OPT_STATE, OPT_SET, OPT_SANDBOX, OPT_ROUTES, OPT_VERSION, OPT_HELP };

static const struct option options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "set", required_argument, NULL, OPT_SET },
	{ "sandbox", no_argument, NULL, OPT_SANDBOX },
	{ "routes", no_argument, NULL, OPT_ROUTES },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static char *join(const char *first, const char *second)
{
	size_t len = strlen(first) + strlen(second) + 1;
	char *both = malloc(len);

	if (both)
		snprintf(both, len, "%s%s", first, second);
	return both;
}

static bool default_state(struct config *config)
{
	const char *base = getenv("NEXUSVOIP_STATE");

	if (!base || !*base)
		base = getenv("STATE_DIRECTORY");
	if ((!base || !*base) && geteuid() == 0)
		base = "/var/lib/nexusvoip";
	if (base && *base) {
		config->state_dir = base;
		return true;
	}
	base = getenv("XDG_STATE_HOME");
	if (base && *base)
		config->state_made = join(base, "/nexusvoip");
	else if ((base = getenv("HOME")) && *base)
		config->state_made = join(base, "/.local/state/nexusvoip");
	config->state_dir = config->state_made;
	return config->state_dir != NULL;
}

static bool take(struct config *config, int option, size_t *sets)
{
	switch (option) {
	case OPT_CONFIG:
		config->config_file = optarg;
		return true;
	case OPT_STATE:
		config->state_dir = optarg;
		return true;
	case OPT_SET:
		config->set[(*sets)++] = optarg;
		return true;
	case OPT_SANDBOX:
		return config->sandbox = true;
	case OPT_ROUTES:
		return config->routes = true;
	case OPT_VERSION:
		return config->version = true;
	case OPT_HELP:
		return config->help = true;
	case OPT_LISTEN:
		free(config->listen);
		config->listen = join("http.listen=", optarg);
		return config->listen != NULL;
	default:
		return false;
	}
}

bool config_read(struct config *config, int argc, char **argv, char *why, size_t why_len)
{
	size_t sets = 0;
	int option;

	*config = (struct config){ 0 };
	config->set = calloc((size_t)argc + 2, sizeof(*config->set));
	if (!config->set) {
		snprintf(why, why_len, "out of memory");
		return false;
	}
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!take(config, option, &sets)) {
			snprintf(why, why_len, "'%s' is not known or lacks its value", argv[optind - 1]);
			return false;
		}
	if (optind < argc) {
		snprintf(why, why_len, "'%s' is not expected", argv[optind]);
		return false;
	}
	if (config->listen)
		config->set[sets++] = config->listen;
	if (!config->state_dir && !default_state(config)) {
		snprintf(why, why_len, "no state folder is known: give --state DIR");
		return false;
	}
	return true;
}

void config_free(struct config *config)
{
	free(config->set);
	free(config->listen);
	free(config->state_made);
}
