/* phone.h - scripted SIP test phones: they register, ring, answer, send tones and remember when they saw what.
 * All phones of a lab live on one thread; every function here may be called from the test's thread. */
#ifndef TEST_SUPPORT_PHONE_H
#define TEST_SUPPORT_PHONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct lab;
struct phone;

struct lab *lab_open(void);
/** Frees its phones too. NULL is allowed. */
void lab_close(struct lab *lab);
/** Keep no message texts (benchmarks). */
void lab_quiet(struct lab *lab);
/** Messages with an X-Nexus-* header that any phone ever received: must be 0. */
unsigned lab_nexus_headers(struct lab *lab);
/** Print every message that the phones saw, for a failed test. */
void lab_dump(struct lab *lab, FILE *out);

struct phone_opts {
	const char *username, *password, *domain;
	const char *server;    /**< "127.0.0.1:5060" */
	const char *algorithm; /**< the only digest to answer with; NULL: the first one offered */
	const char *from_user; /**< claim another user in From; NULL: username */
	double tone_hz;        /**< heard by the other party; 0: no media is sent */
	const char *extra;     /**< header line to add to every INVITE, "Name: value\r\n"; nullable, must outlive the phone */
	bool tcp;
	const char *media_at;  /**< of its descriptions, "IP6 ::1"; NULL: of the server's family */
	const char *address;   /**< of its own; NULL: 127.0.0.1 */
	unsigned port;         /**< UDP; 0: any */
	const char *demands;   /**< realm in which it wants username and password of whoever calls it; nullable */
	int payload;           /**< the one codec it speaks: 0 PCMU, 8 PCMA */
};
struct phone *phone_new(struct lab *lab, const struct phone_opts *opts);
void phone_free(struct phone *phone);

/** REGISTER and wait. @param expires 0 takes the registration back, -1 those of all phones of this username (Contact: *). @return the final SIP status; 0: none came in 8 s. */
int phone_register(struct phone *phone, int expires);
/** The UDP or TCP port it listens on. */
unsigned phone_port(const struct phone *phone);
/** The digest algorithm it last answered with; "" for none. */
const char *phone_algorithm(const struct phone *phone);
/** Send a request outside any call. @return its final status; 0: none in 8 s. */
int phone_request(struct phone *phone, const char *method, const char *uri);
/** Send bytes as they are to the SIP server (UDP); whatever comes back is only logged. */
void phone_send_raw(struct phone *phone, const char *text);
/** A header of the last INVITE that it received, or "" for its request URI's user; "" when there is none.
 * @return [borrowed] until the next call. */
const char *phone_invite_header(struct phone *phone, const char *name);
/** Requests that it received, of any kind. */
unsigned phone_requests(struct phone *phone);
/** Whether the next requests answer challenges. */
void phone_answer_challenges(struct phone *phone, bool answer);

/** What it does when it is called. Applies to the calls that come in afterwards. */
enum phone_manner {
	PHONE_ANSWERS, /**< 180, and 200 after ring_ms */
	PHONE_REFUSES, /**< 180 if ring_ms > 0, and then `code` */
	PHONE_RINGS,   /**< 180, and no more */
	PHONE_CROSSES  /**< 180, and 200 when it is cancelled, as if the two had crossed */
};
struct phone_script {
	enum phone_manner manner;
	int code;    /**< 486, 603 ... */
	int ring_ms;
	int early;   /**< a 183 with its media instead of the 180; 0: 180 */
	bool reliable; /**< that 183 by RFC 3262: it answers no sooner than it is acknowledged */
	bool moves;  /**< its answer names another port than that 183 */
	bool bare;   /**< its answer has no media, the 183 had */
	int talk_ms; /**< hang up so long after the ACK; 0: never */
	unsigned lost_acks; /**< so many ACKs to its answer never arrive */
	const char *session_timer; /**< Session-Expires of its answer, "90;refresher=uas"; it never refreshes. Nullable */
};
void phone_script(struct phone *phone, struct phone_script script);

/** Moments of a call. */
enum phone_moment {
	PHONE_INVITED,  /**< INVITE seen or sent */
	PHONE_RINGING,  /**< 180 sent or seen */
	PHONE_ANSWERED, /**< 200 sent or seen */
	PHONE_ACKED,    /**< ACK seen or sent */
	PHONE_JOINED,   /**< the other party's real address is known: media may flow */
	PHONE_CANCELED, /**< CANCEL seen or sent */
	PHONE_BYE,      /**< BYE seen or sent */
	PHONE_ENDED,    /**< over, whatever the reason */
	PHONE_MOMENTS
};
/** A call as the phone saw it; a copy. */
struct phone_call {
	int number;          /**< counts from 0 on this phone, or since phone_forget() */
	bool incoming;
	bool live;
	bool bye_was_ours;
	bool auto_answer;    /**< Call-Info asked for it */
	char call_id[160];
	char peer[96];       /**< user of the other party's URI */
	int code;            /**< final answer, sent or seen; 0: none */
	unsigned reinvites;  /**< seen */
	int64_t at_us[PHONE_MOMENTS]; /**< UTC; 0: has not happened */
};
/** How many calls there were. */
int phone_calls(struct phone *phone);
/** How many of them are up (answered and not ended). */
int phone_calls_up(struct phone *phone);
bool phone_call(struct phone *phone, int number, struct phone_call *out);
/** Wait for a moment of call `number`, which need not exist yet. @return false when it did not come in time. */
bool phone_wait(struct phone *phone, int number, enum phone_moment moment, int timeout_ms);
/** UTC in ms of a moment; 0 if it has not happened. */
int64_t phone_at_ms(struct phone *phone, int number, enum phone_moment moment);
/** Forget calls that ended, so that the next one is number 0. */
void phone_forget(struct phone *phone);

/** INVITE a user of the domain, or a whole "sip:" URI. @return the call's number, -1 on failure. */
int phone_dial(struct phone *phone, const char *target);
/** Answer a ringing call now; leave a call: CANCEL, refusal or BYE as its state asks for. */
void phone_answer(struct phone *phone, int number);
void phone_hangup(struct phone *phone, int number);
/** From now on it says nothing and hears nothing, as if its plug had been pulled; its port stays bound. */
void phone_vanish(struct phone *phone);
/** re-INVITE with sendonly (hold) or sendrecv. @return the final status; 0: none in 8 s. */
int phone_hold(struct phone *phone, int number, bool hold);

/** A request within a call, as the test wants it. */
struct phone_ask {
	const char *method;
	const char *lines; /**< header lines, each with its end; nullable */
	const char *type;  /**< of the body; NULL: application/sdp */
	const char *body;  /**< nullable: none, in an INVITE either */
	const char *ack;   /**< body of the ACK to a 2xx; nullable */
	int cseq_step;     /**< 0 counts as 1; less than 0 is out of order */
};
/** Send it and wait. @param reply nullable, gets the final answer's text. @return its status; 0: none in 8 s. */
int phone_ask(struct phone *phone, int number, const struct phone_ask *ask, char *reply, size_t size);
/** The text of such a request, which is not sent. */
bool phone_compose(struct phone *phone, int number, const struct phone_ask *ask, char *out, size_t size);
/** How the next `times` requests of this method within calls are answered instead of as usual. */
struct phone_will {
	char method[16];
	int code;          /**< 0: not at all */
	const char *lines, *type, *body; /**< as in phone_ask; must outlive their use */
	unsigned times;
};
void phone_will(struct phone *phone, struct phone_will will);
/** Lose the next `times` messages that begin so ("ACK", "SIP/2.0 200"), sent or received. */
void phone_lose(struct phone *phone, bool sent, const char *start, unsigned times);
/** Send everything twice. */
void phone_double(struct phone *phone, bool twice);
/** The nth message received since phone_forget() that begins so. False: there is none. */
bool phone_seen(struct phone *phone, const char *start, size_t nth, char *out, size_t size);
size_t phone_seen_count(struct phone *phone, const char *start);
/** The address requests within the call go to on the other side: "127.0.0.1:5080". */
bool phone_peer(struct phone *phone, int number, char *out, size_t size);
/** Its RTP port. */
unsigned phone_rtp_port(const struct phone *phone);

/** RTP packets received since the call was answered, and how loud a frequency is in the last second heard:
 * its share of the signal's energy, 0 to 1. */
unsigned phone_heard_packets(struct phone *phone);
double phone_heard(struct phone *phone, double hz);

#endif
