/* events.h - the durable log of what happened: calls, keys, credentials, the SIP server. */
#ifndef NEXUSVOIP_EVENTS_H
#define NEXUSVOIP_EVENTS_H

#include <nexusvoip/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One event. seq rises by at least 1 with each and never repeats, across restarts too. */
struct nxv_event {
	int64_t seq;
	int64_t at_ms;
	char *type;    /**< "call.ringing", "call.completed", "key.created", "sip.running", ... */
	char *subject; /**< id of what it is about */
	char *user_id; /**< whose it is; NULL if nobody's */
	char *data;    /**< details as key=value pairs separated by a space; may be empty */
};
/** Events in order. Freed by nxv_event_list_free(). */
struct nxv_event_list {
	size_t count;
	struct nxv_event **items;
};
/** Which events to pull. */
struct nxv_event_opts {
	size_t size;
	int64_t after_seq;   /**< only later ones; 0: from the beginning */
	const char *subject; /**< [borrowed] NULL: any */
	const char *user_id; /**< [borrowed] NULL: any */
	unsigned limit;      /**< 1 to 1000; 0: 100 */
};
#define NXV_EVENT_OPTS_INIT { .size = sizeof(struct nxv_event_opts) }

/** Pull events after a sequence number. @param opts nullable. @param out [owned]; may hold none. Thread safety: any thread. */
NXV_API nxv_status nxv_event_pull(nxv_ctx *ctx, const struct nxv_event_opts *opts, struct nxv_event_list **out, struct nxv_error *err);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_event_list_free(struct nxv_event_list *list);

#ifdef __cplusplus
}
#endif
#endif
