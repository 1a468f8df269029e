/* sip_public.c - the public face of the SIP server: each call is a request to the engine, or, when none runs, done
 * here and now by manager_alone.c. */
#include <nexusvoip/policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ctx.h"
#include "engine/engine.h"
#include "sip/credentials.h"
#include "sip/manager_alone.h"
#include "sip/manager_inside.h"
#include "sip/manager_text.h"
#include "store/setting.h"

enum { WANT_TIMEOUT_MS = 10000, ASK_TIMEOUT_MS = 5000, WAIT_SLACK_MS = 2000 };

/* What an engine would do at its start is done here: the copy of the credentials may miss what a crash cut off. */
static nxv_status want_alone(nxv_ctx *ctx, bool started, struct nxv_error *err)
{
	struct subscriber service;
	nxv_status status = NXV_OK;

	if (started) {
		sip_setup_service(ctx->sip, &service);
		status = subscriber_sync(ctx->auth, ctx->db, &service, ctx->sip->set.calls_per_user, err);
	}
	return status == NXV_OK ? manager_alone_want(&ctx->env, ctx->sip, started, err) : status;
}

static nxv_status want(nxv_ctx *ctx, bool started, struct nxv_error *err)
{
	const char *args[] = { "sip.want", started ? "start" : "stop", NULL };
	nxv_status status;

	error_clear(err);
	status = setting_write(ctx->db, SETTING_SIP_WANTED, started ? "started" : "stopped", err);
	if (status != NXV_OK)
		return status;
	status = engine_call(ctx, args, WANT_TIMEOUT_MS, NULL, err);
	if (status != NXV_E_NOT_RUNNING)
		return status;
	error_clear(err);
	return want_alone(ctx, started, err);
}

nxv_status nxv_sip_start(nxv_ctx *ctx, struct nxv_error *err)
{
	return want(ctx, true, err);
}

nxv_status nxv_sip_stop(nxv_ctx *ctx, struct nxv_error *err)
{
	return want(ctx, false, err);
}

/* Without an engine nothing changes by waiting: it is so, or it is not. */
static nxv_status wait_alone(nxv_ctx *ctx, bool running, struct nxv_error *err)
{
	struct nxv_sip_health *health;
	nxv_status status = nxv_sip_health_get(ctx, &health, err);

	if (status != NXV_OK)
		return status;
	if ((health->state == NXV_SIP_RUNNING) != running)
		status = error_set(err, NXV_E_NOT_RUNNING, "the SIP server is %s, and no engine runs that would change it",
			nxv_sip_state_name(health->state));
	nxv_sip_health_free(health);
	return status;
}

nxv_status nxv_sip_wait(nxv_ctx *ctx, bool running, uint32_t timeout_ms, struct nxv_error *err)
{
	char limit[16];
	const char *args[] = { "sip.wait", running ? "running" : "stopped", limit, NULL };
	uint32_t patience = timeout_ms > UINT32_MAX - WAIT_SLACK_MS ? UINT32_MAX : timeout_ms + WAIT_SLACK_MS;
	nxv_status status;

	error_clear(err);
	snprintf(limit, sizeof(limit), "%u", timeout_ms);
	status = engine_call(ctx, args, patience, NULL, err);
	if (status != NXV_E_NOT_RUNNING)
		return status;
	error_clear(err);
	return wait_alone(ctx, running, err);
}

nxv_status nxv_sip_wait_async(nxv_inbox *inbox, bool running, uint32_t timeout_ms, void *token, struct nxv_error *err)
{
	char limit[16];
	const char *args[] = { "sip.wait", running ? "running" : "stopped", limit, NULL };

	error_clear(err);
	snprintf(limit, sizeof(limit), "%u", timeout_ms);
	return engine_call_inbox(inbox, args, token, err);
}

static nxv_status health_alone(nxv_ctx *ctx, struct nxv_sip_health **out, struct nxv_error *err)
{
	struct nxv_sip_health *health = calloc(1, sizeof(*health));
	nxv_status status;

	if (!health)
		return error_nomem(err);
	status = manager_alone_health(&ctx->env, ctx->sip, health, err);
	if (status == NXV_OK)
		status = manager_active_calls(ctx->db, &health->active_calls, err);
	if (status != NXV_OK) {
		nxv_sip_health_free(health);
		return status;
	}
	*out = health;
	return NXV_OK;
}

nxv_status nxv_sip_health_get(nxv_ctx *ctx, struct nxv_sip_health **out, struct nxv_error *err)
{
	const char *args[] = { "sip.health", NULL };
	struct nxv_freeze freeze;
	char *text = NULL;
	nxv_status status;

	*out = NULL;
	error_clear(err);
	status = engine_call(ctx, args, ASK_TIMEOUT_MS, &text, err);
	if (status == NXV_OK) {
		status = sip_health_read(text, out, err);
	} else if (status == NXV_E_NOT_RUNNING) {
		error_clear(err);
		status = health_alone(ctx, out, err);
	}
	if (status == NXV_OK && nxv_calls_freeze_get(ctx, &freeze, NULL) == NXV_OK)
		(*out)->calls_frozen = freeze.frozen;
	free(text);
	return status;
}

/* Fill in owners; drop what is not user_id's (NULL: keep all). */
static nxv_status add_owners(nxv_ctx *ctx, const char *user_id, struct nxv_registration_list *list, struct nxv_error *err)
{
	int64_t now_ms = env_now_ms(&ctx->env);
	struct db_tx *tx;
	size_t kept = 0;
	nxv_status status = db_begin(ctx->db, DB_READ, &tx, err);

	if (status != NXV_OK)
		return status;
	for (size_t i = 0; i < list->count; i++) {
		struct nxv_registration *reg = list->items[i];
		if (status == NXV_OK)
			status = credentials_owner(tx, reg->username, now_ms, &reg->user_id, err);
		if (status == NXV_E_NOT_FOUND) { /* a phone of an external server, or a credential that is being revoked */
			status = NXV_OK;
			error_clear(err);
		}
		if (status == NXV_OK && user_id && (!reg->user_id || strcmp(reg->user_id, user_id) != 0)) {
			sip_registration_free(reg);
			continue;
		}
		list->items[kept++] = reg;
	}
	list->count = kept;
	db_rollback(tx);
	return status;
}

nxv_status nxv_sip_registrations(
	nxv_ctx *ctx, const char *user_id, struct nxv_registration_list **out, struct nxv_error *err)
{
	const char *args[] = { "sip.registrations", NULL };
	struct nxv_registration_list *list = NULL;
	struct buf lines = BUF_INIT;
	char *text = NULL;
	nxv_status status;

	*out = NULL;
	error_clear(err);
	status = engine_call(ctx, args, ASK_TIMEOUT_MS, &text, err);
	if (status == NXV_E_NOT_RUNNING) {
		error_clear(err);
		status = manager_alone_contacts(&ctx->env, ctx->sip, &lines, err);
	}
	if (status == NXV_OK)
		status = sip_contacts_read(text ? text : lines.data ? lines.data : "", &list, err);
	if (status == NXV_OK)
		status = add_owners(ctx, user_id, list, err);
	if (status == NXV_OK) {
		*out = list;
		list = NULL;
	}
	nxv_registration_list_free(list);
	buf_free(&lines);
	free(text);
	return status;
}

nxv_status nxv_sip_kick(nxv_ctx *ctx, const char *username, const char *contact, struct nxv_error *err)
{
	const char *args[] = { "sip.kick", username, contact ? contact : "", NULL };

	error_clear(err);
	if (!username || !*username)
		return error_field(err, "username", "is missing");
	return engine_call(ctx, args, ASK_TIMEOUT_MS, NULL, err);
}

nxv_status nxv_sip_render(nxv_ctx *ctx, char **out, struct nxv_error *err)
{
	struct buf text = BUF_INIT;
	char version[64];
	nxv_status status;

	*out = NULL;
	error_clear(err);
	status = manager_need_driver(ctx->sip, err);
	if (status == NXV_OK && ctx->sip->external)
		return error_set(err, NXV_E_UNSUPPORTED, "sip.mode is external: that SIP server is configured by somebody else");
	if (status == NXV_OK)
		status = sip_driver_version(ctx->sip->driver, ctx->sip->program, version, sizeof(version), err);
	if (status == NXV_OK)
		status = ctx->sip->driver->render(&ctx->sip->set, version, true, &text, err);
	if (status == NXV_OK && !(*out = buf_take(&text)))
		status = error_nomem(err);
	buf_free(&text);
	return status;
}

nxv_status nxv_sip_check(nxv_ctx *ctx, char **report, struct nxv_error *err)
{
	struct buf text = BUF_INIT;
	nxv_status status;

	if (report)
		*report = NULL;
	error_clear(err);
	status = sip_check(&ctx->env, ctx->sip, &text, err);
	if (status == NXV_OK && report && !(*report = buf_take(&text)))
		status = error_nomem(err);
	buf_free(&text);
	return status;
}
