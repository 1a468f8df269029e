/* early.c - provisional answers that want an acknowledgement of their own (100rel, RFC 3262), from each phone that
 * rings. */
#include "sip/originator/call.h"

#include "base/text.h"

#include <stdlib.h>

enum { EARLY_MAX = 16 };

/* The early dialog of one ringing phone. */
struct early {
	struct le le;
	struct dialog dialog;
	uint32_t last; /* RSeq acknowledged last */
	char *media;
};

static void early_free(struct early *e)
{
	list_unlink(&e->le);
	dialog_clear(&e->dialog);
	free(e->media);
	free(e);
}

void early_clear(struct leg *leg)
{
	while (leg->early.head)
		early_free(leg->early.head->data);
}

static struct early *find(const struct leg *leg, const struct sip_msg *msg)
{
	for (struct le *le = leg->early.head; le; le = le->next) {
		struct early *e = le->data;

		if (dialog_matches(&e->dialog, msg))
			return e;
	}
	return NULL;
}

static struct early *add(struct leg *leg, const struct sip_msg *msg)
{
	struct early *e = list_count(&leg->early) < EARLY_MAX ? calloc(1, sizeof(*e)) : NULL;

	if (!e)
		return NULL;
	list_append(&leg->early, &e->le, e);
	if (dialog_fork(&e->dialog, &leg->dialog, msg, NULL) == NXV_OK)
		return e;
	early_free(e);
	return NULL;
}

void early_answer(struct leg *leg, const struct sip_msg *msg)
{
	const struct sip_hdr *rseq = sip_msg_hdr(msg, SIP_HDR_RSEQ);
	struct outgoing prack = { .method = "PRACK" };
	struct early *e;
	uint32_t number;
	char *rack;

	if (msg->scode == 100 || !rseq || !message_lists(msg, SIP_HDR_REQUIRE, "100rel") || !pl_isset(&msg->to.tag))
		return;
	number = pl_u32(&rseq->val);
	e = find(leg, msg);
	if (!e)
		e = add(leg, msg);
	if (!e || (e->last && number != e->last + 1)) /* repeated, or one is missing and will come again */
		return;
	rack = text_printf("RAck: %u %u INVITE\r\n", (unsigned)number, (unsigned)msg->cseq.num);
	prack.headers = rack;
	if (rack && dialog_send(&e->dialog, &prack, NULL, NULL) == NXV_OK)
		e->last = number;
	free(rack);
	if (!e->media)
		e->media = message_sdp(msg);
	if (leg->dialog.local_seq < e->dialog.local_seq)
		leg->dialog.local_seq = e->dialog.local_seq;
}

void early_done(struct leg *leg, const struct sip_msg *msg)
{
	struct early *e = find(leg, msg);

	if (e && !leg->media) {
		leg->media = e->media;
		e->media = NULL;
	}
}
