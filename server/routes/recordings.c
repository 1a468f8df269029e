/* recordings.c - recordings over HTTP: Twilio is asked on threads beside the loop. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media.h"
#include "routes/routes.h"

static void ask_control(struct exchange *x)
{
	struct nxv_recording *recording = NULL;

	x->done.status = nxv_recording_control(x->ctx, x->param, x->body->action, &recording, &x->done.error);
	x->result = recording;
}

static void tell_control(struct exchange *x, const struct nxv_completion *done)
{
	if (done->status == NXV_OK)
		answer_ok(x, 200, "recording", nxv_json_recording(x->result));
	else
		answer_error(x, &done->error);
	nxv_recording_free(x->result);
}

void recording_control(struct exchange *x)
{
	struct nxv_session *call = call_find(x, x->param);

	if (call)
		exchange_aside(x, x->lane->twilio, NULL, ask_control, tell_control);
	nxv_session_free(call);
}

static void ask_list(struct exchange *x)
{
	struct nxv_recording_list *list = NULL;

	x->done.status = nxv_recording_list(x->ctx, x->param, &list, &x->done.error);
	x->result = list;
}

static void tell_list(struct exchange *x, const struct nxv_completion *done)
{
	if (done->status == NXV_OK)
		answer_page(x, "recordings", nxv_json_recordings(x->result), NULL);
	else
		answer_error(x, &done->error);
	nxv_recording_list_free(x->result);
}

void recording_list(struct exchange *x)
{
	struct nxv_session *call = call_find(x, x->param);

	if (call)
		exchange_aside(x, x->lane->twilio, NULL, ask_list, tell_list);
	nxv_session_free(call);
}

/* True if it is there and may be touched; else it is answered. */
static bool find(struct exchange *x)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_recording *recording = NULL;
	nxv_status status = nxv_recording_get(x->ctx, x->param, &recording, &err);
	const bool may = status == NXV_OK && owner_may(x, recording->user_id);

	if (may)
		nxv_gate_about(x->pass, recording->session_id);
	else if (status == NXV_OK || status == NXV_E_NOT_FOUND)
		owner_not_found(x, "recording");
	else
		answer_error(x, &err);
	nxv_recording_free(recording);
	return may;
}

static void ask_delete(struct exchange *x)
{
	x->done.status = nxv_recording_delete(x->ctx, x->param, &x->done.error);
}

static void tell_deleted(struct exchange *x, const struct nxv_completion *done)
{
	if (done->status == NXV_OK)
		answer_ok(x, 200, NULL, NULL);
	else if (done->status == NXV_E_NOT_FOUND) /* somebody else's request was quicker */
		owner_not_found(x, "recording");
	else
		answer_error(x, &done->error);
}

void recording_delete(struct exchange *x)
{
	if (find(x))
		exchange_aside(x, x->lane->twilio, NULL, ask_delete, tell_deleted);
}

/* --- the sound --- */

enum { FORMAT_MP3, FORMAT_WAV };
static const char *const formats[] = { "mp3", "wav", NULL };

/* "bytes=0-499", "bytes=500-", "bytes=-500": what is understood of Range (RFC 9110, 14.2); anything else is as if it were not
 * there. So is every range under If-Range, as the answers bear no validator that it could hold. */
static const char *one_range(const struct exchange *x)
{
	static const char digits[] = "0123456789";
	const char *range = http_header(x->http, "Range"), *first;
	size_t from, to;

	if (!range || http_header(x->http, "If-Range") || strncmp(range, "bytes=", 6) != 0)
		return NULL;
	first = range + 6;
	from = strspn(first, digits);
	if (first[from] != '-')
		return NULL;
	to = strspn(first + from + 1, digits);
	if (first[from + 1 + to] || from + to == 0 || from > 18 || to > 18)
		return NULL;
	return from && to && atoll(first + from + 1) < atoll(first) ? NULL : range;
}

static void refuse_range(struct exchange *x, const struct nxv_error *err)
{
	const int64_t total = media_total(x->media);
	char range[48];

	snprintf(range, sizeof(range), "bytes */%lld", (long long)total);
	if (total >= 0)
		http_answer_header(x->http, "Content-Range", range);
	http_answer_header(x->http, "Accept-Ranges", "bytes");
	answer_problem(x, 416, err->code, "The recording has no such range; Content-Range tells its size.", NULL);
}

static void tell_media(struct exchange *x, const struct nxv_completion *done)
{
	const char *format = query_get(x, "format");
	const bool wav = format && strcmp(format, formats[FORMAT_WAV]) == 0;
	const struct nxv_twilio_media *head;
	char name[128];

	if (done->status != NXV_OK) {
		if (strcmp(done->error.code, "range_not_satisfiable") == 0)
			refuse_range(x, &done->error);
		else
			answer_error(x, &done->error);
		return;
	}
	head = media_head(x->media);
	x->type = head->content_type[0] ? head->content_type : wav ? "audio/x-wav" : "audio/mpeg";
	snprintf(name, sizeof(name), "attachment; filename=\"%.64s.%s\"", x->param, formats[wav ? FORMAT_WAV : FORMAT_MP3]);
	http_answer_header(x->http, "Accept-Ranges", "bytes");
	http_answer_header(x->http, "Content-Disposition", name);
	http_answer_header(x->http, "X-Content-Type-Options", "nosniff");
	if (head->partial)
		http_answer_header(x->http, "Content-Range", head->content_range);
	answer_stream(x, head->partial ? 206 : 200, media_stream(x->media), head->length_bytes);
}

void recording_media(struct exchange *x)
{
	size_t format;

	if (!query_word(x, "format", formats, &format) || !find(x))
		return;
	if (media_fetch(x, format == FORMAT_WAV, one_range(x), tell_media))
		return;
	http_answer_header(x->http, "Retry-After", "5");
	answer_problem(x, 503, "too_many_streams", "As many recordings are being sent as may be at once, in all or to this user; try again in a moment.", NULL);
}
