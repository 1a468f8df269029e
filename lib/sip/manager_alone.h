/* manager_alone.h - starting, stopping and asking the SIP server when no engine runs: a loop of its own on the
 * calling thread, for as long as the answer takes. */
#ifndef NXV_SIP_MANAGER_ALONE_H
#define NXV_SIP_MANAGER_ALONE_H

#include "base/buf.h"
#include "sip/manager.h"
#include "store/db.h"

/** Start it and leave it running without supervision, or stop the one that runs. Blocks until it is so.
 * Errors: NXV_E_UNREACHABLE with the server's own last words; NXV_E_TIMEOUT. */
nxv_status manager_alone_want(const struct env *env, const struct sip_setup *setup, bool started, struct nxv_error *err);
/** @param out zeroed record, filled in; texts [owned]. */
nxv_status manager_alone_health(const struct env *env, const struct sip_setup *setup, struct nxv_sip_health *out, struct nxv_error *err);
/** Lines of sip_contact_write(). Errors: NXV_E_UNREACHABLE. */
nxv_status manager_alone_contacts(const struct env *env, const struct sip_setup *setup, struct buf *out, struct nxv_error *err);
/** Sessions that have not ended. */
nxv_status manager_active_calls(struct db *db, int64_t *out, struct nxv_error *err);

#endif
