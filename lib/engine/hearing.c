/* hearing.c - what the SIP server tells of calls: events as they happen, and, since some may have been missed, its list of
 * dialogs and its memory of ended calls. The list is asked for first: what has left it by then is in the memory. */
#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/inside.h"

enum { TURN_MS = 200, DEAF_MAX = 3 };

/* @return false: it is of a registration, not of a call. */
static bool report_of(const struct sip_event *ev, struct calls_report *report)
{
	static const int kinds[] = { [SIP_EV_CALL] = REPORT_CALL, [SIP_EV_RINGING] = REPORT_RINGING, [SIP_EV_ANSWERED] = REPORT_ANSWERED,
		[SIP_EV_FAILED] = REPORT_FAILED, [SIP_EV_ENDED] = REPORT_ENDED };

	if (ev->kind >= SIP_EV_REGISTERED)
		return false;
	*report = (struct calls_report){ .kind = kinds[ev->kind], .call_id = ev->call_id, .session = ev->session, .leg = ev->leg,
		.owner = ev->owner, .from_user = ev->from_user, .to_user = ev->to_user, .who = ev->who, .contact = ev->contact,
		.reason = ev->reason, .code = ev->code, .at_ms = ev->at_ms };
	return true;
}

void engine_sip_event(void *arg, const struct sip_event *ev)
{
	struct engine *engine = arg;
	struct calls_report report;

	if (report_of(ev, &report))
		calls_report(engine->calls, &report);
	else
		engine_registration_event(engine, ev);
}

struct listing {
	struct engine *engine;
	int64_t asked_at_ms;
	struct calls_dialog *dialogs; /* with text of its own */
	size_t count;
};

static void listing_free(struct listing *l)
{
	for (size_t i = 0; l->dialogs && i < l->count; i++) {
		const struct calls_dialog *d = &l->dialogs[i];
		const char *const texts[] = { d->call_id, d->session, d->leg, d->owner, d->from_user, d->to_user };

		for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++)
			free((char *)texts[k]);
	}
	free(l->dialogs);
	free(l);
}

static bool copy_dialog(const struct sip_dialog *from, struct calls_dialog *to)
{
	*to = (struct calls_dialog){ text_dup(from->call_id), text_dup(from->session), text_dup(from->leg), text_dup(from->owner),
		text_dup(from->from_user), text_dup(from->to_user), from->confirmed, from->started_at_ms,
		from->invited_at_ms, from->ringing_at_ms };
	return to->call_id && to->session && to->leg && to->owner && to->from_user && to->to_user;
}

/* @return false: not all could be taken in yet. Thousands would stop the engine for a while: the rest is left for later. */
static bool take_endings(struct engine *engine, const struct sip_ending *items, size_t count, int64_t asked_at_ms, bool *judge)
{
	const int64_t begun_ms = loop_now_ms();
	struct calls_ending ending;
	bool done = true;

	*judge = true;
	for (size_t i = 0; i < count; i++) {
		if (loop_now_ms() - begun_ms > TURN_MS) {
			*judge = false;
			return false;
		}
		ending.invited_at_ms = items[i].invited_at_ms;
		ending.ringing_at_ms = items[i].ringing_at_ms;
		ending.answered_at_ms = items[i].answered_at_ms;
		if (report_of(&items[i].event, &ending.report))
			done = calls_ended_unheard(engine->calls, &ending, asked_at_ms) && done;
	}
	return done;
}

/* Without the memory no call is judged, unless the server keeps on failing. */
static void on_endings(void *arg, nxv_status status, const struct sip_ending *items, size_t count, const struct nxv_error *err)
{
	struct listing *l = arg;
	struct engine *engine = l->engine;
	bool done = false, judge = true;

	if (engine->closing) {
		listing_free(l);
		return;
	}
	if (status == NXV_OK) {
		engine->deaf = 0;
		done = take_endings(engine, items, count, l->asked_at_ms, &judge);
		if (done)
			calls_heard(engine->calls, l->asked_at_ms);
	} else {
		env_log(&engine->ctx->env, NXV_LOG_WARN, "sip", "the SIP server does not say how calls ended: %s", err->message);
		judge = ++engine->deaf >= DEAF_MAX;
	}
	if (judge) {
		calls_server_found(engine->calls, sip_manager_found(engine->manager));
		done = calls_reconcile(engine->calls, l->dialogs, l->count, l->asked_at_ms) && (done || status != NXV_OK);
	}
	if (!done)
		loop_timer_start(engine->relist, judge ? CALL_SETTLE_MS : TURN_MS);
	listing_free(l);
}

static void on_dialogs(void *arg, nxv_status status, const struct sip_dialog *items, size_t count, const struct nxv_error *err)
{
	struct listing *l = arg;
	struct engine *engine = l->engine;
	struct sip_server *server = engine->closing ? NULL : sip_manager_server(engine->manager);

	if (status != NXV_OK)
		env_log(&engine->ctx->env, NXV_LOG_WARN, "sip", "cannot list the SIP server's calls: %s", err->message);
	if (status == NXV_OK && count && !(l->dialogs = calloc(count, sizeof(*l->dialogs))))
		status = NXV_E_NOMEM;
	for (l->count = 0; status == NXV_OK && l->count < count; l->count++)
		if (!copy_dialog(&items[l->count], &l->dialogs[l->count])) {
			status = NXV_E_NOMEM;
			l->count++;
			break;
		}
	if (status == NXV_OK && server)
		server->driver->endings(server, calls_heard_since(engine->calls), on_endings, l);
	else
		listing_free(l);
}

void engine_list_calls(void *arg)
{
	struct engine *engine = arg;
	struct sip_server *server = sip_manager_server(engine->manager);
	struct listing *l = server ? malloc(sizeof(*l)) : NULL;

	if (!l)
		return;
	*l = (struct listing){ .engine = engine, .asked_at_ms = env_now_ms(&engine->ctx->env) };
	server->driver->dialogs(server, on_dialogs, l);
}

void engine_sip_gap(void *arg)
{
	struct engine *engine = arg;

	if (!engine->manager)
		return; /* told while it is being opened; it tells again once it is connected */
	engine_list_calls(engine);
	engine_registrations_gap(engine);
}
