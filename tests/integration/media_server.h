/* media_server.h - recordings as Twilio serves them, in threads of the test: whole, ranged, redirected, huge, cut off, stalled. What
 * it does is in the last digit of the recording's SID. */
#ifndef TEST_INTEGRATION_MEDIA_SERVER_H
#define TEST_INTEGRATION_MEDIA_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEDIA_SID "RE0000000000000000000000000000000"
enum {
	MEDIA_WHOLE = '1',
	MEDIA_HUGE = '2',
	MEDIA_CUT = '3',         /* after 300000 of a million bytes */
	MEDIA_CHUNKED_CUT = '4', /* the same, without a length */
	MEDIA_STALLED = '5',     /* a thousand bytes, then nothing */
	MEDIA_NOT_READY = '6',
	MEDIA_PAGE = '7',        /* HTML */
	MEDIA_ELSEWHERE = '8',   /* redirected to where it is whole */
	MEDIA_CHUNKED = '9',
	MEDIA_BYTES = 3000001,
	MEDIA_HUGE_BYTES = 64 * 1024 * 1024
};

struct media_server {
	int listener;
	char url[64];
	pthread_t acceptor;
	atomic_bool stop;
	atomic_llong sent;   /* of huge ones */
	atomic_int live, broken; /* connections; huge ones that broke off */
};

/* Each byte of a recording tells where it stands. */
static inline unsigned char media_byte(int64_t at)
{
	return (unsigned char)(at * 31 + at / 997);
}

struct media_peer {
	struct media_server *server;
	int fd;
};

static inline bool media_send(int fd, const void *data, size_t len)
{
	return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static inline bool media_text(int fd, const char *text)
{
	return media_send(fd, text, strlen(text));
}

static inline bool media_sound(struct media_server *s, int fd, int64_t from, int64_t to, bool huge, bool chunked)
{
	static _Thread_local char piece[32768];

	while (from < to && !s->stop) {
		int64_t n = to - from < (int64_t)sizeof(piece) ? to - from : (int64_t)sizeof(piece);
		char size[24];

		for (int64_t i = 0; i < n; i++)
			piece[i] = (char)media_byte(from + i);
		snprintf(size, sizeof(size), "%llx\r\n", (long long)n);
		if ((chunked && !media_text(fd, size)) || !media_send(fd, piece, (size_t)n) || (chunked && !media_text(fd, "\r\n"))) {
			s->broken += huge;
			return false;
		}
		from += n;
		if (huge)
			s->sent += n;
	}
	return from == to;
}

static inline bool media_whole(struct media_server *s, int fd, const char *range, const char *type)
{
	long long from = 0, to = MEDIA_BYTES - 1;
	char head[320];
	bool part = range && sscanf(range, "bytes=%lld-%lld", &from, &to) >= 1;

	if (part && from < 0) { /* the last so many */
		from = MEDIA_BYTES + from;
		to = MEDIA_BYTES - 1;
	}
	if (part && from >= MEDIA_BYTES) {
		snprintf(head, sizeof(head), "HTTP/1.1 416 No\r\nContent-Range: bytes */%d\r\nContent-Length: 0\r\n\r\n", MEDIA_BYTES);
		return media_text(fd, head);
	}
	to = to >= MEDIA_BYTES ? MEDIA_BYTES - 1 : to;
	snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %lld\r\n", part ? "206 Part" : "200 OK", type,
		to - from + 1);
	if (part)
		snprintf(head + strlen(head), sizeof(head) - strlen(head), "Content-Range: bytes %lld-%lld/%d\r\n", from, to, MEDIA_BYTES);
	return media_text(fd, head) && media_text(fd, "\r\n") && media_sound(s, fd, from, to + 1, false, false);
}

static inline bool media_answer(struct media_server *s, int fd, const char *request)
{
	static const char missing[] = "HTTP/1.1 404 No\r\nContent-Type: application/json\r\nContent-Length: 32\r\n\r\n"
				      "{\"code\":20404,\"message\":\"gone\"} ";
	static const char processing[] = "{\"sid\":\"" MEDIA_SID "6\",\"status\":\"processing\"}";
	const char *sid = strstr(request, MEDIA_SID), *end = strstr(request, "\r\n"), *range = strstr(request, "Range: ");
	const bool json = strstr(request, ".json ") && strstr(request, ".json ") < end;
	char text[512];

	if (strncmp(request, "GET /storage", 12) == 0)
		return media_whole(s, fd, range ? range + 7 : NULL, "audio/mpeg");
	switch (sid && sid < end ? sid[strlen(MEDIA_SID)] : 0) {
	case MEDIA_WHOLE:
		return media_whole(s, fd, range ? range + 7 : NULL, strstr(request, ".wav ") ? "audio/x-wav" : "audio/mpeg");
	case MEDIA_HUGE:
		snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: %d\r\n\r\n", MEDIA_HUGE_BYTES);
		return media_text(fd, text) && media_sound(s, fd, 0, MEDIA_HUGE_BYTES, true, false);
	case MEDIA_CUT:
		media_text(fd, "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 1000000\r\n\r\n");
		media_sound(s, fd, 0, 300000, false, false);
		return false;
	case MEDIA_CHUNKED_CUT:
	case MEDIA_CHUNKED:
		media_text(fd, "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nTransfer-Encoding: chunked\r\n\r\n");
		media_sound(s, fd, 0, 300000, false, true);
		return sid[strlen(MEDIA_SID)] == MEDIA_CHUNKED && media_text(fd, "0\r\n\r\n");
	case MEDIA_STALLED:
		media_text(fd, "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 1000000\r\n\r\n");
		return media_sound(s, fd, 0, 1000, false, false);
	case MEDIA_PAGE:
		return media_text(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>");
	case MEDIA_ELSEWHERE:
		return media_text(fd, "HTTP/1.1 302 There\r\nLocation: /storage/x?signature=1\r\nContent-Length: 0\r\n\r\n");
	case MEDIA_NOT_READY:
		if (!json)
			return media_text(fd, missing);
		snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
			sizeof(processing) - 1, processing);
		return media_text(fd, text);
	default:
		return media_text(fd, missing);
	}
}

static inline void *media_serve(void *arg)
{
	struct media_peer peer = *(struct media_peer *)arg;
	struct media_server *s = peer.server;
	struct pollfd wait = { .fd = peer.fd, .events = POLLIN };
	char request[8192];
	bool more = true;

	free(arg);
	while (more && !s->stop) {
		ssize_t n = poll(&wait, 1, 20) > 0 ? recv(peer.fd, request, sizeof(request) - 1, 0) : -2;

		if (n == -2)
			continue;
		if (n <= 0)
			break;
		request[n] = '\0'; /* a request of this client comes in one piece */
		more = media_answer(s, peer.fd, request);
	}
	close(peer.fd);
	s->live--;
	return NULL;
}

static inline void *media_accept(void *arg)
{
	struct media_server *s = arg;
	struct pollfd wait = { .fd = s->listener, .events = POLLIN };
	struct timeval patience = { .tv_sec = 120 };

	while (!s->stop) {
		struct media_peer *peer;
		pthread_t thread;

		if (poll(&wait, 1, 20) <= 0)
			continue;
		peer = malloc(sizeof(*peer));
		*peer = (struct media_peer){ s, accept(s->listener, NULL, NULL) };
		setsockopt(peer->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		s->live++;
		pthread_create(&thread, NULL, media_serve, peer);
		pthread_detach(thread);
	}
	return NULL;
}

static inline bool media_server_open(struct media_server *s)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sa);

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&sa, len) != 0 || listen(s->listener, 64) != 0 ||
		getsockname(s->listener, (struct sockaddr *)&sa, &len) != 0)
		return false;
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u", (unsigned)ntohs(sa.sin_port));
	return pthread_create(&s->acceptor, NULL, media_accept, s) == 0;
}

static inline void media_server_close(struct media_server *s)
{
	s->stop = true;
	pthread_join(s->acceptor, NULL);
	close(s->listener);
	for (int i = 0; s->live > 0 && i < 500; i++)
		usleep(10000);
}

#endif
