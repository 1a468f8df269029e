/* dialog.h - one SIP dialog of ours (RFC 3261, section 12): its identity, the requests sent in it, the ACKs kept for
 * it. */
#ifndef NXV_SIP_ORIGINATOR_DIALOG_H
#define NXV_SIP_ORIGINATOR_DIALOG_H

#include "sip/originator/impl.h"

enum { DIALOG_ACKS = 3 };

struct dialog {
	struct originator *o;
	char *call_id, *local_tag;
	char *from, *to;  /**< header values without tags */
	char *remote_tag; /**< NULL until a phone answered */
	char *target;     /**< where requests go: the phone's contact */
	char *routes;     /**< Route lines; NULL if none */
	uint32_t local_seq;
	uint32_t remote_seq; /**< 0: none seen */
	uint32_t lost_seq;   /**< a number up to this one may have been used by a gateway that died; 0: none */
	struct auth auth;
	struct list requests;
	struct dialog_ack {
		uint32_t seq;
		struct mbuf *mb;
	} acks[DIALOG_ACKS];
	unsigned ack_next;
};

/** A request under way. The pointer given to dialog_send() is cleared when it ends. */
struct request;
/** Every provisional answer, then once the final one, or err (errno) with msg NULL. */
typedef void request_fn(void *arg, int err, const struct sip_msg *msg);

struct outgoing {
	const char *method;
	const char *headers; /**< more lines, each with its end; nullable */
	const char *type;    /**< Content-Type; NULL without body */
	struct pl body;
	request_fn *fn; /**< nullable */
	void *arg;
};

nxv_status dialog_init(struct dialog *d, struct originator *o, const char *call_id, const char *from, const char *to,
	const char *target, struct nxv_error *err);
/** A sibling that another phone opened by answering the same INVITE. */
nxv_status dialog_fork(struct dialog *d, const struct dialog *of, const struct sip_msg *msg, struct nxv_error *err);
/** Forget everything; requests under way end without a word to their owner. */
void dialog_clear(struct dialog *d);
/** The answer that makes it a dialog: remote tag, route set, contact. */
nxv_status dialog_confirm(struct dialog *d, const struct sip_msg *msg, struct nxv_error *err);
/** A later message may move the phone's contact. */
void dialog_move(struct dialog *d, const struct sip_msg *msg);
/** Send a request; challenges are answered and the request repeated. @param rp nullable. */
nxv_status dialog_send(struct dialog *d, const struct outgoing *out, struct request **rp, struct nxv_error *err);
/** CANCEL an INVITE under way; its final answer still comes. */
void request_cancel(struct request *r);
/** ACK a 2xx to the INVITE numbered seq, and keep the ACK. sdp nullable. */
void dialog_ack(struct dialog *d, uint32_t seq, const char *sdp);
/** The 2xx came again: so does its ACK. False if none is kept. */
bool dialog_ack_again(const struct dialog *d, uint32_t seq);
/** True if a message (request or answer) belongs to it. */
bool dialog_matches(const struct dialog *d, const struct sip_msg *msg);

/** Methods we understand, as an Allow line. */
#define DIALOG_ALLOW "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK\r\n"

#endif
