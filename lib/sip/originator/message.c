/* message.c - reading received SIP messages (body, contact, lists of tokens) and answering them.
 * What is copied out of a message into later ones is checked here. */
#include "sip/originator/impl.h"

#include <string.h>

bool message_body(const struct sip_msg *msg, struct pl *body)
{
	size_t left = mbuf_get_left(msg->mb);

	body->p = (const char *)mbuf_buf(msg->mb);
	body->l = left;
	if (!pl_isset(&msg->clen))
		return true;
	body->l = pl_u32(&msg->clen);
	return body->l <= left;
}

bool message_whole(const struct sip_msg *msg)
{
	return pl_isset(&msg->via.val) && pl_isset(&msg->from.val) && pl_isset(&msg->to.val) && pl_isset(&msg->callid) &&
		pl_isset(&msg->cseq.met);
}

char *message_sdp(const struct sip_msg *msg)
{
	struct pl body;

	if (!message_body(msg, &body) || !pl_isset(&body) || !msg_ctype_cmp(&msg->ctyp, "application", "sdp"))
		return NULL;
	return message_text(&body);
}

char *message_text(const struct pl *pl)
{
	return strndup(pl->p ? pl->p : "", pl->l);
}

bool message_is_word(const struct pl *pl)
{
	for (size_t i = 0; i < pl->l; i++) {
		if ((unsigned char)pl->p[i] <= ' ' || pl->p[i] == 0x7f)
			return false;
	}
	return pl->l <= ORIGINATOR_WORD_MAX;
}

bool message_contact(const struct sip_msg *msg, struct pl *uri)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	struct sip_addr addr;

	if (!hdr || sip_addr_decode(&addr, &hdr->val) != 0)
		return false;
	*uri = addr.auri;
	return pl_isset(uri) && message_is_word(uri);
}

static bool equals(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	(void)msg;
	return pl_strcasecmp(&hdr->val, arg) == 0;
}

bool message_lists(const struct sip_msg *msg, enum sip_hdrid id, const char *token)
{
	return sip_msg_hdr_apply(msg, true, id, equals, (void *)token) != NULL;
}

void message_reply(struct originator *o, const struct sip_msg *msg, uint16_t code, const char *reason)
{
	message_reply_with(o, msg, code, reason, "");
}

void message_reply_with(
	struct originator *o, const struct sip_msg *msg, uint16_t code, const char *reason, const char *headers)
{
	(void)sip_treplyf(NULL, NULL, o->sip, msg, false, code, reason, "%sContent-Length: 0\r\n\r\n", headers);
}

uint16_t message_passed_code(uint16_t code)
{
	/* RFC 3261, 12.2.1.2, and RFC 5057, 5.1 */
	static const uint16_t deadly[] = { 404, 408, 410, 416, 480, 481, 482, 484, 485, 502, 604 };

	if (code < 200 || (code >= 300 && code < 400) || code == 401 || code == 407)
		return 500; /* nothing the phone could act on */
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		if (deadly[i] == code)
			return 500;
	return code;
}
