-- auth.db: what OpenSIPS 3.6 (subscriber version 8) and Kamailio 5.6 (version 7) both accept. Kamailio's template sets
-- auth_db's version_table to 0, since one table cannot bear two numbers. Times are unix seconds, as the servers count.
CREATE TABLE version (
	table_name    CHAR(32) NOT NULL PRIMARY KEY,
	table_version INTEGER NOT NULL DEFAULT 0
);
INSERT INTO version (table_name, table_version) VALUES ('subscriber', 8);

CREATE TABLE subscriber (
	id             INTEGER PRIMARY KEY AUTOINCREMENT,
	username       CHAR(64) NOT NULL DEFAULT '',
	domain         CHAR(64) NOT NULL DEFAULT '',
	password       CHAR(25) NOT NULL DEFAULT '',  -- always empty: digests only
	ha1            CHAR(64) NOT NULL DEFAULT '',
	ha1b           CHAR(64) NOT NULL DEFAULT '',  -- always empty: Kamailio names the column
	ha1_sha256     CHAR(64) NOT NULL DEFAULT '',
	ha1_sha512t256 CHAR(64) NOT NULL DEFAULT '',
	owner          CHAR(64) NOT NULL DEFAULT '',  -- userId: calls are counted by owner, not by username
	call_limit     INTEGER NOT NULL DEFAULT 0,
	expires_at     INTEGER NOT NULL DEFAULT 0,    -- 0: never
	UNIQUE (username, domain)
);
