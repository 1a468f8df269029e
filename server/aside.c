/* aside.c - one thread beside a loop for library calls that may have to wait for the SIP server, so that no loop does.
 */
#include "aside.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job {
	void (*work)(void *token);
	void *token;
};

/* A ring of jobs: [taken, done) finished, [done, given) to do. */
struct aside {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct job jobs[ASIDE_MAX];
	unsigned taken, done, given;
	bool closing;
	int fd;
};

static void *aside_main(void *arg)
{
	struct aside *aside = arg;
	uint64_t one = 1;

	pthread_mutex_lock(&aside->lock);
	for (;;) {
		struct job job;

		while (aside->done == aside->given && !aside->closing)
			pthread_cond_wait(&aside->changed, &aside->lock);
		if (aside->done == aside->given)
			break;
		job = aside->jobs[aside->done % ASIDE_MAX];
		pthread_mutex_unlock(&aside->lock);
		job.work(job.token);
		pthread_mutex_lock(&aside->lock);
		aside->done++;
		(void)!write(aside->fd, &one, sizeof(one));
		pthread_cond_broadcast(&aside->changed);
	}
	pthread_mutex_unlock(&aside->lock);
	return NULL;
}

struct aside *aside_open(void)
{
	struct aside *aside = calloc(1, sizeof(*aside));

	if (!aside)
		return NULL;
	aside->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&aside->lock, NULL);
	pthread_cond_init(&aside->changed, NULL);
	if (aside->fd >= 0 && pthread_create(&aside->thread, NULL, aside_main, aside) == 0)
		return aside;
	if (aside->fd >= 0)
		close(aside->fd);
	free(aside);
	return NULL;
}

void aside_close(struct aside *aside)
{
	if (!aside)
		return;
	pthread_mutex_lock(&aside->lock);
	aside->closing = true;
	pthread_cond_broadcast(&aside->changed);
	pthread_mutex_unlock(&aside->lock);
	pthread_join(aside->thread, NULL);
	pthread_cond_destroy(&aside->changed);
	pthread_mutex_destroy(&aside->lock);
	close(aside->fd);
	free(aside);
}

int aside_fd(const struct aside *aside)
{
	return aside->fd;
}

bool aside_run(struct aside *aside, void (*work)(void *token), void *token)
{
	bool room;

	pthread_mutex_lock(&aside->lock);
	room = aside->given - aside->taken < ASIDE_MAX;
	if (room) {
		aside->jobs[aside->given++ % ASIDE_MAX] = (struct job){ work, token };
		pthread_cond_broadcast(&aside->changed);
	}
	pthread_mutex_unlock(&aside->lock);
	return room;
}

void *aside_next(struct aside *aside)
{
	void *token = NULL;
	uint64_t count;

	pthread_mutex_lock(&aside->lock);
	if (aside->taken != aside->done)
		token = aside->jobs[aside->taken++ % ASIDE_MAX].token;
	else
		(void)!read(aside->fd, &count, sizeof(count));
	pthread_mutex_unlock(&aside->lock);
	return token;
}

void aside_settle(struct aside *aside)
{
	pthread_mutex_lock(&aside->lock);
	while (aside->done != aside->given)
		pthread_cond_wait(&aside->changed, &aside->lock);
	pthread_mutex_unlock(&aside->lock);
}
