-- Recordings of calls at Twilio: whose they are, and what was last heard of them. Their sound stays there.
CREATE TABLE recording (
	id               TEXT PRIMARY KEY,            -- Twilio's SID
	session_id       TEXT NOT NULL,
	user_id          TEXT NOT NULL,
	status           TEXT NOT NULL,               -- Twilio's word; deleted: kept, so that what comes late does not revive it
	duration_seconds INTEGER NOT NULL DEFAULT -1, -- -1: not known yet
	channels         INTEGER NOT NULL DEFAULT 0,
	created_at_ms    INTEGER NOT NULL,
	updated_at_ms    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX recording_session ON recording (session_id, created_at_ms, id);

CREATE TABLE recording_start (                -- starts under way, one a call
	session_id TEXT PRIMARY KEY,
	at_ms      INTEGER NOT NULL
) WITHOUT ROWID;
