/* capture.h - the SIP messages that pass some ports of the loopback interface, as the kernel saw them: what a test holds
 * the phones' and the gateway's words against. */
#ifndef TEST_SUPPORT_CAPTURE_H
#define TEST_SUPPORT_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct capture;

/** A SIP message over UDP or TCP, IPv4 or IPv6. Stays where it is until capture_close(). A proxied one is seen once on every
 * hop that touches the ports, with the Call-ID it had all along; one sent again is seen again. */
struct captured {
	int64_t at_us;           /**< UTC by the kernel's clock, when its last byte passed */
	char src[64], dst[64];   /**< "127.0.0.1:5060", "[::1]:5060" */
	unsigned src_port, dst_port;
	bool tcp;
	int code;                /**< of a response; 0: a request */
	char method[16];         /**< of the request, or the one answered */
	unsigned cseq;
	char call_id[160], from_tag[96], to_tag[96];
	char session[96];        /**< X-Nexus-Session; "" without */
	char reason[160];        /**< Reason (RFC 3326); "" without */
	char *text;              /**< the whole */
	struct captured *next;   /**< in order of time; read it through capture_next() */
};

/** What to look for; a member that is NULL or 0 matches anything, but for code, where 0 means the request. */
struct capture_query {
	const char *call_id, *method;
	int code;                /**< the response with that code, or of that class: 1 (100 apart), 2 ... 6; CAPTURE_ANY */
	unsigned src_port, dst_port;
	int64_t after_us;
};
enum { CAPTURE_ANY = -1 };

/** Start to listen. NULL: says why on stderr; without CAP_NET_RAW capture_possible() is false, and the test skips (77). */
struct capture *capture_open(const unsigned *ports, size_t count);
void capture_close(struct capture *capture);
bool capture_possible(void);

/** The first message that matches, and the last; NULL if there is none. */
const struct captured *capture_find(struct capture *capture, const struct capture_query *query);
const struct captured *capture_last(struct capture *capture, const struct capture_query *query);
size_t capture_count(struct capture *capture, const struct capture_query *query);
/** Wait for the first that matches. */
const struct captured *capture_wait(struct capture *capture, const struct capture_query *query, int timeout_ms);
/** The one after it, NULL: the first of all; for walking over all of them. */
const struct captured *capture_next(struct capture *capture, const struct captured *after);
/** When the first passed that matches, ms since the epoch; 0 if none did. */
int64_t capture_ms(struct capture *capture, const char *call_id, const char *method, int code);
/** Packets lost between the kernel and us, and pieces of a TCP stream: must be 0 for a verdict. */
unsigned capture_lost(struct capture *capture);
/** One line for every message. @param call_id nullable: all. */
void capture_dump(struct capture *capture, const char *call_id, FILE *out);

/** A dialog's life, each moment the first time it was on the wire; ms since the epoch, 0: did not happen. */
struct capture_leg {
	int64_t invited, ringing, answered, acked, canceled, refused, bye;
	int code;                /**< final answer to the first INVITE, challenges apart; 0: none passed */
	char tag[96];            /**< of the phone that answered first: BYEs of others, which answered too, are not told of */
	unsigned left_port;      /**< where the CANCEL, or else the BYE, came from */
	int64_t left_us;         /**< when that passed, microseconds since the epoch */
	bool bye_by_caller;      /**< by the side that sent the INVITE */
};
/** False if no INVITE with that Call-ID passed. @param phone_port nullable (0): only what passed between it and anybody. */
bool capture_leg(struct capture *capture, const char *call_id, unsigned phone_port, struct capture_leg *out);

#endif
