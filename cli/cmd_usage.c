/* cmd_usage.c - `nexusctl usage ...`: who used which key for what. */
#include <inttypes.h>
#include <stdio.h>

#include "args.h"
#include "commands.h"
#include "output.h"

enum { LIST_DEFAULT = 100 };

static int read_opts(struct app *app, struct nxv_usage_list_opts *opts)
{
	int rc = args_time(app, "since", &opts->since_ms);

	if (rc == RC_DONE)
		rc = args_time(app, "until", &opts->until_ms);
	opts->user_id = args_value(app, "user");
	opts->key_id = args_value(app, "key");
	opts->subject = args_value(app, "call");
	return rc;
}

static void add_row(struct out_list *list, const struct nxv_usage *row)
{
	char at[32], status[16], bytes[24], took[32];
	const char *cells[] = { out_time(row->at_ms, at), row->request_id, row->key_id, row->user_id, row->method, row->route, status, bytes, took,
		row->client_address };

	snprintf(status, sizeof(status), "%d", row->status);
	snprintf(bytes, sizeof(bytes), "%" PRId64, row->bytes);
	snprintf(took, sizeof(took), "%.1f", (double)row->duration_us / 1000);
	out_list_add(list, cells, list->app->json ? nxv_json_usage(row) : NULL);
}

static nxv_status page(struct out_list *list, void *arg, unsigned limit, char **cursor, struct nxv_error *err)
{
	struct nxv_usage_list_opts *opts = arg;
	struct nxv_usage_page *rows = NULL;

	opts->limit = limit;
	opts->cursor = *cursor;
	nxv_status status = nxv_usage_list(list->app->ctx, opts, &rows, err);
	for (size_t i = 0; status == NXV_OK && i < rows->count; i++)
		add_row(list, rows->items[i]);
	out_next_cursor(cursor, rows ? &rows->next_cursor : NULL);
	nxv_usage_page_free(rows);
	return status;
}

int cmd_usage_list(struct app *app)
{
	static const char *const heads[] = { "AT", "REQUEST ID", "KEY", "USER", "METHOD", "ROUTE", "STATUS", "BYTES", "MS", "CLIENT", NULL };
	struct nxv_usage_list_opts opts = NXV_USAGE_LIST_OPTS_INIT;
	long limit = LIST_DEFAULT;
	int rc = args_number(app, "limit", 1, 1000000, &limit);

	if (rc == RC_DONE)
		rc = read_opts(app, &opts);
	return rc == RC_DONE ? out_pages(app, heads, limit, page, &opts) : rc;
}

static nxv_status export_page(struct out_export *export, void *arg, char **cursor, struct nxv_error *err)
{
	struct nxv_usage_list_opts *opts = arg;
	struct nxv_usage_page *rows = NULL;

	opts->cursor = *cursor;
	nxv_status status = nxv_usage_list(export->app->ctx, opts, &rows, err);
	for (size_t i = 0; status == NXV_OK && i < rows->count; i++)
		out_export_add(export, export->csv ? nxv_csv_usage(rows->items[i]) : nxv_json_usage(rows->items[i]));
	out_next_cursor(cursor, rows ? &rows->next_cursor : NULL);
	nxv_usage_page_free(rows);
	return status;
}

int cmd_usage_export(struct app *app)
{
	struct nxv_usage_list_opts opts = NXV_USAGE_LIST_OPTS_INIT;
	struct out_export export = { .app = app };
	int rc = out_export_format(app, &export.csv);

	if (rc == RC_DONE)
		rc = read_opts(app, &opts);
	if (rc != RC_DONE)
		return rc;
	opts.oldest_first = true;
	opts.limit = EXPORT_PAGE;
	return out_export_pages(&export, export.csv ? nxv_csv_usage(NULL) : NULL, export_page, &opts);
}
