/* listen.c - listening sockets: one per loop on the same port, so that the kernel spreads connections. */
#include "http/inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool split(const char *address, char *host, size_t room, const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t len;

	if (!colon || colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
		strtol(colon + 1, NULL, 10) > 65535)
		return false;
	*port = colon + 1;
	len = (size_t)(colon - address);
	if (len >= 2 && address[0] == '[' && colon[-1] == ']') {
		address++;
		len -= 2;
	} else if (memchr(address, ':', len)) {
		return false;
	}
	if (len >= room)
		return false;
	memcpy(host, address, len);
	host[len] = '\0';
	return true;
}

static int open_one(const struct addrinfo *info, bool share)
{
	int on = 1, fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (share && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0)
		goto fail;
	if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || (share && listen(fd, 512) != 0))
		goto fail;
	return fd;
fail:
	on = errno;
	close(fd);
	errno = on;
	return -1;
}

/* Later sockets need the port that the first one got. */
static bool note_address(struct http_listener *listener, int fd, struct addrinfo *info)
{
	socklen_t len = info->ai_addrlen;
	char host[64], port[16];

	if (getsockname(fd, info->ai_addr, &len) != 0 || getnameinfo(info->ai_addr, len, host, sizeof(host), port,
								 sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return false;
	if (info->ai_family == AF_INET6)
		listener->loopback = IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)(void *)info->ai_addr)->sin6_addr);
	else
		listener->loopback = ntohl(((struct sockaddr_in *)(void *)info->ai_addr)->sin_addr.s_addr) >> 24 == 127;
	snprintf(listener->name, sizeof(listener->name), info->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	return true;
}

/* SO_REUSEPORT would let a second server share the port unseen: a socket without it finds out whether somebody listens.
 */
static bool open_all(struct http_listener *listener, struct addrinfo *info, unsigned loops)
{
	int probe = open_one(info, false);
	bool good = probe >= 0 && note_address(listener, probe, info);

	if (probe >= 0)
		close(probe);
	for (unsigned i = 0; good && i < loops; i++) {
		listener->fds[i] = open_one(info, true);
		if (listener->fds[i] < 0)
			return false;
		listener->count++;
	}
	return good;
}

struct http_listener *http_listener_open(const char *address, unsigned loops, char *why, size_t why_len)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found = NULL;
	struct http_listener *listener = calloc(1, sizeof(*listener));
	const char *port;
	char host[256];
	int bad;

	if (!listener || loops == 0 || loops > sizeof(listener->fds) / sizeof(listener->fds[0])) {
		snprintf(why, why_len, "out of memory");
		goto fail;
	}
	if (!split(address, host, sizeof(host), &port)) {
		snprintf(why, why_len, "'%s' is no address to listen on: write HOST:PORT, [IPV6]:PORT or :PORT",
			address);
		goto fail;
	}
	bad = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
	if (bad) {
		snprintf(why, why_len, "cannot listen on %s: %s", address, gai_strerror(bad));
		goto fail;
	}
	if (!open_all(listener, found, loops)) {
		snprintf(why, why_len, "cannot listen on %s: %s%s", address, strerror(errno),
			errno == EADDRINUSE ? "; stop what listens there, or choose another port with --listen" : "");
		goto fail;
	}
	freeaddrinfo(found);
	return listener;
fail:
	if (found)
		freeaddrinfo(found);
	http_listener_close(listener);
	return NULL;
}

const char *http_listener_name(const struct http_listener *listener)
{
	return listener->name;
}

bool http_listener_is_loopback(const struct http_listener *listener)
{
	return listener->loopback;
}

void http_listener_close(struct http_listener *listener)
{
	if (!listener)
		return;
	for (unsigned i = 0; i < listener->count; i++)
		if (listener->fds[i] >= 0)
			close(listener->fds[i]);
	free(listener);
}
