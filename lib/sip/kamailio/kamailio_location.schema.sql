-- location.db of Kamailio 5.6 (location version 9): the server is its only writer.
CREATE TABLE version (
	table_name    VARCHAR(32) NOT NULL PRIMARY KEY,
	table_version INTEGER NOT NULL DEFAULT 0
);
INSERT INTO version (table_name, table_version) VALUES ('location', 9);
CREATE TABLE location (
	id            INTEGER PRIMARY KEY NOT NULL,
	ruid          VARCHAR(64) NOT NULL DEFAULT '' UNIQUE,
	username      VARCHAR(64) NOT NULL DEFAULT '',
	domain        VARCHAR(64),
	contact       VARCHAR(512) NOT NULL DEFAULT '',
	received      VARCHAR(128),
	path          VARCHAR(512),
	expires       DATETIME NOT NULL DEFAULT '2030-01-01 00:00:00',
	q             REAL NOT NULL DEFAULT 1.0,
	callid        VARCHAR(255) NOT NULL DEFAULT '',
	cseq          INTEGER NOT NULL DEFAULT 0,
	last_modified DATETIME NOT NULL DEFAULT '2000-01-01 00:00:00',
	flags         INTEGER NOT NULL DEFAULT 0,
	cflags        INTEGER NOT NULL DEFAULT 0,
	user_agent    VARCHAR(255) NOT NULL DEFAULT '',
	socket        VARCHAR(64),
	methods       INTEGER,
	instance      VARCHAR(255),
	reg_id        INTEGER NOT NULL DEFAULT 0,
	server_id     INTEGER NOT NULL DEFAULT 0,
	connection_id INTEGER NOT NULL DEFAULT 0,
	keepalive     INTEGER NOT NULL DEFAULT 0,
	partition     INTEGER NOT NULL DEFAULT 0
);
