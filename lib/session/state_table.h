/* state_table.h - the life of a call as a table: state, event, next state, reason. Pure: no I/O, no clock. */
#ifndef NXV_SESSION_STATE_TABLE_H
#define NXV_SESSION_STATE_TABLE_H

#include <nexusvoip/sessions.h>

#include "session/carrier.h"

enum call_state {
	CALL_QUEUED,      /**< the intent is stored */
	CALL_CALLING,     /**< the caller's phone was sent an INVITE */
	CALL_A_RINGING,
	CALL_CONNECTING,  /**< the caller answered; the callee was sent an INVITE */
	CALL_B_RINGING,
	CALL_UP,          /**< the callee answered */
	CALL_ENDED,
	CALL_STATES
};

/** Everything that can happen to a call. Failures of a leg are sorted by call_classify(). */
enum call_event {
	EV_PLACED,            /**< the carrier took it */
	EV_A_RINGING, EV_A_ANSWERED,
	EV_A_BUSY, EV_A_REJECTED, EV_A_NO_ANSWER, EV_A_NOT_REGISTERED, EV_A_UNREACHABLE, EV_A_HANGUP, EV_A_LOST,
	EV_B_RINGING, EV_B_ANSWERED,
	EV_B_BUSY, EV_B_REJECTED, EV_B_NO_ANSWER, EV_B_NOT_REGISTERED, EV_B_UNREACHABLE, EV_B_HANGUP, EV_B_LOST,
	EV_JOINED,            /**< media flows both ways */
	EV_MEDIA_REFUSED,
	EV_CALL_LIMIT,        /**< the SIP server refused it for the user's limit */
	EV_NOT_ALLOWED,       /**< the rules of telephone calls refused it */
	EV_END,               /**< asked for through the API */
	EV_MAX_DURATION,
	EV_SERVER_LOST,       /**< the SIP server lost the call, or the carrier did */
	EV_GATEWAY_RESTARTED, /**< the gateway died before the call was up, or it ended while there was none */
	EV_GATEWAY_STOPPED,   /**< the gateway was stopped, and the SIP server with it */
	EV_CARRIER_DOWN,      /**< every leg is gone and nothing told why */
	EV_RECOVERED,         /**< taken up by a gateway started anew: something may have been missed */
	EV_HANGUP,            /**< somebody hung up, nobody knows who */
	EV_CANCELED,          /**< ended at the carrier */
	EV_REFUSED, EV_UNREACHABLE, EV_UNKNOWN, /**< not placed, not sent, not known; see the session's error */
	CALL_EVENTS
};

/** What an event does in a state. */
struct call_step {
	enum call_state next;
	nxv_call_status status; /**< the API's status afterwards */
	const char *reason;     /**< set when next is CALL_ENDED; [borrowed] static */
};

/** Look the step up. @return false: the event means nothing in this state and is to be ignored. */
bool call_step(enum call_state state, enum call_event event, struct call_step *out);
/** Sort a leg's final SIP answer. leg: 'a' or 'b'; phrase: its reason phrase, nullable. */
enum call_event call_classify(char leg, int sip_code, const char *phrase);
/** The table's own word ("b-ringing") and back; CALL_STATES if it is none. */
const char *call_state_name(enum call_state state);
enum call_state call_state_parse(const char *name);
const char *call_event_name(enum call_event event);
/** CALL_EVENTS if it is none. */
enum call_event call_event_parse(const char *name);
/** The closed list of end reasons, NULL-ended. */
extern const char *const call_reasons[];

#endif
