-- The telephone numbers that a user may show as caller ID.
CREATE TABLE caller (
	user_id     TEXT NOT NULL,
	number      TEXT NOT NULL,
	added_at_ms INTEGER NOT NULL,
	PRIMARY KEY (user_id, number)
) WITHOUT ROWID;
-- A key's calls of the last 24 hours.
CREATE INDEX session_key ON session (key_id, started_at_ms) WHERE key_id IS NOT NULL;
