/* callbacks.h - requests from the sandbox to whoever it was told to call: signed, in order per call, repeated when asked
 * for, and disturbed on demand. */
#ifndef NEXUS_SANDBOX_CALLBACKS_H
#define NEXUS_SANDBOX_CALLBACKS_H

#include "events.h"

struct http_result;

/** Counted since the start. */
struct callback_counts {
	uint64_t sent, delivered, refused, failed; /**< attempts; answered 2xx; answered otherwise; not answered */
	uint64_t lost, late, doubled, reordered;   /**< by faults */
};

/** What an answer with TwiML is for; result NULL: no usable answer. */
typedef void callbacks_fn(void *arg, const char *body, size_t len, const char *why);

struct callbacks *callbacks_open(struct sandbox *sandbox, struct nxv_error *err);
/** NULL is allowed. */
void callbacks_close(struct callbacks *callbacks);
/** Send pairs to a target. event is a word for faults and log. With fn, the body of a 2xx answer goes to it, and no fault
 * applies. */
void callbacks_send(struct call *call, const struct target *target, const char *event, const struct pairs *pairs,
	callbacks_fn *fn, void *arg);
/** No answer is wanted any more by this arg. */
void callbacks_forget(struct callbacks *callbacks, const void *arg);
const struct callback_counts *callbacks_counts(const struct callbacks *callbacks);

#endif
