/* resolve.h - whom a call is for: numbers, SIP usernames, user ids and sip: URIs into SIP usernames. */
#ifndef NXV_SESSION_RESOLVE_H
#define NXV_SESSION_RESOLVE_H

#include "store/db.h"

/** SIP usernames of a user's live credentials, separated by a space. @param out [owned].
 * Errors: NXV_E_CONFLICT "no_sip_credentials". */
nxv_status resolve_caller(struct db_tx *tx, const char *user_id, int64_t now_ms, char **out, struct nxv_error *err);
/** SIP usernames that `to` stands for, or the number itself when there is a trunk. @param out [owned].
 * Errors: NXV_E_INVALID (field toNumber), NXV_E_UNCALLABLE "no_trunk", "unknown_destination". */
nxv_status resolve_callee(struct db_tx *tx, const char *to, const char *domain, bool trunk, int64_t now_ms, char **out, struct nxv_error *err);
/** What would be dialled: `to` itself, or the user part of a sip: URI. False when it is neither, or too long. */
bool resolve_dialled(const char *to, char *dialled, size_t size);
/** True for what may stand as caller ID: a number, or a name that is a SIP user part. */
bool resolve_is_caller_id(const char *from, bool strict_e164);

#endif
