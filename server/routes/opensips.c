/* opensips.c - the SIP server and SIP credentials over HTTP (guide, sections 2 and 3). */
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "routes/routes.h"
#include "text.h"

enum { START_WAIT_MS = 10000 };

void sip_ask_health(struct exchange *x)
{
	struct nxv_sip_health *health = NULL;

	x->done.status = nxv_sip_health_get(x->ctx, &health, &x->done.error);
	x->result = health;
}

static void answer_started(struct exchange *x, const struct nxv_sip_health *health)
{
	struct text out;
	char *body;
	size_t len;

	text_begin(&out);
	text_add(&out, "{\"success\":true,\"status\":\"%s\",\"server\":", nxv_sip_state_name(health->state));
	text_add_json(&out, health->server ? health->server : "");
	if (health->version) {
		text_add(&out, ",\"version\":");
		text_add_json(&out, health->version);
	}
	if (health->pid)
		text_add(&out, ",\"pid\":%lld", (long long)health->pid);
	text_add(&out, "}");
	body = text_take(&out, &len);
	answer_json(x, 200, body, len);
}

static void tell_started(struct exchange *x, const struct nxv_completion *done)
{
	if (done->status == NXV_OK)
		answer_started(x, x->result);
	else
		answer_error(x, &done->error);
	nxv_sip_health_free(x->result);
}

static void started(struct exchange *x, const struct nxv_completion *done)
{
	if (done->status == NXV_OK)
		exchange_aside(x, x->lane->aside, NULL, sip_ask_health, tell_started);
	else
		answer_error(x, &done->error);
}

void sip_start(struct exchange *x)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_sip_start(x->ctx, &err) == NXV_OK &&
		nxv_sip_wait_async(x->lane->inbox, true, START_WAIT_MS, x, &err) == NXV_OK)
		exchange_wait(x, NULL, started);
	else
		answer_error(x, &err);
}

/* The library's object, with what only the server knows. */
static char *add_sandbox(char *health)
{
	struct text out;

	if (!health)
		return NULL;
	text_begin(&out);
	text_add(&out, "%.*s,\"sandbox\":true}", (int)strlen(health) - 1, health);
	free(health);
	return text_take(&out, NULL);
}

static void tell_health(struct exchange *x, const struct nxv_completion *done)
{
	char *body;

	if (done->status == NXV_OK) {
		body = nxv_json_health(x->result);
		if (x->app->sandbox)
			body = add_sandbox(body);
		answer_json(x, 200, body, body ? strlen(body) : 0);
	} else {
		answer_error(x, &done->error);
	}
	nxv_sip_health_free(x->result);
}

void sip_health(struct exchange *x)
{
	exchange_aside(x, x->lane->aside, NULL, sip_ask_health, tell_health);
}

static void ask_registrations(struct exchange *x)
{
	struct nxv_registration_list *list = NULL;

	x->done.status = nxv_sip_registrations(x->ctx, x->subject, &list, &x->done.error);
	x->result = list;
}

static void tell_registrations(struct exchange *x, const struct nxv_completion *done)
{
	if (done->status == NXV_OK)
		answer_page(x, "registrations", nxv_json_registrations(x->result), NULL);
	else
		answer_error(x, &done->error);
	nxv_registration_list_free(x->result);
}

void sip_registrations(struct exchange *x)
{
	const char *user_id;

	if (owner_filter(x, &user_id))
		exchange_aside(x, x->lane->aside, user_id, ask_registrations, tell_registrations);
}

static void ask_kick(struct exchange *x)
{
	x->done.status = nxv_sip_kick(x->ctx, x->param, query_get(x, "contact"), &x->done.error);
}

static void tell_kicked(struct exchange *x, const struct nxv_completion *done)
{
	if (done->status == NXV_OK)
		answer_ok(x, 200, NULL, NULL);
	else
		answer_error(x, &done->error);
}

/* Whose username it is decides; one without a credential is nobody's, and an administrator's to end. */
void sip_kick(struct exchange *x)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_credential *credential = NULL;
	nxv_status status = nxv_credential_get(x->ctx, x->param, &credential, &err);
	const bool may = owner_is_admin(x) || (status == NXV_OK && owner_may(x, credential->user_id));

	nxv_credential_free(credential);
	if (may)
		exchange_aside(x, x->lane->aside, NULL, ask_kick, tell_kicked);
	else if (status == NXV_OK || status == NXV_E_NOT_FOUND)
		owner_not_found(x, "registration");
	else
		answer_error(x, &err);
}

void credential_generate(struct exchange *x)
{
	struct nxv_credential_opts opts = NXV_CREDENTIAL_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_credential *credential = NULL;

	if (!owner_may(x, x->body->user_id)) {
		owner_denied(x, "userId");
		return;
	}
	opts.user_id = x->body->user_id;
	opts.expires_at_ms = x->body->expires_at_ms;
	if (nxv_credential_create(x->ctx, &opts, &credential, &err) == NXV_OK)
		answer_ok(x, 201, "credentials", nxv_json_credential(credential));
	else
		answer_error(x, &err);
	nxv_credential_free(credential);
}

void credential_list(struct exchange *x)
{
	struct nxv_credential_list_opts opts = NXV_CREDENTIAL_LIST_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_credential_page *list = NULL;

	if (!owner_filter(x, &opts.user_id) || !query_limit(x, &opts.limit))
		return;
	opts.cursor = query_get(x, "cursor");
	if (nxv_credential_list(x->ctx, &opts, &list, &err) == NXV_OK)
		answer_page(x, "credentials", nxv_json_credentials(list), list->next_cursor);
	else
		answer_error(x, &err);
	nxv_credential_page_free(list);
}

void credential_revoke(struct exchange *x)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_credential *credential = NULL;
	nxv_status status = nxv_credential_get(x->ctx, x->param, &credential, &err);

	if (status == NXV_OK && !owner_may(x, credential->user_id))
		status = NXV_E_NOT_FOUND;
	if (status == NXV_OK)
		status = nxv_credential_revoke(x->ctx, credential->id, &err);
	nxv_credential_free(credential);
	if (status == NXV_OK)
		answer_ok(x, 200, NULL, NULL);
	else if (status == NXV_E_NOT_FOUND)
		owner_not_found(x, "SIP credential");
	else
		answer_error(x, &err);
}
