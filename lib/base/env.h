/* env.h - what the context injects into every module: clock, randomness and log. */
#ifndef NXV_BASE_ENV_H
#define NXV_BASE_ENV_H

#include <nexusvoip/context.h>

/** Borrowed by every module from the context; outlives them all. */
struct env {
	nxv_clock_fn *clock;
	nxv_random_fn *random;
	nxv_log_fn *log;
	nxv_log_level level;
	void *user;
};

/** Point NULL members at the system's clock and generator. */
void env_defaults(struct env *env);
int64_t env_now_ms(const struct env *env);
/** When this machine was started, by the same clock: what was stored before may have lost its last changes with the power. */
int64_t env_boot_ms(const struct env *env);
/** Fill buf; NXV_E_INTERNAL when there is no randomness to be had. */
nxv_status env_random(const struct env *env, void *buf, size_t len, struct nxv_error *err);
/** Log one line; NULL env is silent. Never pass a secret. */
void env_log(const struct env *env, nxv_log_level level, const char *module, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
