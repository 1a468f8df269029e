/* fixture_driver.c - the driver's operations, made synchronous for the test's thread, and the events it received. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "fixture_inside.h"

enum { EVENTS_MAX = 512, WAIT_MS = 3000 };

struct seen {
	enum sip_event_kind kind;
	int code;
	char call_id[128], session[80], leg[4], owner[80], from[80], to[80], who[16], contact[128], reason[80];
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct seen seen[EVENTS_MAX];
static size_t seen_count;
static int gaps;
static pthread_t thread;

static void on_event(void *arg, const struct sip_event *ev)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	if (seen_count < EVENTS_MAX) {
		struct seen *s = &seen[seen_count++];

		*s = (struct seen){ .kind = ev->kind, .code = ev->code };
		text_copy(s->call_id, sizeof(s->call_id), ev->call_id);
		text_copy(s->session, sizeof(s->session), ev->session);
		text_copy(s->leg, sizeof(s->leg), ev->leg);
		text_copy(s->owner, sizeof(s->owner), ev->owner);
		text_copy(s->from, sizeof(s->from), ev->from_user);
		text_copy(s->to, sizeof(s->to), ev->to_user);
		text_copy(s->who, sizeof(s->who), ev->who);
		text_copy(s->contact, sizeof(s->contact), ev->contact);
		text_copy(s->reason, sizeof(s->reason), ev->reason);
	}
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void on_gap(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	gaps++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* ---- the loop's thread */
struct start {
	struct fixture *f;
	const struct env *env;
	bool done;
};

static void *run_loop(void *arg)
{
	struct start *start = arg;
	struct fixture *f = start->f;
	const struct sip_sink sink = { .event = on_event, .gap = on_gap };
	struct nxv_error err = NXV_ERROR_INIT;

	if (loop_open(&f->loop, &err) != NXV_OK || f->driver->open(start->env, f->loop, &f->set, &sink, &f->server, &err) != NXV_OK)
		fprintf(stderr, "driver: %s\n", err.message);
	pthread_mutex_lock(&lock);
	start->done = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	if (f->server) {
		loop_run(f->loop, NULL);
		f->driver->close(f->server);
	}
	loop_close(f->loop);
	return NULL;
}

void fixture_loop_start(struct fixture *f, const struct env *env)
{
	struct start start = { .f = f, .env = env };

	seen_count = 0;
	gaps = 0;
	assert_int_equal(pthread_create(&thread, NULL, run_loop, &start), 0);
	pthread_mutex_lock(&lock);
	while (!start.done)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	assert_non_null(f->server);
}

void fixture_loop_stop(struct fixture *f)
{
	loop_stop(f->loop);
	pthread_join(thread, NULL);
}

/* ---- one operation at a time */
struct wait {
	struct fixture *f;
	const char *key;
	int64_t since_ms;
	void (*start)(struct wait *w);
	nxv_status status;
	bool done;
	struct sip_status out;
	struct buf text;
};

static void finished(struct wait *w, nxv_status status, const struct nxv_error *err)
{
	pthread_mutex_lock(&lock);
	w->status = status;
	w->done = true;
	if (status != NXV_OK && (!err || err->status != status || !*err->message))
		fprintf(stderr, "a failure without its error\n"), abort();
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void on_done(void *arg, nxv_status status, const struct nxv_error *err)
{
	finished(arg, status, err);
}

static void on_status(void *arg, nxv_status status, const struct sip_status *out, const struct nxv_error *err)
{
	struct wait *w = arg;

	if (out)
		w->out = *out;
	finished(w, status, err);
}

static void on_dialogs(void *arg, nxv_status status, const struct sip_dialog *items, size_t count, const struct nxv_error *err)
{
	struct wait *w = arg;

	for (size_t i = 0; i < count; i++)
		buf_printf(&w->text, "%s %s %s %s %s %s %s\n", items[i].call_id, items[i].session, items[i].leg, items[i].owner,
			items[i].from_user, items[i].to_user, items[i].confirmed && items[i].started_at_ms > 0 ? "confirmed" : "early");
	finished(w, status, err);
}

static void on_contacts(void *arg, nxv_status status, const struct sip_contact *items, size_t count, const struct nxv_error *err)
{
	struct wait *w = arg;

	for (size_t i = 0; i < count; i++)
		buf_printf(&w->text, "%s %s%s\n", items[i].username, items[i].contact,
			items[i].expires_seconds > 0 && items[i].expires_seconds <= 3600 ? "" : " WRONG EXPIRES");
	finished(w, status, err);
}

/* invited, ringing, answered, ended: in that order, and none of them hours ago. */
static bool in_order(const struct sip_ending *e)
{
	return e->invited_at_ms > (time(NULL) - 600) * INT64_C(1000) && (!e->ringing_at_ms || e->ringing_at_ms >= e->invited_at_ms) &&
		(!e->answered_at_ms || e->answered_at_ms >= e->ringing_at_ms) && e->event.at_ms >= e->invited_at_ms &&
		e->event.at_ms >= e->answered_at_ms;
}

static void on_endings(void *arg, nxv_status status, const struct sip_ending *items, size_t count, const struct nxv_error *err)
{
	struct wait *w = arg;

	for (size_t i = 0; i < count; i++) {
		const struct sip_event *ev = &items[i].event;

		buf_printf(&w->text, "%s %s %s %s %s %s %s:%s%d%s%s%s\n", ev->call_id, ev->session, ev->leg, ev->owner, ev->from_user, ev->to_user,
			ev->kind == SIP_EV_ENDED ? "ended" : "failed", ev->who, ev->code, items[i].ringing_at_ms ? " rang" : "",
			items[i].answered_at_ms ? " answered" : "", in_order(&items[i]) ? "" : " WRONG TIMES");
	}
	finished(w, status, err);
}

static void start_ready(struct wait *w)
{
	w->f->driver->ready(w->f->server, on_done, w);
}
static void start_status(struct wait *w)
{
	w->f->driver->status(w->f->server, on_status, w);
}
static void start_end(struct wait *w)
{
	w->f->driver->end(w->f->server, w->key, on_done, w);
}
static void start_unregister(struct wait *w)
{
	w->f->driver->unregister(w->f->server, w->key, on_done, w);
}
static void start_dialogs(struct wait *w)
{
	w->f->driver->dialogs(w->f->server, on_dialogs, w);
}
static void start_endings(struct wait *w)
{
	w->f->driver->endings(w->f->server, w->since_ms, on_endings, w);
}
static void start_contacts(struct wait *w)
{
	w->f->driver->contacts(w->f->server, w->key, on_contacts, w);
}

static void start_on_loop(void *arg)
{
	struct wait *w = arg;

	w->start(w);
}

static nxv_status run(struct wait *w)
{
	assert_int_equal(loop_post(w->f->loop, start_on_loop, w), NXV_OK);
	pthread_mutex_lock(&lock);
	while (!w->done)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	return w->status;
}

static nxv_status run_text(struct wait *w, char *out, size_t size)
{
	nxv_status status = run(w);

	snprintf(out, size, "%s", w->text.data ? w->text.data : "");
	buf_free(&w->text);
	return status;
}

nxv_status fixture_ready(struct fixture *f)
{
	struct wait w = { .f = f, .start = start_ready };

	return run(&w);
}

nxv_status fixture_status(struct fixture *f, struct sip_status *out)
{
	struct wait w = { .f = f, .start = start_status };
	nxv_status status = run(&w);

	*out = w.out;
	return status;
}

nxv_status fixture_end(struct fixture *f, const char *call_id)
{
	struct wait w = { .f = f, .start = start_end, .key = call_id };

	return run(&w);
}

nxv_status fixture_unregister(struct fixture *f, const char *username)
{
	struct wait w = { .f = f, .start = start_unregister, .key = username };

	return run(&w);
}

nxv_status fixture_dialogs(struct fixture *f, char *out, size_t size)
{
	struct wait w = { .f = f, .start = start_dialogs };

	return run_text(&w, out, size);
}

nxv_status fixture_endings(struct fixture *f, int64_t since_ms, char *out, size_t size)
{
	struct wait w = { .f = f, .start = start_endings, .since_ms = since_ms };

	return run_text(&w, out, size);
}

nxv_status fixture_contacts(struct fixture *f, const char *username, char *out, size_t size)
{
	struct wait w = { .f = f, .start = start_contacts, .key = username };

	return run_text(&w, out, size);
}

/* ---- events */
static void describe(const struct seen *s, struct buf *out)
{
	static const char *const names[] = { "call", "ringing", "answered", "failed", "ended", "registered", "unregistered" };

	buf_printf(out, "%s%s", out->len ? " " : "", names[s->kind]);
	if (s->kind == SIP_EV_FAILED)
		buf_printf(out, ":%d", s->code);
	if (s->kind == SIP_EV_ENDED)
		buf_printf(out, ":%s", s->who);
}

const char *fixture_events(struct fixture *f, const char *call_id, const char *expected)
{
	static char text[512];
	struct timespec until;

	(void)f;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_MS / 1000;
	pthread_mutex_lock(&lock);
	for (int over = 0;;) {
		struct buf b = BUF_INIT;

		for (size_t i = 0; i < seen_count; i++)
			if (strcmp(seen[i].call_id, call_id) == 0)
				describe(&seen[i], &b);
		snprintf(text, sizeof(text), "%s", b.data ? b.data : "");
		buf_free(&b);
		if (over || strcmp(text, expected) == 0)
			break;
		over = pthread_cond_timedwait(&changed, &lock, &until);
	}
	pthread_mutex_unlock(&lock);
	return text;
}

const char *fixture_event_member(struct fixture *f, const char *call_id, enum sip_event_kind kind, const char *member)
{
	static char text[128];

	(void)f;
	text[0] = '\0';
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < seen_count && !text[0]; i++) {
		const struct seen *s = &seen[i];
		const struct { const char *name, *value; } members[] = { { "session", s->session }, { "leg", s->leg }, { "owner", s->owner },
			{ "from", s->from }, { "to", s->to }, { "contact", s->contact }, { "reason", s->reason } };

		for (size_t k = 0; k < 7 && s->kind == kind && strcmp(s->call_id, call_id) == 0; k++)
			if (strcmp(members[k].name, member) == 0)
				snprintf(text, sizeof(text), "%s", members[k].value);
	}
	pthread_mutex_unlock(&lock);
	return text;
}

const char *fixture_told_twice(struct fixture *f)
{
	static char text[128];

	(void)f;
	text[0] = '\0';
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < seen_count; i++)
		for (size_t k = i + 1; k < seen_count; k++)
			if ((seen[i].kind == SIP_EV_FAILED || seen[i].kind == SIP_EV_ENDED) &&
					(seen[k].kind == SIP_EV_FAILED || seen[k].kind == SIP_EV_ENDED) && strcmp(seen[i].call_id, seen[k].call_id) == 0)
				snprintf(text, sizeof(text), "%s", seen[i].call_id);
	pthread_mutex_unlock(&lock);
	return text;
}

const char *fixture_locations(struct fixture *f, const char *username, const char *expected)
{
	static char text[64];
	struct timespec until;

	(void)f;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_MS / 1000;
	pthread_mutex_lock(&lock);
	for (int over = 0;;) {
		size_t used = 0;

		for (size_t i = 0; i < seen_count && used + 1 < sizeof(text); i++)
			if (seen[i].kind >= SIP_EV_REGISTERED && strcmp(seen[i].from, username) == 0)
				text[used++] = seen[i].kind == SIP_EV_REGISTERED ? '+' : '-';
		text[used] = '\0';
		if (over || strcmp(text, expected) == 0)
			break;
		over = pthread_cond_timedwait(&changed, &lock, &until);
	}
	pthread_mutex_unlock(&lock);
	return text;
}

int fixture_gaps(struct fixture *f)
{
	int n;

	(void)f;
	pthread_mutex_lock(&lock);
	n = gaps;
	pthread_mutex_unlock(&lock);
	return n;
}
