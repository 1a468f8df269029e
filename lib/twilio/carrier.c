/* carrier.c - the carrier's calls: placed, ended, taken up after a crash, forgotten; and the way of a request and its answer. */
#include "twilio/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/leg_token.h"
#include "base/text.h"

enum { KEEP_MS = 7 * 24 * 3600 * 1000, FORGET_EVERY_MS = 3600 * 1000, FORGET_AGAIN_MS = 100 };

static size_t bucket(const char *id)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *id; id++)
		h = (h ^ (unsigned char)*id) * 16777619u;
	return h % CARRIER_BUCKETS;
}

struct tw_call *tw_find(struct twilio_carrier *carrier, const char *session_id)
{
	struct tw_call *call = carrier->calls[bucket(session_id)];

	while (call && strcmp(call->intent.session_id, session_id) != 0)
		call = call->next;
	return call;
}

int64_t tw_now(const struct tw_call *call)
{
	return env_now_ms(call->carrier->opts.env);
}

void tw_watchdog_from(struct tw_call *call, int64_t sent_at_ms)
{
	const struct twilio_carrier_opts *o = &call->carrier->opts;

	call->watchdog_at_ms = sent_at_ms + (2 * o->ring_seconds + o->max_seconds) * 1000 + twilio_pace.watchdog_ms;
}

/* Owns the intent's members, also on failure. */
static struct tw_call *add(struct twilio_carrier *carrier, struct intent *intent)
{
	struct tw_call *call = calloc(1, sizeof(*call));
	const struct twilio_carrier_opts *o = &carrier->opts;

	if (call)
		call->timer = loop_timer_new(o->loop, watch_due, call);
	if (!call || !call->timer) {
		free(call);
		intent_clear(intent);
		return NULL;
	}
	call->carrier = carrier;
	call->intent = *intent;
	call->facts = (struct twilio_facts)TWILIO_FACTS_INIT;
	tw_watchdog_from(call, intent->sent_at_ms ? intent->sent_at_ms : env_now_ms(o->env));
	call->next = carrier->calls[bucket(intent->session_id)];
	carrier->calls[bucket(intent->session_id)] = call;
	*intent = (struct intent){ 0 };
	return call;
}

static void call_free(struct tw_call *call)
{
	struct tw_call **at = &call->carrier->calls[bucket(call->intent.session_id)];

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	line_leave(call);
	if (call->transfer)
		http_cancel(call->transfer);
	if (call->creating)
		call->carrier->creating--;
	loop_timer_free(call->timer);
	free(call->page);
	intent_clear(&call->intent);
	free(call);
}

/* --- requests --- */

static void on_done(void *user, struct http_result *result)
{
	struct tw_call *call = user;
	struct json_object *json = NULL;
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status;

	call->transfer = NULL;
	status = twilio_judge(call->kind, result, &json, &err);
	timeline_answer(call, result, json, &err);
	call->answer(call, status, json, &err);
	json_object_put(json);
}

/* A token that was changed, or corrected, since. While it cannot be read, the old one has to do. */
static void renew_secret(const struct twilio_carrier *carrier)
{
	const char *name = strncmp(carrier->client->username, "SK", 2) == 0 ? SECRET_TWILIO_API_KEY_SECRET : SECRET_TWILIO_AUTH_TOKEN;
	char *secret = NULL;

	if (carrier->opts.secrets && secret_get(carrier->opts.secrets, name, &secret, NULL) == NXV_OK &&
		strcmp(secret, carrier->client->password) != 0) {
		twilio_new_password(carrier->client, secret);
		return;
	}
	text_wipe_free(secret);
}

nxv_status tw_ask(struct tw_call *call, struct twilio_exchange *x, tw_answer_fn *answer, struct nxv_error *err)
{
	nxv_twilio *client = call->carrier->client;
	struct http_request request;
	nxv_status status;

	renew_secret(call->carrier);
	status = twilio_request(client, x, &request, err);
	call->kind = x->kind;
	call->answer = answer;
	if (status == NXV_OK)
		status = http_start(client->http, &request, on_done, call, &call->transfer, err);
	if (status == NXV_OK)
		timeline_request(call, x);
	twilio_exchange_clear(x);
	return status;
}

/* --- what the session is told --- */

static void tell(struct tw_call *call, const struct carrier_event *event)
{
	call->carrier->opts.sink(call->carrier->opts.sink_arg, call->intent.session_id, event);
}

void tw_tell(struct tw_call *call, enum carrier_event_kind kind, int64_t at_ms, int sip_code)
{
	const struct carrier_event event = { .kind = kind, .at_ms = at_ms ? at_ms : tw_now(call), .sip_code = sip_code };

	tell(call, &event);
}

void tw_tell_error(struct tw_call *call, enum carrier_event_kind kind, const struct nxv_error *error)
{
	const struct carrier_event event = { .kind = kind, .at_ms = tw_now(call), .error = error };

	tell(call, &event);
}

bool tw_opened(struct tw_call *call, const char *sid)
{
	const struct carrier_event event = { .kind = CARRIER_TAKEN, .at_ms = tw_now(call), .carrier_id = sid };
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status = intent_stage(call->carrier->opts.db, call->intent.session_id, INTENT_OPEN, sid, 0, &err);

	if (status == NXV_E_CONFLICT) {
		env_log(call->carrier->opts.env, NXV_LOG_ERROR, "twilio", "call %s: %s is another session's", call->intent.session_id, sid);
		return false;
	}
	if (status != NXV_OK) /* it would be looked for after a crash, and found again */
		env_log(call->carrier->opts.env, NXV_LOG_ERROR, "twilio", "call %s is %s, but that cannot be stored: %s",
			call->intent.session_id, sid, err.message);
	line_leave(call);
	free(call->intent.call_sid);
	call->intent.call_sid = text_dup(sid);
	call->intent.stage = INTENT_OPEN;
	call->looking = false;
	text_copy(call->facts.parent.sid, sizeof(call->facts.parent.sid), sid);
	tell(call, &event);
	return true;
}

void tw_finish(struct tw_call *call, int64_t at_ms)
{
	struct nxv_error err = NXV_ERROR_INIT;

	/* What is left open of a session that has ended is closed at the next start. */
	if (intent_stage(call->carrier->opts.db, call->intent.session_id, INTENT_CLOSED, NULL, 0, &err) != NXV_OK)
		env_log(call->carrier->opts.env, NXV_LOG_WARN, "twilio", "call %s cannot be closed: %s", call->intent.session_id, err.message);
	tw_tell(call, CARRIER_DOWN, at_ms, 0);
	call_free(call);
}

/* --- the port --- */

static nxv_status address_phone(
	const struct twilio_carrier *carrier, const struct carrier_call *order, char **out, struct nxv_error *err)
{
	char token[LEG_TOKEN_MAX];

	*out = NULL;
	if (!order->a_count || !leg_token_make(carrier->leg_key, order->session_id, 'a', token, sizeof(token)))
		return error_set(err, NXV_E_INTERNAL, "the address of the user's phone cannot be made");
	*out = text_printf("sip:%s@%s?" LEG_TOKEN_HEADER "=%s", order->a_targets[0], carrier->sip_domain, token);
	return *out ? NXV_OK : error_nomem(err);
}

static nxv_status place(struct carrier *self, const struct carrier_call *order, struct nxv_error *err)
{
	struct twilio_carrier *carrier = (struct twilio_carrier *)self;
	struct intent intent = { .callee_first = order->callee_first, .stored_at_ms = env_now_ms(carrier->opts.env) };
	char *phone = NULL, *number = text_dup(order->to_number);
	struct tw_call *call;
	nxv_status status = address_phone(carrier, order, &phone, err);

	intent.session_id = text_dup(order->session_id);
	intent.from = text_dup(order->from_number);
	intent.to = order->callee_first ? number : phone;
	intent.dial = order->callee_first ? phone : number;
	if (status == NXV_OK && (!intent.session_id || !intent.from || !number))
		status = error_nomem(err);
	if (status == NXV_OK)
		status = intent_insert(carrier->opts.db, &intent, err);
	if (status != NXV_OK) {
		intent_clear(&intent);
		return status;
	}
	call = add(carrier, &intent);
	if (!call)
		return error_nomem(err);
	line_add(call);
	return NXV_OK;
}

static nxv_status end(struct carrier *self, const char *session_id, struct nxv_error *err)
{
	struct tw_call *call = tw_find((struct twilio_carrier *)self, session_id);

	if (!call)
		return error_set(err, NXV_E_NOT_FOUND, "Twilio has no such call");
	call->ending = true;
	if (call->intent.stage == INTENT_WAITING) { /* nothing was sent */
		tw_finish(call, 0);
		return NXV_OK;
	}
	if (call->intent.stage == INTENT_OPEN) {
		call->wait_ms = 0;
		watch_step(call);
	}
	return NXV_OK;
}

static void take_up(struct tw_call *call, const char *session_id)
{
	struct twilio_carrier *carrier = call->carrier;
	static const struct nxv_error unanswered = { .status = NXV_E_TIMEOUT, .code = "twilio_unknown",
		.message = "the gateway ended before Twilio's answer came; it is being found out whether Twilio has the call" };

	if (call->intent.stage == INTENT_WAITING) {
		line_add(call);
		return;
	}
	if (call->intent.stage == INTENT_OPEN && call->intent.call_sid) {
		const struct carrier_event taken = { .kind = CARRIER_TAKEN, .at_ms = tw_now(call), .carrier_id = call->intent.call_sid };
		text_copy(call->facts.parent.sid, sizeof(call->facts.parent.sid), call->intent.call_sid);
		tell(call, &taken);
	}
	call->taking_up = true;
	watch_callbacks(call);
	call->taking_up = false;
	if (call->intent.stage == INTENT_OPEN) {
		watch_step(call);
		call = tw_find(carrier, session_id);
		if (call && !call->transfer) /* ask at once what was missed */
			loop_timer_start(call->timer, 0);
		return;
	}
	call->intent.stage = INTENT_SENDING;
	look_begin(call, &unanswered);
}

static nxv_status restore(struct carrier *self, const char *session_id, const char *state, struct nxv_error *err)
{
	struct twilio_carrier *carrier = (struct twilio_carrier *)self;
	struct intent intent;
	struct tw_call *call;
	nxv_status status = intent_load(carrier->opts.db, session_id, &intent, err);

	(void)state;
	if (status != NXV_OK)
		return status;
	/* The store keeps what it was told over a crash of ours, but not always over a power cut: it may have been sent. */
	if (intent.stage == INTENT_WAITING && intent.stored_at_ms < env_boot_ms(carrier->opts.env)) {
		intent.stage = INTENT_SENDING;
		intent.sent_at_ms = intent.stored_at_ms;
	}
	if (intent.stage == INTENT_WAITING && env_now_ms(carrier->opts.env) - intent.stored_at_ms > twilio_pace.queue_keep_ms) {
		intent_clear(&intent);
		return error_set(err, NXV_E_NOT_FOUND, "it was not handed to Twilio, and it is too late for that");
	}
	if (intent.stage == INTENT_CLOSED && intent.call_sid)
		intent.stage = INTENT_OPEN;
	call = add(carrier, &intent);
	if (!call)
		return error_nomem(err);
	take_up(call, session_id);
	return NXV_OK;
}

/* A call whose session has ended lives at Twilio all the same: it was given up as unknown, and now shows up. */
static void end_stray(struct twilio_carrier *carrier, const char *session_id)
{
	struct intent intent;
	struct tw_call *call;

	if (intent_load(carrier->opts.db, session_id, &intent, NULL) != NXV_OK)
		return;
	if (intent.stage != INTENT_CLOSED || !(call = add(carrier, &intent))) {
		intent_clear(&intent);
		return;
	}
	if (call->intent.call_sid)
		text_copy(call->facts.parent.sid, sizeof(call->facts.parent.sid), call->intent.call_sid);
	call->taking_up = true;
	watch_callbacks(call);
	call->taking_up = false;
	if (!call->facts.parent.sid[0] || twilio_state_ended(call->facts.parent.state)) {
		tw_finish(call, 0);
		return;
	}
	env_log(carrier->opts.env, NXV_LOG_WARN, "twilio", "call %s has ended here but lives at Twilio: it is ended there", session_id);
	call->ending = true;
	watch_step(call);
}

void twilio_carrier_callback(struct carrier *self, const struct twilio_note *note)
{
	struct twilio_carrier *carrier = (struct twilio_carrier *)self;
	struct tw_call *call = tw_find(carrier, note->session_id);

	if (note->refused && call)
		timeline_refused(call, note);
	if (note->refused)
		return;
	if (!twilio_pace.reconcile && (!call || call->intent.stage != INTENT_OPEN))
		return;
	if (!call) {
		timeline_stray(carrier, note);
		end_stray(carrier, note->session_id);
		return;
	}
	watch_callbacks(call);
	if (call->intent.stage == INTENT_OPEN)
		watch_step(call);
}

static void close_carrier(struct carrier *self)
{
	struct twilio_carrier *carrier = (struct twilio_carrier *)self;

	for (size_t b = 0; b < CARRIER_BUCKETS; b++)
		while (carrier->calls[b])
			call_free(carrier->calls[b]);
	loop_timer_free(carrier->line_timer);
	loop_timer_free(carrier->forget_timer);
	nxv_twilio_close(carrier->client);
	free(carrier->public_url);
	free(carrier->sip_domain);
	text_wipe_free(carrier->leg_key);
	free(carrier);
}

/* A few at a time: the engine has calls to look after. */
static void forget_old(void *arg)
{
	struct twilio_carrier *carrier = arg;
	struct nxv_error err = NXV_ERROR_INIT;
	bool more = false;

	if (intent_forget(carrier->opts.db, env_now_ms(carrier->opts.env) - KEEP_MS, &more, &err) != NXV_OK)
		env_log(carrier->opts.env, NXV_LOG_WARN, "twilio", "old webhooks cannot be forgotten: %s", err.message);
	loop_timer_start(carrier->forget_timer, more ? FORGET_AGAIN_MS : FORGET_EVERY_MS);
}

static const struct carrier_ops ops = {
	.name = "twilio",
	.remote = true,
	.place = place,
	.end = end,
	.restore = restore,
	.close = close_carrier,
};

nxv_status twilio_carrier_open(const struct twilio_carrier_opts *opts, struct carrier **out, struct nxv_error *err)
{
	struct twilio_carrier *carrier = calloc(1, sizeof(*carrier));
	nxv_status status;

	*out = NULL;
	if (!carrier)
		return error_nomem(err);
	carrier->base.ops = &ops;
	carrier->opts = *opts;
	carrier->opts.account = NULL;
	carrier->public_url = text_dup(opts->public_url);
	carrier->sip_domain = text_dup(opts->sip_domain);
	carrier->leg_key = text_dup(opts->leg_key);
	carrier->line_timer = loop_timer_new(opts->loop, line_pump, carrier);
	carrier->forget_timer = loop_timer_new(opts->loop, forget_old, carrier);
	status = carrier->public_url && carrier->sip_domain && carrier->leg_key && carrier->line_timer && carrier->forget_timer
		? NXV_OK : error_nomem(err);
	if (status == NXV_OK)
		status = nxv_twilio_open(opts->account, &carrier->client, err);
	if (status == NXV_OK)
		status = http_attach(carrier->client->http, opts->loop, err);
	if (status == NXV_OK)
		status = intent_sweep(opts->db, err);
	if (status == NXV_OK)
		loop_timer_start(carrier->forget_timer, 0);
	if (status != NXV_OK) {
		close_carrier(&carrier->base);
		return status;
	}
	*out = &carrier->base;
	return NXV_OK;
}
