/* policy_public.c - the public functions of policy.h: caller IDs, freeze and thaw. */
#include <nexusvoip/policy.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ctx.h"
#include "events/event_log.h"
#include "policy/policy.h"

static nxv_status check(const char *user_id, const char *number, struct nxv_error *err)
{
	if (!user_id || !text_is_user_id(user_id))
		return error_field(err, "userId", "write 1 to 64 of letters, digits and . _ @ + -");
	if (!number || !text_is_number(number))
		return error_field(err, "number", "write + and 2 to 15 digits");
	return NXV_OK;
}

/* End a write transaction that went this far. */
static nxv_status finish(struct db_tx *tx, nxv_status status, struct nxv_error *err)
{
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

nxv_status nxv_caller_add(nxv_ctx *ctx, const char *user_id, const char *number, struct nxv_error *err)
{
	struct nxv_caller caller = { .added_at_ms = env_now_ms(&ctx->env) };
	struct db_tx *tx = NULL;
	nxv_status status = check(user_id, number, err);

	if (status != NXV_OK)
		return status;
	text_copy(caller.user_id, sizeof(caller.user_id), user_id);
	text_copy(caller.number, sizeof(caller.number), number);
	status = db_begin(ctx->db, DB_WRITE, &tx, err);
	if (status == NXV_OK)
		status = caller_insert(tx, &caller, err);
	if (status == NXV_OK && db_changes(tx) > 0)
		status = event_append(tx, caller.added_at_ms, "caller.added", number, user_id, NULL, NULL, err);
	return finish(tx, status, err);
}

nxv_status nxv_caller_remove(nxv_ctx *ctx, const char *user_id, const char *number, struct nxv_error *err)
{
	bool was_there = false;
	struct db_tx *tx = NULL;
	nxv_status status = check(user_id, number, err);

	if (status == NXV_OK)
		status = db_begin(ctx->db, DB_WRITE, &tx, err);
	if (status == NXV_OK)
		status = caller_delete(tx, user_id, number, &was_there, err);
	if (status == NXV_OK && !was_there)
		status = error_set(err, NXV_E_NOT_FOUND, "%s is no caller ID of user %s", number, user_id);
	if (status == NXV_OK)
		status = event_append(tx, env_now_ms(&ctx->env), "caller.removed", number, user_id, NULL, NULL, err);
	return finish(tx, status, err);
}

nxv_status nxv_caller_list(nxv_ctx *ctx, const char *user_id, struct nxv_caller_list **out, struct nxv_error *err)
{
	struct nxv_caller_list *list = calloc(1, sizeof(*list));
	struct db_tx *tx = NULL;
	nxv_status status = list ? db_begin(ctx->db, DB_READ, &tx, err) : error_nomem(err);

	*out = NULL;
	if (status == NXV_OK)
		status = caller_load_all(tx, user_id, list, err);
	db_rollback(tx);
	if (status == NXV_OK)
		*out = list;
	else
		nxv_caller_list_free(list);
	return status;
}

void nxv_caller_list_free(struct nxv_caller_list *list)
{
	if (!list)
		return;
	free(list->items);
	free(list);
}

static nxv_status set_freeze(nxv_ctx *ctx, bool frozen, const char *reason, struct nxv_error *err)
{
	const int64_t now_ms = env_now_ms(&ctx->env);
	struct nxv_freeze freeze;
	bool was;
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(ctx->db, DB_WRITE, &tx, err);

	if (status == NXV_OK)
		status = freeze_load(tx, &freeze, err);
	if (status == NXV_OK) {
		was = freeze.frozen;
		freeze.frozen = frozen;
		freeze.since_ms = was ? freeze.since_ms : now_ms;
		text_copy(freeze.reason, sizeof(freeze.reason), reason ? reason : "");
		status = freeze_store(tx, &freeze, err);
		if (status == NXV_OK && was != frozen)
			status = event_append(tx, now_ms, frozen ? "calls.frozen" : "calls.thawed", "calls", NULL, NULL, NULL, err);
	}
	return finish(tx, status, err);
}

nxv_status nxv_calls_freeze(nxv_ctx *ctx, const char *reason, struct nxv_error *err)
{
	if (reason && *reason && !text_is_label(reason, sizeof(((struct nxv_freeze *)0)->reason) - 1))
		return error_field(err, "reason", "write at most %zu bytes of text", sizeof(((struct nxv_freeze *)0)->reason) - 1);
	return set_freeze(ctx, true, reason, err);
}

nxv_status nxv_calls_thaw(nxv_ctx *ctx, struct nxv_error *err)
{
	return set_freeze(ctx, false, NULL, err);
}

nxv_status nxv_calls_freeze_get(nxv_ctx *ctx, struct nxv_freeze *out, struct nxv_error *err)
{
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(ctx->db, DB_READ, &tx, err);

	*out = (struct nxv_freeze){ .frozen = false };
	if (status == NXV_OK)
		status = freeze_load(tx, out, err);
	db_rollback(tx);
	return status;
}
