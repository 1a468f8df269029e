/* client.c - the port engine.h: requests to the engine of this process by message, to another's through its socket. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "engine/inside.h"

enum { ANSWER_BYTES_MAX = 8 * 1024 * 1024, ANSWER_FIELDS = 7, SEND_SECONDS = 5 };

static nxv_status not_running(struct nxv_error *err)
{
	error_code(err, NXV_E_NOT_RUNNING, "engine_not_running", "no engine runs on this state folder; start nexusd, or call nxv_start()");
	if (err)
		err->retry_after_ms = 1000;
	return NXV_E_NOT_RUNNING;
}

/* --- this process --- */

struct posted {
	struct engine *engine;
	struct request *req;
};

static void run_posted(void *arg)
{
	struct posted *posted = arg;

	engine_dispatch(posted->engine, posted->req);
	free(posted);
}

nxv_status engine_call_async(
	nxv_ctx *ctx, const char *const *args, engine_answer_fn *fn, void *arg, struct nxv_error *err)
{
	struct posted *posted = malloc(sizeof(*posted));
	struct request *req = NULL;
	nxv_status status = posted ? request_new(args, fn, arg, &req, err) : error_nomem(err);

	if (status != NXV_OK) {
		free(posted);
		return status;
	}
	posted->req = req;
	pthread_mutex_lock(&ctx->lock); /* the engine goes only under this lock */
	posted->engine = ctx->engine;
	status = ctx->engine ? loop_post(ctx->engine->loop, run_posted, posted) : NXV_E_NOT_RUNNING;
	pthread_mutex_unlock(&ctx->lock);
	if (status != NXV_OK) {
		request_discard(req);
		free(posted);
		return status == NXV_E_NOT_RUNNING ? not_running(err) : error_nomem(err);
	}
	return NXV_OK;
}

/* A caller that blocks; whoever comes second, the answer or the time-out, frees it. */
struct blocked {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool answered, abandoned;
	nxv_status status;
	struct nxv_error err;
	char *text;
};

static void blocked_free(struct blocked *b)
{
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->cond);
	free(b->text);
	free(b);
}

static void wake(void *arg, nxv_status status, const struct nxv_error *err, const char *text)
{
	struct blocked *b = arg;
	bool abandoned;

	pthread_mutex_lock(&b->lock);
	b->answered = true;
	b->status = status;
	b->err = *err;
	b->text = text_dup(text);
	abandoned = b->abandoned;
	pthread_cond_signal(&b->cond);
	pthread_mutex_unlock(&b->lock);
	if (abandoned)
		blocked_free(b);
}

static struct blocked *blocked_new(void)
{
	struct blocked *b = calloc(1, sizeof(*b));
	pthread_condattr_t attr;

	if (!b)
		return NULL;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->cond, &attr);
	pthread_condattr_destroy(&attr);
	return b;
}

static nxv_status call_here(
	nxv_ctx *ctx, const char *const *args, uint32_t timeout_ms, char **text, struct nxv_error *err)
{
	struct blocked *b = blocked_new();
	struct timespec until;
	nxv_status status = b ? engine_call_async(ctx, args, wake, b, err) : error_nomem(err);
	int rc = 0;

	if (status != NXV_OK) {
		if (b)
			blocked_free(b);
		return status;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&b->lock);
	while (!b->answered && rc == 0)
		rc = pthread_cond_timedwait(&b->cond, &b->lock, &until);
	b->abandoned = !b->answered;
	pthread_mutex_unlock(&b->lock);
	if (b->abandoned)
		return error_set(err, NXV_E_TIMEOUT, "the engine did not answer within %u ms", (unsigned)timeout_ms);
	status = b->status;
	if (err)
		*err = b->err;
	if (text && status == NXV_OK) {
		*text = b->text;
		b->text = NULL;
	}
	blocked_free(b);
	return status;
}

/* --- another process --- */

static nxv_status open_socket(nxv_ctx *ctx, int *out, struct nxv_error *err)
{
	const struct timeval patience = { .tv_sec = SEND_SECONDS }; /* an engine that hangs takes neither connections nor bytes */
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char *path = engine_path(ctx, "engine.sock");
	bool fits = path && text_copy(addr.sun_path, sizeof(addr.sun_path), path);
	int fd;

	free(path);
	if (!fits)
		return error_set(err, NXV_E_INVALID, "the state folder's path is too long for a socket in it");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(err, errno, "cannot make a socket");
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		int errnum = errno;
		close(fd);
		if (errnum == ENOENT || errnum == ECONNREFUSED)
			return not_running(err);
		if (errnum == EAGAIN)
			return error_set(err, NXV_E_TIMEOUT, "the engine took no request within %d s", SEND_SECONDS);
		return error_errno(err, errnum, "cannot reach the engine");
	}
	*out = fd;
	return NXV_OK;
}

static nxv_status send_line(int fd, const char *const *args, struct nxv_error *err)
{
	struct buf line = { .max = REQUEST_BYTES_MAX };
	nxv_status status = NXV_OK;
	size_t sent = 0;

	for (size_t i = 0; args[i]; i++)
		buf_printf(&line, "%s%s", i ? "\t" : "", args[i]);
	buf_str(&line, "\n");
	if (line.failed)
		status = error_set(err, NXV_E_INVALID, "the request is too long");
	while (status == NXV_OK && sent < line.len) {
		ssize_t n = send(fd, line.data + sent, line.len - sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EPIPE)
			break; /* it refused unread; why is in its answer */
		if (n < 0 && errno != EINTR)
			status = error_errno(err, errno, "cannot write to the engine");
		else if (n > 0)
			sent += (size_t)n;
	}
	buf_free(&line);
	return status;
}

static nxv_status read_all(int fd, uint32_t timeout_ms, struct buf *in, struct nxv_error *err)
{
	const int64_t until = loop_now_ms() + timeout_ms;
	char chunk[4096];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = until - loop_now_ms();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left) == 0)
			return error_set(err, NXV_E_TIMEOUT, "the engine did not answer within %u ms", (unsigned)timeout_ms);
		n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			break;
		if (n > 0)
			buf_append(in, chunk, (size_t)n);
		else if (errno != EINTR && errno != EAGAIN)
			return error_errno(err, errno, "cannot read from the engine");
	}
	if (in->failed)
		return error_set(err, NXV_E_IO, "the engine's answer is too long");
	return in->len ? NXV_OK : not_running(err); /* it went away before it answered */
}

/* "err\tstatus\tdetail\tretry\tcode\tfield\tmessage" */
static nxv_status read_failure(char *line, struct nxv_error *err)
{
	char *fields[ANSWER_FIELDS] = { NULL };
	struct nxv_error got = NXV_ERROR_INIT;
	size_t n = 0;

	for (char *p = line; p && n < ANSWER_FIELDS; n++) {
		fields[n] = p;
		p = strchr(p, '\t');
		if (p)
			*p++ = '\0';
	}
	if (n < ANSWER_FIELDS || strcmp(fields[0], "err") != 0)
		return error_set(err, NXV_E_INTERNAL, "the engine's answer cannot be read");
	got.status = error_status_parse(fields[1]);
	got.detail = atoi(fields[2]);
	got.retry_after_ms = (uint32_t)strtoul(fields[3], NULL, 10);
	text_copy(got.code, sizeof(got.code), fields[4]);
	text_copy(got.field, sizeof(got.field), fields[5]);
	text_copy(got.message, sizeof(got.message), fields[6]);
	if (err)
		*err = got;
	return got.status;
}

static nxv_status call_there(
	nxv_ctx *ctx, const char *const *args, uint32_t timeout_ms, char **text, struct nxv_error *err)
{
	struct buf in = { .max = ANSWER_BYTES_MAX };
	int fd = -1;
	nxv_status status = open_socket(ctx, &fd, err);
	char *payload;

	if (status == NXV_OK)
		status = send_line(fd, args, err);
	if (status == NXV_OK)
		status = read_all(fd, timeout_ms, &in, err);
	if (status == NXV_OK) {
		payload = strchr(in.data, '\n');
		if (payload)
			*payload++ = '\0';
		if (strcmp(in.data, "ok") != 0)
			status = read_failure(in.data, err);
		else if (text && !(*text = text_dup(payload ? payload : "")))
			status = error_nomem(err);
	}
	if (fd >= 0)
		close(fd);
	buf_free(&in);
	return status;
}

nxv_status engine_call(nxv_ctx *ctx, const char *const *args, uint32_t timeout_ms, char **text, struct nxv_error *err)
{
	bool here, current;

	if (text)
		*text = NULL;
	pthread_mutex_lock(&ctx->lock);
	here = ctx->engine != NULL;
	current = here && loop_is_current(ctx->engine->loop);
	pthread_mutex_unlock(&ctx->lock);
	if (current)
		return error_set(err, NXV_E_DEADLOCK, "a call that waits for the engine was made from the engine's own thread");
	return here ? call_here(ctx, args, timeout_ms, text, err) : call_there(ctx, args, timeout_ms, text, err);
}

/* Another's engine is known by its socket: to test the lock would be to take it, if only for a moment. */
bool engine_running(nxv_ctx *ctx)
{
	bool here;
	int fd;

	pthread_mutex_lock(&ctx->lock);
	here = ctx->engine != NULL;
	pthread_mutex_unlock(&ctx->lock);
	if (here)
		return true;
	if (open_socket(ctx, &fd, NULL) != NXV_OK)
		return false;
	close(fd);
	return true;
}

bool nxv_engine_running(nxv_ctx *ctx)
{
	return engine_running(ctx);
}
