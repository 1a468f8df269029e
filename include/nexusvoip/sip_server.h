/* sip_server.h - the SIP server behind the gateway: start, stop, health, registrations, configuration. */
#ifndef NEXUSVOIP_SIP_SERVER_H
#define NEXUSVOIP_SIP_SERVER_H

#include <nexusvoip/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** State of the SIP server as the engine sees it. */
typedef enum nxv_sip_state {
	NXV_SIP_STOPPED,  /**< not wanted, not running */
	NXV_SIP_STARTING, /**< started, not yet answering on every listener */
	NXV_SIP_RUNNING,  /**< answers control and SIP */
	NXV_SIP_BACKOFF,  /**< ended by itself; will be started again shortly */
	NXV_SIP_FAILED,   /**< cannot be started; the message says why */
	NXV_SIP_UNRESPONSIVE /**< runs, but does not answer now; in health only */
} nxv_sip_state;

/** Health of the SIP server. Freed by nxv_sip_health_free(). */
struct nxv_sip_health {
	nxv_sip_state state;
	char *server;          /**< "opensips" or "kamailio" */
	char *version;         /**< as the server reports it; NULL when it does not answer */
	char *message;         /**< why it is not running; NULL when it is */
	int64_t pid;           /**< main process; 0 if unknown (external mode) */
	int64_t uptime_seconds;
	int64_t active_calls;  /**< sessions that have not ended */
	int64_t registrations; /**< contacts registered now */
	bool supervised;       /**< an engine watches it */
	bool calls_frozen;     /**< telephone calls are refused, see nxv_calls_freeze() */
	char *twilio_url;      /**< what an engine that runs has in Twilio's place (twilio.base_url, nexusd --sandbox); NULL: nothing */
};

/** A registered contact. */
struct nxv_registration {
	char *username;       /**< SIP username */
	char *user_id;        /**< its owner; NULL if unknown */
	char *contact;        /**< SIP URI */
	char *user_agent;     /**< NULL if unknown */
	int64_t expires_seconds; /**< from now */
};
/** Registered contacts. Freed by nxv_registration_list_free(). */
struct nxv_registration_list {
	size_t count;
	struct nxv_registration **items;
};

/**
 * Want the SIP server started. Idempotent; the wanted state is stored, so a later engine acts on it too.
 * Without an engine the server is started detached, and nobody supervises it.
 * Returns when the order is taken; nxv_sip_wait() tells when it runs. Thread safety: any thread.
 */
NXV_API nxv_status nxv_sip_start(nxv_ctx *ctx, struct nxv_error *err);
/** Want it stopped; live calls end as "server_lost". Idempotent. Thread safety: any thread. */
NXV_API nxv_status nxv_sip_stop(nxv_ctx *ctx, struct nxv_error *err);
/** Block until it runs (running true) or is stopped. Errors: NXV_E_TIMEOUT, NXV_E_UNREACHABLE with the server's own last
 * words when it cannot start, NXV_E_NOT_RUNNING when it is not so and no engine runs that would change it. Thread safety: any thread but the engine's. */
NXV_API nxv_status nxv_sip_wait(nxv_ctx *ctx, bool running, uint32_t timeout_ms, struct nxv_error *err);
/** As nxv_sip_wait(); the outcome arrives in the inbox. Thread safety: the inbox's owner. */
NXV_API nxv_status nxv_sip_wait_async(nxv_inbox *inbox, bool running, uint32_t timeout_ms, void *token, struct nxv_error *err);

/** Health now. @param out [owned]. Thread safety: any thread. Source: guide section 3. */
NXV_API nxv_status nxv_sip_health_get(nxv_ctx *ctx, struct nxv_sip_health **out, struct nxv_error *err);
/** Registered contacts. @param user_id nullable filter. @param out [owned].
 * Errors: NXV_E_NOT_RUNNING, NXV_E_UNREACHABLE. Thread safety: any thread but the engine's. */
NXV_API nxv_status nxv_sip_registrations(nxv_ctx *ctx, const char *user_id, struct nxv_registration_list **out, struct nxv_error *err);
/**
 * End the registrations of a SIP username, or the one of a contact as nxv_sip_registrations() tells it. Calls go on, and the
 * phone may register again at once: to keep it out, revoke its credential.
 * @param contact nullable: all. Errors: NXV_E_NOT_FOUND when no such phone is registered, NXV_E_INVALID, NXV_E_NOT_RUNNING,
 * NXV_E_UNREACHABLE. Thread safety: any thread but the engine's.
 */
NXV_API nxv_status nxv_sip_kick(nxv_ctx *ctx, const char *username, const char *contact, struct nxv_error *err);
/** The configuration file that would be used, secrets masked. @param out [owned], free(). Thread safety: any thread. */
NXV_API nxv_status nxv_sip_render(nxv_ctx *ctx, char **out, struct nxv_error *err);
/** Check it with the server's own parser and probe the ports. @param report [owned], free(); nullable.
 * Errors: NXV_E_INVALID with the server's words, NXV_E_UNSUPPORTED when no server is installed. Thread safety: any thread. */
NXV_API nxv_status nxv_sip_check(nxv_ctx *ctx, char **report, struct nxv_error *err);

/** "running", "stopped", ... @return [borrowed] static. Thread safety: any thread. */
NXV_API const char *nxv_sip_state_name(nxv_sip_state state);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_sip_health_free(struct nxv_sip_health *health);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_registration_list_free(struct nxv_registration_list *list);

#ifdef __cplusplus
}
#endif
#endif
