/* export.c - exports: all rows, page by page, as CSV (RFC 4180) or JSON Lines. */
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "output.h"

int out_export_format(struct app *app, bool *csv)
{
	static const char *const formats[] = { "csv", "jsonl", NULL };
	int format = app->json;
	int rc = args_word(app, "format", formats, &format);

	*csv = format == 0;
	return rc;
}

void out_export_add(struct out_export *export, char *row)
{
	if (!row)
		export->failed = true;
	else
		printf(export->csv ? "%s" : "%s\n", row);
	free(row);
}

int out_export_pages(struct out_export *export, char *heading, out_export_fn *fetch, void *arg)
{
	struct nxv_error err = NXV_ERROR_INIT;
	char *cursor = NULL;
	int rc = RC_DONE;

	if (heading)
		out_export_add(export, heading);
	do {
		if (fetch(export, arg, &cursor, &err) != NXV_OK)
			rc = out_error(export->app, &err);
		else if (export->failed)
			rc = out_fail(export->app, RC_FAILED, "no_memory", "out of memory");
	} while (rc == RC_DONE && cursor && !ferror(stdout));
	free(cursor);
	return rc;
}
