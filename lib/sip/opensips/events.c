/* events.c - OpenSIPS: events on a UDP loopback socket. The subscription is renewed well before it ends; a server that
 * was restarted, or that was away, is told by its start time, and the owner then reconciles. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "sip/control/common.h"
#include "sip/control/event.h"
#include "sip/opensips/impl.h"

enum { RENEW_MS = 3000, RETRY_MS = 500, EXPIRE_SECONDS = 15, EVENT_MAX = 65536, EVENTS_A_TURN = 64 };

static const char *const watched[] = { "E_NEXUS", "E_UL_CONTACT_INSERT", "E_UL_CONTACT_DELETE" };
enum { WATCHED = sizeof(watched) / sizeof(*watched) };

/* usrloc's own events: aor "user@domain", uri. */
static bool location_event(struct opensips *os, const char *name, struct json_object *params)
{
	const char *aor = json_text(params, "aor"), *uri = json_text(params, "uri");
	char username[128];

	if (!aor || !uri || !text_copy(username, sizeof(username), aor))
		return false;
	username[strcspn(username, "@")] = '\0';
	event_emit(&os->sink, strcmp(name, watched[1]) == 0 ? SIP_EV_REGISTERED : SIP_EV_UNREGISTERED, username, uri, env_now_ms(os->env));
	return true;
}

bool opensips_event(struct opensips *os, const char *text, size_t len)
{
	struct json_object *event, *params;
	const char *name, *key;
	bool taken = false;

	if (json_read(text, len, EVENT_MAX, &event, NULL) != NXV_OK)
		return false;
	name = json_text(event, "method");
	params = json_member(event, "params");
	key = json_text(params, "key");
	if (name && strcmp(name, watched[0]) == 0)
		taken = key && strlen(key) == strlen(os->key) && digest_equal(key, os->key, strlen(key)) && event_deliver(&os->sink, params);
	else if (name && (strcmp(name, watched[1]) == 0 || strcmp(name, watched[2]) == 0))
		taken = location_event(os, name, params);
	json_object_put(event);
	return taken;
}

static void readable(int events, void *arg)
{
	struct opensips *os = arg;
	char *text = malloc(EVENT_MAX);

	(void)events;
	for (int i = 0; text && i < EVENTS_A_TURN && os->events_fd >= 0; i++) {
		const ssize_t len = recv(os->events_fd, text, EVENT_MAX, MSG_DONTWAIT);

		if (len < 0)
			break;
		if (!opensips_event(os, text, (size_t)len))
			env_log(os->env, NXV_LOG_WARN, "sip", "dropped an event of %zd bytes that OpenSIPS did not send", len);
	}
	free(text);
}

struct subscription {
	struct opensips *os;
	size_t step;
	sip_done_fn *fn;
	void *arg;
};

static void subscribe_next(struct subscription *sub);

static void subscription_done(struct subscription *sub, nxv_status status, const struct nxv_error *err)
{
	struct opensips *os = sub->os;

	if (status != NXV_OK)
		os->subscribed = false;
	if (os->renew)
		loop_timer_start(os->renew, status == NXV_OK ? RENEW_MS : RETRY_MS);
	if (sub->fn)
		sub->fn(sub->arg, status, err);
	free(sub);
}

static void subscribed_one(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct subscription *sub = arg;
	struct opensips *os = sub->os;
	const char *since;
	bool gap;

	if (status == NXV_E_CONFLICT && !os->warned) {
		os->warned = true;
		env_log(os->env, NXV_LOG_ERROR, "sip", "OpenSIPS knows no event %s: it does not run the gateway's configuration; "
			"see \"nexusctl sip render\"", watched[sub->step < WATCHED ? sub->step : 0]);
	}
	if (status != NXV_OK) {
		subscription_done(sub, status, err);
		return;
	}
	if (sub->step++ < WATCHED) {
		subscribe_next(sub);
		return;
	}
	since = json_text(result, "Up since");
	since = since ? since : "";
	gap = !os->subscribed || strcmp(since, os->since) != 0;
	os->subscribed = true;
	os->warned = false;
	text_copy(os->since, sizeof(os->since), since);
	if (gap)
		event_gap(&os->sink);
	subscription_done(sub, NXV_OK, NULL);
}

static void subscribe_next(struct subscription *sub)
{
	struct json_object *params;
	char socket_text[80];

	if (sub->step == WATCHED) {
		control_call(sub->os->control, "uptime", NULL, subscribed_one, sub);
		return;
	}
	snprintf(socket_text, sizeof(socket_text), "udp:%s", sub->os->set->events);
	params = json_object_new_object();
	control_text(params, "event", watched[sub->step]);
	control_text(params, "socket", socket_text);
	control_int(params, "expire", EXPIRE_SECONDS);
	control_call(sub->os->control, "event_subscribe", params, subscribed_one, sub);
}

void opensips_subscribe(struct opensips *os, sip_done_fn *fn, void *arg)
{
	struct subscription *sub = calloc(1, sizeof(*sub));
	struct nxv_error err = NXV_ERROR_INIT;

	if (!sub) {
		error_nomem(&err);
		if (fn)
			fn(arg, NXV_E_NOMEM, &err);
		return;
	}
	*sub = (struct subscription){ .os = os, .fn = fn, .arg = arg };
	subscribe_next(sub);
}

static void renew(void *arg)
{
	opensips_subscribe(arg, NULL, NULL);
}

static nxv_status open_socket(struct opensips *os, struct nxv_error *err)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM };
	const int room = 1024 * 1024;
	struct addrinfo *addr = NULL;
	char host[64], port_text[8];
	uint16_t port;
	nxv_status status = NXV_OK;

	if (!text_hostport(os->set->events, host, sizeof(host), &port))
		return error_field(err, "sip.events", "sip.events must be a loopback address such as 127.0.0.1:0");
	snprintf(port_text, sizeof(port_text), "%u", (unsigned)port);
	if (getaddrinfo(host, port_text, &hints, &addr) != 0)
		return error_field(err, "sip.events", "sip.events must be an IP address and a port; it is \"%.60s\"", os->set->events);
	os->events_fd = socket(addr->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (os->events_fd >= 0)
		setsockopt(os->events_fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (os->events_fd < 0 || bind(os->events_fd, addr->ai_addr, addr->ai_addrlen) < 0)
		status = error_errno(err, errno, "cannot listen for the SIP server's events on %.60s", os->set->events);
	freeaddrinfo(addr);
	return status;
}

nxv_status opensips_events_open(struct opensips *os, struct nxv_error *err)
{
	nxv_status status = open_socket(os, err);

	common_event_key(os->set, os->key);
	if (status == NXV_OK)
		status = loop_fd_set(os->loop, os->events_fd, LOOP_READ, readable, os, err);
	if (status != NXV_OK)
		return status;
	os->renew = loop_timer_new(os->loop, renew, os);
	if (!os->renew)
		return error_nomem(err);
	loop_timer_start(os->renew, 0);
	return NXV_OK;
}

void opensips_events_close(struct opensips *os)
{
	loop_timer_free(os->renew);
	os->renew = NULL;
	if (os->events_fd >= 0) {
		loop_fd_clear(os->loop, os->events_fd);
		close(os->events_fd);
		os->events_fd = -1;
	}
}
