/* nexusvoip.h - the whole library in one include. */
#ifndef NEXUSVOIP_NEXUSVOIP_H
#define NEXUSVOIP_NEXUSVOIP_H

#include <nexusvoip/context.h>
#include <nexusvoip/credentials.h>
#include <nexusvoip/events.h>
#include <nexusvoip/gate.h>
#include <nexusvoip/keys.h>
#include <nexusvoip/numbers.h>
#include <nexusvoip/policy.h>
#include <nexusvoip/recordings.h>
#include <nexusvoip/secrets.h>
#include <nexusvoip/sessions.h>
#include <nexusvoip/sip_server.h>
#include <nexusvoip/trace.h>
#include <nexusvoip/twilio.h>
#include <nexusvoip/twilio_check.h>
#include <nexusvoip/types.h>
#include <nexusvoip/usage.h>
#include <nexusvoip/webhooks.h>
#include <nexusvoip/wire.h>

#endif
