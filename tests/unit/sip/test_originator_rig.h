/* test_originator_rig.h - an originator on a loop of its own, in another thread, and a plain socket that stands for the
 * SIP server. What the originator tells is kept for the test's thread to ask for. */
#ifndef TEST_ORIGINATOR_RIG_H
#define TEST_ORIGINATOR_RIG_H

#include <re.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "loop/loop.h"
#include "sip/originator/originator.h"

enum { MSG_MAX = 65000, EVENTS_MAX = 32, WAIT_MS = 3000 };

/* Any 32 digits: only the tests of digests use it. */
#define HA1_MD5 "cc26ccb26ad1a0a2e14b1b6c7f1e4eb2"

struct msg {
	char text[MSG_MAX];
	size_t len;
};

struct rig_event {
	enum carrier_event_kind kind;
	int code;
	char contact[128];
};

struct rig {
	struct env env;
	struct loop *loop;
	struct carrier *carrier;
	struct originator_opts opts;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ready;
	nxv_status status; /* of the last posted call */
	bool done;
	struct nxv_error err;
	const struct carrier_call *placing;
	const char *ending;
	int final_a, final_b; /* final answers to the INVITEs; they are no steps of the flow, so no events here */
	bool end_on_event; /* end the call from inside the sink, at its first event */
	struct rig_event events[EVENTS_MAX];
	size_t event_count, event_read;
	int fd; /* the proxy's socket */
	struct sockaddr_in proxy, originator;
	char proxy_text[32];
	unsigned serial;
	char timers[256];   /* still running after the originator was closed */
	bool stream;        /* fd is a TCP connection */
	char rest[MSG_MAX]; /* of what it brought, not yet taken */
	size_t rest_len;
	struct msg in; /* last one received */
	char *kept;    /* what the carrier saved last */
	unsigned promises;
	const char *restoring;
};

/* Store what the carrier would need after a crash: with a promise at once, as the sessions do. */
static inline void rig_keep(struct rig *rig, const char *session_id, bool promised)
{
	char *text = rig->carrier->ops->save(rig->carrier, session_id);

	pthread_mutex_lock(&rig->lock);
	free(rig->kept);
	rig->kept = text;
	rig->promises += promised;
	pthread_cond_broadcast(&rig->changed);
	pthread_mutex_unlock(&rig->lock);
}

static inline void rig_sink(void *arg, const char *session_id, const struct carrier_event *event)
{
	struct rig *rig = arg;
	bool first;

	if (event->kind == CARRIER_CHANGED || event->kind == CARRIER_PROMISED) {
		rig_keep(rig, session_id, event->kind == CARRIER_PROMISED);
		return;
	}
	if (event->kind == CARRIER_A_FINAL || event->kind == CARRIER_B_FINAL) {
		*(event->kind == CARRIER_A_FINAL ? &rig->final_a : &rig->final_b) = event->sip_code;
		return;
	}
	pthread_mutex_lock(&rig->lock);
	assert_true(rig->event_count < EVENTS_MAX);
	rig->events[rig->event_count].kind = event->kind;
	rig->events[rig->event_count].code = event->sip_code;
	snprintf(rig->events[rig->event_count].contact, sizeof(rig->events[0].contact), "%s",
		event->contact ? event->contact : "");
	rig->event_count++;
	first = rig->event_count == 1;
	pthread_cond_broadcast(&rig->changed);
	pthread_mutex_unlock(&rig->lock);
	if (rig->end_on_event && first)
		(void)rig->carrier->ops->end(rig->carrier, session_id, NULL);
}

static inline void rig_tell(struct rig *rig, nxv_status status)
{
	pthread_mutex_lock(&rig->lock);
	rig->status = status;
	rig->done = true;
	pthread_cond_broadcast(&rig->changed);
	pthread_mutex_unlock(&rig->lock);
}

static inline void *rig_thread(void *arg)
{
	struct rig *rig = arg;
	nxv_status st = loop_open(&rig->loop, &rig->err);

	rig->opts.loop = rig->loop;
	if (st == NXV_OK)
		st = originator_open(&rig->opts, &rig->carrier, &rig->err);
	rig_tell(rig, st);
	if (st == NXV_OK)
		(void)loop_run(rig->loop, NULL);
	if (rig->carrier)
		rig->carrier->ops->close(rig->carrier);
	(void)re_snprintf(rig->timers, sizeof(rig->timers), "%H", tmr_status, NULL);
	loop_close(rig->loop);
	return NULL;
}

static inline nxv_status rig_wait(struct rig *rig)
{
	nxv_status st;

	pthread_mutex_lock(&rig->lock);
	while (!rig->done)
		pthread_cond_wait(&rig->changed, &rig->lock);
	rig->done = false;
	st = rig->status;
	pthread_mutex_unlock(&rig->lock);
	return st;
}

static inline int udp_socket(struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof(*addr);

	memset(addr, 0, sizeof(*addr));
	addr->sin_family = AF_INET;
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)addr, sizeof(*addr)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)addr, &len), 0);
	return fd;
}

static inline void rig_log(void *user, nxv_log_level level, const char *module, const char *text)
{
	(void)user;
	(void)level;
	print_message("log %s: %s\n", module, text);
}

static inline struct rig *rig_open(void)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->env.log = rig_log;
	rig->env.level = NXV_LOG_INFO;
	env_defaults(&rig->env);
	pthread_mutex_init(&rig->lock, NULL);
	pthread_cond_init(&rig->changed, NULL);
	rig->fd = udp_socket(&rig->proxy);
	snprintf(rig->proxy_text, sizeof(rig->proxy_text), "127.0.0.1:%d", ntohs(rig->proxy.sin_port));
	rig->opts = (struct originator_opts){ .env = &rig->env,
		.proxy = rig->proxy_text,
		.listen = "127.0.0.1:0",
		.domain = "nexus.test",
		.username = "gateway",
		.ha1_md5 = HA1_MD5,
		.ha1_sha256 = "",
		.sink = rig_sink,
		.sink_arg = rig };
	return rig;
}

static inline void rig_start(struct rig *rig)
{
	pthread_create(&rig->thread, NULL, rig_thread, rig);
	if (rig_wait(rig) != NXV_OK)
		fail_msg("originator: %s", rig->err.message);
	rig->originator = rig->proxy;
	rig->originator.sin_port = htons(originator_port(rig->carrier));
}

static inline void rig_close(struct rig *rig)
{
	loop_stop(rig->loop);
	pthread_join(rig->thread, NULL);
	assert_string_equal(rig->timers, "");
	close(rig->fd);
	pthread_mutex_destroy(&rig->lock);
	pthread_cond_destroy(&rig->changed);
	free(rig->kept);
	free(rig);
}

static inline void rig_do_place(void *arg)
{
	struct rig *rig = arg;

	rig_tell(rig, rig->carrier->ops->place(rig->carrier, rig->placing, &rig->err));
}

static inline nxv_status rig_place(struct rig *rig, const struct carrier_call *call)
{
	rig->placing = call;
	assert_int_equal(loop_post(rig->loop, rig_do_place, rig), NXV_OK);
	return rig_wait(rig);
}

static inline void rig_do_end(void *arg)
{
	struct rig *rig = arg;

	rig_tell(rig, rig->carrier->ops->end(rig->carrier, rig->ending, &rig->err));
}

static inline nxv_status rig_end(struct rig *rig, const char *session_id)
{
	rig->ending = session_id;
	assert_int_equal(loop_post(rig->loop, rig_do_end, rig), NXV_OK);
	return rig_wait(rig);
}

static const char *const event_names[] = { "A_RINGING", "A_ANSWERED", "A_FAILED", "A_NO_ANSWER", "B_RINGING",
	"B_ANSWERED", "B_FAILED", "B_NO_ANSWER", "JOINED", "A_HANGUP", "B_HANGUP", "MEDIA_REFUSED", "A_FINAL",
	"B_FINAL", "A_LOST", "B_LOST", "LOST", "HANGUP", "CANCELED", "LIMIT", "TAKEN", "REFUSED", "UNREACHABLE", "UNKNOWN", "NOTICE",
	"CHANGED", "PROMISED", "DOWN" };

static inline const struct rig_event *rig_next(struct rig *rig, int timeout_ms)
{
	struct timespec until;
	const struct rig_event *event = NULL;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (timeout_ms % 1000) * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&rig->lock);
	while (rig->event_read == rig->event_count && pthread_cond_timedwait(&rig->changed, &rig->lock, &until) == 0)
		;
	if (rig->event_read < rig->event_count)
		event = &rig->events[rig->event_read++];
	pthread_mutex_unlock(&rig->lock);
	return event;
}

/* The next event is this one. */
static inline const struct rig_event *expect_event(struct rig *rig, enum carrier_event_kind kind, int code)
{
	const struct rig_event *event = rig_next(rig, WAIT_MS);

	if (!event)
		fail_msg("no event, expected %s", event_names[kind]);
	if (event->kind != kind || event->code != code)
		fail_msg("event %s %d, expected %s %d", event_names[event->kind], event->code, event_names[kind], code);
	return event;
}

static inline void expect_no_event(struct rig *rig, int ms)
{
	const struct rig_event *event = rig_next(rig, ms);

	if (event)
		fail_msg("event %s, expected none", event_names[event->kind]);
}

#endif
