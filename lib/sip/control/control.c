/* control.c - the control client: request ids, a time limit for each request, bounded answers. Every request is its own
 * datagram to the server's path, so a server that was restarted is found again by itself. */
#include "sip/control/control.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

/* The kernel lets ten datagrams wait for a reader, at the server and here: no more than that are under way. */
enum { ANSWER_MS = 2000, ANSWER_MAX = 1024 * 1024, WINDOW = 8, AGAIN_MS = 2 };
/* JSON-RPC "internal error": OpenSIPS says it, without our id, when the answer does not fit into a datagram. */
enum { RPC_INTERNAL = -32603 };

struct request {
	struct request *next;
	struct control *control;
	struct loop_timer *timer;
	int64_t id;
	char *text;  /**< waits to be sent; NULL: it was */
	bool unsent; /**< the timer only carries the bad news */
	control_fn *fn;
	void *arg;
	char method[40];
};
struct control {
	const struct env *env;
	struct loop *loop;
	int fd;
	struct sockaddr_un peer, own;
	struct request *first, **last; /* oldest first: those sent, then those that wait */
	struct loop_timer *again;      /* the server's queue was full: of other programs' requests */
	unsigned under_way;
	int64_t heard_ms;              /* loop_now_ms() of the newest answer */
	bool closing;
	int64_t next_id;
	char *answer;
};

static void unlink_request(struct control *c, struct request *req)
{
	for (struct request **p = &c->first; *p; p = &(*p)->next) {
		if (*p != req)
			continue;
		*p = req->next;
		if (!req->next)
			c->last = p;
		return;
	}
}

/* Send what waits, as far as there is room. */
static void pump(void *arg)
{
	struct control *c = arg;

	for (struct request *req = c->first; req && c->under_way < WINDOW && !c->closing; req = req->next) {
		if (!req->text)
			continue;
		if (sendto(c->fd, req->text, strlen(req->text), MSG_NOSIGNAL, (struct sockaddr *)&c->peer, sizeof(c->peer)) >= 0) {
			c->under_way++;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
			loop_timer_start(c->again, AGAIN_MS);
			return;
		} else {
			req->unsent = true;
			loop_timer_start(req->timer, 0);
		}
		free(req->text);
		req->text = NULL;
	}
}

static void finish(struct request *req, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	unlink_request(req->control, req);
	req->control->under_way -= !req->text && !req->unsent;
	pump(req->control); /* first: fn may close it */
	loop_timer_free(req->timer);
	req->fn(req->arg, status, result, err);
	free(req->text);
	free(req);
}

static void expired(void *arg)
{
	struct request *req = arg;
	struct nxv_error err = NXV_ERROR_INIT;

	if (req->text && loop_now_ms() - req->control->heard_ms < ANSWER_MS) { /* its turn has not come, but comes */
		loop_timer_start(req->timer, ANSWER_MS);
		return;
	}
	if (req->unsent)
		error_set(&err, NXV_E_UNREACHABLE, "nobody answers at the SIP server's control socket %.100s", req->control->peer.sun_path);
	else
		error_set(&err, NXV_E_TIMEOUT, "the SIP server did not answer %s within %d s", req->method, ANSWER_MS / 1000);
	finish(req, err.status, NULL, &err);
}

static void answer_error(struct request *req, struct json_object *error)
{
	const int64_t code = json_int(error, "code", 0);
	const char *message = json_text(error, "message");
	struct nxv_error err = NXV_ERROR_INIT;

	if (code == 404)
		error_set(&err, NXV_E_NOT_FOUND, "the SIP server knows no such thing (%s)", req->method);
	else if (code == RPC_INTERNAL)
		error_set(&err, NXV_E_LIMIT, "the SIP server's answer to %s does not fit into one message", req->method);
	else
		error_set(&err, NXV_E_CONFLICT, "the SIP server refused %s: %.120s", req->method, message ? message : "no reason given");
	err.detail = (int)code;
	finish(req, err.status, NULL, &err);
}

void control_receive(struct control *c, const char *text, size_t len)
{
	struct json_object *answer, *error, *id;
	struct request *req = c->first;

	if (json_read_passed_on(text, len, ANSWER_MAX, &answer, NULL) != NXV_OK) {
		env_log(c->env, NXV_LOG_WARN, "sip", "dropped a malformed answer of %zu bytes on the control socket", len);
		return;
	}
	error = json_member(answer, "error");
	id = json_member(answer, "id");
	if (json_object_is_type(id, json_type_int)) {
		while (req && req->id != json_object_get_int64(id))
			req = req->next;
	} else if (id || json_int(error, "code", 0) != RPC_INTERNAL) {
		req = NULL;
	} /* else: no id, the server could not even print one; it answers in order, so the oldest is meant */
	if (req)
		c->heard_ms = loop_now_ms();
	if (req && !req->text && !req->unsent && json_object_is_type(error, json_type_object))
		answer_error(req, error);
	else if (req && !req->text && !req->unsent && json_object_object_get_ex(answer, "result", NULL))
		finish(req, NXV_OK, json_member(answer, "result"), NULL);
	json_object_put(answer);
}

static void readable(int events, void *arg)
{
	struct control *c = arg;
	ssize_t len;

	(void)events;
	/* One datagram a turn: a callback may close us. */
	len = recv(c->fd, c->answer, ANSWER_MAX, MSG_DONTWAIT | MSG_TRUNC);
	if (len > 0 && len <= ANSWER_MAX)
		control_receive(c, c->answer, (size_t)len);
}

/* Sockets of programs that were killed: nobody reads them any more. */
static void drop_dead_sockets(const char *run_dir)
{
	DIR *dir = opendir(run_dir);
	const int fd = dir ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;

	for (const struct dirent *e; fd >= 0 && (e = readdir(dir));) {
		struct sockaddr_un addr = { .sun_family = AF_UNIX };
		char path[512];

		if (strncmp(e->d_name, "ctl-", 4) != 0)
			continue;
		snprintf(path, sizeof(path), "%.200s/%s", run_dir, e->d_name);
		if (text_copy(addr.sun_path, sizeof(addr.sun_path), path) && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 &&
				errno == ECONNREFUSED)
			unlink(path);
	}
	if (fd >= 0)
		close(fd);
	if (dir)
		closedir(dir);
}

static nxv_status open_socket(struct control *c, struct nxv_error *err)
{
	const int room = ANSWER_MAX;

	c->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return error_errno(err, errno, "cannot make a control socket");
	setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	unlink(c->own.sun_path);
	/* The folder is 0700 already, so the moment before chmod() gives nobody an opening. */
	if (bind(c->fd, (struct sockaddr *)&c->own, sizeof(c->own)) < 0 || chmod(c->own.sun_path, 0600) < 0)
		return error_errno(err, errno, "cannot make the control socket %.100s", c->own.sun_path);
	return loop_fd_set(c->loop, c->fd, LOOP_READ, readable, c, err);
}

nxv_status control_open(const struct env *env, struct loop *loop, const char *path, const char *run_dir, struct control **out, struct nxv_error *err)
{
	static unsigned serial;
	struct control *c = calloc(1, sizeof(*c));
	nxv_status status = NXV_OK;
	char own[256];

	*out = NULL;
	if (!c)
		return error_nomem(err);
	c->env = env;
	c->loop = loop;
	c->fd = -1;
	c->last = &c->first;
	c->answer = malloc(ANSWER_MAX);
	c->peer.sun_family = c->own.sun_family = AF_UNIX;
	snprintf(own, sizeof(own), "%.200s/ctl-%ld-%u.sock", run_dir, (long)getpid(), serial++);
	c->again = loop_timer_new(loop, pump, c);
	if (!c->answer || !c->again)
		status = error_nomem(err);
	else if (!text_copy(c->peer.sun_path, sizeof(c->peer.sun_path), path) || !text_copy(c->own.sun_path, sizeof(c->own.sun_path), own))
		status = error_field(err, "sip.control", "the path of the SIP server's folder is too long; use a shorter state folder");
	if (status == NXV_OK)
		status = open_socket(c, err);
	if (status == NXV_OK)
		drop_dead_sockets(run_dir);
	if (status == NXV_OK)
		*out = c;
	else
		control_close(c);
	return status;
}

void control_close(struct control *c)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (!c)
		return;
	error_set(&err, NXV_E_UNREACHABLE, "the connection to the SIP server is being closed");
	c->closing = true;
	while (c->first)
		finish(c->first, err.status, NULL, &err);
	if (c->fd >= 0) {
		loop_fd_clear(c->loop, c->fd);
		close(c->fd);
		unlink(c->own.sun_path);
	}
	loop_timer_free(c->again);
	free(c->answer);
	free(c);
}

static void add_param(struct json_object *params, const char *name, struct json_object *value)
{
	if (!params || !value || (name ? json_object_object_add(params, name, value) : json_object_array_add(params, value)) != 0)
		json_object_put(value);
}

void control_text(struct json_object *params, const char *name, const char *value)
{
	add_param(params, name, json_object_new_string(value));
}

void control_int(struct json_object *params, const char *name, int64_t value)
{
	add_param(params, name, json_object_new_int64(value));
}

/* @return [owned]; NULL when memory ran out. */
static char *make_text(const struct request *req, struct json_object *params)
{
	struct json_object *obj = json_object_new_object();
	char *text = NULL;

	if (obj) {
		control_text(obj, "jsonrpc", "2.0");
		control_text(obj, "method", req->method);
		control_int(obj, "id", req->id);
		add_param(obj, "params", json_object_get(params));
		text = text_dup(json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	json_object_put(obj);
	return text;
}

void control_call(struct control *c, const char *method, struct json_object *params, control_fn *fn, void *arg)
{
	struct request *req = calloc(1, sizeof(*req));
	struct nxv_error err = NXV_ERROR_INIT;

	if (req)
		req->timer = loop_timer_new(c->loop, expired, req);
	if (!req || !req->timer) {
		free(req);
		json_object_put(params);
		error_nomem(&err);
		fn(arg, NXV_E_NOMEM, NULL, &err);
		return;
	}
	req->control = c;
	req->id = ++c->next_id;
	req->fn = fn;
	req->arg = arg;
	text_copy(req->method, sizeof(req->method), method);
	req->text = make_text(req, params);
	req->unsent = !req->text;
	json_object_put(params);
	*c->last = req;
	c->last = &req->next;
	loop_timer_start(req->timer, req->unsent ? 0 : ANSWER_MS);
	pump(c);
}
