/* context.h - the context (one per state folder and process), its configuration,
 * and the engine that does the background work. */
#ifndef NEXUSVOIP_CONTEXT_H
#define NEXUSVOIP_CONTEXT_H

#include <nexusvoip/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One state folder, opened. Thread-safe; every other handle has one owner at a time. */
typedef struct nxv_ctx nxv_ctx;

/** Weight of a log line, heaviest first. */
typedef enum nxv_log_level { NXV_LOG_ERROR, NXV_LOG_WARN, NXV_LOG_INFO, NXV_LOG_DEBUG } nxv_log_level;

/** Receives log lines, from any thread; text is one line without newline and never holds a secret. */
typedef void nxv_log_fn(void *user, nxv_log_level level, const char *module, const char *text);
/** Returns milliseconds since 1970-01-01 UTC. */
typedef int64_t nxv_clock_fn(void *user);
/** Fills buf with len unpredictable bytes; returns false when it cannot. */
typedef bool nxv_random_fn(void *user, void *buf, size_t len);

/** How to open a context. Zero means default for every member. */
struct nxv_opts {
	size_t size;               /**< sizeof(struct nxv_opts) */
	const char *state_dir;     /**< [borrowed] folder of database, sockets and SIP files; required */
	const char *config_file;   /**< [borrowed] INI file; NULL: <state_dir>/nexusvoip.conf if there */
	const char *const *env;    /**< [borrowed] NAME=VALUE list, NULL-ended (pass environ); NULL: none is read */
	const char *const *set;    /**< [borrowed] KEY=VALUE overrides, NULL-ended, strongest */
	bool create;               /**< make the state folder (mode 0700) when it is missing */
	nxv_log_fn *log;           /**< NULL: silent */
	nxv_log_level log_level;   /**< lightest level passed to log */
	nxv_clock_fn *clock;       /**< NULL: the system's clock */
	nxv_random_fn *random;     /**< NULL: the system's generator */
	void *user;                /**< passed to log, clock and random */
};
#define NXV_OPTS_INIT { .size = sizeof(struct nxv_opts), .log_level = NXV_LOG_INFO }

/**
 * Open a state folder: read the configuration, open the database and bring its
 * schema up to date. Starts no thread.
 * @param opts [borrowed] only for the call.
 * @param out  [owned] by the caller, who ends it with nxv_close(); NULL on failure.
 * Errors: NXV_E_NOT_FOUND "no_state" (there is no such folder), NXV_E_INVALID (configuration: file, line and remedy
 * in the message), NXV_E_STORE (schema newer than this library, or damaged), NXV_E_IO.
 * Thread safety: any thread.
 */
NXV_API nxv_status nxv_open(const struct nxv_opts *opts, nxv_ctx **out, struct nxv_error *err);

/** Stop the engine if nxv_start() started it, and free everything. NULL is allowed.
 * Thread safety: no other call on ctx may be under way. */
NXV_API void nxv_close(nxv_ctx *ctx);

/** The value in force of a configuration key, as text.
 * @return [borrowed] until nxv_close(); NULL for a key that does not exist.
 * Thread safety: any thread. */
NXV_API const char *nxv_config_get(const nxv_ctx *ctx, const char *key);

/** One configuration option, for listing them all. */
struct nxv_config_option {
	const char *key;      /**< "sip.domain" */
	const char *env;      /**< "NEXUSVOIP_SIP_DOMAIN" */
	const char *fallback; /**< default, as text */
	const char *help;     /**< one line */
};
/** The index-th option. @return [borrowed] static; NULL past the end. Thread safety: any thread. */
NXV_API const struct nxv_config_option *nxv_config_option_at(size_t index);

/**
 * Be the engine: run SIP, timers, the SIP server's supervision and the command
 * socket on this thread until nxv_stop(). One engine per state folder.
 * @param ready nullable; called once with ready_user, on this thread, when the engine accepts work.
 * Errors: NXV_E_BUSY when another process or thread is the engine.
 * Thread safety: any thread; once at a time per context.
 */
NXV_API nxv_status nxv_run(nxv_ctx *ctx, void (*ready)(void *ready_user), void *ready_user, struct nxv_error *err);

/** Run the engine on a thread of its own; returns when it accepts work. Errors: as nxv_run().
 * Thread safety: any thread. */
NXV_API nxv_status nxv_start(nxv_ctx *ctx, struct nxv_error *err);

/** Ask the engine of this context to stop. From nxv_start(): waits for its thread. Calls are hung up and the managed
 * SIP server is stopped first; with sip.keep_running, or an external server, both go on. Safe when none runs.
 * Thread safety: any thread, not the engine's. */
NXV_API void nxv_stop(nxv_ctx *ctx);

/** True when some process is the engine of this state folder. Thread safety: any thread. */
NXV_API bool nxv_engine_running(nxv_ctx *ctx);

/**
 * An inbox hands completions of asynchronous calls to a program with its own
 * event loop: poll nxv_inbox_fd() for reading, then take completions until none is left.
 */
typedef struct nxv_inbox nxv_inbox;

/** What an asynchronous call came to. */
struct nxv_completion {
	void *token;            /**< what the caller passed */
	nxv_status status;      /**< outcome */
	struct nxv_error error; /**< details of a failure */
};

/** Open an inbox. @param out [owned] by the caller; NULL on failure. Thread safety: any thread. */
NXV_API nxv_status nxv_inbox_open(nxv_ctx *ctx, nxv_inbox **out, struct nxv_error *err);
/** Close it; completions still under way are dropped. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_inbox_close(nxv_inbox *inbox);
/** The descriptor to poll; readable while a completion waits. Thread safety: the owner. */
NXV_API int nxv_inbox_fd(const nxv_inbox *inbox);
/** Take one completion. @return false when none waits. Thread safety: the owner. */
NXV_API bool nxv_inbox_next(nxv_inbox *inbox, struct nxv_completion *out);

#ifdef __cplusplus
}
#endif
#endif
