/* events.c - the parameters of callbacks, as Twilio documents and sends them, and the signature over them. */
#include "events.h"

#include "base/hmac.h"
#include "base/text.h"
#include "callbacks.h"
#include "recordings.h"
#include "twilio/form.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

void pairs_add(struct pairs *pairs, const char *name, const char *value)
{
	char *copy = value ? text_dup(value) : NULL;

	if (!value)
		return;
	if (!copy || pairs->count == PAIRS_MAX) {
		free(copy);
		pairs->failed = true;
		return;
	}
	pairs->items[pairs->count].name = name;
	pairs->items[pairs->count++].value = copy;
}

void pairs_add_int(struct pairs *pairs, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	pairs_add(pairs, name, text);
}

void pairs_clear(struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++)
		free(pairs->items[i].value);
	*pairs = (struct pairs){ 0 };
}

char *pairs_form(const struct pairs *pairs)
{
	struct buf form = BUF_INIT;

	for (size_t i = 0; i < pairs->count; i++)
		form_add(&form, pairs->items[i].name, pairs->items[i].value);
	if (!pairs->count)
		buf_str(&form, "");
	return pairs->failed ? (buf_free(&form), NULL) : buf_take(&form);
}

/* The names are ours, ASCII and none twice, so sorting by bytes is sorting as Twilio does. */
bool pairs_sign(const struct pairs *pairs, const char *token, const char *url, char *out)
{
	bool used[PAIRS_MAX] = { false };
	struct buf text = BUF_INIT;
	bool made;

	buf_str(&text, url);
	for (size_t n = 0; n < pairs->count; n++) {
		size_t least = pairs->count;

		for (size_t i = 0; i < pairs->count; i++)
			if (!used[i] && (least == pairs->count || strcmp(pairs->items[i].name, pairs->items[least].name) < 0))
				least = i;
		used[least] = true;
		buf_str(&text, pairs->items[least].name);
		buf_str(&text, pairs->items[least].value);
	}
	made = !text.failed && hmac_sha1_base64(token, strlen(token), text.data, text.len, out);
	buf_free(&text);
	return made;
}

void event_time(int64_t utc_ms, char *out)
{
	time_t seconds = (time_t)(utc_ms / 1000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(out, 40, "%a, %d %b %Y %H:%M:%S +0000", &tm);
}

void event_about(const struct call *call, struct pairs *pairs)
{
	pairs_add(pairs, "AccountSid", call->sandbox->opts.account_sid);
	pairs_add(pairs, "ApiVersion", "2010-04-01");
	pairs_add(pairs, "CallSid", call->sid);
	pairs_add(pairs, "CallStatus", call_status_name(call->status));
	pairs_add(pairs, "Direction", call->direction);
	pairs_add(pairs, "From", call->from);
	pairs_add(pairs, "Caller", call->from);
	pairs_add(pairs, "To", call->to);
	pairs_add(pairs, "Called", call->to);
	if (*call->parent_sid)
		pairs_add(pairs, "ParentCallSid", call->parent_sid);
	if (call->answered_by)
		pairs_add(pairs, "AnsweredBy", call->answered_by);
}

/* CallDuration is in seconds, Duration in minutes begun. */
static void add_end(const struct call *call, struct pairs *pairs)
{
	int64_t ms = call->answered_ms ? sandbox_elapsed(call->sandbox, call->answered_ms, call->ended_ms) : 0;
	int64_t seconds = (ms + 500) / 1000;

	pairs_add_int(pairs, "CallDuration", seconds);
	pairs_add_int(pairs, "Duration", (seconds + 59) / 60);
	if (call->sip_code)
		pairs_add_int(pairs, "SipResponseCode", call->sip_code);
}

void event_send(struct call *call, unsigned event)
{
	struct pairs pairs = { 0 };
	char time[40];

	unsigned number = call->sequence++;

	if (!call->callback.url || !(call->callback.events & event))
		return;
	event_about(call, &pairs);
	event_time(sandbox_utc_ms(), time);
	pairs_add(&pairs, "Timestamp", time);
	pairs_add(&pairs, "CallbackSource", "call-progress-events");
	pairs_add_int(&pairs, "SequenceNumber", number);
	if (event == EVENT_COMPLETED)
		add_end(call, &pairs);
	callbacks_send(call, &call->callback, call_status_name(call->status), &pairs, NULL, NULL);
	pairs_clear(&pairs);
}

void event_send_recording(struct call *call, const struct recording *r, unsigned event)
{
	struct pairs pairs = { 0 };
	char text[200];

	if (!r->target.url || !(r->target.events & event))
		return;
	pairs_add(&pairs, "AccountSid", call->sandbox->opts.account_sid);
	pairs_add(&pairs, "CallSid", call->sid);
	pairs_add(&pairs, "RecordingSid", r->sid);
	pairs_add(&pairs, "RecordingSource", r->source);
	pairs_add(&pairs, "RecordingStatus", recording_status_name(r->status));
	pairs_add(&pairs, "RecordingTrack", r->track);
	pairs_add_int(&pairs, "RecordingChannels", r->channels);
	pairs_add_int(&pairs, "ErrorCode", 0);
	event_time(r->started_ms, text);
	pairs_add(&pairs, "RecordingStartTime", text);
	if (event == REC_EVENT_COMPLETED) {
		snprintf(text, sizeof(text), "http://%s/2010-04-01/Accounts/%s/Recordings/%s", call->sandbox->address,
			call->sandbox->opts.account_sid, r->sid);
		pairs_add(&pairs, "RecordingUrl", text);
		pairs_add_int(&pairs, "RecordingDuration", recording_seconds(call->sandbox, r));
	}
	callbacks_send(call, &r->target, recording_status_name(r->status), &pairs, NULL, NULL);
	pairs_clear(&pairs);
}
