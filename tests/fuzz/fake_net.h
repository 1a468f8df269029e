/* fake_net.h - libre without sockets and without a clock: what the originator sends is handed to the fuzz target, which
 * gives it datagrams and lets time pass. The linker puts these functions in the place of libre's (see CMakeLists.txt). */
#ifndef NXV_TESTS_FUZZ_FAKE_NET_H
#define NXV_TESTS_FUZZ_FAKE_NET_H

#include "base/env.h"

#include <stddef.h>
#include <stdint.h>

#define FAKE_PROXY "127.0.0.1:5060"
#define FAKE_SELF "127.0.0.1:5080"

/** Set up libre once; then before every input: the same clock and the same random numbers. */
void fake_net_reset(void);
/** Called with everything that is sent. */
extern void (*fake_net_sent)(const char *data, size_t len);
/** A datagram from that address ("127.0.0.1:5060"). */
void fake_net_receive(const char *data, size_t len, const char *from);
/** Let time pass and run the timers that are due, `most` of them at most. */
void fake_net_pass(uint64_t ms, unsigned most);
/** Timers that run. */
size_t fake_net_timers(void);
/** Its clock and random numbers, silent. */
const struct env *fake_net_env(void);

#endif
