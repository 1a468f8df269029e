-- Calls that Twilio carries: what was asked for, before a byte of it was sent, and what Twilio told since.
CREATE TABLE twilio_call (
	session_id   TEXT PRIMARY KEY REFERENCES session (id) ON DELETE CASCADE,
	stage        TEXT NOT NULL,               -- waiting (nothing sent), sending (may have been), open (SID known), closed
	place        INTEGER NOT NULL,            -- in the line of those that wait
	to_address   TEXT NOT NULL,               -- as sent
	from_address TEXT NOT NULL,
	dial_address TEXT NOT NULL,               -- what the TwiML dials then
	callee_first INTEGER NOT NULL DEFAULT 0,
	call_sid     TEXT UNIQUE,
	stored_at_ms INTEGER NOT NULL,
	sent_at_ms   INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX twilio_call_line ON twilio_call (place) WHERE stage = 'waiting';

CREATE TABLE twilio_callback (                -- good webhooks, in order of arrival
	id          INTEGER PRIMARY KEY,
	session_id  TEXT NOT NULL REFERENCES twilio_call (session_id) ON DELETE CASCADE,
	mark        TEXT NOT NULL UNIQUE,         -- what makes it the same as another: SID and sequence number, else a digest
	token       TEXT UNIQUE,                  -- I-Twilio-Idempotency-Token
	call_sid    TEXT NOT NULL,
	parent_sid  TEXT,
	sequence    INTEGER NOT NULL DEFAULT -1,
	status      TEXT NOT NULL,
	dial_status TEXT,                         -- of the action URL of <Dial>
	dial_sid    TEXT,
	duration    INTEGER NOT NULL DEFAULT -1,  -- seconds
	sip_code    INTEGER NOT NULL DEFAULT 0,
	at_ms       INTEGER NOT NULL              -- when it happened
);
CREATE INDEX twilio_callback_session ON twilio_callback (session_id, id);
CREATE INDEX twilio_callback_call ON twilio_callback (call_sid, sequence);

ALTER TABLE session ADD COLUMN end_wanted TEXT;       -- the event that ends it, ordered from a carrier that must confirm
ALTER TABLE session ADD COLUMN callee_first INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN error_code TEXT;       -- why it was not placed, or what holds it up
ALTER TABLE session ADD COLUMN error_detail INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN error_message TEXT;
