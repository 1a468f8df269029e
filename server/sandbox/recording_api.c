/* recording_api.c - the Recordings resource, below a call and below the account, and the sound itself with Range. */
#include "api.h"

#include "base/text.h"
#include "recordings.h"
#include "render.h"

#include <stdlib.h>
#include <string.h>

static const char *const tracks[] = { "inbound", "outbound", "both" };

static struct call *known_call(struct ask *ask, const char *sid)
{
	struct call *call = call_by_sid(ask->sandbox, sid);

	if (call && !call->deleted)
		return call;
	refuse(&ask->refusal, 20404, ask->job->path);
	return NULL;
}

void recording_create(struct ask *ask)
{
	struct call *call = known_call(ask, ask->sid);
	const char *track = param_text(&ask->form, "RecordingTrack"), *channels = param_text(&ask->form, "RecordingChannels");
	struct record_wish *wish;
	struct recording *r;

	if (!call)
		return;
	if (call->status != CALL_IN_PROGRESS) {
		refuse_with(&ask->refusal, 21220, "Requested resource is not eligible for recording");
		return;
	}
	wish = &call->record;
	wish->channels = channels && strcmp(channels, "dual") == 0 ? 2 : 1;
	wish->track = tracks[track ? word_index("inbound outbound both", track, strlen(track)) : 2];
	wish->source = "StartCallRecordingAPI";
	r = target_set(&wish->target, param_text(&ask->form, "RecordingStatusCallback"),
		    param_is_get(&ask->form, "RecordingStatusCallbackMethod"),
		    param_events(&ask->form, "RecordingStatusCallbackEvent", RECORDING_EVENT_WORDS, REC_EVENT_COMPLETED)) ?
		recording_begin(call) : NULL;
	if (!r) {
		refuse(&ask->refusal, 20500, "");
		return;
	}
	ask->status = 201;
	ask->json = render_recording(ask->sandbox, r, true);
}

/* The recording that the path names. */
static struct recording *known(struct ask *ask)
{
	const char *sid = ask->below ? ask->below : ask->sid;
	struct call *call = ask->below ? known_call(ask, ask->sid) : NULL;
	struct recording *r = NULL;

	if (ask->below && !call)
		return NULL;
	if (call && strcmp(sid, "Twilio.CURRENT") == 0)
		r = call->current;
	else
		r = recording_by_sid(ask->sandbox, sid);
	if (r && (!r->deleted || param_true(&ask->form, "IncludeSoftDeleted")) && (!call || strcmp(r->call_sid, call->sid) == 0))
		return r;
	refuse(&ask->refusal, 20404, ask->job->path);
	return NULL;
}

void recording_fetch(struct ask *ask)
{
	struct recording *r;

	if (strcmp(ask->suffix, "json") != 0) {
		recording_media(ask);
		return;
	}
	r = known(ask);
	if (r)
		ask->json = render_recording(ask->sandbox, r, ask->below);
}

void recording_update(struct ask *ask)
{
	const char *status = param_text(&ask->form, "Status"), *pause = param_text(&ask->form, "PauseBehavior");
	struct recording *r = known(ask);
	struct call *call = r ? call_by_sid(ask->sandbox, r->call_sid) : NULL;
	enum recording_status to;

	if (!r)
		return;
	if (!status) {
		refuse_with(&ask->refusal, 20422, "Status is required");
		return;
	}
	to = strcmp(status, "paused") == 0 ? REC_PAUSED : strcmp(status, "stopped") == 0 ? REC_STOPPED : REC_IN_PROGRESS;
	if (!call || call->status != CALL_IN_PROGRESS || r->status >= REC_STOPPED) {
		refuse_with(&ask->refusal, 21220, "The recording has ended");
		return;
	}
	(void)recording_change(call, r, to, !pause || strcmp(pause, "silence") == 0);
	ask->json = render_recording(ask->sandbox, r, true);
	if (to == REC_STOPPED)
		json_object_object_add(ask->json, "status", json_object_new_string("stopped"));
}

void recording_delete(struct ask *ask)
{
	struct recording *r = known(ask);

	if (!r)
		return;
	if (r->status < REC_STOPPED) {
		refuse(&ask->refusal, 20009, "");
		return;
	}
	r->deleted = true;
	ask->status = 204;
}

static bool fits(const struct ask *ask, const struct recording *r)
{
	const char *call = ask->sid ? ask->sid : param_text(&ask->form, "CallSid"), *text;
	int64_t at = r->created_ms / 1000, limit;

	if ((r->deleted && !param_true(&ask->form, "IncludeSoftDeleted")) || (call && strcmp(call, r->call_sid) != 0) ||
		param_text(&ask->form, "ConferenceSid"))
		return false;
	if ((text = param_text(&ask->form, "DateCreated<")) && param_time(text, true, &limit) && at > limit)
		return false;
	if ((text = param_text(&ask->form, "DateCreated>")) && param_time(text, false, &limit) && at < limit)
		return false;
	if (!(text = param_text(&ask->form, "DateCreated")) || !param_time(text, false, &limit))
		return true;
	return at >= limit && param_time(text, true, &limit) && at <= limit;
}

void recording_list(struct ask *ask)
{
	struct recording *r = ask->sandbox->newest_recording, *after;
	struct json_object *items;
	struct paging paging;
	struct page page = { 0 };
	int skip;
	char *filters;

	if (!api_paging(ask, &paging) || (ask->sid && !known_call(ask, ask->sid)))
		return;
	after = paging.after ? recording_by_sid(ask->sandbox, paging.after) : NULL;
	skip = after ? 0 : paging.number * paging.size;
	if (after)
		r = after->older;
	items = json_object_new_array();
	for (; r && !page.more; r = r->older) {
		if (!fits(ask, r) || skip-- > 0)
			continue;
		page.more = page.count == paging.size;
		if (page.more)
			break;
		json_object_array_add(items, render_recording(ask->sandbox, r, ask->sid));
		page.last = r->sid;
		page.count++;
	}
	filters = api_filters(ask->job->query);
	page.path = ask->job->path;
	page.filters = filters ? filters : "";
	page.number = paging.number;
	page.size = paging.size;
	ask->json = json_object_new_object();
	json_object_object_add(ask->json, "recordings", items);
	render_page(ask->json, &page);
	free(filters);
}

/* "bytes=0-499", "bytes=500-", "bytes=-500". False: not satisfiable; *part says whether it is a range at all. */
static bool range_of(const char *range, size_t size, size_t *from, size_t *len, bool *part)
{
	unsigned long long first = 0, last = 0;
	int end = 0;

	*part = false;
	*from = 0;
	*len = size;
	if (!range || strncmp(range, "bytes=", 6) != 0 || strchr(range, ','))
		return true;
	range += 6;
	*part = true;
	if (sscanf(range, "-%llu%n", &last, &end) == 1 && !range[end]) {
		*len = last > size ? size : (size_t)last;
		*from = size - *len;
		return *len > 0;
	}
	last = size - 1;
	end = 0;
	if (sscanf(range, "%llu-%n", &first, &end) < 1 || end == 0) {
		*part = false;
		return true;
	}
	if (range[end] && sscanf(range + end, "%llu", &last) != 1) {
		*part = false;
		return true;
	}
	if (first >= size || last < first)
		return false;
	*from = (size_t)first;
	*len = (size_t)((last >= size ? size - 1 : last) - first + 1);
	return true;
}

void recording_media(struct ask *ask)
{
	bool wav = strcmp(ask->suffix, "mp3") != 0, part;
	struct recording *r = known(ask);
	size_t size, from;
	char text[96];

	if (!r)
		return;
	if (r->status != REC_COMPLETED) {
		refuse(&ask->refusal, 20404, ask->job->path);
		return;
	}
	size = media_size(ask->sandbox, r, wav);
	job_header(ask->job, "Accept-Ranges", "bytes");
	if (!range_of(ask->job->range, size, &from, &ask->raw_len, &part)) {
		snprintf(text, sizeof(text), "bytes */%zu", size);
		job_header(ask->job, "Content-Range", text);
		ask->status = 416;
		return;
	}
	ask->raw = malloc(ask->raw_len);
	if (!ask->raw) {
		refuse(&ask->refusal, 20500, "");
		return;
	}
	media_read(ask->sandbox, r, wav, from, ask->raw_len, ask->raw);
	ask->raw_type = wav ? "audio/x-wav" : "audio/mpeg";
	if (part) {
		snprintf(text, sizeof(text), "bytes %zu-%zu/%zu", from, from + ask->raw_len - 1, size);
		job_header(ask->job, "Content-Range", text);
		ask->status = 206;
	}
}
