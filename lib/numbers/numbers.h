/* numbers.h - the telephone numbers that reach our users: whose phones a call from the trunk rings. */
#ifndef NXV_NUMBERS_NUMBERS_H
#define NXV_NUMBERS_NUMBERS_H

#include <nexusvoip/numbers.h>

#include "store/db.h"

enum { NUMBER_TEXT = 17, NUMBER_USER = 65 };

/** The user of a number as a trunk writes it: with + or without, or with 00. @param number, user_id filled: as it is listed.
 * Errors: NXV_E_NOT_FOUND. */
nxv_status number_owner(struct db_tx *tx, const char *dialled, char number[NUMBER_TEXT], char user_id[NUMBER_USER], struct nxv_error *err);

/* numbers_sql.c */
nxv_status number_insert(struct db_tx *tx, const struct nxv_number *number, struct nxv_error *err);
nxv_status number_delete(struct db_tx *tx, const char *number, bool *was_there, struct nxv_error *err);
/** @param user_id filled; "" where it is not listed. */
nxv_status number_find(struct db_tx *tx, const char *number, char user_id[NUMBER_USER], struct nxv_error *err);
nxv_status number_load_all(struct db_tx *tx, const char *user_id, struct nxv_number_list *out, struct nxv_error *err);

#endif
