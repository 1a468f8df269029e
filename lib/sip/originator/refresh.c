/* refresh.c - session timers (RFC 4028): each phone is heard from within the interval, or its leg is given up.
 * Without them a phone that lost its power would hold its call until the maximum duration. */
#include "sip/originator/call.h"

#include "base/buf.h"

#include <stdlib.h>

enum { INTERVAL_WANTED = 1800, INTERVAL_MIN = 90, INTERVAL_MAX = 86400, BUSY_AGAIN_MS = 5000 };
/* A timer that ran out while the gateway was down: our refresh is due, the phone's own may still be under way. */
enum { RESUME_OURS_MS = 1000, RESUME_THEIRS_MS = 32000 };

static void start(struct leg *leg);

static uint32_t wanted(const struct leg *leg)
{
	return leg->interval_min > INTERVAL_WANTED ? leg->interval_min : INTERVAL_WANTED;
}

char *refresh_offer_headers(const struct leg *leg)
{
	struct buf b = BUF_INIT;

	/* The first INVITE leaves it to the phone who refreshes. */
	buf_printf(&b, "Session-Expires: %u%s\r\nMin-SE: %u\r\n",
		leg->interval ? (unsigned)leg->interval : (unsigned)wanted(leg),
		leg->interval == 0 ? ""
		: leg->refresher   ? ";refresher=uac"
					: ";refresher=uas",
		leg->interval_min ? (unsigned)leg->interval_min : (unsigned)INTERVAL_MIN);
	return buf_take(&b);
}

bool refresh_raised(struct leg *leg, const struct sip_msg *msg)
{
	const struct sip_hdr *hdr = msg->scode == 422 ? sip_msg_hdr(msg, SIP_HDR_MIN_SE) : NULL;
	uint32_t least = hdr ? pl_u32(&hdr->val) : 0;

	if (leg->interval_min || least < INTERVAL_MIN || least > INTERVAL_MAX)
		return false;
	leg->interval_min = least;
	return true;
}

/* Session-Expires: 1800;refresher=uas */
static bool read_expires(const struct sip_msg *msg, uint32_t *seconds, struct pl *refresher)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_SESSION_EXPIRES);
	struct pl number;

	*refresher = (struct pl)PL_INIT;
	if (!hdr || re_regex(hdr->val.p, hdr->val.l, "[0-9]+", &number) != 0 || number.p != hdr->val.p || number.l > 9)
		return false;
	*seconds = pl_u32(&number);
	(void)msg_param_decode(&hdr->val, "refresher", refresher);
	return true;
}

void refresh_stop(struct leg *leg)
{
	tmr_cancel(&leg->refresh);
}

static void on_refresh(void *arg)
{
	struct leg *leg = arg;

	if (leg->state != LEG_UP || leg->call->state >= CALL_ENDING)
		return;
	if (leg->call->state == CALL_JOINED && !exchange_busy(leg->call)) {
		start(leg); /* again, should this one be refused without being lost */
		exchange_refresh(leg);
	} else {
		tmr_start(&leg->refresh, BUSY_AGAIN_MS, on_refresh, leg);
	}
}

static void on_expired(void *arg)
{
	struct leg *leg = arg;

	if (leg->state == LEG_UP)
		call_lost(leg, 0, "its session timer ran out");
}

static void start(struct leg *leg)
{
	uint64_t ms = (uint64_t)leg->interval * 1000;

	ms = leg->refresher ? ms / 2 : ms - (ms / 3 < 32000 ? ms / 3 : 32000);
	leg->refresh_at_ms = env_now_ms(leg->call->o->env) + (int64_t)ms;
	tmr_start(&leg->refresh, ms, leg->refresher ? on_refresh : on_expired, leg);
}

void refresh_resume(struct leg *leg)
{
	int64_t left = leg->refresh_at_ms - env_now_ms(leg->call->o->env);
	int64_t least = leg->refresher ? RESUME_OURS_MS : RESUME_THEIRS_MS, most = (int64_t)leg->interval * 1000;

	if (!leg->interval)
		return;
	left = left < least ? least : left > most ? most : left;
	tmr_start(&leg->refresh, (uint64_t)left, leg->refresher ? on_refresh : on_expired, leg);
}

void refresh_accepted(struct leg *leg, const struct sip_msg *msg)
{
	uint32_t seconds = 0;
	struct pl refresher;

	if (read_expires(msg, &seconds, &refresher) && seconds >= INTERVAL_MIN) {
		leg->interval = seconds;
		leg->refresher = pl_strcasecmp(&refresher, "uas") != 0;
	} else {
		leg->interval = wanted(leg); /* the phone has no timers: we refresh alone */
		leg->refresher = true;
	}
	start(leg);
}

bool refresh_requested(struct leg *leg, const struct sip_msg *msg)
{
	uint32_t seconds;
	struct pl refresher;

	if (!read_expires(msg, &seconds, &refresher)) {
		leg->refresher = true; /* it does not promise to come back */
		start(leg);
		return true;
	}
	if (seconds < INTERVAL_MIN) {
		message_reply_with(leg->call->o, msg, 422, "Session Interval Too Small", "Min-SE: 90\r\n");
		return false;
	}
	leg->interval = seconds;
	leg->refresher = pl_strcasecmp(&refresher, "uas") == 0;
	start(leg);
	return true;
}

char *refresh_answer_headers(const struct leg *leg)
{
	struct buf b = BUF_INIT;

	if (leg->interval)
		buf_printf(&b, "%sSession-Expires: %u;refresher=%s\r\n", leg->refresher ? "" : "Require: timer\r\n",
			(unsigned)leg->interval, leg->refresher ? "uas" : "uac");
	return buf_take(&b);
}
