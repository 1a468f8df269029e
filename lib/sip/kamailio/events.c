/* events.c - Kamailio: events over evapi, a TCP stream of netstrings. What was said while we were away is lost, so each
 * connection starts with the owner's reconciliation. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "sip/control/event.h"
#include "sip/kamailio/impl.h"
#include "sip/kamailio/parse.h"

enum { RETRY_MIN_MS = 100, RETRY_MAX_MS = 3000, EVENT_MAX = 64 * 1024 };

static void connect_now(void *arg);

static void disconnect(struct kamailio *k)
{
	if (k->events_fd >= 0) {
		loop_fd_clear(k->loop, k->events_fd);
		close(k->events_fd);
	}
	k->events_fd = -1;
	k->connecting = k->connected = false;
	buf_free(&k->incoming);
}

static void try_later(struct kamailio *k)
{
	disconnect(k);
	loop_timer_start(k->retry, k->retry_ms);
	k->retry_ms = k->retry_ms * 2 < RETRY_MAX_MS ? k->retry_ms * 2 : RETRY_MAX_MS;
}

bool kamailio_events_take(struct kamailio *k, const char *data, size_t len)
{
	const char *text;
	size_t text_len, used;
	int found = 0;

	k->incoming.max = 2 * EVENT_MAX;
	buf_append(&k->incoming, data, len);
	if (k->incoming.failed)
		return false;
	while (k->incoming.len > 0 && (found = kamailio_netstring(&k->incoming, EVENT_MAX, &text, &text_len, &used)) > 0) {
		struct json_object *event = NULL;

		if (json_read(text, text_len, EVENT_MAX, &event, NULL) != NXV_OK || !event_deliver(&k->sink, event))
			env_log(k->env, NXV_LOG_WARN, "sip", "dropped an event of %zu bytes that Kamailio should not send", text_len);
		json_object_put(event);
		buf_consume(&k->incoming, used);
	}
	return found >= 0;
}

static void established(struct kamailio *k)
{
	k->connecting = false;
	k->connected = true;
	k->retry_ms = RETRY_MIN_MS;
	event_gap(&k->sink);
}

static void ready_fd(int events, void *arg)
{
	struct kamailio *k = arg;
	char data[8192];
	ssize_t len;
	int failed = 0;
	socklen_t size = sizeof(failed);

	(void)events;
	if (k->connecting) {
		getsockopt(k->events_fd, SOL_SOCKET, SO_ERROR, &failed, &size);
		if (failed || loop_fd_set(k->loop, k->events_fd, LOOP_READ, ready_fd, k, NULL) != NXV_OK)
			try_later(k);
		else
			established(k);
		return;
	}
	len = recv(k->events_fd, data, sizeof(data), MSG_DONTWAIT);
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0) {
		try_later(k);
	} else if (!kamailio_events_take(k, data, (size_t)len)) {
		env_log(k->env, NXV_LOG_WARN, "sip", "Kamailio's event stream is garbled; connecting anew");
		try_later(k);
	}
}

static bool start_connect(struct kamailio *k)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *addr = NULL;
	char host[64], port_text[8];
	uint16_t port;
	bool started = false;

	if (!text_hostport(k->set->events, host, sizeof(host), &port))
		return false;
	snprintf(port_text, sizeof(port_text), "%u", (unsigned)port);
	if (getaddrinfo(host, port_text, &hints, &addr) != 0)
		return false;
	k->events_fd = socket(addr->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (k->events_fd >= 0)
		started = connect(k->events_fd, addr->ai_addr, addr->ai_addrlen) == 0 || errno == EINPROGRESS;
	freeaddrinfo(addr);
	return started && loop_fd_set(k->loop, k->events_fd, LOOP_WRITE, ready_fd, k, NULL) == NXV_OK;
}

static void connect_now(void *arg)
{
	struct kamailio *k = arg;

	k->connecting = true;
	if (!start_connect(k))
		try_later(k);
}

void kamailio_events_hurry(struct kamailio *k)
{
	if (k->connected || k->connecting)
		return;
	k->retry_ms = RETRY_MIN_MS;
	loop_timer_start(k->retry, 0);
}

nxv_status kamailio_events_open(struct kamailio *k, struct nxv_error *err)
{
	k->retry = loop_timer_new(k->loop, connect_now, k);
	if (!k->retry)
		return error_nomem(err);
	k->retry_ms = RETRY_MIN_MS;
	loop_timer_start(k->retry, 0);
	return NXV_OK;
}

void kamailio_events_close(struct kamailio *k)
{
	loop_timer_free(k->retry);
	k->retry = NULL;
	disconnect(k);
}
