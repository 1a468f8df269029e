/* events.c - pulling events from the durable log: public functions over event_sql. */
#include "events/event_sql.h"

#include "base/error.h"
#include "base/opts.h"
#include "ctx.h"

#include <stdlib.h>

enum { PULL_DEFAULT = 100, PULL_MAX = 1000 };

nxv_status nxv_event_pull(
	nxv_ctx *ctx, const struct nxv_event_opts *given, struct nxv_event_list **out, struct nxv_error *err)
{
	struct nxv_event_opts opts = NXV_EVENT_OPTS_INIT;
	struct nxv_event_list *list;
	struct db_tx *tx = NULL;
	nxv_status status;

	*out = NULL;
	if (given && !opts_take(&opts, sizeof(opts), given, OPTS_LEAST(struct nxv_event_opts, limit)))
		return error_field(err, "opts", "start the options with NXV_EVENT_OPTS_INIT");
	if (opts.limit > PULL_MAX)
		return error_field(err, "limit", "must be 1 to %d", PULL_MAX);
	list = calloc(1, sizeof(*list));
	if (!list)
		return error_nomem(err);
	status = db_begin(ctx->db, DB_READ, &tx, err);
	if (!status)
		status = event_sql_page(tx, &opts, opts.limit ? opts.limit : PULL_DEFAULT, list, err);
	db_rollback(tx);
	if (status) {
		nxv_event_list_free(list);
		return status;
	}
	*out = list;
	return NXV_OK;
}

static void event_free(struct nxv_event *event)
{
	if (!event)
		return;
	free(event->type);
	free(event->subject);
	free(event->user_id);
	free(event->data);
	free(event);
}

void nxv_event_list_free(struct nxv_event_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		event_free(list->items[i]);
	free(list->items);
	free(list);
}
