/* aside.c - threads beside a loop for library calls that may have to wait for the SIP server or for Twilio, so that no loop
 * does. */
#include "aside.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

struct job {
	void (*work)(void *token);
	void *token;
};

/* Two rings: jobs [begun, given) to do, tokens [taken, done) of those that are finished. given - taken never exceeds a ring. */
struct aside {
	pthread_t threads[ASIDE_THREADS_MAX];
	unsigned thread_count;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct job jobs[ASIDE_MAX];
	void *finished[ASIDE_MAX];
	unsigned taken, done, begun, given;
	bool closing;
	int bell;
};

static void *aside_main(void *arg)
{
	struct aside *aside = arg;
	uint64_t one = 1;

	pthread_mutex_lock(&aside->lock);
	for (;;) {
		struct job job;

		while (aside->begun == aside->given && !aside->closing)
			pthread_cond_wait(&aside->changed, &aside->lock);
		if (aside->begun == aside->given)
			break;
		job = aside->jobs[aside->begun++ % ASIDE_MAX];
		pthread_mutex_unlock(&aside->lock);
		job.work(job.token);
		pthread_mutex_lock(&aside->lock);
		aside->finished[aside->done++ % ASIDE_MAX] = job.token;
		(void)!write(aside->bell, &one, sizeof(one));
		pthread_cond_broadcast(&aside->changed);
	}
	pthread_mutex_unlock(&aside->lock);
	return NULL;
}

struct aside *aside_open(unsigned threads, int bell)
{
	struct aside *aside = calloc(1, sizeof(*aside));

	if (!aside)
		return NULL;
	aside->bell = bell;
	pthread_mutex_init(&aside->lock, NULL);
	pthread_cond_init(&aside->changed, NULL);
	while (aside->thread_count < threads && aside->thread_count < ASIDE_THREADS_MAX &&
		pthread_create(&aside->threads[aside->thread_count], NULL, aside_main, aside) == 0)
		aside->thread_count++;
	if (aside->thread_count > 0)
		return aside;
	aside_close(aside);
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
	for (unsigned i = 0; i < aside->thread_count; i++)
		pthread_join(aside->threads[i], NULL);
	pthread_cond_destroy(&aside->changed);
	pthread_mutex_destroy(&aside->lock);
	free(aside);
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

	pthread_mutex_lock(&aside->lock);
	if (aside->taken != aside->done)
		token = aside->finished[aside->taken++ % ASIDE_MAX];
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
