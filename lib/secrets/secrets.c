/* secrets.c - sealing and opening one secret, and the value in force for those who use it. */
#include "secrets/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/seal.h"
#include "base/text.h"
#include "secrets/inside.h"

nxv_status secrets_open(const struct env *env, struct db *db, const struct config *cfg, const char *state_dir,
	struct secrets **out, struct nxv_error *err)
{
	struct secrets *secrets = calloc(1, sizeof(*secrets));

	*out = secrets;
	if (!secrets)
		return error_nomem(err);
	secrets->env = env;
	secrets->db = db;
	secrets->cfg = cfg;
	secrets->state_dir = state_dir;
	pthread_mutex_init(&secrets->lock, NULL);
	return NXV_OK;
}

void secrets_close(struct secrets *secrets)
{
	if (!secrets)
		return;
	text_wipe_free(secrets->passphrase);
	explicit_bzero(secrets->known, sizeof(secrets->known));
	pthread_mutex_destroy(&secrets->lock);
	free(secrets);
}

static char *bound_text(const char *name, const char *key_id)
{
	return text_printf("%s\n%s", name, key_id);
}

static struct seal_binding binding(const char *key, const char *bound)
{
	return (struct seal_binding){ .secret = key, .context = "nexusvoip secret", .bound = bound, .bound_len = strlen(bound) };
}

nxv_status secret_seal(const struct env *env, const char *name, const char *key_id, const char *key, const char *value,
	uint8_t **sealed, size_t *len, struct nxv_error *err)
{
	char *bound = bound_text(name, key_id);
	struct seal_binding to;
	nxv_status status;

	*sealed = NULL;
	if (!bound)
		return error_nomem(err);
	to = binding(key, bound);
	status = seal_text(env, &to, value, sealed, len, err);
	free(bound);
	return status;
}

nxv_status secret_open(const char *name, const char *key_id, const char *key, const uint8_t *sealed, size_t len, char **value,
	struct nxv_error *err)
{
	char *bound = bound_text(name, key_id);
	struct seal_binding to;
	nxv_status status;

	*value = NULL;
	if (!bound)
		return error_nomem(err);
	to = binding(key, bound);
	status = seal_open(&to, sealed, len, value, err);
	if (status == NXV_E_INVALID)
		status = error_code(err, NXV_E_STORE, "secret_damaged", "%s was altered in the database; store it again with `nexusctl secrets set %s`",
			name, name);
	free(bound);
	return status;
}

static nxv_status none(const struct config_secret *secret, struct nxv_error *err)
{
	return error_code(err, NXV_E_NOT_FOUND, "no_secret", "%s is not set; store it with `nexusctl secrets set %s`, or set %s",
		secret->key, secret->key, secret->env);
}

static nxv_status from_store(struct secrets *secrets, const struct config_secret *secret, char **value, struct nxv_error *err)
{
	struct sealing sealing = { .id = "" };
	char key[SEALING_TEXT] = "";
	uint8_t *sealed = NULL;
	size_t len = 0;
	int64_t set_at_ms;
	struct db_tx *tx;
	nxv_status status = db_begin(secrets->db, DB_READ, &tx, err);

	if (status != NXV_OK)
		return status;
	status = secret_load(tx, secret->key, &sealed, &len, &set_at_ms, err);
	if (status == NXV_OK)
		status = sealed ? sealing_load(tx, &sealing, err) : none(secret, err);
	db_rollback(tx);
	if (status == NXV_OK)
		status = sealing_find(secrets, &sealing, key, err);
	if (status == NXV_OK)
		status = secret_open(secret->key, sealing.id, key, sealed, len, value, err);
	explicit_bzero(key, sizeof(key));
	free(sealed);
	return status;
}

nxv_status secret_get(struct secrets *secrets, const char *name, char **value, struct nxv_error *err)
{
	const struct config_secret *secret = config_secret_find(name);
	const char *given = config_secret(secrets->cfg, name);

	*value = NULL;
	if (!secret || !secret->stored)
		return error_set(err, NXV_E_INTERNAL, "there is no secret %s", name);
	if (!given)
		return from_store(secrets, secret, value, err);
	*value = text_dup(given);
	return *value ? NXV_OK : error_nomem(err);
}
