/* server.h - the SIP-server port: one driver per server (opensips, kamailio), one row each in sip_drivers[].
 * Control is asynchronous: answers arrive on the engine's thread, so a slow server never stalls SIP timers. */
#ifndef NXV_SIP_SERVER_H
#define NXV_SIP_SERVER_H

#include "base/buf.h"
#include "base/env.h"
#include "loop/loop.h"

/** Where and how the server runs; text is [borrowed] from the owner (sip_settings_load) and outlives the driver. */
struct sip_settings {
	const char *domain;
	const char *listen;          /**< "127.0.0.1:5060": UDP and TCP */
	const char *ws_listen;       /**< WebSocket; "" = off */
	const char *tls_listen;      /**< SIP over TLS; "" = off */
	const char *wss_listen;      /**< "" = off */
	const char *tls_certificate; /**< PEM paths; "" = no TLS */
	const char *tls_private_key;
	const char *advertise;       /**< "host:port" for phones; "" = the listener */
	const char *ws_origins;      /**< allowed Origin values, comma-separated; "*" = any */
	const char *digest;          /**< algorithms to challenge with, in order: "MD5", "SHA-256", "MD5,SHA-256", ... */
	const char *run_dir;         /**< <state>/sip: configuration, sockets, pid; mode 0700; under 80 bytes long */
	const char *auth_db;         /**< subscriber table, we write */
	const char *location_db;     /**< location table, the server writes */
	const char *control;         /**< unix datagram socket of the control interface */
	const char *events;          /**< "127.0.0.1:port": UDP we receive the server's events on */
	const char *originator;      /**< "127.0.0.1:port" of our originator */
	const char *service_user;    /**< the only user X-Nexus-* is believed from */
	const char *secret;          /**< nonce secret for digest authentication; never shown by render with mask */
	const char *binary;          /**< path of the program; "" = look on PATH */
	int64_t calls_per_user;
	int64_t max_call_seconds;
	int64_t idle_seconds;        /**< life of a silent connection without a registered phone; 0: the usual */
	/* The trunk and Twilio's leg; NULL is taken as "". */
	const char *trunk_host;       /**< numbers are called through it; "" = there is no trunk */
	const char *trunk_transport;  /**< "udp", "tcp" */
	int64_t trunk_port;
	const char *trunk_username;   /**< "" = the trunk knows us by our address */
	const char *trunk_realm;
	const char *trunk_ha1;        /**< MD5 of username:realm:password in hex; secret */
	const char *trunk_addresses;  /**< networks that its calls come from, separated by blanks or commas; "" = none */
	const char *twilio_addresses; /**< the same of Twilio's calls to our phones */
	int64_t ring_seconds;        /**< of calls that phones dial; the gateway times its own */
};

enum sip_event_kind {
	SIP_EV_CALL,         /**< a phone dialled: a new dialog that is not ours (no session) */
	SIP_EV_RINGING, SIP_EV_ANSWERED,
	SIP_EV_FAILED,       /**< code and reason of the final answer, 487 after CANCEL */
	SIP_EV_ENDED,        /**< who: "caller", "callee", "timeout", "control" */
	SIP_EV_REGISTERED,   /**< a new contact, no refresh */
	SIP_EV_UNREGISTERED  /**< reason: "expired", else it was removed */
};
/** One event from the server; text is [borrowed] for the callback, never NULL ("" = unknown). */
struct sip_event {
	enum sip_event_kind kind;
	const char *call_id;
	const char *session;   /**< X-Nexus-Session of our own calls; "" for dialled ones */
	const char *leg;       /**< "a" or "b" of our own calls */
	const char *owner;     /**< userId of the dialling phone's credential */
	const char *from_user; /**< SIP username that dialled, or registered */
	const char *to_user;   /**< what was dialled */
	const char *who;
	const char *contact;
	const char *reason;
	int code;
	int64_t at_ms;
};
/** A dialog the server knows. */
struct sip_dialog {
	const char *call_id, *session, *leg, *owner, *from_user, *to_user;
	bool confirmed;        /**< false: early */
	int64_t started_at_ms; /**< answer; whole seconds where the dialog holds no better; 0 while early */
	int64_t invited_at_ms, ringing_at_ms; /**< 0: unknown */
};
/** How a call ended, as the server remembers it. */
struct sip_ending {
	struct sip_event event; /**< SIP_EV_FAILED or SIP_EV_ENDED */
	int64_t invited_at_ms;  /**< 0: unknown */
	int64_t ringing_at_ms, answered_at_ms; /**< 0: it never did, was */
};
struct sip_contact {
	const char *username, *contact, *user_agent;
	int64_t expires_seconds;
	bool web; /**< it came over WebSocket: a browser */
};
struct sip_status {
	char version[64];       /**< as reported, e.g. "3.6.8" */
	int64_t uptime_seconds;
	int64_t active_dialogs;
	int64_t registrations;
};

/** What the driver tells its owner; any member may be NULL. */
struct sip_sink {
	void *arg;
	void (*event)(void *arg, const struct sip_event *event);
	/** The event stream was (re)connected: something may have been missed; list dialogs and reconcile. */
	void (*gap)(void *arg);
};

struct sip_server;
/* Each callback is called exactly once, with NXV_OK or a failure (NXV_E_TIMEOUT, NXV_E_UNREACHABLE, NXV_E_NOT_FOUND). */
typedef void sip_done_fn(void *arg, nxv_status status, const struct nxv_error *err);
typedef void sip_status_fn(void *arg, nxv_status status, const struct sip_status *out, const struct nxv_error *err);
typedef void sip_dialogs_fn(void *arg, nxv_status status, const struct sip_dialog *items, size_t count, const struct nxv_error *err);
typedef void sip_endings_fn(void *arg, nxv_status status, const struct sip_ending *items, size_t count, const struct nxv_error *err);
typedef void sip_contacts_fn(void *arg, nxv_status status, const struct sip_contact *items, size_t count, const struct nxv_error *err);

struct sip_driver {
	const char *name;    /**< "opensips" */
	const char *program; /**< looked up on PATH */
	const char *releases; /**< those the tests ran on, oldest first: "3.4, 3.6, 4.0"; older ones are refused */
	/** Write the configuration; mask replaces secrets by "***". */
	nxv_status (*render)(const struct sip_settings *set, const char *version, bool mask, struct buf *out, struct nxv_error *err);
	/** Create the location database (and whatever else the server needs to start). */
	nxv_status (*prepare)(const struct env *env, const struct sip_settings *set, struct nxv_error *err);
	/** argv for starting in the foreground with this configuration file; and for its own syntax check. NULL-ended, at most 16, [borrowed] args. */
	void (*argv)(const struct sip_settings *set, const char *config_path, bool check_only, const char **argv);
	/** Connect control and events. Succeeds even if the server is not up yet; it reconnects by itself. */
	nxv_status (*open)(const struct env *env, struct loop *loop, const struct sip_settings *set, const struct sip_sink *sink, struct sip_server **out, struct nxv_error *err);
	void (*close)(struct sip_server *s);
	/** True readiness: control answers, every receiver process is there, and (by the caller) OPTIONS answers on each listener. */
	void (*ready)(struct sip_server *s, sip_done_fn *fn, void *arg);
	void (*status)(struct sip_server *s, sip_status_fn *fn, void *arg);
	void (*dialogs)(struct sip_server *s, sip_dialogs_fn *fn, void *arg);
	/** How the latest calls ended that ended at or after since_ms, oldest first: what a gateway that was away could not be told.
	 * A server remembers some thousands, until it is restarted. */
	void (*endings)(struct sip_server *s, int64_t since_ms, sip_endings_fn *fn, void *arg);
	/** End a dialog in any state, by Call-ID. */
	void (*end)(struct sip_server *s, const char *call_id, sip_done_fn *fn, void *arg);
	/** Contacts of one SIP username, or of all (NULL). None is success with count 0. */
	void (*contacts)(struct sip_server *s, const char *username, sip_contacts_fn *fn, void *arg);
	/** Forget every registration of a username. */
	void (*unregister)(struct sip_server *s, const char *username, sip_done_fn *fn, void *arg);
	/** Forget one of them, by the contact that contacts() tells. */
	void (*forget)(struct sip_server *s, const char *username, const char *contact, sip_done_fn *fn, void *arg);
};
/** First member of every open server. */
struct sip_server {
	const struct sip_driver *driver;
};

/** All drivers, the primary one first, NULL-ended. */
extern const struct sip_driver *const sip_drivers[];
/** By name, or "auto": the first one whose program is found. NULL if none. path (nullable) gets the program's path. */
const struct sip_driver *sip_driver_find(const char *name, const char *binary, char *path, size_t path_size);
/** Version the program reports ("3.6.8"), without starting a server. */
nxv_status sip_driver_version(const struct sip_driver *driver, const char *path, char *out, size_t size, struct nxv_error *err);
/** False: nobody has tried that version; it may work. */
bool sip_driver_tried(const struct sip_driver *driver, const char *version);

#endif
