/* credentials.h - SIP credentials that phones register with (guide, section 2). */
#ifndef NEXUSVOIP_CREDENTIALS_H
#define NEXUSVOIP_CREDENTIALS_H

#include <nexusvoip/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A SIP credential. Freed by nxv_credential_free(). */
struct nxv_credential {
	char *id;               /**< "cred_..." */
	char *user_id;          /**< owner: calls are counted against this user */
	char *username;         /**< "user_<digits>" */
	char *password;         /**< only from create; stored as digests only, else NULL */
	char *domain;           /**< SIP domain and digest realm */
	char *sip_uri;          /**< "sip:username@domain" */
	char *proxy_server;     /**< "host:port" that a phone can dial (sip.advertise, or the listener) */
	int64_t created_at_ms;
	int64_t expires_at_ms;  /**< 0: never */
};

/** A page of credentials, newest first. Freed by nxv_credential_page_free(). */
struct nxv_credential_page {
	size_t count;
	struct nxv_credential **items;
	char *next_cursor;
};

/** What a new credential is to be. */
struct nxv_credential_opts {
	size_t size;
	const char *user_id;   /**< [borrowed] required; as in nxv_key_opts */
	int64_t expires_at_ms; /**< 0: never; else in the future */
};
#define NXV_CREDENTIAL_OPTS_INIT { .size = sizeof(struct nxv_credential_opts) }

/** Which credentials to list. */
struct nxv_credential_list_opts {
	size_t size;
	const char *user_id; /**< [borrowed] NULL: of all users */
	unsigned limit;      /**< 1 to 1000; 0: 100 */
	const char *cursor;  /**< [borrowed] from the page before */
};
#define NXV_CREDENTIAL_LIST_OPTS_INIT { .size = sizeof(struct nxv_credential_list_opts) }

/**
 * Make a credential; a phone can register with it as soon as this returns. Only digests are stored
 * (MD5, SHA-256, SHA-512-256: RFC 7616, RFC 8760).
 * @param out [owned] by the caller, the only copy of the password; NULL on failure.
 * Errors: NXV_E_INVALID with field "userId" or "expiresAt". Thread safety: any thread.
 */
NXV_API nxv_status nxv_credential_create(nxv_ctx *ctx, const struct nxv_credential_opts *opts, struct nxv_credential **out, struct nxv_error *err);
/** Fetch one by id or username. @param out [owned]. Errors: NXV_E_NOT_FOUND. Thread safety: any thread. */
NXV_API nxv_status nxv_credential_get(nxv_ctx *ctx, const char *id, struct nxv_credential **out, struct nxv_error *err);
/** List. @param opts nullable. @param out [owned]. Thread safety: any thread. */
NXV_API nxv_status nxv_credential_list(nxv_ctx *ctx, const struct nxv_credential_list_opts *opts, struct nxv_credential_page **out, struct nxv_error *err);
/**
 * Revoke by id or username: the phone can no longer register or call, and its registration is ended
 * (through the engine; without one, the SIP server forgets it when it starts). Calls that are up go on.
 * Errors: NXV_E_NOT_FOUND. Thread safety: any thread.
 */
NXV_API nxv_status nxv_credential_revoke(nxv_ctx *ctx, const char *id, struct nxv_error *err);

/** Wipe and free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_credential_free(struct nxv_credential *credential);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_credential_page_free(struct nxv_credential_page *list);

#ifdef __cplusplus
}
#endif
#endif
