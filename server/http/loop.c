/* loop.c - one thread, one epoll set, one libmicrohttpd daemon run by hand. Its own epoll thread is never used:
 * in 0.9.75 that stalls when exactly 128 or 256 connections are ready. */
#include "http/inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { POOL_BYTES = 8 * 1024 }; /* per connection: its head, and one piece of its body */

int64_t http_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t http_now_ms(void)
{
	return http_now_us() / 1000;
}

void conn_enter(struct http_conn *conn, enum phase phase)
{
	conn->phase = phase;
	conn->since_ms = http_now_ms();
}

static void note_client(struct http_conn *conn, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *addr = info ? info->client_addr : NULL;

	if (addr && addr->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)addr)->sin_addr, conn->client,
			sizeof(conn->client));
	else if (addr && addr->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr, conn->client,
			sizeof(conn->client));
}

static void conn_open(struct http_loop *loop, struct MHD_Connection *mhd, void **context)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct http_conn *conn = calloc(1, sizeof(*conn));

	*context = conn; /* NULL: every request on it is refused */
	if (!conn || !info)
		return;
	conn->loop = loop;
	conn->fd = info->connect_fd;
	conn->next = loop->conns;
	if (conn->next)
		conn->next->prev = conn;
	loop->conns = conn;
	note_client(conn, mhd);
	conn_enter(conn, PHASE_NEW);
}

static void conn_close(struct http_loop *loop, void **context)
{
	struct http_conn *conn = *context;

	if (!conn)
		return;
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		loop->conns = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	free(conn);
	*context = NULL;
}

static void on_connection(
	void *user, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		conn_open(user, mhd, context);
	else
		conn_close(user, context);
}

static void *on_target(void *user, const char *uri, struct MHD_Connection *mhd)
{
	return request_new(user, uri, mhd);
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_size, void **context)
{
	(void)mhd;
	return request_step(user, *context, url, method, version, upload, upload_size);
}

static void on_completed(void *user, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode why)
{
	struct http_loop *loop = user;
	struct http_request *req = *context;

	(void)mhd;
	(void)why;
	if (!req)
		return;
	*context = NULL;
	conn_enter(req->conn, PHASE_IDLE);
	loop->app->done(loop->app->user, req);
	if (loop->stopping)
		conn_cut(req->conn, false);
	request_free(req);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *user, const char *format, va_list args)
{
	struct http_loop *loop = user;
	char text[256];

	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\r\n")] = '\0';
	loop->app->log(loop->app->user, text);
}

static void daemon_start(struct http_loop *loop, int fd, unsigned max_connections)
{
	loop->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		on_request, loop, MHD_OPTION_EXTERNAL_LOGGER, on_log, loop, MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd,
		MHD_OPTION_CONNECTION_LIMIT, max_connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, loop, MHD_OPTION_NOTIFY_COMPLETED, on_completed, loop,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, loop, MHD_OPTION_END);
}

static bool watch(struct http_loop *loop, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data = { .fd = fd } };

	return fd < 0 || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Stop: no new connections, idle ones end, requests that wait get until stop_at_ms. */
static void begin_stop(struct http_loop *loop)
{
	MHD_socket fd;
	uint64_t count;

	(void)!read(loop->stop_fd, &count, sizeof(count));
	if (loop->stopping)
		return;
	loop->stopping = true;
	loop->stop_at_ms = http_now_ms() + atomic_load(&loop->grace_ms);
	fd = MHD_quiesce_daemon(loop->mhd);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
	for (struct http_conn *conn = loop->conns; conn; conn = conn->next)
		if (conn->phase == PHASE_NEW || conn->phase == PHASE_IDLE)
			conn_cut(conn, false);
}

/* Nothing may be suspended when the daemon stops. */
static void hurry_all(struct http_loop *loop)
{
	for (struct http_conn *conn = loop->conns; conn; conn = conn->next) {
		if (conn->req && conn->req->suspended)
			loop->app->hurry(loop->app->user, conn->req);
		if (conn->req && conn->req->stream)
			http_stream_leave(conn->req->stream);
	}
}

static int next_timeout(struct http_loop *loop)
{
	MHD_UNSIGNED_LONG_LONG due;
	int timeout = deadline_sweep(loop);

	if (MHD_get_timeout(loop->mhd, &due) == MHD_YES && (timeout < 0 || due < (unsigned)timeout))
		timeout = (int)due;
	if (loop->stopping && (timeout < 0 || timeout > 50))
		timeout = 50;
	return timeout;
}

static void *loop_main(void *arg)
{
	struct http_loop *loop = arg;
	struct epoll_event events[5];
	uint64_t count;

	while (!loop->stopping || (loop->conns && http_now_ms() < loop->stop_at_ms)) {
		int n = epoll_wait(loop->epoll, events, 5, next_timeout(loop));

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == loop->stop_fd)
				begin_stop(loop);
			else if (events[i].data.fd == loop->kick_fd)
				(void)!read(loop->kick_fd, &count, sizeof(count));
			else if (events[i].data.fd == loop->app->wake_fds[0] ||
				 events[i].data.fd == loop->app->wake_fds[1])
				loop->app->wake(loop->app->user);
		}
		MHD_run(loop->mhd);
	}
	hurry_all(loop);
	for (int i = 0; i < 3; i++) /* resume, queue, send */
		MHD_run(loop->mhd);
	MHD_stop_daemon(loop->mhd);
	return NULL;
}

static void loop_free(struct http_loop *loop)
{
	if (loop->epoll >= 0)
		close(loop->epoll);
	if (loop->stop_fd >= 0)
		close(loop->stop_fd);
	if (loop->kick_fd >= 0)
		close(loop->kick_fd);
	free(loop);
}

struct http_loop *http_loop_start(
	struct http_listener *listener, unsigned index, const struct http_app *app, unsigned max_connections)
{
	const union MHD_DaemonInfo *info;
	struct http_loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->app = app;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	loop->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->epoll < 0 || loop->stop_fd < 0 || loop->kick_fd < 0)
		goto fail;
	daemon_start(loop, listener->fds[index], max_connections);
	if (!loop->mhd)
		goto fail;
	listener->fds[index] = -1; /* the daemon's from here on */
	info = MHD_get_daemon_info(loop->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info || !watch(loop, info->epoll_fd) || !watch(loop, loop->stop_fd) || !watch(loop, loop->kick_fd) || !watch(loop, app->wake_fds[0]) ||
		!watch(loop, app->wake_fds[1]) || pthread_create(&loop->thread, NULL, loop_main, loop) != 0) {
		MHD_stop_daemon(loop->mhd);
		goto fail;
	}
	return loop;
fail:
	loop_free(loop);
	return NULL;
}

void http_loop_stop(struct http_loop *loop, uint32_t grace_ms)
{
	uint64_t one = 1;

	if (!loop)
		return;
	atomic_store(&loop->grace_ms, grace_ms);
	(void)!write(loop->stop_fd, &one, sizeof(one));
}

void http_loop_join(struct http_loop *loop)
{
	if (!loop)
		return;
	pthread_join(loop->thread, NULL);
	loop_free(loop);
}
