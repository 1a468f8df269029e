/* credentials_sql.h - the credential table: every SQL statement on it, for credentials.c only. */
#ifndef NXV_SIP_CREDENTIALS_SQL_H
#define NXV_SIP_CREDENTIALS_SQL_H

#include "sip/credentials.h"
#include "sip/subscriber.h"

/** Store one with its event. @param sub digests, username, domain, owner, expiry. Errors: NXV_E_CONFLICT: username taken. */
nxv_status credentials_insert(struct db *db, const char *id, const struct subscriber *sub, int64_t now_ms, struct nxv_error *err);
/** Take back an insert whose copy in auth.db failed. */
nxv_status credentials_undo(struct db *db, const char *id, const char *user_id, int64_t now_ms, struct nxv_error *err);
/** A live one, by id or username. @param out [owned]. Errors: NXV_E_NOT_FOUND. */
nxv_status credentials_find(struct db *db, const char *key, int64_t now_ms, struct nxv_credential **out, struct nxv_error *err);
/** Live ones after a cursor, newest first. @param user_id nullable. @param out [owned]. */
nxv_status credentials_page(struct db *db, const char *user_id, const char *cursor, unsigned limit, int64_t now_ms,
	struct nxv_credential_page **out, struct nxv_error *err);
/** Mark revoked, with the event. @param username [owned], also when it was revoked before (*changed false).
 * Errors: NXV_E_NOT_FOUND. */
nxv_status credentials_mark(struct db *db, const char *key, int64_t now_ms, char **username, bool *changed, struct nxv_error *err);

#endif
