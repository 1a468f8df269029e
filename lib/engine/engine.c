/* engine.c - the engine's life: lock, loop, command socket, SIP, and the thread that nxv_start() gives it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/inside.h"
#include "engine/thread.h"

char *engine_path(const nxv_ctx *ctx, const char *name)
{
	return text_printf("%s/%s", ctx->state_dir, name);
}

static nxv_status take_lock(struct engine *engine, struct nxv_error *err)
{
	char *path = engine_path(engine->ctx, "engine.lock"), pid[24] = "";
	nxv_status status = NXV_OK;

	if (!path)
		return error_nomem(err);
	engine->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (engine->lock_fd < 0) {
		status = error_errno(err, errno, "cannot open %s", path);
	} else if (flock(engine->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (read(engine->lock_fd, pid, sizeof(pid) - 1) < 0)
			pid[0] = '\0';
		pid[strcspn(pid, "\n")] = '\0';
		status = error_code(err, NXV_E_BUSY, "engine_busy",
			"process %s is the engine of this state folder already; stop it, or use another folder", *pid ? pid : "(unknown)");
	} else if (ftruncate(engine->lock_fd, 0) != 0 || dprintf(engine->lock_fd, "%ld\n", (long)getpid()) < 0) {
		status = error_errno(err, errno, "cannot write %s", path);
	}
	free(path);
	return status;
}

static nxv_status open_parts(struct engine *engine, struct nxv_error *err)
{
	nxv_status status = take_lock(engine, err);

	if (status == NXV_OK)
		status = loop_open(&engine->loop, err);
	if (status == NXV_OK)
		status = waiters_open(engine->loop, &engine->waiters, err);
	if (status == NXV_OK)
		status = engine_sip_open(engine, err);
	if (status == NXV_OK)
		status = command_socket_open(engine, &engine->socket, err);
	return status;
}

/* Whoever still asks is answered before anything goes that an answer may touch. */
static void close_parts(struct engine *engine)
{
	engine->closing = true;
	waiters_close(engine->waiters);
	command_socket_close(engine->socket);
	if (engine->loop) /* else the folder is another's: its state is not ours to write */
		engine_sip_close(engine);
	loop_close(engine->loop);
	if (engine->lock_fd >= 0)
		close(engine->lock_fd);
}

/* Publish the engine to the other threads, or take it back. */
static nxv_status publish(nxv_ctx *ctx, struct engine *engine, struct nxv_error *err)
{
	nxv_status status = NXV_OK;

	pthread_mutex_lock(&ctx->lock);
	if (engine && ctx->engine)
		status = error_code(err, NXV_E_BUSY, "engine_busy", "this context runs an engine already");
	else
		ctx->engine = engine;
	pthread_mutex_unlock(&ctx->lock);
	return status;
}

nxv_status nxv_run(nxv_ctx *ctx, void (*ready)(void *ready_user), void *ready_user, struct nxv_error *err)
{
	struct engine engine = { .ctx = ctx, .lock_fd = -1 };
	nxv_status status = open_parts(&engine, err);

	if (status == NXV_OK)
		status = publish(ctx, &engine, err);
	if (status == NXV_OK) {
		env_log(&ctx->env, NXV_LOG_INFO, "engine", "running on %s", ctx->state_dir);
		if (ready)
			ready(ready_user);
		status = loop_run(engine.loop, err);
		publish(ctx, NULL, NULL);
		env_log(&ctx->env, NXV_LOG_INFO, "engine", "stopped");
	}
	close_parts(&engine);
	return status;
}

/* --- the thread of nxv_start() --- */

static void announce(struct engine_thread *t, nxv_status status)
{
	pthread_mutex_lock(&t->lock);
	t->told = true;
	t->status = status;
	pthread_cond_signal(&t->cond);
	pthread_mutex_unlock(&t->lock);
}

static void on_ready(void *arg)
{
	announce(arg, NXV_OK);
}

static void *thread_main(void *arg)
{
	struct engine_thread *t = arg;
	nxv_status status = nxv_run(t->ctx, on_ready, t, &t->err);

	if (status != NXV_OK)
		announce(t, status);
	return NULL;
}

/* Signals are the host's: the engine's thread takes none. */
static int start_thread(struct engine_thread *t)
{
	sigset_t all, before;
	int errnum;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errnum = pthread_create(&t->thread, NULL, thread_main, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return errnum;
}

static void thread_free(struct engine_thread *t)
{
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->cond);
	free(t);
}

nxv_status nxv_start(nxv_ctx *ctx, struct nxv_error *err)
{
	struct engine_thread *t = calloc(1, sizeof(*t));
	nxv_status status;
	int errnum;

	if (!t)
		return error_nomem(err);
	t->ctx = ctx;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->cond, NULL);
	errnum = start_thread(t);
	if (errnum) {
		thread_free(t);
		return error_errno(err, errnum, "cannot start the engine's thread");
	}
	pthread_mutex_lock(&t->lock);
	while (!t->told)
		pthread_cond_wait(&t->cond, &t->lock);
	status = t->status;
	pthread_mutex_unlock(&t->lock);
	if (status != NXV_OK) {
		pthread_join(t->thread, NULL);
		if (err)
			*err = t->err;
		thread_free(t);
		return status;
	}
	pthread_mutex_lock(&ctx->lock);
	ctx->thread = t;
	pthread_mutex_unlock(&ctx->lock);
	return NXV_OK;
}

void nxv_stop(nxv_ctx *ctx)
{
	struct engine_thread *t;

	if (!ctx)
		return;
	pthread_mutex_lock(&ctx->lock);
	if (ctx->engine)
		loop_post(ctx->engine->loop, engine_shut_down, ctx->engine);
	t = ctx->thread;
	ctx->thread = NULL;
	pthread_mutex_unlock(&ctx->lock);
	if (!t)
		return;
	pthread_join(t->thread, NULL);
	thread_free(t);
}
