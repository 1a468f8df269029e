/* usage.h - the usage log: one row for every use of a known key, refused ones too (guide, section 5). */
#ifndef NEXUSVOIP_USAGE_H
#define NEXUSVOIP_USAGE_H

#include <nexusvoip/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One use of a key. */
struct nxv_usage {
	int64_t id;            /**< rises with every row */
	int64_t at_ms;         /**< when the request came in */
	char *request_id;      /**< the client's X-Request-Id, or ours */
	char *key_id;
	char *user_id;
	char *method;          /**< "POST" */
	char *route;           /**< the route's pattern, "/api/v1/opensips/call/:sessionId" */
	int status;            /**< HTTP status answered */
	int64_t bytes;         /**< of the answer's body */
	int64_t duration_us;   /**< until the answer was ready */
	char *client_address;  /**< without port; NULL if unknown */
	char *subject;         /**< id of the call it was about; NULL if none */
};
/** A page of usage rows, newest first. Freed by nxv_usage_page_free(). */
struct nxv_usage_page {
	size_t count;
	struct nxv_usage **items;
	char *next_cursor;
};
/** Which rows to list. */
struct nxv_usage_list_opts {
	size_t size;
	const char *user_id;  /**< [borrowed] NULL: of all users */
	const char *key_id;   /**< [borrowed] NULL: of all keys */
	int64_t since_ms;     /**< at or after; 0: any */
	int64_t until_ms;     /**< before; 0: any */
	bool oldest_first;    /**< for exports */
	unsigned limit;       /**< 1 to 1000; 0: 100 */
	const char *cursor;   /**< [borrowed] from the page before */
	const char *subject;  /**< [borrowed] only about this call; NULL: any */
};
#define NXV_USAGE_LIST_OPTS_INIT { .size = sizeof(struct nxv_usage_list_opts) }

/** List. @param opts nullable. @param out [owned]. Errors: NXV_E_INVALID (cursor, limit). Thread safety: any thread. */
NXV_API nxv_status nxv_usage_list(nxv_ctx *ctx, const struct nxv_usage_list_opts *opts, struct nxv_usage_page **out, struct nxv_error *err);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_usage_page_free(struct nxv_usage_page *list);

#ifdef __cplusplus
}
#endif
#endif
