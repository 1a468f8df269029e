/* errors.c - the errors that Twilio documents for what is simulated here. */
#include "errors.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* %s in the words: what is at fault. */
static const struct row {
	int code, status;
	const char *words;
} rows[] = {
	{ 13224, 400, "Dial: Twilio does not support calling this number or the number is invalid: %s" },
	{ 20001, 400, "Unknown parameter: %s" },
	{ 20003, 401, "Authenticate" },
	{ 20004, 405, "Method not allowed" },
	{ 20005, 403, "Account is not active" },
	{ 20009, 409, "Cannot delete this resource in its current state" },
	{ 20404, 404, "The requested resource %s was not found" },
	{ 20422, 400, "Invalid parameter: %s" },
	{ 20429, 429, "Too Many Requests" },
	{ 20500, 500, "An internal server error has occurred" },
	{ 20503, 503, "Service unavailable" },
	{ 21201, 400, "No 'To' number is specified" },
	{ 21205, 400, "Url is not a valid URL: %s" },
	{ 21208, 400, "SendDigits are invalid: %s" },
	{ 21210, 400, "The source phone number provided, %s, is not yet verified for your account. You may only make calls from phone numbers "
		      "that you've verified or purchased from Twilio." },
	{ 21211, 400, "The phone number you are attempting to call, %s, is not valid." },
	{ 21212, 400, "The source phone number provided, %s, is not valid." },
	{ 21213, 400, "A 'From' phone number is required to make this call" },
	{ 21214, 400, "The phone number you are attempting to call, %s, cannot be reached." },
	{ 21215, 400, "Account not authorized to call %s. Perhaps you need to enable some international permissions." },
	{ 21216, 400, "Account not allowed to call %s. Number is blacklisted." },
	{ 21217, 400, "The phone number you provided, %s, does not appear to be valid" },
	{ 21218, 400, "ApplicationSid is not valid: %s" },
	{ 21219, 400, "The number %s is unverified. Trial accounts may only make calls to verified numbers." },
	{ 21220, 400, "Call is not in-progress. Cannot redirect." },
	{ 21609, 400, "The StatusCallback URL %s is not a valid URL." },
};

static const struct row *find(int code)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

void refuse(struct refusal *refusal, int code, const char *about)
{
	const struct row *row = find(code);
	const char *words = row ? row->words : "Refused", *gap = strstr(words, "%s");

	refusal->code = code;
	refusal->status = row ? row->status : 400;
	if (gap)
		snprintf(refusal->message, sizeof(refusal->message), "%.*s%.80s%s", (int)(gap - words), words, about, gap + 2);
	else
		text_copy(refusal->message, sizeof(refusal->message), words);
}

void refuse_with(struct refusal *refusal, int code, const char *fmt, ...)
{
	const struct row *row = find(code);
	va_list args;

	refusal->code = code;
	refusal->status = row ? row->status : 400;
	va_start(args, fmt);
	vsnprintf(refusal->message, sizeof(refusal->message), fmt, args);
	va_end(args);
}

void refusal_answer(struct job *job, const struct refusal *refusal)
{
	struct json_object *json = json_object_new_object();
	char info[64];
	char *text;

	snprintf(info, sizeof(info), "https://www.twilio.com/docs/errors/%d", refusal->code);
	json_object_object_add(json, "code", json_object_new_int(refusal->code));
	json_object_object_add(json, "message", json_object_new_string(refusal->message));
	json_object_object_add(json, "more_info", json_object_new_string(info));
	json_object_object_add(json, "status", json_object_new_int(refusal->status));
	text = text_dup(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
	if (refusal->status == 401)
		job_header(job, "WWW-Authenticate", "Basic realm=\"Twilio API\"");
	job_answer(job, refusal->status, "application/json;charset=utf-8", text, text ? strlen(text) : 0);
}
