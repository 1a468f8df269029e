/* facts.c - order among what Twilio tells, and the one table from both legs' ends to the session's. */
#include "twilio/facts.h"

#include <string.h>

#include "base/text.h"

static const struct {
	const char *word;
	enum twilio_state state;
} words[] = {
	{ "queued", TS_QUEUED }, { "initiated", TS_QUEUED }, { "ringing", TS_RINGING }, { "in-progress", TS_UP }, { "answered", TS_UP },
	{ "completed", TS_COMPLETED }, { "busy", TS_BUSY }, { "no-answer", TS_NO_ANSWER }, { "canceled", TS_CANCELED },
	{ "failed", TS_FAILED },
};

enum twilio_state twilio_state_parse(const char *word)
{
	for (size_t i = 0; word && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].state;
	return TS_NONE;
}

bool twilio_state_ended(enum twilio_state state)
{
	return state >= TS_COMPLETED;
}

bool twilio_leg_learn(struct twilio_leg *leg, const struct twilio_news *news)
{
	if (leg->sid[0] && strcmp(leg->sid, news->sid) != 0)
		return false;
	if (news->state == TS_NONE || twilio_state_ended(leg->state) || news->state < leg->state)
		return false;
	if (news->sequence >= 0 && news->sequence <= leg->sequence)
		return false;
	text_copy(leg->sid, sizeof(leg->sid), news->sid);
	if (news->sequence > leg->sequence)
		leg->sequence = news->sequence;
	if (news->state == leg->state)
		return false;
	leg->state = news->state;
	if (news->state == TS_RINGING)
		leg->ringing_at_ms = news->at_ms;
	if (news->state == TS_UP)
		leg->up_at_ms = news->at_ms;
	if (twilio_state_ended(news->state)) {
		leg->ended_at_ms = news->at_ms;
		leg->duration_seconds = news->duration_seconds;
		leg->sip_code = news->sip_code;
		leg->end_told = news->sequence >= 0;
		if (news->state == TS_COMPLETED && !leg->up_at_ms)
			leg->up_at_ms = news->at_ms - (news->duration_seconds > 0 ? news->duration_seconds * 1000 : 0);
	}
	return true;
}

/* A leg that was not answered. caller: it is the user's own phone. */
static struct twilio_verdict not_answered(const struct twilio_leg *leg, enum twilio_state state, bool caller)
{
	struct twilio_verdict v = { VERDICT_ENDED, caller ? CARRIER_A_FAILED : CARRIER_B_FAILED, leg->sip_code, leg->ended_at_ms };

	if (state == TS_BUSY)
		v.sip_code = 486;
	else if (state == TS_NO_ANSWER)
		v.event = caller ? CARRIER_A_NO_ANSWER : CARRIER_B_NO_ANSWER;
	return v;
}

/* Both were joined; one of them left, or the time was over. When the child leaves, Twilio asks what to do next before the
 * parent can end: where callbacks come, none of that says that the parent left. */
static struct twilio_verdict hung_up(const struct twilio_facts *f, bool callee_first, int64_t limit_seconds)
{
	const int64_t duration = f->child.duration_seconds >= 0 ? f->child.duration_seconds :
		f->child.up_at_ms ? (f->parent.ended_at_ms - f->child.up_at_ms) / 1000 : 0;
	struct twilio_verdict v = { VERDICT_ENDED, CARRIER_HANGUP, 0, f->parent.ended_at_ms };

	if (duration >= limit_seconds || f->parent.duration_seconds >= limit_seconds)
		v.event = CARRIER_LIMIT;
	else if (f->dial != TS_NONE) /* the parent is the callee where the callee is first */
		v.event = f->dial_left_parent == callee_first ? CARRIER_A_HANGUP : CARRIER_B_HANGUP;
	else if (f->parent.end_told && f->child.sequence >= 0)
		v.event = callee_first ? CARRIER_B_HANGUP : CARRIER_A_HANGUP;
	return v;
}

/* The parent was answered and has ended. */
static struct twilio_verdict judge_child(const struct twilio_facts *f, bool callee_first, int64_t limit_seconds)
{
	const enum carrier_event_kind parent_left = callee_first ? CARRIER_B_HANGUP : CARRIER_A_HANGUP;
	enum twilio_state child = f->child.state;

	if (!twilio_state_ended(child) && f->dial != TS_NONE)
		child = f->dial == TS_UP ? TS_COMPLETED : f->dial;
	if (child == TS_NONE && f->no_child)
		child = TS_CANCELED;
	if (!twilio_state_ended(child))
		return (struct twilio_verdict){ VERDICT_ASK_CHILD, CARRIER_DOWN, 0, 0 };
	if (child == TS_COMPLETED)
		return hung_up(f, callee_first, limit_seconds);
	if (child == TS_CANCELED)
		return (struct twilio_verdict){ VERDICT_ENDED, parent_left, 0, f->parent.ended_at_ms };
	return not_answered(&f->child, child, callee_first);
}

struct twilio_verdict twilio_facts_judge(const struct twilio_facts *f, bool callee_first, int64_t limit_seconds)
{
	struct twilio_verdict v = { VERDICT_OPEN, CARRIER_DOWN, 0, 0 };

	if (!twilio_state_ended(f->parent.state))
		return v;
	if (f->parent.state == TS_CANCELED)
		v = (struct twilio_verdict){ VERDICT_ENDED, CARRIER_CANCELED, 0, f->parent.ended_at_ms };
	else if (f->parent.state != TS_COMPLETED)
		v = not_answered(&f->parent, f->parent.state, !callee_first);
	else
		v = judge_child(f, callee_first, limit_seconds);
	if (v.kind == VERDICT_ENDED && !v.at_ms)
		v.at_ms = f->parent.ended_at_ms;
	return v;
}
