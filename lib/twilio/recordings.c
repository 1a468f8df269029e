/* recordings.c - recordings at Twilio: start, pause, resume, stop, fetch, list, delete. Each function is one request. */
#include "twilio/client.h"

#include "base/error.h"
#include "base/opts.h"
#include "twilio/options.h"
#include "twilio/record.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_MAX = 1000 };

#define START(kind, member, name, list) OPTION(nxv_twilio_recording_opts, kind, member, name, list, 0)
static const struct option start_options[] = {
	START(WORD, channels, "RecordingChannels", option_channels),
	START(WORD, track, "RecordingTrack", option_tracks),
	START(WORD, trim, "Trim", option_trims),
	START(TEXT, status_callback, "RecordingStatusCallback", NULL),
	START(BITS, status_callback_events, "RecordingStatusCallbackEvent", option_recording_events),
	START(WORD, status_callback_method, "RecordingStatusCallbackMethod", option_methods),
	START(TEXT, configuration_id, "RecordingConfigurationId", NULL),
	{ 0 },
};

#define LIST(kind, member, name, most) OPTION(nxv_twilio_recording_list_opts, kind, member, name, NULL, most)
static const struct option list_options[] = {
	LIST(TEXT, call_sid, "CallSid", 0),
	LIST(TEXT, conference_sid, "ConferenceSid", 0),
	LIST(TIME, created_before_ms, "DateCreated<", 0),
	LIST(TIME, created_after_ms, "DateCreated>", 0),
	LIST(TRUE, include_deleted, "IncludeSoftDeleted", 0),
	LIST(PAGE, page_size, "PageSize", PAGE_MAX),
	{ 0 },
};

static nxv_status ask_for_recording(
	nxv_twilio *twilio, struct twilio_exchange *x, struct nxv_twilio_recording **out, struct nxv_error *err)
{
	enum twilio_kind kind = x->kind;
	struct json_object *json = NULL;
	nxv_status status = twilio_ask(twilio, x, out ? &json : NULL, err);

	if (!status && out) {
		*out = record_recording(json);
		if (!*out)
			status = twilio_not_understood(kind, "it holds no recording", err);
	}
	json_object_put(json);
	return status;
}

nxv_status nxv_twilio_recording_start(nxv_twilio *twilio, const char *call_sid, const struct nxv_twilio_recording_opts *opts,
	struct nxv_twilio_recording **out, struct nxv_error *err)
{
	struct twilio_exchange x = TWILIO_EXCHANGE(TWILIO_CREATE, "POST");
	struct nxv_twilio_recording_opts ours;
	nxv_status status = twilio_check_sid(call_sid, "CA", "call_sid", err);

	*out = NULL;
	if (status)
		return status;
	if (opts && !opts_take(&ours, sizeof(ours), opts, OPTS_LEAST(struct nxv_twilio_recording_opts, configuration_id)))
		return error_set(err, NXV_E_INVALID, "pass struct nxv_twilio_recording_opts with its size set (NXV_TWILIO_RECORDING_OPTS_INIT)");
	if (opts)
		status = options_add(&x.form, start_options, &ours, err);
	if (!status) {
		twilio_url(twilio, &x, "/Calls/%s/Recordings.json", call_sid);
		status = ask_for_recording(twilio, &x, out, err);
	}
	twilio_exchange_clear(&x);
	return status;
}

nxv_status nxv_twilio_recording_update(nxv_twilio *twilio, const char *call_sid, const char *sid, nxv_twilio_recording_action action,
	struct nxv_twilio_recording **out, struct nxv_error *err)
{
	static const char *const forms[] = {
		[NXV_TWILIO_REC_PAUSE_SKIP] = "Status=paused&PauseBehavior=skip",
		[NXV_TWILIO_REC_PAUSE_SILENCE] = "Status=paused&PauseBehavior=silence",
		[NXV_TWILIO_REC_RESUME] = "Status=in-progress",
		[NXV_TWILIO_REC_STOP] = "Status=stopped",
	};
	struct twilio_exchange x = TWILIO_EXCHANGE(TWILIO_CHANGE, "POST");
	nxv_status status = twilio_check_sid(call_sid, "CA", "call_sid", err);

	if (out)
		*out = NULL;
	if (!status && (!sid || strcmp(sid, NXV_TWILIO_CURRENT) != 0))
		status = twilio_check_sid(sid, "RE", "sid", err);
	if (status)
		return status;
	if ((unsigned)action >= sizeof(forms) / sizeof(forms[0]) || !forms[action])
		return error_field(err, "action", "action must be one of NXV_TWILIO_REC_PAUSE_SKIP, ..._PAUSE_SILENCE, ..._RESUME, ..._STOP");
	buf_str(&x.form, forms[action]);
	twilio_url(twilio, &x, "/Calls/%s/Recordings/%s.json", call_sid, sid);
	return ask_for_recording(twilio, &x, out, err);
}

nxv_status nxv_twilio_recording_fetch(
	nxv_twilio *twilio, const char *sid, struct nxv_twilio_recording **out, struct nxv_error *err)
{
	struct twilio_exchange x = TWILIO_EXCHANGE(TWILIO_READ, "GET");
	nxv_status status = twilio_check_sid(sid, "RE", "sid", err);

	*out = NULL;
	if (status)
		return status;
	twilio_url(twilio, &x, "/Recordings/%s.json", sid);
	return ask_for_recording(twilio, &x, out, err);
}

static nxv_status read_list(struct json_object *json, struct nxv_twilio_recording_list **out, struct nxv_error *err)
{
	struct nxv_twilio_recording_list *list = calloc(1, sizeof(*list));
	struct json_object *recordings = NULL;
	nxv_status status = list ? record_page(json, "recordings", &recordings, &list->next_page, err) : error_nomem(err);
	size_t n = status ? 0 : json_object_array_length(recordings);

	if (!status) {
		list->items = calloc(n ? n : 1, sizeof(struct nxv_twilio_recording *));
		if (!list->items)
			status = error_nomem(err);
	}
	while (!status && list->count < n) {
		list->items[list->count] = record_recording(json_object_array_get_idx(recordings, list->count));
		if (list->items[list->count])
			list->count++;
		else
			status = twilio_not_understood(TWILIO_READ, "a recording in the list has no sid or status", err);
	}
	if (status)
		nxv_twilio_recording_list_free(list);
	else
		*out = list;
	return status;
}

nxv_status nxv_twilio_recording_list(nxv_twilio *twilio, const struct nxv_twilio_recording_list_opts *opts,
	struct nxv_twilio_recording_list **out, struct nxv_error *err)
{
	struct nxv_twilio_recording_list_opts ours = NXV_TWILIO_RECORDING_LIST_OPTS_INIT;
	struct twilio_exchange x = TWILIO_EXCHANGE(TWILIO_READ, "GET");
	struct json_object *json = NULL;
	struct buf query = BUF_INIT;
	nxv_status status = NXV_OK;

	*out = NULL;
	if (opts && !opts_take(&ours, sizeof(ours), opts, OPTS_LEAST(struct nxv_twilio_recording_list_opts, page)))
		return error_set(err, NXV_E_INVALID,
			"pass struct nxv_twilio_recording_list_opts with its size set (NXV_TWILIO_RECORDING_LIST_OPTS_INIT)");
	if (ours.page) {
		status = twilio_page_url(twilio, &x, ours.page, err);
	} else {
		twilio_url(twilio, &x, "/Recordings.json");
		status = options_add(&query, list_options, &ours, err);
		twilio_query(&x, &query);
	}
	if (!status)
		status = twilio_ask(twilio, &x, &json, err);
	if (!status)
		status = read_list(json, out, err);
	json_object_put(json);
	buf_free(&query);
	twilio_exchange_clear(&x);
	return status;
}

nxv_status nxv_twilio_recording_delete(nxv_twilio *twilio, const char *sid, struct nxv_error *err)
{
	struct twilio_exchange x = TWILIO_EXCHANGE(TWILIO_CHANGE, "DELETE");
	nxv_status status = twilio_check_sid(sid, "RE", "sid", err);

	if (status)
		return status;
	twilio_url(twilio, &x, "/Recordings/%s.json", sid);
	return twilio_ask(twilio, &x, NULL, err);
}
