/* ops.c - the table of operations that the engine answers. */
#include <nexusvoip/sip_server.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/inside.h"
#include "store/setting.h"

static void ping(struct engine *engine, struct request *req)
{
	(void)engine;
	request_answer(req, NXV_OK, NULL, NULL);
}

static void session_place(struct engine *engine, struct request *req)
{
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status = calls_place(engine->calls, req->args[1], &err);

	request_answer(req, status, &err, NULL);
}

static void session_end(struct engine *engine, struct request *req)
{
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status = calls_end(engine->calls, req->args[1], &err);

	request_answer(req, status, &err, NULL);
}

bool engine_session_reached(const struct nxv_session *s, const char *until)
{
	if (nxv_call_status_ended(s->status))
		return true;
	if (strcmp(until, "answered") == 0)
		return s->status == NXV_CALL_IN_PROGRESS;
	return strcmp(until, "ringing") == 0 && (s->status >= NXV_CALL_RINGING || s->twilio_call_sid);
}

static void session_wait(struct engine *engine, struct request *req)
{
	struct nxv_session *session = NULL;
	struct nxv_error err = NXV_ERROR_INIT;
	int64_t timeout_ms;
	nxv_status status = nxv_session_get(engine->ctx, req->args[1], &session, &err);

	if (status != NXV_OK)
		request_answer(req, status, &err, NULL);
	else if (engine_session_reached(session, req->args[2]))
		request_answer(req, NXV_OK, NULL, NULL);
	else if (!text_int(req->args[3], 0, UINT32_MAX, &timeout_ms))
		request_answer(req, error_set(&err, NXV_E_INVALID, "the time to wait is not a number"), &err, NULL);
	else
		waiters_add(engine->waiters, req, req->args[1], req->args[2], (uint64_t)timeout_ms);
	nxv_session_free(session);
}

static void sip_want(struct engine *engine, struct request *req)
{
	const bool start = strcmp(req->args[1], "start") == 0;
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status = setting_write(engine->ctx->db, SETTING_SIP_WANTED, start ? "started" : "stopped", &err);

	if (status == NXV_OK)
		sip_manager_want(engine->manager, start);
	request_answer(req, status, &err, NULL);
}

static void sip_wait(struct engine *engine, struct request *req)
{
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status = NXV_OK;
	int64_t timeout_ms;

	if (engine_sip_reached(engine, "", req->args[1], &status, &err))
		request_answer(req, status, &err, NULL);
	else if (!text_int(req->args[2], 0, UINT32_MAX, &timeout_ms))
		request_answer(req, error_set(&err, NXV_E_INVALID, "the time to wait is not a number"), &err, NULL);
	else
		waiters_add(engine->waiters, req, "sip", req->args[1], (uint64_t)timeout_ms);
}

static const struct operation {
	const char *name;
	size_t args; /**< that must follow the name */
	void (*run)(struct engine *engine, struct request *req);
} operations[] = {
	{ "engine.ping", 0, ping },
	{ "session.place", 1, session_place },
	{ "session.end", 1, session_end },
	{ "session.wait", 3, session_wait },
	{ "twilio.callback", 4, engine_twilio_callback },
	{ "sip.want", 1, sip_want },
	{ "sip.wait", 2, sip_wait },
	{ "sip.health", 0, engine_sip_health },
	{ "sip.registrations", 0, engine_sip_registrations },
	{ "sip.kick", 2, engine_sip_kick },
	{ "credential.gone", 1, engine_credential_gone },
	{ "credential.expires", 0, engine_credential_expires },
};

void engine_dispatch(struct engine *engine, struct request *req)
{
	struct nxv_error err;

	if (engine->closing) {
		error_code(&err, NXV_E_NOT_RUNNING, "engine_not_running", "the engine is stopping");
		request_answer(req, NXV_E_NOT_RUNNING, &err, NULL);
		return;
	}
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (strcmp(operations[i].name, req->args[0]) != 0)
			continue;
		for (size_t arg = 1; arg <= operations[i].args; arg++)
			if (!req->args[arg]) {
				error_set(&err, NXV_E_INVALID, "%s takes %zu arguments", operations[i].name, operations[i].args);
				request_answer(req, NXV_E_INVALID, &err, NULL);
				return;
			}
		operations[i].run(engine, req);
		return;
	}
	error_set(&err, NXV_E_UNSUPPORTED, "the engine knows no operation %.40s; it may be older than this program", req->args[0]);
	request_answer(req, NXV_E_UNSUPPORTED, &err, NULL);
}
