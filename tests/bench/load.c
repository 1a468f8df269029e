/* load.c - the load: one thread, epoll. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_BYTES = 16384, EVENTS = 256 };

struct line {
	int fd;
	int64_t sent_us; /* 0: idle */
	size_t have;
	char answer[ANSWER_BYTES];
};

struct run {
	const struct load *load;
	struct load_result *out;
	struct line *lines;
	int epoll;
	unsigned sent;
	int64_t began_us;
};

int64_t load_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t load_at(const struct load_result *result, unsigned share)
{
	return result->answered ? result->us[(size_t)result->answered * share / 1001] : -1;
}

static int dial(const char *url)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	unsigned port = 0;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sscanf(url, "http://127.0.0.1:%u", &port) != 1)
		return -1;
	sa.sin_port = htons((uint16_t)port);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* When the next request is due; 0: at once. */
static int64_t due_us(const struct run *run)
{
	return run->load->per_second ? run->began_us + (int64_t)run->sent * 1000000 / run->load->per_second : 0;
}

static bool send_one(struct run *run, struct line *line)
{
	const size_t len = strlen(run->load->request);
	const int64_t due = due_us(run), now = load_now_us();

	line->sent_us = due ? due : now; /* what waited here for its turn has waited */
	line->have = 0;
	run->sent++;
	return send(line->fd, run->load->request, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* @return 1: a whole answer is there; 0: not yet; -1: broken. */
static int receive(struct line *line)
{
	ssize_t n = recv(line->fd, line->answer + line->have, sizeof(line->answer) - 1 - line->have, 0);
	const char *end, *length;

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n <= 0)
		return -1;
	line->have += (size_t)n;
	line->answer[line->have] = '\0';
	end = strstr(line->answer, "\r\n\r\n");
	length = strcasestr(line->answer, "\r\nContent-Length:");
	if (!end || !length)
		return 0;
	return line->have >= (size_t)(end + 4 - line->answer) + strtoul(length + 17, NULL, 10);
}

static bool take(struct run *run, struct line *line)
{
	int status = 0, got = receive(line);

	if (got == 0)
		return true;
	if (got < 0 || sscanf(line->answer, "HTTP/1.1 %d", &status) != 1 || status != run->load->want) {
		if (!run->out->failed++)
			fprintf(stderr, "%.1500s\n", got < 0 ? "the connection broke" : line->answer);
		if (got < 0)
			return false;
	} else {
		run->out->us[run->out->answered++] = load_now_us() - line->sent_us;
	}
	line->sent_us = 0;
	return true;
}

static bool open_lines(struct run *run)
{
	run->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < run->load->at_once; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.u32 = i };
		run->lines[i].fd = dial(run->load->url);
		if (run->lines[i].fd < 0 || epoll_ctl(run->epoll, EPOLL_CTL_ADD, run->lines[i].fd, &ev) != 0)
			return false;
	}
	return true;
}

static bool drive(struct run *run)
{
	const struct load *load = run->load;
	struct epoll_event events[EVENTS];
	const int64_t until_us = run->began_us + (int64_t)load->timeout_ms * 1000;

	while (run->out->answered + run->out->failed < load->total && load_now_us() < until_us) {
		int64_t wait_us = 10000, left;
		for (unsigned i = 0; i < load->at_once && run->sent < load->total; i++) {
			if (run->lines[i].sent_us)
				continue;
			left = due_us(run) - load_now_us();
			if (left > 0) {
				wait_us = left < wait_us ? left : wait_us;
				break;
			}
			if (!send_one(run, &run->lines[i]))
				return false;
		}
		int n = epoll_pwait2(run->epoll, events, EVENTS, &(struct timespec){ .tv_nsec = (long)wait_us * 1000 }, NULL);
		for (int i = 0; i < n; i++)
			if (!take(run, &run->lines[events[i].data.u32]))
				return false;
	}
	return run->out->answered + run->out->failed == load->total;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

bool load_run(const struct load *load, struct load_result *out)
{
	struct run run = { .load = load, .out = out, .lines = calloc(load->at_once, sizeof(struct line)) };
	bool good;

	*out = (struct load_result){ .us = calloc(load->total + 1, sizeof(int64_t)) };
	good = run.lines && out->us && open_lines(&run);
	run.began_us = load_now_us();
	good = good && drive(&run);
	out->took_us = load_now_us() - run.began_us;
	for (unsigned i = 0; run.lines && i < load->at_once; i++)
		if (run.lines[i].fd > 0)
			close(run.lines[i].fd);
	close(run.epoll);
	free(run.lines);
	if (out->us)
		qsort(out->us, out->answered, sizeof(*out->us), compare);
	return good;
}
