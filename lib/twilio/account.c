/* account.c - the configured account at Twilio, for the engine and for whoever asks Twilio beside it. */
#include "twilio/account.h"

#include "base/error.h"
#include "base/text.h"
#include "ctx.h"
#include "secrets/secrets.h"

/* An option's text, NULL when it is empty. */
static const char *option(const nxv_ctx *ctx, enum config_key key)
{
	const char *text = config_text(ctx->cfg, key);

	return *text ? text : NULL;
}

nxv_status twilio_account_opts(nxv_ctx *ctx, struct nxv_twilio_opts *opts, char **secret, struct nxv_error *err)
{
	nxv_status status;

	*opts = (struct nxv_twilio_opts)NXV_TWILIO_OPTS_INIT;
	*secret = NULL;
	opts->account_sid = option(ctx, CFG_TWILIO_ACCOUNT_SID);
	if (!opts->account_sid)
		return error_code(err, NXV_E_UNREACHABLE, "twilio_not_configured",
			"no Twilio account is configured: set twilio.account_sid and its secret");
	opts->api_key_sid = option(ctx, CFG_TWILIO_API_KEY_SID);
	opts->edge = option(ctx, CFG_TWILIO_EDGE);
	opts->region = option(ctx, CFG_TWILIO_REGION);
	opts->base_url = option(ctx, CFG_TWILIO_BASE_URL);
	status = secret_get(ctx->secrets, opts->api_key_sid ? SECRET_TWILIO_API_KEY_SECRET : SECRET_TWILIO_AUTH_TOKEN, secret, err);
	*(opts->api_key_sid ? &opts->api_key_secret : &opts->auth_token) = *secret;
	return status;
}

nxv_status twilio_account_open(nxv_ctx *ctx, uint32_t total_timeout_ms, nxv_twilio **out, struct nxv_error *err)
{
	struct nxv_error why = NXV_ERROR_INIT;
	struct nxv_twilio_opts opts;
	char *secret;
	nxv_status status = twilio_account_opts(ctx, &opts, &secret, &why);

	*out = NULL;
	opts.total_timeout_ms = total_timeout_ms;
	if (status == NXV_OK)
		status = nxv_twilio_open(&opts, out, &why);
	text_wipe_free(secret);
	if (status == NXV_OK)
		return NXV_OK;
	if (status != NXV_E_UNREACHABLE)
		env_log(&ctx->env, NXV_LOG_ERROR, "twilio", "Twilio cannot be asked: %s", why.message);
	/* Whoever asks over HTTP shall not see how secrets are kept. */
	return error_code(err, NXV_E_UNREACHABLE, "twilio_not_configured", "%s",
		status == NXV_E_UNREACHABLE || status == NXV_E_NOT_FOUND ?
			why.message :
			"the account at Twilio cannot be used: `nexusctl secrets check` and `nexusctl twilio check` say why");
}
