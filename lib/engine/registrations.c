/* registrations.c - after the SIP server was out of reach: registrations of credentials revoked meanwhile are ended. */
#include <stdlib.h>
#include <string.h>

#include "engine/inside.h"
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

void engine_check_registrations(struct engine *engine)
{
	struct sip_server *server = sip_manager_server(engine->manager);

	if (server)
		server->driver->contacts(server, NULL, on_contacts, engine);
}
