/* rotate.c - sealing everything by a new key. Whatever step is the last one, the key that fits is there:
 * the new key lies beside the old one until the database that needs it is on the disk. */
#include <nexusvoip/secrets.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "ctx.h"
#include "events/event_log.h"
#include "secrets/inside.h"

/* One at a time: the files and the database are changed one after the other. */
static nxv_status lock_rotation(const nxv_ctx *ctx, int *fd, struct nxv_error *err)
{
	char *path = text_printf("%s/secrets.lock", ctx->state_dir);
	nxv_status status = NXV_OK;

	if (!path)
		return error_nomem(err);
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd < 0 || flock(*fd, LOCK_EX) != 0)
		status = error_errno(err, errno, "cannot lock %s", path);
	free(path);
	return status;
}

/* What a rotation that was cut off left undone: the new key fits already and has not got its name. */
static nxv_status finish_last(const struct sealing *sealing, const char *file, const char *next, struct nxv_error *err)
{
	char *text = NULL;
	nxv_status status = key_file_read(next, true, &text, err);

	if (status == NXV_OK && text && strcmp(sealing->kind, SEALED_BY_KEY) == 0 && sealing_fits(sealing, text))
		status = key_file_rename(next, file, err);
	text_wipe_free(text);
	return status;
}

struct reseal {
	nxv_ctx *ctx;
	struct db_tx *tx;
	const struct sealing *from, *to;
	const char *from_key, *to_key;
};

static nxv_status reseal_one(const struct reseal *r, const char *name, struct nxv_error *err)
{
	uint8_t *old = NULL, *fresh = NULL;
	size_t old_len, fresh_len = 0;
	int64_t set_at_ms;
	char *value = NULL;
	nxv_status status = secret_load(r->tx, name, &old, &old_len, &set_at_ms, err);

	if (status == NXV_OK && old) {
		status = secret_open(name, r->from->id, r->from_key, old, old_len, &value, err);
		if (status == NXV_OK)
			status = secret_seal(&r->ctx->env, name, r->to->id, r->to_key, value, &fresh, &fresh_len, err);
		if (status == NXV_OK)
			status = secret_store(r->tx, name, fresh, fresh_len, r->to->id, set_at_ms, err);
	}
	text_wipe_free(value);
	free(old);
	free(fresh);
	return status;
}

static nxv_status reseal_all(struct reseal *r, struct nxv_error *err)
{
	struct sealing found;
	nxv_status status = db_begin(r->ctx->db, DB_WRITE, &r->tx, err);

	if (status != NXV_OK)
		return status;
	status = sealing_load(r->tx, &found, err);
	if (status == NXV_OK && strcmp(found.id, r->from->id) != 0)
		status = error_code(err, NXV_E_BUSY, "sealing_key_changed", "the sealing key was changed meanwhile; try again");
	if (status == NXV_OK)
		status = sealing_insert(r->tx, r->to, err);
	for (size_t i = 0; i < CFG_SECRET_COUNT && status == NXV_OK; i++)
		status = reseal_one(r, config_secrets[i].key, err);
	if (status == NXV_OK)
		status = sealing_sweep(r->tx, err);
	if (status == NXV_OK)
		status = event_append(r->tx, r->to->created_at_ms, "secret.rotated", r->to->id, NULL, NULL, NULL, err);
	if (status == NXV_OK)
		return db_commit(r->tx, err);
	db_rollback(r->tx);
	return status;
}

/* The new key gets the key file's name once the disk has the database that needs it. If it has not, the key stays
 * where it is: it is looked for there, too. */
static void settle(nxv_ctx *ctx, const char *file, const char *next)
{
	struct nxv_error err = NXV_ERROR_INIT;

	env_log(&ctx->env, NXV_LOG_INFO, "secrets", "sealed by a new key");
	if (db_sync(ctx->db, &err) != NXV_OK || key_file_rename(next, file, &err) != NXV_OK)
		env_log(&ctx->env, NXV_LOG_WARN, "secrets", "the new key stays in %s for now: %s", next, err.message);
}

static nxv_status rotate(nxv_ctx *ctx, const char *passphrase, const char *file, const char *next, struct nxv_error *err)
{
	struct sealing from, to;
	char from_key[SEALING_TEXT] = "", to_key[SEALING_TEXT] = "";
	struct reseal r = { .ctx = ctx, .from = &from, .to = &to, .from_key = from_key, .to_key = to_key };
	struct db_tx *tx;
	nxv_status status = db_begin(ctx->db, DB_READ, &tx, err);

	if (status != NXV_OK)
		return status;
	status = sealing_load(tx, &from, err);
	db_rollback(tx);
	if (status == NXV_OK && !*from.id)
		status = error_code(err, NXV_E_CONFLICT, "no_secrets", "no secret is stored, so there is nothing to seal anew");
	if (status == NXV_OK)
		status = finish_last(&from, file, next, err);
	if (status == NXV_OK)
		status = sealing_find(ctx->secrets, &from, from_key, err);
	if (status == NXV_OK && !passphrase)
		status = sealing_random(&ctx->env, to_key, err);
	if (status == NXV_OK)
		status = sealing_new(ctx->secrets, passphrase, &to, to_key, err);
	if (status == NXV_OK && !passphrase)
		status = key_file_write(next, to_key, true, err);
	if (status == NXV_OK)
		status = reseal_all(&r, err);
	if (status == NXV_OK) {
		sealing_know(ctx->secrets, to.id, to_key);
		if (!passphrase)
			settle(ctx, file, next);
	}
	explicit_bzero(from_key, sizeof(from_key));
	explicit_bzero(to_key, sizeof(to_key));
	return status;
}

nxv_status nxv_secret_rotate(nxv_ctx *ctx, const char *new_passphrase, struct nxv_error *err)
{
	char *file = key_file_path(ctx->secrets, ""), *next = key_file_path(ctx->secrets, KEY_FILE_NEXT);
	int lock = -1;
	nxv_status status = file && next ? NXV_OK : error_nomem(err);

	if (status == NXV_OK && new_passphrase && (!*new_passphrase || strlen(new_passphrase) > PASSPHRASE_MAX_BYTES))
		status = error_field(err, "passphrase", "give 1 to %d bytes", PASSPHRASE_MAX_BYTES);
	if (status == NXV_OK)
		status = lock_rotation(ctx, &lock, err);
	if (status == NXV_OK)
		status = rotate(ctx, new_passphrase, file, next, err);
	if (lock >= 0)
		close(lock);
	free(file);
	free(next);
	return status;
}
