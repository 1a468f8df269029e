/* loop.h - the engine's event loop: descriptors, timers and work posted from other threads.
 * A thin face over libre's loop, so that SIP timers and ours share one thread; libre's names stay inside loop.c. */
#ifndef NXV_LOOP_LOOP_H
#define NXV_LOOP_LOOP_H

#include <nexusvoip/types.h>

struct loop;
struct loop_timer;
enum { LOOP_READ = 1, LOOP_WRITE = 2 };
typedef void loop_fn(void *arg);
typedef void loop_fd_fn(int events, void *arg);

/** Open the loop on the calling thread, which must then run it. One per thread. */
nxv_status loop_open(struct loop **out, struct nxv_error *err);
/** Run until loop_stop(). */
nxv_status loop_run(struct loop *loop, struct nxv_error *err);
/** Close, on the loop's thread. NULL is allowed. */
void loop_close(struct loop *loop);
/** Any thread. Idempotent. */
void loop_stop(struct loop *loop);
/** Run fn(arg) soon on the loop's thread. Any thread. NXV_E_NOT_RUNNING once the loop is closing. */
nxv_status loop_post(struct loop *loop, loop_fn *fn, void *arg);
/** True on the loop's own thread. */
bool loop_is_current(const struct loop *loop);
/** Monotonic milliseconds. */
int64_t loop_now_ms(void);

/* Loop thread only: */
nxv_status loop_fd_set(struct loop *loop, int fd, int events, loop_fd_fn *fn, void *arg, struct nxv_error *err);
void loop_fd_clear(struct loop *loop, int fd);
/** A one-shot timer, stopped at first. @return [owned]; NULL when memory ran out. */
struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *arg);
void loop_timer_start(struct loop_timer *timer, uint64_t ms);
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_running(const struct loop_timer *timer);
/** Stop and free; allowed inside its own callback. NULL is allowed. */
void loop_timer_free(struct loop_timer *timer);

#endif
