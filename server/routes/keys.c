/* keys.c - API keys over HTTP (guide, sections 1 and 4). */
#include "exchange.h"
#include "routes/routes.h"

/* Answer with the key, or the error; takes the key over. */
static void answer_key(
	struct exchange *x, int http_status, nxv_status status, struct nxv_key *key, const struct nxv_error *err)
{
	if (status == NXV_OK)
		answer_ok(x, http_status, "key", nxv_json_key(key));
	else if (status == NXV_E_NOT_FOUND)
		owner_not_found(x, "key");
	else
		answer_error(x, err);
	nxv_key_free(key);
}

void key_generate(struct exchange *x)
{
	struct nxv_key_opts opts = NXV_KEY_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key *key = NULL;
	nxv_status status;

	/* Administrators are made on the server's own machine only: a leaked key cannot make more of them. */
	if (x->body->permissions & NXV_PERM_ADMIN) {
		answer_problem(x, 403, "admin_only_local",
			"Keys with the permission admin are made on the server's own machine: nexusctl keys create "
			"--permissions admin.",
			NULL);
		return;
	}
	opts.user_id = x->body->user_id;
	opts.name = x->body->name;
	opts.permissions = x->body->permissions;
	opts.expires_at_ms = x->body->expires_at_ms;
	status = nxv_key_create(x->ctx, &opts, &key, &err);
	answer_key(x, 201, status, key, &err);
}

void key_list(struct exchange *x)
{
	struct nxv_key_list_opts opts = NXV_KEY_LIST_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key_page *list = NULL;

	if (!owner_filter(x, &opts.user_id) || !query_limit(x, &opts.limit))
		return;
	opts.cursor = query_get(x, "cursor");
	if (nxv_key_list(x->ctx, &opts, &list, &err) == NXV_OK)
		answer_page(x, "keys", nxv_json_keys(list), list->next_cursor);
	else
		answer_error(x, &err);
	nxv_key_page_free(list);
}

void key_toggle(struct exchange *x)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key *key = NULL;
	nxv_status status = nxv_key_toggle(x->ctx, x->param, &key, &err);

	answer_key(x, 200, status, key, &err);
}

void key_patch(struct exchange *x)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key *key = NULL;
	nxv_status status = nxv_key_set_active(x->ctx, x->param, x->body->active, &key, &err);

	answer_key(x, 200, status, key, &err);
}

/* Rotating passes the old key's permissions on, so an administrator's key is renewed where it was made. */
static bool may_rotate(struct exchange *x)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key *key = NULL;
	nxv_status status = nxv_key_get(x->ctx, x->param, &key, &err);
	bool may = status == NXV_OK && !(key->permissions & NXV_PERM_ADMIN);

	if (status == NXV_OK && !may)
		answer_problem(x, 403, "admin_only_local",
			"Keys with the permission admin are rotated on the server's own machine: nexusctl keys rotate.",
			NULL);
	else if (!may)
		answer_key(x, 0, status, NULL, &err);
	nxv_key_free(key);
	return may;
}

void key_rotate(struct exchange *x)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key *key = NULL;
	nxv_status status;

	if (!may_rotate(x))
		return;
	status = nxv_key_rotate(x->ctx, x->param, x->body->overlap_ms, &key, &err);
	answer_key(x, 201, status, key, &err);
}

void key_delete(struct exchange *x)
{
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status = nxv_key_delete(x->ctx, x->param, &err);

	if (status == NXV_OK)
		answer_ok(x, 200, NULL, NULL);
	else
		answer_key(x, 0, status, NULL, &err);
}
