/* carrier.h - the carrier that has Twilio ring and join the parties. It keeps its intents and what webhooks told in the
 * store, and goes on with them after a crash: no call is placed twice, none is lost. Engine thread only. */
#ifndef NXV_TWILIO_CARRIER_H
#define NXV_TWILIO_CARRIER_H

#include <nexusvoip/twilio.h>

#include "loop/loop.h"
#include "session/carrier.h"
#include "secrets/secrets.h"
#include "store/db.h"

struct trace_log;

struct twilio_carrier_opts {
	const struct env *env;
	struct loop *loop;
	struct db *db;
	const struct nxv_twilio_opts *account;
	struct secrets *secrets;     /**< [borrowed] read before each request, so that a change holds at once; NULL: it stays */
	/** Asked before each create. "calls_frozen" ends the call; any other failure puts it off. Nullable. */
	nxv_status (*may_create)(void *arg, struct nxv_error *err);
	void *may_create_arg;
	const char *public_url;      /**< "": no webhooks, Twilio is polled */
	const char *sip_domain;      /**< where Twilio reaches the SIP server */
	const char *leg_key;         /**< see base/leg_token.h */
	int64_t creates_per_second;
	int64_t ring_seconds, max_seconds;
	struct trace_log *trace;     /**< [borrowed] nullable: where requests and webhooks are noted */
	carrier_sink_fn *sink;
	void *sink_arg;
};
/** Open; closed by its ops. Text is copied. Errors: as nxv_twilio_open(), NXV_E_STORE, NXV_E_NOMEM. */
nxv_status twilio_carrier_open(const struct twilio_carrier_opts *opts, struct carrier **out, struct nxv_error *err);
/** A webhook that came, for the call's timeline. Text is [borrowed]. */
struct twilio_note {
	const char *session_id;
	const char *summary, *detail;
	bool refused;        /**< it changed nothing */
};
/** A webhook of this session is in the store, or was refused. */
void twilio_carrier_callback(struct carrier *carrier, const struct twilio_note *note);

#endif
