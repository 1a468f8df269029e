/* cmd_keys.c - `nexusctl keys ...`: API keys. */
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "commands.h"
#include "output.h"

/* "call,sip"; buf holds 64 bytes. */
static const char *permissions(unsigned set, char *buf)
{
	buf[0] = '\0';
	for (unsigned bit = NXV_PERM_CALL; bit <= NXV_PERM_ADMIN; bit <<= 1)
		if (set & bit) {
			strcat(buf, *buf ? "," : "");
			strcat(buf, nxv_permission_name(bit));
		}
	return buf;
}

static int show(struct app *app, struct nxv_key *key)
{
	char created[32], expires[32], used[32], perms[64];
	const struct out_pair pairs[] = {
		{ "id", key->id },
		{ "key", key->secret },
		{ "prefix", key->prefix },
		{ "user", key->user_id },
		{ "name", key->name },
		{ "permissions", permissions(key->permissions, perms) },
		{ "active", key->active ? "yes" : "no" },
		{ "created", out_time(key->created_at_ms, created) },
		{ "expires", key->expires_at_ms ? out_time(key->expires_at_ms, expires) : "never" },
		{ "last used", key->last_used_at_ms ? out_time(key->last_used_at_ms, used) : "never" },
	};
	int rc = RC_DONE;

	if (app->json)
		rc = out_json(app, nxv_json_key(key));
	else
		out_record(pairs, sizeof(pairs) / sizeof(pairs[0]));
	if (key->secret)
		out_note(app, "Store the key now: it is never shown again.");
	nxv_key_free(key);
	return rc;
}

/* Prints what a library call came to; by address, as the call is evaluated beside it. */
static int answer(struct app *app, nxv_status status, struct nxv_key **key, const struct nxv_error *err)
{
	return status == NXV_OK ? show(app, *key) : out_error(app, err);
}

int cmd_keys_create(struct app *app)
{
	struct nxv_key_opts opts = NXV_KEY_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key *key = NULL;
	int rc = args_time(app, "expires", &opts.expires_at_ms);

	if (rc != RC_DONE)
		return rc;
	opts.user_id = args_value(app, "user");
	opts.name = args_value(app, "name");
	if (nxv_permissions_parse(args_value(app, "permissions"), &opts.permissions, &err) != NXV_OK)
		return out_error(app, &err);
	return answer(app, nxv_key_create(app->ctx, &opts, &key, &err), &key, &err);
}

static void add_row(struct out_list *list, const struct nxv_key *key)
{
	char created[32], expires[32], used[32], perms[64];
	const char *cells[] = { key->id, key->user_id, key->name, permissions(key->permissions, perms), key->active ? "yes" : "no", key->prefix,
		out_time(key->created_at_ms, created), out_time(key->expires_at_ms, expires), out_time(key->last_used_at_ms, used) };

	out_list_add(list, cells, list->app->json ? nxv_json_key(key) : NULL);
}

static nxv_status page(struct out_list *list, void *arg, unsigned limit, char **cursor, struct nxv_error *err)
{
	struct nxv_key_list_opts *opts = arg;
	struct nxv_key_page *keys = NULL;

	opts->limit = limit;
	opts->cursor = *cursor;
	nxv_status status = nxv_key_list(list->app->ctx, opts, &keys, err);
	for (size_t i = 0; status == NXV_OK && i < keys->count; i++)
		add_row(list, keys->items[i]);
	out_next_cursor(cursor, keys ? &keys->next_cursor : NULL);
	nxv_key_page_free(keys);
	return status;
}

int cmd_keys_list(struct app *app)
{
	static const char *const heads[] = { "ID", "USER", "NAME", "PERMISSIONS", "ACTIVE", "PREFIX", "CREATED", "EXPIRES", "LAST USED", NULL };
	struct nxv_key_list_opts opts = NXV_KEY_LIST_OPTS_INIT;

	opts.user_id = args_value(app, "user");
	return out_pages(app, heads, 0, page, &opts);
}

int cmd_keys_show(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key *key = NULL;

	return answer(app, nxv_key_get(app->ctx, app->operand, &key, &err), &key, &err);
}

int cmd_keys_toggle(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key *key = NULL;

	return answer(app, nxv_key_toggle(app->ctx, app->operand, &key, &err), &key, &err);
}

static int set_active(struct app *app, bool active)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key *key = NULL;

	return answer(app, nxv_key_set_active(app->ctx, app->operand, active, &key, &err), &key, &err);
}

int cmd_keys_enable(struct app *app)
{
	return set_active(app, true);
}

int cmd_keys_disable(struct app *app)
{
	return set_active(app, false);
}

int cmd_keys_rotate(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key *key = NULL;
	int64_t overlap_ms = 0;
	int rc = args_duration(app, "overlap", &overlap_ms);

	if (rc != RC_DONE)
		return rc;
	return answer(app, nxv_key_rotate(app->ctx, app->operand, overlap_ms, &key, &err), &key, &err);
}

int cmd_keys_delete(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_key_delete(app->ctx, app->operand, &err) != NXV_OK)
		return out_error(app, &err);
	return out_done(app, "deleted", app->operand);
}
