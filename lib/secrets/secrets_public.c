/* secrets_public.c - set, unset, list, unlock and check: secrets.h but for the rotation. */
#include <nexusvoip/secrets.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ctx.h"
#include "events/event_log.h"
#include "secrets/inside.h"

enum { VALUE_MAX_BYTES = 1024 };

static nxv_status find(const char *name, const struct config_secret **out, struct nxv_error *err)
{
	*out = name ? config_secret_find(name) : NULL;
	if (*out && (*out)->stored)
		return NXV_OK;
	return error_field(err, "name", "write twilio.auth_token, twilio.api_key_secret or trunk.password");
}

static nxv_status check_value(const char *value, struct nxv_error *err)
{
	size_t len = value ? strlen(value) : 0;

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
			len = 0;
	if (len && len <= VALUE_MAX_BYTES)
		return NXV_OK;
	return error_field(err, "value", "give 1 to %d bytes on one line, without control characters", VALUE_MAX_BYTES);
}

static nxv_status current(struct secrets *secrets, struct sealing *out, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(secrets->db, DB_READ, &tx, err);

	if (status != NXV_OK)
		return status;
	status = sealing_load(tx, out, err);
	db_rollback(tx);
	return status;
}

/* What was sealed outside the transaction goes in only if its key is still the one. */
static nxv_status store(nxv_ctx *ctx, const char *name, const struct sealing *sealing, bool made, const uint8_t *sealed, size_t len,
	struct nxv_error *err)
{
	const int64_t now_ms = env_now_ms(&ctx->env);
	struct sealing found;
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(ctx->db, DB_WRITE, &tx, err);

	if (status == NXV_OK)
		status = sealing_load(tx, &found, err);
	if (status == NXV_OK && strcmp(found.id, made ? "" : sealing->id) != 0)
		status = error_code(err, NXV_E_BUSY, "sealing_key_changed", "the sealing key was changed meanwhile; try again");
	if (status == NXV_OK && made)
		status = sealing_insert(tx, sealing, err);
	if (status == NXV_OK)
		status = secret_store(tx, name, sealed, len, sealing->id, now_ms, err);
	if (status == NXV_OK)
		status = event_append(tx, now_ms, "secret.set", name, NULL, NULL, NULL, err);
	if (status == NXV_OK) {
		status = db_commit(tx, err);
		tx = NULL;
	}
	db_rollback(tx);
	return status;
}

nxv_status nxv_secret_set(nxv_ctx *ctx, const char *name, const char *value, struct nxv_error *err)
{
	const struct config_secret *secret;
	struct sealing sealing = { .id = "" };
	char key[SEALING_TEXT] = "";
	uint8_t *sealed = NULL;
	size_t len = 0;
	bool made = false;
	nxv_status status = find(name, &secret, err);

	if (status == NXV_OK)
		status = check_value(value, err);
	if (status == NXV_OK)
		status = current(ctx->secrets, &sealing, err);
	if (status == NXV_OK && !*sealing.id) {
		made = true;
		status = sealing_first(ctx->secrets, &sealing, key, err);
	} else if (status == NXV_OK) {
		status = sealing_find(ctx->secrets, &sealing, key, err);
	}
	if (status == NXV_OK)
		status = secret_seal(&ctx->env, name, sealing.id, key, value, &sealed, &len, err);
	if (status == NXV_OK)
		status = store(ctx, name, &sealing, made, sealed, len, err);
	if (status == NXV_OK && made)
		sealing_know(ctx->secrets, sealing.id, key);
	explicit_bzero(key, sizeof(key));
	free(sealed);
	return status;
}

nxv_status nxv_secret_unset(nxv_ctx *ctx, const char *name, struct nxv_error *err)
{
	const struct config_secret *secret;
	bool was_there = false;
	struct db_tx *tx = NULL;
	nxv_status status = find(name, &secret, err);

	if (status == NXV_OK)
		status = db_begin(ctx->db, DB_WRITE, &tx, err);
	if (status == NXV_OK)
		status = secret_delete(tx, name, &was_there, err);
	if (status == NXV_OK && !was_there)
		status = error_set(err, NXV_E_NOT_FOUND, "%s is not stored", name);
	if (status == NXV_OK)
		status = sealing_sweep(tx, err);
	if (status == NXV_OK)
		status = event_append(tx, env_now_ms(&ctx->env), "secret.unset", name, NULL, NULL, NULL, err);
	if (status == NXV_OK) {
		status = db_commit(tx, err);
		tx = NULL;
	}
	db_rollback(tx);
	return status;
}

static nxv_status describe(nxv_ctx *ctx, struct db_tx *tx, const struct config_secret *secret, const char *key_id, struct nxv_secret *out,
	struct nxv_error *err)
{
	uint8_t *sealed = NULL;
	size_t len;
	nxv_status status = secret_load(tx, secret->key, &sealed, &len, &out->set_at_ms, err);

	text_copy(out->name, sizeof(out->name), secret->key);
	if (sealed) {
		text_copy(out->key_id, sizeof(out->key_id), key_id);
		out->source = NXV_SECRET_STORE;
	}
	if (config_secret(ctx->cfg, secret->key))
		out->source = NXV_SECRET_ENVIRONMENT;
	free(sealed);
	return status;
}

nxv_status nxv_secret_list(nxv_ctx *ctx, struct nxv_secret_list **out, struct nxv_error *err)
{
	struct nxv_secret_list *list = calloc(1, sizeof(*list));
	struct sealing sealing = { .id = "" };
	struct db_tx *tx = NULL;
	nxv_status status;

	*out = NULL;
	if (list)
		list->items = calloc(CFG_SECRET_COUNT, sizeof(*list->items));
	status = list && list->items ? db_begin(ctx->db, DB_READ, &tx, err) : error_nomem(err);
	if (status == NXV_OK)
		status = sealing_load(tx, &sealing, err);
	for (size_t i = 0; i < CFG_SECRET_COUNT && status == NXV_OK; i++)
		if (config_secrets[i].stored)
			status = describe(ctx, tx, &config_secrets[i], sealing.id, &list->items[list->count++], err);
	db_rollback(tx);
	if (status == NXV_OK)
		*out = list;
	else
		nxv_secret_list_free(list);
	return status;
}

void nxv_secret_list_free(struct nxv_secret_list *list)
{
	if (!list)
		return;
	free(list->items);
	free(list);
}

nxv_status nxv_secret_sealing(nxv_ctx *ctx, struct nxv_sealing *out, struct nxv_error *err)
{
	struct sealing sealing;
	nxv_status status = current(ctx->secrets, &sealing, err);

	*out = (struct nxv_sealing){ .key_id = "" };
	if (status != NXV_OK)
		return status;
	text_copy(out->key_id, sizeof(out->key_id), sealing.id);
	text_copy(out->kind, sizeof(out->kind), sealing.kind);
	out->created_at_ms = sealing.created_at_ms;
	return NXV_OK;
}

static nxv_status replace_passphrase(struct secrets *secrets, const char *passphrase, struct nxv_error *err)
{
	char *copy = text_dup(passphrase);

	if (passphrase && !copy)
		return error_nomem(err);
	pthread_mutex_lock(&secrets->lock);
	text_wipe_free(secrets->passphrase);
	secrets->passphrase = copy;
	secrets->wrong_id[0] = '\0';
	pthread_mutex_unlock(&secrets->lock);
	return NXV_OK;
}

nxv_status nxv_secret_unlock(nxv_ctx *ctx, const char *passphrase, struct nxv_error *err)
{
	struct sealing sealing;
	char key[SEALING_TEXT] = "";
	nxv_status status = check_value(passphrase, err);

	if (status == NXV_OK)
		status = current(ctx->secrets, &sealing, err);
	if (status == NXV_OK)
		status = replace_passphrase(ctx->secrets, passphrase, err);
	if (status == NXV_OK && strcmp(sealing.kind, SEALED_BY_PASSPHRASE) == 0) {
		status = sealing_find(ctx->secrets, &sealing, key, err);
		if (status != NXV_OK)
			replace_passphrase(ctx->secrets, NULL, NULL);
	}
	explicit_bzero(key, sizeof(key));
	return status;
}

nxv_status nxv_secret_check(nxv_ctx *ctx, struct nxv_error *err)
{
	struct sealing sealing;
	char key[SEALING_TEXT] = "";
	nxv_status status = current(ctx->secrets, &sealing, err);

	if (status == NXV_OK && *sealing.id)
		status = sealing_find(ctx->secrets, &sealing, key, err);
	explicit_bzero(key, sizeof(key));
	for (size_t i = 0; i < CFG_SECRET_COUNT && status == NXV_OK; i++) {
		char *value = NULL;

		if (config_secrets[i].stored)
			status = secret_get(ctx->secrets, config_secrets[i].key, &value, err);
		text_wipe_free(value);
		if (status == NXV_E_NOT_FOUND) {
			error_clear(err);
			status = NXV_OK;
		}
	}
	return status;
}
