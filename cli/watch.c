/* watch.c - prints events as they happen. */
#include "watch.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "output.h"

enum { PAUSE_MS = 100 };

static int print_event(const struct app *app, const struct nxv_event *event)
{
	char at[32];
	int rc = RC_DONE;

	nxv_time_format(event->at_ms, at);
	if (app->json)
		rc = out_json(app, nxv_json_event(event));
	else
		out_line("%s  %-22s %s  %s", at, event->type, event->subject, event->data ? event->data : "");
	fflush(stdout);
	return rc;
}

/* Events are read by number, so the end is found by halving, not by reading them all. */
nxv_status watch_last(nxv_ctx *ctx, int64_t *seq, struct nxv_error *err)
{
	struct nxv_event_opts opts = NXV_EVENT_OPTS_INIT;
	int64_t low = 0, high = INT64_C(1) << 53; /* there is one after low (or low is 0), and none after high */

	opts.limit = 1;
	while (low < high) {
		struct nxv_event_list *list = NULL;
		opts.after_seq = low + (high - low) / 2;
		nxv_status status = nxv_event_pull(ctx, &opts, &list, err);
		if (status != NXV_OK)
			return status;
		if (list->count)
			low = list->items[0]->seq;
		else
			high = opts.after_seq;
		nxv_event_list_free(list);
	}
	*seq = high;
	return NXV_OK;
}

int watch_new(const struct app *app, struct nxv_event_opts *opts, const char *prefix, size_t *count)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_event_list *list = NULL;
	int rc = RC_DONE;

	*count = 0;
	if (nxv_event_pull(app->ctx, opts, &list, &err) != NXV_OK)
		return out_error(app, &err);
	for (size_t i = 0; i < list->count && rc == RC_DONE; i++) {
		opts->after_seq = list->items[i]->seq;
		if (!prefix || !strncmp(list->items[i]->type, prefix, strlen(prefix)))
			rc = print_event(app, list->items[i]);
	}
	*count = list->count;
	nxv_event_list_free(list);
	return ferror(stdout) ? RC_FAILED : rc;
}

void watch_pause(void)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };

	nanosleep(&pause, NULL);
}
