/* list_usage.c - print every use of a user's keys, page by page, oldest first. Usage: list_usage STATE_FOLDER [USER] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nexusvoip/nexusvoip.h>

static void print(const struct nxv_usage *row)
{
	char when[32];

	nxv_time_format(row->at_ms, when);
	printf("%s %-6s %-44s %d %s %s\n", when, row->method, row->route, row->status, row->key_id, row->request_id);
}

int main(int argc, char **argv)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_opts opts = NXV_OPTS_INIT;
	struct nxv_usage_list_opts filter = NXV_USAGE_LIST_OPTS_INIT;
	char *cursor = NULL;
	nxv_ctx *ctx = NULL;
	int rc = 1;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: list_usage STATE_FOLDER [USER]\n");
		return 2;
	}
	opts.state_dir = argv[1];
	filter.user_id = argv[2]; /* NULL when it was not given: of all users */
	filter.oldest_first = true;
	if (nxv_open(&opts, &ctx, &err) != NXV_OK)
		goto out;
	do {
		struct nxv_usage_page *page;

		filter.cursor = cursor;
		if (nxv_usage_list(ctx, &filter, &page, &err) != NXV_OK)
			goto out;
		for (size_t i = 0; i < page->count; i++)
			print(page->items[i]);
		free(cursor);
		cursor = page->next_cursor ? strdup(page->next_cursor) : NULL;
		nxv_usage_page_free(page);
	} while (cursor != NULL);
	rc = 0;
out:
	if (rc != 0)
		fprintf(stderr, "list_usage: %s\n", err.message);
	free(cursor);
	nxv_close(ctx);
	return rc;
}
