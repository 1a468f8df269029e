/* policy_sql.c - the table of caller IDs, and the switch that stops telephone calls, which is a setting. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "policy/policy.h"
#include "store/setting.h"

#define SETTING_FROZEN "calls.frozen" /* "<since, ms> <reason>", or "" */

nxv_status freeze_load(struct db_tx *tx, struct nxv_freeze *out, struct nxv_error *err)
{
	char value[160], *reason;
	nxv_status status = setting_get(tx, SETTING_FROZEN, value, sizeof(value), err);

	*out = (struct nxv_freeze){ .frozen = status == NXV_OK && *value };
	if (!out->frozen)
		return status;
	out->since_ms = strtoll(value, &reason, 10);
	text_copy(out->reason, sizeof(out->reason), reason + (*reason == ' '));
	return NXV_OK;
}

nxv_status freeze_store(struct db_tx *tx, const struct nxv_freeze *freeze, struct nxv_error *err)
{
	char value[160] = "";

	if (freeze->frozen)
		snprintf(value, sizeof(value), "%" PRId64 " %s", freeze->since_ms, freeze->reason);
	return setting_put(tx, SETTING_FROZEN, value, err);
}

nxv_status caller_is_listed(struct db_tx *tx, const char *user_id, const char *number, bool *listed, struct nxv_error *err)
{
	struct db_stmt *stmt;
	nxv_status status = db_query(tx, "SELECT 1 FROM caller WHERE user_id = ?1 AND number = ?2", &stmt, err);

	*listed = false;
	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, user_id);
	db_bind_text(stmt, 2, number);
	status = db_step(stmt, listed, err);
	db_done(stmt);
	return status;
}

nxv_status caller_first(struct db_tx *tx, const char *user_id, char number[POLICY_NUMBER], struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status =
		db_query(tx, "SELECT number FROM caller WHERE user_id = ?1 ORDER BY added_at_ms, number LIMIT 1", &stmt, err);

	number[0] = '\0';
	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, user_id);
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && row)
		text_copy(number, POLICY_NUMBER, db_text(stmt, 0));
	db_done(stmt);
	return status;
}

nxv_status caller_insert(struct db_tx *tx, const struct nxv_caller *caller, struct nxv_error *err)
{
	return db_run(tx, "INSERT INTO caller (user_id, number, added_at_ms) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", err, "tti",
		caller->user_id, caller->number, caller->added_at_ms);
}

nxv_status caller_delete(struct db_tx *tx, const char *user_id, const char *number, bool *was_there, struct nxv_error *err)
{
	nxv_status status = db_run(tx, "DELETE FROM caller WHERE user_id = ?1 AND number = ?2", err, "tt", user_id, number);

	*was_there = status == NXV_OK && db_changes(tx) > 0;
	return status;
}

static nxv_status append(struct db_stmt *stmt, struct nxv_caller_list *out, struct nxv_error *err)
{
	struct nxv_caller *grown = realloc(out->items, (out->count + 1) * sizeof(*grown)), *caller;

	if (!grown)
		return error_nomem(err);
	out->items = grown;
	caller = &grown[out->count++];
	text_copy(caller->user_id, sizeof(caller->user_id), db_text(stmt, 0));
	text_copy(caller->number, sizeof(caller->number), db_text(stmt, 1));
	caller->added_at_ms = db_int(stmt, 2);
	return NXV_OK;
}

nxv_status caller_load_all(struct db_tx *tx, const char *user_id, struct nxv_caller_list *out, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = true;
	nxv_status status = db_query(tx,
		"SELECT user_id, number, added_at_ms FROM caller WHERE ?1 IS NULL OR user_id = ?1 ORDER BY user_id, number", &stmt, err);

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
