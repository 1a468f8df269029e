/* callbacks.c - deliveries: one at a time per call, so that without faults they come in order. "#rc=5&rp=all" after a URL
 * asks for repetitions, as with Twilio; without, one more attempt is made when no connection came about. */
#include "callbacks.h"

#include "base/error.h"
#include "base/text.h"
#include "faults.h"
#include "http/http.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 15000, CONNECT_MS = 5000, PAUSE_MS = 1000, HELD_MS = 10000 };
enum { RETRY_CONNECT = 1, RETRY_READ = 2, RETRY_4XX = 4, RETRY_5XX = 8, RETRY_ALL = 15 };

struct delivery {
	struct delivery *next;
	struct callbacks *callbacks;
	char call_sid[SID_SIZE], event[24], token[48], signature[32];
	char *url, *form;
	bool get, busy, late, held, second;
	unsigned left, policy;
	struct loop_timer *timer;
	struct http_transfer *transfer;
	callbacks_fn *fn;
	void *arg;
};

struct callbacks {
	struct sandbox *sandbox;
	struct http *http;
	struct delivery *first, **last;
	struct callback_counts counts;
};

static void begin(struct delivery *d);

static void delivery_free(struct delivery *d)
{
	if (d->transfer)
		http_cancel(d->transfer);
	loop_timer_free(d->timer);
	free(d->url);
	free(d->form);
	free(d);
}

static void unlink_delivery(struct delivery *d)
{
	struct callbacks *c = d->callbacks;
	struct delivery **at = &c->first;

	while (*at && *at != d)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = d->next;
	if (c->last == &d->next)
		c->last = at;
}

/* Late and held ones are out of the line. */
static bool in_line(const struct delivery *d)
{
	return !d->late && !d->held;
}

/* Begin the first of this call that waits, unless one is under way. One that is held goes after it. */
static void advance(struct callbacks *c, const char *call_sid)
{
	for (struct delivery *d = c->first; d; d = d->next) {
		if (!in_line(d) || strcmp(d->call_sid, call_sid) != 0)
			continue;
		if (!d->busy)
			begin(d);
		return;
	}
}

/* A later one of the same call has gone out: what was held back for it follows. */
static void release_held(struct callbacks *c, const char *call_sid)
{
	for (struct delivery *d = c->first; d; d = d->next)
		if (d->held && strcmp(d->call_sid, call_sid) == 0) {
			d->held = false;
			d->late = true;
			begin(d);
			return;
		}
}

static void finish(struct delivery *d)
{
	struct callbacks *c = d->callbacks;
	char sid[SID_SIZE];
	bool was_in_line = in_line(d);

	memcpy(sid, d->call_sid, sizeof(sid));
	unlink_delivery(d);
	delivery_free(d);
	if (was_in_line) {
		release_held(c, sid);
		advance(c, sid);
	}
}

static bool again(const struct delivery *d, const struct http_result *r)
{
	if (!d->left)
		return false;
	if (r->outcome == HTTP_NOT_SENT)
		return d->policy & RETRY_CONNECT;
	if (r->outcome == HTTP_NO_ANSWER)
		return d->policy & RETRY_READ;
	return r->status >= 500 ? d->policy & RETRY_5XX : r->status >= 400 ? d->policy & RETRY_4XX : false;
}

static void on_done(void *user, struct http_result *r)
{
	struct delivery *d = user;
	struct callbacks *c = d->callbacks;
	bool good = r->outcome == HTTP_ANSWERED && r->status / 100 == 2;
	char why[200];

	d->transfer = NULL;
	if (good)
		c->counts.delivered++;
	else if (r->outcome == HTTP_ANSWERED)
		c->counts.refused++;
	else
		c->counts.failed++;
	if (again(d, r)) {
		d->left--;
		loop_timer_start(d->timer, sandbox_scaled(c->sandbox, PAUSE_MS));
		return;
	}
	if (d->fn && r->outcome == HTTP_ANSWERED)
		snprintf(why, sizeof(why), "HTTP status %d", r->status);
	else
		snprintf(why, sizeof(why), "%s", r->message);
	if (!good)
		fprintf(stderr, "nexus-sandbox: %s of %s: %s\n", d->event, d->call_sid,
			r->outcome == HTTP_ANSWERED ? "refused by the callback's server" : r->message);
	if (d->fn)
		d->fn(d->arg, good && r->body.data ? r->body.data : good ? "" : NULL, r->body.len, why);
	finish(d);
}

static void on_timer(void *arg)
{
	struct delivery *d = arg;

	if (d->held) { /* nothing came to go before it */
		d->held = false;
		d->late = true;
	}
	begin(d);
}

static void begin(struct delivery *d)
{
	struct callbacks *c = d->callbacks;
	char signature[64], token[96];
	const char *headers[5] = { signature, token, NULL };
	struct http_request request = { .method = d->get ? "GET" : "POST", .url = d->url, .headers = headers,
		.body = d->get ? NULL : d->form, .body_len = d->get ? 0 : strlen(d->form), .connect_timeout_ms = CONNECT_MS,
		.first_byte_timeout_ms = ANSWER_MS, .total_timeout_ms = ANSWER_MS, .max_body_bytes = TWIML_MAX };

	snprintf(signature, sizeof(signature), "X-Twilio-Signature: %s", d->signature);
	snprintf(token, sizeof(token), "I-Twilio-Idempotency-Token: %s", d->token);
	if (!d->get)
		headers[2] = "Content-Type: application/x-www-form-urlencoded; charset=UTF-8";
	d->busy = true;
	c->counts.sent++;
	if (http_start(c->http, &request, on_done, d, &d->transfer, NULL) == NXV_OK)
		return;
	c->counts.failed++;
	if (d->fn)
		d->fn(d->arg, NULL, 0, "the URL cannot be used");
	finish(d);
}

/* "...#rc=2&rp=4xx,rt": how often, and after what. */
static void read_overrides(struct delivery *d, const char *fragment)
{
	const char *count = strstr(fragment, "rc="), *policy = strstr(fragment, "rp=");
	size_t len;

	if (count && count[3] >= '0' && count[3] <= '5')
		d->left = (unsigned)(count[3] - '0');
	if (!policy)
		return;
	d->policy = 0;
	for (policy += 3; *policy && *policy != '&'; policy += len + (policy[len] == ',')) {
		len = strcspn(policy, ",&");
		if (len == 3 && strncmp(policy, "all", 3) == 0)
			d->policy |= RETRY_ALL;
		else if (len == 3 && strncmp(policy, "4xx", 3) == 0)
			d->policy |= RETRY_4XX;
		else if (len == 3 && strncmp(policy, "5xx", 3) == 0)
			d->policy |= RETRY_5XX;
		else if (len == 2 && strncmp(policy, "ct", 2) == 0)
			d->policy |= RETRY_CONNECT;
		else if (len == 2 && strncmp(policy, "rt", 2) == 0)
			d->policy |= RETRY_READ;
	}
}

static struct delivery *delivery_new(struct call *call, const struct target *target, const char *event, const struct pairs *pairs)
{
	struct callbacks *c = call->sandbox->callbacks;
	struct delivery *d = calloc(1, sizeof(*d));
	size_t bare = strcspn(target->url, "#");
	char sid[SID_SIZE];

	if (!d)
		return NULL;
	d->callbacks = c;
	d->get = target->get;
	d->left = 1;
	d->policy = RETRY_CONNECT;
	read_overrides(d, target->url + bare);
	memcpy(d->call_sid, call->sid, sizeof(d->call_sid));
	text_copy(d->event, sizeof(d->event), event);
	sandbox_sid("ID", sid);
	snprintf(d->token, sizeof(d->token), "%.8s-%.4s-%.4s-%.4s-%.12s", sid + 2, sid + 10, sid + 14, sid + 18, sid + 22);
	d->form = pairs_form(pairs);
	d->timer = loop_timer_new(c->sandbox->loop, on_timer, d);
	if (d->form && d->get)
		d->url = text_printf("%.*s%c%s", (int)bare, target->url, memchr(target->url, '?', bare) ? '&' : '?', d->form);
	else
		d->url = text_printf("%.*s", (int)bare, target->url);
	if (!d->form || !d->url || !d->timer ||
		!pairs_sign(d->get ? &(struct pairs){ 0 } : pairs, c->sandbox->opts.auth_token, d->url, d->signature)) {
		delivery_free(d);
		return NULL;
	}
	return d;
}

static void append(struct callbacks *c, struct delivery *d)
{
	*c->last = d;
	c->last = &d->next;
}

/* True when a fault took it. */
static bool disturbed(struct delivery *d, const struct call *call)
{
	struct callbacks *c = d->callbacks;
	struct fault_hit hit;

	if (!faults_hit(c->sandbox, FAULT_ON_CALLBACK, call->to, d->event, &hit))
		return false;
	switch (hit.kind) {
	case FAULT_CALLBACK_LOST:
		c->counts.lost++;
		delivery_free(d);
		return true;
	case FAULT_CALLBACK_LATE:
		c->counts.late++;
		d->late = true;
		append(c, d);
		loop_timer_start(d->timer, (uint64_t)hit.delay_ms);
		return true;
	case FAULT_CALLBACK_REORDERED:
		c->counts.reordered++;
		d->held = true;
		append(c, d);
		loop_timer_start(d->timer, HELD_MS);
		return true;
	default:
		c->counts.doubled++;
		d->second = true;
		return false;
	}
}

void callbacks_send(struct call *call, const struct target *target, const char *event, const struct pairs *pairs,
	callbacks_fn *fn, void *arg)
{
	struct callbacks *c = call->sandbox->callbacks;
	struct delivery *d = delivery_new(call, target, event, pairs), *twin;

	if (!d) {
		if (fn)
			fn(arg, NULL, 0, "out of memory");
		return;
	}
	d->fn = fn;
	d->arg = arg;
	if (!fn && disturbed(d, call))
		return;
	append(c, d);
	twin = d->second ? delivery_new(call, target, event, pairs) : NULL;
	if (twin) {
		memcpy(twin->token, d->token, sizeof(d->token));
		append(c, twin);
	}
	advance(c, call->sid);
}

void callbacks_forget(struct callbacks *callbacks, const void *arg)
{
	for (struct delivery *d = callbacks->first; d; d = d->next)
		if (d->arg == arg)
			d->fn = NULL;
}

const struct callback_counts *callbacks_counts(const struct callbacks *callbacks)
{
	return &callbacks->counts;
}

struct callbacks *callbacks_open(struct sandbox *sandbox, struct nxv_error *err)
{
	struct callbacks *c = calloc(1, sizeof(*c));

	if (!c) {
		error_nomem(err);
		return NULL;
	}
	c->sandbox = sandbox;
	c->last = &c->first;
	if (http_open(&(struct http_opts){ .user_agent = "TwilioProxy/1.1", .max_connections = 32 }, &c->http, err) != NXV_OK ||
		http_attach(c->http, sandbox->loop, err) != NXV_OK) {
		callbacks_close(c);
		return NULL;
	}
	return c;
}

void callbacks_close(struct callbacks *callbacks)
{
	struct delivery *next;

	if (!callbacks)
		return;
	for (struct delivery *d = callbacks->first; d; d = next) {
		next = d->next;
		delivery_free(d);
	}
	http_close(callbacks->http);
	free(callbacks);
}
