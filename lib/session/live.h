/* live.h - inside of the live calls: the table of them, and one step of one call. */
#ifndef NXV_SESSION_LIVE_H
#define NXV_SESSION_LIVE_H

#include "session/alive.h"
#include "session/calls.h"

enum { CALLS_BUCKETS = 1024, CALL_PENDING_MAX = 16, CALL_RETRY_MS = 250, ALIVE_MS = 100, CLOCK_JUMP_MS = 10000 };

/** An event that is not in the store yet. */
struct pending_event {
	enum call_event event;
	int64_t at_ms;
};

struct call {
	struct call *next;         /**< in its bucket, by session id */
	struct call *next_by_sip;  /**< in its bucket, by SIP Call-ID */
	struct calls *calls;
	struct session_row *row;
	struct carrier *carrier;   /**< while it holds legs of this call; else NULL */
	unsigned held;             /**< calls into a carrier under way: it may report back at once, so do not remove */
	struct loop_timer *max_timer;
	int64_t changed_at_ms;     /**< when it last took a step */
	struct pending_event pending[CALL_PENDING_MAX];
	size_t pending_count;
	char *caller_contact;      /**< which of the caller's phones answered; for the event */
	bool unstored;             /**< its row is not in the store as it is here, though no event waits */
	bool unsaved;              /**< what its carrier would save has changed since */
	uint64_t saved, saving;    /**< digest of the carrier's state in the store; of what is being put there */
	bool renew_lease;          /**< it waited in a line: its slot's lease counts from now */
	bool away;                 /**< its remote carrier cannot be had for now: it waits to be taken up */
	enum call_event wish;      /**< what ends it once its remote carrier has ended it; EV_PLACED: nothing was asked for */
	bool missing;              /**< in no list the last time */
	int64_t left_at_ms[2];     /**< leg a's, b's phone hung up then, unheard; 0: not that we know */
	int64_t waits_since_ms;    /**< a phone hung up then, and the SIP server may know that it did so before; 0: none did */
	int64_t timed_out_at_ms;   /**< the SIP server ended it for its length then, unheard; 0: not that we know */
	bool overdue;              /**< taken up after a restart when it should have ended for its length */
	bool recovered;            /**< taken up after a restart, and not yet seen whole in the SIP server's list */
};

struct calls {
	struct calls_opts opts;
	struct call *by_id[CALLS_BUCKETS];
	struct call *by_sip[CALLS_BUCKETS];
	struct loop_timer *retry;  /**< runs while a call could not be stored */
	struct loop_timer *flush;  /**< runs while a carrier's state is not stored */
	struct alive *alive;
	struct loop_timer *mark;   /**< runs while there are calls */
	int64_t clock_ahead_ms;    /**< the wall clock, of the one that nobody sets; 0: not looked at yet */
	struct loop_timer *away;   /**< runs while a call waits for its carrier */
	int64_t heard_at_ms;       /**< how calls ended that did so before is known */
	bool server_found;         /**< it ran before us */
	int64_t server_lost_at_ms; /**< the SIP server went away then, and its list was not judged since; 0: it did not */
};

/** What came with an event. */
struct call_facts {
	int64_t at_ms;
	int64_t noticed_ms; /**< 0: then, too */
	int sip_code;
	const char *contact;
};

struct call *live_find(struct calls *calls, const char *session_id);
struct call *live_find_sip(struct calls *calls, const char *call_id);
/** Take a row up as a live call; owns the row, also on failure. */
struct call *live_add(struct calls *calls, struct session_row *row);
void live_remove(struct call *call);
/** Apply an event: state table, store, timers, waiters. @return false when it meant nothing in this state. */
bool live_apply(struct call *call, enum call_event event, const struct call_facts *facts);
/** Note the final answer to a leg's INVITE ('a' or 'b'); stored with the step that follows, at once if the call has ended. */
void live_note_final(struct call *call, char leg, int sip_code, const char *reason);
/** Store the row as it is, with what is pending; tried again until it works. */
void live_store(struct call *call);
/** End it: at once, or by order to a remote carrier, which applies the event when the order is carried out. */
void live_end(struct call *call, enum call_event event);
/** End it as it did at_ms, 0: now; the event is of now. @param hang_up: its legs may be up still. */
void live_end_as(struct call *call, enum call_event event, int64_t at_ms, bool hang_up);
/** Give the order to end the legs, whoever holds them. */
void live_hang_up(struct call *call);
/** Remove it once it has ended and nobody holds legs of it any more. */
void live_settle(struct call *call);

/* remote.c: carriers whose legs are elsewhere */
bool live_is_remote(const struct call *call);
/** What only such carriers tell. @return true: it is dealt with. */
bool remote_event(struct call *call, const struct carrier_event *event);
/** Order the end; event is applied when it is carried out. */
void remote_end(struct call *call, enum call_event event);
/** Take it up after a restart, in whatever state. */
void remote_restore(struct call *call);
/** Look whether the carrier of those that wait for it is there; arg: the calls. */
loop_fn remote_look;
/** Keep in the session what went wrong; NULL: nothing any more. @return true if that is a change. */
bool remote_note_error(struct call *call, const struct nxv_error *error);

/* unheard.c: calls that ended while nobody listened */
void unheard_begin(struct calls *calls);
/** End a call by whichever phone left first, or by the SIP server's clock, at that time. @return false: none is known to have. */
bool unheard_left(struct call *call);
/** It is overdue: if nobody tells soon how it ended, it ended when it was to. */
void unheard_overdue(struct call *call);
/** End it if it is overdue. @return false: it is not. */
bool unheard_too_long(struct call *call);
/** A hang-up that a carrier tells of a call taken up after a restart, before the SIP server's list was looked at.
 * @return true: it is kept until then. */
bool unheard_hangup(struct call *call, const struct carrier_event *event);
/** The list did not come: end those that wait for it. */
void unheard_sweep(struct calls *calls);

/* live_state.c: what carriers need to go on after a crash */
/** Store it, or drop it once the call has ended, in the transaction of a step. */
nxv_status live_state_put(struct db_tx *tx, struct call *call, struct nxv_error *err);
/** That transaction was committed. */
void live_state_stored(struct call *call);
/** The carrier would save something else now. */
void live_state_changed(struct call *call, bool at_once);
/** Hand what is stored back to the carrier, so that it holds the legs again. */
void live_state_restore(struct call *call);
loop_fn live_state_flush;

#endif
