/* subscriber.h - auth.db, the subscriber table that the SIP server authenticates against: digests only, owner and
 * call limit beside them. Derived from the credential table of nexusvoip.db, so it can be rebuilt at any time. */
#ifndef NXV_SIP_SUBSCRIBER_H
#define NXV_SIP_SUBSCRIBER_H

#include "store/db.h"

struct subscriber {
	const char *username, *domain;
	const char *ha1, *ha1_sha256, *ha1_sha512t256; /**< hex of H(username:domain:password) */
	const char *owner;                             /**< userId */
	int64_t call_limit;
	int64_t expires_at_ms;                         /**< 0: never; the server refuses it afterwards */
};

/** Open (creating) auth.db. */
nxv_status subscriber_open(const struct env *env, const char *path, struct db **out, struct nxv_error *err);
nxv_status subscriber_put(struct db *auth, const struct subscriber *sub, struct nxv_error *err);
nxv_status subscriber_delete(struct db *auth, const char *username, struct nxv_error *err);
/** Make the table equal to the live rows of `credential` in main, plus the service user's row, in one transaction.
 * Rows that are right already are not written. @param service nullable; see sip_setup_service(). */
nxv_status subscriber_sync(struct db *auth, struct db *main, const struct subscriber *service, int64_t call_limit, struct nxv_error *err);
/** Hex digests of username:domain:password in the three algorithms (buffers of 33, 65, 65 bytes). */
nxv_status subscriber_digests(const char *username, const char *domain, const char *password, char *md5, char *sha256, char *sha512t256, struct nxv_error *err);

#endif
