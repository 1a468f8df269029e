/* gate.h - the gate every request passes: key, permission, rate limit and usage row as one
 * enter/leave pair (guide, sections 5 to 7); and safe retries by Idempotency-Key. */
#ifndef NEXUSVOIP_GATE_H
#define NEXUSVOIP_GATE_H

#include <nexusvoip/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One request at the gate. */
struct nxv_gate_opts {
	size_t size;
	const char *authorization;  /**< [borrowed] the header's value, "Bearer sk_voip_..."; NULL if none came */
	unsigned permissions;       /**< the key needs one of these NXV_PERM_* bits; 0: any valid key */
	const char *method;         /**< [borrowed] recorded */
	const char *route;          /**< [borrowed] pattern, recorded */
	const char *request_id;     /**< [borrowed] recorded */
	const char *client_address; /**< [borrowed] recorded; nullable */
};
#define NXV_GATE_OPTS_INIT { .size = sizeof(struct nxv_gate_opts) }

/** A request that is inside, or was refused at, the gate. Freed by nxv_gate_leave(). */
struct nxv_pass {
	nxv_status verdict;      /**< NXV_OK: go on; else what to answer, as nxv_gate_enter() returned it */
	char *key_id;            /**< NULL when no known key came */
	char *user_id;           /**< likewise */
	unsigned permissions;    /**< the key's */
	uint32_t rate_limit;     /**< requests a minute; 0 when not counted */
	uint32_t rate_remaining;
	uint32_t rate_reset_ms;  /**< until a request leaves the window */
	void *internal;
};

/**
 * Enter: verify the key, take a place in its minute, check the permission, in this order.
 * @param out [owned]: always set unless memory ran out, refused requests too; end it with nxv_gate_leave().
 * Errors: NXV_E_UNAUTHENTICATED, NXV_E_LIMIT "rate_limited" (retry_after_ms set), NXV_E_DENIED "forbidden",
 * NXV_E_STORE or NXV_E_BUSY (the database).
 * Thread safety: any thread; a pass has one owner at a time.
 */
NXV_API nxv_status nxv_gate_enter(nxv_ctx *ctx, const struct nxv_gate_opts *opts, struct nxv_pass **out, struct nxv_error *err);

/** Say which call a request is about, for its usage row. @param id [borrowed]. Thread safety: the pass's owner. */
NXV_API void nxv_gate_about(struct nxv_pass *pass, const char *id);

/**
 * Leave: write the usage row (none when no known key came) and free the pass. Call it before the answer is
 * sent: what was answered is then always on record.
 * Errors: NXV_E_STORE: the row could not be written; answer 500. The pass is freed all the same. NULL is allowed.
 * Thread safety: any thread.
 */
NXV_API nxv_status nxv_gate_leave(nxv_ctx *ctx, struct nxv_pass *pass, int http_status, int64_t bytes, struct nxv_error *err);

/** What is known of an Idempotency-Key. */
typedef enum nxv_replay {
	NXV_REPLAY_NEW,     /**< first time: do the work, then nxv_idempotency_finish() */
	NXV_REPLAY_STORED   /**< done before: send the stored answer again */
} nxv_replay;

/**
 * Begin work under an Idempotency-Key of a user's API key. Stored, so it holds across restarts; forgotten after 24 hours.
 * Work that was begun and never finished, because its process died, may have been done: its key stays refused with
 * "idempotency_in_progress" until it is forgotten, so that no call is ever placed twice. From 5 minutes on the message
 * says so, and retry_after_ms is 0.
 * @param scope [borrowed] API key id. @param route [borrowed] method and route pattern.
 * @param key [borrowed] 1 to 255 printable ASCII characters. @param body [borrowed] the request's body, of which a digest is kept.
 * @param http_status, answer filled for NXV_REPLAY_STORED; answer [owned], free(): it may hold a secret, so wipe it first.
 * Errors: NXV_E_UNCALLABLE "idempotency_mismatch" (same key, other body or route), NXV_E_CONFLICT
 * "idempotency_in_progress" (the first request is still at work, or was cut short), NXV_E_INVALID "Idempotency-Key".
 * Thread safety: any thread.
 */
NXV_API nxv_status nxv_idempotency_begin(nxv_ctx *ctx, const char *scope, const char *route, const char *key, const void *body, size_t len, nxv_replay *replay, int *http_status, char **answer, struct nxv_error *err);
/**
 * Store the answer, or with answer NULL forget the key so that the client may try again. Every answer is sealed with a
 * key derived from the Idempotency-Key, which itself is stored as a digest only: a guessable Idempotency-Key protects
 * nothing, a UUID does.
 * @param answer [borrowed] at most 256 KiB; nullable.
 * Errors: NXV_E_NOT_FOUND (not begun, or finished already), NXV_E_INVALID. Thread safety: any thread.
 */
NXV_API nxv_status nxv_idempotency_finish(nxv_ctx *ctx, const char *scope, const char *key, int http_status, const char *answer, struct nxv_error *err);

#ifdef __cplusplus
}
#endif
#endif
