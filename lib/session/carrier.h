/* carrier.h - the carrier port: whoever can ring two parties and join them (the SIP originator, Twilio).
 * Everything here runs on the engine's thread. */
#ifndef NXV_SESSION_CARRIER_H
#define NXV_SESSION_CARRIER_H

#include "base/env.h"
#include "loop/loop.h"

/** What a carrier tells of a call, leg A being the user's own phone and leg B the callee. */
enum carrier_event_kind {
	CARRIER_A_RINGING,     /**< a phone of A sent 18x */
	CARRIER_A_ANSWERED,
	CARRIER_A_FAILED,      /**< final answer >= 300, in sip_code */
	CARRIER_A_NO_ANSWER,   /**< our ring timer ran out */
	CARRIER_B_RINGING,
	CARRIER_B_ANSWERED,    /**< contact tells which phone */
	CARRIER_B_FAILED,
	CARRIER_B_NO_ANSWER,
	CARRIER_JOINED,        /**< both have each other's media */
	CARRIER_A_HANGUP,      /**< A sent BYE */
	CARRIER_B_HANGUP,
	CARRIER_MEDIA_REFUSED, /**< the parties share no media: 488 or 606 to an offer */
	CARRIER_A_FINAL,       /**< the final answer to A's INVITE, in sip_code and sip_reason; what it means follows as another event */
	CARRIER_B_FINAL,
	CARRIER_A_LOST,        /**< A's phone vanished without a word (session timer, no ACK), or knows the call no more */
	CARRIER_B_LOST,
	CARRIER_LOST,          /**< nothing is heard of the carrier itself, the SIP server or Twilio */
	CARRIER_HANGUP,        /**< somebody hung up, and the carrier cannot tell who */
	CARRIER_CANCELED,      /**< ended at the carrier, by somebody else than us */
	CARRIER_LIMIT,         /**< it lasted as long as it may */
	CARRIER_TAKEN,         /**< a remote carrier has it, under carrier_id; comes before anything else of the call */
	CARRIER_REFUSED,       /**< it was not placed and will not be: see error */
	CARRIER_UNREACHABLE,   /**< nothing of it could be sent for as long as it was tried: see error */
	CARRIER_UNKNOWN,       /**< it may have been placed, and was looked for in vain: see error */
	CARRIER_NOTICE,        /**< what holds it up: error; NULL: nothing any more */
	CARRIER_CHANGED,       /**< what save() gives is another text now: store it soon */
	CARRIER_PROMISED,      /**< the same, but store it before returning: a phone is about to be told */
	CARRIER_DOWN           /**< every leg is gone; the last event of a call, always sent */
};

struct carrier_event {
	enum carrier_event_kind kind;
	int sip_code;           /**< 0 if none */
	const char *sip_reason; /**< [borrowed] nullable */
	const char *contact;    /**< [borrowed] nullable */
	int64_t at_ms;          /**< when it was seen on the wire */
	const char *carrier_id; /**< [borrowed] nullable */
	const struct nxv_error *error; /**< [borrowed] nullable */
};

/** Receives a call's events, in order. The receiver may call the carrier's end() from inside. */
typedef void carrier_sink_fn(void *sink, const char *session_id, const struct carrier_event *event);

/** The SIP server ends a call so much later than its max_seconds: the gateway is to come first. */
enum { CARRIER_SLACK_SECONDS = 5 };
enum { CARRIER_TARGETS_MAX = 16, CARRIER_STATE_MAX = 320 * 1024 };

/** How phones send sound: plain RTP, or as browsers do (encrypted, with ICE). Nobody translates between the two. */
enum { CARRIER_MEDIA_PLAIN = 1, CARRIER_MEDIA_WEB = 2 };

/** A call to place; all text is [borrowed] for the call of place(). */
struct carrier_call {
	const char *session_id;
	const char *user_id;                       /**< owner: counted on leg A, in the SIP server too */
	const char *from_number;                   /**< caller ID shown to B */
	const char *to_number;                     /**< shown to A */
	const char *a_targets[CARRIER_TARGETS_MAX]; /**< SIP usernames that ring together */
	size_t a_count;
	const char *b_targets[CARRIER_TARGETS_MAX]; /**< SIP usernames, or one PSTN number */
	size_t b_count;
	const char *request_id;                    /**< nullable */
	int64_t ring_timeout_ms;                   /**< per leg */
	int64_t max_seconds;                       /**< handed to the SIP server as the dialog's life time */
	int64_t call_limit;                        /**< of the owner */
	unsigned media;                            /**< bits CARRIER_MEDIA_*, which both parties have; 0: unknown */
	bool auto_answer;
	bool callee_first;                         /**< ring B, then A */
};

struct carrier;
struct carrier_ops {
	const char *name;
	/** Its legs are somebody else's: they are in no list of our SIP server and go on without us. place() then only takes the
	 * order and CARRIER_TAKEN tells more; end() is an order as well, whose outcome CARRIER_DOWN tells when it is certain. */
	bool remote;
	/** Start ringing A. On failure nothing was sent and no event follows. */
	nxv_status (*place)(struct carrier *self, const struct carrier_call *call, struct nxv_error *err);
	/** End it in whatever state: CANCEL, BYE or nothing as it needs. CARRIER_DOWN follows, at once or later.
	 * NXV_E_NOT_FOUND when the carrier knows no such call. */
	nxv_status (*end)(struct carrier *self, const char *session_id, struct nxv_error *err);
	/** What it needs to go on with this call after a crash: a text in its own words, with its version, without
	 * secrets, of at most CARRIER_STATE_MAX bytes. @return [owned] free(); NULL: nothing that could be gone on with. */
	char *(*save)(struct carrier *self, const char *session_id);
	/** Take a call up from such a text. Sends nothing yet; events follow as if it had been there all along.
	 * Errors: NXV_E_INVALID (no such text), NXV_E_CONFLICT (it is no longer at the address the phones know, or has the
	 * call already), NXV_E_NOT_FOUND (remote: nothing of it was ever sent, and it is too old to be sent now).
	 * Remote carriers keep what they need themselves, take calls up in any state, and are given NULL. */
	nxv_status (*restore)(struct carrier *self, const char *session_id, const char *state, struct nxv_error *err);
	void (*close)(struct carrier *self);
};
/** First member of every carrier. */
struct carrier {
	const struct carrier_ops *ops;
};

#endif
