/* transport.c - the originator's sockets: addresses, libre's SIP stack on them, and who is believed.
 * Everything must come through our SIP server; the rest is dropped before libre sees it. */
#include "sip/originator/impl.h"

#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

enum { TRANSACTION_BUCKETS = 1024, CONNECTION_BUCKETS = 16 };

static nxv_status parse_address(const char *text, const char *what, struct sa *out, struct nxv_error *err)
{
	char host[64];
	uint16_t port = 0;

	if (!text || !text_hostport(text, host, sizeof(host), &port) || sa_set_str(out, host, port) != 0)
		return error_field(err, what,
			"'%s' is no \"ADDRESS:PORT\" with a numeric address, such as 127.0.0.1:5060 or [::1]:5060",
			text ? text : "");
	return NXV_OK;
}

static nxv_status parse_addresses(struct originator *o, const struct originator_opts *opts, struct nxv_error *err)
{
	nxv_status st = parse_address(opts->proxy, "proxy", &o->proxy, err);

	if (st == NXV_OK)
		st = parse_address(opts->listen, "listen", &o->local, err);
	if (st != NXV_OK)
		return st;
	if (!sa_port(&o->proxy))
		return error_field(err, "proxy", "the SIP server's address needs a port");
	if (sa_is_any(&o->local) || sa_af(&o->local) != sa_af(&o->proxy))
		return error_field(err, "listen",
			"%s: the originator needs an own address that the SIP server can reach, of the same family as "
			"%s",
			opts->listen, opts->proxy);
	return NXV_OK;
}

/* The texts that requests are made of, once the port is known. */
static nxv_status note_texts(struct originator *o, struct nxv_error *err)
{
	char proxy[80];
	struct pl pl;

	if (sa_ntop(&o->local, o->address, sizeof(o->address)) != 0 ||
		re_snprintf(o->hostport, sizeof(o->hostport), "%J", &o->local) < 0 ||
		re_snprintf(proxy, sizeof(proxy), "%J", &o->proxy) < 0)
		return error_set(err, NXV_E_INTERNAL, "cannot print an address");
	o->route_text = text_printf("sip:%s;transport=%s", proxy, o->transport == SIP_TRANSP_TCP ? "tcp" : "udp");
	if (!o->route_text)
		return error_nomem(err);
	pl_set_str(&pl, o->route_text);
	if (uri_decode(&o->route, &pl) != 0)
		return error_set(err, NXV_E_INTERNAL, "cannot read back %s", o->route_text);
	return NXV_OK;
}

static bool on_request(const struct sip_msg *msg, void *arg)
{
	struct originator *o = arg;

	if (!transport_probe(o, msg) && transport_trusted(o, msg))
		uas_request(o, msg);
	return true; /* whatever is left over, libre would print */
}

static bool on_response(const struct sip_msg *msg, void *arg)
{
	struct originator *o = arg;

	if (transport_trusted(o, msg))
		uas_stray_response(o, msg);
	return true;
}

static nxv_status send_to_self(const struct originator *o, const struct buf *b, struct nxv_error *err)
{
	int fd = socket(sa_af(&o->local), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	nxv_status st = NXV_OK;

	if (fd < 0 || sendto(fd, b->data, b->len, 0, &o->local.u.sa, o->local.len) < 0)
		st = error_errno(err, errno, "cannot reach the originator's own socket %s", o->hostport);
	if (fd >= 0)
		close(fd);
	return st;
}

/* libre gives no way to its UDP socket but a received message, and the socket must be set up before a stranger's
 * datagram is read from it: so we send ourselves the first one. */
static nxv_status send_probe(struct originator *o, struct nxv_error *err)
{
	struct buf b = BUF_INIT;
	uint8_t bytes[16];
	nxv_status st = env_random(o->env, bytes, sizeof(bytes), err);

	if (st != NXV_OK)
		return st;
	text_hex(bytes, sizeof(bytes), o->probe);
	buf_printf(&b,
		"OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\nTo: <sip:%s>\r\nFrom: "
		"<sip:%s>;tag=p\r\n"
		"Call-ID: %s\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 0\r\nContent-Length: 0\r\n\r\n",
		o->hostport, o->hostport, o->probe, o->hostport, o->hostport, o->probe);
	st = b.failed ? error_nomem(err) : send_to_self(o, &b, err);
	buf_free(&b);
	return st;
}

nxv_status transport_open(struct originator *o, const struct originator_opts *opts, struct nxv_error *err)
{
	nxv_status st = parse_addresses(o, opts, err);
	int e;

	if (st != NXV_OK)
		return st;
	o->transport = opts->tcp ? SIP_TRANSP_TCP : SIP_TRANSP_UDP;
	e = sip_alloc(&o->sip, NULL, TRANSACTION_BUCKETS, TRANSACTION_BUCKETS, CONNECTION_BUCKETS,
		"nexusvoip/" NXV_VERSION, NULL, o);
	if (!e)
		trace_open(o);
	if (!e)
		e = sip_listen(&o->requests, o->sip, true, on_request, o);
	if (!e)
		e = sip_listen(&o->responses, o->sip, false, on_response, o);
	if (e)
		return error_errno(err, e, "cannot set up the SIP stack");
	e = sip_transp_add(o->sip, o->transport, &o->local);
	if (!e)
		e = sip_transp_laddr(o->sip, &o->local, o->transport, &o->proxy);
	if (e)
		return error_errno(err, e, "cannot listen on %s for the originator: free the port or give it another",
			opts->listen);
	st = note_texts(o, err);
	if (st == NXV_OK && !opts->tcp)
		st = send_probe(o, err);
	return st;
}

void transport_close(struct originator *o)
{
	o->filter = mem_deref(o->filter);
	o->requests = mem_deref(o->requests);
	o->responses = mem_deref(o->responses);
	if (o->sip)
		sip_close(o->sip, true);
	o->sip = mem_deref(o->sip);
	free(o->route_text);
	o->route_text = NULL;
}

bool transport_trusted(const struct originator *o, const struct sip_msg *msg)
{
	/* Over TCP the server may have connected to us, from any port of its own. */
	return message_whole(msg) && msg->tp == o->transport &&
		sa_cmp(&msg->src, &o->proxy, msg->tp == SIP_TRANSP_UDP ? SA_ALL : SA_ADDR);
}

/* True swallows the datagram. Malformed ones too: libre would print a complaint. */
static bool filter_datagram(struct sa *src, struct mbuf *mb, void *arg)
{
	const struct originator *o = arg;
	size_t pos = mb->pos;
	struct sip_msg *msg;
	struct pl body;
	bool drop;

	if (!sa_cmp(src, &o->proxy, SA_ALL) || sip_msg_decode(&msg, mb) != 0)
		return true;
	drop = !message_whole(msg) || (!msg->req && !message_body(msg, &body)); /* RFC 3261, 18.3 */
	mem_deref(msg);
	mb->pos = pos;
	return drop;
}

bool transport_probe(struct originator *o, const struct sip_msg *msg)
{
	if (o->filtered || !o->probe[0] || pl_strcmp(&msg->callid, o->probe) != 0)
		return false;
	udp_rxsz_set(msg->sock, ORIGINATOR_DATAGRAM_MAX); /* else cut at 8192 without notice */
	if (udp_register_helper(&o->filter, msg->sock, 0, NULL, filter_datagram, o) != 0)
		env_log(o->env, NXV_LOG_ERROR, "sip", "no memory to filter the originator's socket");
	o->filtered = true;
	return true;
}

void transport_tune(const struct sip_msg *msg)
{
#ifdef NXV_RE_TCP_CONN_FD
	struct tcp_conn *conn = msg->tp == SIP_TRANSP_TCP ? sip_msg_tcpconn(msg) : NULL;
	int one = 1;

	if (conn)
		(void)setsockopt(tcp_conn_fd(conn), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
#else
	(void)msg; /* newer libre keeps its descriptors to itself */
#endif
}
