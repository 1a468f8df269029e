/* script.c - which verb is next, and what the verbs without a callee do: they take their time. */
#include "script.h"

#include "bridge.h"
#include "callbacks.h"
#include "life.h"
#include "sip_leg.h"
#include "twiml.h"

#include <stdlib.h>
#include <string.h>

enum { DOCUMENTS_MAX = 50, NOTE_PARSE = 12100, NOTE_SCHEMA = 12200, NOTE_FETCH = 11200 };

struct script {
	struct call *call;
	struct twiml *root, *at; /* at: the verb under way */
	struct loop_timer *timer;
	unsigned documents;
	bool stopped, fell_back;
};

/* Verbs that Twilio knows and the sandbox passes over after so many seconds. */
static const struct {
	const char *name;
	int seconds;
} passed[] = { { "Connect", 1 }, { "Echo", 5 }, { "Enqueue", 5 }, { "Gather", 5 }, { "Leave", 0 }, { "Pay", 5 }, { "Play", 3 },
	{ "Prompt", 1 }, { "Queue", 5 }, { "Record", 5 }, { "Refer", 1 }, { "Siprec", 0 }, { "Sms", 0 }, { "Start", 0 }, { "Stop", 0 } };

void script_note(struct call *call, int code, const char *text)
{
	call->notes++;
	call->last_note = code;
	fprintf(stderr, "nexus-sandbox: %s: %d: %s\n", call->sid, code, text);
}

static void hang_up(struct call *call)
{
	life_event(call, LIFE_HANGUP, "twiml");
}

static void on_timer(void *arg)
{
	struct script *script = arg;

	sip_leg_play(script->call->leg, SOUND_SILENCE);
	script_next(script->call);
}

static void take_time(struct script *script, int64_t ms)
{
	loop_timer_start(script->timer, sandbox_scaled(script->call->sandbox, ms));
}

static int64_t passing_ms(const struct script *script, const struct twiml *verb)
{
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		if (twiml_is(verb, passed[i].name))
			return twiml_attr_int(verb, "timeout", passed[i].seconds) * 1000;
	script_note(script->call, NOTE_SCHEMA, "Schema validation warning: a verb that TwiML does not have is passed over");
	return 0;
}

static void run_verb(struct script *script, const struct twiml *verb)
{
	struct call *call = script->call;
	int64_t ms;

	if (twiml_is(verb, "Dial")) {
		bridge_begin(call, verb);
	} else if (twiml_is(verb, "Hangup") || twiml_is(verb, "Reject")) {
		hang_up(call);
	} else if (twiml_is(verb, "Redirect")) {
		script_fetch(call, verb->text, strcmp(twiml_attr(verb, "method", "POST"), "GET") == 0, NULL);
	} else if (twiml_is(verb, "Pause")) {
		take_time(script, twiml_attr_int(verb, "length", 1) * 1000);
	} else if (twiml_is(verb, "Say")) {
		ms = 500 + 60 * (int64_t)strlen(verb->text) * twiml_attr_int(verb, "loop", 1);
		sip_leg_play(call->leg, SOUND_TONE);
		take_time(script, ms);
	} else {
		take_time(script, passing_ms(script, verb));
	}
}

static void run_from(struct script *script, struct twiml *verb)
{
	script->at = verb;
	if (verb)
		run_verb(script, verb);
	else
		hang_up(script->call);
}

void script_next(struct call *call)
{
	struct script *script = call->script;

	if (script && !script->stopped && script->at)
		run_from(script, script->at->next);
}

static void run_document(struct script *script, const char *text, size_t len)
{
	char why[120], note[160];
	struct twiml *root = twiml_parse(text, len, why, sizeof(why));

	if (!root || ++script->documents > DOCUMENTS_MAX) {
		snprintf(note, sizeof(note), "Document parse failure: %s", root ? "too many documents" : why);
		script_note(script->call, NOTE_PARSE, note);
		twiml_free(root);
		hang_up(script->call);
		return;
	}
	twiml_free(script->root);
	script->root = root;
	run_from(script, root->child);
}

static void on_fetched(void *arg, const char *body, size_t len, const char *why)
{
	struct script *script = arg;
	struct call *call = script->call;
	char note[240];

	if (script->stopped)
		return;
	if (body) {
		run_document(script, body, len);
		return;
	}
	snprintf(note, sizeof(note), "HTTP retrieval failure: %s", why);
	script_note(call, NOTE_FETCH, note);
	if (call->fallback_url && !script->fell_back) {
		script->fell_back = true;
		script_fetch(call, call->fallback_url, call->fallback_get, NULL);
	} else {
		hang_up(call);
	}
}

void script_fetch(struct call *call, const char *url, bool get, const struct pairs *more)
{
	struct target target = { 0 };
	struct pairs pairs = { 0 };

	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
		script_note(call, NOTE_FETCH, "HTTP retrieval failure: the URL must be absolute, with http:// or https://");
		hang_up(call);
		return;
	}
	event_about(call, &pairs);
	for (size_t i = 0; more && i < more->count; i++)
		pairs_add(&pairs, more->items[i].name, more->items[i].value);
	if (target_set(&target, url, get, 0))
		callbacks_send(call, &target, "twiml", &pairs, on_fetched, call->script);
	else
		hang_up(call);
	target_clear(&target);
	pairs_clear(&pairs);
}

void script_begin(struct call *call)
{
	struct script *script = calloc(1, sizeof(*script));

	script_free(call->script);
	call->script = script;
	if (script)
		script->timer = loop_timer_new(call->sandbox->loop, on_timer, script);
	if (!script || !script->timer) {
		hang_up(call);
		return;
	}
	script->call = call;
	if (call->twiml)
		run_document(script, call->twiml, strlen(call->twiml));
	else if (call->url)
		script_fetch(call, call->url, call->url_get, NULL);
	else
		hang_up(call); /* an application, of which the sandbox has none */
}

void script_stop(struct call *call)
{
	struct script *script = call->script;

	if (script && !script->stopped) {
		script->stopped = true;
		loop_timer_stop(script->timer);
		callbacks_forget(call->sandbox->callbacks, script);
	}
	bridge_stop(call);
}

void script_free(struct script *script)
{
	if (!script)
		return;
	loop_timer_free(script->timer);
	twiml_free(script->root);
	free(script);
}
