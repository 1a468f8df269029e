/* setting.h - what the programs decided and must remember, by name. */
#ifndef NXV_STORE_SETTING_H
#define NXV_STORE_SETTING_H

#include "store/db.h"

#define SETTING_SIP_WANTED "sip.wanted" /**< "started" or "stopped" */
#define SETTING_SIP_STATE "sip.state"   /**< what the engine last saw, nxv_sip_state_name() */

/** value gets "" when it was never set. */
nxv_status setting_get(struct db_tx *tx, const char *name, char *value, size_t size, struct nxv_error *err);
nxv_status setting_put(struct db_tx *tx, const char *name, const char *value, struct nxv_error *err);
/** The same in a transaction of its own. */
nxv_status setting_read(struct db *db, const char *name, char *value, size_t size, struct nxv_error *err);
nxv_status setting_write(struct db *db, const char *name, const char *value, struct nxv_error *err);

#endif
