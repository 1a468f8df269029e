-- Webhooks of recordings that were taken in, so that none is taken twice.
CREATE TABLE recording_callback (
	mark         TEXT PRIMARY KEY, -- the recording's SID and the status told
	token        TEXT UNIQUE,      -- I-Twilio-Idempotency-Token
	recording_id TEXT NOT NULL,
	at_ms        INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX recording_callback_recording ON recording_callback (recording_id);
