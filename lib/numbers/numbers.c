/* numbers.c - the public functions of numbers.h, and the lookup for a call that comes in. */
#include "numbers/numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ctx.h"
#include "events/event_log.h"

nxv_status number_owner(
	struct db_tx *tx, const char *dialled, char number[NUMBER_TEXT], char user_id[NUMBER_USER], struct nxv_error *err)
{
	const char *digits = *dialled == '+' ? dialled + 1 : dialled;
	nxv_status status = NXV_OK;

	user_id[0] = '\0';
	for (int zeros = 0; status == NXV_OK && !*user_id && zeros <= 2; zeros += 2) {
		if (zeros && (*dialled == '+' || strncmp(digits, "00", 2) != 0))
			break;
		if (snprintf(number, NUMBER_TEXT, "+%s", digits + zeros) < NUMBER_TEXT)
			status = number_find(tx, number, user_id, err);
	}
	if (status == NXV_OK && !*user_id)
		status = error_set(err, NXV_E_NOT_FOUND, "%.40s is nobody's number here; `nexusctl numbers add %.40s --user USER` makes it one",
			dialled, dialled);
	return status;
}

static nxv_status check(const char *number, struct nxv_error *err)
{
	return number && text_is_number(number) ? NXV_OK : error_field(err, "number", "write + and 2 to 15 digits");
}

/* End a write transaction that went this far. */
static nxv_status finish(struct db_tx *tx, nxv_status status, struct nxv_error *err)
{
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

nxv_status nxv_number_add(nxv_ctx *ctx, const char *number, const char *user_id, struct nxv_error *err)
{
	struct nxv_number row = { .added_at_ms = env_now_ms(&ctx->env) };
	char owner[NUMBER_USER];
	struct db_tx *tx = NULL;
	nxv_status status = check(number, err);

	if (status == NXV_OK && (!user_id || !text_is_user_id(user_id)))
		status = error_field(err, "userId", "write 1 to 64 of letters, digits and . _ @ + -");
	if (status != NXV_OK)
		return status;
	text_copy(row.number, sizeof(row.number), number);
	text_copy(row.user_id, sizeof(row.user_id), user_id);
	status = db_begin(ctx->db, DB_WRITE, &tx, err);
	if (status == NXV_OK)
		status = number_find(tx, number, owner, err);
	if (status == NXV_OK && *owner && strcmp(owner, user_id) != 0)
		status = error_code(err, NXV_E_CONFLICT, "number_taken", "%s is the number of user %s; remove it first", number, owner);
	if (status == NXV_OK && !*owner) {
		status = number_insert(tx, &row, err);
		if (status == NXV_OK)
			status = event_append(tx, row.added_at_ms, "number.added", number, user_id, NULL, NULL, err);
	}
	return finish(tx, status, err);
}

nxv_status nxv_number_remove(nxv_ctx *ctx, const char *number, struct nxv_error *err)
{
	bool was_there = false;
	struct db_tx *tx = NULL;
	nxv_status status = check(number, err);

	if (status == NXV_OK)
		status = db_begin(ctx->db, DB_WRITE, &tx, err);
	if (status == NXV_OK)
		status = number_delete(tx, number, &was_there, err);
	if (status == NXV_OK && !was_there)
		status = error_set(err, NXV_E_NOT_FOUND, "%s is nobody's number here", number);
	if (status == NXV_OK)
		status = event_append(tx, env_now_ms(&ctx->env), "number.removed", number, NULL, NULL, NULL, err);
	return finish(tx, status, err);
}

nxv_status nxv_number_list(nxv_ctx *ctx, const char *user_id, struct nxv_number_list **out, struct nxv_error *err)
{
	struct nxv_number_list *list = calloc(1, sizeof(*list));
	struct db_tx *tx = NULL;
	nxv_status status = list ? db_begin(ctx->db, DB_READ, &tx, err) : error_nomem(err);

	*out = NULL;
	if (status == NXV_OK)
		status = number_load_all(tx, user_id, list, err);
	db_rollback(tx);
	if (status == NXV_OK)
		*out = list;
	else
		nxv_number_list_free(list);
	return status;
}

void nxv_number_list_free(struct nxv_number_list *list)
{
	if (!list)
		return;
	free(list->items);
	free(list);
}
