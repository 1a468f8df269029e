/* leg_token.h - the token by which a leg that comes back through our SIP server joins its session: Twilio calls the user's phone
 * at sip:USERNAME@DOMAIN?X-Nexus-Leg=TOKEN and puts the header into its INVITE.
 *
 *   X-Nexus-Leg: SESSION_ID.LEG.MAC       LEG: "a", the user's own phone
 *   MAC = lower-case hex of HMAC-SHA256(key, "SESSION_ID.LEG"); the key's 64 characters are used as they stand
 *
 * What the SIP server does with an INVITE that has it:
 *  - from any address but Twilio's (twilio.addresses), or with a wrong MAC: the header is ignored and removed, the call is
 *    treated like any other from there;
 *  - else it is no call of its own: its dialog gets session = SESSION_ID and leg = LEG, as those of the originator do, so
 *    that no "dialled" session and no second slot is made; it rings USERNAME, the user part of the Request-URI, whose owner
 *    the dialog gets; no digest is asked for; the destination rules are not applied;
 *  - the header is removed before the phone sees it.
 * Where: OpenSIPS $(var(x){s.sha256_hmac,KEY}); Kamailio crypto_hmac_sha256() gives base64url, which {s.decode.base64url} and
 * {s.encode.hexa} turn into hex. KEY: setting_leg_key() of store/setting.h, rendered into a 0600 file only. */
#ifndef NXV_BASE_LEG_TOKEN_H
#define NXV_BASE_LEG_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#define LEG_TOKEN_HEADER "X-Nexus-Leg"
enum { LEG_KEY_TEXT = 64, LEG_TOKEN_MAX = 160 };

/** Write the token; false when the session id is too long or libcrypto refuses. leg: 'a' or 'b'. */
bool leg_token_make(const char *key, const char *session_id, char leg, char *out, size_t size);
/** Check a token in constant time. @param session_id filled with the session it is of. False: it is none of ours. */
bool leg_token_check(const char *key, const char *token, char *session_id, size_t size, char *leg);

#endif
