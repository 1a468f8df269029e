/* media.c - a recording's sound, streamed. Twilio may send us on to the storage that holds it: we go there, without the
 * account's credentials. */
#include "twilio/client.h"

#include "base/error.h"
#include "base/opts.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { IDLE_DEFAULT_MS = 15000, REDIRECTS_MAX = 3, RANGE_MAX = 128 };
static const size_t media_default_bytes = (size_t)1 << 30;

struct stream {
	nxv_twilio_media_fn *fn;
	nxv_twilio_keep_on_fn *keep_on;
	void *user;
	bool begun, no_sound;
	struct nxv_twilio_media media;
	int64_t total_bytes; /* -1: not told */
};

/* The number after the slash of a Content-Range, which is there for an unsatisfiable one, too. */
static int64_t total_of(const char *content_range)
{
	const char *slash = strrchr(content_range, '/');
	int64_t total = -1;

	return slash && text_int(slash + 1, 0, INT64_MAX, &total) ? total : -1;
}

/* What comes from a wrong base URL or from something in between; a recording is audio, or octets without a type. */
static bool is_page(const char *type)
{
	return strncasecmp(type, "text/", 5) == 0 || strncasecmp(type, "application/json", 16) == 0 ||
		strncasecmp(type, "application/xml", 15) == 0;
}

static void begin(struct stream *s, const struct http_result *head)
{
	char length[24];

	s->begun = true;
	s->media.partial = head->status == 206;
	s->media.length_bytes = -1;
	if (http_result_header(head, "Content-Length", length, sizeof(length)) &&
		!text_int(length, 0, INT64_MAX, &s->media.length_bytes))
		s->media.length_bytes = -1;
	http_result_header(head, "Content-Type", s->media.content_type, sizeof(s->media.content_type));
	if (s->media.partial)
		http_result_header(head, "Content-Range", s->media.content_range, sizeof(s->media.content_range));
	s->total_bytes = s->media.partial ? total_of(s->media.content_range) : s->media.length_bytes;
	s->no_sound = is_page(s->media.content_type);
}

static bool on_data(void *user, const struct http_result *head, const void *data, size_t len)
{
	struct stream *s = user;

	if (!s->begun)
		begin(s, head);
	return !s->no_sound && s->fn(s->user, &s->media, data, len);
}

static bool keep_on(void *user)
{
	struct stream *s = user;

	return s->keep_on(s->user);
}

/* Is this a place to follow to? */
static bool may_follow(const struct http_result *r, const char *from)
{
	bool redirection = r->status == 301 || r->status == 302 || r->status == 303 || r->status == 307 || r->status == 308;

	return redirection && r->redirect_url &&
		(strncmp(r->redirect_url, "https://", 8) == 0 || strncmp(from, "https://", 8) != 0);
}

static nxv_status judge(struct stream *s, const struct http_result *r, struct nxv_error *err)
{
	char range[64];
	nxv_status status;

	if (s->no_sound)
		return twilio_not_understood(TWILIO_READ, "it is no sound", err);
	if (r->fault == HTTP_FAULT_STOPPED)
		return error_code(err, NXV_E_CONFLICT, "stopped", "the receiver stopped the stream");
	if (r->outcome == HTTP_ANSWERED && r->status == 416) {
		s->total_bytes = http_result_header(r, "Content-Range", range, sizeof(range)) ? total_of(range) : -1;
		status = error_field(err, "range", "the recording has no such range");
		if (err)
			text_copy(err->code, sizeof(err->code), "range_not_satisfiable");
		return status;
	}
	return twilio_judge(TWILIO_READ, r, NULL, err);
}

static nxv_status check(const char *sid, const struct nxv_twilio_media_opts *opts, struct nxv_error *err)
{
	nxv_status status = twilio_check_sid(sid, "RE", "sid", err);

	if (status)
		return status;
	if (opts->channels < 0 || opts->channels > 2)
		return error_field(err, "channels", "channels must be 1, 2, or 0 to leave it to Twilio");
	if (opts->range && (strncmp(opts->range, "bytes=", 6) != 0 || strlen(opts->range) > RANGE_MAX ||
				   opts->range[6 + strspn(opts->range + 6, "0123456789-, ")]))
		return error_field(err, "range", "range must be like bytes=0-499");
	return NXV_OK;
}

nxv_status nxv_twilio_recording_media(nxv_twilio *twilio, const char *sid, const struct nxv_twilio_media_opts *given,
	nxv_twilio_media_fn *fn, void *user, struct nxv_error *err)
{
	struct nxv_twilio_media_opts taken = NXV_TWILIO_MEDIA_OPTS_INIT, *opts = &taken;
	struct twilio_exchange x = TWILIO_EXCHANGE(TWILIO_READ, "GET");
	struct stream stream = { .fn = fn, .user = user, .total_bytes = -1 };
	struct http_result result = { 0 };
	struct http_request request = { 0 };
	char range[RANGE_MAX + 16], *next = NULL;
	const char *headers[2] = { NULL };
	nxv_status status;

	if (given && !opts_take(&taken, sizeof(taken), given, OPTS_LEAST(struct nxv_twilio_media_opts, max_bytes)))
		return error_set(err, NXV_E_INVALID, "pass struct nxv_twilio_media_opts with its size set (NXV_TWILIO_MEDIA_OPTS_INIT)");
	stream.keep_on = opts->keep_on;
	status = check(sid, opts, err);
	if (status)
		return status;
	twilio_url(twilio, &x, "/Recordings/%s.%s", sid, opts->wav ? "wav" : "mp3");
	if (opts->channels)
		buf_printf(&x.url, "?RequestedChannels=%d", opts->channels);
	if (opts->range) {
		snprintf(range, sizeof(range), "Range: %s", opts->range);
		headers[0] = range;
	}
	status = twilio_request(twilio, &x, &request, err);
	request.headers = headers;
	request.repeatable = false; /* a second body would follow the first into fn */
	request.total_timeout_ms = opts->total_timeout_ms;
	request.idle_timeout_ms = opts->idle_timeout_ms ? opts->idle_timeout_ms : IDLE_DEFAULT_MS;
	request.max_body_bytes = opts->max_bytes ? opts->max_bytes : media_default_bytes;
	request.on_data = on_data;
	request.keep_on = opts->keep_on ? keep_on : NULL;
	request.user = &stream;
	for (int hops = 0; !status; hops++) {
		status = http_send(twilio->http, &request, &result, err);
		if (status || result.outcome != HTTP_ANSWERED || hops == REDIRECTS_MAX || !may_follow(&result, request.url))
			break;
		free(next);
		next = result.redirect_url;
		result.redirect_url = NULL;
		http_result_clear(&result);
		request.url = next;
		request.username = request.password = NULL;
	}
	if (!status)
		status = judge(&stream, &result, err);
	if (opts->total_bytes)
		*opts->total_bytes = stream.total_bytes;
	http_result_clear(&result);
	twilio_exchange_clear(&x);
	free(next);
	return status;
}
