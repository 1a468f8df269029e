/* api.c - routes, credentials and faults of the API; what an operation does is in call_api.c and recording_api.c. */
#include "api.h"

#include "base/digest.h"
#include "base/text.h"
#include "faults.h"

#include <stdlib.h>
#include <string.h>

static const struct route {
	const char *method, *pattern; /* %s: a sid */
	const struct param *params;
	api_fn *run;
	unsigned on; /* which faults can strike */
} routes[] = {
	{ "GET", "", params_none, account_fetch, FAULT_ON_FETCH },
	{ "POST", "Calls", params_create, call_create, FAULT_ON_CREATE },
	{ "GET", "Calls", params_list, call_list, FAULT_ON_LIST },
	{ "GET", "Calls/%", params_none, call_fetch, FAULT_ON_FETCH },
	{ "POST", "Calls/%", params_update, call_update, FAULT_ON_UPDATE },
	{ "DELETE", "Calls/%", params_none, call_delete, FAULT_ON_UPDATE },
	{ "POST", "Calls/%/Recordings", params_recording_create, recording_create, FAULT_ON_RECORDING },
	{ "GET", "Calls/%/Recordings", params_recording_list, recording_list, FAULT_ON_LIST },
	{ "GET", "Calls/%/Recordings/%", params_none, recording_fetch, FAULT_ON_FETCH },
	{ "POST", "Calls/%/Recordings/%", params_recording_update, recording_update, FAULT_ON_RECORDING },
	{ "DELETE", "Calls/%/Recordings/%", params_none, recording_delete, FAULT_ON_RECORDING },
	{ "GET", "Recordings", params_recording_list, recording_list, FAULT_ON_LIST },
	{ "GET", "Recordings/%", params_recording_fetch, recording_fetch, FAULT_ON_FETCH },
	{ "DELETE", "Recordings/%", params_none, recording_delete, FAULT_ON_RECORDING },
};

/* An answer that waits. */
struct later {
	struct later *next;
	struct sandbox *sandbox;
	struct job *job;
	struct loop_timer *timer;
	int status;
	const char *type;
	char *body;
	size_t len;
};

static void base64(const char *text, struct buf *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i += 3) {
		unsigned long bits = (unsigned long)(unsigned char)text[i] << 16;
		char quad[4];

		bits |= i + 1 < len ? (unsigned long)(unsigned char)text[i + 1] << 8 : 0;
		bits |= i + 2 < len ? (unsigned char)text[i + 2] : 0;
		quad[0] = letters[bits >> 18];
		quad[1] = letters[bits >> 12 & 63];
		quad[2] = i + 1 < len ? letters[bits >> 6 & 63] : '=';
		quad[3] = i + 2 < len ? letters[bits & 63] : '=';
		buf_append(out, quad, 4);
	}
}

static bool is_login(const struct job *job, const char *user, const char *password)
{
	struct buf expected = BUF_INIT;
	char *plain = text_printf("%s:%s", user, password);
	bool same = false;

	buf_str(&expected, "Basic ");
	if (plain)
		base64(plain, &expected);
	if (plain && !expected.failed && job->authorization && strlen(job->authorization) == expected.len)
		same = digest_equal(job->authorization, expected.data, expected.len);
	text_wipe_free(plain);
	buf_wipe(&expected);
	return same;
}

bool api_authentic(const struct sandbox *sandbox, const struct job *job)
{
	const struct sandbox_opts *o = &sandbox->opts;

	return is_login(job, o->account_sid, o->auth_token) || (o->key_sid && o->key_secret && is_login(job, o->key_sid, o->key_secret));
}

/* Match "Calls/CA.../Recordings" with "Calls/%/Recordings"; the sids are cut out of path. */
static bool match(const char *pattern, char *path, const char *sids[2])
{
	size_t found = 0;

	for (;; pattern++) {
		if (*pattern == '%') {
			sids[found++] = path;
			path += strcspn(path, "/");
		} else if (*pattern != *path) {
			return false;
		} else if (!*pattern) {
			break;
		} else {
			path++;
		}
	}
	return true;
}

static const struct route *find_route(struct ask *ask, char *path)
{
	bool known = false;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const char *sids[2] = { NULL, NULL };

		if (!match(routes[i].pattern, path, sids))
			continue;
		known = true;
		if (strcmp(routes[i].method, ask->job->method) != 0)
			continue;
		for (size_t k = 0; k < 2; k++)
			if (sids[k])
				((char *)(uintptr_t)sids[k])[strcspn(sids[k], "/")] = '\0';
		ask->sid = sids[0];
		ask->below = sids[1];
		return &routes[i];
	}
	refuse(&ask->refusal, known ? 20004 : 20404, ask->job->path);
	return NULL;
}

/* "/2010-04-01/Accounts/AC.../rest.json" to its rest. path is cut to pieces. */
static char *rest_of(struct ask *ask, char *path)
{
	char prefix[80], *rest, *dot;
	size_t len = (size_t)snprintf(prefix, sizeof(prefix), "/2010-04-01/Accounts/%s", ask->sandbox->opts.account_sid);

	if (strncmp(path, prefix, len) != 0 || (path[len] != '/' && path[len] != '.'))
		return NULL;
	rest = path + len;
	dot = strrchr(rest, '.');
	ask->suffix = "";
	if (dot) {
		*dot = '\0';
		ask->suffix = dot + 1;
	}
	return *rest == '/' ? rest + 1 : rest;
}

static bool is_form(const struct job *job)
{
	static const char type[] = "application/x-www-form-urlencoded";

	return job->len == 0 || (job->content_type && strncmp(job->content_type, type, sizeof(type) - 1) == 0);
}

static const struct route *prepare(struct ask *ask, char *path)
{
	const struct route *route;
	const struct param *params;
	const char *text;
	char *rest;
	bool post = strcmp(ask->job->method, "POST") == 0;

	if (!api_authentic(ask->sandbox, ask->job)) {
		refuse(&ask->refusal, 20003, "");
		return NULL;
	}
	rest = rest_of(ask, path);
	if (!rest) {
		refuse(&ask->refusal, 20404, ask->job->path);
		return NULL;
	}
	route = find_route(ask, rest);
	if (!route)
		return NULL;
	if (strcmp(ask->suffix, "json") != 0) {
		if (route->run != recording_fetch || ask->below || (*ask->suffix && word_index("wav mp3", ask->suffix, strlen(ask->suffix)) < 0)) {
			refuse(&ask->refusal, 20404, ask->job->path);
			return NULL;
		}
	}
	params = strcmp(ask->suffix, "json") == 0 ? route->params : params_media;
	text = post ? ask->job->body : ask->job->query;
	if (post && !is_form(ask->job))
		refuse_with(&ask->refusal, 20001, "The body must be application/x-www-form-urlencoded");
	else if (form_parse(text, strlen(text), &ask->form, NULL) != NXV_OK)
		refuse_with(&ask->refusal, 20001, "The parameters cannot be read");
	else if (params_check(params, &ask->form, &ask->refusal))
		return route;
	return NULL;
}

static void send_later(void *arg)
{
	struct later *later = arg, **at = &later->sandbox->laters;

	while (*at != later)
		at = &(*at)->next;
	*at = later->next;
	job_answer(later->job, later->status, later->type, later->body, later->len);
	loop_timer_free(later->timer);
	free(later);
}

static void answer(struct ask *ask, int status, const char *type, char *body, size_t len, int64_t delay_ms)
{
	struct later *later = delay_ms > 0 ? calloc(1, sizeof(*later)) : NULL;

	if (later)
		later->timer = loop_timer_new(ask->sandbox->loop, send_later, later);
	if (!later || !later->timer) {
		free(later);
		job_answer(ask->job, status, type, body, len);
		return;
	}
	later->sandbox = ask->sandbox;
	later->job = ask->job;
	later->status = status;
	later->type = type;
	later->body = body;
	later->len = len;
	later->next = ask->sandbox->laters;
	ask->sandbox->laters = later;
	loop_timer_start(later->timer, (uint64_t)delay_ms);
}

void api_close(struct sandbox *sandbox)
{
	struct later *later, *next;

	for (later = sandbox->laters; later; later = next) {
		next = later->next;
		free(later->body);
		job_reset(later->job);
		loop_timer_free(later->timer);
		free(later);
	}
	sandbox->laters = NULL;
}

static void answer_html(struct job *job)
{
	char *page = text_dup("<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center>"
			      "</body>\r\n</html>\r\n");

	job_answer(job, 502, "text/html", page, page ? strlen(page) : 0);
}

/* A fault that keeps the operation from being done. True: answered. */
static bool struck_before(struct ask *ask, const struct fault_hit *hit)
{
	struct refusal refusal = { 0 };
	char seconds[16];

	switch (hit->kind) {
	case FAULT_RATE_LIMIT:
		snprintf(seconds, sizeof(seconds), "%d", hit->retry_after_s);
		job_header(ask->job, "Retry-After", seconds);
		refuse(&refusal, 20429, "");
		break;
	case FAULT_UNAVAILABLE:
		refuse(&refusal, 20503, "");
		break;
	case FAULT_RESET_BEFORE_COMMIT:
		job_reset(ask->job);
		return true;
	case FAULT_HTML:
		answer_html(ask->job);
		return true;
	default:
		return false;
	}
	refusal_answer(ask->job, &refusal);
	return true;
}

static void answer_done(struct ask *ask, int64_t delay_ms)
{
	char *text = ask->raw;
	size_t len = ask->raw_len;

	if (ask->json) {
		text = text_dup(json_object_to_json_string_ext(ask->json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		len = text ? strlen(text) : 0;
	}
	ask->raw = NULL;
	answer(ask, ask->status ? ask->status : 200, ask->json ? "application/json;charset=utf-8" : ask->raw_type, text, len, delay_ms);
}

/* It was done, or refused; a fault may keep the word of it. */
static void conclude(struct ask *ask, const struct fault_hit *hit)
{
	struct refusal refusal = { 0 };

	switch (hit->kind) {
	case FAULT_RESET_AFTER_COMMIT:
		job_reset(ask->job);
		return;
	case FAULT_HTML_AFTER_COMMIT:
		answer_html(ask->job);
		return;
	case FAULT_ERROR_AFTER_COMMIT:
		refuse(&refusal, 20500, "");
		refusal_answer(ask->job, &refusal);
		return;
	default:
		break;
	}
	if (hit->kind == FAULT_LIST_LAG && ask->created)
		ask->created->visible_ms = loop_now_ms() + hit->delay_ms;
	if (ask->refusal.code)
		refusal_answer(ask->job, &ask->refusal);
	else
		answer_done(ask, hit->kind == FAULT_SLOW ? hit->delay_ms : 0);
}

void api_serve(struct sandbox *sandbox, struct job *job)
{
	struct ask ask = { .sandbox = sandbox, .job = job };
	char *path = text_dup(job->path);
	const struct route *route = path ? prepare(&ask, path) : NULL;
	struct fault_hit hit = { 0 };
	const char *to = param_text(&ask.form, "To");

	if (route && route->on == FAULT_ON_CREATE)
		sandbox->create_requests++;
	if (!route) {
		refusal_answer(job, &ask.refusal);
	} else {
		(void)faults_hit(sandbox, route->on, to ? to : "", "", &hit);
		if (!struck_before(&ask, &hit)) {
			route->run(&ask);
			conclude(&ask, &hit);
		}
	}
	json_object_put(ask.json);
	free(ask.raw);
	form_free(&ask.form);
	free(path);
}

bool api_paging(struct ask *ask, struct paging *paging)
{
	const char *token = param_text(&ask->form, "PageToken");

	paging->number = param_number(&ask->form, "Page", 0);
	paging->size = param_number(&ask->form, "PageSize", 50);
	paging->after = token && strncmp(token, "PA", 2) == 0 ? token + 2 : NULL;
	if (token && !paging->after)
		refuse(&ask->refusal, 20422, "PageToken");
	return !ask->refusal.code;
}

char *api_filters(const char *query)
{
	struct buf out = BUF_INIT;

	for (size_t n; *query; query += n + (query[n] == '&')) {
		n = strcspn(query, "&");
		if (n && strncmp(query, "Page", 4) != 0) {
			buf_str(&out, "&");
			buf_append(&out, query, n);
		}
	}
	buf_str(&out, "");
	return buf_take(&out);
}
