/* migrate.h - brings a database's schema forward, one step per transaction; never back. */
#ifndef NXV_STORE_MIGRATE_H
#define NXV_STORE_MIGRATE_H

#include "store/db.h"

/** Apply the steps above the file's version. *version: the version then in force. */
nxv_status db_migrate(struct db *db, const struct db_migration *steps, int *version, struct nxv_error *err);

#endif
