/* cmd_call.c - `nexusctl call show|list|export|end|watch`: calls as they are and as they go. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "call.h"
#include "commands.h"
#include "output.h"
#include "watch.h"

enum { END_TIMEOUT_MS = 5000, LIST_DEFAULT = 100 };

void call_outcome(const struct nxv_session *call, char *buf, size_t size)
{
	const char *reason = call->end_reason ? call->end_reason : "";

	if (strcmp(reason, "media_incompatible") == 0 && call->ringing_at_ms == 0)
		reason = "media_incompatible: a browser and a plain phone share no way to send sound";
	if (call->sip_code)
		snprintf(buf, size, "%s (%s%sSIP %d)", nxv_call_status_name(call->status), reason, *reason ? ", " : "", call->sip_code);
	else
		snprintf(buf, size, "%s%s%s%s", nxv_call_status_name(call->status), *reason ? " (" : "", reason, *reason ? ")" : "");
}

static void sip_cause(char *buf, size_t size, int code, const char *reason)
{
	snprintf(buf, size, "SIP %d%s%s", code, reason ? " " : "", reason ? reason : "");
}

int call_show(const struct app *app, const struct nxv_session *call)
{
	char started[32], ringing[32], answered[32], ended[32], duration[24], outcome[128], caller[160], callee[160],
		place[24];
	const struct out_pair pairs[] = {
		{ "id", call->id },
		{ "status", outcome },
		{ "direction", call->direction },
		{ "from", call->from_number },
		{ "to", call->to_number },
		{ "user", call->user_id },
		{ "phone", call->sip_username },
		{ "key", call->key_id },
		{ "Twilio call", call->twilio_call_sid },
		{ "place in line", call->queue_position ? place : NULL },
		{ "held up by", nxv_call_status_ended(call->status) ? NULL : call->error_message },
		{ "failed because", nxv_call_status_ended(call->status) ? call->error_message : NULL },
		{ "caller's phone", call->caller_sip_code ? caller : NULL },
		{ "callee's phone", call->callee_sip_code ? callee : NULL },
		{ "answered by", call->answered_contact },
		{ "request", call->request_id },
		{ "started", out_time(call->started_at_ms, started) },
		{ "ringing", call->ringing_at_ms ? out_time(call->ringing_at_ms, ringing) : NULL },
		{ "answered", call->answered_at_ms ? out_time(call->answered_at_ms, answered) : NULL },
		{ "ended", call->ended_at_ms ? out_time(call->ended_at_ms, ended) : NULL },
		{ "duration", call->answered_at_ms ? duration : NULL },
	};

	if (app->json)
		return out_json(app, nxv_json_session(call));
	call_outcome(call, outcome, sizeof(outcome));
	sip_cause(caller, sizeof(caller), call->caller_sip_code, call->caller_sip_reason);
	sip_cause(callee, sizeof(callee), call->callee_sip_code, call->callee_sip_reason);
	snprintf(duration, sizeof(duration), "%" PRId64 " s", call->duration_seconds);
	snprintf(place, sizeof(place), "%" PRId64, call->queue_position);
	out_record(pairs, sizeof(pairs) / sizeof(pairs[0]));
	return RC_DONE;
}

int cmd_call_show(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_session *call = NULL;
	int rc;

	if (nxv_session_get(app->ctx, app->operand, &call, &err) != NXV_OK)
		return out_error(app, &err);
	rc = call_show(app, call);
	nxv_session_free(call);
	return rc;
}

static nxv_status page(struct out_list *list, void *arg, unsigned limit, char **cursor, struct nxv_error *err)
{
	struct nxv_session_list_opts *opts = arg;
	struct nxv_session_page *calls = NULL;

	opts->limit = limit;
	opts->cursor = *cursor;
	nxv_status status = nxv_session_list(list->app->ctx, opts, &calls, err);
	for (size_t i = 0; status == NXV_OK && i < calls->count; i++) {
		const struct nxv_session *call = calls->items[i];
		char started[32], seconds[24];
		const char *cells[] = { call->id, nxv_call_status_name(call->status), call->user_id, call->from_number, call->to_number,
			out_time(call->started_at_ms, started), call->answered_at_ms ? seconds : NULL, call->end_reason };
		snprintf(seconds, sizeof(seconds), "%" PRId64, call->duration_seconds);
		out_list_add(list, cells, list->app->json ? nxv_json_session(call) : NULL);
	}
	out_next_cursor(cursor, calls ? &calls->next_cursor : NULL);
	nxv_session_page_free(calls);
	return status;
}

static int read_filter(struct app *app, struct nxv_session_list_opts *opts)
{
	int rc = args_time(app, "since", &opts->since_ms);

	if (rc == RC_DONE)
		rc = args_time(app, "until", &opts->until_ms);
	opts->user_id = args_value(app, "user");
	opts->status = args_value(app, "status");
	return rc;
}

int cmd_call_list(struct app *app)
{
	static const char *const heads[] = { "ID", "STATUS", "USER", "FROM", "TO", "STARTED", "SECONDS", "END REASON", NULL };
	struct nxv_session_list_opts opts = NXV_SESSION_LIST_OPTS_INIT;
	long limit = LIST_DEFAULT;
	int rc = args_number(app, "limit", 1, 1000000, &limit);

	if (rc == RC_DONE)
		rc = read_filter(app, &opts);
	return rc == RC_DONE ? out_pages(app, heads, limit, page, &opts) : rc;
}

static nxv_status export_page(struct out_export *export, void *arg, char **cursor, struct nxv_error *err)
{
	struct nxv_session_list_opts *opts = arg;
	struct nxv_session_page *calls = NULL;

	opts->cursor = *cursor;
	nxv_status status = nxv_session_list(export->app->ctx, opts, &calls, err);
	for (size_t i = 0; status == NXV_OK && i < calls->count; i++)
		out_export_add(export, export->csv ? nxv_csv_session(calls->items[i]) : nxv_json_session(calls->items[i]));
	out_next_cursor(cursor, calls ? &calls->next_cursor : NULL);
	nxv_session_page_free(calls);
	return status;
}

int cmd_call_export(struct app *app)
{
	struct nxv_session_list_opts opts = NXV_SESSION_LIST_OPTS_INIT;
	struct out_export export = { .app = app };
	int rc = out_export_format(app, &export.csv);

	if (rc == RC_DONE)
		rc = read_filter(app, &opts);
	if (rc != RC_DONE)
		return rc;
	opts.oldest_first = true;
	opts.limit = EXPORT_PAGE;
	return out_export_pages(&export, export.csv ? nxv_csv_session(NULL) : NULL, export_page, &opts);
}

int cmd_call_end(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_session *call = NULL;
	nxv_status status;
	int rc;

	if (nxv_session_end(app->ctx, app->operand, &err) != NXV_OK)
		return out_error(app, &err);
	/* without an engine a call that had ended already cannot be waited for, only read */
	status = nxv_session_wait(app->ctx, app->operand, NXV_UNTIL_ENDED, END_TIMEOUT_MS, &call, &err);
	if (status == NXV_E_NOT_RUNNING)
		status = nxv_session_get(app->ctx, app->operand, &call, &err);
	rc = call ? call_show(app, call) : RC_DONE;
	if (status != NXV_OK)
		rc = out_error(app, &err);
	nxv_session_free(call);
	return rc;
}

/* Whether the call watched had ended before the last look at the events: then all of them have been printed. */
static int check_ended(const struct app *app, bool *ended)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_session *call = NULL;

	if (nxv_session_get(app->ctx, app->operand, &call, &err) != NXV_OK)
		return out_error(app, &err);
	*ended = nxv_call_status_ended(call->status);
	nxv_session_free(call);
	return RC_DONE;
}

int cmd_call_watch(struct app *app)
{
	struct nxv_event_opts opts = NXV_EVENT_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	bool ended = false;
	size_t count = 0;
	int rc = RC_DONE;

	opts.subject = app->operand;
	if (!app->operand && watch_last(app->ctx, &opts.after_seq, &err) != NXV_OK)
		return out_error(app, &err);
	app_catch_signals();
	while (rc == RC_DONE && !app_interrupted()) {
		if (app->operand)
			rc = check_ended(app, &ended);
		if (rc == RC_DONE)
			rc = watch_new(app, &opts, app->operand ? NULL : "call.", &count);
		if (count == 0 && ended)
			break;
		if (count == 0)
			watch_pause();
	}
	return rc;
}
