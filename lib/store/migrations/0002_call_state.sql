-- What a carrier needs to go on with a call after a crash, in its own words. Gone with the end of the call.
CREATE TABLE call_state (
	session_id   TEXT PRIMARY KEY REFERENCES session (id) ON DELETE CASCADE,
	state        TEXT NOT NULL,
	stored_at_ms INTEGER NOT NULL
);
