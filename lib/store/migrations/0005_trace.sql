-- What went over the wire for a call, and which call a use of a key was about: together with the events, its timeline.
CREATE TABLE trace (
	id         INTEGER PRIMARY KEY AUTOINCREMENT, -- rises in the order things were seen
	session_id TEXT NOT NULL,                     -- no foreign key: an entry may be stored before or after its call
	at_ms      INTEGER NOT NULL,
	kind       INTEGER NOT NULL,                  -- enum nxv_trace_kind
	leg        TEXT NOT NULL,                     -- 'a', 'b' or ''
	sent       INTEGER NOT NULL,                  -- 1: by the gateway
	summary    TEXT NOT NULL,
	detail     TEXT
);
CREATE INDEX trace_session ON trace (session_id, id);
CREATE INDEX trace_age ON trace (at_ms);
ALTER TABLE usage_row ADD COLUMN subject TEXT;
CREATE INDEX usage_subject ON usage_row (subject, at_ms, id) WHERE subject IS NOT NULL;
