/* fake_net.c - see fake_net.h. Each __wrap_x() here is what everybody, libre included, calls as x(). */
#include "fake_net.h"

#include <re.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { EPOCH_MS = 1000 };

struct udp_sock {
	struct sa local;
	udp_recv_h *receive;
	void *arg;
	struct udp_helper *helper;
};

struct udp_helper {
	struct udp_sock *sock;
	udp_helper_recv_h *receive;
	void *arg;
};

void (*fake_net_sent)(const char *data, size_t len);

static uint64_t now_ms, random_state;
static struct list timers;
static struct udp_sock *the_socket;

/* --- time --- */

void __wrap_tmr_start(struct tmr *tmr, uint64_t delay, tmr_h *th, void *arg);
void __wrap_tmr_cancel(struct tmr *tmr);
uint64_t __wrap_tmr_get_expire(const struct tmr *tmr);

static bool not_later(struct le *le, void *arg)
{
	const struct tmr *tmr = le->data, *added = arg;

	return tmr->jfs <= added->jfs;
}

void __wrap_tmr_start(struct tmr *tmr, uint64_t delay, tmr_h *th, void *arg)
{
	struct le *le;

	if (tmr->th)
		list_unlink(&tmr->le);
	tmr->th = th;
	tmr->arg = arg;
	if (!th)
		return;
	tmr->jfs = now_ms + delay;
	le = list_apply(&timers, false, not_later, tmr);
	if (le)
		list_insert_after(&timers, le, &tmr->le, tmr);
	else
		list_prepend(&timers, &tmr->le, tmr);
}

void __wrap_tmr_cancel(struct tmr *tmr)
{
	__wrap_tmr_start(tmr, 0, NULL, NULL);
}

uint64_t __wrap_tmr_get_expire(const struct tmr *tmr)
{
	return tmr->th && tmr->jfs > now_ms ? tmr->jfs - now_ms : 0;
}

void fake_net_pass(uint64_t ms, unsigned most)
{
	const uint64_t until = now_ms + ms;
	struct tmr *tmr;

	while (most-- && (tmr = list_ledata(timers.head)) && tmr->jfs <= until) {
		tmr_h *th = tmr->th;

		now_ms = tmr->jfs > now_ms ? tmr->jfs : now_ms;
		tmr->th = NULL;
		list_unlink(&tmr->le);
		th(tmr->arg);
	}
	now_ms = until;
}

size_t fake_net_timers(void)
{
	return list_count(&timers);
}

/* --- chance: splitmix64 --- */

uint16_t __wrap_rand_u16(void);
uint32_t __wrap_rand_u32(void);
uint64_t __wrap_rand_u64(void);

uint64_t __wrap_rand_u64(void)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t __wrap_rand_u32(void)
{
	return (uint32_t)__wrap_rand_u64();
}

uint16_t __wrap_rand_u16(void)
{
	return (uint16_t)__wrap_rand_u64();
}

/* --- the network --- */

int __wrap_udp_listen(struct udp_sock **usp, const struct sa *local, udp_recv_h *rh, void *arg);
int __wrap_udp_local_get(const struct udp_sock *us, struct sa *local);
void __wrap_udp_handler_set(struct udp_sock *us, udp_recv_h *rh, void *arg);
void __wrap_udp_rxsz_set(struct udp_sock *us, size_t size);
int __wrap_udp_send(struct udp_sock *us, const struct sa *dst, struct mbuf *mb);
int __wrap_udp_register_helper(struct udp_helper **uhp, struct udp_sock *us, int layer, udp_helper_send_h *sh,
	udp_helper_recv_h *rh, void *arg);
ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t size);

static void socket_gone(void *arg)
{
	if (the_socket == arg)
		the_socket = NULL;
}

int __wrap_udp_listen(struct udp_sock **usp, const struct sa *local, udp_recv_h *rh, void *arg)
{
	struct udp_sock *us = mem_zalloc(sizeof(*us), socket_gone);

	if (!us)
		return ENOMEM;
	us->local = *local;
	us->receive = rh;
	us->arg = arg;
	*usp = the_socket = us;
	return 0;
}

int __wrap_udp_local_get(const struct udp_sock *us, struct sa *local)
{
	*local = us->local;
	return 0;
}

void __wrap_udp_handler_set(struct udp_sock *us, udp_recv_h *rh, void *arg)
{
	us->receive = rh;
	us->arg = arg;
}

void __wrap_udp_rxsz_set(struct udp_sock *us, size_t size)
{
	(void)us, (void)size;
}

int __wrap_udp_send(struct udp_sock *us, const struct sa *dst, struct mbuf *mb)
{
	(void)us, (void)dst;
	if (fake_net_sent)
		fake_net_sent((const char *)mbuf_buf(mb), mbuf_get_left(mb));
	return 0;
}

static void helper_gone(void *arg)
{
	struct udp_helper *helper = arg;

	if (helper->sock)
		helper->sock->helper = NULL;
}

int __wrap_udp_register_helper(struct udp_helper **uhp, struct udp_sock *us, int layer, udp_helper_send_h *sh,
	udp_helper_recv_h *rh, void *arg)
{
	struct udp_helper *helper = mem_zalloc(sizeof(*helper), helper_gone);

	(void)layer, (void)sh;
	if (!helper)
		return ENOMEM;
	*helper = (struct udp_helper){ us, rh, arg };
	*uhp = us->helper = helper;
	return 0;
}

void fake_net_receive(const char *data, size_t len, const char *from)
{
	struct mbuf *mb = mbuf_alloc(len + 1);
	struct sa src;

	if (!mb || !the_socket || sa_decode(&src, from, strlen(from)) != 0 ||
		mbuf_write_mem(mb, (const uint8_t *)data, len) != 0)
		abort();
	mb->pos = 0;
	if (!the_socket->helper || !the_socket->helper->receive(&src, mb, the_socket->helper->arg))
		the_socket->receive(&src, mb, the_socket->arg);
	mem_deref(mb);
}

/* The originator's first datagram, to itself. */
ssize_t __wrap_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t size)
{
	(void)fd, (void)flags, (void)to, (void)size;
	fake_net_receive(data, len, FAKE_SELF);
	return (ssize_t)len;
}

/* --- the rest of the world --- */

static int64_t clock_ms(void *user)
{
	(void)user;
	return (int64_t)now_ms;
}

static bool chance(void *user, void *buf, size_t len)
{
	(void)user;
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (uint8_t)__wrap_rand_u64();
	return true;
}

static void silent(void *user, nxv_log_level level, const char *module, const char *text)
{
	(void)user, (void)level, (void)module, (void)text;
}

const struct env *fake_net_env(void)
{
	static const struct env env = { .clock = clock_ms, .random = chance, .log = silent, .level = NXV_LOG_ERROR };

	return &env;
}

void fake_net_reset(void)
{
	static bool done;

	if (!done && libre_init() != 0)
		abort();
	done = true;
	now_ms = EPOCH_MS;
	random_state = 0;
}
