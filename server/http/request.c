/* request.c - the life of one request: head checked, body collected, handed to the application, answer queued
 * at once or after a wait during which the connection is suspended. */
#include "http/inside.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void *request_new(struct http_loop *loop, const char *uri, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_request *req = calloc(1, sizeof(*req));

	(void)loop;
	if (!req || !info || !info->socket_context || !uri)
		goto fail;
	req->conn = info->socket_context;
	req->mhd = mhd;
	req->target = strdup(uri);
	if (!req->target)
		goto fail;
	req->path = req->target;
	if (strncmp(uri, "http://", 7) == 0) { /* absolute form, as sent to proxies */
		char *slash = strchr(req->target + 7, '/');

		if (slash)
			req->path = slash;
	}
	req->query = strchr(req->path, '?');
	req->conn->req = req;
	conn_enter(req->conn, PHASE_HEAD);
	return req;
fail:
	free(req);
	return NULL;
}

void request_free(struct http_request *req)
{
	if (!req)
		return;
	if (req->conn)
		req->conn->req = NULL;
	if (req->response)
		MHD_destroy_response(req->response);
	for (size_t i = 0; i < req->outs; i++)
		free(req->out[i].value);
	if (req->body)
		explicit_bzero(req->body, req->room);
	free(req->body);
	free(req->target);
	free(req);
}

/* The target's two halves, once the whole of it has been checked. */
static void split_target(struct http_request *req)
{
	if (req->query)
		*req->query++ = '\0';
}

static bool body_add(struct http_request *req, const char *data, size_t len)
{
	req->seen += len;
	if (req->seen > HTTP_BODY_MAX)
		return true; /* dropped; refused once it has all come */
	if (req->len + len > req->room) {
		size_t room = req->room ? req->room * 2 : 1024;
		char *grown;

		while (room < req->len + len)
			room *= 2;
		grown = realloc(req->body, room);
		if (!grown)
			return false;
		req->body = grown;
		req->room = room;
	}
	memcpy(req->body + req->len, data, len);
	req->len += len;
	return true;
}

static enum MHD_Result queue(struct http_request *req)
{
	enum MHD_Result done;

	conn_enter(req->conn, PHASE_SEND);
	if (req->closing || req->conn->loop->stopping)
		MHD_add_response_header(req->response, "Connection", "close");
	done = page_queue(req->mhd, (unsigned)req->status, req->response);
	MHD_destroy_response(req->response);
	req->response = NULL;
	return done;
}

static enum MHD_Result hand_over(struct http_loop *loop, struct http_request *req)
{
	req->handled = true;
	conn_enter(req->conn, PHASE_WORK);
	loop->app->handle(loop->app->user, req);
	if (req->answered)
		return req->response ? queue(req) : MHD_NO;
	req->suspended = true;
	MHD_suspend_connection(req->mhd);
	return MHD_YES;
}

/* First call: only the head has come. Answering now would close the connection, so only what must close is answered
 * here. */
static enum MHD_Result begin(
	struct http_loop *loop, struct http_request *req, const char *url, const char *method, const char *version)
{
	bool good;

	req->begun = true;
	req->method = method;
	req->began_us = http_now_us();
	good = framing_check(req, url, version);
	split_target(req);
	if (!good) {
		req->closing = true;
		return hand_over(loop, req);
	}
	conn_enter(req->conn, PHASE_BODY);
	return MHD_YES;
}

enum MHD_Result request_step(struct http_loop *loop, struct http_request *req, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_size)
{
	if (!req)
		return MHD_NO;
	if (!req->begun)
		return begin(loop, req, url, method, version);
	if (*upload_size > 0) {
		if (!body_add(req, upload, *upload_size) || req->seen > HTTP_DRAIN_MAX)
			return MHD_NO;
		*upload_size = 0;
		return MHD_YES;
	}
	if (!req->handled) {
		if (req->seen > HTTP_BODY_MAX)
			req->fault =
				(struct http_fault){ 413, "body_too_large", "A request body holds at most 64 KiB." };
		return hand_over(loop, req);
	}
	return req->response ? queue(req) : MHD_NO;
}

const struct http_fault *http_fault(const struct http_request *req)
{
	return &req->fault;
}

const char *http_method(const struct http_request *req)
{
	return req->method;
}

const char *http_path(const struct http_request *req)
{
	return req->path;
}

const char *http_query(const struct http_request *req)
{
	return req->query ? req->query : "";
}

const char *http_header(const struct http_request *req, const char *name)
{
	return MHD_lookup_connection_value(req->mhd, MHD_HEADER_KIND, name);
}

const char *http_body(const struct http_request *req, size_t *len)
{
	*len = req->len;
	return req->body ? req->body : "";
}

const char *http_client(const struct http_request *req)
{
	return req->conn->client;
}

int64_t http_began_us(const struct http_request *req)
{
	return req->began_us;
}

void http_set_data(struct http_request *req, void *data)
{
	req->data = data;
}

void *http_data(const struct http_request *req)
{
	return req->data;
}

void http_answer_header(struct http_request *req, const char *name, const char *value)
{
	char *copy;

	if (req->outs == sizeof(req->out) / sizeof(req->out[0]))
		return;
	copy = strdup(value);
	if (copy)
		req->out[req->outs++] = (struct http_header_out){ name, copy };
}

/* A body that is wiped when it has been sent: it may hold a key or a password. */
struct owned {
	char *text;
	size_t len;
};

static void owned_free(void *arg)
{
	struct owned *owned = arg;

	if (owned->text)
		explicit_bzero(owned->text, owned->len);
	free(owned->text);
	free(owned);
}

static struct MHD_Response *owned_response(char *text, size_t len)
{
	struct owned *owned = malloc(sizeof(*owned));
	struct MHD_Response *response;

	if (!owned) {
		free(text);
		return NULL;
	}
	*owned = (struct owned){ text, len };
	response = MHD_create_response_from_buffer_with_free_callback_cls(len, text, owned_free, owned);
	if (!response)
		owned_free(owned);
	return response;
}

/* Without memory for a response the request stays answered without one, which closes the connection. */
static void answer(struct http_request *req, int status, struct MHD_Response *response)
{
	req->answered = true;
	req->status = status;
	req->response = response;
	for (size_t i = 0; response && i < req->outs; i++)
		MHD_add_response_header(response, req->out[i].name, req->out[i].value);
	if (req->suspended) {
		req->suspended = false;
		MHD_resume_connection(req->mhd);
	}
}

void http_answer(struct http_request *req, int status, char *body, size_t len)
{
	if (req->answered)
		free(body);
	else
		answer(req, status, owned_response(body, len));
}

void http_reset(struct http_request *req)
{
	const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	if (req->answered)
		return;
	(void)!connect(req->conn->fd, &nowhere, sizeof(nowhere)); /* on Linux, this sends the reset at once */
	answer(req, 0, NULL);
}

void http_answer_static(struct http_request *req, int status, const char *body, size_t len)
{
	if (!req->answered)
		answer(req, status,
			MHD_create_response_from_buffer(len, (void *)(uintptr_t)body, MHD_RESPMEM_PERSISTENT));
}

void http_answer_stream(struct http_request *req, int status, struct http_stream *stream, int64_t len)
{
	struct MHD_Response *response;

	if (req->answered)
		return;
	response = stream_response(stream, req->conn, len);
	req->stream = response ? stream : NULL;
	answer(req, status, response);
}
