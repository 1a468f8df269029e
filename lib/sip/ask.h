/* ask.h - what the SIP server asks the gateway about a call, and what it is told. */
#ifndef NXV_SIP_ASK_H
#define NXV_SIP_ASK_H

#include <stdint.h>

/** A call that the SIP server lets through only when the gateway says so: dialled to a number, or from outside.
 * It asks by sending the INVITE to the originator's address. Text is [borrowed], never NULL. */
struct sip_ask {
	enum { SIP_ASK_PHONE, SIP_ASK_TRUNK, SIP_ASK_TWILIO } from;
	const char *call_id;
	const char *caller;    /**< user part of From */
	const char *dialled;   /**< user part of the request URI */
	const char *owner;     /**< userId of the phone that dials; "" from outside */
	const char *token;     /**< of Twilio's leg; "" when there is none */
};
enum { SIP_ANSWER_TEXT_MAX = 80, SIP_ANSWER_TARGETS_MAX = 1088 };
/** What it is told: code 0 lets the call through, with these values; else it is refused with code and reason. */
struct sip_answer {
	int code;
	char reason[SIP_ANSWER_TEXT_MAX];
	char number[SIP_ANSWER_TEXT_MAX];     /**< of a dialled call: what the trunk is asked for */
	char caller_id[SIP_ANSWER_TEXT_MAX];  /**< and from whom */
	char owner[SIP_ANSWER_TEXT_MAX];      /**< of a call from outside: whose phones ring, and on whose limit it counts */
	int64_t limit;
	char targets[SIP_ANSWER_TARGETS_MAX]; /**< their SIP usernames, separated by a comma */
	char session[SIP_ANSWER_TEXT_MAX];    /**< that it is a leg of; "" = a call of its own */
	char leg[2];                          /**< which one: "a" or "b" */
};
/** Decide at once; engine thread. */
typedef void sip_ask_fn(void *arg, const struct sip_ask *ask, struct sip_answer *out);

#endif
