/* probe.c - which addresses are free: a test bind, because a second UDP bind of the server itself is not refused
 * (SO_REUSEPORT) and it would share another program's packets. */
#include "sip/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

bool probe_address(const char *text, struct sockaddr_storage *out, socklen_t *len)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	char host[64];
	uint16_t port;

	memset(out, 0, sizeof(*out));
	if (!text_hostport(text, host, sizeof(host), &port))
		return false;
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		*len = sizeof(*v4);
		return true;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
		return false;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	*len = sizeof(*v6);
	return true;
}

int probe_bind(const char *address, int type)
{
	struct sockaddr_storage sa;
	socklen_t len;
	const int on = 1;
	int fd, errnum = 0;

	if (!probe_address(address, &sa, &len))
		return EINVAL;
	fd = socket(sa.ss_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (type == SOCK_STREAM) /* connections that linger in TIME_WAIT do not matter */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sa, len) != 0 || (type == SOCK_STREAM && listen(fd, 1) != 0))
		errnum = errno;
	close(fd);
	return errnum;
}

static nxv_status check(const char *option, const char *address, int type, struct nxv_error *err)
{
	const char *proto = type == SOCK_DGRAM ? "UDP" : "TCP";
	int errnum = *address ? probe_bind(address, type) : 0;
	nxv_status status;

	if (errnum == 0)
		return NXV_OK;
	if (errnum == EADDRINUSE)
		status = error_code(err, NXV_E_CONFLICT, "port_in_use",
			"%s port of %s is taken by another program: stop it, or set %s to a free port", proto, address, option);
	else if (errnum == EADDRNOTAVAIL)
		status = error_field(err, option, "%s is not an address of this machine", address);
	else
		status = error_code(err, NXV_E_INVALID, "bad_address", "%s %s cannot be opened (%s): set %s to another", proto, address,
			strerror(errnum), option);
	if (err) {
		err->detail = errnum;
		text_copy(err->field, sizeof(err->field), option);
	}
	return status;
}

nxv_status probe_ports(const struct sip_settings *set, struct nxv_error *err)
{
	nxv_status status = check("sip.listen", set->listen, SOCK_DGRAM, err);

	if (status == NXV_OK)
		status = check("sip.listen", set->listen, SOCK_STREAM, err);
	if (status == NXV_OK)
		status = check("sip.ws_listen", set->ws_listen, SOCK_STREAM, err);
	if (status == NXV_OK)
		status = check("sip.tls_listen", set->tls_listen, SOCK_STREAM, err);
	if (status == NXV_OK)
		status = check("sip.wss_listen", set->wss_listen, SOCK_STREAM, err);
	return status;
}
