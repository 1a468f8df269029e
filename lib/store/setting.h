/* setting.h - what the programs decided and must remember, by name. */
#ifndef NXV_STORE_SETTING_H
#define NXV_STORE_SETTING_H

#include "store/db.h"

#define SETTING_SIP_WANTED "sip.wanted" /**< "started" or "stopped" */
#define SETTING_SIP_STATE "sip.state"   /**< what the engine last saw, nxv_sip_state_name() */
#define SETTING_HEARD "calls.heard"     /**< UTC ms: how calls ended that did so before is known */
#define SETTING_LEG_KEY "leg.key"       /**< what leg tokens are made with, see base/leg_token.h; made by setting_leg_key() */

/** value gets "" when it was never set. */
nxv_status setting_get(struct db_tx *tx, const char *name, char *value, size_t size, struct nxv_error *err);
nxv_status setting_put(struct db_tx *tx, const char *name, const char *value, struct nxv_error *err);
/** The same in a transaction of its own. */
nxv_status setting_read(struct db *db, const char *name, char *value, size_t size, struct nxv_error *err);
nxv_status setting_write(struct db *db, const char *name, const char *value, struct nxv_error *err);
/** The key of leg tokens, made at first use: text of LEG_KEY_TEXT characters, so size is LEG_KEY_TEXT + 1 at least. */
nxv_status setting_leg_key(struct db *db, const struct env *env, char *key, size_t size, struct nxv_error *err);

#endif
