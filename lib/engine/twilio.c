/* twilio.c - the engine's carrier at Twilio: opened when an account is configured, and again when a secret it lacked is there. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/leg_token.h"
#include "base/text.h"
#include "engine/inside.h"
#include "policy/policy.h"
#include "store/setting.h"
#include "twilio/account.h"
#include "twilio/carrier.h"

/* An option's text, NULL when it is empty. */
static const char *option(const struct engine *engine, enum config_key key)
{
	const char *text = config_text(engine->ctx->cfg, key);

	return *text ? text : NULL;
}

/* Calls that wait in line may have been stopped meanwhile. */
static nxv_status may_create(void *arg, struct nxv_error *err)
{
	const struct engine *engine = arg;
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(engine->ctx->db, DB_READ, &tx, err);

	if (status == NXV_OK)
		status = policy_check_frozen(tx, err);
	db_rollback(tx);
	return status;
}

static nxv_status open_carrier(struct engine *engine, const struct nxv_twilio_opts *account, struct nxv_error *err)
{
	const struct config *cfg = engine->ctx->cfg;
	const char *domain = option(engine, CFG_TWILIO_SIP_DOMAIN);
	char key[LEG_KEY_TEXT + 1], *url = text_dup(config_text(cfg, CFG_HTTP_PUBLIC_URL));
	struct twilio_carrier_opts opts = { .env = &engine->ctx->env, .loop = engine->loop, .db = engine->ctx->db, .account = account,
		.public_url = url, .sip_domain = domain ? domain : config_text(cfg, CFG_SIP_DOMAIN), .leg_key = key,
		.creates_per_second = config_int(cfg, CFG_TWILIO_CREATES_PER_SECOND),
		.ring_seconds = config_int(cfg, CFG_CALLS_RING_SECONDS), .max_seconds = config_int(cfg, CFG_LIMITS_MAX_CALL_SECONDS),
		.trace = engine->trace,
		.secrets = engine->ctx->secrets, .may_create = may_create, .may_create_arg = engine,
		.sink = calls_carrier_event, .sink_arg = engine->calls };
	nxv_status status = url ? setting_leg_key(engine->ctx->db, &engine->ctx->env, key, sizeof(key), err) : error_nomem(err);

	for (size_t len = url ? strlen(url) : 0; len && url[len - 1] == '/'; len--)
		url[len - 1] = '\0';
	if (status == NXV_OK)
		status = twilio_carrier_open(&opts, &engine->twilio, err);
	explicit_bzero(key, sizeof(key));
	free(url);
	return status;
}

static nxv_status open_account(struct engine *engine, struct nxv_error *err)
{
	struct nxv_twilio_opts account;
	char *secret;
	nxv_status status = twilio_account_opts(engine->ctx, &account, &secret, err);

	if (status == NXV_OK)
		status = open_carrier(engine, &account, err);
	text_wipe_free(secret);
	return status;
}

struct carrier *engine_twilio(struct engine *engine)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (engine->twilio || !option(engine, CFG_TWILIO_ACCOUNT_SID))
		return engine->twilio;
	if (open_account(engine, &err) == NXV_OK)
		err.code[0] = '\0';
	else if (strcmp(engine->twilio_fault, err.code) != 0)
		env_log(&engine->ctx->env, NXV_LOG_ERROR, "twilio", "calls over Twilio are not possible: %s", err.message);
	text_copy(engine->twilio_fault, sizeof(engine->twilio_fault), err.code);
	return engine->twilio;
}

void engine_twilio_callback(struct engine *engine, struct request *req)
{
	const struct twilio_note note = { .session_id = req->args[1], .refused = strcmp(req->args[2], "refused") == 0,
		.summary = req->args[3], .detail = req->args[4] };

	if (engine_twilio(engine))
		twilio_carrier_callback(engine->twilio, &note);
	request_answer(req, NXV_OK, NULL, NULL);
}
