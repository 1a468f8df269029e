/* twilio_gw.h - a gateway whose Twilio is nexus-sandbox: webhooks reach it, and the sandbox's truth is compared with its own. */
#ifndef TEST_SUPPORT_TWILIO_GW_H
#define TEST_SUPPORT_TWILIO_GW_H

#include "gateway.h"
#include "sandbox.h"

#define TWILIO_FROM "+12025550123"

/** Start the sandbox (speed: of its time) and prepare the gateway; gateway_run() is the caller's.
 * @param settings as in gateway_prepare(), nullable. @param sip_leg true: the sandbox rings the user's phone really. */
bool twilio_gw_prepare(struct gateway *gw, struct sandbox_run *sandbox, const char *server, const char *speed, bool sip_leg, const char *const *settings);
/** POST call/initiate over Twilio. @param more further members, nullable: ",\"ringFirst\":\"callee\"". @return HTTP status. */
int twilio_gw_call(struct gateway *gw, const struct user *user, const char *to, const char *more, struct told *out);
/** The verdict's counter of /metrics. */
int64_t twilio_gw_webhooks(struct gateway *gw, const char *verdict);

#endif
