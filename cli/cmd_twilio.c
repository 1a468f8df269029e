/* cmd_twilio.c - `nexusctl twilio check`. */
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "commands.h"
#include "output.h"

static char *check_json(const struct nxv_check *c)
{
	char *message = nxv_json_string(c->error.message), *code = nxv_json_string(c->error.code), *out = NULL;
	size_t size = 0;
	FILE *text = message && code ? open_memstream(&out, &size) : NULL;

	if (text) {
		fprintf(text, "{\"check\":\"%s\",\"result\":\"%s\"", c->name, nxv_check_result_name(c->result));
		if (c->result == NXV_CHECK_FAILED)
			fprintf(text, ",\"code\":%s", code);
		fprintf(text, ",\"message\":%s}", message);
		fclose(text);
	}
	free(message);
	free(code);
	return out;
}

static nxv_status page(struct out_list *list, void *arg, unsigned limit, char **cursor, struct nxv_error *err)
{
	const struct nxv_twilio_report *report = arg;

	(void)limit, (void)cursor, (void)err;
	for (size_t i = 0; i < report->count; i++) {
		const struct nxv_check *c = &report->items[i];
		const char *cells[] = { c->name, nxv_check_result_name(c->result), c->error.message };
		out_list_add(list, cells, list->app->json ? check_json(c) : NULL);
	}
	return NXV_OK;
}

int cmd_twilio_check(struct app *app)
{
	static const char *const heads[] = { "CHECK", "RESULT", "FOUND", NULL };
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_twilio_report *report = NULL;
	int rc;

	if (nxv_twilio_check(app->ctx, &report, &err) != NXV_OK)
		return out_error(app, &err);
	rc = out_pages(app, heads, 0, page, report);
	for (size_t i = 0; rc == RC_DONE && i < report->count; i++) {
		const nxv_status status = report->items[i].error.status;
		if (report->items[i].result == NXV_CHECK_FAILED)
			rc = status == NXV_E_UNREACHABLE || status == NXV_E_TIMEOUT ? RC_UNREACHABLE : RC_FAILED;
	}
	nxv_twilio_report_free(report);
	return rc;
}
