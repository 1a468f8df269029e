/* calls.h - the live calls of the engine: feeds what carriers and SIP servers tell into the state table, and stores the
 * outcome with its event and slot in one transaction. Engine thread only. */
#ifndef NXV_SESSION_CALLS_H
#define NXV_SESSION_CALLS_H

#include "base/env.h"
#include "config/config.h"
#include "session/carrier.h"
#include "session/session_row.h"
#include "sip/ask.h"

struct calls;
struct trace_log;

/** What the phones registered for a set of usernames do: bits CARRIER_MEDIA_*, 0 when there is none; and the first username
 * found registered, "" if none. Status other than NXV_OK: nobody could be asked. */
typedef void calls_registered_fn(void *arg, nxv_status status, unsigned media, const char *username);

/** What the calls need of their surroundings; the engine provides it. */
struct calls_ports {
	void *arg;
	/** The carrier by its stored name ("sip", "twilio"); NULL when it is not there. */
	struct carrier *(*carrier)(void *arg, const char *name);
	/** Ask who is registered. usernames: separated by a space. fn is called once, now or later. */
	void (*registered)(void *arg, const char *usernames, calls_registered_fn *fn, void *fn_arg);
	/** End a dialog by Call-ID through the SIP server's control channel. */
	void (*end_dialog)(void *arg, const char *call_id);
	/** A session changed; called after the commit. */
	void (*changed)(void *arg, const struct session_row *row);
};

struct calls_opts {
	const struct env *env;
	struct loop *loop;
	struct db *db;
	struct calls_ports ports;
	int64_t ring_ms;     /**< per party */
	int64_t max_seconds; /**< per call */
	int64_t call_limit;  /**< per user */
	struct trace_log *trace; /**< [borrowed] nullable: where control messages are noted */
	const char *domain;  /**< [borrowed] of the SIP usernames */
	const char *alive_path; /**< see session/alive.h */
	const struct config *cfg; /**< [borrowed] the rules of telephone calls; needed by calls_answer() */
	const char *leg_key;      /**< [borrowed] of the tokens of legs that come back, see base/leg_token.h; nullable */
};

/** A call that the SIP server reports, in the driver's words (see struct sip_event). */
struct calls_report {
	enum { REPORT_CALL, REPORT_RINGING, REPORT_ANSWERED, REPORT_FAILED, REPORT_ENDED } kind;
	const char *call_id, *session, *leg, *owner, *from_user, *to_user, *who, *contact, *reason;
	int code;
	int64_t at_ms;
	int64_t noticed_ms; /**< when we learnt of it; 0: then */
};
/** A dialog in the SIP server's list, for reconciliation. */
struct calls_dialog {
	const char *call_id, *session, *leg, *owner, *from_user, *to_user;
	bool confirmed;
	int64_t started_at_ms; /**< its answer */
	int64_t invited_at_ms, ringing_at_ms; /**< 0: unknown */
};

/** A call that the SIP server remembers, with how it ended. */
struct calls_ending {
	struct calls_report report; /**< REPORT_FAILED or REPORT_ENDED */
	int64_t invited_at_ms, ringing_at_ms, answered_at_ms; /**< 0: unknown; it never did, was */
};

nxv_status calls_open(const struct calls_opts *opts, struct calls **out, struct nxv_error *err);
/** Store what carriers need to take their calls up again, before they are closed. NULL is allowed. */
void calls_flush(struct calls *calls);
/** Forget all; the calls themselves go on. NULL is allowed. */
void calls_close(struct calls *calls);
/** Take up what the database holds as not ended: calls of an engine that died. Those that were up go on, by their carrier
 * where it finds its way back in; slots are counted anew; the event "gateway.recovered" marks what may have been missed. */
nxv_status calls_recover(struct calls *calls, struct nxv_error *err);

/** End calls that were stored CALL_FORGOTTEN_MS ago and never handed over: the program that stored them was killed
 * before it could, or nothing could be read when they came. Look from time to time. */
void calls_sweep(struct calls *calls);
enum { CALL_FORGOTTEN_MS = 10000 };

/** Place a stored, queued session. */
nxv_status calls_place(struct calls *calls, const char *id, struct nxv_error *err);
/** End it in whatever state; ended already is success. Errors: NXV_E_NOT_FOUND. */
nxv_status calls_end(struct calls *calls, const char *id, struct nxv_error *err);
/** End every call: the gateway and its SIP server are being stopped. */
void calls_stop_all(struct calls *calls);
/** Whatever the SIP server tells. Our own calls are ignored while the originator has them. */
void calls_report(struct calls *calls, const struct calls_report *report);
/** The SIP server went away at that time: calls that it no longer lists when it is back were lost then. */
void calls_server_lost(struct calls *calls, int64_t at_ms);
/** It was stopped, or cannot be started again: with it went its calls, of which no list will ever tell. */
void calls_server_gone(struct calls *calls, int64_t at_ms);
/** Let a call that the SIP server asks about through, or refuse it. */
void calls_answer(struct calls *calls, const struct sip_ask *ask, struct sip_answer *out);
/** Whether the SIP server that answers now ran before us; false until told. */
void calls_server_found(struct calls *calls, bool found);
/** A call that moved within this time is not judged by the server's list. */
enum { CALL_SETTLE_MS = 2000 };
/** Compare with the server's list, read at listed_at_ms: what vanished is ended, what we missed is taken up, legs of calls
 * that ended unheard are ended. @return false: some moved too recently to be judged; list again after CALL_SETTLE_MS. */
bool calls_reconcile(struct calls *calls, const struct calls_dialog *dialogs, size_t count, int64_t listed_at_ms);
/** Take in how a call ended, in case its report was not heard; to be told the oldest first, and before calls_reconcile() with
 * a list of asked_at_ms. One that a phone dialled and that nobody here knows is put on record as a whole.
 * @return false: it ended so recently that its own report may be on its way, or could not be stored; ask again after CALL_SETTLE_MS. */
bool calls_ended_unheard(struct calls *calls, const struct calls_ending *ending, int64_t asked_at_ms);
/** From when on calls may have ended unheard. */
int64_t calls_heard_since(const struct calls *calls);
/** All were told, and are stored, that ended before then. */
void calls_heard(struct calls *calls, int64_t at_ms);
/** True while there are calls of which nobody but the SIP server tells: should a report be lost, only its list can. */
bool calls_need_list(const struct calls *calls);
/** Carrier events come in here; arg is the struct calls. */
carrier_sink_fn calls_carrier_event;
/** Live calls (ended ones whose legs still close down are not counted). */
size_t calls_count(const struct calls *calls);

#endif
