/* fake_http.h - an HTTP server on loopback, in threads of the test, that misbehaves as told: each request takes the next
 * step of a script, the last step serves for all that follow. It keeps every request it has read. */
#ifndef NXV_TESTS_FAKE_HTTP_H
#define NXV_TESTS_FAKE_HTTP_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum fake_kind {
	FAKE_ANSWER,           /* send text, keep the connection */
	FAKE_ANSWER_AND_CLOSE, /* send text, close in good order: also for a body that is cut off */
	FAKE_RESET,            /* read the request, then reset the connection */
	FAKE_ANSWER_AND_RESET, /* send text, then reset */
	FAKE_SILENCE,          /* read the request and never answer */
	FAKE_DRIP,             /* send text at a byte each 20 ms */
	FAKE_STALL             /* send text, then nothing more */
};
struct fake_step {
	enum fake_kind kind;
	const char *text;
	int delay_ms; /* before it */
};

enum { FAKE_REQUESTS = 64, FAKE_REQUEST_BYTES = 64 * 1024, FAKE_CONNECTIONS = 64 };

struct fake {
	int listener;
	uint16_t port;
	char url[64];
	const struct fake_step *steps;
	size_t step_count;
	bool reset_at_accept; /* reset every connection unread */
	pthread_t acceptor, workers[FAKE_CONNECTIONS];
	atomic_int connections, requests;
	atomic_bool stop;
	char *seen[FAKE_REQUESTS]; /* whole requests, in order of arrival */
};

struct fake_worker {
	struct fake *fake;
	int fd;
};

static inline void fake_reset(int fd)
{
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

static inline bool fake_readable(struct fake *f, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (!f->stop)
		if (poll(&p, 1, 20) > 0)
			return true;
	return false;
}

/* One whole request: head, and as many bytes as Content-Length says. False when the peer went away. */
static inline bool fake_read(struct fake *f, int fd, char *buf)
{
	size_t len = 0, whole = 0;

	for (;;) {
		ssize_t n = fake_readable(f, fd) ? recv(fd, buf + len, FAKE_REQUEST_BYTES - 1 - len, 0) : -1;
		if (n <= 0)
			return false;
		len += (size_t)n;
		buf[len] = '\0';
		char *end = strstr(buf, "\r\n\r\n"), *length = strstr(buf, "Content-Length:");
		if (end)
			whole = (size_t)(end + 4 - buf) + (length && length < end ? strtoul(length + 15, NULL, 10) : 0);
		if (whole && len >= whole)
			return true;
	}
}

static inline void fake_pause(int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

static inline void fake_send(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

/* False: the connection is over. */
static inline bool fake_play(struct fake *f, int fd, const struct fake_step *step)
{
	char byte;

	fake_pause(step->delay_ms);
	switch (step->kind) {
	case FAKE_DRIP:
		for (const char *p = step->text; *p && !f->stop; p++) {
			fake_send(fd, p, 1);
			fake_pause(20);
		}
		return true;
	case FAKE_SILENCE:
	case FAKE_STALL:
		if (step->text)
			fake_send(fd, step->text, strlen(step->text));
		while (fake_readable(f, fd) && recv(fd, &byte, 1, 0) > 0)
			;
		return false;
	case FAKE_RESET:
		fake_reset(fd);
		return false;
	default:
		fake_send(fd, step->text, strlen(step->text));
		if (step->kind == FAKE_ANSWER_AND_RESET) {
			fake_pause(50); /* a reset at once would take back what was sent */
			fake_reset(fd);
		}
		return step->kind == FAKE_ANSWER;
	}
}

static inline void *fake_serve(void *arg)
{
	struct fake_worker worker = *(struct fake_worker *)arg;
	struct fake *f = worker.fake;
	char *buf = malloc(FAKE_REQUEST_BYTES);
	bool more = !f->reset_at_accept;

	free(arg);
	if (!more)
		fake_reset(worker.fd);
	while (more && fake_read(f, worker.fd, buf)) {
		int n = atomic_fetch_add(&f->requests, 1);
		if (n < FAKE_REQUESTS)
			f->seen[n] = strdup(buf);
		more = fake_play(f, worker.fd, &f->steps[(size_t)n < f->step_count ? (size_t)n : f->step_count - 1]);
	}
	close(worker.fd);
	free(buf);
	return NULL;
}

static inline void *fake_accept(void *arg)
{
	struct fake *f = arg;

	while (fake_readable(f, f->listener)) {
		struct fake_worker *worker = malloc(sizeof(*worker));
		*worker = (struct fake_worker){ f, accept(f->listener, NULL, NULL) };
		if (worker->fd < 0 || f->connections == FAKE_CONNECTIONS) {
			free(worker);
			return NULL;
		}
		pthread_create(&f->workers[f->connections], NULL, fake_serve, worker);
		f->connections++;
	}
	return NULL;
}

/* A listening socket on a free loopback port. */
static inline int fake_listen(uint16_t *port, int backlog)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

static inline void fake_open(struct fake *f, const struct fake_step *steps, size_t count)
{
	*f = (struct fake){ .steps = steps, .step_count = count };
	f->listener = fake_listen(&f->port, 64);
	snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u", (unsigned)f->port);
	assert_int_equal(pthread_create(&f->acceptor, NULL, fake_accept, f), 0);
}

static inline void fake_close(struct fake *f)
{
	f->stop = true;
	pthread_join(f->acceptor, NULL);
	close(f->listener);
	for (int i = 0; i < f->connections; i++)
		pthread_join(f->workers[i], NULL);
	for (int i = 0; i < FAKE_REQUESTS; i++)
		free(f->seen[i]);
}

#endif
