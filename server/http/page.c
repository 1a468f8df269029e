/* page.c - error pages of libmicrohttpd in our own form. It answers what it cannot parse by itself, in HTML, and has no
 * hook for that; but it calls MHD_queue_response through the dynamic linker, which finds this one first. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "http/inside.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

typedef enum MHD_Result queue_fn(struct MHD_Connection *, unsigned, struct MHD_Response *);

static queue_fn *real_queue;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find_real(void)
{
	void *found = dlsym(RTLD_NEXT, "MHD_queue_response");

	memcpy(&real_queue, &found, sizeof(real_queue)); /* ISO C has no cast from object to function pointer */
}

enum MHD_Result page_queue(struct MHD_Connection *mhd, unsigned status, struct MHD_Response *response)
{
	pthread_once(&once, find_real);
	return real_queue ? real_queue(mhd, status, response) : MHD_NO;
}

/* Written past libmicrohttpd: it would send its head twice for a malformed Content-Length, and has no way to answer a
 * request that has not come in whole. No answer has begun then, so these bytes cannot end up inside one. */
void conn_refuse(struct http_conn *conn, int status)
{
	char id[64] = "", text[1024];
	char *body = conn->loop->app->malformed(conn->loop->app->user, status, id);
	int n;

	if (!body)
		return;
	n = snprintf(text, sizeof(text),
		"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nX-Request-Id: %s\r\n"
		"Cache-Control: no-store\r\nConnection: close\r\n\r\n%s",
		status, MHD_get_reason_phrase_for((unsigned)status), strlen(body), id, body);
	if (n > 0 && (size_t)n < sizeof(text))
		(void)!send(conn->fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	free(body);
}

/* Called by libmicrohttpd only: everything of ours goes through page_queue(). MHD_NO makes it close the connection. */
__attribute__((visibility("default"))) enum MHD_Result MHD_queue_response(
	struct MHD_Connection *mhd, unsigned status, struct MHD_Response *page)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_conn *conn = info ? info->socket_context : NULL;

	if (!conn)
		return page_queue(mhd, status, page);
	conn_refuse(conn, (int)status);
	return MHD_NO;
}
