-- The first schema: keys, credentials, sessions, slots, events, usage, idempotency, settings. Times are ms since 1970 UTC.
CREATE TABLE api_key (
	id             TEXT PRIMARY KEY,
	digest         BLOB NOT NULL UNIQUE,      -- SHA-256 of the token
	prefix         TEXT NOT NULL,
	user_id        TEXT NOT NULL,
	name           TEXT NOT NULL,
	permissions    INTEGER NOT NULL,
	active         INTEGER NOT NULL DEFAULT 1,
	created_at_ms  INTEGER NOT NULL,
	expires_at_ms  INTEGER NOT NULL DEFAULT 0,
	last_used_at_ms INTEGER NOT NULL DEFAULT 0,
	replaced_by    TEXT                       -- the key made from this one by rotation
) WITHOUT ROWID;
CREATE INDEX api_key_page ON api_key (created_at_ms, id);
CREATE INDEX api_key_user ON api_key (user_id, created_at_ms, id);

CREATE TABLE credential (
	id             TEXT PRIMARY KEY,
	user_id        TEXT NOT NULL,
	username       TEXT NOT NULL UNIQUE,
	domain         TEXT NOT NULL,
	ha1_md5        TEXT NOT NULL,
	ha1_sha256     TEXT NOT NULL,
	ha1_sha512t256 TEXT NOT NULL,
	created_at_ms  INTEGER NOT NULL,
	expires_at_ms  INTEGER NOT NULL DEFAULT 0,
	revoked_at_ms  INTEGER NOT NULL DEFAULT 0  -- 0: live
) WITHOUT ROWID;
CREATE INDEX credential_page ON credential (created_at_ms, id);
CREATE INDEX credential_user ON credential (user_id, created_at_ms, id);
CREATE INDEX credential_expiry ON credential (expires_at_ms) WHERE revoked_at_ms = 0 AND expires_at_ms > 0;

CREATE TABLE session (
	id               TEXT PRIMARY KEY,
	state            TEXT NOT NULL,            -- the state table's own word
	status           TEXT NOT NULL,            -- the API's word
	direction        TEXT NOT NULL,
	carrier          TEXT NOT NULL,            -- "sip", "dialled", later "twilio"
	from_number      TEXT NOT NULL,
	to_number        TEXT NOT NULL,
	user_id          TEXT NOT NULL,
	key_id           TEXT,
	sip_username     TEXT,
	sip_domain       TEXT,
	sip_call_id      TEXT,                     -- of a dialled call
	twilio_call_sid  TEXT,
	end_reason       TEXT,
	answered_contact TEXT,
	request_id       TEXT,
	a_targets        TEXT NOT NULL DEFAULT '', -- SIP usernames, separated by a space
	b_targets        TEXT NOT NULL DEFAULT '',
	auto_answer      INTEGER NOT NULL DEFAULT 0,
	sip_code         INTEGER NOT NULL DEFAULT 0,
	started_at_ms    INTEGER NOT NULL,
	ringing_at_ms    INTEGER NOT NULL DEFAULT 0,
	answered_at_ms   INTEGER NOT NULL DEFAULT 0,
	ended_at_ms      INTEGER NOT NULL DEFAULT 0,
	seq              INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX session_page ON session (started_at_ms, id);
CREATE INDEX session_user ON session (user_id, started_at_ms, id);
CREATE INDEX session_live ON session (id) WHERE ended_at_ms = 0;
CREATE UNIQUE INDEX session_call_id ON session (sip_call_id) WHERE sip_call_id IS NOT NULL;

CREATE TABLE slot (
	session_id    TEXT PRIMARY KEY,
	user_id       TEXT NOT NULL,
	expires_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX slot_user ON slot (user_id, expires_at_ms);

CREATE TABLE event (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT,
	at_ms   INTEGER NOT NULL,
	type    TEXT NOT NULL,
	subject TEXT NOT NULL,
	user_id TEXT,
	data    TEXT NOT NULL DEFAULT ''
);
CREATE INDEX event_subject ON event (subject, seq);
CREATE INDEX event_user ON event (user_id, seq);

CREATE TABLE usage_row (
	id             INTEGER PRIMARY KEY AUTOINCREMENT,
	at_ms          INTEGER NOT NULL,
	request_id     TEXT NOT NULL,
	key_id         TEXT NOT NULL,              -- no foreign key: rows outlive their key
	user_id        TEXT NOT NULL,
	method         TEXT NOT NULL,
	route          TEXT NOT NULL,
	status         INTEGER NOT NULL,
	bytes          INTEGER NOT NULL,
	duration_us    INTEGER NOT NULL,
	client_address TEXT
);
CREATE INDEX usage_time ON usage_row (at_ms);
CREATE INDEX usage_key ON usage_row (key_id, at_ms);
CREATE INDEX usage_user ON usage_row (user_id, at_ms);

CREATE TABLE idempotency (
	scope         TEXT NOT NULL,               -- API key id
	digest        BLOB NOT NULL,               -- SHA-256 of the Idempotency-Key
	request       BLOB NOT NULL,               -- SHA-256 of route and body
	status        INTEGER NOT NULL DEFAULT 0,  -- 0: at work
	answer        BLOB,
	created_at_ms INTEGER NOT NULL,
	PRIMARY KEY (scope, digest)
) WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (created_at_ms);

CREATE TABLE setting (                         -- what the programs decided and must remember
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) WITHOUT ROWID;
