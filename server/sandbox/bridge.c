/* bridge.c - <Dial> with numbers and SIP addresses: all ring at once, the first to answer is joined, the others are let go. */
#include "bridge.h"

#include "base/text.h"
#include "life.h"
#include "numbers.h"
#include "params.h"
#include "recordings.h"
#include "script.h"
#include "sip_leg.h"
#include "twiml.h"

#include <stdlib.h>
#include <string.h>

enum { NOUNS_MAX = 10, NOTE_CALLER_ID = 13214, NOTE_NUMBER = 13223, NOTE_SCHEMA = 12200 };

struct bridge {
	struct call *parent, *joined;
	struct call *children[NOUNS_MAX];
	size_t count;
	const struct twiml *dial;
	struct recording *recording;
	bool over;
};

void bridge_free(struct bridge *bridge)
{
	free(bridge);
}

static bool is_get(const struct twiml *node, const char *attr)
{
	return strcmp(twiml_attr(node, attr, "POST"), "GET") == 0;
}

static unsigned events_of(const char *words, const char *all, unsigned fallback)
{
	unsigned bits = 0;

	for (size_t n; *words; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		if (word_index(all, words, n) >= 0)
			bits |= 1u << word_index(all, words, n);
	}
	return bits ? bits : fallback;
}

static bool sip_credentials(struct call *child, const struct twiml *noun)
{
	const char *user = twiml_attr(noun, "username", NULL), *password = twiml_attr(noun, "password", NULL);

	child->sip_user = text_dup(user);
	child->sip_password = text_dup(password);
	return (!user || child->sip_user) && (!password || child->sip_password);
}

/* One callee of the Dial. noun is the Dial itself where its text is the number. */
static void dial_one(struct bridge *b, const struct twiml *noun)
{
	struct call *parent = b->parent, *child;
	const char *caller_id = twiml_attr(b->dial, "callerId", parent->from);
	const char *callback = twiml_attr(noun, "statusCallback", NULL);

	if (b->count == NOUNS_MAX)
		return;
	if (number_refusal_from(caller_id)) {
		script_note(parent, NOTE_CALLER_ID, "Dial: Invalid callerId value");
		return;
	}
	if (number_refusal_to(noun->text) || !*noun->text || (!twiml_is(noun, "Sip") && !text_is_number(noun->text))) {
		script_note(parent, NOTE_NUMBER, "Dial: Invalid phone number");
		return;
	}
	child = call_new(parent->sandbox, noun->text, caller_id, parent);
	if (!child || !sip_credentials(child, noun))
		return;
	child->timeout_s = twiml_attr_int(b->dial, "timeout", 30);
	child->limit_s = twiml_attr_int(b->dial, "timeLimit", 14400);
	if (callback && noun != b->dial)
		(void)target_set(&child->callback, callback, is_get(noun, "statusCallbackMethod"),
			events_of(twiml_attr(noun, "statusCallbackEvent", ""), CALL_EVENT_WORDS, EVENT_COMPLETED));
	b->children[b->count++] = child;
}

static void dial_all(struct bridge *b)
{
	if (!b->dial->child)
		dial_one(b, b->dial);
	for (const struct twiml *noun = b->dial->child; noun; noun = noun->next) {
		if (twiml_is(noun, "Number") || twiml_is(noun, "Sip"))
			dial_one(b, noun);
		else
			script_note(b->parent, NOTE_SCHEMA, "the sandbox dials Number and Sip only");
	}
}

/* Over: tell the action what came of it, or go on with the next verb. */
static void finish(struct bridge *b, const struct call *child)
{
	struct call *parent = b->parent;
	const char *action = twiml_attr(b->dial, "action", NULL), *status = child ? call_status_name(child->status) : "failed";
	struct pairs pairs = { 0 };

	b->over = true;
	sip_leg_play(parent->leg, SOUND_SILENCE);
	if (call_ended(parent))
		return;
	if (!action || !*action) {
		script_next(parent);
		return;
	}
	pairs_add(&pairs, "DialCallStatus", status);
	if (child) {
		pairs_add(&pairs, "DialCallSid", child->sid);
		pairs_add(&pairs, "DialBridged", child->answered_ms ? "true" : "false");
		pairs_add_int(&pairs, "DialCallDuration",
			child->answered_ms ? (sandbox_elapsed(parent->sandbox, child->answered_ms, child->ended_ms) + 500) / 1000 : 0);
	}
	script_fetch(parent, action, is_get(b->dial, "method"), &pairs);
	pairs_clear(&pairs);
}

void bridge_begin(struct call *parent, const struct twiml *dial)
{
	struct bridge *b = calloc(1, sizeof(*b));
	size_t count;

	bridge_free(parent->bridge);
	parent->bridge = b;
	if (!b) {
		life_event(parent, LIFE_HANGUP, "sandbox");
		return;
	}
	b->parent = parent;
	b->dial = dial;
	dial_all(b);
	count = b->count;
	for (size_t i = 0; i < count; i++)
		life_begin(b->children[i]);
	if (!count)
		finish(b, NULL);
}

static struct bridge *bridge_of(const struct call *child)
{
	struct bridge *b = child->parent->bridge;

	for (size_t i = 0; b && !b->over && i < b->count; i++)
		if (b->children[i] == child)
			return b;
	return NULL;
}

void bridge_child_ringing(struct call *child)
{
	struct bridge *b = bridge_of(child);

	if (b && !b->joined)
		sip_leg_play(b->parent->leg, SOUND_RINGBACK);
}

static void begin_recording(struct bridge *b)
{
	const char *wish = twiml_attr(b->dial, "record", "do-not-record");
	struct record_wish *record = &b->parent->record;

	if (strncmp(wish, "record-from-", 12) != 0 && strcmp(wish, "true") != 0)
		return;
	record->channels = strstr(wish, "-dual") ? 2 : 1;
	record->source = "DialVerb";
	record->track = "both";
	if (target_set(&record->target, twiml_attr(b->dial, "recordingStatusCallback", NULL), is_get(b->dial, "recordingStatusCallbackMethod"),
		    events_of(twiml_attr(b->dial, "recordingStatusCallbackEvent", ""), RECORDING_EVENT_WORDS, REC_EVENT_COMPLETED)))
		b->recording = recording_begin(b->parent);
}

void bridge_child_answered(struct call *child)
{
	struct bridge *b = bridge_of(child);

	if (!b || b->joined) {
		life_end(child, "another answered");
		return;
	}
	b->joined = child;
	for (size_t i = 0; i < b->count; i++)
		if (b->children[i] != child)
			life_end(b->children[i], "another answered");
	begin_recording(b);
	sip_leg_join(b->parent->leg, child->leg);
}

void bridge_child_ended(struct call *child)
{
	struct bridge *b = bridge_of(child);

	if (!b)
		return;
	if (b->joined != child && b->joined)
		return;
	for (size_t i = 0; !b->joined && i < b->count; i++)
		if (!call_ended(b->children[i]))
			return;
	sip_leg_part(b->parent->leg);
	if (b->recording)
		(void)recording_change(b->parent, b->recording, REC_COMPLETED, false);
	finish(b, child);
}

void bridge_stop(struct call *parent)
{
	struct bridge *b = parent->bridge;

	if (!b || b->over)
		return;
	b->over = true;
	sip_leg_part(parent->leg);
	for (size_t i = 0; i < b->count; i++)
		life_end(b->children[i], "caller");
}
