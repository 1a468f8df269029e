-- The telephone numbers that reach our users.
CREATE TABLE number (
	number      TEXT PRIMARY KEY,
	user_id     TEXT NOT NULL,
	added_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
