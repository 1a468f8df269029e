/* probe.h - is an address free before the SIP server starts, and does it answer afterwards? */
#ifndef NXV_SIP_PROBE_H
#define NXV_SIP_PROBE_H

#include <sys/socket.h>

#include "loop/loop.h"
#include "sip/server.h"

/** "127.0.0.1:5060" or "[::1]:5060" as a socket address; false for anything else, names included. */
bool probe_address(const char *text, struct sockaddr_storage *out, socklen_t *len);
/** Bind and let go. @param type SOCK_DGRAM or SOCK_STREAM. @return 0 when free, else errno. */
int probe_bind(const char *address, int type);
/** All addresses that the server is to bind. Errors: NXV_E_CONFLICT "port_in_use", NXV_E_INVALID; field is the option. */
nxv_status probe_ports(const struct sip_settings *set, struct nxv_error *err);

struct probe;
/** Ask every listener: OPTIONS over UDP and TCP, a handshake over WebSocket, a connection for TLS.
 * fn is called once, on the loop, and must not cancel. @param out [owned] until fn was called. */
nxv_status probe_start(struct loop *loop, const struct sip_settings *set, sip_done_fn *fn, void *arg, struct probe **out, struct nxv_error *err);
/** Give up without calling fn. NULL is allowed. */
void probe_cancel(struct probe *probe);

#endif
