/* cmd_call_start.c - `nexusctl call start`: place a call through the engine that runs, or be the engine until it ends. */
#include <stdio.h>
#include <time.h>

#include "args.h"
#include "call.h"
#include "commands.h"
#include "output.h"

enum { SLICE_MS = 200, SIP_TIMEOUT_MS = 15000 };

/* A call under way. */
struct placed {
	struct app *app;
	char id[80];
	struct nxv_session *call; /* as last seen */
	bool foreground;          /* this process is the engine */
	int interrupts;           /* already acted on */
};

static int read_opts(struct app *app, struct nxv_call_opts *opts, int *until)
{
	static const char *const words[] = { "ringing", "answered", "ended", NULL };
	static const char *const whom[] = { "caller", "callee", NULL };
	int first = -1;
	int rc = args_word(app, "wait", words, until);

	if (rc == RC_DONE)
		rc = args_word(app, "ring-first", whom, &first);

	if (rc != RC_DONE)
		return rc;
	opts->user_id = args_value(app, "user");
	opts->from_number = args_value(app, "from");
	opts->to_number = args_value(app, "to");
	opts->callee_first = first == 1;
	opts->auto_answer = args_value(app, "auto-answer");
	if (args_value(app, "twilio") && args_value(app, "no-twilio"))
		return out_usage(app, "--twilio and --no-twilio exclude each other");
	if (args_value(app, "twilio"))
		opts->use_twilio = NXV_TWILIO_YES;
	else if (args_value(app, "no-twilio"))
		opts->use_twilio = NXV_TWILIO_NO;
	return RC_DONE;
}

/* An engine that has just started may still be taking over the SIP server: give it the time. */
static nxv_status sip_settle(nxv_ctx *ctx, struct nxv_error *err)
{
	struct nxv_sip_health *health = NULL;
	nxv_status status = nxv_sip_health_get(ctx, &health, err);

	if (status == NXV_OK && (health->state == NXV_SIP_STARTING || health->state == NXV_SIP_BACKOFF))
		status = nxv_sip_wait(ctx, true, SIP_TIMEOUT_MS, err);
	nxv_sip_health_free(health);
	return status;
}

static void print_progress(const struct placed *p)
{
	char at[32], outcome[128];

	nxv_time_format(app_now_ms(), at);
	call_outcome(p->call, outcome, sizeof(outcome));
	out_note(p->app, "%s  %s", at, outcome);
}

/* The first Ctrl-C ends the call, where this process is its engine; the next one stops waiting. */
static nxv_status on_interrupt(struct placed *p, bool *leave, struct nxv_error *err)
{
	p->interrupts++;
	if (!p->foreground) {
		out_note(p->app, "The call goes on; end it with `nexusctl call end %s`.", p->id);
		*leave = true;
	} else if (p->interrupts > 1) {
		*leave = true;
	} else {
		out_note(p->app, "Ending the call; Ctrl-C again leaves at once.");
		return nxv_session_end(p->app->ctx, p->id, err);
	}
	return NXV_OK;
}

/* Waits until the call has come so far; p->call is then what it is. */
static nxv_status follow(struct placed *p, nxv_until until, struct nxv_error *err)
{
	nxv_call_status seen = p->call->status;
	nxv_status status = NXV_E_TIMEOUT;
	bool leave = false;

	while (status == NXV_E_TIMEOUT && !leave) {
		struct nxv_session *now = NULL;
		status = nxv_session_wait(p->app->ctx, p->id, until, SLICE_MS, &now, err);
		if (now) {
			nxv_session_free(p->call);
			p->call = now;
		}
		if (p->call->status != seen)
			print_progress(p);
		seen = p->call->status;
		if (status == NXV_E_TIMEOUT && app_interrupted() > p->interrupts) {
			nxv_status ended = on_interrupt(p, &leave, err);
			if (ended != NXV_OK)
				return ended;
			until = NXV_UNTIL_ENDED;
		}
	}
	return leave ? NXV_OK : status;
}

/* Whether the call came to what was waited for; if not, says what it came to. */
static int verdict(const struct placed *p, int until)
{
	const struct nxv_session *call = p->call;
	struct nxv_error err = NXV_ERROR_INIT;
	char outcome[128];

	if (!nxv_call_status_ended(call->status)) /* not there yet: Ctrl-C cut the waiting short */
		return p->interrupts ? RC_FAILED : RC_DONE;
	if (call->status == NXV_CALL_COMPLETED)
		return RC_DONE;
	if (until < 0 && !p->foreground)
		return RC_DONE;
	if (nxv_session_error(call, &err) != NXV_OK)
		return out_error(p->app, &err);
	call_outcome(call, outcome, sizeof(outcome));
	return out_fail(p->app, RC_FAILED, "call_not_completed", "the call ended as %s; `nexusctl call trace %s` shows how", outcome, call->id);
}

static int carry(struct placed *p, int until)
{
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status = NXV_OK;
	int rc;

	if (until >= 0)
		status = follow(p, (nxv_until)until, &err);
	else if (p->foreground)
		status = follow(p, NXV_UNTIL_ENDED, &err);
	if (status != NXV_OK)
		return out_error(p->app, &err);
	rc = call_show(p->app, p->call);
	fflush(stdout);
	if (rc == RC_DONE)
		rc = verdict(p, until);
	if (p->foreground && !nxv_call_status_ended(p->call->status) && p->interrupts < 2 && follow(p, NXV_UNTIL_ENDED, &err) != NXV_OK)
		rc = out_error(p->app, &err);
	return rc;
}

int cmd_call_start(struct app *app)
{
	struct nxv_call_opts opts = NXV_CALL_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct placed placed = { .app = app };
	int until = -1;
	int rc = read_opts(app, &opts, &until);

	if (rc != RC_DONE)
		return rc;
	app_catch_signals();
	if (!nxv_engine_running(app->ctx)) {
		nxv_status status = nxv_start(app->ctx, &err);
		placed.foreground = status == NXV_OK;
		if (status != NXV_OK && status != NXV_E_BUSY) /* busy: somebody else became the engine just now */
			return out_error(app, &err);
	}
	if (sip_settle(app->ctx, &err) != NXV_OK || nxv_session_start(app->ctx, &opts, &placed.call, &err) != NXV_OK) {
		rc = out_error(app, &err);
		goto out;
	}
	snprintf(placed.id, sizeof(placed.id), "%s", placed.call->id);
	rc = carry(&placed, until);
out:
	nxv_session_free(placed.call);
	if (placed.foreground)
		nxv_stop(app->ctx);
	return rc;
}
