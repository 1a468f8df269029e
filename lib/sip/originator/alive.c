/* alive.c - is the browser still there? A tab that is closed says nothing, and its sound ends with it; so browsers are
 * asked from time to time, over the connection that would have died with the tab. */
#include "sip/originator/call.h"

#include "sip/originator/sdp.h"

/* A page may open another connection and go on (with an UPDATE): it has until the second question. */
enum { ASK_MS = 10000, ASK_AGAIN_MS = 5000 };

static void on_due(void *arg);

/* Whatever the page itself answers, it is there. Of a connection that is gone Kamailio says 430 (RFC 5626), as its
 * script tells it, and OpenSIPS 477 by itself. */
static bool is_gone(int err, const struct sip_msg *msg)
{
	return err || msg->scode == 408 || msg->scode == 430 || msg->scode == 477 || msg->scode == 481;
}

static void on_answer(void *arg, int err, const struct sip_msg *msg)
{
	struct leg *leg = arg;
	const bool gone = (err || msg->scode >= 200) && is_gone(err, msg);

	if ((!err && msg->scode < 200) || leg->state != LEG_UP || leg->call->state >= CALL_ENDING)
		return;
	if (gone && leg->doubtful) {
		call_lost(leg, err ? 408 : msg->scode, "its browser is gone");
		return;
	}
	leg->doubtful = gone;
	tmr_start(&leg->alive, gone ? ASK_AGAIN_MS : ASK_MS, on_due, leg);
}

static void on_due(void *arg)
{
	struct leg *leg = arg;
	const struct outgoing options = { .method = "OPTIONS", .fn = on_answer, .arg = leg };

	if (leg->state == LEG_UP && dialog_send(&leg->dialog, &options, NULL, NULL) != NXV_OK)
		tmr_start(&leg->alive, ASK_MS, on_due, leg);
}

void alive_watch(struct leg *leg)
{
	if (sdp_text_web(leg->media))
		tmr_start(&leg->alive, ASK_MS, on_due, leg);
}

void alive_stop(struct leg *leg)
{
	tmr_cancel(&leg->alive);
}
