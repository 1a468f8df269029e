/* webhook.h - telling of webhooks that were refused. */
#ifndef NXV_TWILIO_WEBHOOK_H
#define NXV_TWILIO_WEBHOOK_H

#include <nexusvoip/webhooks.h>

/** Append an event with what was refused since the last one, unless that was within the last minute. Any thread. */
void webhook_tell_refused(nxv_ctx *ctx);

#endif
