/* sdp.h - session descriptions as text: what third-party call control must change in them, and nothing else.
 * Texts returned are [owned], free(); NULL when memory ran out. */
#ifndef NXV_SIP_ORIGINATOR_SDP_H
#define NXV_SIP_ORIGINATOR_SDP_H

#include <stdbool.h>
#include <stdint.h>

/** Whoever describes the session to one phone: us, whatever media it carries (RFC 3264 wants one o= line per dialog).
 */
struct sdp_origin {
	uint64_t id;
	uint32_t version;
	bool ip6;
	const char *address;
};

/** The first offer of a call: one audio stream that carries nothing yet. */
char *sdp_text_offer(const struct sdp_origin *origin);
/** The same description under our o= line. direction: "sendrecv"... for every stream; NULL keeps what is there. */
char *sdp_text_relay(const char *sdp, const struct sdp_origin *origin, const char *direction);
/** An answer that refuses every stream of an offer. */
char *sdp_text_refuse(const char *offer, const struct sdp_origin *origin);
/** True if it is a description at all. */
bool sdp_text_valid(const char *sdp);
/** True if it is one with at least one stream that was not refused. */
bool sdp_text_usable(const char *sdp);
/** True if it describes sound as browsers send it (DTLS-SRTP, RFC 5764). */
bool sdp_text_web(const char *sdp);
/** True if media cannot flow between them: one party is at an IPv4 address, the other at an IPv6 one, and neither offers
 * others by ICE. */
bool sdp_text_apart(const char *a, const char *b);
/** True if both say the same, o= lines aside. */
bool sdp_text_same(const char *a, const char *b);
/** B was given A's first answer, and A then answered B's answer with `final`: false if B does not know enough of it,
 * since an address, a port, a codec or the direction is not what was promised. */
bool sdp_text_settled(const char *promised, const char *b_answer, const char *final);

#endif
