/* facts.h - what is known of a call at Twilio, from callbacks, polls and lists in whatever order they come; and what follows
 * from it for the session. Pure: no I/O, no clock. */
#ifndef NXV_TWILIO_FACTS_H
#define NXV_TWILIO_FACTS_H

#include "session/carrier.h"

enum { TWILIO_SID_BYTES = 68 };

/** Twilio's status words in the order of a call's life; from TS_COMPLETED on they are final. */
enum twilio_state { TS_NONE, TS_QUEUED, TS_RINGING, TS_UP, TS_COMPLETED, TS_BUSY, TS_NO_ANSWER, TS_CANCELED, TS_FAILED };
/** TS_NONE for what is no such word. */
enum twilio_state twilio_state_parse(const char *word);
bool twilio_state_ended(enum twilio_state state);

/** One call of Twilio's: the one we created (parent), or the one that it dialled (child). */
struct twilio_leg {
	char sid[TWILIO_SID_BYTES]; /**< "" while unknown */
	enum twilio_state state;
	int64_t sequence;           /**< of the newest callback; -1: none came */
	int64_t ringing_at_ms, up_at_ms, ended_at_ms;
	int64_t duration_seconds;   /**< -1: unknown */
	int sip_code;
	bool end_told;              /**< a callback told the end, not a poll */
};

struct twilio_facts {
	struct twilio_leg parent, child;
	enum twilio_state dial;     /**< what the <Dial> came to; TS_NONE: not told */
	bool dial_left_parent;      /**< when it did, the parent was still up: the child ended first */
	bool no_child;              /**< asked for it, and there is none */
};
#define TWILIO_FACTS_INIT { .parent = { .sequence = -1, .duration_seconds = -1 }, .child = { .sequence = -1, .duration_seconds = -1 } }

/** Something heard of a leg. */
struct twilio_news {
	const char *sid;          /**< [borrowed] */
	enum twilio_state state;
	int64_t sequence;         /**< -1: none */
	int64_t duration_seconds; /**< -1: unknown */
	int sip_code;
	int64_t at_ms;
};
/** Take it in. @return false when it is old, of another call, or no news: final is final, and nothing goes back. */
bool twilio_leg_learn(struct twilio_leg *leg, const struct twilio_news *news);

struct twilio_verdict {
	enum { VERDICT_OPEN, VERDICT_ASK_CHILD, VERDICT_ENDED } kind;
	enum carrier_event_kind event; /**< when it has ended */
	int sip_code;
	int64_t at_ms;
};
/** Has it ended, and how? The parent's own status misleads: the child decides. limit_seconds: of <Dial timeLimit>. */
struct twilio_verdict twilio_facts_judge(const struct twilio_facts *facts, bool callee_first, int64_t limit_seconds);

#endif
