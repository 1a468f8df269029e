/* sealing.c - the sealing key: found among its sources, told right from wrong by what is stored of it, or made. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/id.h"
#include "base/seal.h"
#include "base/text.h"
#include "secrets/inside.h"

#define KNOWN_TEXT "nexusvoip"
#define PASSPHRASE_CREDENTIAL "nexusvoip.passphrase"
#define KEY_CREDENTIAL "nexusvoip.key"

enum { WRONG_MS = 5000 };

/* A search for the key of a record. */
struct search {
	struct secrets *secrets;
	const struct sealing *sealing;
	char *key;
	bool seen;  /* there was something to try */
	bool found;
};

static struct seal_binding binding(const char *key, const char *id)
{
	return (struct seal_binding){ .secret = key, .context = "nexusvoip sealing key", .bound = id, .bound_len = strlen(id) };
}

bool sealing_fits(const struct sealing *sealing, const char *key)
{
	const struct seal_binding to = binding(key, sealing->id);
	char *text = NULL;
	bool fits = seal_open(&to, sealing->verifier, sealing->verifier_len, &text, NULL) == NXV_OK && strcmp(text, KNOWN_TEXT) == 0;

	free(text);
	return fits;
}

static bool is_key(const char *text)
{
	return strlen(text) == SEALING_TEXT - 1 && strspn(text, "0123456789abcdef") == SEALING_TEXT - 1;
}

static nxv_status stretched(const char *passphrase, const struct sealing *sealing, char key[SEALING_TEXT], struct nxv_error *err)
{
	uint8_t raw[STRETCH_KEY_BYTES];
	nxv_status status = stretch(passphrase, sealing->salt, &sealing->cost, raw, err);

	if (status == NXV_OK)
		text_hex(raw, sizeof(raw), key);
	explicit_bzero(raw, sizeof(raw));
	return status;
}

/* Try a text, which is wiped and freed; NULL is nothing. */
static nxv_status attempt(struct search *search, char *text, struct nxv_error *err)
{
	const bool by_key = strcmp(search->sealing->kind, SEALED_BY_KEY) == 0;
	nxv_status status = NXV_OK;

	if (text && !search->found) {
		search->seen = true;
		if (!by_key)
			status = stretched(text, search->sealing, search->key, err);
		else if (is_key(text))
			memcpy(search->key, text, SEALING_TEXT);
		search->found = status == NXV_OK && (!by_key || is_key(text)) && sealing_fits(search->sealing, search->key);
	}
	text_wipe_free(text);
	return status;
}

/* Takes path over. */
static nxv_status attempt_file(struct search *search, char *path, bool strict, struct nxv_error *err)
{
	char *text = NULL;
	nxv_status status = path && !search->found ? key_file_read(path, strict, &text, err) : NXV_OK;

	free(path);
	return status == NXV_OK ? attempt(search, text, err) : status;
}

static char *passphrase_path(const struct secrets *secrets)
{
	const char *path = config_text(secrets->cfg, CFG_SECRETS_PASSPHRASE_FILE);

	return *path ? text_dup(path) : NULL;
}

static nxv_status try_all(struct search *search, struct nxv_error *err)
{
	struct secrets *secrets = search->secrets;
	nxv_status status;

	if (strcmp(search->sealing->kind, SEALED_BY_KEY) == 0) {
		status = attempt_file(search, key_file_credential(secrets, KEY_CREDENTIAL), false, err);
		if (status == NXV_OK)
			status = attempt_file(search, key_file_path(secrets, ""), true, err);
		if (status == NXV_OK)
			status = attempt_file(search, key_file_path(secrets, KEY_FILE_NEXT), true, err);
		return status;
	}
	status = attempt(search, text_dup(secrets->passphrase), err);
	if (status == NXV_OK)
		status = attempt(search, text_dup(config_secret(secrets->cfg, "secrets.passphrase")), err);
	if (status == NXV_OK)
		status = attempt_file(search, key_file_credential(secrets, PASSPHRASE_CREDENTIAL), false, err);
	if (status == NXV_OK)
		status = attempt_file(search, passphrase_path(secrets), true, err);
	return status;
}

static nxv_status not_found(const struct search *search, struct nxv_error *err)
{
	const bool by_key = strcmp(search->sealing->kind, SEALED_BY_KEY) == 0;
	char *path = key_file_path(search->secrets, "");
	nxv_status status;

	if (by_key && search->seen)
		status = error_code(err, NXV_E_DENIED, "wrong_sealing_key",
			"the key in %s is not the one that sealed the secrets; put that one back. Nothing was changed", path ? path : "its file");
	else if (by_key)
		status = error_code(err, NXV_E_DENIED, "sealing_key_missing",
			"the key that sealed the secrets is not there: put it into %s or the systemd credential " KEY_CREDENTIAL,
			path ? path : "its file");
	else if (search->seen)
		status = error_code(err, NXV_E_DENIED, "wrong_sealing_key",
			"this is not the passphrase that sealed the secrets; nothing was changed");
	else
		status = error_code(err, NXV_E_DENIED, "sealing_key_missing",
			"the secrets are sealed by a passphrase: give it by NEXUSVOIP_SECRETS_PASSPHRASE, secrets.passphrase_file or "
			"the systemd credential " PASSPHRASE_CREDENTIAL);
	free(path);
	return status;
}

/* Stretching a wrong passphrase at every webhook would cost a core: for a while it stays wrong. */
static bool still_wrong(const struct secrets *secrets, const struct sealing *sealing)
{
	const int64_t age_ms = env_now_ms(secrets->env) - secrets->wrong_at_ms;

	return strcmp(secrets->wrong_id, sealing->id) == 0 && age_ms >= 0 && age_ms < WRONG_MS;
}

static nxv_status search_key(struct search *search, struct nxv_error *err)
{
	struct secrets *secrets = search->secrets;
	nxv_status status = NXV_OK;

	if (still_wrong(secrets, search->sealing))
		search->seen = true;
	else
		status = try_all(search, err);
	if (status != NXV_OK || search->found)
		return status;
	if (search->seen && strcmp(search->sealing->kind, SEALED_BY_PASSPHRASE) == 0 && !still_wrong(secrets, search->sealing)) {
		text_copy(secrets->wrong_id, sizeof(secrets->wrong_id), search->sealing->id);
		secrets->wrong_at_ms = env_now_ms(secrets->env);
	}
	return not_found(search, err);
}

nxv_status sealing_find(struct secrets *secrets, const struct sealing *sealing, char key[SEALING_TEXT], struct nxv_error *err)
{
	struct search search = { .secrets = secrets, .sealing = sealing, .key = key };
	nxv_status status = NXV_OK;

	pthread_mutex_lock(&secrets->lock);
	if (strcmp(secrets->known_id, sealing->id) == 0) {
		memcpy(key, secrets->known, SEALING_TEXT);
	} else {
		status = search_key(&search, err);
		if (status == NXV_OK) {
			text_copy(secrets->known_id, sizeof(secrets->known_id), sealing->id);
			memcpy(secrets->known, key, SEALING_TEXT);
		}
	}
	pthread_mutex_unlock(&secrets->lock);
	if (status != NXV_OK)
		explicit_bzero(key, SEALING_TEXT);
	return status;
}

void sealing_know(struct secrets *secrets, const char *id, const char *key)
{
	pthread_mutex_lock(&secrets->lock);
	explicit_bzero(secrets->known, sizeof(secrets->known));
	text_copy(secrets->known_id, sizeof(secrets->known_id), id);
	if (*id)
		memcpy(secrets->known, key, SEALING_TEXT);
	pthread_mutex_unlock(&secrets->lock);
}

nxv_status sealing_random(const struct env *env, char key[SEALING_TEXT], struct nxv_error *err)
{
	uint8_t raw[STRETCH_KEY_BYTES];
	nxv_status status = env_random(env, raw, sizeof(raw), err);

	if (status == NXV_OK)
		text_hex(raw, sizeof(raw), key);
	explicit_bzero(raw, sizeof(raw));
	return status;
}

nxv_status sealing_new(
	struct secrets *secrets, const char *passphrase, struct sealing *out, char key[SEALING_TEXT], struct nxv_error *err)
{
	const struct stretch_cost cost = STRETCH_COST;
	char *id = id_new("seal");
	uint8_t *verifier = NULL;
	struct seal_binding to;
	nxv_status status;

	*out = (struct sealing){ .cost = cost, .created_at_ms = env_now_ms(secrets->env) };
	if (!id)
		return error_nomem(err);
	text_copy(out->id, sizeof(out->id), id);
	text_copy(out->kind, sizeof(out->kind), passphrase ? SEALED_BY_PASSPHRASE : SEALED_BY_KEY);
	free(id);
	status = env_random(secrets->env, out->salt, sizeof(out->salt), err);
	if (status == NXV_OK && passphrase)
		status = stretched(passphrase, out, key, err);
	if (status != NXV_OK)
		return status;
	to = binding(key, out->id);
	status = seal_text(secrets->env, &to, KNOWN_TEXT, &verifier, &out->verifier_len, err);
	if (status == NXV_OK)
		memcpy(out->verifier, verifier, out->verifier_len);
	free(verifier);
	return status;
}

/* The passphrase that there is, or NULL. @param text [owned] */
static nxv_status any_passphrase(struct secrets *secrets, char **text, struct nxv_error *err)
{
	char *credential = key_file_credential(secrets, PASSPHRASE_CREDENTIAL), *file = passphrase_path(secrets);
	const char *given;
	nxv_status status = NXV_OK;

	pthread_mutex_lock(&secrets->lock);
	given = secrets->passphrase ? secrets->passphrase : config_secret(secrets->cfg, "secrets.passphrase");
	*text = text_dup(given);
	if (given && !*text)
		status = error_nomem(err);
	pthread_mutex_unlock(&secrets->lock);
	if (status == NXV_OK && !*text && credential)
		status = key_file_read(credential, false, text, err);
	if (status == NXV_OK && !*text && file)
		status = key_file_read(file, true, text, err);
	if (status == NXV_OK && !*text && file)
		status = error_code(err, NXV_E_DENIED, "sealing_key_missing", "there is no file %s (secrets.passphrase_file)", file);
	free(credential);
	free(file);
	return status;
}

/* The key of the key file or credential. It may be made by another process at the same time: what lies there then counts. */
static nxv_status any_key(struct secrets *secrets, char key[SEALING_TEXT], struct nxv_error *err)
{
	char *credential = key_file_credential(secrets, KEY_CREDENTIAL), *path = key_file_path(secrets, ""), *text = NULL;
	nxv_status status = path ? NXV_OK : error_nomem(err);

	if (status == NXV_OK && credential)
		status = key_file_read(credential, false, &text, err);
	if (status == NXV_OK && !text)
		status = key_file_read(path, true, &text, err);
	if (status == NXV_OK && !text) {
		status = sealing_random(secrets->env, key, err);
		if (status == NXV_OK)
			status = key_file_write(path, key, false, err);
		if (status == NXV_OK || status == NXV_E_CONFLICT)
			status = key_file_read(path, true, &text, err);
	}
	if (status == NXV_OK && (!text || !is_key(text)))
		status = error_code(err, NXV_E_DENIED, "wrong_sealing_key",
			"the sealing key must be one line of %d digits 0-9 a-f; `openssl rand -hex %d` makes one", SEALING_TEXT - 1,
			STRETCH_KEY_BYTES);
	else if (status == NXV_OK)
		memcpy(key, text, SEALING_TEXT);
	text_wipe_free(text);
	free(credential);
	free(path);
	return status;
}

nxv_status sealing_first(struct secrets *secrets, struct sealing *out, char key[SEALING_TEXT], struct nxv_error *err)
{
	char *passphrase = NULL;
	nxv_status status = any_passphrase(secrets, &passphrase, err);

	if (status == NXV_OK && !passphrase)
		status = any_key(secrets, key, err);
	if (status == NXV_OK)
		status = sealing_new(secrets, passphrase, out, key, err);
	text_wipe_free(passphrase);
	return status;
}
