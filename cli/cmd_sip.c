/* cmd_sip.c - `nexusctl sip ...` and `nexusctl health`: the SIP server. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "commands.h"
#include "output.h"

enum { START_TIMEOUT_MS = 30000, STOP_TIMEOUT_MS = 15000 };

static int show(struct app *app, const struct nxv_sip_health *health)
{
	char pid[24], uptime[32], calls[24], phones[24], twilio[300];
	const struct out_pair pairs[] = {
		{ "status", nxv_sip_state_name(health->state) },
		{ "note", health->message },
		{ "server", health->server },
		{ "version", health->version },
		{ "process", health->pid ? pid : NULL },
		{ "uptime", health->state == NXV_SIP_RUNNING ? uptime : NULL },
		{ "active calls", calls },
		{ "registrations", phones },
		{ "supervised", health->supervised ? "yes" : "no" },
		{ "telephone calls", health->calls_frozen ? "stopped (`nexusctl calls state`)" : "let through" },
		{ "Twilio", health->twilio_url ? twilio : NULL },
	};

	if (app->json)
		return out_json(app, nxv_json_health(health));
	snprintf(pid, sizeof(pid), "%" PRId64, health->pid);
	snprintf(uptime, sizeof(uptime), "%" PRId64 " s", health->uptime_seconds);
	snprintf(calls, sizeof(calls), "%" PRId64, health->active_calls);
	snprintf(twilio, sizeof(twilio), "%.200s stands in its place (nexusd --sandbox, or twilio.base_url)", health->twilio_url);
	snprintf(phones, sizeof(phones), "%" PRId64, health->registrations);
	out_record(pairs, sizeof(pairs) / sizeof(pairs[0]));
	return RC_DONE;
}

/* Prints the health; *state (nullable) gets the SIP server's state. */
static int report(struct app *app, nxv_sip_state *state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_sip_health *health = NULL;
	int rc;

	if (nxv_sip_health_get(app->ctx, &health, &err) != NXV_OK)
		return out_error(app, &err);
	rc = show(app, health);
	if (state)
		*state = health->state;
	nxv_sip_health_free(health);
	return rc;
}

static int order(struct app *app, bool start)
{
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status = start ? nxv_sip_start(app->ctx, &err) : nxv_sip_stop(app->ctx, &err);

	if (status == NXV_OK && !args_value(app, "no-wait"))
		status = nxv_sip_wait(app->ctx, start, start ? START_TIMEOUT_MS : STOP_TIMEOUT_MS, &err);
	return status == NXV_OK ? report(app, NULL) : out_error(app, &err);
}

int cmd_sip_start(struct app *app)
{
	return order(app, true);
}

int cmd_sip_stop(struct app *app)
{
	return order(app, false);
}

int cmd_sip_status(struct app *app)
{
	return report(app, NULL);
}

int cmd_health(struct app *app)
{
	nxv_sip_state state = NXV_SIP_STOPPED;
	int rc = report(app, &state);

	return rc == RC_DONE && state != NXV_SIP_RUNNING ? RC_UNREACHABLE : rc;
}

/* Text that the library made, as it is or as {"<name>":"..."}; frees it. */
static int print_text(struct app *app, const char *name, char *text)
{
	int rc = RC_DONE;

	if (!app->json) {
		fputs(text, stdout);
	} else {
		char *literal = nxv_json_string(text);
		if (literal)
			printf("{\"%s\":%s}\n", name, literal);
		else
			rc = out_json(app, NULL);
		free(literal);
	}
	free(text);
	return rc;
}

int cmd_sip_render(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;
	char *text = NULL;

	if (nxv_sip_render(app->ctx, &text, &err) != NXV_OK)
		return out_error(app, &err);
	return print_text(app, "configuration", text);
}

int cmd_sip_check(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;
	char *text = NULL;
	nxv_status status = nxv_sip_check(app->ctx, &text, &err);
	int rc = text ? print_text(app, "report", text) : RC_DONE;

	if (status == NXV_OK)
		return rc;
	rc = out_error(app, &err);
	return status == NXV_E_INVALID ? RC_FAILED : rc; /* the configuration is at fault, not the command line */
}
