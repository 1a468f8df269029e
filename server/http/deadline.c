/* deadline.c - time limits by phase. libmicrohttpd's own timeout counts idle time only, so that a client that
 * drips a byte now and then would hold its connection for ever. */
#include "http/inside.h"

#include <sys/socket.h>

enum { SWEEP_MS = 500 };

static const int64_t limit_ms[] = {
	[PHASE_NEW] = 15000,
	[PHASE_IDLE] = 75000,
	[PHASE_HEAD] = 10000,
	[PHASE_BODY] = 20000,
	[PHASE_WORK] = -1,
	[PHASE_SEND] = 30000,
};

void conn_cut(struct http_conn *conn, bool timed_out)
{
	if (conn->cut)
		return;
	conn->cut = true;
	if (timed_out && (conn->phase == PHASE_HEAD || conn->phase == PHASE_BODY))
		conn_refuse(conn, 408);
	shutdown(conn->fd, SHUT_RDWR);
}

int deadline_sweep(struct http_loop *loop)
{
	int64_t now = http_now_ms();

	if (!loop->conns)
		return -1;
	if (now - loop->swept_ms < SWEEP_MS) /* a busy loop comes here often */
		return SWEEP_MS;
	loop->swept_ms = now;
	for (struct http_conn *conn = loop->conns; conn; conn = conn->next)
		if (limit_ms[conn->phase] >= 0 && now - conn->since_ms > limit_ms[conn->phase])
			conn_cut(conn, true);
	return SWEEP_MS;
}
