/* sandbox.c - the sandbox as a whole: opens its parts, keeps its clock and chance, hands requests to the API or to the
 * controls. */
#include "sandbox.h"

#include "api.h"
#include "base/env.h"
#include "base/text.h"
#include "callbacks.h"
#include "control.h"
#include "faults.h"
#include "jobs.h"
#include "life.h"
#include "sip_ua.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool open_parts(struct sandbox *sandbox, char *why, size_t why_len)
{
	struct nxv_error err = NXV_ERROR_INIT;

	sandbox->faults = faults_new();
	sandbox->callbacks = sandbox->faults ? callbacks_open(sandbox, &err) : NULL;
	if (!sandbox->callbacks) {
		snprintf(why, why_len, "%s", *err.message ? err.message : "out of memory");
		return false;
	}
	if (sandbox->opts.sip_proxy) {
		sandbox->sip = sip_ua_open(sandbox, sandbox->opts.sip_listen, sandbox->opts.sip_proxy, why, why_len);
		if (!sandbox->sip)
			return false;
	}
	sandbox->jobs = jobs_open(sandbox->loop, sandbox->opts.listen, sandbox_serve, sandbox, why, why_len);
	if (!sandbox->jobs)
		return false;
	if (!jobs_is_loopback(sandbox->jobs)) {
		snprintf(why, why_len, "%s is not a loopback address: the sandbox serves this machine only", jobs_address(sandbox->jobs));
		return false;
	}
	text_copy(sandbox->address, sizeof(sandbox->address), jobs_address(sandbox->jobs));
	return true;
}

struct sandbox *sandbox_open(struct loop *loop, const struct sandbox_opts *opts, char *why, size_t why_len)
{
	struct sandbox *sandbox = calloc(1, sizeof(*sandbox));

	if (!sandbox) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	sandbox->opts = *opts;
	sandbox->loop = loop;
	sandbox->chance = opts->seed ? opts->seed : 1;
	if (open_parts(sandbox, why, why_len))
		return sandbox;
	sandbox_close(sandbox);
	return NULL;
}

bool sandbox_hang_up(struct sandbox *sandbox)
{
	bool real = false;

	for (struct call *call = sandbox->newest; call; call = call->older) {
		real = real || (call->leg && !call_ended(call));
		life_end(call, "sandbox");
	}
	return real;
}

void sandbox_close(struct sandbox *sandbox)
{
	if (!sandbox)
		return;
	api_close(sandbox);
	jobs_close(sandbox->jobs);
	callbacks_close(sandbox->callbacks);
	store_clear(sandbox);
	sip_ua_close(sandbox->sip);
	faults_free(sandbox->faults);
	free(sandbox);
}

void sandbox_serve(void *arg, struct job *job)
{
	struct sandbox *sandbox = arg;

	if (strncmp(job->path, "/sandbox/", 9) == 0)
		control_serve(sandbox, job);
	else
		api_serve(sandbox, job);
}

void sandbox_sid(const char *prefix, char out[SID_SIZE])
{
	struct env env = { 0 };
	uint8_t bytes[16] = { 0 };

	env_defaults(&env);
	(void)env_random(&env, bytes, sizeof(bytes), NULL);
	memcpy(out, prefix, 2);
	text_hex(bytes, sizeof(bytes), out + 2);
}

int64_t sandbox_utc_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t sandbox_scaled(const struct sandbox *sandbox, int64_t ms)
{
	double real = ms <= 0 ? 0 : (double)ms / sandbox->opts.speed;

	return ms > 0 && real < 1 ? 1 : (uint64_t)real;
}

int64_t sandbox_elapsed(const struct sandbox *sandbox, int64_t from_ms, int64_t to_ms)
{
	return to_ms <= from_ms ? 0 : (int64_t)((double)(to_ms - from_ms) * sandbox->opts.speed);
}

/* xorshift64*: good enough to lose a callback by. */
bool sandbox_chance(struct sandbox *sandbox, double probability)
{
	uint64_t x = sandbox->chance;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	sandbox->chance = x;
	return (double)((x * UINT64_C(2685821657736338717)) >> 11) / (double)(UINT64_C(1) << 53) < probability;
}
