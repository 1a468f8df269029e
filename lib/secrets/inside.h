/* inside.h - what the files of lib/secrets share: the record of the sealing key, its sources and the tables. */
#ifndef NXV_SECRETS_INSIDE_H
#define NXV_SECRETS_INSIDE_H

#include <pthread.h>

#include "base/stretch.h"
#include "secrets/secrets.h"

enum { SEALING_TEXT = 2 * STRETCH_KEY_BYTES + 1, PASSPHRASE_MAX_BYTES = 1024 };
#define SEALED_BY_PASSPHRASE "passphrase"
#define SEALED_BY_KEY "key"

struct secrets {
	const struct env *env;
	struct db *db;
	const struct config *cfg;
	const char *state_dir;
	pthread_mutex_t lock;       /**< guards what follows */
	char *passphrase;           /**< given by nxv_secret_unlock(); NULL: none */
	char known_id[48];          /**< the sealing key that was found last; "": none */
	char known[SEALING_TEXT];   /**< as hexadecimal text */
	char wrong_id[48];          /**< the sealing key that no passphrase fitted, at wrong_at_ms */
	int64_t wrong_at_ms;
};

/** What is stored of a sealing key. */
struct sealing {
	char id[48]; /**< "" : nothing is sealed yet */
	char kind[16];
	uint8_t salt[STRETCH_SALT_BYTES];
	struct stretch_cost cost;
	uint8_t verifier[64];
	size_t verifier_len;
	int64_t created_at_ms;
};

/* sealing.c */
/** True when this is the key. */
bool sealing_fits(const struct sealing *sealing, const char *key);
/** The key, from its sources or from memory. Errors: NXV_E_DENIED. */
nxv_status sealing_find(struct secrets *secrets, const struct sealing *sealing, char key[SEALING_TEXT], struct nxv_error *err);
/** The record of a new key. @param passphrase NULL: key holds a random one already; else key is filled. */
nxv_status sealing_new(struct secrets *secrets, const char *passphrase, struct sealing *out, char key[SEALING_TEXT], struct nxv_error *err);
/** What the first secret will be sealed by: a passphrase if there is one, else the key file, made when it is missing. */
nxv_status sealing_first(struct secrets *secrets, struct sealing *out, char key[SEALING_TEXT], struct nxv_error *err);
nxv_status sealing_random(const struct env *env, char key[SEALING_TEXT], struct nxv_error *err);
/** Remember (id "": forget) a key. */
void sealing_know(struct secrets *secrets, const char *id, const char *key);

/* key_file.c. While a rotation is not finished, the new key lies beside the key file, with this at its name's end. */
#define KEY_FILE_NEXT ".new"
/** Path of the key file. @return [owned]; NULL when memory ran out. */
char *key_file_path(const struct secrets *secrets, const char *suffix);
/** Path of a systemd credential. @return [owned]; NULL: there are no credentials (or no memory). */
char *key_file_credential(const struct secrets *secrets, const char *name);
/** First line of a secret file. *text [owned], NULL when there is no such file. @param strict refuse what others may read. */
nxv_status key_file_read(const char *path, bool strict, char **text, struct nxv_error *err);
/** Write a new file of mode 0600, durably; one that is there stays (NXV_E_CONFLICT) unless over is true. */
nxv_status key_file_write(const char *path, const char *text, bool over, struct nxv_error *err);
nxv_status key_file_rename(const char *from, const char *to, struct nxv_error *err);

/* secret_sql.c */
nxv_status sealing_load(struct db_tx *tx, struct sealing *out, struct nxv_error *err);
nxv_status sealing_insert(struct db_tx *tx, const struct sealing *sealing, struct nxv_error *err);
/** Forget every sealing key that seals nothing. */
nxv_status sealing_sweep(struct db_tx *tx, struct nxv_error *err);
nxv_status secret_load(struct db_tx *tx, const char *name, uint8_t **sealed, size_t *len, int64_t *set_at_ms, struct nxv_error *err);
nxv_status secret_store(struct db_tx *tx, const char *name, const uint8_t *sealed, size_t len, const char *key_id, int64_t set_at_ms, struct nxv_error *err);
nxv_status secret_delete(struct db_tx *tx, const char *name, bool *was_there, struct nxv_error *err);

/* secrets.c: bound to the name and to the key's id, so that no row can stand for another. */
nxv_status secret_seal(const struct env *env, const char *name, const char *key_id, const char *key, const char *value, uint8_t **sealed, size_t *len, struct nxv_error *err);
nxv_status secret_open(const char *name, const char *key_id, const char *key, const uint8_t *sealed, size_t len, char **value, struct nxv_error *err);

#endif
