-- Secrets, sealed at rest, and what is known of the key that seals them all: never the key itself.
CREATE TABLE seal_key (
	id            TEXT PRIMARY KEY,
	kind          TEXT NOT NULL,              -- "passphrase" or "key"
	salt          BLOB NOT NULL,              -- of Argon2id, with its costs; unused by a key
	passes        INTEGER NOT NULL,
	memory_kib    INTEGER NOT NULL,
	verifier      BLOB NOT NULL,              -- a known text, sealed: tells a wrong passphrase from damage
	created_at_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE secret (
	name      TEXT PRIMARY KEY,
	sealed    BLOB NOT NULL,
	key_id    TEXT NOT NULL REFERENCES seal_key (id),
	set_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
