/* capture_inside.h - what the files of the capture share. Everything here is called with its lock held. */
#ifndef TEST_SUPPORT_CAPTURE_INSIDE_H
#define TEST_SUPPORT_CAPTURE_INSIDE_H

#include "capture.h"

#include <netinet/in.h>
#include <pthread.h>

/** One direction of a TCP connection. */
struct capture_stream {
	struct capture_stream *next;
	char src[64], dst[64];
	uint32_t seq;     /* of the next byte */
	char *data;       /* bytes not yet framed */
	size_t len;
	struct capture_piece {
		struct capture_piece *next;
		uint32_t seq;
		size_t len;
		char data[];
	} *early;         /* came before what goes in front of them */
};

struct capture {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int fd, wake;
	unsigned char *packet;
	bool stop;
	unsigned lost;
	struct captured *first, *last;
	struct capture_stream *streams;
};

/** Take the lock, and what the kernel has for us: what a phone has heard by now is in the list. */
void capture_lock(struct capture *capture);

/** A datagram, or a message framed out of a stream. */
void capture_message(struct capture *capture, const struct captured *where, const char *data, size_t len);

/** capture_stream.c: a TCP segment. */
struct capture_segment {
	uint32_t seq;
	bool begins;
	const char *data;
	size_t len;
};
void capture_segment(struct capture *capture, const struct captured *where, const struct capture_segment *segment);
void capture_streams_free(struct capture *capture);

#endif
