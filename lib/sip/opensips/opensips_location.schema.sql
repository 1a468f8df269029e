-- location.db of OpenSIPS 3.6 (location version 1013): the server is its only writer.
CREATE TABLE version (
	table_name    CHAR(32) NOT NULL PRIMARY KEY,
	table_version INTEGER NOT NULL DEFAULT 0
);
INSERT INTO version (table_name, table_version) VALUES ('location', 1013);
CREATE TABLE location (
	contact_id    INTEGER PRIMARY KEY AUTOINCREMENT,
	username      CHAR(64) NOT NULL DEFAULT '',
	domain        CHAR(64),
	contact       TEXT NOT NULL,
	received      CHAR(255),
	path          CHAR(255),
	expires       INTEGER NOT NULL,
	q             FLOAT NOT NULL DEFAULT 1.0,
	callid        CHAR(255) NOT NULL DEFAULT '',
	cseq          INTEGER NOT NULL DEFAULT 0,
	last_modified DATETIME NOT NULL DEFAULT '1970-01-01 00:00:00',
	flags         INTEGER NOT NULL DEFAULT 0,
	cflags        CHAR(255),
	user_agent    CHAR(255) NOT NULL DEFAULT '',
	socket        CHAR(64),
	methods       INTEGER,
	sip_instance  CHAR(255),
	kv_store      TEXT,
	attr          CHAR(255)
);
