/* cmd_policy.c - `nexusctl callers ...` and `nexusctl calls freeze|thaw`: which telephone calls are let through. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "commands.h"
#include "output.h"

int cmd_callers_add(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_caller_add(app->ctx, args_value(app, "user"), app->operand, &err) != NXV_OK)
		return out_error(app, &err);
	return out_done(app, "added", app->operand);
}

int cmd_callers_remove(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_caller_remove(app->ctx, args_value(app, "user"), app->operand, &err) != NXV_OK)
		return out_error(app, &err);
	return out_done(app, "removed", app->operand);
}

static char *caller_json(const struct nxv_caller *c)
{
	char *user = nxv_json_string(c->user_id), *out = NULL, at[32];
	size_t size = 0;
	FILE *text = user ? open_memstream(&out, &size) : NULL;

	nxv_time_format(c->added_at_ms, at);
	if (text) {
		fprintf(text, "{\"userId\":%s,\"number\":\"%s\",\"addedAt\":\"%s\"}", user, c->number, at);
		fclose(text);
	}
	free(user);
	return out;
}

static nxv_status page(struct out_list *list, void *arg, unsigned limit, char **cursor, struct nxv_error *err)
{
	struct nxv_caller_list *callers;
	nxv_status status = nxv_caller_list(list->app->ctx, arg, &callers, err);

	(void)limit, (void)cursor;
	for (size_t i = 0; status == NXV_OK && i < callers->count; i++) {
		const struct nxv_caller *c = &callers->items[i];
		char at[32];
		const char *cells[] = { c->user_id, c->number, out_time(c->added_at_ms, at) };
		out_list_add(list, cells, list->app->json ? caller_json(c) : NULL);
	}
	if (status == NXV_OK)
		nxv_caller_list_free(callers);
	return status;
}

int cmd_callers_list(struct app *app)
{
	static const char *const heads[] = { "USER", "NUMBER", "ADDED", NULL };

	return out_pages(app, heads, 0, page, (void *)args_value(app, "user"));
}

static int show_freeze(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_freeze freeze;
	char at[32], *reason;

	if (nxv_calls_freeze_get(app->ctx, &freeze, &err) != NXV_OK)
		return out_error(app, &err);
	if (!app->json) {
		if (freeze.frozen)
			out_line("telephone calls are stopped since %s%s%s", out_time(freeze.since_ms, at), *freeze.reason ? ": " : "", freeze.reason);
		else
			puts("telephone calls are let through");
		return RC_DONE;
	}
	reason = nxv_json_string(freeze.reason);
	nxv_time_format(freeze.since_ms, at);
	if (freeze.frozen && reason)
		printf("{\"frozen\":true,\"since\":\"%s\",\"reason\":%s}\n", at, reason);
	else
		printf("{\"frozen\":%s}\n", freeze.frozen ? "true" : "false");
	free(reason);
	return RC_DONE;
}

int cmd_calls_freeze(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_calls_freeze(app->ctx, args_value(app, "reason"), &err) != NXV_OK)
		return out_error(app, &err);
	out_note(app, "New telephone calls are refused, also after a restart; calls that are up go on. `nexusctl calls thaw` undoes it.");
	return show_freeze(app);
}

int cmd_calls_thaw(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_calls_thaw(app->ctx, &err) != NXV_OK)
		return out_error(app, &err);
	return show_freeze(app);
}

int cmd_calls_state(struct app *app)
{
	return show_freeze(app);
}
