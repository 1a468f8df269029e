/* events.c - Kamailio: events on a UDP loopback socket, as OpenSIPS sends them. Our address lies in a hash table of the
 * server and fades there unless renewed. Each event carries its number: what was lost, and a restart, show at a renewal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "sip/control/common.h"
#include "sip/control/event.h"
#include "sip/kamailio/impl.h"
#include "sip/kamailio/parse.h"

enum { RENEW_MS = 3000, RETRY_MS = 500 };

bool kamailio_event(void *arg, const char *text, size_t len)
{
	struct kamailio *k = arg;
	struct json_object *event;
	bool taken;

	if (json_read_passed_on(text, len, RECEIVER_MAX, &event, NULL) != NXV_OK)
		return false;
	taken = event_take(&k->sink, event, k->key);
	if (taken && json_int(event, "n", 0) > k->first)
		k->received++;
	json_object_put(event);
	return taken;
}

/* Whether something may have been missed. said is how many events the server has sent by now; those of the renewal before
 * must have arrived, the latest may be on their way. */
static bool count_gap(struct kamailio *k, const char *since, int64_t said)
{
	const bool gap = !k->subscribed || strcmp(since, k->since) != 0 || said < k->said || k->received < k->said - k->first;

	if (gap) {
		text_copy(k->since, sizeof(k->since), since);
		k->first = said;
		k->received = 0;
	}
	k->said = said;
	k->subscribed = true;
	k->warned = false;
	return gap;
}

struct subscription {
	struct kamailio *k;
	char since[64];
	sip_done_fn *fn;
	void *arg;
};

static void subscription_done(struct subscription *sub, nxv_status status, const struct nxv_error *err)
{
	struct kamailio *k = sub->k;

	if (status != NXV_OK)
		k->subscribed = false;
	if (k->renew)
		loop_timer_start(k->renew, status == NXV_OK ? RENEW_MS : RETRY_MS);
	if (sub->fn)
		sub->fn(sub->arg, status, err);
	free(sub);
}

static void counted(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct subscription *sub = arg;
	const bool none_yet = status == NXV_E_CONFLICT;

	if (status != NXV_OK && !none_yet) {
		subscription_done(sub, status, err);
		return;
	}
	if (count_gap(sub->k, sub->since, none_yet ? 0 : json_int(json_member(result, "item"), "value", 0)))
		event_gap(&sub->k->sink);
	subscription_done(sub, NXV_OK, NULL);
}

static void looked_at_uptime(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct subscription *sub = arg;
	struct json_object *params;
	const char *since = json_text(result, "up_since");

	if (status != NXV_OK) {
		subscription_done(sub, status, err);
		return;
	}
	text_copy(sub->since, sizeof(sub->since), since ? since : "");
	params = json_object_new_array();
	control_text(params, NULL, "sent");
	control_text(params, NULL, "events");
	control_call(sub->k->control, "htable.get", params, counted, sub);
}

static void subscribed(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct subscription *sub = arg;
	struct kamailio *k = sub->k;

	(void)result;
	if (status == NXV_E_CONFLICT && !k->warned) {
		k->warned = true;
		env_log(k->env, NXV_LOG_ERROR, "sip", "Kamailio has no table for the gateway's address: it does not run the gateway's "
			"configuration; see \"nexusctl sip render\"");
	}
	if (status != NXV_OK)
		subscription_done(sub, status, err);
	else
		control_call(k->control, "core.uptime", NULL, looked_at_uptime, sub);
}

void kamailio_subscribe(struct kamailio *k, sip_done_fn *fn, void *arg)
{
	struct subscription *sub = calloc(1, sizeof(*sub));
	struct nxv_error err = NXV_ERROR_INIT;
	struct json_object *params;

	if (!sub) {
		error_nomem(&err);
		if (fn)
			fn(arg, NXV_E_NOMEM, &err);
		return;
	}
	*sub = (struct subscription){ .k = k, .fn = fn, .arg = arg };
	params = json_object_new_array();
	control_text(params, NULL, "listener");
	control_text(params, NULL, "address");
	control_text(params, NULL, k->set->events);
	control_call(k->control, "htable.sets", params, subscribed, sub);
}

static void renew(void *arg)
{
	kamailio_subscribe(arg, NULL, NULL);
}

nxv_status kamailio_events_open(struct kamailio *k, struct nxv_error *err)
{
	nxv_status status = receiver_open(k->env, k->loop, k->set->events, kamailio_event, k, &k->receiver, err);

	common_event_key(k->set, k->key);
	if (status != NXV_OK)
		return status;
	k->renew = loop_timer_new(k->loop, renew, k);
	if (!k->renew)
		return error_nomem(err);
	loop_timer_start(k->renew, 0);
	return NXV_OK;
}

void kamailio_events_close(struct kamailio *k)
{
	loop_timer_free(k->renew);
	k->renew = NULL;
	receiver_close(k->receiver);
	k->receiver = NULL;
}
