/* setting.c - the setting table. */
#include "store/setting.h"

#include <string.h>

#include "base/leg_token.h"
#include "base/text.h"

nxv_status setting_get(struct db_tx *tx, const char *name, char *value, size_t size, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(tx, "SELECT value FROM setting WHERE name = ?", &stmt, err);

	value[0] = '\0';
	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, name);
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && row)
		text_copy(value, size, db_text(stmt, 0));
	db_done(stmt);
	return status;
}

nxv_status setting_put(struct db_tx *tx, const char *name, const char *value, struct nxv_error *err)
{
	return db_run(tx, "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		err, "tt", name, value);
}

nxv_status setting_read(struct db *db, const char *name, char *value, size_t size, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(db, DB_READ, &tx, err);

	value[0] = '\0';
	if (status != NXV_OK)
		return status;
	status = setting_get(tx, name, value, size, err);
	db_rollback(tx);
	return status;
}

nxv_status setting_write(struct db *db, const char *name, const char *value, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(db, DB_WRITE, &tx, err);

	if (status != NXV_OK)
		return status;
	status = setting_put(tx, name, value, err);
	if (status == NXV_OK)
		return db_commit(tx, err);
	db_rollback(tx);
	return status;
}

/* Looked for again under the write lock: another process may have made it meanwhile. */
static nxv_status make_leg_key(struct db_tx *tx, const struct env *env, char *key, size_t size, struct nxv_error *err)
{
	uint8_t random[LEG_KEY_TEXT / 2];
	char made[LEG_KEY_TEXT + 1];
	nxv_status status = setting_get(tx, SETTING_LEG_KEY, key, size, err);

	if (status == NXV_OK && !*key) {
		status = env_random(env, random, sizeof(random), err);
		text_hex(random, sizeof(random), made);
		if (status == NXV_OK)
			status = setting_put(tx, SETTING_LEG_KEY, made, err);
		if (status == NXV_OK)
			text_copy(key, size, made);
		explicit_bzero(random, sizeof(random));
		explicit_bzero(made, sizeof(made));
	}
	return status;
}

nxv_status setting_leg_key(struct db *db, const struct env *env, char *key, size_t size, struct nxv_error *err)
{
	struct db_tx *tx = NULL;
	nxv_status status = setting_read(db, SETTING_LEG_KEY, key, size, err);

	if (status != NXV_OK || *key)
		return status;
	status = db_begin(db, DB_WRITE, &tx, err);
	if (status == NXV_OK)
		status = make_leg_key(tx, env, key, size, err);
	if (status == NXV_OK) {
		status = db_commit(tx, err);
		tx = NULL;
	}
	db_rollback(tx);
	return status;
}
