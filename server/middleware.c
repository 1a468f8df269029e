/* middleware.c - what every request passes, in order, before its route: see steps[]. Each step either lets it go on or
 * answers. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include "errors.h"
#include "exchange.h"
#include "log.h"
#include "media.h"
#include "metrics.h"
#include "text.h"

/* A new request id holds 96 random bits. */
static void make_id(char *id, size_t room)
{
	unsigned char bytes[12] = { 0 };
	int n = snprintf(id, room, "req_");

	(void)!getrandom(bytes, sizeof(bytes), 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		n += snprintf(id + n, room - (size_t)n, "%02x", bytes[i]);
}

static bool take_request_id(struct exchange *x)
{
	const char *given = http_header(x->http, "X-Request-Id");

	if (given && text_is_visible(given, sizeof(x->request_id) - 1))
		memcpy(x->request_id, given, strlen(given) + 1);
	else
		make_id(x->request_id, sizeof(x->request_id));
	return true;
}

static bool refuse_fault(struct exchange *x)
{
	const struct http_fault *fault = http_fault(x->http);

	/* One that is only too big is well-formed: its key is checked first, so that the use is on record. */
	if (fault->status == 0 || fault->status == 413)
		return true;
	metrics_malformed();
	answer_problem(x, fault->status, fault->code, fault->message, NULL);
	return false;
}

static bool origin_allowed(const struct exchange *x, const char *origin)
{
	size_t len = strlen(origin);

	for (const char *at = x->app->cors_origins; *at;) {
		size_t word = strcspn(at, ", \t");

		if ((word == 1 && *at == '*') || (word == len && strncasecmp(at, origin, len) == 0))
			return true;
		at += word;
		at += strspn(at, ", \t");
	}
	return false;
}

static bool share_with_origin(struct exchange *x)
{
	const char *origin = http_header(x->http, "Origin");

	if (!x->app->cors_origins[0])
		return true;
	http_answer_header(x->http, "Vary", "Origin");
	if (!origin || !text_is_visible(origin, 256) || !origin_allowed(x, origin))
		return true;
	http_answer_header(x->http, "Access-Control-Allow-Origin", origin);
	http_answer_header(x->http, "Access-Control-Expose-Headers",
		"X-Request-Id, RateLimit, RateLimit-Policy, Retry-After, Idempotent-Replayed, Link, Accept-Ranges, Content-Range, "
		"Content-Disposition");
	if (strcmp(http_method(x->http), "OPTIONS") == 0 && http_header(x->http, "Access-Control-Request-Method")) {
		http_answer_header(x->http, "Access-Control-Allow-Methods", "GET, POST, PATCH, DELETE");
		http_answer_header(x->http, "Access-Control-Allow-Headers",
			"Authorization, Content-Type, Idempotency-Key, Range, X-Request-Id");
		http_answer_header(x->http, "Access-Control-Max-Age", "600");
	}
	return true;
}

static bool find_route(struct exchange *x)
{
	bool options = strcmp(http_method(x->http), "OPTIONS") == 0;

	router_find(http_method(x->http), http_path(x->http), &x->match);
	x->route = x->match.route;
	x->param = x->match.param;
	if (x->route)
		return true;
	if (options && strcmp(http_path(x->http), "*") == 0) {
		answer_static(x, 204, NULL, 0);
	} else if (!x->match.allow[0]) {
		answer_problem(
			x, 404, "not_found", "There is nothing at this path; /openapi.json lists what there is.", NULL);
	} else {
		http_answer_header(x->http, "Allow", x->match.allow);
		if (options)
			answer_static(x, 204, NULL, 0);
		else
			answer_problem(x, 405, "method_not_allowed",
				"This path does not take this method; the Allow header lists those it takes.", NULL);
	}
	return false;
}

static bool enter_gate(struct exchange *x)
{
	struct nxv_gate_opts opts = NXV_GATE_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;

	if (x->route->flags & ROUTE_OPEN)
		return true;
	opts.authorization = http_header(x->http, "Authorization");
	opts.permissions = x->route->permissions;
	opts.method = http_method(x->http);
	opts.route = x->route->pattern;
	opts.request_id = x->request_id;
	opts.client_address = http_client(x->http);
	if (nxv_gate_enter(x->ctx, &opts, &x->pass, &err) == NXV_OK)
		return true;
	if (err.status == NXV_E_UNAUTHENTICATED && (!x->pass || !x->pass->key_id))
		metrics_unknown_key();
	answer_error(x, &err);
	return false;
}

static bool refuse_size(struct exchange *x)
{
	const struct http_fault *fault = http_fault(x->http);

	if (fault->status == 0)
		return true;
	answer_problem(x, fault->status, fault->code, fault->message, NULL);
	return false;
}

static bool takes_body(const struct exchange *x)
{
	return !(x->route->flags & ROUTE_RAW) && (strcmp(x->route->method, "POST") == 0 || strcmp(x->route->method, "PATCH") == 0);
}

static bool check_type(struct exchange *x)
{
	const char *type = http_header(x->http, "Content-Type");
	size_t len, word = type ? strcspn(type, "; \t") : 0;

	http_body(x->http, &len);
	if (len == 0 || !takes_body(x) || (word == 16 && strncasecmp(type, "application/json", 16) == 0))
		return true;
	answer_problem(
		x, 415, "unsupported_media_type", "Send the body as JSON, with Content-Type: application/json.", NULL);
	return false;
}

static bool check_query(struct exchange *x)
{
	struct nxv_problems problems = { 0 };

	if (query_read(x, &problems))
		return true;
	if (problems.count)
		answer_problem(x, 400, "bad_request", "Parameters are wrong; see details.", &problems);
	else
		answer_json(x, 500, NULL, 0);
	return false;
}

static bool check_body(struct exchange *x)
{
	struct nxv_problems problems = { 0 };
	struct nxv_error err = NXV_ERROR_INIT;
	const char *text;
	size_t len;

	if (!takes_body(x))
		return true;
	text = http_body(x->http, &len);
	if (nxv_body_parse(x->route->body, text, len, &x->body, &problems, &err) == NXV_OK)
		return true;
	if (err.status == NXV_E_INVALID)
		answer_problem(x, 400, err.code, err.message, &problems);
	else
		answer_error(x, &err);
	return false;
}

/* The route as Idempotency-Keys know it: a key used on one id does not fit another. */
static void idempotency_route(const struct exchange *x, char *buf, size_t room)
{
	snprintf(buf, room, "%s %s", x->route->method, http_path(x->http));
}

static bool replay(struct exchange *x)
{
	const char *key = http_header(x->http, "Idempotency-Key");
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_replay what = NXV_REPLAY_NEW;
	char route[256], *answer = NULL;
	const char *body;
	int status = 0;
	size_t len;

	if (!key || !(x->route->flags & ROUTE_CREATES))
		return true;
	body = http_body(x->http, &len);
	idempotency_route(x, route, sizeof(route));
	if (nxv_idempotency_begin(x->ctx, x->pass->key_id, route, key, body, len, &what, &status, &answer, &err) !=
		NXV_OK) {
		answer_error(x, &err);
		return false;
	}
	if (what == NXV_REPLAY_STORED) {
		http_answer_header(x->http, "Idempotent-Replayed", "true");
		answer_json(x, status, answer, answer ? strlen(answer) : 0);
		return false;
	}
	x->idempotency_key = key;
	return true;
}

static bool run_route(struct exchange *x)
{
	x->route->handle(x);
	return true;
}

static bool (*const steps[])(struct exchange *) = {
	take_request_id,
	refuse_fault,
	share_with_origin,
	find_route,
	enter_gate,
	refuse_size,
	check_type,
	check_query,
	check_body,
	replay,
	run_route,
};

void exchange_serve(void *user, struct http_request *req)
{
	struct lane *lane = user;
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x) {
		http_answer_static(req, 503, "", 0);
		return;
	}
	x->app = lane->app;
	x->lane = lane;
	x->ctx = lane->app->ctx;
	x->http = req;
	http_set_data(req, x);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!steps[i](x))
			return;
}

void exchange_wait(
	struct exchange *x, const char *subject, void (*resume)(struct exchange *, const struct nxv_completion *))
{
	free(x->subject);
	x->subject = subject ? strdup(subject) : NULL;
	x->resume = resume;
}

void exchange_resume(struct exchange *x, const struct nxv_completion *done)
{
	void (*go)(struct exchange *, const struct nxv_completion *) = x->resume;

	x->resume = NULL;
	if (go)
		go(x, done);
}

static void run_work(void *token)
{
	struct exchange *x = token;

	x->work(x);
}

bool exchange_try_aside(struct exchange *x, struct aside *at, const char *subject, void (*work)(struct exchange *),
	void (*go)(struct exchange *, const struct nxv_completion *))
{
	x->work = work;
	x->at = at;
	exchange_wait(x, subject, go);
	if ((!subject || x->subject) && aside_run(at, run_work, x))
		return true;
	x->work = NULL;
	x->resume = NULL;
	return false;
}

void exchange_aside(struct exchange *x, struct aside *at, const char *subject, void (*work)(struct exchange *),
	void (*go)(struct exchange *, const struct nxv_completion *))
{
	struct nxv_error err = {
		.status = NXV_E_BUSY, .code = "busy", .message = "too many requests wait for the SIP server, or for Twilio"
	};

	if (!exchange_try_aside(x, at, subject, work, go))
		answer_error(x, &err);
}

void exchange_wake(void *user)
{
	struct lane *lane = user;
	struct nxv_completion done;
	struct exchange *x;
	uint64_t count;

	while (nxv_inbox_next(lane->inbox, &done))
		exchange_resume(done.token, &done);
	(void)!read(lane->bell, &count, sizeof(count));
	while ((x = aside_next(lane->aside)) || (x = aside_next(lane->twilio)) || (x = aside_next(lane->store)))
		exchange_resume(x, &x->done);
	media_wake(lane);
}

void exchange_hurry(void *user, struct http_request *req)
{
	struct nxv_completion done = {
		.token = http_data(req), .status = NXV_E_TIMEOUT, .error = { .status = NXV_E_TIMEOUT }
	};
	struct exchange *x = done.token;

	(void)user;
	snprintf(done.error.code, sizeof(done.error.code), "stopping");
	snprintf(done.error.message, sizeof(done.error.message), "The server is being stopped; ask again in a moment.");
	if (x->work) /* the other thread still uses x */
		aside_settle(x->at);
	media_leave(x->media);
	x->media = NULL;
	exchange_resume(x, x->work ? &x->done : &done);
}

void exchange_done(void *user, struct http_request *req)
{
	struct exchange *x = http_data(req);

	(void)user;
	if (!x)
		return;
	if (x->pass) /* never answered: its client left, or the server ended */
		nxv_gate_leave(x->ctx, x->pass, 499, 0, NULL);
	media_leave(x->media);
	nxv_body_free(x->body);
	free(x->query_text);
	free(x->subject);
	free(x);
}

char *exchange_malformed(void *user, int status, char *id)
{
	static const struct {
		int status;
		const char *code, *message;
	} words[] = {
		{ 408, "request_timeout", "The request took too long to arrive; send it at once." },
		{ 413, "body_too_large", "A request body holds at most 64 KiB." },
		{ 414, "uri_too_long", "A request target holds at most 4096 bytes." },
		{ 431, "headers_too_large", "The request's head is too large; send fewer or shorter headers." },
		{ 505, "http_version", "Speak HTTP/1.1." },
	};
	const char *code = "bad_framing", *message = "The request is malformed; send it as RFC 9112 says.";

	(void)user;
	make_id(id, 64);
	metrics_malformed();
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].status == status) {
			code = words[i].code;
			message = words[i].message;
		}
	return error_body(code, message, NULL, id, NULL);
}
