/* manager.h - keeps one SIP server running: render, check, probe ports, start, readiness, back-off, adopt, stop.
 * Loop thread only. */
#ifndef NXV_SIP_MANAGER_H
#define NXV_SIP_MANAGER_H

#include <nexusvoip/sip_server.h>

#include "config/config.h"
#include "secrets/secrets.h"
#include "sip/server.h"
#include "sip/subscriber.h"

/** The SIP server's settings, made from configuration and state folder; owns its text. */
struct sip_setup {
	struct sip_settings set;
	const struct sip_driver *driver; /**< NULL: none is installed */
	char program[256];
	bool external;                   /**< sip.mode = external: never start or stop it */
	char service_md5[33];            /**< HA1 of the service user, for the originator; secret, stays the same over restarts */
	char service_sha256[65];
	char service_sha512t256[65];
	struct secrets *secrets;         /**< [borrowed] the trunk's password is among them; NULL: there are none */
	char *owned[40];
};
/** Resolve driver, paths and ports. Port 0 becomes a free one that <state>/sip/ports remembers, so that restarts keep it;
 * the nonce secret is kept in <state>/sip/secret. Starts nothing, and succeeds when no server is installed.
 * Errors: NXV_E_INVALID with the option's name in field. */
nxv_status sip_setup_load(const struct env *env, const struct config *cfg, const char *state_dir, struct sip_setup **out, struct nxv_error *err);
void sip_setup_free(struct sip_setup *setup);
/** The service user's row for subscriber_sync(); text is [borrowed] from setup. */
void sip_setup_service(const struct sip_setup *setup, struct subscriber *out);

struct sip_manager;
struct sip_manager_opts {
	const struct env *env;
	struct loop *loop;
	const struct sip_setup *setup;
	struct sip_sink sink;                                     /**< passed to the driver */
	void (*state)(void *arg, nxv_sip_state state, const char *message); /**< on every change; nullable */
	void *state_arg;
	uint32_t ready_ms; /**< patience from start until it answers everywhere; 0: 20 s */
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
/** It ran before us: what it no longer lists has ended, and was not lost. So one that we do not manage is taken. */
bool sip_manager_found(const struct sip_manager *mgr);
/** The open driver, also while not ready. NULL when stopped. */
struct sip_server *sip_manager_server(const struct sip_manager *mgr);

/** Render, run the server's own parser, probe the ports. report says what was found, in a person's words. */
nxv_status sip_check(const struct env *env, const struct sip_setup *setup, struct buf *report, struct nxv_error *err);

#endif
