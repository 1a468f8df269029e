/* errors.c - one table from the library's status to the HTTP code, and the error envelope. */
#include "errors.h"

#include <string.h>

#include "text.h"

static const struct {
	int http;
	bool is_public;
} table[] = {
	[NXV_OK] = { 200, true },
	[NXV_E_INVALID] = { 400, true },
	[NXV_E_UNAUTHENTICATED] = { 401, true },
	[NXV_E_DENIED] = { 403, true },
	[NXV_E_NOT_FOUND] = { 404, true },
	[NXV_E_CONFLICT] = { 409, true },
	[NXV_E_LIMIT] = { 429, true },
	[NXV_E_UNCALLABLE] = { 422, true },
	[NXV_E_UNSUPPORTED] = { 501, true },
	[NXV_E_UNREACHABLE] = { 503, true },
	[NXV_E_TIMEOUT] = { 504, true },
	[NXV_E_NOT_RUNNING] = { 503, true },
	[NXV_E_BUSY] = { 503, false },
	[NXV_E_DEADLOCK] = { 500, false },
	[NXV_E_STORE] = { 500, false },
	[NXV_E_IO] = { 500, false },
	[NXV_E_NOMEM] = { 500, false },
	[NXV_E_INTERNAL] = { 500, false },
};

/* What Twilio refused is no fault of the request's, and what it cannot do now may be asked for again. */
static const struct {
	const char *code;
	int http;
} by_code[] = {
	{ "twilio_auth", 502 },
	{ "twilio_account", 502 },
	{ "twilio_refused", 502 },
	{ "twilio_bad_answer", 502 },
	{ "twilio_failed", 502 },
	{ "twilio_rate_limited", 503 },
};

int error_http_status(const struct nxv_error *err)
{
	for (size_t i = 0; i < sizeof(by_code) / sizeof(by_code[0]); i++)
		if (strcmp(err->code, by_code[i].code) == 0)
			return by_code[i].http;
	return (size_t)err->status < sizeof(table) / sizeof(table[0]) ? table[err->status].http : 500;
}

bool error_is_public(nxv_status status)
{
	return (size_t)status < sizeof(table) / sizeof(table[0]) && table[status].is_public;
}

char *error_body(
	const char *code, const char *message, const struct nxv_problems *problems, const char *request_id, size_t *len)
{
	struct text out;

	text_begin(&out);
	text_add(&out, "{\"success\":false,\"error\":{\"code\":");
	text_add_json(&out, code);
	text_add(&out, ",\"message\":");
	text_add_json(&out, message);
	for (size_t i = 0; problems && i < problems->count; i++) {
		text_add(&out, "%s{\"field\":", i ? "," : ",\"details\":[");
		text_add_json(&out, problems->items[i].field);
		text_add(&out, ",\"problem\":");
		text_add_json(&out, problems->items[i].problem);
		text_add(&out, "}");
	}
	text_add(&out, "%s},\"requestId\":", problems && problems->count ? "]" : "");
	text_add_json(&out, request_id);
	text_add(&out, "}");
	return text_take(&out, len);
}
