/* thread.h - the thread that nxv_start() makes. */
#ifndef NXV_ENGINE_THREAD_H
#define NXV_ENGINE_THREAD_H

#include <pthread.h>

#include <nexusvoip/context.h>

struct engine_thread {
	nxv_ctx *ctx;
	pthread_t thread;
	pthread_mutex_t lock; /**< guards told and status */
	pthread_cond_t cond;
	bool told;            /**< it runs, or it could not */
	nxv_status status;
	struct nxv_error err;
};

#endif
