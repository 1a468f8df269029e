/* transfer.h - one request on one curl handle: shared by the blocking form and the loop's. Inside http/ only. */
#ifndef NXV_HTTP_TRANSFER_H
#define NXV_HTTP_TRANSFER_H

#include "http/http.h"

#include <curl/curl.h>

struct http {
	CURLM *multi;
	char *user_agent, *ca_file, *proxy; /* nullable */
	struct http_transfer *first;        /* under way */
	/* On a loop only: */
	struct loop *loop;
	struct loop_timer *curl_timer;      /* when curl wants to be called */
	struct loop_timer *limit_timer;     /* looks for transfers that passed a limit of ours */
};

struct http_transfer {
	struct http *http;
	struct http_transfer *prev, *next;
	CURL *easy;
	struct curl_slist *headers;
	char *body;
	size_t body_len;
	struct http_result result;
	char errors[CURL_ERROR_SIZE];
	bool repeatable;
	bool head_done, too_big, stopped, late;
	int64_t started_ms, begun_ms, first_ms, last_ms; /* 0: not yet */
	uint32_t first_byte_timeout_ms, idle_timeout_ms, total_timeout_ms;
	size_t max_body_bytes, body_bytes;
	http_data_fn *on_data;
	http_keep_on_fn *keep_on;
	void *data_user;
	http_done_fn *done; /* NULL in the blocking form */
	void *done_user;
};

/** Make a transfer and hand it to curl, which does nothing yet. @param out [owned]: transfer_free(). */
nxv_status transfer_new(struct http *http, const struct http_request *request, struct http_transfer **out, struct nxv_error *err);
/** Take it from curl and free it with its result. NULL is allowed. */
void transfer_free(struct http_transfer *t);
/** Milliseconds until it passes one of our limits; 0: it has, and is marked late; -1: no limit ahead. */
int64_t transfer_left_ms(struct http_transfer *t, int64_t now_ms);
/** Fill the result from what curl says. */
void transfer_judge(struct http_transfer *t, CURLcode code);
/** The transfer of a message from curl that says "done"; NULL when none waits. */
struct http_transfer *transfer_next_done(struct http *http, CURLcode *code);

#endif
