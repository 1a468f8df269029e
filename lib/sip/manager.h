/* manager.h - keeps one SIP server running: render, check, probe ports, start, readiness, back-off, adopt, stop.
 * Loop thread only. */
#ifndef NXV_SIP_MANAGER_H
#define NXV_SIP_MANAGER_H

#include <nexusvoip/sip_server.h>

#include "config/config.h"
#include "sip/server.h"
#include "store/db.h"

/** The SIP server's settings, made from configuration and state folder; owns its text. */
struct sip_setup {
	struct sip_settings set;
	const struct sip_driver *driver; /**< NULL: none is installed */
	char program[256];
	bool external;                   /**< sip.mode = external: never start or stop it */
	char *owned[40];
};
/** Resolve driver, paths and ports ("auto" ports of control-like listeners are stored, so that restarts keep them). */
nxv_status sip_setup_load(const struct env *env, const struct config *cfg, const char *state_dir, struct sip_setup **out, struct nxv_error *err);
void sip_setup_free(struct sip_setup *setup);

struct sip_manager;
struct sip_manager_opts {
	const struct env *env;
	struct loop *loop;
	const struct sip_setup *setup;
	struct sip_sink sink;                                     /**< passed to the driver */
	void (*state)(void *arg, nxv_sip_state state, const char *message); /**< on every change; nullable */
	void *state_arg;
};
nxv_status sip_manager_open(const struct sip_manager_opts *opts, struct sip_manager **out, struct nxv_error *err);
/** Close without touching the server (it goes on; a later manager adopts it). NULL is allowed. */
void sip_manager_close(struct sip_manager *mgr);
/** Want it started or stopped. Acts at once; progress comes through state(). Adopts our own running server (pid file + control socket). */
void sip_manager_want(struct sip_manager *mgr, bool started);
nxv_sip_state sip_manager_state(const struct sip_manager *mgr);
/** Why it is not running; "" when it is. */
const char *sip_manager_message(const struct sip_manager *mgr);
int64_t sip_manager_pid(const struct sip_manager *mgr);
/** The open driver, also while not ready. NULL when stopped. */
struct sip_server *sip_manager_server(const struct sip_manager *mgr);

/** Render, run the server's own parser, probe the ports. report says what was found, in a person's words. */
nxv_status sip_check(const struct env *env, const struct sip_setup *setup, struct buf *report, struct nxv_error *err);

#endif
