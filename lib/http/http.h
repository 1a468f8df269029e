/* http.h - the port of outgoing HTTP: one request, one answer, and whether the server can have seen the request at all.
 * A client is used either by blocking calls or, once attached, by a loop; it has one owner at a time. */
#ifndef NXV_HTTP_HTTP_H
#define NXV_HTTP_HTTP_H

#include "base/buf.h"
#include "loop/loop.h"

struct http;
struct http_transfer;

/** How a client behaves; zero means default. Text is copied. */
struct http_opts {
	const char *user_agent;
	const char *ca_file;         /**< PEM of trusted authorities; NULL: the system's */
	const char *proxy;           /**< URL; NULL: none. The environment's proxies are never used */
	unsigned max_connections;    /**< at once on a loop, and kept for reuse; 0: 8 */
};

/** How far a request came. */
enum http_outcome {
	HTTP_NOT_SENT, /**< provably not one byte of it was written to a connection */
	HTTP_NO_ANSWER, /**< written in part or whole; the server may have acted on it */
	HTTP_ANSWERED  /**< a whole head came back; see complete for the body */
};

/** What went wrong, as far as callers treat it differently. */
enum http_fault {
	HTTP_FAULT_NONE,
	HTTP_FAULT_RESOLVE, /**< the host's name has no address */
	HTTP_FAULT_CONNECT, /**< nobody accepted the connection */
	HTTP_FAULT_TLS,     /**< no trusted TLS session */
	HTTP_FAULT_TIMEOUT, /**< one of the request's limits ran out */
	HTTP_FAULT_BROKEN,  /**< the connection ended early, or what came is not HTTP */
	HTTP_FAULT_TOO_BIG, /**< the body, or the head, passed its limit */
	HTTP_FAULT_STOPPED, /**< the body callback asked to stop, or the transfer was cancelled */
	HTTP_FAULT_OTHER
};

enum { HTTP_HEADERS_MAX_BYTES = 64 * 1024 };

/** What a request came to. Zero-initialise; freed by http_result_clear(). */
struct http_result {
	enum http_outcome outcome;
	enum http_fault fault;
	int status;            /**< 0 unless answered */
	bool complete;         /**< the whole body came */
	bool reused;           /**< no new connection was made for it */
	int64_t retry_after_ms; /**< of the Retry-After header; 0 if none */
	char *redirect_url;    /**< absolute, of a 3xx answer; it was not followed. NULL if none */
	struct buf headers;    /**< header lines of the answer, each ended by CR LF */
	struct buf body;       /**< what was not streamed */
	char message[160];     /**< why there is no whole answer; "" if there is one */
};

/** Takes pieces of a 2xx body; head has status and headers. False stops the transfer;
 * nothing else of this client may be called from inside. */
typedef bool http_data_fn(void *user, const struct http_result *head, const void *data, size_t len);

/** Asked about every second while a blocking request is under way; false stops it. */
typedef bool http_keep_on_fn(void *user);

/** A request. All is [borrowed] until it has begun; credentials go into the Authorization header only. */
struct http_request {
	const char *method;             /**< "GET", "POST" or "DELETE" */
	const char *url;                /**< http or https, without user or password */
	const char *const *headers;     /**< "Name: value", NULL-ended; nullable */
	const char *username;           /**< Basic authentication; NULL: none */
	const char *password;
	const void *body;               /**< NULL: none */
	size_t body_len;
	bool repeatable;                /**< may be sent again on a fresh connection when a reused one turns out dead */
	uint32_t connect_timeout_ms;    /**< to a usable connection; 0: 10 s */
	uint32_t first_byte_timeout_ms; /**< from then to the answer's first byte; 0: no limit */
	uint32_t idle_timeout_ms;       /**< between bytes of the answer; 0: no limit */
	uint32_t total_timeout_ms;      /**< for everything; 0: no limit */
	size_t max_body_bytes;          /**< of the answer; 0: 1 MiB; with on_data: of what is streamed, the rest has 1 MiB */
	http_data_fn *on_data;          /**< streams 2xx bodies; NULL: all goes to result->body */
	http_keep_on_fn *keep_on;       /**< nullable; of http_send() only */
	void *user;
};

/** Open a client. @param out [owned]. Errors: NXV_E_NOMEM, NXV_E_INTERNAL. */
nxv_status http_open(const struct http_opts *opts, struct http **out, struct nxv_error *err);
/** Close; transfers under way end without a word. NULL is allowed. On a loop: on its thread. */
void http_close(struct http *http);

/** Send and wait. @param result zeroed or cleared by the caller; [owned] by it afterwards.
 * NXV_OK: see result->outcome. Errors, all before anything was sent: NXV_E_INVALID, NXV_E_NOMEM. */
nxv_status http_send(struct http *http, const struct http_request *request, struct http_result *result, struct nxv_error *err);

/** Called once when a transfer has ended; result is [borrowed] for the call, members may be taken out of it.
 * It may start other transfers; it may not close the client. */
typedef void http_done_fn(void *user, struct http_result *result);
/** Use the client on this loop from now on. */
nxv_status http_attach(struct http *http, struct loop *loop, struct nxv_error *err);
/** Begin on the loop; returns at once. @param out nullable, for http_cancel(); dead once done was called.
 * Errors, all before anything was sent: NXV_E_INVALID, NXV_E_NOMEM. */
nxv_status http_start(struct http *http, const struct http_request *request, http_done_fn *done, void *user,
	struct http_transfer **out, struct nxv_error *err);
/** End a transfer now, without calling done. */
void http_cancel(struct http_transfer *transfer);

/** Value of a header, the last one of that name; false when there is none. buf is cut to fit. */
bool http_result_header(const struct http_result *result, const char *name, char *buf, size_t size);
void http_result_clear(struct http_result *result);

#endif
