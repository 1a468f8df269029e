/* answer.c - the way out of every request: usage row, idempotent answer, headers, counters, access line, bytes. */
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "exchange.h"
#include "log.h"
#include "metrics.h"
#include "text.h"

/* Who was here, for the access line. NULL for who holds no known key: nobody without one can fill the disk. */
static char *visitor(const struct exchange *x)
{
	struct text line;

	if (!x->pass || !x->pass->key_id)
		return NULL;
	text_begin(&line);
	text_add(&line, "request_id=");
	text_add_logged(&line, x->request_id);
	text_add(&line, " key=");
	text_add_logged(&line, x->pass->key_id);
	text_add(&line, " user=");
	text_add_logged(&line, x->pass->user_id ? x->pass->user_id : "-");
	text_add(&line, " method=%s route=%s", x->route->method, x->route->pattern);
	return text_take(&line, NULL);
}

/* Frees who. */
static void log_access(const struct exchange *x, char *who, int status, size_t len, int64_t us)
{
	struct text line;
	char *fields;

	if (!who)
		return;
	text_begin(&line);
	text_add(&line, "%s status=%d bytes=%zu us=%lld client=%s", who, status, len, (long long)us, http_client(x->http));
	fields = text_take(&line, NULL);
	if (fields)
		log_fields(NXV_LOG_INFO, "access", fields);
	free(fields);
	free(who);
}

static void rate_headers(struct exchange *x)
{
	char value[64];

	if (!x->pass || x->pass->rate_limit == 0)
		return;
	snprintf(value, sizeof(value), "\"minute\";q=%u;w=60", x->pass->rate_limit);
	http_answer_header(x->http, "RateLimit-Policy", value);
	snprintf(value, sizeof(value), "\"minute\";r=%u;t=%u", x->pass->rate_remaining,
		(x->pass->rate_reset_ms + 999) / 1000);
	http_answer_header(x->http, "RateLimit", value);
}

static void common_headers(struct exchange *x, size_t len)
{
	http_answer_header(x->http, "X-Request-Id", x->request_id);
	if (len > 0)
		http_answer_header(x->http, "Content-Type", x->type ? x->type : "application/json");
	if (strncmp(http_path(x->http), "/api/", 5) == 0)
		http_answer_header(x->http, "Cache-Control", "no-store");
}

/* The stored answer is what a repeat gets. Failures are forgotten, so that the client may try again, unless a call was
 * placed. */
static void settle_idempotency(struct exchange *x, int status, const char *body)
{
	struct nxv_error err = NXV_ERROR_INIT;
	bool keep = (status >= 200 && status < 300) || (x->placed && status >= 500);

	if (!x->idempotency_key)
		return;
	if (nxv_idempotency_finish(x->ctx, x->pass->key_id, x->idempotency_key, status, keep ? body : NULL, &err) !=
		NXV_OK)
		log_write(NULL, NXV_LOG_ERROR, "http", err.message);
	x->idempotency_key = NULL;
}

/* Leave the gate. False when the use could not be recorded: what is not on record is not answered. */
static bool leave(struct exchange *x, int status, size_t len)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_pass *pass = x->pass;

	x->pass = NULL;
	if (nxv_gate_leave(x->ctx, pass, status, (int64_t)len, &err) == NXV_OK)
		return true;
	log_write(NULL, NXV_LOG_ERROR, "usage", err.message);
	return false;
}

static void finish(struct exchange *x, int status, char *owned, const char *body, size_t len)
{
	char *who = visitor(x);
	int64_t us;

	settle_idempotency(x, status, body);
	rate_headers(x);
	if (x->pass && !leave(x, status, len)) {
		if (owned)
			explicit_bzero(owned, len);
		free(owned);
		status = 500;
		body = owned = error_body("internal_error",
			"This request could not be recorded, so it is not answered; try again.", NULL, x->request_id,
			&len);
	}
	common_headers(x, len);
	us = http_now_us() - http_began_us(x->http);
	log_access(x, who, status, len, us);
	metrics_request(x->route, status, us);
	if (owned)
		http_answer(x->http, status, owned, len);
	else
		http_answer_static(x->http, status, body ? body : "", body ? len : 0);
}

void answer_stream(struct exchange *x, int status, struct http_stream *stream, int64_t len)
{
	const size_t announced = len < 0 ? 0 : (size_t)len;
	char *who = visitor(x);
	int64_t us;

	rate_headers(x);
	if (x->pass && !leave(x, status, announced)) {
		free(who);
		answer_problem(x, 500, "internal_error", "This request could not be recorded, so it is not answered; try again.", NULL);
		return;
	}
	common_headers(x, 1);
	us = http_now_us() - http_began_us(x->http);
	log_access(x, who, status, announced, us);
	metrics_request(x->route, status, us);
	http_answer_stream(x->http, status, stream, len);
}

void answer_json(struct exchange *x, int status, char *body, size_t len)
{
	static const char nomem[] = "{\"success\":false,\"error\":{\"code\":\"no_memory\",\"message\":\"The server is "
				    "out of memory; try again.\"}}";

	if (body)
		finish(x, status, body, body, len);
	else
		finish(x, 500, NULL, nomem, sizeof(nomem) - 1);
}

void answer_static(struct exchange *x, int status, const char *body, size_t len)
{
	finish(x, status, NULL, body, len);
}

void answer_ok(struct exchange *x, int status, const char *name, char *json)
{
	struct text out;
	char *body;
	size_t len;

	if (name && !json) {
		answer_json(x, 500, NULL, 0);
		return;
	}
	text_begin(&out);
	if (name)
		text_add(&out, "{\"success\":true,\"%s\":%s}", name, json);
	else
		text_add(&out, "{\"success\":true}");
	body = text_take(&out, &len);
	if (json)
		explicit_bzero(json, strlen(json));
	free(json);
	answer_json(x, status, body, len);
}

/* The same request with the next cursor, for clients that follow links (RFC 8288). */
static void link_header(struct exchange *x, const char *cursor)
{
	struct text out;
	char *value;

	text_begin(&out);
	text_add(&out, "<%s?", http_path(x->http));
	for (size_t i = 0; i < x->queries; i++) {
		if (strcmp(x->query[i].name, "cursor") == 0)
			continue;
		text_add(&out, "%s=", x->query[i].name);
		text_add_escaped(&out, x->query[i].value);
		text_add(&out, "&");
	}
	text_add(&out, "cursor=");
	text_add_escaped(&out, cursor);
	text_add(&out, ">; rel=\"next\"");
	value = text_take(&out, NULL);
	if (value)
		http_answer_header(x->http, "Link", value);
	free(value);
}

void answer_page(struct exchange *x, const char *name, char *json, const char *cursor)
{
	struct text out;
	char *body;
	size_t len;

	if (!json) {
		answer_json(x, 500, NULL, 0);
		return;
	}
	text_begin(&out);
	text_add(&out, "{\"success\":true,\"%s\":%s", name, json);
	if (cursor) {
		text_add(&out, ",\"nextCursor\":");
		text_add_json(&out, cursor);
		link_header(x, cursor);
	}
	text_add(&out, "}");
	body = text_take(&out, &len);
	free(json);
	answer_json(x, 200, body, len);
}

void answer_lines(struct exchange *x, const char *type, char *body, const char *cursor)
{
	if (body && cursor)
		link_header(x, cursor);
	if (body)
		x->type = type;
	answer_json(x, body ? 200 : 500, body, body ? strlen(body) : 0);
}

void answer_problem(
	struct exchange *x, int status, const char *code, const char *message, const struct nxv_problems *problems)
{
	size_t len;
	char *body;

	if (status == 401)
		http_answer_header(x->http, "WWW-Authenticate", "Bearer");
	body = error_body(code, message, problems, x->request_id, &len);
	answer_json(x, status, body, len);
}

static void retry_after(struct exchange *x, uint32_t ms)
{
	char value[16];

	snprintf(value, sizeof(value), "%u", ms ? (ms + 999) / 1000 : 1);
	http_answer_header(x->http, "Retry-After", value);
}

/* A fault that only the library could find reads like one found in the body. */
static void answer_field(struct exchange *x, const struct nxv_error *err)
{
	struct nxv_problems problems = { .count = 1 };
	char message[sizeof(err->field) + sizeof(err->message) + 2];

	memcpy(problems.items[0].field, err->field, sizeof(err->field));
	snprintf(problems.items[0].problem, sizeof(problems.items[0].problem), "%.159s", err->message);
	if (err->status == NXV_E_UNCALLABLE) {
		answer_problem(x, 422, err->code, err->message, &problems);
		return;
	}
	snprintf(message, sizeof(message), "%s: %s", err->field, err->message);
	answer_problem(x, 400, "bad_request", message, &problems);
}

static void add_detail(struct nxv_problems *problems, const char *field, const char *problem)
{
	struct nxv_problem *item = &problems->items[problems->count++];

	snprintf(item->field, sizeof(item->field), "%s", field);
	snprintf(item->problem, sizeof(item->problem), "%.159s", problem);
}

void answer_error_of(struct exchange *x, const struct nxv_error *err, const char *session_id)
{
	struct nxv_problems problems = { 0 };
	char sentence[160];
	int status = error_http_status(err);

	if (status == 429 || status == 503)
		retry_after(x, err->retry_after_ms);
	if (err->field[0])
		add_detail(&problems, err->field, err->code);
	snprintf(sentence, sizeof(sentence), "%.100s ended: failed", session_id);
	add_detail(&problems, "sessionId", sentence);
	answer_problem(x, status, err->code, err->message, &problems);
}

void answer_error(struct exchange *x, const struct nxv_error *err)
{
	static const char quiet[] = "The server failed at this; its log tells more under this requestId.";
	int status = error_http_status(err);
	const char *code = err->code[0] ? err->code : nxv_status_name(err->status);

	if (status == 429 || status == 503)
		retry_after(x, err->retry_after_ms);
	if ((err->status == NXV_E_INVALID || err->status == NXV_E_UNCALLABLE) && err->field[0]) {
		answer_field(x, err);
		return;
	}
	if (error_is_public(err->status)) {
		answer_problem(x, status, code, err->message, NULL);
		return;
	}
	log_write(NULL, NXV_LOG_ERROR, "http", err->message);
	if (status == 503)
		answer_problem(x, status, code, "The server is busy; try again in a moment.", NULL);
	else
		answer_problem(x, status, "internal_error", quiet, NULL);
}
