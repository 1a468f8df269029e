/* twilio_check.h - is this gateway set up for Twilio? Credentials, clock, public URL and caller IDs, each tried for real. */
#ifndef NEXUSVOIP_TWILIO_CHECK_H
#define NEXUSVOIP_TWILIO_CHECK_H

#include <nexusvoip/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a check came out. */
typedef enum nxv_check_result {
	NXV_CHECK_OK,
	NXV_CHECK_WARNING, /**< works, but not as it should */
	NXV_CHECK_FAILED,  /**< calls, or their callbacks, will not work */
	NXV_CHECK_SKIPPED  /**< could not be tried; the text says why */
} nxv_check_result;

/** One check. */
struct nxv_check {
	const char *name;         /**< "credentials", "clock", "account", "public_url", "caller_ids", "webhook_token"; "sandbox" where it answers in Twilio's place */
	nxv_check_result result;
	struct nxv_error error;   /**< of a failure; else only message is set: what was found */
};
/** All checks, in order. Freed by nxv_twilio_report_free(). */
struct nxv_twilio_report {
	size_t count;
	struct nxv_check items[8];
	int64_t clock_skew_ms;    /**< ours minus Twilio's, to about a second; 0 when unknown */
	bool failed;              /**< at least one did */
};

/**
 * Ask Twilio (a few reads, nothing is changed or billed) and the gateway's own public URL. Takes seconds when peers are silent.
 * @param out [owned]; NULL on failure. NXV_OK means that the checks were made, not that all is well.
 * Errors: NXV_E_UNREACHABLE "twilio_not_configured". Thread safety: any thread but the engine's.
 */
NXV_API nxv_status nxv_twilio_check(nxv_ctx *ctx, struct nxv_twilio_report **out, struct nxv_error *err);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_twilio_report_free(struct nxv_twilio_report *report);
/** "ok", "warning", "failed", "skipped". @return [borrowed] static. Thread safety: any thread. */
NXV_API const char *nxv_check_result_name(nxv_check_result result);

#ifdef __cplusplus
}
#endif
#endif
