/* auth.h - answering digest challenges (RFC 7616, RFC 8760) from HA1 alone: the clear password is nowhere. */
#ifndef NXV_SIP_ORIGINATOR_AUTH_H
#define NXV_SIP_ORIGINATOR_AUTH_H

#include "base/buf.h"
#include "base/digest.h"

#include <nexusvoip/types.h>

struct sip_msg;

/** Who we are; text [borrowed] from the originator. */
struct auth_user {
	const char *username;
	const char *realm;   /**< the only one the HA1s are good for */
	const char *ha1_md5; /**< NULL or "": cannot answer that algorithm */
	const char *ha1_sha256;
};

/** The challenge in force for one dialog. Zero-initialise. */
struct auth {
	bool set;
	bool proxy; /**< answer in Proxy-Authorization */
	bool qop;
	enum digest_kind kind;
	uint32_t count; /**< nc of the last answer to this nonce */
	char realm[128];
	char nonce[512];
	char opaque[256];
};

/** Take the first challenge of a 401 or 407 that we can answer. *stale: the server only wants a fresh nonce.
 * Errors: NXV_E_UNSUPPORTED (algorithm, qop), NXV_E_DENIED (another realm). */
nxv_status auth_learn(
	struct auth *auth, const struct auth_user *user, const struct sip_msg *msg, bool *stale, struct nxv_error *err);
/** Append the Authorization line that answers it, counting one more use of the nonce. */
nxv_status auth_answer(struct auth *auth, const struct auth_user *user, const char *method, const char *uri,
	const char *cnonce, struct buf *out, struct nxv_error *err);

#endif
