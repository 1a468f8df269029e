/* lab.c - the thread that all test phones of a test live on. Owns their sockets' poll and their timers. */
#include "phone_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

int64_t lab_now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t lab_utc_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void lab_changed(struct lab *lab)
{
	pthread_cond_broadcast(&lab->changed);
}

void lab_poke(struct lab *lab)
{
	if (!pthread_equal(pthread_self(), lab->thread)) {
		uint64_t one = 1;
		ssize_t n = write(lab->wake, &one, sizeof(one));
		(void)n;
	}
}

bool lab_wait(struct lab *lab, int64_t deadline_ms)
{
	struct timespec ts = { .tv_sec = deadline_ms / 1000, .tv_nsec = (long)(deadline_ms % 1000) * 1000000 };
	return lab_now_ms() < deadline_ms && pthread_cond_timedwait(&lab->changed, &lab->lock, &ts) != ETIMEDOUT;
}

/* Run what is due; when the next thing is due. */
static int64_t timers(struct lab *lab)
{
	int64_t now = lab_now_ms(), next = now + 1000;
	for (struct phone *p = lab->phones; p; p = p->next) {
		int64_t due[] = { request_timers(p, now), call_timers(p, now), media_timers(p, now) };
		for (size_t i = 0; i < sizeof(due) / sizeof(due[0]); i++) {
			next = due[i] && due[i] < next ? due[i] : next;
		}
	}
	return next;
}

/* A phone may have gone since epoll told of its socket. */
static void readable(struct lab *lab, int fd)
{
	for (struct phone *p = lab->phones; p; p = p->next) {
		if (fd == p->rtp) {
			media_readable(p);
			return;
		}
		if (fd == p->udp || fd == p->tcp) {
			wire_readable(p, fd);
			return;
		}
	}
}

static void *run(void *arg)
{
	struct lab *lab = arg;
	pthread_mutex_lock(&lab->lock);
	while (!lab->stop) {
		int64_t wait = timers(lab) - lab_now_ms();
		struct epoll_event events[64];
		pthread_mutex_unlock(&lab->lock);
		int n = epoll_wait(lab->epoll, events, 64, wait > 0 ? (int)wait : 0);
		pthread_mutex_lock(&lab->lock);
		for (int i = 0; i < n && !lab->stop; i++) {
			uint64_t count;
			if (events[i].data.fd == lab->wake) {
				ssize_t got = read(lab->wake, &count, sizeof(count));
				(void)got;
			} else {
				readable(lab, events[i].data.fd);
			}
		}
	}
	pthread_mutex_unlock(&lab->lock);
	return NULL;
}

struct lab *lab_open(void)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	if (!lab) {
		return NULL;
	}
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&lab->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&lab->lock, NULL);
	lab->epoll = epoll_create1(EPOLL_CLOEXEC);
	lab->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	lab->serial = (unsigned)(lab_utc_us() ^ getpid());
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = lab->wake };
	if (epoll_ctl(lab->epoll, EPOLL_CTL_ADD, lab->wake, &ev) != 0 || pthread_create(&lab->thread, NULL, run, lab) != 0) {
		close(lab->epoll);
		close(lab->wake);
		free(lab);
		return NULL;
	}
	return lab;
}

void lab_close(struct lab *lab)
{
	if (!lab) {
		return;
	}
	pthread_mutex_lock(&lab->lock);
	lab->stop = true;
	lab_poke(lab);
	pthread_mutex_unlock(&lab->lock);
	pthread_join(lab->thread, NULL);
	while (lab->phones) {
		phone_free(lab->phones);
	}
	close(lab->epoll);
	close(lab->wake);
	pthread_cond_destroy(&lab->changed);
	pthread_mutex_destroy(&lab->lock);
	free(lab);
}

void lab_quiet(struct lab *lab)
{
	pthread_mutex_lock(&lab->lock);
	lab->quiet = true;
	pthread_mutex_unlock(&lab->lock);
}

unsigned lab_nexus_headers(struct lab *lab)
{
	pthread_mutex_lock(&lab->lock);
	unsigned n = lab->nexus_headers;
	pthread_mutex_unlock(&lab->lock);
	return n;
}

void lab_dump(struct lab *lab, FILE *out)
{
	pthread_mutex_lock(&lab->lock);
	for (struct phone *p = lab->phones; p; p = p->next) {
		size_t from = p->log_total > PHONE_LOG_MAX ? p->log_total - PHONE_LOG_MAX : 0;
		for (size_t i = from; i < p->log_total; i++) {
			const struct log_line *line = &p->log[i % PHONE_LOG_MAX];
			fprintf(out, "---- %s %s %lld.%06lld\n%s\n", p->username, line->sent ? "sent" : "received",
				(long long)(line->at_us / 1000000), (long long)(line->at_us % 1000000), line->text);
		}
	}
	pthread_mutex_unlock(&lab->lock);
}
