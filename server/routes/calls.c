/* calls.c - calls over HTTP (guide, section 2): placed and ended while the connection waits suspended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "routes/routes.h"
#include "text.h"

enum { END_WAIT_MS = 2000 };

static void answer_session(struct exchange *x, int http_status, const struct nxv_session *session)
{
	answer_ok(x, http_status, "session", nxv_json_session(session));
}

struct nxv_session *call_find(struct exchange *x, const char *id)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_session *session = NULL;
	nxv_status status = nxv_session_get(x->ctx, id, &session, &err);

	if (status == NXV_OK && owner_may(x, session->user_id)) {
		nxv_gate_about(x->pass, session->id);
		return session;
	}
	if (status == NXV_OK || status == NXV_E_NOT_FOUND)
		owner_not_found(x, "call");
	else
		answer_error(x, &err);
	nxv_session_free(session);
	return NULL;
}

/* An error of a request that left a session all the same: its id is in the details. */
static void answer_failed(struct exchange *x, const struct nxv_session *session, int status, const char *code, const char *message)
{
	struct nxv_problems problems = { .count = 1 };

	snprintf(problems.items[0].field, sizeof(problems.items[0].field), "sessionId");
	snprintf(problems.items[0].problem, sizeof(problems.items[0].problem), "%.100s ended: %.40s", session->id,
		session->end_reason);
	answer_problem(x, status, code, message, &problems);
}

static void answer_call_limit(struct exchange *x)
{
	struct nxv_error err = { .status = NXV_E_LIMIT, .retry_after_ms = 5000 };

	snprintf(err.code, sizeof(err.code), "call_limit");
	snprintf(err.message, sizeof(err.message),
		"This user has as many simultaneous calls as allowed; end one, or try again when one has ended.");
	answer_error(x, &err);
}

/* What kept Twilio from taking it is told as the error that it is, the wrong number or caller ID named. */
static bool answer_refused(struct exchange *x, const struct nxv_session *session)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_session_error(session, &err) == NXV_OK)
		return false;
	answer_error_of(x, &err, session->id);
	return true;
}

/* A call that the SIP server refused before anything rang is an error of the request; all else is a call with its
 * state. */
static void answer_placed(struct exchange *x, const struct nxv_session *session)
{
	const char *reason =
		session->status == NXV_CALL_FAILED && session->ringing_at_ms == 0 ? session->end_reason : NULL;

	if (answer_refused(x, session))
		return;
	if (reason && strcmp(reason, "caller_not_registered") == 0)
		answer_failed(x, session, 409, "phone_not_registered",
			"No phone of this user is registered: register one with its SIP credentials, then call again.");
	else if (reason && strcmp(reason, "media_incompatible") == 0)
		answer_failed(x, session, 422, "media_incompatible",
			"One party has only browsers registered and the other only plain phones, which share no way to send sound: "
			"register a phone of the other's kind, then call again.");
	else if (reason && strcmp(reason, "server_lost") == 0)
		answer_failed(x, session, 502, "sip_server_lost",
			"The SIP server did not take the call, and nothing rang: see GET /api/v1/opensips/health, then call again.");
	else if (reason && strcmp(reason, "call_limit") == 0)
		answer_call_limit(x);
	else
		answer_session(x, 201, session);
}

/* Rings, ended, or still neither after the wait: the call is answered as it is now. */
static void placed(struct exchange *x, const struct nxv_completion *done)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_session *session = NULL;

	(void)done;
	if (nxv_session_get(x->ctx, x->subject, &session, &err) == NXV_OK)
		answer_placed(x, session);
	else
		answer_error(x, &err);
	nxv_session_free(session);
}

void call_initiate(struct exchange *x)
{
	struct nxv_call_opts opts = NXV_CALL_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_session *session = NULL;

	opts.user_id = x->pass->user_id;
	opts.key_id = x->pass->key_id;
	opts.from_number = x->body->from_number;
	opts.to_number = x->body->to_number;
	opts.use_twilio = x->body->use_twilio;
	opts.auto_answer = x->body->auto_answer;
	opts.callee_first = x->body->callee_first;
	opts.request_id = x->request_id;
	if (nxv_session_start(x->ctx, &opts, &session, &err) != NXV_OK) {
		answer_error(x, &err);
		return;
	}
	x->placed = true;
	nxv_gate_about(x->pass, session->id);
	exchange_wait(x, session->id, placed);
	if (x->app->initiate_wait_ms == 0 || !x->subject ||
		nxv_session_wait_async(
			x->lane->inbox, session->id, NXV_UNTIL_RINGING, x->app->initiate_wait_ms, x, &err) != NXV_OK) {
		x->resume = NULL;
		answer_session(x, 201, session);
	}
	nxv_session_free(session);
}

void call_show(struct exchange *x)
{
	struct nxv_session *session = call_find(x, x->param);

	if (session)
		answer_session(x, 200, session);
	nxv_session_free(session);
}

static void ended(struct exchange *x, const struct nxv_completion *done)
{
	struct nxv_session *session = call_find(x, x->param);

	(void)done;
	if (session)
		answer_session(x, 200, session);
	nxv_session_free(session);
}

void call_end(struct exchange *x)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_session *session = call_find(x, x->param);

	if (!session)
		return;
	if (nxv_call_status_ended(session->status))
		answer_session(x, 200, session);
	else if (nxv_session_end(x->ctx, session->id, &err) == NXV_OK &&
		 nxv_session_wait_async(x->lane->inbox, session->id, NXV_UNTIL_ENDED, END_WAIT_MS, x, &err) == NXV_OK)
		exchange_wait(x, NULL, ended);
	else
		answer_error(x, &err);
	nxv_session_free(session);
}

enum { FORMAT_JSON, FORMAT_CSV, FORMAT_JSONL };
static const char *const formats[] = { "json", "csv", "jsonl", NULL };

/* Records for a spreadsheet or another program. Only the first page has the line of names, so that pages can be joined. */
static void answer_records(struct exchange *x, size_t format, const struct nxv_session_page *list)
{
	struct text out;
	bool whole = true;

	text_begin(&out);
	for (size_t i = format == FORMAT_CSV && !query_get(x, "cursor") ? 0 : 1; i <= list->count && whole; i++) {
		const struct nxv_session *call = i ? list->items[i - 1] : NULL;
		char *line = format == FORMAT_CSV ? nxv_csv_session(call) : nxv_json_session(call);
		whole = line;
		text_add(&out, format == FORMAT_CSV ? "%s" : "%s\n", line ? line : "");
		free(line);
	}
	char *body = text_take(&out, NULL);
	if (!whole) {
		free(body);
		body = NULL;
	}
	answer_lines(x, format == FORMAT_CSV ? "text/csv; charset=utf-8" : "application/jsonl", body, list->next_cursor);
}

void call_list(struct exchange *x)
{
	size_t format;
	struct nxv_session_list_opts opts = NXV_SESSION_LIST_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_session_page *list = NULL;

	if (!owner_filter(x, &opts.user_id) || !query_limit(x, &opts.limit) ||
		!query_time(x, "since", &opts.since_ms) || !query_time(x, "until", &opts.until_ms) ||
		!query_word(x, "format", formats, &format))
		return;
	opts.status = query_get(x, "status");
	opts.cursor = query_get(x, "cursor");
	if (nxv_session_list(x->ctx, &opts, &list, &err) != NXV_OK)
		answer_error(x, &err);
	else if (format == FORMAT_JSON)
		answer_page(x, "calls", nxv_json_sessions(list), list->next_cursor);
	else
		answer_records(x, format, list);
	nxv_session_page_free(list);
}
