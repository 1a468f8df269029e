/* gate.c - the pair of calls around every request: who is it, may it, is it too much, and that it was here.
 * A pass carries what the usage row needs from one to the other. */
#include <nexusvoip/gate.h>
#include <nexusvoip/keys.h>

#include "base/error.h"
#include "base/opts.h"
#include "base/text.h"
#include "config/config.h"
#include "ctx.h"
#include "gate/bearer.h"
#include "keys/token.h"
#include "keys/verify.h"
#include "limits/limits.h"
#include "usage/usage_log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What the usage row will say; pass->internal. */
struct visit {
	int64_t at_ms;
	int64_t entered_us;
	char *method, *route, *request_id, *client_address, *subject;
};

/* Durations want a clock that nobody sets. */
static int64_t monotonic_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void pass_free(struct nxv_pass *pass)
{
	struct visit *visit = pass ? pass->internal : NULL;

	if (visit) {
		free(visit->method);
		free(visit->route);
		free(visit->request_id);
		free(visit->client_address);
		free(visit->subject);
		free(visit);
	}
	if (pass) {
		free(pass->key_id);
		free(pass->user_id);
		free(pass);
	}
}

static bool copy(char **to, const char *from)
{
	*to = text_dup(from);
	return *to || !from;
}

static struct nxv_pass *pass_new(nxv_ctx *ctx, const struct nxv_gate_opts *opts)
{
	struct nxv_pass *pass = calloc(1, sizeof(*pass));
	struct visit *visit = calloc(1, sizeof(*visit));

	if (!pass || !visit) {
		free(pass);
		free(visit);
		return NULL;
	}
	pass->internal = visit;
	visit->entered_us = monotonic_us();
	visit->at_ms = env_now_ms(&ctx->env);
	if (!copy(&visit->method, opts->method) || !copy(&visit->route, opts->route) ||
		!copy(&visit->request_id, opts->request_id) || !copy(&visit->client_address, opts->client_address)) {
		pass_free(pass);
		return NULL;
	}
	return pass;
}

/* A known key goes into the pass even when it is refused, so that its use is recorded. */
static nxv_status check_key(nxv_ctx *ctx, const char *authorization, struct nxv_pass *pass, struct nxv_error *err)
{
	char token[TOKEN_LEN + 1];
	struct nxv_key *key = NULL;
	nxv_status status;

	if (!bearer_token(authorization, token))
		return key_refuse(err);
	status = key_check(&ctx->env, ctx->db, token, &key, err);
	explicit_bzero(token, sizeof(token));
	if (key) {
		pass->key_id = key->id;
		pass->user_id = key->user_id;
		pass->permissions = key->permissions;
		key->id = key->user_id = NULL;
		nxv_key_free(key);
	}
	return status;
}

static nxv_status check_rate(nxv_ctx *ctx, struct nxv_pass *pass, struct nxv_error *err)
{
	uint32_t limit = (uint32_t)config_int(ctx->cfg, CFG_LIMITS_REQUESTS_PER_MINUTE);
	struct rate_verdict verdict;
	nxv_status status = rate_take(ctx->rate, pass->key_id, limit, &verdict, err);

	if (status)
		return status;
	pass->rate_limit = verdict.limit;
	pass->rate_remaining = verdict.remaining;
	pass->rate_reset_ms = verdict.reset_ms;
	if (verdict.allowed)
		return NXV_OK;
	error_code(err, NXV_E_LIMIT, "rate_limited", "this key has used its %u requests a minute; try again in %u s",
		verdict.limit, (verdict.reset_ms + 999) / 1000);
	if (err)
		err->retry_after_ms = verdict.reset_ms;
	return NXV_E_LIMIT;
}

static nxv_status check_permission(const struct nxv_pass *pass, unsigned wanted, struct nxv_error *err)
{
	const char *name = nxv_permission_name(wanted);

	if (!wanted || pass->permissions & wanted)
		return NXV_OK;
	return error_code(err, NXV_E_DENIED, "forbidden", "this key lacks the permission %s; use a key that has it",
		name ? name : "that this request needs");
}

nxv_status nxv_gate_enter(
	nxv_ctx *ctx, const struct nxv_gate_opts *given, struct nxv_pass **out, struct nxv_error *err)
{
	struct nxv_gate_opts opts;
	struct nxv_pass *pass;
	nxv_status status;

	*out = NULL;
	if (!opts_take(&opts, sizeof(opts), given, OPTS_LEAST(struct nxv_gate_opts, client_address)))
		return error_field(err, "opts", "start the options with NXV_GATE_OPTS_INIT");
	pass = pass_new(ctx, &opts);
	if (!pass)
		return error_nomem(err);
	status = check_key(ctx, opts.authorization, pass, err);
	if (!status)
		status = check_rate(ctx, pass, err);
	if (!status)
		status = check_permission(pass, opts.permissions, err);
	pass->verdict = status;
	*out = pass;
	return status;
}

void nxv_gate_about(struct nxv_pass *pass, const char *id)
{
	struct visit *visit = pass ? pass->internal : NULL;

	if (!visit)
		return;
	free(visit->subject);
	visit->subject = text_dup(id);
}

nxv_status nxv_gate_leave(
	nxv_ctx *ctx, struct nxv_pass *pass, int http_status, int64_t bytes, struct nxv_error *err)
{
	nxv_status status = NXV_OK;

	if (!pass)
		return NXV_OK;
	if (pass->key_id) {
		const struct visit *visit = pass->internal;
		struct nxv_usage row = {
			.at_ms = visit->at_ms,
			.request_id = visit->request_id,
			.key_id = pass->key_id,
			.user_id = pass->user_id,
			.method = visit->method,
			.route = visit->route,
			.status = http_status,
			.bytes = bytes,
			.duration_us = monotonic_us() - visit->entered_us,
			.client_address = visit->client_address,
			.subject = visit->subject,
		};

		status = usage_log_write(ctx->usage, &row, err);
	}
	pass_free(pass);
	return status;
}
