/* phone_wire.c - a test phone's sockets: SIP over UDP or TCP, RTP; and the log of what went over them. */
#include "phone_inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAM_MAX = 65536 };

const char *wire_transport(const struct phone *phone)
{
	return phone->opts.tcp ? "TCP" : "UDP";
}

struct sockaddr_in6 wire_address(const char *host, unsigned port)
{
	struct sockaddr_in6 addr = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	char text[80];
	bool ip6 = strchr(host, ':') != NULL;
	snprintf(text, sizeof(text), "%s%.*s", ip6 ? "" : "::ffff:", (int)strcspn(host + (*host == '['), "]"), host + (*host == '['));
	inet_pton(AF_INET6, text, &addr.sin6_addr);
	return addr;
}

static int make_socket(int type)
{
	int no = 0, fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	}
	return fd;
}

static bool watch(struct phone *phone, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };
	return epoll_ctl(phone->lab->epoll, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static int bind_udp(struct sockaddr_in6 *self, const char *address, unsigned port)
{
	int fd = make_socket(SOCK_DGRAM | SOCK_NONBLOCK);
	int size = 1 << 20;
	socklen_t len = sizeof(*self);
	*self = wire_address(address, port);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
	if (fd >= 0 && (bind(fd, (struct sockaddr *)self, len) != 0 || getsockname(fd, (struct sockaddr *)self, &len) != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool connect_tcp(struct phone *phone)
{
	int one = 1;
	socklen_t len = sizeof(phone->self);
	phone->tcp = make_socket(SOCK_STREAM);
	phone->stream = malloc(STREAM_MAX);
	if (phone->tcp < 0 || !phone->stream || connect(phone->tcp, (struct sockaddr *)&phone->server, sizeof(phone->server)) != 0) {
		return false;
	}
	setsockopt(phone->tcp, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(phone->tcp, F_SETFL, O_NONBLOCK);
	return getsockname(phone->tcp, (struct sockaddr *)&phone->self, &len) == 0 && watch(phone, phone->tcp);
}

bool wire_open(struct phone *phone)
{
	struct sockaddr_in6 rtp;
	phone->udp = phone->tcp = phone->rtp = -1;
	phone->rtp = bind_udp(&rtp, strchr(phone->host, ':') ? phone->host : "127.0.0.1", 0);
	phone->rtp_port = ntohs(rtp.sin6_port);
	if (phone->rtp < 0 || (phone->opts.tone_hz > 0 && !watch(phone, phone->rtp))) {
		return false;
	}
	if (phone->opts.tcp) {
		return connect_tcp(phone);
	}
	phone->udp = bind_udp(&phone->self, phone->host, phone->opts.port);
	return phone->udp >= 0 && watch(phone, phone->udp);
}

void wire_close(struct phone *phone)
{
	int fds[] = { phone->udp, phone->tcp, phone->rtp };
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0) {
			close(fds[i]);
		}
	}
	free(phone->stream);
	for (size_t i = 0; i < PHONE_LOG_MAX; i++) {
		free(phone->log[i].text);
	}
}

void wire_log(struct phone *phone, bool sent, const char *data, size_t len)
{
	if (phone->lab->quiet) {
		return;
	}
	struct log_line *line = &phone->log[phone->log_total++ % PHONE_LOG_MAX];
	free(line->text);
	*line = (struct log_line){ .at_us = lab_utc_us(), .sent = sent, .text = strndup(data, len) };
}

static void send_stream(struct phone *phone, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(phone->tcp, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			struct pollfd pfd = { .fd = phone->tcp, .events = POLLOUT };
			poll(&pfd, 1, 1000);
			continue;
		}
		if (n <= 0) {
			return;
		}
		data += n;
		len -= (size_t)n;
	}
}

void wire_send(struct phone *phone, const char *text, const struct sockaddr_in6 *to)
{
	size_t len = strlen(text);
	if (phone->vanished || ask_lost(phone, true, text)) {
		return;
	}
	wire_log(phone, true, text, len);
	if (phone->opts.tcp) {
		send_stream(phone, text, len);
		return;
	}
	for (int i = 0; i <= phone->doubled; i++) {
		sendto(phone->udp, text, len, 0, (const struct sockaddr *)to, sizeof(*to));
	}
}

static bool has_nexus_header(const char *data, size_t len)
{
	for (const char *p = data; (p = memchr(p, '\n', len - (size_t)(p - data))); p++) {
		if (len - (size_t)(p - data) > 8 && strncasecmp(p + 1, "x-nexus", 7) == 0) {
			return true;
		}
	}
	return false;
}

static void receive(struct phone *phone, const char *data, size_t len, const struct sockaddr_in6 *from)
{
	struct sip_text msg = { .data = NULL };
	if (len < 16 || phone->vanished) {
		return; /* keep-alive, or nobody is there */
	}
	/* Of whatever comes, requests and responses, understood or not. */
	phone->lab->nexus_headers += has_nexus_header(data, len);
	if (ask_lost(phone, false, data)) {
		return;
	}
	wire_log(phone, false, data, len);
	if (sip_text_parse(data, len, &msg)) {
		phone->requests_seen += msg.request;
		if (msg.request) {
			call_request(phone, &msg, from);
		} else {
			request_response(phone, &msg, from);
		}
	}
	sip_text_free(&msg);
}

static void receive_stream(struct phone *phone)
{
	ssize_t n = recv(phone->tcp, phone->stream + phone->stream_len, STREAM_MAX - phone->stream_len, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		epoll_ctl(phone->lab->epoll, EPOLL_CTL_DEL, phone->tcp, NULL);
		return;
	}
	phone->stream_len += n > 0 ? (size_t)n : 0;
	for (;;) {
		size_t skip = 0;
		while (skip < phone->stream_len && (phone->stream[skip] == '\r' || phone->stream[skip] == '\n')) {
			skip++;
		}
		size_t len = sip_text_frame(phone->stream + skip, phone->stream_len - skip);
		if (len > 0) {
			receive(phone, phone->stream + skip, len, &phone->server);
		}
		phone->stream_len -= skip + len;
		memmove(phone->stream, phone->stream + skip + len, phone->stream_len);
		if (len == 0) {
			return;
		}
	}
}

void wire_readable(struct phone *phone, int fd)
{
	if (fd == phone->tcp) {
		receive_stream(phone);
		return;
	}
	char data[65536];
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	ssize_t n;
	while ((n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &len)) > 0) {
		receive(phone, data, (size_t)n, &from);
		len = sizeof(from);
	}
}
