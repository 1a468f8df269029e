/* receiver.h - where a SIP server's events arrive: a UDP socket on a loopback address. Loop thread only. */
#ifndef NXV_SIP_CONTROL_RECEIVER_H
#define NXV_SIP_CONTROL_RECEIVER_H

#include "base/env.h"
#include "loop/loop.h"

/** Longest datagram taken. */
enum { RECEIVER_MAX = 65536 };

struct receiver;
/** One datagram. False: the SIP server did not send it; it is dropped, and the log says so. Must not close the receiver. */
typedef bool receiver_fn(void *arg, const char *text, size_t len);

/** @param address "127.0.0.1:5999" or "[::1]:5999". @param out NULL on failure. */
nxv_status receiver_open(const struct env *env, struct loop *loop, const char *address, receiver_fn *fn, void *arg,
	struct receiver **out, struct nxv_error *err);
/** NULL is allowed. */
void receiver_close(struct receiver *r);

#endif
