/* registrations.c - what happens to registrations, and ending them: by hand, or, after the SIP server was out of reach,
 * those of credentials revoked meanwhile. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/inside.h"
#include "events/event_log.h"
#include "sip/credentials.h"

static void on_unregistered(void *arg, nxv_status status, const struct nxv_error *err)
{
	const struct engine *engine = arg;

	if (status != NXV_OK && status != NXV_E_NOT_FOUND)
		env_log(&engine->ctx->env, NXV_LOG_WARN, "sip", "a revoked credential's registration stays: %s", err ? err->message : "");
}

/* Only a clear "there is none" ends a registration; a store that fails ends nobody's. */
static bool is_revoked(nxv_ctx *ctx, const char *username)
{
	struct db_tx *tx;
	char *owner = NULL;
	nxv_status status = db_begin(ctx->db, DB_READ, &tx, NULL);

	if (status != NXV_OK)
		return false;
	status = credentials_owner(tx, username, env_now_ms(&ctx->env), &owner, NULL);
	db_rollback(tx);
	free(owner);
	return status == NXV_E_NOT_FOUND;
}

static void on_contacts(
	void *arg, nxv_status status, const struct sip_contact *items, size_t count, const struct nxv_error *err)
{
	struct engine *engine = arg;
	struct sip_server *server = sip_manager_server(engine->manager);

	(void)err;
	if (status != NXV_OK || engine->closing || !server)
		return;
	for (size_t i = 0; i < count; i++) {
		if (i && strcmp(items[i].username, items[i - 1].username) == 0)
			continue;
		if (is_revoked(engine->ctx, items[i].username))
			server->driver->unregister(server, items[i].username, on_unregistered, engine);
	}
}

/* --- what happens to them --- */

/* Whose username it is; NULL when nobody's is known. @return [owned] */
static char *owner_of(struct db_tx *tx, const char *username)
{
	char *owner = NULL;

	credentials_owner_ever(tx, username, &owner, NULL);
	return owner;
}

void engine_registration_event(struct engine *engine, const struct sip_event *ev)
{
	static const char *const types[] = { "registration.added", "registration.removed", "registration.expired" };
	const char *type = types[ev->kind == SIP_EV_REGISTERED ? 0 : strcmp(ev->reason, "expired") == 0 ? 2 : 1];
	nxv_ctx *ctx = engine->ctx;
	struct nxv_error err = NXV_ERROR_INIT;
	struct db_tx *tx = NULL;
	char *owner = NULL, *data = text_printf("contact=%.*s", (int)strcspn(ev->contact, " \t\r\n"), ev->contact);
	nxv_status status = data ? db_begin(ctx->db, DB_WRITE, &tx, &err) : error_nomem(&err);

	env_log(&ctx->env, NXV_LOG_DEBUG, "sip", "%s %s %s", type, ev->from_user, ev->contact);
	if (status == NXV_OK) {
		owner = owner_of(tx, ev->from_user);
		status = event_append(tx, ev->at_ms, type, ev->from_user, owner, data, NULL, &err);
	}
	if (status == NXV_OK)
		status = db_commit(tx, &err);
	else
		db_rollback(tx);
	if (status != NXV_OK)
		env_log(&ctx->env, NXV_LOG_ERROR, "sip", "%s of %s cannot be stored: %s", type, ev->from_user, err.message);
	free(owner);
	free(data);
}

/* Whoever follows the events learns that some may be missing before this one; the list tells how it is now. */
static void mark_gap(struct engine *engine)
{
	nxv_ctx *ctx = engine->ctx;
	struct nxv_error err = NXV_ERROR_INIT;
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(ctx->db, DB_WRITE, &tx, &err);

	if (status == NXV_OK)
		status = event_append(tx, env_now_ms(&ctx->env), "registration.gap", "sip", NULL, NULL, NULL, &err);
	if (status == NXV_OK)
		status = db_commit(tx, &err);
	else
		db_rollback(tx);
	if (status != NXV_OK)
		env_log(&ctx->env, NXV_LOG_ERROR, "sip", "registration.gap cannot be stored: %s", err.message);
}

void engine_registrations_gap(struct engine *engine)
{
	struct sip_server *server = sip_manager_server(engine->manager);

	mark_gap(engine);
	if (server)
		server->driver->contacts(server, NULL, on_contacts, engine);
}

/* --- ended by hand --- */

struct kick {
	struct engine *engine;
	struct request *req;
};

static void on_kicked(void *arg, nxv_status status, const struct nxv_error *err)
{
	struct kick *kick = arg;

	request_answer(kick->req, status, err, NULL);
	free(kick);
}

static bool wants(const struct kick *kick, const struct sip_contact *contact)
{
	return !*kick->req->args[2] || strcmp(kick->req->args[2], contact->contact) == 0;
}

static void on_kick_contacts(
	void *arg, nxv_status status, const struct sip_contact *items, size_t count, const struct nxv_error *err)
{
	struct kick *kick = arg;
	struct sip_server *server = sip_manager_server(kick->engine->manager);
	const char *username = kick->req->args[1], *contact = kick->req->args[2];
	struct nxv_error none = NXV_ERROR_INIT;
	size_t found = 0;

	for (size_t i = 0; status == NXV_OK && i < count; i++)
		found += wants(kick, &items[i]);
	if (status == NXV_OK && !found) {
		status = error_set(&none, NXV_E_NOT_FOUND, "no phone is registered with the SIP username %.64s%s%.200s", username,
			*contact ? " at " : "", contact);
		err = &none;
	}
	if (status != NXV_OK || !server)
		on_kicked(kick, status == NXV_OK ? NXV_E_UNREACHABLE : status, err);
	else if (*contact)
		server->driver->forget(server, username, contact, on_kicked, kick);
	else
		server->driver->unregister(server, username, on_kicked, kick);
}

void engine_sip_kick(struct engine *engine, struct request *req)
{
	struct sip_server *server = sip_manager_server(engine->manager);
	struct nxv_error err = NXV_ERROR_INIT;
	struct kick *kick = NULL;

	if (!server || sip_manager_state(engine->manager) != NXV_SIP_RUNNING)
		error_code(&err, NXV_E_UNREACHABLE, "sip_server_not_running", "the SIP server is not running; start it first");
	else if (!(kick = malloc(sizeof(*kick))))
		error_nomem(&err);
	if (!kick) {
		request_answer(req, err.status, &err, NULL);
		return;
	}
	*kick = (struct kick){ engine, req };
	server->driver->contacts(server, req->args[1], on_kick_contacts, kick);
}
