/* ctx.h - the composition root: what a context holds. Modules see it through their own public functions only. */
#ifndef NXV_CTX_H
#define NXV_CTX_H

#include <pthread.h>

#include "base/env.h"
#include "config/config.h"
#include "store/db.h"

struct engine;
struct engine_thread;
struct rate;
struct secrets;
struct sip_setup;
struct usage_log;

struct nxv_ctx {
	struct env env;
	char *state_dir;
	struct config *cfg;
	struct db *db;             /**< nexusvoip.db */
	struct db *auth;           /**< sip/auth.db, the SIP server's subscriber table */
	struct secrets *secrets;   /**< sealed in db; read when they are needed */
	struct sip_setup *sip;     /**< resolved settings of the SIP server */
	struct rate *rate;         /**< requests a minute, per key */
	struct usage_log *usage;
	pthread_mutex_t lock;      /**< guards engine and thread */
	struct engine *engine;     /**< of this context; NULL when none */
	struct engine_thread *thread; /**< made by nxv_start(); NULL when none */
};

#endif
