/* impl.h - the originator itself, as its own files see it. */
#ifndef NXV_SIP_ORIGINATOR_IMPL_H
#define NXV_SIP_ORIGINATOR_IMPL_H

#include <re.h>

#include "sip/originator/auth.h"
#include "sip/originator/originator.h"

enum {
	ORIGINATOR_CALLS_MAX = 10000, /* the dead ones that still answer repeated 200s included */
	ORIGINATOR_LINGER_MS = 32000, /* 64 * T1: how long a peer may repeat itself */
	ORIGINATOR_DATAGRAM_MAX = 65536,
	ORIGINATOR_WORD_MAX = 1024 /* of a tag or a contact */
};

struct originator {
	struct carrier base;
	const struct env *env;
	struct sip *sip;
	struct sip_lsnr *requests, *responses;
	struct udp_helper *filter; /* on our UDP socket: drops what is not the proxy's */
	bool filtered;
	char probe[33];    /* Call-ID of the message that finds us that socket */
	struct hash *legs; /* by Call-ID */
	struct list calls;
	size_t call_count; /* in that list */
	size_t live_count; /* of them, those with a leg left */
	enum sip_transp transport;
	struct sa proxy, local;
	char *route_text;
	struct uri route;  /* into route_text: every request's next hop */
	char address[64];  /* ours, for session descriptions */
	char hostport[80]; /* ours, for Via and Contact */
	char *domain, *username, *ha1_md5, *ha1_sha256;
	struct auth_user user;
	sip_ask_fn *ask;
	void *ask_arg;
	char ask_key[40];
	carrier_sink_fn *sink;
	void *sink_arg;
	struct trace_log *trace; /* nullable */
	bool closing;
};

/** transport.c: bind, listen to messages, and find the UDP socket. */
nxv_status transport_open(struct originator *o, const struct originator_opts *opts, struct nxv_error *err);
void transport_close(struct originator *o);
/** True if the message may be believed to come through our SIP server. */
bool transport_trusted(const struct originator *o, const struct sip_msg *msg);
/** See whether this message is the one that tells our socket; then it is done with. */
bool transport_probe(struct originator *o, const struct sip_msg *msg);
/** Make a TCP connection send at once. */
void transport_tune(const struct sip_msg *msg);

/** message.c: true if it has what every message must have (RFC 3261, 8.1.1). */
bool message_whole(const struct sip_msg *msg);
/** The body as Content-Length states it; false when the message holds less than that. */
bool message_body(const struct sip_msg *msg, struct pl *body);
/** A copy of an SDP body; NULL if there is none. [owned] free(). */
char *message_sdp(const struct sip_msg *msg);
/** strndup() of a piece of a message. */
char *message_text(const struct pl *pl);
/** True if it may go on in requests of ours: no space, no folded line, no control character, not too long. */
bool message_is_word(const struct pl *pl);
/** The first URI of Contact; false if none that is a word. */
bool message_contact(const struct sip_msg *msg, struct pl *uri);
/** True if a comma-separated header names this token. */
bool message_lists(const struct sip_msg *msg, enum sip_hdrid id, const char *token);

/** A final answer without a body, in a transaction of its own. */
void message_reply(struct originator *o, const struct sip_msg *msg, uint16_t code, const char *reason);
/** The same with more header lines, each with its end. */
void message_reply_with(
	struct originator *o, const struct sip_msg *msg, uint16_t code, const char *reason, const char *headers);

/** What one phone is told when the other one answered so: its own dialog lives on, so no code that would end it. */
uint16_t message_passed_code(uint16_t code);

/** trace.c: from now on our calls' messages go into their timelines. */
void trace_open(struct originator *o);

/** uas.c: a request from a phone, or from anybody else behind the proxy. */
void uas_request(struct originator *o, const struct sip_msg *msg);
/** consent.c: answer a question of the SIP server; false: it is none. */
bool consent_asked(struct originator *o, const struct sip_msg *msg);
/** uas.c: an answer that no transaction waits for: 2xx again, or another phone's. */
void uas_stray_response(struct originator *o, const struct sip_msg *msg);

#endif
