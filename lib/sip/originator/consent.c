/* consent.c - questions of the SIP server: may this call go out, whom does this one ring? They come as INVITEs with the key
 * that only the server and we know, and are answered with 302 and X-Nexus-* headers, or with the refusal that the caller gets. */
#include "sip/originator/impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

enum { PIECE_MAX = 160 };

static void copy(const struct pl *pl, char *out)
{
	const size_t len = pl && pl->p && pl->l < PIECE_MAX ? pl->l : 0;

	if (len)
		memcpy(out, pl->p, len);
	out[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)out[i] < ' ' || out[i] == 0x7f)
			out[0] = '\0';
}

static void header(const struct sip_msg *msg, const char *name, char *out)
{
	const struct sip_hdr *hdr = sip_msg_xhdr(msg, name);

	copy(hdr ? &hdr->val : NULL, out);
}

static bool asks_as(const char *word, struct sip_ask *ask)
{
	static const char *const words[] = { [SIP_ASK_PHONE] = "phone", [SIP_ASK_TRUNK] = "trunk", [SIP_ASK_TWILIO] = "twilio" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i], word) == 0) {
			ask->from = (int)i;
			return true;
		}
	return false;
}

static void let_through(struct originator *o, const struct sip_msg *msg, const struct sip_answer *a)
{
	struct buf b = BUF_INIT;
	const struct { const char *name, *value; } lines[] = { { "Number", a->number }, { "Caller-Id", a->caller_id }, { "Owner", a->owner },
		{ "Targets", a->targets }, { "Session", a->session }, { "Leg", a->leg } };

	buf_printf(&b, "X-Nexus-Key: %s\r\nX-Nexus-Limit: %lld\r\n", o->ask_key, (long long)a->limit);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (*lines[i].value)
			buf_printf(&b, "X-Nexus-%s: %s\r\n", lines[i].name, lines[i].value);
	if (b.failed)
		message_reply(o, msg, 500, "Out Of Memory");
	else
		message_reply_with(o, msg, 302, "Moved Temporarily", b.data);
	buf_wipe(&b);
}

bool consent_asked(struct originator *o, const struct sip_msg *msg)
{
	char key[PIECE_MAX], word[PIECE_MAX], call_id[PIECE_MAX], caller[PIECE_MAX], dialled[PIECE_MAX], owner[PIECE_MAX], token[PIECE_MAX];
	struct sip_ask ask = { .call_id = call_id, .caller = caller, .dialled = dialled, .owner = owner, .token = token };
	struct sip_answer answer = { .code = 0 };

	header(msg, "X-Nexus-Key", key);
	header(msg, "X-Nexus-Ask", word);
	if (!o->ask || !*o->ask_key || strlen(key) != strlen(o->ask_key) || !digest_equal(key, o->ask_key, strlen(key)) ||
		!asks_as(word, &ask))
		return false;
	copy(&msg->callid, call_id);
	copy(&msg->from.uri.user, caller);
	copy(&msg->uri.user, dialled);
	header(msg, "X-Nexus-Owner", owner);
	header(msg, "X-Nexus-Leg", token);
	o->ask(o->ask_arg, &ask, &answer);
	if (answer.code)
		message_reply(o, msg, (uint16_t)answer.code, answer.reason);
	else
		let_through(o, msg, &answer);
	return true;
}
