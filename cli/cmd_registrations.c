/* cmd_registrations.c - `nexusctl registrations ...`: which phones are registered, what happens to them, ending them. */
#include <inttypes.h>
#include <stdio.h>

#include "args.h"
#include "commands.h"
#include "output.h"
#include "watch.h"

static nxv_status rows(struct out_list *list, void *arg, unsigned limit, char **cursor, struct nxv_error *err)
{
	const struct nxv_registration_list *phones = arg;

	(void)limit;
	(void)cursor;
	(void)err;
	for (size_t i = 0; i < phones->count; i++) {
		const struct nxv_registration *phone = phones->items[i];
		char expires[24];
		const char *cells[] = { phone->username, phone->user_id, phone->contact, phone->user_agent, expires };
		snprintf(expires, sizeof(expires), "%" PRId64 " s", phone->expires_seconds);
		out_list_add(list, cells, NULL);
	}
	return NXV_OK;
}

int cmd_registrations_list(struct app *app)
{
	static const char *const heads[] = { "USERNAME", "USER", "CONTACT", "USER AGENT", "EXPIRES IN", NULL };
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_registration_list *phones = NULL;
	int rc;

	if (nxv_sip_registrations(app->ctx, args_value(app, "user"), &phones, &err) != NXV_OK)
		return out_error(app, &err);
	rc = app->json ? out_json(app, nxv_json_registrations(phones)) : out_pages(app, heads, 0, rows, phones);
	nxv_registration_list_free(phones);
	return rc;
}

int cmd_registrations_watch(struct app *app)
{
	struct nxv_event_opts opts = NXV_EVENT_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	int rc = RC_DONE;

	opts.user_id = args_value(app, "user");
	if (watch_last(app->ctx, &opts.after_seq, &err) != NXV_OK)
		return out_error(app, &err);
	app_catch_signals();
	while (rc == RC_DONE && !app_interrupted()) {
		size_t count = 0;

		rc = watch_new(app, &opts, "registration.", &count);
		if (count == 0)
			watch_pause();
	}
	return rc;
}

int cmd_registrations_kick(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_sip_kick(app->ctx, app->operand, args_value(app, "contact"), &err) != NXV_OK)
		return out_error(app, &err);
	if (app->json)
		printf("{\"success\":true}\n");
	else
		out_line("Signed off; the phone may register again. To keep it out: nexusctl credentials revoke %s", app->operand);
	return RC_DONE;
}
