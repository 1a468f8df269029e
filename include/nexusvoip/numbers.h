/* numbers.h - telephone numbers of users: a call that comes from the trunk to one of them rings all phones of its user. */
#ifndef NEXUSVOIP_NUMBERS_H
#define NEXUSVOIP_NUMBERS_H

#include <nexusvoip/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A telephone number and whose it is. */
struct nxv_number {
	char number[17];     /**< "+15550100" */
	char user_id[65];
	int64_t added_at_ms; /**< ms since 1970 UTC */
};
/** Numbers, in their order. Freed by nxv_number_list_free(). */
struct nxv_number_list {
	size_t count;
	struct nxv_number *items;
};

/**
 * Give a number to a user, from the next call on. That user's already is success.
 * Errors: NXV_E_INVALID with field "number" or "userId"; NXV_E_CONFLICT "number_taken". Thread safety: any thread.
 */
NXV_API nxv_status nxv_number_add(nxv_ctx *ctx, const char *number, const char *user_id, struct nxv_error *err);
/** Take it back: calls to it are refused with 404. Errors: NXV_E_NOT_FOUND. Thread safety: any thread. */
NXV_API nxv_status nxv_number_remove(nxv_ctx *ctx, const char *number, struct nxv_error *err);
/** List. @param user_id nullable filter. @param out [owned]. Thread safety: any thread. */
NXV_API nxv_status nxv_number_list(nxv_ctx *ctx, const char *user_id, struct nxv_number_list **out, struct nxv_error *err);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_number_list_free(struct nxv_number_list *list);

#ifdef __cplusplus
}
#endif
#endif
