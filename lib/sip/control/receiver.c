/* receiver.c - takes the datagrams that a SIP server pushes, a bounded number a turn. */
#include "sip/control/receiver.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

enum { TURN = 64, ROOM = 1024 * 1024 };

struct receiver {
	const struct env *env;
	struct loop *loop;
	receiver_fn *fn;
	void *arg;
	int fd;
	uint64_t foreign;
	char text[RECEIVER_MAX];
};

static void readable(int events, void *arg)
{
	struct receiver *r = arg;

	(void)events;
	for (int i = 0; i < TURN; i++) {
		const ssize_t len = recv(r->fd, r->text, sizeof(r->text), MSG_DONTWAIT);

		if (len < 0)
			return;
		if (r->fn(r->arg, r->text, (size_t)len))
			continue;
		r->foreign++;
		if ((r->foreign & (r->foreign - 1)) == 0) /* a flood of them must not fill the log: the 1st, 2nd, 4th, 8th, ... */
			env_log(r->env, NXV_LOG_WARN, "sip", "dropped a message of %zd bytes on the address of the SIP server's events, "
				"which the server did not send; %llu so far", len, (unsigned long long)r->foreign);
	}
}

static nxv_status open_socket(struct receiver *r, const char *address, struct nxv_error *err)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM };
	const int room = ROOM;
	struct addrinfo *addr = NULL;
	char host[64], port_text[8];
	uint16_t port;
	nxv_status status = NXV_OK;

	if (!text_hostport(address, host, sizeof(host), &port))
		return error_field(err, "sip.events", "sip.events must be a loopback address such as 127.0.0.1:0");
	snprintf(port_text, sizeof(port_text), "%u", (unsigned)port);
	if (getaddrinfo(host, port_text, &hints, &addr) != 0)
		return error_field(err, "sip.events", "sip.events must be an IP address and a port; it is \"%.60s\"", address);
	r->fd = socket(addr->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->fd >= 0)
		setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (r->fd < 0 || bind(r->fd, addr->ai_addr, addr->ai_addrlen) < 0)
		status = error_errno(err, errno, "cannot listen for the SIP server's events on %.60s", address);
	freeaddrinfo(addr);
	return status;
}

nxv_status receiver_open(const struct env *env, struct loop *loop, const char *address, receiver_fn *fn, void *arg,
	struct receiver **out, struct nxv_error *err)
{
	struct receiver *r = malloc(sizeof(*r));
	nxv_status status;

	*out = NULL;
	if (!r)
		return error_nomem(err);
	r->env = env;
	r->loop = loop;
	r->fn = fn;
	r->arg = arg;
	r->fd = -1;
	r->foreign = 0;
	status = open_socket(r, address, err);
	if (status == NXV_OK)
		status = loop_fd_set(loop, r->fd, LOOP_READ, readable, r, err);
	if (status != NXV_OK) {
		if (r->fd >= 0)
			close(r->fd);
		free(r);
		return status;
	}
	*out = r;
	return NXV_OK;
}

void receiver_close(struct receiver *r)
{
	if (!r)
		return;
	loop_fd_clear(r->loop, r->fd);
	close(r->fd);
	free(r);
}
