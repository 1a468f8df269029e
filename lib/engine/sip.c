/* sip.c - joins the SIP server's manager, the originator and the live calls; their events meet only here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/inside.h"
#include "events/event_log.h"
#include "sip/control/common.h"
#include "sip/credentials.h"
#include "sip/originator/originator.h"
#include "store/setting.h"
#include "trace/trace_log.h"
#include "twilio/webhook.h"

enum { EXPIRE_BATCH = 32, EXPIRE_IDLE_MS = 60000, SWEEP_MS = 10000, SWEEPS_A_LIST = 6 };

/* --- its state --- */

bool engine_sip_reached(void *arg, const char *subject, const char *until, nxv_status *status, struct nxv_error *err)
{
	const struct engine *engine = arg;
	const nxv_sip_state state = sip_manager_state(engine->manager);

	(void)subject;
	if (strcmp(until, "stopped") == 0)
		return state == NXV_SIP_STOPPED;
	if (state == NXV_SIP_FAILED || state == NXV_SIP_BACKOFF) {
		*status = error_code(err, NXV_E_UNREACHABLE, "sip_server_failed", "the SIP server does not start: %s",
			sip_manager_message(engine->manager));
		err->retry_after_ms = 5000;
		return true;
	}
	return state == NXV_SIP_RUNNING;
}

void engine_sip_check_waiters(struct engine *engine)
{
	waiters_check(engine->waiters, "sip", engine_sip_reached, engine);
}

static nxv_status store_state(nxv_ctx *ctx, const char *state, struct nxv_error *err)
{
	char type[32];
	struct db_tx *tx;
	nxv_status status = db_begin(ctx->db, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	snprintf(type, sizeof(type), "sip.%s", state);
	status = setting_put(tx, SETTING_SIP_STATE, state, err);
	if (status == NXV_OK)
		status = event_append(tx, env_now_ms(&ctx->env), type, "sip", NULL, NULL, NULL, err);
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

/* Stopped, or it died and cannot be started again. One that we cannot start in the first place may be an older one that runs. */
static bool server_is_gone(struct engine *engine, nxv_sip_state state)
{
	const bool died = engine->server_died;

	if (state == NXV_SIP_BACKOFF || state == NXV_SIP_RUNNING)
		engine->server_died = state == NXV_SIP_BACKOFF;
	return !engine->ctx->sip->external && (state == NXV_SIP_STOPPED || (state == NXV_SIP_FAILED && died)) &&
		!sip_manager_pid(engine->manager);
}

static void on_sip_state(void *arg, nxv_sip_state state, const char *message)
{
	struct engine *engine = arg;
	struct nxv_error err = NXV_ERROR_INIT;

	env_log(&engine->ctx->env, state >= NXV_SIP_BACKOFF ? NXV_LOG_WARN : NXV_LOG_INFO, "sip", "SIP server %s%s%s",
		nxv_sip_state_name(state), message && *message ? ": " : "", message ? message : "");
	if (store_state(engine->ctx, nxv_sip_state_name(state), &err) != NXV_OK)
		env_log(&engine->ctx->env, NXV_LOG_ERROR, "sip", "its state cannot be stored: %s", err.message);
	if (state == NXV_SIP_BACKOFF || state == NXV_SIP_FAILED)
		calls_server_lost(engine->calls, env_now_ms(&engine->ctx->env));
	if (!engine->manager || engine->closing)
		return; /* told while it is being opened, or closed: nobody waits */
	if (server_is_gone(engine, state))
		calls_server_gone(engine->calls, env_now_ms(&engine->ctx->env));
	engine_sip_check_waiters(engine);
	if (state == NXV_SIP_STOPPED && engine->stopping)
		loop_stop(engine->loop);
}

/* --- what the live calls need --- */

static struct carrier *port_carrier(void *arg, const char *name)
{
	struct engine *engine = arg;

	if (strcmp(name, "twilio") == 0)
		return engine_twilio(engine);
	return strcmp(name, "sip") == 0 ? engine->originator : NULL;
}

/* What one user's contacts can do, asked name by name until everything has been found. */
struct question {
	struct engine *engine;
	char *names, *rest, *asked;
	char username[128]; /* the first that has any */
	unsigned media;
	calls_registered_fn *fn;
	void *arg;
};

static void ask_next(struct question *q);

static void question_end(struct question *q, nxv_status status)
{
	q->fn(q->arg, status, status == NXV_OK ? q->media : 0, q->username);
	free(q->names);
	free(q);
}

static void on_contacts(
	void *arg, nxv_status status, const struct sip_contact *items, size_t count, const struct nxv_error *err)
{
	struct question *q = arg;

	(void)err;
	if (status == NXV_OK && count && !q->username[0])
		text_copy(q->username, sizeof(q->username), q->asked);
	for (size_t i = 0; status == NXV_OK && i < count; i++)
		q->media |= items[i].web ? CARRIER_MEDIA_WEB : CARRIER_MEDIA_PLAIN;
	if (status != NXV_OK || q->media == (CARRIER_MEDIA_PLAIN | CARRIER_MEDIA_WEB))
		question_end(q, status);
	else
		ask_next(q);
}

static void ask_next(struct question *q)
{
	struct sip_server *server = sip_manager_server(q->engine->manager);
	char *name = strtok_r(NULL, " ", &q->rest);

	q->asked = name;
	if (!name)
		question_end(q, NXV_OK);
	else if (!server || sip_manager_state(q->engine->manager) != NXV_SIP_RUNNING)
		question_end(q, NXV_E_UNREACHABLE);
	else
		server->driver->contacts(server, name, on_contacts, q);
}

static void port_registered(void *arg, const char *usernames, calls_registered_fn *fn, void *fn_arg)
{
	struct question *q = calloc(1, sizeof(*q));

	if (!q || !(q->names = text_dup(usernames))) {
		free(q);
		fn(fn_arg, NXV_E_NOMEM, 0, NULL);
		return;
	}
	q->engine = arg;
	q->rest = q->names;
	q->fn = fn;
	q->arg = fn_arg;
	ask_next(q);
}

static void on_done(void *arg, nxv_status status, const struct nxv_error *err)
{
	struct engine *engine = arg;

	if (status != NXV_OK && status != NXV_E_NOT_FOUND)
		env_log(&engine->ctx->env, NXV_LOG_WARN, "sip", "the SIP server did not obey: %s", err ? err->message : "");
}

static void port_end_dialog(void *arg, const char *call_id)
{
	struct engine *engine = arg;
	struct sip_server *server = sip_manager_server(engine->manager);

	if (server)
		server->driver->end(server, call_id, on_done, engine);
}

static bool session_reached(void *arg, const char *subject, const char *until, nxv_status *status, struct nxv_error *err)
{
	const struct session_row *row = arg;

	(void)subject, (void)status, (void)err;
	return engine_session_reached(&row->pub, until);
}

static void port_changed(void *arg, const struct session_row *row)
{
	struct engine *engine = arg;

	if (!engine->closing) /* closing decides calls too, but their waiters have been answered and are gone */
		waiters_check(engine->waiters, row->pub.id, session_reached, (void *)row);
}

static void on_sweep(void *arg)
{
	struct engine *engine = arg;

	calls_sweep(engine->calls);
	if (++engine->sweeps % SWEEPS_A_LIST == 0 && calls_need_list(engine->calls) && sip_manager_state(engine->manager) == NXV_SIP_RUNNING)
		engine_list_calls(engine);
	webhook_tell_refused(engine->ctx);
	loop_timer_start(engine->sweep, SWEEP_MS);
}

/* --- credentials --- */

void engine_credential_gone(struct engine *engine, struct request *req)
{
	struct sip_server *server = sip_manager_server(engine->manager);

	if (server)
		server->driver->unregister(server, req->args[1], on_done, engine);
	request_answer(req, NXV_OK, NULL, NULL);
}

void engine_credential_expires(struct engine *engine, struct request *req)
{
	engine_expire_credentials(engine);
	request_answer(req, NXV_OK, NULL, NULL);
}

static nxv_status expire_some(nxv_ctx *ctx, char **names, size_t *count, int64_t *next_ms, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(ctx->db, DB_WRITE, &tx, err);

	*count = 0;
	*next_ms = 0;
	if (status != NXV_OK)
		return status;
	status = credentials_expire(tx, env_now_ms(&ctx->env), names, EXPIRE_BATCH, count, next_ms, err);
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

void engine_expire_credentials(void *arg)
{
	struct engine *engine = arg;
	struct sip_server *server = sip_manager_server(engine->manager);
	char *names[EXPIRE_BATCH];
	struct nxv_error err = NXV_ERROR_INIT;
	size_t count;
	int64_t next_ms, wait_ms = EXPIRE_IDLE_MS;

	if (expire_some(engine->ctx, names, &count, &next_ms, &err) != NXV_OK)
		env_log(&engine->ctx->env, NXV_LOG_ERROR, "sip", "credentials cannot be expired: %s", err.message);
	for (size_t i = 0; i < count; i++) {
		subscriber_delete(engine->ctx->auth, names[i], NULL);
		if (server)
			server->driver->unregister(server, names[i], on_done, engine);
		free(names[i]);
	}
	if (next_ms) /* a minute at most, so that credentials made meanwhile by another process are seen */
		wait_ms = next_ms - env_now_ms(&engine->ctx->env);
	if (count == EXPIRE_BATCH || wait_ms < 0)
		wait_ms = 0;
	loop_timer_start(engine->expiry, (uint64_t)(wait_ms < EXPIRE_IDLE_MS ? wait_ms + 1 : EXPIRE_IDLE_MS));
}

/* --- open and close --- */

/* Where the originator reaches the server: a wildcard listener is reached over loopback. */
static void proxy_address(const char *listen, char *out, size_t size)
{
	char host[128];
	uint16_t port = 0;

	text_hostport(listen, host, sizeof(host), &port);
	if (strcmp(host, "0.0.0.0") == 0)
		text_copy(host, sizeof(host), "127.0.0.1");
	else if (strcmp(host, "::") == 0)
		text_copy(host, sizeof(host), "::1");
	snprintf(out, size, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, (unsigned)port);
}

static void on_ask(void *arg, const struct sip_ask *ask, struct sip_answer *out)
{
	struct engine *engine = arg;

	calls_answer(engine->calls, ask, out);
}

static nxv_status open_originator(struct engine *engine, struct nxv_error *err)
{
	const struct sip_setup *setup = engine->ctx->sip;
	char proxy[160], key[33];
	struct originator_opts opts = { .env = &engine->ctx->env, .loop = engine->loop, .proxy = proxy,
		.listen = setup->set.originator, .domain = setup->set.domain, .username = setup->set.service_user,
		.ha1_md5 = setup->service_md5, .ha1_sha256 = setup->service_sha256, .ask = on_ask, .ask_arg = engine, .ask_key = key,
		.trace = engine->trace, .sink = calls_carrier_event, .sink_arg = engine->calls };

	common_ask_key(&setup->set, key);
	proxy_address(setup->set.listen, proxy, sizeof(proxy));
	return originator_open(&opts, &engine->originator, err);
}

static nxv_status open_manager(struct engine *engine, struct nxv_error *err)
{
	struct sip_manager_opts opts = { .env = &engine->ctx->env, .loop = engine->loop, .setup = engine->ctx->sip,
		.sink = { .arg = engine, .event = engine_sip_event, .gap = engine_sip_gap }, .state = on_sip_state, .state_arg = engine };

	return sip_manager_open(&opts, &engine->manager, err);
}

static nxv_status open_calls(struct engine *engine, struct nxv_error *err)
{
	const struct config *cfg = engine->ctx->cfg;
	struct calls_opts opts = { .env = &engine->ctx->env, .loop = engine->loop, .db = engine->ctx->db,
		.ports = { engine, port_carrier, port_registered, port_end_dialog, port_changed },
		.ring_ms = config_int(cfg, CFG_CALLS_RING_SECONDS) * 1000,
		.max_seconds = config_int(cfg, CFG_LIMITS_MAX_CALL_SECONDS),
		.call_limit = config_int(cfg, CFG_LIMITS_CALLS_PER_USER), .trace = engine->trace, .domain = config_text(cfg, CFG_SIP_DOMAIN),
		.cfg = cfg, .leg_key = engine->leg_key };
	nxv_status status = setting_leg_key(engine->ctx->db, &engine->ctx->env, engine->leg_key, sizeof(engine->leg_key), err);
	char *alive = engine_path(engine->ctx, "alive");

	opts.alive_path = alive;
	if (status == NXV_OK)
		status = alive ? calls_open(&opts, &engine->calls, err) : error_nomem(err);
	free(alive);
	return status;
}

nxv_status engine_sip_open(struct engine *engine, struct nxv_error *err)
{
	nxv_ctx *ctx = engine->ctx;
	struct subscriber service;
	char wanted[16] = "";
	nxv_status status;

	sip_setup_service(ctx->sip, &service);
	status = subscriber_sync(ctx->auth, ctx->db, &service, config_int(ctx->cfg, CFG_LIMITS_CALLS_PER_USER), err);
	if (status == NXV_OK)
		status = setting_write(ctx->db, SETTING_SIP_STATE, "stopped", err);
	if (status == NXV_OK)
		status = trace_log_open(&ctx->env, engine->loop, ctx->db, config_int(ctx->cfg, CFG_CALLS_TRACE_DAYS), &engine->trace, err);
	if (status == NXV_OK)
		status = open_calls(engine, err);
	if (status == NXV_OK)
		status = open_originator(engine, err);
	if (status == NXV_OK)
		status = open_manager(engine, err);
	if (status == NXV_OK && !(engine->expiry = loop_timer_new(engine->loop, engine_expire_credentials, engine)))
		status = error_nomem(err);
	if (status == NXV_OK && !(engine->relist = loop_timer_new(engine->loop, engine_list_calls, engine)))
		status = error_nomem(err);
	if (status == NXV_OK && !(engine->sweep = loop_timer_new(engine->loop, on_sweep, engine)))
		status = error_nomem(err);
	if (status == NXV_OK)
		status = calls_recover(engine->calls, err);
	if (status == NXV_OK)
		status = setting_read(ctx->db, SETTING_SIP_WANTED, wanted, sizeof(wanted), err);
	if (status != NXV_OK)
		return status;
	if (strcmp(wanted, "started") == 0 || ctx->sip->external)
		sip_manager_want(engine->manager, true);
	engine_expire_credentials(engine);
	loop_timer_start(engine->sweep, SWEEP_MS);
	return NXV_OK;
}

void engine_sip_close(struct engine *engine)
{
	loop_timer_free(engine->expiry);
	loop_timer_free(engine->relist);
	loop_timer_free(engine->sweep);
	loop_timer_free(engine->stopping);
	engine->stopping = NULL;
	calls_flush(engine->calls);
	if (engine->originator)
		engine->originator->ops->close(engine->originator);
	engine->originator = NULL;
	if (engine->twilio)
		engine->twilio->ops->close(engine->twilio);
	engine->twilio = NULL;
	sip_manager_close(engine->manager);
	calls_close(engine->calls);
	trace_log_close(engine->trace);
	setting_write(engine->ctx->db, SETTING_SIP_STATE, "stopped", NULL);
}
