/* shutdown.c - how the engine stops: with the SIP server goes the signalling of every call, so they are hung up first.
 * With sip.keep_running, or an external server, calls go on and the next engine takes them up again. */
#include "engine/inside.h"
#include "sip/originator/originator.h"

enum { HANG_UP_MS = 2000, STOP_MS = 8000, STEP_MS = 20 };

static bool leaves_server(const struct engine *engine)
{
	const nxv_sip_state state = sip_manager_state(engine->manager);

	return engine->ctx->sip->external || config_bool(engine->ctx->cfg, CFG_SIP_KEEP_RUNNING) || state == NXV_SIP_STOPPED ||
		state == NXV_SIP_FAILED;
}

static bool calls_are_down(const struct engine *engine)
{
	return calls_count(engine->calls) == 0 && originator_call_count(engine->originator) == 0;
}

static void on_server_late(void *arg)
{
	struct engine *engine = arg;

	env_log(&engine->ctx->env, NXV_LOG_WARN, "engine", "the SIP server did not stop in time");
	loop_stop(engine->loop);
}

/* The wanted state stays stored: the next engine starts the server again. */
static void stop_server(struct engine *engine)
{
	loop_timer_free(engine->stopping);
	engine->stopping = loop_timer_new(engine->loop, on_server_late, engine);
	if (engine->stopping)
		loop_timer_start(engine->stopping, STOP_MS);
	sip_manager_want(engine->manager, false);
}

static void on_step(void *arg)
{
	struct engine *engine = arg;

	if (calls_are_down(engine) || loop_now_ms() >= engine->stop_by_ms)
		stop_server(engine);
	else
		loop_timer_start(engine->stopping, STEP_MS);
}

void engine_shut_down(void *arg)
{
	struct engine *engine = arg;

	if (engine->closing || engine->stopping)
		return; /* asked twice: it is at it */
	if (!leaves_server(engine))
		engine->stopping = loop_timer_new(engine->loop, on_step, engine);
	if (!engine->stopping) {
		loop_stop(engine->loop);
		return;
	}
	calls_stop_all(engine->calls);
	engine->stop_by_ms = loop_now_ms() + HANG_UP_MS;
	loop_timer_start(engine->stopping, calls_are_down(engine) ? 0 : STEP_MS);
}
