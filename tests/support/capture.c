/* capture.c - listens on the loopback interface with a packet socket: filter, packets to messages, the list of them. */
#include "capture_inside.h"

#include "sip_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PORTS_MAX = 32, PACKET_MAX = 1 << 17, RECEIVE_BUFFER = 16 << 20, FILTER_HEAD = 23, PER_PORT = 6 };

/* The kernel hands us UDP and TCP from or to these ports only: M[0] and M[1] are a packet's two ports. */
static bool attach_filter(int fd, const unsigned *ports, size_t count)
{
	static const struct sock_filter head[FILTER_HEAD] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x40, 0, 10),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 1, 0), BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0), BPF_STMT(BPF_ST, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2), BPF_STMT(BPF_ST, 1), BPF_STMT(BPF_JMP | BPF_JA, 10),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x60, 1, 0), BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 1, 0), BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 40), BPF_STMT(BPF_ST, 0), BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 42), BPF_STMT(BPF_ST, 1),
	};
	struct sock_filter code[FILTER_HEAD + PORTS_MAX * PER_PORT + 1];
	unsigned short n = FILTER_HEAD;
	memcpy(code, head, sizeof(head));
	for (size_t i = 0; i < count; i++) {
		for (unsigned end = 0; end < 2; end++) {
			code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_MEM, end);
			code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ports[i], 0, 1);
			code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, PACKET_MAX);
		}
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = n, .filter = code };
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

/* In order of the kernel's time: packets of different processors may reach us the other way round. */
static void insert(struct capture *capture, struct captured *message)
{
	struct captured **link = &capture->first;
	if (capture->last && capture->last->at_us <= message->at_us) {
		link = &capture->last->next;
	}
	while (*link && (*link)->at_us <= message->at_us) {
		link = &(*link)->next;
	}
	message->next = *link;
	*link = message;
	if (!message->next) {
		capture->last = message;
	}
	pthread_cond_broadcast(&capture->changed);
}

void capture_message(struct capture *capture, const struct captured *where, const char *data, size_t len)
{
	struct sip_text msg;
	struct captured *out = NULL;
	if (len >= 16 && sip_text_parse(data, len, &msg) && (out = malloc(sizeof(*out)))) {
		*out = *where;
		out->code = msg.request ? 0 : msg.code;
		out->cseq = msg.cseq;
		snprintf(out->method, sizeof(out->method), "%s", msg.method);
		snprintf(out->call_id, sizeof(out->call_id), "%s", msg.call_id);
		snprintf(out->from_tag, sizeof(out->from_tag), "%s", msg.from_tag);
		snprintf(out->to_tag, sizeof(out->to_tag), "%s", msg.to_tag);
		sip_text_header(&msg, "X-Nexus-Session", 0, out->session, sizeof(out->session));
		sip_text_header(&msg, "Reason", 0, out->reason, sizeof(out->reason));
		out->text = msg.data;
		msg.data = NULL;
		insert(capture, out);
	}
	if (len >= 16) {
		sip_text_free(&msg);
	}
}

static bool read_addresses(const unsigned char *packet, size_t len, struct captured *where, const unsigned char **payload, int *protocol)
{
	char text[2][INET6_ADDRSTRLEN];
	bool v6 = len >= 40 && packet[0] >> 4 == 6;
	size_t head = v6 ? 40 : (size_t)(packet[0] & 0xf) * 4;
	if (len < head + 8) {
		return false;
	}
	inet_ntop(v6 ? AF_INET6 : AF_INET, packet + (v6 ? 8 : 12), text[0], sizeof(text[0]));
	inet_ntop(v6 ? AF_INET6 : AF_INET, packet + (v6 ? 24 : 16), text[1], sizeof(text[1]));
	where->src_port = (unsigned)packet[head] << 8 | packet[head + 1];
	where->dst_port = (unsigned)packet[head + 2] << 8 | packet[head + 3];
	snprintf(where->src, sizeof(where->src), v6 ? "[%s]:%u" : "%s:%u", text[0], where->src_port);
	snprintf(where->dst, sizeof(where->dst), v6 ? "[%s]:%u" : "%s:%u", text[1], where->dst_port);
	*protocol = packet[v6 ? 6 : 9];
	*payload = packet + head;
	return true;
}

static void take_packet(struct capture *capture, const unsigned char *packet, size_t len, int64_t at_us)
{
	struct captured where = { .at_us = at_us };
	const unsigned char *p;
	int protocol;
	if (!read_addresses(packet, len, &where, &p, &protocol)) {
		return;
	}
	size_t rest = len - (size_t)(p - packet);
	if (protocol == IPPROTO_UDP) {
		capture_message(capture, &where, (const char *)p + 8, rest - 8);
		return;
	}
	size_t head = rest >= 20 ? (size_t)(p[12] >> 4) * 4 : 0;
	if (head < 20 || head > rest) {
		return;
	}
	struct capture_segment segment = { .seq = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7],
		.begins = p[13] & 2, .data = (const char *)p + head, .len = rest - head };
	where.tcp = true;
	capture_segment(capture, &where, &segment);
}

static int64_t stamp_us(struct msghdr *msg)
{
	struct timespec ts = { 0 };
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		}
	}
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void receive(struct capture *capture)
{
	char control[256];
	struct sockaddr_ll from;
	struct iovec iov = { .iov_base = capture->packet, .iov_len = PACKET_MAX };
	for (;;) {
		struct msghdr msg = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			.msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(capture->fd, &msg, MSG_DONTWAIT);
		if (n <= 0) {
			return;
		}
		if (from.sll_pkttype != PACKET_OUTGOING) { /* on lo each packet leaves and arrives */
			take_packet(capture, capture->packet, (size_t)n, stamp_us(&msg));
		}
	}
}

void capture_lock(struct capture *capture)
{
	pthread_mutex_lock(&capture->lock);
	receive(capture);
}

static void *run(void *arg)
{
	struct capture *capture = arg;
	bool stop = false;
	while (!stop) {
		struct pollfd pfds[] = { { .fd = capture->fd, .events = POLLIN }, { .fd = capture->wake, .events = POLLIN } };
		poll(pfds, 2, -1);
		capture_lock(capture);
		stop = capture->stop;
		pthread_mutex_unlock(&capture->lock);
	}
	return NULL;
}

static int open_socket(const unsigned *ports, size_t count)
{
	int on = 1, size = RECEIVE_BUFFER;
	struct sockaddr_ll lo = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex("lo") };
	int fd = count <= PORTS_MAX ? socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1; /* protocol 0: hears nothing until bound */
	if (fd < 0) {
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (attach_filter(fd, ports, count) && setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) == 0
		&& bind(fd, (struct sockaddr *)&lo, sizeof(lo)) == 0) {
		return fd;
	}
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

bool capture_possible(void)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return false;
	}
	close(fd);
	return true;
}

struct capture *capture_open(const unsigned *ports, size_t count)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	pthread_condattr_t attr;
	if (!capture) {
		return NULL;
	}
	capture->packet = malloc(PACKET_MAX);
	capture->fd = capture->packet ? open_socket(ports, count) : -1;
	if (capture->fd < 0) {
		fprintf(stderr, "cannot capture on lo: %s\n", strerror(errno));
		free(capture->packet);
		free(capture);
		return NULL;
	}
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&capture->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&capture->lock, NULL);
	capture->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pthread_create(&capture->thread, NULL, run, capture) != 0) {
		close(capture->fd);
		close(capture->wake);
		free(capture->packet);
		free(capture);
		return NULL;
	}
	return capture;
}

void capture_close(struct capture *capture)
{
	if (!capture) {
		return;
	}
	pthread_mutex_lock(&capture->lock);
	capture->stop = true;
	eventfd_write(capture->wake, 1);
	pthread_mutex_unlock(&capture->lock);
	pthread_join(capture->thread, NULL);
	close(capture->fd);
	close(capture->wake);
	while (capture->first) {
		struct captured *next = capture->first->next;
		free(capture->first->text);
		free(capture->first);
		capture->first = next;
	}
	capture_streams_free(capture);
	free(capture->packet);
	pthread_cond_destroy(&capture->changed);
	pthread_mutex_destroy(&capture->lock);
	free(capture);
}

unsigned capture_lost(struct capture *capture)
{
	struct tpacket_stats stats = { 0 };
	socklen_t len = sizeof(stats);
	pthread_mutex_lock(&capture->lock);
	if (getsockopt(capture->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0) {
		capture->lost += stats.tp_drops; /* counted since it was last asked */
	}
	unsigned lost = capture->lost;
	pthread_mutex_unlock(&capture->lock);
	return lost;
}
