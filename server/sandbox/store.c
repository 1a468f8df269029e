/* store.c - calls and recordings by sid and by age. Calls that ended long ago are forgotten. */
#include "sandbox.h"

#include "base/text.h"
#include "bridge.h"
#include "numbers.h"
#include "script.h"
#include "sip_leg.h"

#include <stdlib.h>
#include <string.h>

static unsigned hash(const char *sid)
{
	unsigned h = 2166136261u;

	for (; *sid; sid++)
		h = (h ^ (unsigned char)*sid) * 16777619u;
	return h % CALL_HASH;
}

bool call_ended(const struct call *call)
{
	return call->status >= CALL_COMPLETED;
}

const char *call_status_name(enum call_status status)
{
	static const char *const names[] = { "queued", "initiated", "ringing", "in-progress", "completed", "busy", "failed",
		"no-answer", "canceled" };

	return names[status];
}

bool target_set(struct target *target, const char *url, bool get, unsigned events)
{
	target_clear(target);
	if (!url || !*url)
		return true;
	target->url = text_dup(url);
	target->get = get;
	target->events = events;
	return target->url != NULL;
}

void target_clear(struct target *target)
{
	free(target->url);
	*target = (struct target){ 0 };
}

static void call_free(struct call *call)
{
	struct call **at;

	if (!call)
		return;
	for (at = &call->sandbox->by_sid[hash(call->sid)]; *at; at = &(*at)->bucket)
		if (*at == call) {
			*at = call->bucket;
			break;
		}
	script_free(call->script);
	bridge_free(call->bridge);
	sip_leg_free(call->leg);
	plan_free(call->plan);
	loop_timer_free(call->step);
	loop_timer_free(call->limit);
	target_clear(&call->callback);
	target_clear(&call->record.target);
	free(call->to);
	free(call->from);
	free(call->caller_id);
	free(call->twiml);
	free(call->url);
	free(call->fallback_url);
	free(call->sip_user);
	text_wipe_free(call->sip_password);
	free(call);
}

/* Its children are let go; false if one of them still lives. They are not far: it dialled them while it lived. */
static bool let_children_go(struct call *call)
{
	unsigned left = call->children;

	for (struct call *c = call->newer; c && left; c = c->newer) {
		left -= c->parent == call;
		if (c->parent == call && !call_ended(c))
			return false;
	}
	for (struct call *c = call->newer; c && call->children; c = c->newer)
		if (c->parent == call) {
			c->parent = NULL;
			call->children--;
		}
	return true;
}

static void forget_oldest(struct sandbox *sandbox)
{
	struct call *oldest = sandbox->oldest;

	if (sandbox->call_count <= CALLS_KEPT || !call_ended(oldest) || !let_children_go(oldest))
		return;
	sandbox->oldest = oldest->newer;
	sandbox->oldest->older = NULL;
	if (oldest->parent)
		oldest->parent->children--;
	sandbox->call_count--;
	call_free(oldest);
}

struct call *call_new(struct sandbox *sandbox, const char *to, const char *from, struct call *parent)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->sandbox = sandbox;
	call->to = text_dup(to);
	call->from = text_dup(from);
	call->parent = parent;
	call->direction = parent ? "outbound-dial" : "outbound-api";
	call->created_ms = call->updated_ms = sandbox_utc_ms();
	call->plan = plan_make(to);
	if (!call->to || !call->from || !call->plan) {
		call_free(call);
		return NULL;
	}
	sandbox_sid("CA", call->sid);
	if (parent) {
		memcpy(call->parent_sid, parent->sid, sizeof(call->parent_sid));
		parent->children++;
	}
	call->bucket = sandbox->by_sid[hash(call->sid)];
	sandbox->by_sid[hash(call->sid)] = call;
	call->older = sandbox->newest;
	if (call->older)
		call->older->newer = call;
	else
		sandbox->oldest = call;
	sandbox->newest = call;
	sandbox->call_count++;
	call->number = parent ? 0 : ++sandbox->creates;
	call->history[call->moments++] = (struct moment){ CALL_QUEUED, call->created_ms };
	forget_oldest(sandbox);
	return call;
}

struct call *call_by_sid(const struct sandbox *sandbox, const char *sid)
{
	for (struct call *call = sandbox->by_sid[hash(sid)]; call; call = call->bucket)
		if (strcmp(call->sid, sid) == 0)
			return call;
	return NULL;
}

struct recording *recording_by_sid(const struct sandbox *sandbox, const char *sid)
{
	for (struct recording *r = sandbox->newest_recording; r; r = r->older)
		if (strcmp(r->sid, sid) == 0)
			return r;
	return NULL;
}

struct recording *recording_new(struct sandbox *sandbox, struct call *call)
{
	struct recording *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	sandbox_sid("RE", r->sid);
	memcpy(r->call_sid, call->sid, sizeof(r->call_sid));
	r->created_ms = r->updated_ms = r->started_ms = sandbox_utc_ms();
	r->running_since_ms = loop_now_ms();
	r->channels = 1;
	r->source = "StartCallRecordingAPI";
	r->track = "both";
	r->older = sandbox->newest_recording;
	if (r->older)
		r->older->newer = r;
	sandbox->newest_recording = r;
	return r;
}

void store_clear(struct sandbox *sandbox)
{
	struct recording *r, *older_recording;
	struct call *call, *older;

	for (call = sandbox->newest; call; call = older) {
		older = call->older;
		call_free(call);
	}
	sandbox->newest = sandbox->oldest = NULL;
	for (r = sandbox->newest_recording; r; r = older_recording) {
		older_recording = r->older;
		target_clear(&r->target);
		free(r);
	}
	sandbox->newest_recording = NULL;
}
