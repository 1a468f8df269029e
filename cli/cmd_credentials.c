/* cmd_credentials.c - `nexusctl credentials ...`: SIP credentials of phones. */
#include <stddef.h>

#include "args.h"
#include "commands.h"
#include "output.h"

static int show(struct app *app, struct nxv_credential *cred)
{
	char created[32], expires[32];
	const struct out_pair pairs[] = {
		{ "id", cred->id },
		{ "user", cred->user_id },
		{ "username", cred->username },
		{ "password", cred->password },
		{ "domain", cred->domain },
		{ "SIP URI", cred->sip_uri },
		{ "proxy server", cred->proxy_server },
		{ "created", out_time(cred->created_at_ms, created) },
		{ "expires", cred->expires_at_ms ? out_time(cred->expires_at_ms, expires) : "never" },
	};
	int rc = RC_DONE;

	if (app->json)
		rc = out_json(app, nxv_json_credential(cred));
	else
		out_record(pairs, sizeof(pairs) / sizeof(pairs[0]));
	if (cred->password)
		out_note(app, "Store the password now: it is never shown again.");
	nxv_credential_free(cred);
	return rc;
}

int cmd_credentials_create(struct app *app)
{
	struct nxv_credential_opts opts = NXV_CREDENTIAL_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_credential *cred = NULL;
	int rc = args_time(app, "expires", &opts.expires_at_ms);

	if (rc != RC_DONE)
		return rc;
	opts.user_id = args_value(app, "user");
	if (nxv_credential_create(app->ctx, &opts, &cred, &err) != NXV_OK)
		return out_error(app, &err);
	return show(app, cred);
}

static nxv_status page(struct out_list *list, void *arg, unsigned limit, char **cursor, struct nxv_error *err)
{
	struct nxv_credential_list_opts *opts = arg;
	struct nxv_credential_page *creds = NULL;

	opts->limit = limit;
	opts->cursor = *cursor;
	nxv_status status = nxv_credential_list(list->app->ctx, opts, &creds, err);
	for (size_t i = 0; status == NXV_OK && i < creds->count; i++) {
		const struct nxv_credential *cred = creds->items[i];
		char created[32], expires[32];
		const char *cells[] = { cred->id, cred->user_id, cred->username, cred->domain, cred->proxy_server,
			out_time(cred->created_at_ms, created), out_time(cred->expires_at_ms, expires) };
		out_list_add(list, cells, list->app->json ? nxv_json_credential(cred) : NULL);
	}
	out_next_cursor(cursor, creds ? &creds->next_cursor : NULL);
	nxv_credential_page_free(creds);
	return status;
}

int cmd_credentials_list(struct app *app)
{
	static const char *const heads[] = { "ID", "USER", "USERNAME", "DOMAIN", "PROXY SERVER", "CREATED", "EXPIRES", NULL };
	struct nxv_credential_list_opts opts = NXV_CREDENTIAL_LIST_OPTS_INIT;

	opts.user_id = args_value(app, "user");
	return out_pages(app, heads, 0, page, &opts);
}

int cmd_credentials_revoke(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_credential_revoke(app->ctx, app->operand, &err) != NXV_OK)
		return out_error(app, &err);
	return out_done(app, "revoked", app->operand);
}
