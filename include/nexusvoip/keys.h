/* keys.h - API keys: sk_voip_ tokens, their permissions and life cycle (guide, sections 1 and 4). */
#ifndef NEXUSVOIP_KEYS_H
#define NEXUSVOIP_KEYS_H

#include <nexusvoip/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a key may do; a set of these bits. NXV_PERM_ADMIN manages keys and implies no other bit. */
enum { NXV_PERM_CALL = 1, NXV_PERM_SIP = 2, NXV_PERM_RECORDING = 4, NXV_PERM_ADMIN = 8 };

/** An API key as stored. Freed by nxv_key_free(). Times are ms since 1970 UTC; 0 means never. */
struct nxv_key {
	char *id;               /**< "key_..." */
	char *secret;           /**< the whole token; only from create and rotate, else NULL */
	char *prefix;           /**< first characters of the token, to recognise it by */
	char *user_id;          /**< whose key it is */
	char *name;             /**< label */
	unsigned permissions;   /**< NXV_PERM_* bits */
	bool active;            /**< false: refused as if it were unknown */
	int64_t created_at_ms;
	int64_t expires_at_ms;
	int64_t last_used_at_ms; /**< refused uses too; coarse: at most a minute behind */
};

/** A page of keys, newest first. Freed by nxv_key_page_free(). */
struct nxv_key_page {
	size_t count;
	struct nxv_key **items;
	char *next_cursor; /**< pass it on for the next page; NULL at the end */
};

/** What a new key is to be. */
struct nxv_key_opts {
	size_t size;
	const char *user_id;   /**< [borrowed] 1 to 64 of A-Z a-z 0-9 . _ @ + -; required */
	const char *name;      /**< [borrowed] 1 to 100 bytes of UTF-8 without control characters; required */
	unsigned permissions;  /**< at least one NXV_PERM_* bit */
	int64_t expires_at_ms; /**< 0: never; else in the future */
};
#define NXV_KEY_OPTS_INIT { .size = sizeof(struct nxv_key_opts) }

/** Which keys to list. */
struct nxv_key_list_opts {
	size_t size;
	const char *user_id; /**< [borrowed] NULL: of all users */
	unsigned limit;      /**< 1 to 1000; 0: 100 */
	const char *cursor;  /**< [borrowed] from the page before */
};
#define NXV_KEY_LIST_OPTS_INIT { .size = sizeof(struct nxv_key_list_opts) }

/**
 * Create a key. out->secret holds the token: it is stored as a digest only and can never be shown again.
 * @param out [owned] by the caller; NULL on failure.
 * Errors: NXV_E_INVALID with field "userId", "name", "permissions" or "expiresAt".
 * Thread safety: any thread. Source: guide section 1.
 */
NXV_API nxv_status nxv_key_create(nxv_ctx *ctx, const struct nxv_key_opts *opts, struct nxv_key **out, struct nxv_error *err);

/**
 * Verify a token. A malformed one is refused without touching the database; malformed, unknown,
 * disabled and expired ones all give NXV_E_UNAUTHENTICATED alike.
 * @param out [owned] by the caller; NULL on failure.
 * Thread safety: any thread. A change by any process is seen by the very next call.
 */
NXV_API nxv_status nxv_key_verify(nxv_ctx *ctx, const char *token, struct nxv_key **out, struct nxv_error *err);

/** Fetch one key by id. @param out [owned] by the caller. Errors: NXV_E_NOT_FOUND. Thread safety: any thread. */
NXV_API nxv_status nxv_key_get(nxv_ctx *ctx, const char *id, struct nxv_key **out, struct nxv_error *err);
/** List keys. @param opts nullable. @param out [owned] by the caller. Errors: NXV_E_INVALID (cursor). Thread safety: any thread. */
NXV_API nxv_status nxv_key_list(nxv_ctx *ctx, const struct nxv_key_list_opts *opts, struct nxv_key_page **out, struct nxv_error *err);
/** Flip active. A retried toggle flips back: prefer nxv_key_set_active(). @param out [owned], nullable: the key after it.
 * Errors: NXV_E_NOT_FOUND. Thread safety: any thread. Source: guide section 4. */
NXV_API nxv_status nxv_key_toggle(nxv_ctx *ctx, const char *id, struct nxv_key **out, struct nxv_error *err);
/** Set active. @param out [owned], nullable: the key after it. Errors: NXV_E_NOT_FOUND. Thread safety: any thread. */
NXV_API nxv_status nxv_key_set_active(nxv_ctx *ctx, const char *id, bool active, struct nxv_key **out, struct nxv_error *err);
/** Delete a key; its usage rows stay. Errors: NXV_E_NOT_FOUND. Thread safety: any thread. Source: guide section 4. */
NXV_API nxv_status nxv_key_delete(nxv_ctx *ctx, const char *id, struct nxv_error *err);
/**
 * Replace a key: a new key with the same user, name, permissions and expiry; the old one expires after overlap_ms
 * (0: at once; at most 366 days, and never later than before).
 * @param out [owned] by the caller: the new key with its secret.
 * Errors: NXV_E_INVALID "overlapSeconds", NXV_E_NOT_FOUND, NXV_E_CONFLICT (the key is disabled, expired or was
 * replaced already). Thread safety: any thread.
 */
NXV_API nxv_status nxv_key_rotate(nxv_ctx *ctx, const char *id, int64_t overlap_ms, struct nxv_key **out, struct nxv_error *err);

/** Parse "call,sip,recording,admin" into bits. Errors: NXV_E_INVALID naming the word. Thread safety: any thread. */
NXV_API nxv_status nxv_permissions_parse(const char *text, unsigned *out, struct nxv_error *err);
/** The word of one permission bit. @return [borrowed] static; NULL for anything else. Thread safety: any thread. */
NXV_API const char *nxv_permission_name(unsigned bit);

/** Wipe and free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_key_free(struct nxv_key *key);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_key_page_free(struct nxv_key_page *list);

#ifdef __cplusplus
}
#endif
#endif
