/* server_fixture.h - one real SIP server in a temporary folder on free ports, driven through its driver; the driver
 * runs on a loop of its own thread, and what it says is waited for here. */
#ifndef TEST_SIP_SERVER_FIXTURE_H
#define TEST_SIP_SERVER_FIXTURE_H

#include <sys/types.h>

#include "sip/server.h"

#define FIXTURE_DOMAIN "nexus.test"
#define FIXTURE_SERVICE "nexus-gateway"

struct fixture_opts {
	const char *digest;  /**< NULL: MD5 */
	const char *origins; /**< NULL: no WebSocket listener */
	bool tls;            /**< TLS and WSS with a certificate of its own */
	int idle_seconds;    /**< 0: the usual */
	bool outside;        /**< a trunk at 127.0.0.2 and Twilio at 127.0.0.3, and a port for the gateway that is asked */
	const char *trunk_username; /**< with the password "pw-USERNAME" in the realm "trunk.test"; NULL: none */
};
#define FIXTURE_TRUNK "127.0.0.2"
#define FIXTURE_TWILIO "127.0.0.3"

struct fixture {
	const struct sip_driver *driver;
	struct sip_settings set;
	char dir[64], text[14][128], program[256];
	int port, ws_port, tls_port, wss_port, trunk_port, gateway_port;
	pid_t pid;
	struct loop *loop;
	struct sip_server *server;
};

/** The server named, or exit with 77 when it is not installed. */
const struct sip_driver *fixture_driver(const char *name);
/** Start it; the test fails if it does not come up. */
struct fixture *fixture_start(const struct sip_driver *driver, const struct fixture_opts *opts);
/** Stop it; true when it ended by itself with nothing left of its process group. */
bool fixture_stop(struct fixture *f);
/** Stop the server under its driver, and start it again if it shall come back. */
void fixture_restart(struct fixture *f, bool again);
/** A credential. sha256 only for OpenSIPS' rows; expires_at in unix seconds, 0: never. Its password is "pw-USERNAME". */
void fixture_user(struct fixture *f, const char *username, const char *owner, int call_limit, long expires_at);

/* The driver's operations, waited for. */
nxv_status fixture_ready(struct fixture *f);
nxv_status fixture_status(struct fixture *f, struct sip_status *out);
nxv_status fixture_end(struct fixture *f, const char *call_id);
nxv_status fixture_unregister(struct fixture *f, const char *username);
/** Text of the list: one line each, "call_id session leg owner from to early|confirmed", or "username contact". */
nxv_status fixture_dialogs(struct fixture *f, char *out, size_t size);
/** "call_id session leg owner from to ended:who0 rang answered", or failed:486, what did not happen left out. */
nxv_status fixture_endings(struct fixture *f, int64_t since_ms, char *out, size_t size);
nxv_status fixture_contacts(struct fixture *f, const char *username, char *out, size_t size);

/** Wait until the events of a call, written "kind[:code][:who]" with blanks between, are these (waits 3 s at most).
 * @return what they were, [borrowed] until the next call. */
const char *fixture_events(struct fixture *f, const char *call_id, const char *expected);
/** Member of the first event of a kind of a call: "session", "leg", "owner", "from", "to", "contact", "reason"; "" if none. */
const char *fixture_event_member(struct fixture *f, const char *call_id, enum sip_event_kind kind, const char *member);
/** Call-ID of a call whose end was told more than once, so far; "" if there is none. */
const char *fixture_told_twice(struct fixture *f);
/** Wait until the registration events of a username, "+" and "-", are these (3 s at most). @return what they were. */
const char *fixture_locations(struct fixture *f, const char *username, const char *expected);
int fixture_gaps(struct fixture *f);

#endif
