/* socket.c - the command socket, server side: one request per connection, a line of TAB-separated fields; the answer is one
 * line (ok, or err and its details), then the payload until the end. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "engine/inside.h"

enum { CONNECTIONS_MAX = 64, IDLE_MS = 10000 };

struct connection {
	struct connection *next, **at;
	struct command_socket *socket; /* NULL once the engine has closed it while a request was under way */
	int fd;
	bool asked; /* its request is with the engine; it is freed by the answer */
	struct buf in, out;
	size_t sent;
	struct loop_timer *idle;
};

struct command_socket {
	struct engine *engine;
	int fd;
	char *path;
	struct connection *first;
	size_t count;
};

static void drop(struct connection *conn)
{
	struct command_socket *socket = conn->socket;

	if (socket) {
		*conn->at = conn->next;
		if (conn->next)
			conn->next->at = conn->at;
		socket->count--;
		loop_fd_clear(socket->engine->loop, conn->fd);
		loop_timer_free(conn->idle);
		close(conn->fd);
		conn->socket = NULL;
	}
	if (conn->asked)
		return;
	buf_free(&conn->in);
	buf_free(&conn->out);
	free(conn);
}

static void on_idle(void *arg)
{
	drop(arg);
}

static void on_writable(int events, void *arg)
{
	struct connection *conn = arg;
	ssize_t n = send(conn->fd, conn->out.data + conn->sent, conn->out.len - conn->sent, MSG_NOSIGNAL);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		conn->sent += (size_t)n;
	if (n < 0 || conn->sent == conn->out.len)
		drop(conn);
}

static void on_answer(void *arg, nxv_status status, const struct nxv_error *err, const char *text)
{
	struct connection *conn = arg;

	conn->asked = false;
	if (!conn->socket) { /* nobody listens any more */
		drop(conn);
		return;
	}
	if (status == NXV_OK)
		buf_str(&conn->out, "ok\n");
	else
		buf_printf(&conn->out, "err\t%s\t%d\t%u\t%s\t%s\t%s\n", nxv_status_name(status), err->detail,
			(unsigned)err->retry_after_ms, err->code, err->field, err->message);
	buf_str(&conn->out, text);
	loop_timer_start(conn->idle, IDLE_MS);
	if (conn->out.failed || loop_fd_set(conn->socket->engine->loop, conn->fd, LOOP_WRITE, on_writable, conn, NULL) != NXV_OK)
		drop(conn);
}

/* Nothing more is expected while the request is with the engine: what comes is dropped, and an end means that nobody
 * waits for the answer any more. Without this look a client that was killed would hold its place until its wait ends. */
static void on_after_request(int events, void *arg)
{
	struct connection *conn = arg;
	char rest[256];
	ssize_t n = recv(conn->fd, rest, sizeof(rest), 0);

	(void)events;
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	drop(conn);
}

static void ask(struct connection *conn)
{
	struct engine *engine = conn->socket->engine;
	struct request *req;
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status;

	conn->in.data[strcspn(conn->in.data, "\n")] = '\0';
	loop_timer_stop(conn->idle);
	if (loop_fd_set(engine->loop, conn->fd, LOOP_READ, on_after_request, conn, NULL) != NXV_OK)
		loop_fd_clear(engine->loop, conn->fd);
	conn->asked = true;
	status = request_parse(conn->in.data, on_answer, conn, &req, &err);
	if (status == NXV_OK)
		engine_dispatch(engine, req);
	else
		on_answer(conn, status, &err, "");
}

static void on_readable(int events, void *arg)
{
	struct connection *conn = arg;
	char chunk[1024];
	ssize_t n = recv(conn->fd, chunk, sizeof(chunk), 0);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		buf_append(&conn->in, chunk, (size_t)n);
	if (n <= 0 || conn->in.failed)
		drop(conn);
	else if (memchr(conn->in.data, '\n', conn->in.len))
		ask(conn);
}

static void refuse(int fd)
{
	static const char line[] = "err\tbusy\t0\t1000\tengine_busy\t\ttoo many requests to the engine are under way; try again "
				   "in a moment\n";

	if (send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		/* it is closed without a word then */
	}
	close(fd);
}

static void on_connection(int events, void *arg)
{
	struct command_socket *socket = arg;
	int fd = accept(socket->fd, NULL, NULL);
	struct connection *conn;

	(void)events;
	if (fd < 0)
		return;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	conn = socket->count < CONNECTIONS_MAX ? calloc(1, sizeof(*conn)) : NULL;
	if (conn)
		conn->idle = loop_timer_new(socket->engine->loop, on_idle, conn);
	if (!conn || !conn->idle) {
		free(conn);
		refuse(fd);
		return;
	}
	conn->socket = socket;
	conn->fd = fd;
	conn->in.max = REQUEST_BYTES_MAX;
	conn->next = socket->first;
	conn->at = &socket->first;
	if (socket->first)
		socket->first->at = &conn->next;
	socket->first = conn;
	socket->count++;
	loop_timer_start(conn->idle, IDLE_MS);
	if (loop_fd_set(socket->engine->loop, fd, LOOP_READ, on_readable, conn, NULL) != NXV_OK)
		drop(conn);
}

static nxv_status listen_on(const char *path, int *out, struct nxv_error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (!text_copy(addr.sun_path, sizeof(addr.sun_path), path))
		return error_set(err, NXV_E_INVALID, "the state folder's path is too long for a socket in it: %s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(err, errno, "cannot make the command socket");
	unlink(path); /* a dead engine's: we hold the lock */
	/* The folder is 0700; the mode of the socket holds where the folder was opened up. */
	if (fchmod(fd, 0600) != 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 || chmod(path, 0600) != 0 ||
		listen(fd, 32) != 0) {
		int errnum = errno;
		close(fd);
		return error_errno(err, errnum, "cannot listen on %s", path);
	}
	*out = fd;
	return NXV_OK;
}

nxv_status command_socket_open(struct engine *engine, struct command_socket **out, struct nxv_error *err)
{
	struct command_socket *socket = calloc(1, sizeof(*socket));
	nxv_status status;

	*out = NULL;
	if (!socket || !(socket->path = engine_path(engine->ctx, "engine.sock"))) {
		free(socket);
		return error_nomem(err);
	}
	socket->engine = engine;
	socket->fd = -1;
	status = listen_on(socket->path, &socket->fd, err);
	if (status == NXV_OK)
		status = loop_fd_set(engine->loop, socket->fd, LOOP_READ, on_connection, socket, err);
	if (status != NXV_OK) {
		if (socket->fd >= 0)
			close(socket->fd);
		free(socket->path);
		free(socket);
		return status;
	}
	*out = socket;
	return NXV_OK;
}

void command_socket_close(struct command_socket *socket)
{
	if (!socket)
		return;
	loop_fd_clear(socket->engine->loop, socket->fd);
	close(socket->fd);
	unlink(socket->path);
	while (socket->first)
		drop(socket->first);
	free(socket->path);
	free(socket);
}
