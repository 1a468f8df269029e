/* sip_health.c - health and registrations as the engine sees them. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "engine/inside.h"
#include "sip/manager_text.h"

/* So long whoever asks is told that the SIP server does not answer, instead of waiting for it one after the other. */
enum { SILENT_MS = 2000 };

struct health_query {
	struct engine *engine;
	struct request *req;
};

static void answer_health(struct engine *engine, struct request *req, const struct sip_status *live)
{
	const struct sip_setup *setup = engine->ctx->sip;
	const bool silent = !live && sip_manager_state(engine->manager) == NXV_SIP_RUNNING;
	const char *message = silent ? "the SIP server runs, but does not answer; it is given up if that lasts" :
				       sip_manager_message(engine->manager);
	const char *twilio_url = config_text(engine->ctx->cfg, CFG_TWILIO_BASE_URL);
	struct buf out = BUF_INIT;
	struct nxv_sip_health health = { .state = silent ? NXV_SIP_UNRESPONSIVE : sip_manager_state(engine->manager),
		.server = (char *)(setup->driver ? setup->driver->name : "none"),
		.version = (char *)(live && live->version[0] ? live->version : NULL),
		.message = (char *)(message && *message ? message : NULL), .pid = sip_manager_pid(engine->manager),
		.uptime_seconds = live ? live->uptime_seconds : 0, .registrations = live ? live->registrations : 0,
		.active_calls = (int64_t)calls_count(engine->calls), .supervised = !setup->external,
		.twilio_url = (char *)(*config_text(engine->ctx->cfg, CFG_TWILIO_ACCOUNT_SID) && *twilio_url ? twilio_url : NULL) };

	sip_health_write(&out, &health);
	request_answer(req, out.failed ? NXV_E_NOMEM : NXV_OK, NULL, out.data);
	buf_free(&out);
}

static void on_status(void *arg, nxv_status status, const struct sip_status *live, const struct nxv_error *err)
{
	struct health_query *query = arg;

	(void)err;
	if (status != NXV_OK)
		query->engine->silent_until_ms = loop_now_ms() + SILENT_MS;
	answer_health(query->engine, query->req, status == NXV_OK ? live : NULL);
	free(query);
}

void engine_sip_health(struct engine *engine, struct request *req)
{
	struct sip_server *server = sip_manager_server(engine->manager);
	struct health_query *query = NULL;

	if (server && sip_manager_state(engine->manager) == NXV_SIP_RUNNING && loop_now_ms() >= engine->silent_until_ms)
		query = malloc(sizeof(*query));
	if (!query) {
		answer_health(engine, req, NULL);
		return;
	}
	*query = (struct health_query){ engine, req };
	server->driver->status(server, on_status, query);
}

static void on_contacts(
	void *arg, nxv_status status, const struct sip_contact *items, size_t count, const struct nxv_error *err)
{
	struct request *req = arg;
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < count; i++)
		sip_contact_write(&out, &items[i]);
	if (status == NXV_OK && out.failed)
		request_answer(req, NXV_E_NOMEM, NULL, NULL);
	else
		request_answer(req, status, err, out.data);
	buf_free(&out);
}

void engine_sip_registrations(struct engine *engine, struct request *req)
{
	struct sip_server *server = sip_manager_server(engine->manager);
	struct nxv_error err = NXV_ERROR_INIT;

	if (loop_now_ms() < engine->silent_until_ms) {
		error_code(&err, NXV_E_UNREACHABLE, "sip_server_silent", "the SIP server does not answer; try again in a moment");
		err.retry_after_ms = SILENT_MS;
		request_answer(req, NXV_E_UNREACHABLE, &err, NULL);
		return;
	}
	if (server && sip_manager_state(engine->manager) == NXV_SIP_RUNNING) {
		server->driver->contacts(server, NULL, on_contacts, req);
		return;
	}
	err = (struct nxv_error){ .status = NXV_E_UNREACHABLE, .code = "sip_server_not_running", .retry_after_ms = 5000 };
	text_copy(err.message, sizeof(err.message), "the SIP server is not running; start it first");
	request_answer(req, NXV_E_UNREACHABLE, &err, NULL);
}
