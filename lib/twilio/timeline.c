/* timeline.c - what a call's timeline shows of Twilio: the requests about it, what came back, and the webhooks, refused ones
 * too. Tokens of legs and the calls that a list shows of others are left out. */
#include "twilio/inside.h"

#include <inttypes.h>
#include <string.h>

#include "base/leg_token.h"
#include "trace/trace_log.h"
#include "twilio/form.h"
#include "twilio/webhook.h"

enum { REFUSED_MAX = 20, SAID_MAX = 120 };

/* Text with the secret part of every leg's address left out. */
static void put_masked(struct buf *out, const char *text)
{
	static const char mark[] = LEG_TOKEN_HEADER "=";
	const char *at;

	for (; (at = strstr(text, mark)); text = at) {
		at += strlen(mark);
		buf_append(out, text, (size_t)(at - text));
		buf_str(out, "(left out)");
		at += strcspn(at, "&\"'<> \t\r\n");
	}
	buf_str(out, text);
}

/* What follows the account in a URL: "/Calls.json". */
static const char *path_of(const struct tw_call *call, const char *url)
{
	const char *account = call->carrier->client->account_sid, *at = url ? strstr(url, account) : NULL;

	return at ? at + strlen(account) : "";
}

static void note(struct tw_call *call, bool sent, struct buf *summary, struct buf *detail)
{
	if (!summary->failed && !detail->failed && summary->data)
		trace_note(call->carrier->opts.trace, call->intent.session_id, NXV_TRACE_TWILIO, 0, sent, summary->data, detail->data);
	buf_free(summary);
	buf_free(detail);
}

void timeline_request(struct tw_call *call, const struct twilio_exchange *x)
{
	struct buf summary = BUF_INIT, detail = BUF_INIT;
	struct form form = { 0 };

	call->asked_ms = loop_now_ms();
	call->method = x->method;
	if (!call->carrier->opts.trace || !x->url.data)
		return;
	buf_printf(&summary, "%s %s", x->method, path_of(call, x->url.data));
	if (x->kind == TWILIO_CHANGE && x->form.data)
		buf_printf(&summary, " %s", x->form.data);
	buf_printf(&detail, "%s ", x->method);
	put_masked(&detail, x->url.data);
	if (x->form.len && form_parse(x->form.data, x->form.len, &form, NULL) == NXV_OK)
		for (size_t i = 0; i < form.count; i++) {
			buf_printf(&detail, "\n%s: ", form.params[i].name);
			put_masked(&detail, form.params[i].value);
		}
	form_free(&form);
	note(call, true, &summary, &detail);
}

/* Twilio's answer when it is good: a call with all that is said of it, or how many a list holds. */
static void put_good(struct buf *summary, struct buf *detail, struct json_object *json)
{
	struct json_object *list = json ? json_object_object_get(json, "calls") : NULL;
	const char *status = json_text(json, "status"), *sid = json_text(json, "sid");

	if (list && json_object_is_type(list, json_type_array))
		buf_printf(summary, ": %zu calls", json_object_array_length(list));
	if (!status || !sid)
		return;
	buf_printf(summary, ": %.20s, %.40s", status, sid);
	json_object_object_del(json, "subresource_uris"); /* nine more paths that say nothing */
	put_masked(detail, json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
}

void timeline_answer(struct tw_call *call, const struct http_result *result, struct json_object *json, const struct nxv_error *err)
{
	const int64_t ms = loop_now_ms() - call->asked_ms;
	struct buf summary = BUF_INIT, detail = BUF_INIT;

	if (!call->carrier->opts.trace)
		return;
	if (result->outcome != HTTP_ANSWERED) {
		buf_printf(&summary, "%s (%s, %" PRId64 " ms): %s", result->outcome == HTTP_NOT_SENT ? "not sent" : "no answer", call->method,
			ms, result->message);
	} else {
		buf_printf(&summary, "%d (%s, %" PRId64 " ms)", result->status, call->method, ms);
		if (err->status == NXV_OK)
			put_good(&summary, &detail, json);
		else if (err->detail && err->detail != result->status)
			buf_printf(&summary, ", Twilio's %d: %.*s", err->detail, SAID_MAX, err->message);
		else
			buf_printf(&summary, ": %.*s", SAID_MAX, err->message);
	}
	if (err->status != NXV_OK)
		buf_str(&detail, err->message);
	note(call, false, &summary, &detail);
}

void timeline_found(struct tw_call *call, const char *sid)
{
	trace_notef(call->carrier->opts.trace, call->intent.session_id, NXV_TRACE_TWILIO, 0, false, "found in Twilio's list: %s", sid);
}

/* --- webhooks --- */

static char leg_of(bool callee_first, bool child)
{
	return child != callee_first ? 'b' : 'a';
}

void timeline_callback(struct tw_call *call, const struct callback *cb)
{
	const bool child = cb->parent_sid != NULL;
	const struct twilio_leg *leg = child ? &call->facts.child : &call->facts.parent;
	char says[WEBHOOK_WORDS_BYTES], detail[WEBHOOK_DETAIL_BYTES];
	struct buf summary = BUF_INIT;

	if (!call->carrier->opts.trace || call->taking_up)
		return;
	webhook_words(cb, says, detail);
	buf_printf(&summary, "webhook%s: %s", cb->sequence >= 0 && cb->sequence < leg->sequence ? ", late" : "", says);
	if (!summary.failed)
		trace_note(call->carrier->opts.trace, call->intent.session_id, NXV_TRACE_TWILIO,
			cb->dial_status ? 0 : leg_of(call->intent.callee_first, child), false, summary.data, detail);
	buf_free(&summary);
}

/* Whoever holds the URL of a webhook may send what he likes: of what is refused, a call's timeline takes so much only. */
void timeline_refused(struct tw_call *call, const struct twilio_note *n)
{
	if (call->refused > REFUSED_MAX)
		return;
	if (++call->refused > REFUSED_MAX)
		trace_note(call->carrier->opts.trace, n->session_id, NXV_TRACE_TWILIO, 0, false, "(more refused webhooks are not kept)", NULL);
	else
		trace_note(call->carrier->opts.trace, n->session_id, NXV_TRACE_TWILIO, 0, false, n->summary, n->detail);
}

void timeline_stray(const struct twilio_carrier *carrier, const struct twilio_note *n)
{
	trace_note(carrier->opts.trace, n->session_id, NXV_TRACE_TWILIO, 0, false, n->summary, n->detail);
}
