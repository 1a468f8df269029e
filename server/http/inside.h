/* inside.h - what the files of server/http share: loop, connection and request. */
#ifndef NEXUSD_HTTP_INSIDE_H
#define NEXUSD_HTTP_INSIDE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/http.h"

/** How far a connection has come; every phase but WORK has a deadline. */
enum phase {
	PHASE_NEW,  /**< no request yet */
	PHASE_IDLE, /**< kept alive between requests */
	PHASE_HEAD, /**< the request line has come */
	PHASE_BODY, /**< the head has come */
	PHASE_WORK, /**< we are at it */
	PHASE_SEND  /**< the answer is on its way */
};

struct http_conn {
	struct http_conn *prev, *next;
	struct http_loop *loop;
	struct http_request *req; /**< the current one; NULL between requests */
	int fd;
	enum phase phase;
	int64_t since_ms; /**< when it entered the phase */
	bool cut;         /**< shut down by us */
	char client[48];
};

struct http_header_out {
	const char *name; /**< literal */
	char *value;
};

struct http_request {
	struct http_conn *conn;
	struct MHD_Connection *mhd;
	const char *method; /**< libmicrohttpd's, valid while the request lives */
	char *target, *path, *query;
	char *body;
	size_t len, room;
	uint64_t seen; /**< bytes of body that came, kept or not */
	struct http_fault fault;
	bool begun, chunked, handled, suspended, answered, closing;
	int64_t began_us;
	struct MHD_Response *response;
	struct http_stream *stream; /**< the body of the answer, as long as the response lives */
	int status;
	struct http_header_out out[20];
	size_t outs;
	void *data;
};

struct http_loop {
	const struct http_app *app;
	struct MHD_Daemon *mhd;
	struct http_conn *conns;
	pthread_t thread;
	int epoll, stop_fd, kick_fd; /**< kick: run once more */
	atomic_uint grace_ms;
	bool stopping;
	int64_t stop_at_ms, swept_ms;
};

struct http_listener {
	char name[80];
	bool loopback;
	unsigned count;
	int fds[16];
};

int64_t http_now_ms(void);
void conn_enter(struct http_conn *conn, enum phase phase);

/** request.c: the life of a request. */
void *request_new(struct http_loop *loop, const char *uri, struct MHD_Connection *mhd);
void request_free(struct http_request *req);
enum MHD_Result request_step(struct http_loop *loop, struct http_request *req, const char *url, const char *method,
			     const char *version, const char *upload, size_t *upload_size);

/** framing.c: true when the head can be read in one way only; otherwise req->fault says why not. Notes the kind of body. */
bool framing_check(struct http_request *req, const char *url, const char *version);

/** stream.c */
struct MHD_Response *stream_response(struct http_stream *stream, struct http_conn *conn, int64_t len);

/** deadline.c: end connections that exceed the time of their phase; returns ms until it should look again, -1 for never. */
int deadline_sweep(struct http_loop *loop);
/** End a connection; one that timed out is told so if no answer has begun. */
void conn_cut(struct http_conn *conn, bool timed_out);

/** page.c: answer a request that cannot be read, in our own form; the connection must end then. */
void conn_refuse(struct http_conn *conn, int status);
/** Queue our own answer, past the replacement of libmicrohttpd's pages. */
enum MHD_Result page_queue(struct MHD_Connection *mhd, unsigned status, struct MHD_Response *response);

#endif
