/* trace.h - the timeline of one call: HTTP requests, control messages, SIP messages of both legs, what Twilio was asked and told,
 * and events, in order. */
#ifndef NEXUSVOIP_TRACE_H
#define NEXUSVOIP_TRACE_H

#include <nexusvoip/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a message went over, or what kind of thing happened. Values are stored: they never change. */
typedef enum nxv_trace_kind {
	NXV_TRACE_HTTP = 1,    /**< "http": between a client and the gateway */
	NXV_TRACE_CONTROL = 2, /**< "control": orders to the SIP server, its answers and reports */
	NXV_TRACE_SIP = 3,     /**< "sip": between the gateway and the SIP server, on behalf of one leg */
	NXV_TRACE_EVENT = 4,   /**< "event": a step in the call's life (events.h) */
	NXV_TRACE_TWILIO = 5   /**< "twilio": requests to Twilio and its callbacks */
} nxv_trace_kind;

/** One entry. */
struct nxv_trace_entry {
	int64_t at_ms;       /**< ms since 1970 UTC */
	nxv_trace_kind kind;
	char leg;            /**< 'a': the caller's; 'b': the callee's; 0: neither */
	bool sent;           /**< true: by the gateway; false: to it. Of no meaning for events */
	char *summary;       /**< one line: "INVITE sip:bob@example.com", "180 Ringing (INVITE)", "call.ringing", "POST /Calls.json" */
	char *detail;        /**< the whole message without credentials and keys, or the event's details; NULL if none */
};

/** A timeline. Freed by nxv_trace_free(). */
struct nxv_trace {
	char *session_id;
	char *request_id;    /**< of the request that started the call; NULL if none */
	char *from_number, *to_number;
	char *outcome;       /**< status, and the reason once it has ended */
	size_t count;
	struct nxv_trace_entry *items; /**< in order of time; in the order of cause where times are equal */
};

/**
 * The timeline of a call. SIP messages are there for legs that the gateway placed, for calls.trace_days; those of a call
 * that a phone dialled pass between phones and SIP server only, so it has that server's reports. An entry is stored within
 * 0.1 s; that much of it is lost when the process is killed.
 * @param out [owned]. Errors: NXV_E_NOT_FOUND, NXV_E_STORE. Thread safety: any thread.
 */
NXV_API nxv_status nxv_trace_get(nxv_ctx *ctx, const char *session_id, struct nxv_trace **out, struct nxv_error *err);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_trace_free(struct nxv_trace *trace);

/** The word of a kind ("sip"). @return [borrowed] static. Thread safety: any thread. */
NXV_API const char *nxv_trace_kind_name(nxv_trace_kind kind);

/** A ladder diagram of it as an SVG document, UTF-8. @return [owned], free(); NULL when memory ran out. Thread safety: any thread. */
NXV_API char *nxv_trace_ladder(const struct nxv_trace *trace);

#ifdef __cplusplus
}
#endif
#endif
