/* http.h - HTTP/1.1 as the rest of the server sees it: complete requests in, answers out, one loop per thread.
 * Behind it sits libmicrohttpd; nothing outside server/http knows. */
#ifndef NEXUSD_HTTP_HTTP_H
#define NEXUSD_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_listener;
struct http_loop;
struct http_request;
struct http_stream;

/** Limits of a request; beyond them it is refused before anything looks at it. */
enum {
	HTTP_BODY_MAX = 64 * 1024,
	HTTP_DRAIN_MAX = 1024 * 1024, /**< a body up to here is read and dropped, so that its sender gets to see the 413 */
	HTTP_TARGET_MAX = 4096
};

/** Why a request was refused before it was routed. */
struct http_fault {
	int status;          /**< 0: nothing wrong */
	const char *code;    /**< machine word */
	const char *message; /**< what to do */
};

/** What a loop calls, always on its own thread. */
struct http_app {
	void *user;
	/** A request is complete (or refused: see http_fault()). Call http_answer() now or later. */
	void (*handle)(void *user, struct http_request *req);
	/** The server ends and this request still waits: answer it now. */
	void (*hurry)(void *user, struct http_request *req);
	/** The request is over; free what http_set_data() attached. */
	void (*done)(void *user, struct http_request *req);
	/** A request so malformed that it has no http_request: the body to send with this status, [owned] by the loop;
	 * NULL closes without an answer. id holds 64 bytes and takes the request id. */
	char *(*malformed)(void *user, int status, char *id);
	/** One of wake_fds is readable. */
	void (*wake)(void *user);
	int wake_fds[2]; /**< -1: none */
	void (*log)(void *user, const char *text);
};

/** Listen on "HOST:PORT", "[V6]:PORT" or ":PORT" with as many sockets as there are loops; port 0 takes a free one.
 * @param why filled on failure. @return NULL on failure. */
struct http_listener *http_listener_open(const char *address, unsigned loops, char *why, size_t why_len);
/** "HOST:PORT" with the real port. @return [borrowed] */
const char *http_listener_name(const struct http_listener *listener);
/** True when only this machine can reach it. */
bool http_listener_is_loopback(const struct http_listener *listener);
/** Close what no loop took over. NULL is allowed. */
void http_listener_close(struct http_listener *listener);

/** Start loop number index of a listener on a thread of its own. @param app [borrowed] until http_loop_join(). */
struct http_loop *http_loop_start(struct http_listener *listener, unsigned index, const struct http_app *app, unsigned max_connections);
/** Take no more connections, finish what is in flight for at most grace_ms. Any thread. */
void http_loop_stop(struct http_loop *loop, uint32_t grace_ms);
/** Wait for its end and free it. NULL is allowed. */
void http_loop_join(struct http_loop *loop);

const struct http_fault *http_fault(const struct http_request *req);
const char *http_method(const struct http_request *req);
/** The path, still percent-encoded. */
const char *http_path(const struct http_request *req);
/** What follows '?', still encoded; "" if nothing does. */
const char *http_query(const struct http_request *req);
/** A header's value; NULL if absent. Any case. */
const char *http_header(const struct http_request *req, const char *name);
/** The body; never NULL. */
const char *http_body(const struct http_request *req, size_t *len);
/** Address of the peer without port. */
const char *http_client(const struct http_request *req);
/** When the request's head had come, microseconds of the monotonic clock. */
int64_t http_began_us(const struct http_request *req);
int64_t http_now_us(void);

void http_set_data(struct http_request *req, void *data);
void *http_data(const struct http_request *req);

/** Add a header to the answer; the value is copied. */
void http_answer_header(struct http_request *req, const char *name, const char *value);
/** Answer, once, on the loop's thread. @param body [owned] by the loop, free()d; NULL: none. */
void http_answer(struct http_request *req, int status, char *body, size_t len);
/** End the connection without an answer: the peer sees a reset. */
void http_reset(struct http_request *req);
/** Answer with a body that outlives the server. */
void http_answer_static(struct http_request *req, int status, const char *body, size_t len);

/** A body that another thread writes while it is sent; at most size bytes of it are held.
 * @return [owned], http_stream_free(); NULL when memory ran out. */
struct http_stream *http_stream_new(size_t size);
/** Give it up; an answer that is made of it keeps it as long as it needs. NULL is allowed. Any thread. */
void http_stream_free(struct http_stream *stream);
/** Write, waiting for room. False: nobody reads it any more. The writer's thread. */
bool http_stream_write(struct http_stream *stream, const void *data, size_t len);
/** True unless nobody reads it any more. Any thread. */
bool http_stream_is_read(struct http_stream *stream);
/** That was all; or, unless whole, it broke off: then the connection ends so that the client can tell. The writer's thread. */
void http_stream_end(struct http_stream *stream, bool whole);
/** It is not read any more; an answer that has begun ends broken off. Any thread. */
void http_stream_leave(struct http_stream *stream);
/** Answer with it. @param len -1: not known. */
void http_answer_stream(struct http_request *req, int status, struct http_stream *stream, int64_t len);

#endif
