/* keys.c - the life of API keys: create, look up, switch, rotate, delete.
 * Each change and its event are one transaction. */
#include <nexusvoip/keys.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/id.h"
#include "base/opts.h"
#include "base/text.h"
#include "ctx.h"
#include "events/event_log.h"
#include "keys/key_sql.h"
#include "keys/token.h"
#include "store/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 100, LIST_DEFAULT = 100, LIST_MAX = 1000, CURSOR_ID_MAX = 64 };
static const unsigned all_permissions = NXV_PERM_CALL | NXV_PERM_SIP | NXV_PERM_RECORDING | NXV_PERM_ADMIN;

static nxv_status check_opts(const struct nxv_key_opts *opts, int64_t now_ms, struct nxv_error *err)
{
	if (!opts->user_id || !text_is_user_id(opts->user_id))
		return error_field(err, "userId", "must be 1 to 64 of A-Z a-z 0-9 . _ @ + -");
	if (!opts->name || !text_is_label(opts->name, NAME_MAX_BYTES))
		return error_field(err, "name", "must be 1 to %d bytes of text without control characters",
			NAME_MAX_BYTES);
	if (!opts->permissions || opts->permissions & ~all_permissions)
		return error_field(err, "permissions",
			"must name at least one of call, sip, recording, admin, and nothing else");
	if (opts->expires_at_ms && opts->expires_at_ms <= now_ms)
		return error_field(err, "expiresAt",
			"must be in the future; leave it out for a key that does not expire");
	return NXV_OK;
}

/* Fill key and digest with a fresh token. */
static nxv_status issue_token(nxv_ctx *ctx, struct nxv_key *key, uint8_t digest[TOKEN_DIGEST_BYTES],
	struct nxv_error *err)
{
	uint8_t random[TOKEN_RANDOM_BYTES];
	nxv_status status = env_random(&ctx->env, random, sizeof(random), err);

	if (status)
		return status;
	key->secret = malloc(TOKEN_LEN + 1);
	key->prefix = malloc(TOKEN_PREFIX_LEN + 1);
	if (!key->secret || !key->prefix) {
		status = error_nomem(err);
		goto out;
	}
	token_make(random, key->secret);
	text_copy(key->prefix, TOKEN_PREFIX_LEN + 1, key->secret);
	if (!token_digest(key->secret, digest))
		status = error_set(err, NXV_E_INTERNAL, "libcrypto cannot compute SHA-256");
out:
	explicit_bzero(random, sizeof(random));
	return status;
}

static nxv_status note_created(struct db_tx *tx, const struct nxv_key *key, struct nxv_error *err)
{
	struct buf data = BUF_INIT;
	const char *sep = "permissions=";
	nxv_status status;

	for (unsigned bit = 1; bit <= key->permissions; bit <<= 1) {
		if (key->permissions & bit) {
			buf_printf(&data, "%s%s", sep, nxv_permission_name(bit));
			sep = ",";
		}
	}
	status = data.failed ? error_nomem(err) :
		event_append(tx, key->created_at_ms, "key.created", key->id, key->user_id, data.data, NULL, err);
	buf_free(&data);
	return status;
}

/* Make, store and report a key; *out holds its secret. */
static nxv_status add_key(nxv_ctx *ctx, struct db_tx *tx, const struct nxv_key_opts *opts, int64_t now_ms,
	struct nxv_key **out, struct nxv_error *err)
{
	uint8_t digest[TOKEN_DIGEST_BYTES];
	struct nxv_key *key = calloc(1, sizeof(*key));
	nxv_status status;

	if (!key)
		return error_nomem(err);
	key->id = id_new("key");
	key->user_id = text_dup(opts->user_id);
	key->name = text_dup(opts->name);
	key->permissions = opts->permissions;
	key->active = true;
	key->created_at_ms = now_ms;
	key->expires_at_ms = opts->expires_at_ms;
	status = key->id && key->user_id && key->name ? issue_token(ctx, key, digest, err) : error_nomem(err);
	if (!status)
		status = key_sql_insert(tx, key, digest, err);
	if (!status)
		status = note_created(tx, key, err);
	if (status) {
		nxv_key_free(key);
		key = NULL;
	}
	*out = key;
	return status;
}

nxv_status nxv_key_create(nxv_ctx *ctx, const struct nxv_key_opts *given, struct nxv_key **out, struct nxv_error *err)
{
	struct nxv_key_opts opts;
	int64_t now_ms = env_now_ms(&ctx->env);
	struct nxv_key *key = NULL;
	struct db_tx *tx = NULL;
	nxv_status status;

	*out = NULL;
	if (!opts_take(&opts, sizeof(opts), given, OPTS_LEAST(struct nxv_key_opts, expires_at_ms)))
		return error_field(err, "opts", "start the options with NXV_KEY_OPTS_INIT");
	status = check_opts(&opts, now_ms, err);
	if (status)
		goto out;
	status = db_begin(ctx->db, DB_WRITE, &tx, err);
	if (status)
		goto out;
	status = add_key(ctx, tx, &opts, now_ms, &key, err);
	if (status)
		goto out;
	status = db_commit(tx, err);
	tx = NULL;
	if (status)
		goto out;
	*out = key;
	key = NULL;
out:
	db_rollback(tx);
	nxv_key_free(key);
	return status;
}

nxv_status nxv_key_get(nxv_ctx *ctx, const char *id, struct nxv_key **out, struct nxv_error *err)
{
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(ctx->db, DB_READ, &tx, err);

	*out = NULL;
	if (status)
		return status;
	status = key_sql_by_id(tx, id, out, NULL, err);
	db_rollback(tx);
	return status;
}

/* A cursor is "<created_at_ms>.<id>" of the last key seen. */
static bool read_cursor(const char *cursor, int64_t *before_ms, const char **before_id)
{
	char number[24];
	const char *dot = strchr(cursor, '.');

	if (!dot || (size_t)(dot - cursor) >= sizeof(number) || strlen(dot + 1) > CURSOR_ID_MAX)
		return false;
	memcpy(number, cursor, (size_t)(dot - cursor));
	number[dot - cursor] = '\0';
	*before_id = dot + 1;
	return text_is_user_id(dot + 1) && text_int(number, 0, INT64_MAX, before_ms);
}

nxv_status nxv_key_list(nxv_ctx *ctx, const struct nxv_key_list_opts *given, struct nxv_key_page **out,
	struct nxv_error *err)
{
	struct nxv_key_list_opts opts = NXV_KEY_LIST_OPTS_INIT;
	const char *before_id = "";
	int64_t before_ms = INT64_MAX;
	struct nxv_key_page *list = NULL;
	struct db_tx *tx = NULL;
	nxv_status status;

	*out = NULL;
	if (given && !opts_take(&opts, sizeof(opts), given, OPTS_LEAST(struct nxv_key_list_opts, cursor)))
		return error_field(err, "opts", "start the options with NXV_KEY_LIST_OPTS_INIT");
	if (opts.limit > LIST_MAX)
		return error_field(err, "limit", "must be 1 to %d", LIST_MAX);
	if (opts.cursor && !read_cursor(opts.cursor, &before_ms, &before_id))
		return error_field(err, "cursor", "is not one that a list of keys gave out; start without it");
	list = calloc(1, sizeof(*list));
	if (!list)
		return error_nomem(err);
	status = db_begin(ctx->db, DB_READ, &tx, err);
	if (!status)
		status = key_sql_page(tx, opts.user_id, before_ms, before_id, opts.limit ? opts.limit : LIST_DEFAULT,
			list, err);
	db_rollback(tx);
	if (status) {
		nxv_key_page_free(list);
		return status;
	}
	*out = list;
	return NXV_OK;
}

/* Toggle, enable or disable. An event is written only when something changed. */
static nxv_status switch_key(nxv_ctx *ctx, const char *id, enum key_change change, struct nxv_key **out,
	struct nxv_error *err)
{
	struct nxv_key *key = NULL;
	struct db_tx *tx = NULL;
	bool changed = false;
	nxv_status status;

	if (out)
		*out = NULL;
	status = db_begin(ctx->db, DB_WRITE, &tx, err);
	if (!status)
		status = key_sql_set_active(tx, id, change, &changed, err);
	if (!status)
		status = key_sql_by_id(tx, id, &key, NULL, err);
	if (!status && changed)
		status = event_append(tx, env_now_ms(&ctx->env), key->active ? "key.enabled" : "key.disabled", key->id,
			key->user_id, NULL, NULL, err);
	if (!status) {
		status = db_commit(tx, err);
		tx = NULL;
	}
	db_rollback(tx);
	if (!status && out) {
		*out = key;
		key = NULL;
	}
	nxv_key_free(key);
	return status;
}

nxv_status nxv_key_toggle(nxv_ctx *ctx, const char *id, struct nxv_key **out, struct nxv_error *err)
{
	return switch_key(ctx, id, KEY_FLIP, out, err);
}

nxv_status nxv_key_set_active(nxv_ctx *ctx, const char *id, bool active, struct nxv_key **out, struct nxv_error *err)
{
	return switch_key(ctx, id, active ? KEY_ENABLE : KEY_DISABLE, out, err);
}

nxv_status nxv_key_delete(nxv_ctx *ctx, const char *id, struct nxv_error *err)
{
	struct nxv_key *key = NULL;
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(ctx->db, DB_WRITE, &tx, err);

	if (!status)
		status = key_sql_by_id(tx, id, &key, NULL, err);
	if (!status)
		status = key_sql_delete(tx, id, err);
	if (!status)
		status = event_append(tx, env_now_ms(&ctx->env), "key.deleted", key->id, key->user_id, NULL, NULL, err);
	if (!status) {
		status = db_commit(tx, err);
		tx = NULL;
	}
	db_rollback(tx);
	nxv_key_free(key);
	return status;
}

/* May this key be replaced now? */
static nxv_status check_rotation(const struct nxv_key *old, const char *replaced_by, int64_t now_ms,
	struct nxv_error *err)
{
	if (replaced_by)
		return error_set(err, NXV_E_CONFLICT, "this key was already replaced by %s; rotate that one",
			replaced_by);
	if (!old->active)
		return error_set(err, NXV_E_CONFLICT, "this key is disabled; enable it first, or create a new one");
	if (old->expires_at_ms && old->expires_at_ms <= now_ms)
		return error_set(err, NXV_E_CONFLICT, "this key has expired; create a new one");
	return NXV_OK;
}

/* The successor, the end of the old key, and both events. */
static nxv_status replace_key(nxv_ctx *ctx, struct db_tx *tx, const struct nxv_key *old, int64_t overlap_ms,
	struct nxv_key **out, struct nxv_error *err)
{
	int64_t now_ms = env_now_ms(&ctx->env);
	int64_t end_ms = now_ms + overlap_ms;
	struct nxv_key_opts opts = NXV_KEY_OPTS_INIT;
	char data[96];
	nxv_status status;

	opts.user_id = old->user_id;
	opts.name = old->name;
	opts.permissions = old->permissions;
	opts.expires_at_ms = old->expires_at_ms;
	if (old->expires_at_ms && old->expires_at_ms < end_ms)
		end_ms = old->expires_at_ms; /* an overlap never lengthens a key's life */
	status = add_key(ctx, tx, &opts, now_ms, out, err);
	if (status)
		return status;
	status = key_sql_replace(tx, old->id, (*out)->id, end_ms, err);
	if (status)
		return status;
	snprintf(data, sizeof(data), "new=%s old_expires_at_ms=%" PRId64, (*out)->id, end_ms);
	return event_append(tx, now_ms, "key.rotated", old->id, old->user_id, data, NULL, err);
}

nxv_status nxv_key_rotate(nxv_ctx *ctx, const char *id, int64_t overlap_ms, struct nxv_key **out, struct nxv_error *err)
{
	static const int64_t overlap_max_ms = INT64_C(366) * 86400 * 1000;
	struct nxv_key *old = NULL, *key = NULL;
	struct db_tx *tx = NULL;
	char *replaced_by = NULL;
	nxv_status status;

	*out = NULL;
	if (overlap_ms < 0 || overlap_ms > overlap_max_ms)
		return error_field(err, "overlapSeconds", "must be 0 to 366 days");
	status = db_begin(ctx->db, DB_WRITE, &tx, err);
	if (!status)
		status = key_sql_by_id(tx, id, &old, &replaced_by, err);
	if (!status)
		status = check_rotation(old, replaced_by, env_now_ms(&ctx->env), err);
	if (!status)
		status = replace_key(ctx, tx, old, overlap_ms, &key, err);
	if (!status) {
		status = db_commit(tx, err);
		tx = NULL;
	}
	db_rollback(tx);
	if (!status) {
		*out = key;
		key = NULL;
	}
	nxv_key_free(key);
	nxv_key_free(old);
	free(replaced_by);
	return status;
}
