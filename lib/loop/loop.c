/* loop.c - the event loop on libre's. The only file besides the originator that includes <re.h>.
 * Work from other threads comes through a list and an eventfd: libre's own queue refuses when its pipe is full. */
#include "loop/loop.h"

#include <errno.h>
#include <pthread.h>
#include <re.h>
#define DEBUG_MODULE "loop" /* re_dbg.h asks for both */
#define DEBUG_LEVEL 0
#include <re_dbg.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

enum { LOOP_FDS_MAX = 65536 };

struct post {
	struct post *next;
	loop_fn *fn;
	void *arg;
};

struct re_fhs; /* what newer libre knows a watched descriptor by */

/* libre hands a callback one argument, so each watched descriptor has a box of its own. */
struct watch {
	struct re_fhs *handle;
	loop_fd_fn *fn;
	void *arg;
};

struct loop {
	pthread_t thread;
	pthread_mutex_t lock; /* guards posts and closing */
	struct post *first, **last;
	bool closing;
	int wake_fd;
	struct re_fhs *wake_handle;
	struct watch **watches; /* by descriptor; NULL: not watched */
	size_t watch_count;
};

struct loop_timer {
	struct tmr tmr;
	loop_fn *fn;
	void *arg;
};

/* libre_init() is global to the process: the first loop calls it, the last one undoes it. */
static pthread_mutex_t libre_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned libre_users;

#ifdef NXV_RE_HANDLES
static int watch_fd(struct re_fhs **handle, int fd, int flags, fd_h *fn, void *arg)
{
	return fd_listen(handle, fd, flags, fn, arg);
}

static void unwatch_fd(struct re_fhs **handle, int fd)
{
	(void)fd;
	*handle = fd_close(*handle);
}
#else
static int watch_fd(struct re_fhs **handle, int fd, int flags, fd_h *fn, void *arg)
{
	(void)handle;
	return fd_listen(fd, flags, fn, arg);
}

static void unwatch_fd(struct re_fhs **handle, int fd)
{
	(void)handle;
	fd_close(fd);
}
#endif

static void libre_quiet(int level, const char *text, size_t len, void *arg)
{
	(void)level;
	(void)text;
	(void)len;
	(void)arg;
}

static int libre_acquire(void)
{
	struct sigaction pipe_action;
	int errnum = 0;

	pthread_mutex_lock(&libre_lock);
	if (libre_users == 0) {
		dbg_init(0, DBG_NONE);
		dbg_handler_set(libre_quiet, NULL);
		sigaction(SIGPIPE, NULL, &pipe_action); /* libre_init() takes it away from the host */
		errnum = libre_init();
		sigaction(SIGPIPE, &pipe_action, NULL);
	}
	if (!errnum)
		libre_users++;
	pthread_mutex_unlock(&libre_lock);
	return errnum;
}

static void libre_release(void)
{
	pthread_mutex_lock(&libre_lock);
	if (--libre_users == 0)
		libre_close();
	pthread_mutex_unlock(&libre_lock);
}

static struct post *take_posts(struct loop *loop)
{
	struct post *first;

	pthread_mutex_lock(&loop->lock);
	first = loop->first;
	loop->first = NULL;
	loop->last = &loop->first;
	pthread_mutex_unlock(&loop->lock);
	return first;
}

static void run_posts(struct loop *loop)
{
	struct post *post = take_posts(loop), *next;

	for (; post; post = next) {
		next = post->next;
		post->fn(post->arg);
		free(post);
	}
}

static void wake_handler(int flags, void *arg)
{
	struct loop *loop = arg;
	uint64_t count;

	(void)flags;
	if (read(loop->wake_fd, &count, sizeof(count)) == sizeof(count))
		run_posts(loop);
}

nxv_status loop_open(struct loop **out, struct nxv_error *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	nxv_status status;
	int errnum;

	*out = NULL;
	if (!loop)
		return error_nomem(err);
	loop->thread = pthread_self();
	loop->last = &loop->first;
	pthread_mutex_init(&loop->lock, NULL);
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->wake_fd < 0) {
		status = error_errno(err, errno, "cannot make an event descriptor");
		goto fail;
	}
	errnum = libre_acquire();
	if (errnum) {
		status = error_errno(err, errnum, "cannot start the SIP library");
		goto fail;
	}
	errnum = re_thread_init();
	if (!errnum)
		errnum = fd_setsize(LOOP_FDS_MAX);
	if (!errnum)
		errnum = watch_fd(&loop->wake_handle, loop->wake_fd, FD_READ, wake_handler, loop);
	if (errnum) {
		re_thread_close();
		libre_release();
		status = error_errno(err, errnum, "cannot set up the event loop");
		goto fail;
	}
	*out = loop;
	return NXV_OK;
fail:
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
	return status;
}

nxv_status loop_run(struct loop *loop, struct nxv_error *err)
{
	int errnum;

	(void)loop;
	errnum = re_main(NULL);
	return errnum ? error_errno(err, errnum, "the event loop ended") : NXV_OK;
}

void loop_close(struct loop *loop)
{
	if (!loop)
		return;
	pthread_mutex_lock(&loop->lock);
	loop->closing = true;
	pthread_mutex_unlock(&loop->lock);
	run_posts(loop);
	unwatch_fd(&loop->wake_handle, loop->wake_fd);
	close(loop->wake_fd);
	re_thread_close();
	libre_release();
	pthread_mutex_destroy(&loop->lock);
	for (size_t i = 0; i < loop->watch_count; i++)
		free(loop->watches[i]);
	free(loop->watches);
	free(loop);
}

nxv_status loop_post(struct loop *loop, loop_fn *fn, void *arg)
{
	struct post *post = malloc(sizeof(*post));
	const uint64_t one = 1;
	nxv_status status = NXV_OK;

	if (!post)
		return NXV_E_NOMEM;
	*post = (struct post){ .fn = fn, .arg = arg };
	pthread_mutex_lock(&loop->lock);
	if (loop->closing) {
		status = NXV_E_NOT_RUNNING;
	} else {
		*loop->last = post;
		loop->last = &post->next;
		if (write(loop->wake_fd, &one, sizeof(one)) < 0) {
			/* Only when the counter is full: then it is readable, and the loop will come. */
		}
	}
	pthread_mutex_unlock(&loop->lock);
	if (status != NXV_OK)
		free(post);
	return status;
}

static void stop_now(void *arg)
{
	(void)arg;
	re_cancel();
}

void loop_stop(struct loop *loop)
{
	loop_post(loop, stop_now, NULL);
}

bool loop_is_current(const struct loop *loop)
{
	return pthread_equal(loop->thread, pthread_self());
}

int64_t loop_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void fd_handler(int flags, void *arg)
{
	struct watch copy = *(const struct watch *)arg; /* the callback may clear its own watch */
	int events = (flags & FD_READ ? LOOP_READ : 0) | (flags & FD_WRITE ? LOOP_WRITE : 0);

	if (flags & FD_EXCEPT)
		events |= LOOP_READ; /* an error shows when read */
	copy.fn(events, copy.arg);
}

static nxv_status watch_reserve(struct loop *loop, int fd, struct nxv_error *err)
{
	size_t need = (size_t)fd + 1, count = loop->watch_count ? loop->watch_count : 64;
	struct watch **watches;

	if (fd < 0 || fd >= LOOP_FDS_MAX)
		return error_set(err, NXV_E_IO, "too many open descriptors for the event loop");
	if (need > loop->watch_count) {
		while (count < need)
			count *= 2;
		watches = realloc(loop->watches, count * sizeof(*watches));
		if (!watches)
			return error_nomem(err);
		memset(watches + loop->watch_count, 0, (count - loop->watch_count) * sizeof(*watches));
		loop->watches = watches;
		loop->watch_count = count;
	}
	if (!loop->watches[fd])
		loop->watches[fd] = calloc(1, sizeof(**loop->watches));
	return loop->watches[fd] ? NXV_OK : error_nomem(err);
}

nxv_status loop_fd_set(struct loop *loop, int fd, int events, loop_fd_fn *fn, void *arg, struct nxv_error *err)
{
	int flags = (events & LOOP_READ ? FD_READ : 0) | (events & LOOP_WRITE ? FD_WRITE : 0);
	nxv_status status = watch_reserve(loop, fd, err);
	int errnum;

	if (status != NXV_OK)
		return status;
	loop->watches[fd]->fn = fn;
	loop->watches[fd]->arg = arg;
	errnum = watch_fd(&loop->watches[fd]->handle, fd, flags, fd_handler, loop->watches[fd]);
	return errnum ? error_errno(err, errnum, "cannot watch a descriptor") : NXV_OK;
}

void loop_fd_clear(struct loop *loop, int fd)
{
	if (fd < 0 || (size_t)fd >= loop->watch_count || !loop->watches[fd])
		return;
	unwatch_fd(&loop->watches[fd]->handle, fd);
	free(loop->watches[fd]);
	loop->watches[fd] = NULL;
}

static void timer_handler(void *arg)
{
	struct loop_timer *timer = arg;

	timer->fn(timer->arg);
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *arg)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));

	(void)loop;
	if (!timer)
		return NULL;
	timer->fn = fn;
	timer->arg = arg;
	tmr_init(&timer->tmr);
	return timer;
}

void loop_timer_start(struct loop_timer *timer, uint64_t ms)
{
	tmr_start(&timer->tmr, ms, timer_handler, timer);
}

void loop_timer_stop(struct loop_timer *timer)
{
	if (timer)
		tmr_cancel(&timer->tmr);
}

bool loop_timer_running(const struct loop_timer *timer)
{
	return tmr_isrunning(&timer->tmr);
}

void loop_timer_free(struct loop_timer *timer)
{
	loop_timer_stop(timer);
	free(timer);
}
