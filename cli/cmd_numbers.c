/* cmd_numbers.c - `nexusctl numbers ...`: whose phones a call from the trunk rings. */
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "commands.h"
#include "output.h"

int cmd_numbers_add(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_number_add(app->ctx, app->operand, args_value(app, "user"), &err) != NXV_OK)
		return out_error(app, &err);
	return out_done(app, "added", app->operand);
}

int cmd_numbers_remove(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_number_remove(app->ctx, app->operand, &err) != NXV_OK)
		return out_error(app, &err);
	return out_done(app, "removed", app->operand);
}

static char *number_json(const struct nxv_number *n)
{
	char *user = nxv_json_string(n->user_id), *out = NULL, at[32];
	size_t size = 0;
	FILE *text = user ? open_memstream(&out, &size) : NULL;

	nxv_time_format(n->added_at_ms, at);
	if (text) {
		fprintf(text, "{\"number\":\"%s\",\"userId\":%s,\"addedAt\":\"%s\"}", n->number, user, at);
		fclose(text);
	}
	free(user);
	return out;
}

static nxv_status page(struct out_list *list, void *arg, unsigned limit, char **cursor, struct nxv_error *err)
{
	struct nxv_number_list *numbers;
	nxv_status status = nxv_number_list(list->app->ctx, arg, &numbers, err);

	(void)limit, (void)cursor;
	for (size_t i = 0; status == NXV_OK && i < numbers->count; i++) {
		const struct nxv_number *n = &numbers->items[i];
		char at[32];
		const char *cells[] = { n->number, n->user_id, out_time(n->added_at_ms, at) };

		out_list_add(list, cells, list->app->json ? number_json(n) : NULL);
	}
	if (status == NXV_OK)
		nxv_number_list_free(numbers);
	return status;
}

int cmd_numbers_list(struct app *app)
{
	static const char *const heads[] = { "NUMBER", "USER", "ADDED", NULL };

	return out_pages(app, heads, 0, page, (void *)args_value(app, "user"));
}
