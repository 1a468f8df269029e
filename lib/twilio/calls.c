/* calls.c - calls at Twilio: create, fetch, list, change. Each function is one request. */
#include "twilio/calls.h"

#include "base/error.h"
#include "base/opts.h"
#include "base/text.h"
#include "twilio/options.h"
#include "twilio/record.h"

#include <stdlib.h>
#include <string.h>

enum { TWIML_MAX = 4000, RING_MAX_SECONDS = 600, DIGITS_MAX = 32, REASON_MAX = 50, PAGE_MAX = 1000 };

static const char *const call_events[] = { "initiated", "ringing", "answered", "completed", NULL };
static const char *const machine_words[] = { "Enable", "DetectMessageEnd", NULL };

#define CREATE(kind, member, name, list, most) OPTION(nxv_twilio_call_opts, kind, member, name, list, most)
static const struct option create_options[] = {
	CREATE(TEXT, to, "To", NULL, 0),
	CREATE(TEXT, from, "From", NULL, 0),
	CREATE(TEXT, url, "Url", NULL, 0),
	CREATE(TEXT, twiml, "Twiml", NULL, TWIML_MAX),
	CREATE(TEXT, application_sid, "ApplicationSid", NULL, 0),
	CREATE(WORD, method, "Method", option_methods, 0),
	CREATE(TEXT, fallback_url, "FallbackUrl", NULL, 0),
	CREATE(WORD, fallback_method, "FallbackMethod", option_methods, 0),
	CREATE(TEXT, status_callback, "StatusCallback", NULL, 0),
	CREATE(BITS, status_callback_events, "StatusCallbackEvent", call_events, 0),
	CREATE(WORD, status_callback_method, "StatusCallbackMethod", option_methods, 0),
	CREATE(TEXT, send_digits, "SendDigits", NULL, DIGITS_MAX),
	CREATE(INT, timeout_seconds, "Timeout", NULL, RING_MAX_SECONDS),
	CREATE(INT, time_limit_seconds, "TimeLimit", NULL, 0),
	CREATE(TRUE, record, "Record", NULL, 0),
	CREATE(WORD, recording_channels, "RecordingChannels", option_channels, 0),
	CREATE(WORD, recording_track, "RecordingTrack", option_tracks, 0),
	CREATE(WORD, trim, "Trim", option_trims, 0),
	CREATE(TEXT, recording_status_callback, "RecordingStatusCallback", NULL, 0),
	CREATE(BITS, recording_status_callback_events, "RecordingStatusCallbackEvent", option_recording_events, 0),
	CREATE(WORD, recording_status_callback_method, "RecordingStatusCallbackMethod", option_methods, 0),
	CREATE(TEXT, recording_configuration_id, "RecordingConfigurationId", NULL, 0),
	CREATE(TEXT, sip_auth_username, "SipAuthUsername", NULL, 0),
	CREATE(TEXT, sip_auth_password, "SipAuthPassword", NULL, 0),
	CREATE(TEXT, caller_id, "CallerId", NULL, 0),
	CREATE(WORD, machine_detection, "MachineDetection", machine_words, 0),
	CREATE(INT, machine_detection_timeout_seconds, "MachineDetectionTimeout", NULL, 0),
	CREATE(INT, machine_detection_speech_threshold_ms, "MachineDetectionSpeechThreshold", NULL, 0),
	CREATE(INT, machine_detection_speech_end_threshold_ms, "MachineDetectionSpeechEndThreshold", NULL, 0),
	CREATE(INT, machine_detection_silence_timeout_ms, "MachineDetectionSilenceTimeout", NULL, 0),
	CREATE(TRUE, async_amd, "AsyncAmd", NULL, 0),
	CREATE(TEXT, async_amd_status_callback, "AsyncAmdStatusCallback", NULL, 0),
	CREATE(WORD, async_amd_status_callback_method, "AsyncAmdStatusCallbackMethod", option_methods, 0),
	CREATE(TEXT, passports, "Passports", NULL, 0),
	CREATE(TEXT, byoc, "Byoc", NULL, 0),
	CREATE(TEXT, call_reason, "CallReason", NULL, REASON_MAX),
	CREATE(TEXT, call_token, "CallToken", NULL, 0),
	CREATE(TEXT, client_notification_url, "ClientNotificationUrl", NULL, 0),
	{ 0 },
};

#define LIST(kind, member, name, most) OPTION(nxv_twilio_call_list_opts, kind, member, name, NULL, most)
static const struct option list_options[] = {
	LIST(TEXT, to, "To", 0),
	LIST(TEXT, from, "From", 0),
	LIST(TEXT, parent_sid, "ParentCallSid", 0),
	LIST(TEXT, status, "Status", 0),
	LIST(TIME, started_before_ms, "StartTime<", 0),
	LIST(TIME, started_after_ms, "StartTime>", 0),
	LIST(TIME, ended_before_ms, "EndTime<", 0),
	LIST(TIME, ended_after_ms, "EndTime>", 0),
	LIST(PAGE, page_size, "PageSize", PAGE_MAX),
	{ 0 },
};

#define UPDATE(kind, member, name, list, most) OPTION(nxv_twilio_call_update_opts, kind, member, name, list, most)
static const struct option update_options[] = {
	UPDATE(TEXT, url, "Url", NULL, 0),
	UPDATE(TEXT, twiml, "Twiml", NULL, TWIML_MAX),
	UPDATE(WORD, method, "Method", option_methods, 0),
	UPDATE(TEXT, fallback_url, "FallbackUrl", NULL, 0),
	UPDATE(WORD, fallback_method, "FallbackMethod", option_methods, 0),
	UPDATE(TEXT, status_callback, "StatusCallback", NULL, 0),
	UPDATE(WORD, status_callback_method, "StatusCallbackMethod", option_methods, 0),
	UPDATE(INT, time_limit_seconds, "TimeLimit", NULL, 0),
	{ 0 },
};

static bool given(const char *text)
{
	return text && *text;
}

static nxv_status check_create(const struct nxv_twilio_call_opts *given_opts, struct nxv_twilio_call_opts *opts, struct nxv_error *err)
{
	if (!opts_take(opts, sizeof(*opts), given_opts, OPTS_LEAST(struct nxv_twilio_call_opts, client_notification_url)))
		return error_set(err, NXV_E_INVALID, "pass struct nxv_twilio_call_opts with its size set (NXV_TWILIO_CALL_OPTS_INIT)");
	if (!given(opts->to))
		return error_field(err, "to", "give to: a number, a sip: or a client: address");
	if (!given(opts->from))
		return error_field(err, "from", "give from: the caller ID");
	if (given(opts->url) + given(opts->twiml) + given(opts->application_sid) != 1)
		return error_field(err, "twiml", "give exactly one of url, twiml and application_sid");
	if (opts->send_digits && strspn(opts->send_digits, "0123456789ABCDabcd#*wW") != strlen(opts->send_digits))
		return error_field(err, "send_digits", "send_digits may hold 0-9 A-D # * and the pauses w and W");
	return NXV_OK;
}

static nxv_status ask_for_call(nxv_twilio *twilio, struct twilio_exchange *x, struct nxv_twilio_call **out, struct nxv_error *err)
{
	enum twilio_kind kind = x->kind;
	struct json_object *json = NULL;
	nxv_status status = twilio_ask(twilio, x, out ? &json : NULL, err);

	if (!status && out) {
		*out = record_call(json);
		if (!*out)
			status = twilio_not_understood(kind, "it holds no call", err);
	}
	json_object_put(json);
	return status;
}

nxv_status call_create_exchange(
	const nxv_twilio *twilio, const struct nxv_twilio_call_opts *opts, struct twilio_exchange *x, struct nxv_error *err)
{
	struct nxv_twilio_call_opts ours;
	nxv_status status = check_create(opts, &ours, err);

	*x = (struct twilio_exchange)TWILIO_EXCHANGE(TWILIO_CREATE, "POST");
	if (!status)
		status = options_add(&x->form, create_options, &ours, err);
	if (!status)
		twilio_url(twilio, x, "/Calls.json");
	return status;
}

nxv_status nxv_twilio_call_create(nxv_twilio *twilio, const struct nxv_twilio_call_opts *opts, struct nxv_twilio_call **out,
	struct nxv_error *err)
{
	struct twilio_exchange x;
	nxv_status status = call_create_exchange(twilio, opts, &x, err);

	*out = NULL;
	if (status) {
		twilio_exchange_clear(&x);
		return status;
	}
	return ask_for_call(twilio, &x, out, err);
}

nxv_status call_fetch_exchange(const nxv_twilio *twilio, const char *sid, struct twilio_exchange *x, struct nxv_error *err)
{
	nxv_status status = twilio_check_sid(sid, "CA", "sid", err);

	*x = (struct twilio_exchange)TWILIO_EXCHANGE(TWILIO_READ, "GET");
	if (!status)
		twilio_url(twilio, x, "/Calls/%s.json", sid);
	return status;
}

nxv_status nxv_twilio_call_fetch(nxv_twilio *twilio, const char *sid, struct nxv_twilio_call **out, struct nxv_error *err)
{
	struct twilio_exchange x;
	nxv_status status = call_fetch_exchange(twilio, sid, &x, err);

	*out = NULL;
	return status ? status : ask_for_call(twilio, &x, out, err);
}

nxv_status call_list_read(struct json_object *json, struct nxv_twilio_call_list **out, struct nxv_error *err)
{
	struct nxv_twilio_call_list *list = calloc(1, sizeof(*list));
	struct json_object *calls = NULL;
	nxv_status status = list ? record_page(json, "calls", &calls, &list->next_page, err) : error_nomem(err);
	size_t n = status ? 0 : json_object_array_length(calls);

	if (!status) {
		list->items = calloc(n ? n : 1, sizeof(struct nxv_twilio_call *));
		if (!list->items)
			status = error_nomem(err);
	}
	while (!status && list->count < n) {
		list->items[list->count] = record_call(json_object_array_get_idx(calls, list->count));
		if (list->items[list->count])
			list->count++;
		else
			status = twilio_not_understood(TWILIO_READ, "a call in the list has no sid or status", err);
	}
	if (status)
		nxv_twilio_call_list_free(list);
	else
		*out = list;
	return status;
}

nxv_status call_list_exchange(
	const nxv_twilio *twilio, const struct nxv_twilio_call_list_opts *opts, struct twilio_exchange *x, struct nxv_error *err)
{
	struct nxv_twilio_call_list_opts ours = NXV_TWILIO_CALL_LIST_OPTS_INIT;
	struct buf query = BUF_INIT;
	nxv_status status;

	*x = (struct twilio_exchange)TWILIO_EXCHANGE(TWILIO_READ, "GET");
	if (opts && !opts_take(&ours, sizeof(ours), opts, OPTS_LEAST(struct nxv_twilio_call_list_opts, page)))
		return error_set(err, NXV_E_INVALID, "pass struct nxv_twilio_call_list_opts with its size set (NXV_TWILIO_CALL_LIST_OPTS_INIT)");
	if (ours.page)
		return twilio_page_url(twilio, x, ours.page, err);
	twilio_url(twilio, x, "/Calls.json");
	status = options_add(&query, list_options, &ours, err);
	twilio_query(x, &query);
	buf_free(&query);
	return status;
}

nxv_status nxv_twilio_call_list(nxv_twilio *twilio, const struct nxv_twilio_call_list_opts *opts, struct nxv_twilio_call_list **out,
	struct nxv_error *err)
{
	struct twilio_exchange x;
	struct json_object *json = NULL;
	nxv_status status = call_list_exchange(twilio, opts, &x, err);

	*out = NULL;
	if (!status)
		status = twilio_ask(twilio, &x, &json, err);
	if (!status)
		status = call_list_read(json, out, err);
	json_object_put(json);
	twilio_exchange_clear(&x);
	return status;
}

nxv_status call_update_exchange(const nxv_twilio *twilio, const char *sid, const struct nxv_twilio_call_update_opts *opts,
	struct twilio_exchange *x, struct nxv_error *err)
{
	struct nxv_twilio_call_update_opts ours;
	nxv_status status = twilio_check_sid(sid, "CA", "sid", err);

	*x = (struct twilio_exchange)TWILIO_EXCHANGE(TWILIO_CHANGE, "POST");
	if (status)
		return status;
	if (!opts_take(&ours, sizeof(ours), opts, OPTS_LEAST(struct nxv_twilio_call_update_opts, time_limit_seconds)))
		return error_set(err, NXV_E_INVALID, "pass struct nxv_twilio_call_update_opts with its size set (NXV_TWILIO_CALL_UPDATE_OPTS_INIT)");
	if (ours.cancel + ours.complete + given(ours.url) + given(ours.twiml) > 1)
		return error_field(err, "complete", "give at most one of cancel, complete, url and twiml");
	if (ours.cancel || ours.complete)
		buf_str(&x->form, ours.cancel ? "Status=canceled" : "Status=completed");
	status = options_add(&x->form, update_options, &ours, err);
	if (!status && !x->form.len && !x->form.failed)
		status = error_set(err, NXV_E_INVALID, "nothing to change is given");
	if (!status)
		twilio_url(twilio, x, "/Calls/%s.json", sid);
	return status;
}

nxv_status nxv_twilio_call_update(nxv_twilio *twilio, const char *sid, const struct nxv_twilio_call_update_opts *opts,
	struct nxv_twilio_call **out, struct nxv_error *err)
{
	struct twilio_exchange x;
	nxv_status status = call_update_exchange(twilio, sid, opts, &x, err);

	if (out)
		*out = NULL;
	if (!status)
		status = ask_for_call(twilio, &x, out, err);
	twilio_exchange_clear(&x);
	return status;
}

nxv_status nxv_twilio_call_end(nxv_twilio *twilio, const char *sid, struct nxv_twilio_call **out, struct nxv_error *err)
{
	struct nxv_twilio_call_update_opts opts = NXV_TWILIO_CALL_UPDATE_OPTS_INIT;

	opts.complete = true;
	return nxv_twilio_call_update(twilio, sid, &opts, out, err);
}
