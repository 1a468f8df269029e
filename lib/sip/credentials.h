/* credentials.h - inside view of SIP credentials: whom to ring for a user or an address. */
#ifndef NXV_SIP_CREDENTIALS_H
#define NXV_SIP_CREDENTIALS_H

#include <nexusvoip/credentials.h>

#include "store/db.h"

/** Live (not revoked, not expired) SIP usernames of a user, oldest first, at most max.
 * @param out [owned] texts, free() each. */
nxv_status credentials_usernames(struct db_tx *tx, const char *user_id, int64_t now_ms, char **out, size_t max, size_t *count, struct nxv_error *err);
/** Owner of a live SIP username. @param user_id [owned]. Errors: NXV_E_NOT_FOUND. */
nxv_status credentials_owner(struct db_tx *tx, const char *username, int64_t now_ms, char **user_id, struct nxv_error *err);
/** Owner of a username, live or not. @param user_id [owned]; NULL: nobody ever had it. */
nxv_status credentials_owner_ever(struct db_tx *tx, const char *username, char **user_id, struct nxv_error *err);
/** Mark expired credentials revoked and tell their usernames, at most max at a time; *next_ms: when the next one expires (0: none). */
nxv_status credentials_expire(struct db_tx *tx, int64_t now_ms, char **out, size_t max, size_t *count, int64_t *next_ms, struct nxv_error *err);
/** Refuse a domain that would void the digests of live credentials. Called when a context opens.
 * Errors: NXV_E_CONFLICT "domain_in_use" with the remedy. */
nxv_status credentials_check_domain(struct db *db, const char *domain, struct nxv_error *err);

#endif
