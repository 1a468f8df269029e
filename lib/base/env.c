/* env.c - the injected clock, randomness and log hook, and their system defaults. */
#include "base/env.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/error.h"

static int64_t system_clock(void *user)
{
	struct timespec ts;

	(void)user;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool system_random(void *user, void *buf, size_t len)
{
	uint8_t *p = buf;

	(void)user;
	while (len) {
		ssize_t n = getrandom(p, len, 0);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return true;
}

int64_t env_boot_ms(const struct env *env)
{
	struct timespec up;

	clock_gettime(CLOCK_BOOTTIME, &up);
	return env_now_ms(env) - (int64_t)up.tv_sec * 1000 - up.tv_nsec / 1000000;
}

void env_defaults(struct env *env)
{
	if (!env->clock)
		env->clock = system_clock;
	if (!env->random)
		env->random = system_random;
}

int64_t env_now_ms(const struct env *env)
{
	return env->clock(env->user);
}

nxv_status env_random(const struct env *env, void *buf, size_t len, struct nxv_error *err)
{
	if (env->random(env->user, buf, len))
		return NXV_OK;
	return error_set(err, NXV_E_INTERNAL, "the random generator gave nothing");
}

void env_log(const struct env *env, nxv_log_level level, const char *module, const char *fmt, ...)
{
	char line[1024];
	va_list args;

	if (!env || !env->log || level > env->level)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < 0x20)
			*p = ' ';
	env->log(env->user, level, module, line);
}
