/* events.c - OpenSIPS: events on a UDP loopback socket. The subscription is renewed well before it ends; a server that
 * was restarted, or that was away, is told by its start time, and the owner then reconciles; likewise if we stood still. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "sip/control/common.h"
#include "sip/control/event.h"
#include "sip/opensips/impl.h"

enum { RENEW_MS = 3000, RETRY_MS = 500, EXPIRE_SECONDS = 15 };

static const char event_name[] = "E_NEXUS";

bool opensips_event(void *arg, const char *text, size_t len)
{
	struct opensips *os = arg;
	struct json_object *event;
	const char *name;
	bool taken;

	if (json_read_passed_on(text, len, RECEIVER_MAX, &event, NULL) != NXV_OK)
		return false;
	name = json_text(event, "method");
	taken = name && strcmp(name, event_name) == 0 && event_take(&os->sink, json_member(event, "params"), os->key);
	json_object_put(event);
	return taken;
}

struct subscription {
	struct opensips *os;
	int64_t asked_at_ms;
	sip_done_fn *fn;
	void *arg;
};

static void subscription_done(struct subscription *sub, nxv_status status, const struct nxv_error *err)
{
	struct opensips *os = sub->os;

	if (status != NXV_OK)
		os->subscribed = false;
	if (os->renew)
		loop_timer_start(os->renew, status == NXV_OK ? RENEW_MS : RETRY_MS);
	if (sub->fn)
		sub->fn(sub->arg, status, err);
	free(sub);
}

static void looked_at_uptime(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct subscription *sub = arg;
	struct opensips *os = sub->os;
	const char *since = json_text(result, "Up since");
	bool gap;

	if (status != NXV_OK) {
		subscription_done(sub, status, err);
		return;
	}
	since = since ? since : "";
	gap = !os->subscribed || strcmp(since, os->since) != 0 ||
		loop_now_ms() - os->subscribed_at_ms >= (EXPIRE_SECONDS - 1) * INT64_C(1000);
	os->subscribed = true;
	os->subscribed_at_ms = sub->asked_at_ms;
	os->warned = false;
	text_copy(os->since, sizeof(os->since), since);
	if (gap)
		event_gap(&os->sink);
	subscription_done(sub, NXV_OK, NULL);
}

static void subscribed(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct subscription *sub = arg;
	struct opensips *os = sub->os;

	(void)result;
	if (status == NXV_E_CONFLICT && !os->warned) {
		os->warned = true;
		env_log(os->env, NXV_LOG_ERROR, "sip", "OpenSIPS knows no event %s: it does not run the gateway's configuration; "
			"see \"nexusctl sip render\"", event_name);
	}
	if (status != NXV_OK)
		subscription_done(sub, status, err);
	else
		control_call(os->control, "uptime", NULL, looked_at_uptime, sub);
}

void opensips_subscribe(struct opensips *os, sip_done_fn *fn, void *arg)
{
	struct subscription *sub = calloc(1, sizeof(*sub));
	struct nxv_error err = NXV_ERROR_INIT;
	struct json_object *params;
	char socket_text[80];

	if (!sub) {
		error_nomem(&err);
		if (fn)
			fn(arg, NXV_E_NOMEM, &err);
		return;
	}
	*sub = (struct subscription){ .os = os, .asked_at_ms = loop_now_ms(), .fn = fn, .arg = arg };
	snprintf(socket_text, sizeof(socket_text), "udp:%s", os->set->events);
	params = json_object_new_object();
	control_text(params, "event", event_name);
	control_text(params, "socket", socket_text);
	control_int(params, "expire", EXPIRE_SECONDS);
	control_call(os->control, "event_subscribe", params, subscribed, sub);
}

static void renew(void *arg)
{
	opensips_subscribe(arg, NULL, NULL);
}

nxv_status opensips_events_open(struct opensips *os, struct nxv_error *err)
{
	nxv_status status = receiver_open(os->env, os->loop, os->set->events, opensips_event, os, &os->receiver, err);

	common_event_key(os->set, os->key);
	if (status != NXV_OK)
		return status;
	os->renew = loop_timer_new(os->loop, renew, os);
	if (!os->renew)
		return error_nomem(err);
	loop_timer_start(os->renew, 0);
	return NXV_OK;
}

void opensips_events_close(struct opensips *os)
{
	loop_timer_free(os->renew);
	os->renew = NULL;
	receiver_close(os->receiver);
	os->receiver = NULL;
}
