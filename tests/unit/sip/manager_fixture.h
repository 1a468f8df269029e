/* manager_fixture.h - a manager under test: its loop, the states it went through, and waiting for one. */
#ifndef TESTS_SIP_MANAGER_FIXTURE_H
#define TESTS_SIP_MANAGER_FIXTURE_H

#include "state_folder.h"

#include <signal.h>
#include <sys/wait.h>

#include "loop/loop.h"
#include "sip/manager_inside.h"

static struct loop *loop;
static struct sip_setup *sip;
static struct sip_manager *mgr;
static char history[512]; /* states in order, e.g. "starting running " */

static inline void on_state(void *arg, nxv_sip_state state, const char *message)
{
	size_t used = strlen(history);

	(void)arg;
	(void)message;
	snprintf(history + used, sizeof(history) - used, "%s ", nxv_sip_state_name(state));
}

static inline void manager_make(uint32_t ready_ms)
{
	const struct sip_manager_opts opts = { .env = &test_env, .loop = loop, .setup = sip, .state = on_state, .ready_ms = ready_ms };

	history[0] = '\0';
	assert_int_equal(sip_manager_open(&opts, &mgr, NULL), NXV_OK);
}

static bool (*until_fn)(void);
static int64_t until_end;
static struct loop_timer *until_timer;

static inline void until_tick(void *arg)
{
	(void)arg;
	if (until_fn() || loop_now_ms() >= until_end)
		loop_stop(loop);
	else
		loop_timer_start(until_timer, 5);
}

/* Run the loop until fn() is true; fails after ms. */
static inline bool until(bool (*fn)(void), int ms)
{
	until_fn = fn;
	until_end = loop_now_ms() + ms;
	until_timer = loop_timer_new(loop, until_tick, NULL);
	loop_timer_start(until_timer, 1);
	assert_int_equal(loop_run(loop, NULL), NXV_OK);
	loop_timer_free(until_timer);
	return fn();
}

static inline bool is_running(void)
{
	return sip_manager_state(mgr) == NXV_SIP_RUNNING;
}

static inline bool is_failed(void)
{
	return sip_manager_state(mgr) == NXV_SIP_FAILED;
}

static inline bool is_backoff(void)
{
	return sip_manager_state(mgr) == NXV_SIP_BACKOFF;
}

static inline bool is_idle(void)
{
	return mgr->phase == PHASE_IDLE;
}

static inline bool is_stopped(void)
{
	return sip_manager_state(mgr) == NXV_SIP_STOPPED && is_idle();
}

#define UNTIL(what, ms)                                                                                          \
	do {                                                                                                         \
		if (!until(what, ms))                                                                                    \
			fail_msg("not " #what " after " #ms " ms: %s, %s (%s)", nxv_sip_state_name(sip_manager_state(mgr)), \
				sip_manager_message(mgr), history);                                                              \
	} while (0)

static inline bool alive(int64_t pid)
{
	struct process_stat st;

	return process_stat((pid_t)pid, &st) && st.state != 'Z';
}

#endif
