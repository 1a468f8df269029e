/* recordings.c - the life of a recording: in-progress, paused, stopped, and completed when its sound is ready. */
#include "recordings.h"

#include "events.h"

static void stop_clock(struct recording *r)
{
	if (r->running_since_ms)
		r->length_ms += loop_now_ms() - r->running_since_ms;
	r->running_since_ms = 0;
}

const char *recording_status_name(enum recording_status status)
{
	static const char *const names[] = { "in-progress", "paused", "stopped", "completed", "absent" };

	return names[status];
}

int64_t recording_seconds(const struct sandbox *sandbox, const struct recording *r)
{
	int64_t ms = r->length_ms + (r->running_since_ms ? loop_now_ms() - r->running_since_ms : 0);

	return (sandbox_elapsed(sandbox, 0, ms) + 500) / 1000;
}

struct recording *recording_begin(struct call *call)
{
	struct recording *r = recording_new(call->sandbox, call);

	if (!r)
		return NULL;
	if (call->record.channels)
		r->channels = call->record.channels;
	if (call->record.source)
		r->source = call->record.source;
	if (call->record.track)
		r->track = call->record.track;
	(void)target_set(&r->target, call->record.target.url, call->record.target.get, call->record.target.events);
	call->current = r;
	event_send_recording(call, r, REC_EVENT_IN_PROGRESS);
	return r;
}

bool recording_change(struct call *call, struct recording *r, enum recording_status to, bool silence)
{
	if (r->status >= REC_STOPPED || r->status == to)
		return false;
	if (to == REC_IN_PROGRESS && !r->running_since_ms)
		r->running_since_ms = loop_now_ms();
	if ((to == REC_PAUSED && !silence) || to >= REC_STOPPED)
		stop_clock(r);
	r->status = to;
	r->updated_ms = sandbox_utc_ms();
	if (to < REC_STOPPED)
		return true;
	/* What is told last is that the sound can be fetched; the status is "stopped" only in the answer to the stop. */
	r->status = REC_COMPLETED;
	if (call->current == r)
		call->current = NULL;
	event_send_recording(call, r, REC_EVENT_COMPLETED);
	return true;
}

void recording_call_ended(struct call *call)
{
	for (struct recording *r = call->current; r; r = call->current)
		if (!recording_change(call, r, REC_COMPLETED, false))
			call->current = NULL;
}
