/* app.h - what every command sees: the parsed command line, the open context, and the exit statuses that scripts
 * rely on. */
#ifndef NEXUSCTL_APP_H
#define NEXUSCTL_APP_H

#include <nexusvoip/nexusvoip.h>

/** Exit statuses: a fixed interface. */
enum {
	RC_DONE = 0,
	RC_FAILED = 1,
	RC_USAGE = 2,       /**< wrong use: command, option or value */
	RC_NOT_FOUND = 3,
	RC_REFUSED = 4,     /**< denied, limit, conflict, uncallable */
	RC_UNREACHABLE = 5, /**< not running, not answering, timed out */
};

enum { OPTS_MAX = 12, SETS_MAX = 32 };

struct app;

/** An option of a command. The last row of a list has no name. */
struct opt {
	const char *name; /**< without the dashes */
	const char *arg;  /**< what its value is called; NULL: a flag */
	bool required;
	const char *help;
};

enum {
	CMD_NO_STATE = 1, /**< opens no state folder */
	CMD_CREATE = 2,   /**< makes the state folder */
	CMD_HIDDEN = 4,   /**< not in the help */
	CMD_ANY_ARGS = 8, /**< takes whatever follows, unparsed */
	CMD_ENGINE = 16,  /**< may be the engine for a while, and leaves the SIP server running when it stops */
	CMD_TWILIO = 64,  /**< asks Twilio, or what stands in for it */
	CMD_SECRET = 32   /**< an argument too many may be a secret: it is not repeated */
};

/** A command: one row of the table in commands.c. */
struct command {
	const char *noun;
	const char *verb;    /**< NULL: the noun is the whole command */
	const char *operand; /**< "ID", "[ID]" when it may be left out, or NULL */
	const struct opt *opts;
	unsigned flags;
	int (*run)(struct app *app);
	const char *summary;
};

/** One run of nexusctl. */
struct app {
	const struct command *cmd;
	const char *values[OPTS_MAX];    /**< by position in cmd->opts; NULL: not given; flags: "" */
	const char *operand;             /**< NULL: not given */
	char **rest;                     /**< arguments of a CMD_ANY_ARGS command */
	const char *state_dir;
	char state_default[4096];
	const char *config_file;
	const char *sets[SETS_MAX];
	size_t set_count;
	bool json, json_asked, verbose, help;
	const char *const *env;
	nxv_ctx *ctx;
	char *sandbox_text;       /**< see sandbox.h */
	const char **sandbox_env;
};

/** Open the context of the state folder. Errors: as nxv_open(). */
nxv_status app_open(struct app *app, bool create, struct nxv_error *err);
/** Milliseconds since 1970 UTC. */
int64_t app_now_ms(void);
/** Interrupted by SIGINT or SIGTERM, once app_catch_signals() was called: how many times. */
int app_interrupted(void);
void app_catch_signals(void);

#endif
