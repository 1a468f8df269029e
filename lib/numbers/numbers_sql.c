/* numbers_sql.c - the table of numbers. A number is one user's; a user may have several. */
#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"
#include "numbers/numbers.h"

nxv_status number_insert(struct db_tx *tx, const struct nxv_number *number, struct nxv_error *err)
{
	return db_run(tx, "INSERT INTO number (number, user_id, added_at_ms) VALUES (?1, ?2, ?3)", err, "tti", number->number,
		number->user_id, number->added_at_ms);
}

nxv_status number_delete(struct db_tx *tx, const char *number, bool *was_there, struct nxv_error *err)
{
	nxv_status status = db_run(tx, "DELETE FROM number WHERE number = ?1", err, "t", number);

	*was_there = status == NXV_OK && db_changes(tx) > 0;
	return status;
}

nxv_status number_find(struct db_tx *tx, const char *number, char user_id[NUMBER_USER], struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(tx, "SELECT user_id FROM number WHERE number = ?1", &stmt, err);

	user_id[0] = '\0';
	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, number);
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && row)
		text_copy(user_id, NUMBER_USER, db_text(stmt, 0));
	db_done(stmt);
	return status;
}

static nxv_status append(struct db_stmt *stmt, struct nxv_number_list *out, struct nxv_error *err)
{
	struct nxv_number *grown = realloc(out->items, (out->count + 1) * sizeof(*grown)), *number;

	if (!grown)
		return error_nomem(err);
	out->items = grown;
	number = &grown[out->count++];
	text_copy(number->number, sizeof(number->number), db_text(stmt, 0));
	text_copy(number->user_id, sizeof(number->user_id), db_text(stmt, 1));
	number->added_at_ms = db_int(stmt, 2);
	return NXV_OK;
}

nxv_status number_load_all(struct db_tx *tx, const char *user_id, struct nxv_number_list *out, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = true;
	nxv_status status = db_query(tx,
		"SELECT number, user_id, added_at_ms FROM number WHERE ?1 IS NULL OR user_id = ?1 ORDER BY number", &stmt, err);

	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, user_id);
	while (status == NXV_OK && row) {
		status = db_step(stmt, &row, err);
		if (status == NXV_OK && row)
			status = append(stmt, out, err);
	}
	db_done(stmt);
	return status;
}
