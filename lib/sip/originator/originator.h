/* originator.h - places calls through a SIP proxy by third-party call control (RFC 3725, Flow II), on libre. */
#ifndef NXV_SIP_ORIGINATOR_ORIGINATOR_H
#define NXV_SIP_ORIGINATOR_ORIGINATOR_H

#include "session/carrier.h"
#include "sip/ask.h"

struct trace_log;

struct originator_opts {
	const struct env *env;
	struct loop *loop;      /**< the calling thread's */
	const char *proxy;      /**< "127.0.0.1:5060" or "[::1]:5060": the SIP server's listener */
	bool tcp;               /**< else UDP */
	const char *listen;     /**< "127.0.0.1:0" picks a port */
	const char *domain;     /**< SIP domain */
	const char *username;   /**< service user that the server believes X-Nexus-* from */
	const char *ha1_md5;    /**< 32 hex digits each: MD5 and SHA-256 of username:realm:password (RFC 7616) */
	const char *ha1_sha256; /**< 64 hex digits */
	struct trace_log *trace; /**< [borrowed] nullable: where messages are noted */
	sip_ask_fn *ask;        /**< answers the server's questions; nullable */
	void *ask_arg;
	const char *ask_key;    /**< what makes an INVITE such a question: common_ask_key() */
	carrier_sink_fn *sink;
	void *sink_arg;
};

/** Open the carrier. @param out [owned], ended by out->ops->close(). Engine thread. */
nxv_status originator_open(const struct originator_opts *opts, struct carrier **out, struct nxv_error *err);
/** Port it listens on. */
uint16_t originator_port(const struct carrier *carrier);
/** Calls whose legs are not all gone. */
size_t originator_call_count(const struct carrier *carrier);

#endif
