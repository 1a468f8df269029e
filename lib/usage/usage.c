/* usage.c - reading the usage log: public functions over usage_sql.
 * A cursor is "n<at_ms>.<id>" (newest first) or "o<at_ms>.<id>" (oldest first) of the last row seen. */
#include <nexusvoip/usage.h>

#include "base/error.h"
#include "base/opts.h"
#include "base/text.h"
#include "ctx.h"
#include "usage/usage_sql.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_DEFAULT = 100, LIST_MAX = 1000 };

static bool read_cursor(const char *cursor, bool oldest_first, struct usage_place *place)
{
	char number[24];
	size_t len = strcspn(cursor, ".");

	if (cursor[0] != (oldest_first ? 'o' : 'n') || !cursor[len] || len > sizeof(number))
		return false;
	text_copy(number, len, cursor + 1);
	return text_int(number, INT64_MIN, INT64_MAX, &place->at_ms) &&
		text_int(cursor + len + 1, 0, INT64_MAX, &place->id);
}

static bool is_before(struct usage_place a, struct usage_place b)
{
	return a.at_ms < b.at_ms || (a.at_ms == b.at_ms && a.id < b.id);
}

/* Ids start at 1: (t, 0) lies before every row of the millisecond t. */
static nxv_status bounds(const struct nxv_usage_list_opts *opts, struct usage_place *after, struct usage_place *before,
	struct nxv_error *err)
{
	struct usage_place cursor;

	*after = opts->since_ms ? (struct usage_place){ opts->since_ms, 0 } : (struct usage_place){ INT64_MIN, 0 };
	*before = opts->until_ms ? (struct usage_place){ opts->until_ms, 0 } :
		(struct usage_place){ INT64_MAX, INT64_MAX };
	if (!opts->cursor)
		return NXV_OK;
	if (!read_cursor(opts->cursor, opts->oldest_first, &cursor))
		return error_field(err, "cursor", "is not one that a list of this order gave out; start without it");
	if (opts->oldest_first && is_before(*after, cursor))
		*after = cursor;
	if (!opts->oldest_first && is_before(cursor, *before))
		*before = cursor;
	return NXV_OK;
}

static nxv_status set_cursor(struct nxv_usage_page *list, bool oldest_first, struct nxv_error *err)
{
	const struct nxv_usage *last = list->items[list->count - 1];

	list->next_cursor = text_printf("%c%" PRId64 ".%" PRId64, oldest_first ? 'o' : 'n', last->at_ms, last->id);
	return list->next_cursor ? NXV_OK : error_nomem(err);
}

nxv_status nxv_usage_list(
	nxv_ctx *ctx, const struct nxv_usage_list_opts *given, struct nxv_usage_page **out, struct nxv_error *err)
{
	struct nxv_usage_list_opts opts = NXV_USAGE_LIST_OPTS_INIT;
	struct usage_place after, before;
	struct nxv_usage_page *list;
	struct db_tx *tx = NULL;
	bool more = false;
	nxv_status status;

	*out = NULL;
	if (given && !opts_take(&opts, sizeof(opts), given, OPTS_LEAST(struct nxv_usage_list_opts, cursor)))
		return error_field(err, "opts", "start the options with NXV_USAGE_LIST_OPTS_INIT");
	if (opts.limit > LIST_MAX)
		return error_field(err, "limit", "must be 1 to %d", LIST_MAX);
	status = bounds(&opts, &after, &before, err);
	if (status)
		return status;
	list = calloc(1, sizeof(*list));
	if (!list)
		return error_nomem(err);
	status = db_begin(ctx->db, DB_READ, &tx, err);
	if (!status)
		status = usage_sql_page(tx, &opts, after, before, opts.limit ? opts.limit : LIST_DEFAULT, list, &more,
			err);
	db_rollback(tx);
	if (!status && more)
		status = set_cursor(list, opts.oldest_first, err);
	if (status) {
		nxv_usage_page_free(list);
		return status;
	}
	*out = list;
	return NXV_OK;
}

static void usage_free(struct nxv_usage *row)
{
	if (!row)
		return;
	free(row->request_id);
	free(row->key_id);
	free(row->user_id);
	free(row->method);
	free(row->route);
	free(row->client_address);
	free(row->subject);
	free(row);
}

void nxv_usage_page_free(struct nxv_usage_page *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		usage_free(list->items[i]);
	free(list->items);
	free(list->next_cursor);
	free(list);
}
