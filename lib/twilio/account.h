/* account.h - the account at Twilio that the configuration names: where it is, who we are there, and the secret. */
#ifndef NXV_TWILIO_ACCOUNT_H
#define NXV_TWILIO_ACCOUNT_H

#include <nexusvoip/context.h>
#include <nexusvoip/twilio.h>

/** Fill opts; its text is borrowed from the configuration and from *secret ([owned], text_wipe_free(); NULL on failure).
 * Errors: NXV_E_UNREACHABLE "twilio_not_configured"; as secret_get(). */
nxv_status twilio_account_opts(nxv_ctx *ctx, struct nxv_twilio_opts *opts, char **secret, struct nxv_error *err);
/** A client of its own for blocking calls of any thread. @param total_timeout_ms of each request. Errors:
 * NXV_E_UNREACHABLE "twilio_not_configured", whatever is missing; details go to the log. */
nxv_status twilio_account_open(nxv_ctx *ctx, uint32_t total_timeout_ms, nxv_twilio **out, struct nxv_error *err);

#endif
