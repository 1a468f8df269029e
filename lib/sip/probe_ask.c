/* probe_ask.c - does every listener answer? One after another: OPTIONS over UDP and TCP, a WebSocket handshake, a
 * connection where TLS would come first. Control channels answer before listeners do, so only this proves readiness. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "sip/probe.h"

enum { STEP_MS = 2000, RESEND_MS = 250, STEPS = 5 };
enum question { ASK_OPTIONS, ASK_HANDSHAKE, ASK_CONNECT };

struct step {
	const char *option, *proto, *address;
	int type;
	enum question question;
};

struct probe {
	struct loop *loop;
	struct loop_timer *timer;
	const struct sip_settings *set;
	sip_done_fn *fn;
	void *arg;
	struct step steps[STEPS];
	size_t step;
	int fd;
	unsigned sends;    /* tries of the current UDP step */
	bool connected;
	char call_id[40];
	char request[1024];
	size_t got;
	char answer[2048];
};

static void on_fd(int events, void *arg);
static nxv_status begin(struct probe *probe, struct nxv_error *err);

static void drop_socket(struct probe *probe)
{
	if (probe->fd < 0)
		return;
	loop_fd_clear(probe->loop, probe->fd);
	close(probe->fd);
	probe->fd = -1;
}

void probe_cancel(struct probe *probe)
{
	if (!probe)
		return;
	drop_socket(probe);
	loop_timer_free(probe->timer);
	free(probe);
}

static void finish(struct probe *probe, nxv_status status, const struct nxv_error *err)
{
	sip_done_fn *fn = probe->fn;
	void *arg = probe->arg;

	probe_cancel(probe);
	fn(arg, status, err);
}

static void give_up(struct probe *probe, const char *what)
{
	const struct step *step = &probe->steps[probe->step];
	struct nxv_error err = NXV_ERROR_INIT;

	error_set(&err, NXV_E_UNREACHABLE, "the listener %s/%s of %s %s", step->address, step->proto, step->option, what);
	finish(probe, err.status, &err);
}

static void advance(struct probe *probe)
{
	struct nxv_error err = NXV_ERROR_INIT;

	drop_socket(probe);
	loop_timer_stop(probe->timer);
	probe->step++;
	if (probe->step == STEPS || !probe->steps[probe->step].address)
		finish(probe, NXV_OK, NULL);
	else if (begin(probe, &err) != NXV_OK)
		finish(probe, err.status, &err);
}

/* Where to knock: a wildcard listener is asked on loopback. */
static bool target(const char *address, struct sockaddr_storage *sa, socklen_t *len)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)sa;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)sa;

	if (!probe_address(address, sa, len))
		return false;
	if (sa->ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (sa->ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
		v6->sin6_addr = in6addr_loopback;
	return true;
}

static void local_text(int fd, char *out, size_t size)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char host[INET6_ADDRSTRLEN] = "127.0.0.1";
	unsigned port = 0;

	memset(&sa, 0, sizeof(sa));
	if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0 && sa.ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&sa)->sin6_addr, host, sizeof(host));
		port = ntohs(((struct sockaddr_in6 *)&sa)->sin6_port);
		snprintf(out, size, "[%s]:%u", host, port);
		return;
	}
	inet_ntop(AF_INET, &((struct sockaddr_in *)&sa)->sin_addr, host, sizeof(host));
	port = ntohs(((struct sockaddr_in *)&sa)->sin_port);
	snprintf(out, size, "%s:%u", host, port);
}

static void write_options(struct probe *probe, const char *proto)
{
	static unsigned counter;
	char local[80];

	local_text(probe->fd, local, sizeof(local));
	snprintf(probe->call_id, sizeof(probe->call_id), "probe-%x-%x-%x", (unsigned)getpid(), (unsigned)loop_now_ms(), ++counter);
	snprintf(probe->request, sizeof(probe->request),
		"OPTIONS sip:%s SIP/2.0\r\n"
		"Via: SIP/2.0/%s %s;rport;branch=z9hG4bK%s\r\n"
		"Max-Forwards: 1\r\n"
		"From: <sip:probe@%s>;tag=probe\r\n"
		"To: <sip:%s>\r\n"
		"Call-ID: %s\r\n"
		"CSeq: 1 OPTIONS\r\n"
		"Contact: <sip:probe@%s>\r\n"
		"Content-Length: 0\r\n\r\n",
		probe->set->domain, proto, local, probe->call_id, probe->set->domain, probe->set->domain, probe->call_id, local);
}

/* With an origin of the allow-list, or none that could be refused. */
static void write_handshake(struct probe *probe, const char *address)
{
	const char *origins = probe->set->ws_origins;
	int len = (int)strcspn(origins, ",");
	char origin[128];

	if (len > 0 && *origins != '*')
		snprintf(origin, sizeof(origin), "%.*s", len, origins);
	else
		snprintf(origin, sizeof(origin), "http://%s", probe->set->domain);
	snprintf(probe->request, sizeof(probe->request),
		"GET / HTTP/1.1\r\n"
		"Host: %s\r\n"
		"Origin: %s\r\n"
		"Upgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Key: bmV4dXMgcHJvYmUga2V5IQ==\r\n"
		"Sec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Protocol: sip\r\n\r\n",
		address, origin);
}

static bool send_request(struct probe *probe)
{
	size_t len = strlen(probe->request);

	return send(probe->fd, probe->request, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

/* UDP is asked again until the step's time is over; anything else has one chance. */
static void on_timer(void *arg)
{
	struct probe *probe = arg;
	const struct step *step = &probe->steps[probe->step];

	if (step->type == SOCK_DGRAM && ++probe->sends * RESEND_MS < STEP_MS) {
		send_request(probe);
		loop_timer_start(probe->timer, RESEND_MS);
		return;
	}
	give_up(probe, probe->connected || step->type == SOCK_DGRAM ? "does not answer" : "does not take connections");
}

static nxv_status begin(struct probe *probe, struct nxv_error *err)
{
	const struct step *step = &probe->steps[probe->step];
	struct sockaddr_storage sa;
	socklen_t len;
	nxv_status status;

	probe->connected = false;
	probe->sends = 0;
	probe->got = 0;
	if (!target(step->address, &sa, &len))
		return error_field(err, step->option, "'%s' is not an address", step->address);
	probe->fd = socket(sa.ss_family, step->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe->fd < 0)
		return error_errno(err, errno, "cannot make a socket");
	if (connect(probe->fd, (struct sockaddr *)&sa, len) != 0 && errno != EINPROGRESS)
		return error_errno(err, errno, "the listener %s/%s of %s does not answer", step->address, step->proto, step->option);
	status = loop_fd_set(probe->loop, probe->fd, step->type == SOCK_DGRAM ? LOOP_READ : LOOP_WRITE, on_fd, probe, err);
	if (status != NXV_OK)
		return status;
	loop_timer_start(probe->timer, step->type == SOCK_DGRAM ? RESEND_MS : STEP_MS);
	if (step->type == SOCK_DGRAM) {
		write_options(probe, "UDP");
		send_request(probe);
	}
	return NXV_OK;
}

static void on_connected(struct probe *probe)
{
	const struct step *step = &probe->steps[probe->step];
	struct nxv_error err;
	socklen_t len = sizeof(int);
	int errnum = 0;

	if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &errnum, &len) != 0 || errnum) {
		give_up(probe, "does not take connections");
		return;
	}
	probe->connected = true;
	if (step->question == ASK_CONNECT) {
		advance(probe);
		return;
	}
	if (step->question == ASK_OPTIONS)
		write_options(probe, "TCP");
	else
		write_handshake(probe, step->address);
	if (!send_request(probe) || loop_fd_set(probe->loop, probe->fd, LOOP_READ, on_fd, probe, &err) != NXV_OK)
		give_up(probe, "does not take requests");
}

/* A final answer to our OPTIONS, or any HTTP answer to a handshake. Incomplete: wait for more. */
static void judge(struct probe *probe)
{
	const struct step *step = &probe->steps[probe->step];
	char problem[80];
	int code = 0;

	probe->answer[probe->got] = '\0';
	if (step->question == ASK_HANDSHAKE) {
		if (strncmp(probe->answer, "HTTP/1.", 7) == 0 && strchr(probe->answer, '\n'))
			advance(probe);
		return;
	}
	if (!strstr(probe->answer, probe->call_id) || sscanf(probe->answer, "SIP/2.0 %3d ", &code) != 1)
		return;
	if (code >= 200 && code < 300) {
		advance(probe);
	} else if (code >= 300) {
		snprintf(problem, sizeof(problem), "answers OPTIONS with %d instead of 200", code);
		give_up(probe, problem);
	}
}

static void on_fd(int events, void *arg)
{
	struct probe *probe = arg;
	bool datagram = probe->steps[probe->step].type == SOCK_DGRAM;
	ssize_t n;

	(void)events;
	if (!datagram && !probe->connected) {
		on_connected(probe);
		return;
	}
	if (datagram || probe->got >= sizeof(probe->answer) - 1)
		probe->got = 0;
	n = recv(probe->fd, probe->answer + probe->got, sizeof(probe->answer) - 1 - probe->got, MSG_DONTWAIT);
	if (n > 0) {
		probe->got += (size_t)n;
		judge(probe);
	} else if (!datagram && (n == 0 || (errno != EAGAIN && errno != EINTR))) {
		give_up(probe, "closes the connection");
	}
	/* a refused datagram: the timer asks again */
}

nxv_status probe_start(struct loop *loop, const struct sip_settings *set, sip_done_fn *fn, void *arg, struct probe **out,
	struct nxv_error *err)
{
	const struct step all[STEPS] = {
		{ "sip.listen", "UDP", set->listen, SOCK_DGRAM, ASK_OPTIONS },
		{ "sip.listen", "TCP", set->listen, SOCK_STREAM, ASK_OPTIONS },
		{ "sip.ws_listen", "WS", set->ws_listen, SOCK_STREAM, ASK_HANDSHAKE },
		{ "sip.tls_listen", "TLS", set->tls_listen, SOCK_STREAM, ASK_CONNECT },
		{ "sip.wss_listen", "WSS", set->wss_listen, SOCK_STREAM, ASK_CONNECT },
	};
	struct probe *probe = calloc(1, sizeof(*probe));
	size_t count = 0;
	nxv_status status;

	*out = NULL;
	if (!probe)
		return error_nomem(err);
	*probe = (struct probe){ .loop = loop, .set = set, .fn = fn, .arg = arg, .fd = -1 };
	for (size_t i = 0; i < STEPS; i++)
		if (*all[i].address)
			probe->steps[count++] = all[i];
	probe->timer = loop_timer_new(loop, on_timer, probe);
	status = probe->timer ? begin(probe, err) : error_nomem(err);
	if (status != NXV_OK) {
		probe_cancel(probe);
		return status;
	}
	*out = probe;
	return NXV_OK;
}
