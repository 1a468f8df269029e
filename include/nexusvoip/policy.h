/* policy.h - which telephone calls are let through: caller IDs of users, and the switch that stops all of them. What may be
 * called, and how much, is configuration: calls.allow, calls.premium, calls.emergency, limits.*_per_day. */
#ifndef NEXUSVOIP_POLICY_H
#define NEXUSVOIP_POLICY_H

#include <nexusvoip/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A number that a user may show as caller ID. */
struct nxv_caller {
	char user_id[65];
	char number[17];     /**< "+15550100" */
	int64_t added_at_ms; /**< ms since 1970 UTC */
};
/** Caller IDs, by user and number. Freed by nxv_caller_list_free(). */
struct nxv_caller_list {
	size_t count;
	struct nxv_caller *items;
};

/** Let a user show a number. Listed already is success.
 * Errors: NXV_E_INVALID with field "userId" or "number". Thread safety: any thread. */
NXV_API nxv_status nxv_caller_add(nxv_ctx *ctx, const char *user_id, const char *number, struct nxv_error *err);
/** Take it back. Errors: NXV_E_NOT_FOUND. Thread safety: any thread. */
NXV_API nxv_status nxv_caller_remove(nxv_ctx *ctx, const char *user_id, const char *number, struct nxv_error *err);
/** List. @param user_id nullable filter. @param out [owned]. Thread safety: any thread. */
NXV_API nxv_status nxv_caller_list(nxv_ctx *ctx, const char *user_id, struct nxv_caller_list **out, struct nxv_error *err);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_caller_list_free(struct nxv_caller_list *list);

/** Whether telephone calls are stopped. */
struct nxv_freeze {
	bool frozen;
	int64_t since_ms; /**< ms since 1970 UTC; 0 unless frozen */
	char reason[128]; /**< "" if none was given */
};
/**
 * Refuse every new telephone call, over Twilio or the trunk, from now on and over restarts: 503 "calls_frozen"; those whose
 * number was not called yet, neither by Twilio nor by the trunk, end with "not_allowed". Others go on, and so do calls between phones
 * here. Frozen already: only the reason is replaced.
 * @param reason nullable; at most 127 bytes of text. Errors: NXV_E_INVALID with field "reason". Thread safety: any thread.
 */
NXV_API nxv_status nxv_calls_freeze(nxv_ctx *ctx, const char *reason, struct nxv_error *err);
/** Let them through again. Not frozen is success. Thread safety: any thread. */
NXV_API nxv_status nxv_calls_thaw(nxv_ctx *ctx, struct nxv_error *err);
/** How it stands. @param out filled. Thread safety: any thread. */
NXV_API nxv_status nxv_calls_freeze_get(nxv_ctx *ctx, struct nxv_freeze *out, struct nxv_error *err);

#ifdef __cplusplus
}
#endif
#endif
