/* ctx.h - the composition root: what a context holds. Modules see it through their own public functions only. */
#ifndef NXV_CTX_H
#define NXV_CTX_H

#include <pthread.h>

#include <nexusvoip/webhooks.h>

#include "base/env.h"
#include "config/config.h"
#include "store/db.h"

struct engine;
struct engine_thread;
struct rate;
struct secrets;
struct sip_setup;
struct usage_log;

/** Webhooks by verdict; told: how many of them the last event included. */
struct webhook_tally {
	uint64_t counts[NXV_WEBHOOK_VERDICTS], told[NXV_WEBHOOK_VERDICTS];
	int64_t told_at_ms;
	int64_t handed_second; /**< refused ones told to the engine within this second: */
	unsigned handed;
};

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
	pthread_mutex_t lock;      /**< guards engine, thread and webhooks */
	struct engine *engine;     /**< of this context; NULL when none */
	struct engine_thread *thread; /**< made by nxv_start(); NULL when none */
	struct webhook_tally webhooks;
};

#endif
