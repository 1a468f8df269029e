/* judge.c - what an answer of Twilio's API means: its error numbers as our statuses, and the line between "not created"
 * and "not known". Whatever is not surely on one side is "not known". */
#include "twilio/client.h"

#include "base/error.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { RETRY_DEFAULT_MS = 1000, ERROR_MAX_BYTES = 64 * 1024 };

/* Twilio's error numbers that ask for a reaction of their own. */
static const struct refusal {
	int number; /* or an HTTP status where the answer has no number of ours */
	nxv_status status;
	const char *code, *field, *what_to_do;
} refusals[] = {
	{ 20003, NXV_E_UNREACHABLE, "twilio_auth", "", "check the account SID and its token, or the API key and its secret" },
	{ 10001, NXV_E_UNREACHABLE, "twilio_account", "", "the account is not active (closed, suspended, or without credit): see Twilio's console" },
	{ 20005, NXV_E_UNREACHABLE, "twilio_account", "", "the account is not active (closed, suspended, or without credit): see Twilio's console" },
	{ 21210, NXV_E_UNCALLABLE, "caller_id_not_allowed", "from", "call with a number bought from or verified at Twilio" },
	{ 21212, NXV_E_UNCALLABLE, "caller_id_not_allowed", "from", "call with a number bought from or verified at Twilio" },
	{ 21211, NXV_E_UNCALLABLE, "invalid_destination", "to", "this is no number that can be called: correct it, + and country code first" },
	{ 21214, NXV_E_UNCALLABLE, "invalid_destination", "to", "this number cannot be reached over Twilio: try another one" },
	{ 21217, NXV_E_UNCALLABLE, "invalid_destination", "to", "this is no number that can be called: correct it, + and country code first" },
	{ 13224, NXV_E_UNCALLABLE, "invalid_destination", "to", "this is no number that can be called: correct it, + and country code first" },
	{ 21215, NXV_E_UNCALLABLE, "destination_not_allowed", "to", "allow the country in Twilio's geographic permissions" },
	{ 21216, NXV_E_UNCALLABLE, "destination_not_allowed", "to", "Twilio does not let this account call that number: ask Twilio's support" },
	{ 21219, NXV_E_UNCALLABLE, "destination_not_allowed", "to", "a trial account may call verified numbers only: verify it in Twilio's console, or upgrade the account" },
	{ 21220, NXV_E_CONFLICT, "twilio_call_state", "", "it is no longer in a state for that: fetch it" },
	{ 20404, NXV_E_NOT_FOUND, "not_found", "", "Twilio knows no such call or recording" },
	{ 401, NXV_E_UNREACHABLE, "twilio_auth", "", "check the account SID and its token, or the API key and its secret" },
	{ 403, NXV_E_UNREACHABLE, "twilio_account", "", "the account or the API key may not do this: see its rights in Twilio's console" },
	{ 404, NXV_E_NOT_FOUND, "not_found", "", "Twilio knows no such call or recording" },
};

static const struct refusal *find(int number)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i].number == number)
			return &refusals[i];
	return NULL;
}

/* Foreign text on one line of ours. */
static void one_line(char *dst, size_t size, const char *src)
{
	size_t cut = size - 4;

	if (!text_copy(dst, size, src ? src : "")) {
		while (cut && ((unsigned char)dst[cut] & 0xc0) == 0x80) /* not inside a character */
			cut--;
		memcpy(dst + cut, "...", 4);
	}
	for (char *p = dst; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
}

static nxv_status unknown(const char *why, int detail, struct nxv_error *err)
{
	error_code(err, NXV_E_TIMEOUT, "twilio_unknown",
		"it is not known whether Twilio did it (%s): do not send it again; find out by callback or list", why);
	if (err)
		err->detail = detail;
	return NXV_E_TIMEOUT;
}

nxv_status twilio_not_understood(enum twilio_kind kind, const char *why, struct nxv_error *err)
{
	if (kind == TWILIO_CREATE)
		return unknown(why, 0, err);
	return error_code(err, NXV_E_UNREACHABLE, "twilio_bad_answer",
		"what came back is not an answer of Twilio's API (%s): check the base URL and what stands in between", why);
}

bool nxv_twilio_is_unknown(const struct nxv_error *err)
{
	return err && err->status == NXV_E_TIMEOUT && strcmp(err->code, "twilio_unknown") == 0;
}

static nxv_status no_answer(enum twilio_kind kind, const struct http_result *r, struct nxv_error *err)
{
	if (r->outcome == HTTP_NOT_SENT) {
		error_code(err, NXV_E_UNREACHABLE, "twilio_unreachable", "Twilio cannot be reached, nothing was sent (%s): check the network, then try again", r->message);
		if (err)
			err->retry_after_ms = RETRY_DEFAULT_MS;
		return NXV_E_UNREACHABLE;
	}
	if (kind == TWILIO_CREATE)
		return unknown(r->message, 0, err);
	return error_code(err, NXV_E_TIMEOUT, "twilio_no_answer", "Twilio did not answer: %s", r->message);
}

/* An answer >= 400 that says for sure that nothing was done. */
static nxv_status refused(const struct http_result *r, struct json_object *body, struct nxv_error *err)
{
	int number = (int)json_int(body, "code", 0);
	const struct refusal *row = find(number);
	char said[160];
	nxv_status status;

	one_line(said, sizeof(said), json_text(body, "message"));
	if (!row && body)
		row = find(r->status);
	if (r->status == 429 || number == 20429) {
		status = error_code(err, NXV_E_LIMIT, "twilio_rate_limited", "Twilio takes no more requests for now: %s", said);
		if (err)
			err->retry_after_ms = r->retry_after_ms ? (uint32_t)r->retry_after_ms : RETRY_DEFAULT_MS;
	} else if (row) {
		status = error_code(err, row->status, row->code, "%s (Twilio: %s)", row->what_to_do, said);
		if (err)
			text_copy(err->field, sizeof(err->field), row->field);
	} else if (body) {
		status = error_code(err, NXV_E_INVALID, "twilio_refused", "Twilio refused it: %s", *said ? said : "without a word");
	} else {
		row = find(r->status == 401 ? 401 : 0);
		status = row ? error_code(err, row->status, row->code, "%s", row->what_to_do) :
			       error_code(err, NXV_E_UNREACHABLE, "twilio_bad_answer",
				       "HTTP status %d, but not from Twilio's API: check the base URL and what stands in between", r->status);
	}
	if (err)
		err->detail = number ? number : r->status;
	return status;
}

/* A fault on the other side: it may have been done all the same. */
static nxv_status failed(enum twilio_kind kind, const struct http_result *r, struct json_object *body, struct nxv_error *err)
{
	int detail = (int)json_int(body, "code", r->status);
	char said[160], why[32];

	snprintf(why, sizeof(why), "HTTP status %d", r->status);
	if (kind == TWILIO_CREATE)
		return unknown(why, detail, err);
	one_line(said, sizeof(said), json_text(body, "message"));
	error_code(err, NXV_E_UNREACHABLE, "twilio_failed", "Twilio failed (%s)%s%s; try again later", why, *said ? ": " : "", said);
	if (err) {
		err->detail = detail;
		err->retry_after_ms = r->retry_after_ms ? (uint32_t)r->retry_after_ms : RETRY_DEFAULT_MS;
	}
	return NXV_E_UNREACHABLE;
}

static nxv_status redirected(enum twilio_kind kind, const struct http_result *r, struct nxv_error *err)
{
	/* 303 is the one that says "done, look there". */
	if (kind == TWILIO_CREATE && r->status == 303)
		return unknown("HTTP status 303", r->status, err);
	error_code(err, NXV_E_UNREACHABLE, "twilio_bad_answer",
		"HTTP status %d: redirected, and credentials follow no redirection; set base_url to the address itself", r->status);
	if (err)
		err->detail = r->status;
	return NXV_E_UNREACHABLE;
}

static nxv_status accepted(enum twilio_kind kind, const struct http_result *r, struct json_object **out, struct nxv_error *err)
{
	struct json_object *body = NULL;
	struct nxv_error why = NXV_ERROR_INIT;

	if (!r->complete)
		return twilio_not_understood(kind, r->message, err);
	if (r->status == 204 || !out)
		return NXV_OK;
	if (json_read(r->body.data ? r->body.data : "", r->body.len, r->body.len, &body, &why))
		return twilio_not_understood(kind, why.message, err);
	if (!json_object_is_type(body, json_type_object)) {
		json_object_put(body);
		return twilio_not_understood(kind, "JSON, but no object", err);
	}
	*out = body;
	return NXV_OK;
}

nxv_status twilio_judge(enum twilio_kind kind, const struct http_result *r, struct json_object **out, struct nxv_error *err)
{
	struct json_object *body = NULL;
	nxv_status status;

	if (out)
		*out = NULL;
	if (r->outcome != HTTP_ANSWERED)
		return no_answer(kind, r, err);
	if (r->status / 100 == 2)
		return accepted(kind, r, out, err);
	if (r->status / 100 == 3)
		return redirected(kind, r, err);
	if (r->complete && r->body.len && json_read(r->body.data, r->body.len, ERROR_MAX_BYTES, &body, NULL) == NXV_OK &&
		!json_object_is_type(body, json_type_object)) {
		json_object_put(body);
		body = NULL;
	}
	/* 408 comes from something in between that waited for Twilio, or for us. */
	if (r->status / 100 == 4 && r->status != 408)
		status = refused(r, body, err);
	else
		status = failed(kind, r, body, err);
	json_object_put(body);
	return status;
}
