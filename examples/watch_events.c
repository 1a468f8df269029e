/* watch_events.c - follow the durable event log from a sequence number on; nothing is lost between two runs of it.
 * Usage: watch_events STATE_FOLDER [AFTER_SEQ [SECONDS]] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <nexusvoip/nexusvoip.h>

static void print(const struct nxv_event *event)
{
	char when[32];

	nxv_time_format(event->at_ms, when);
	printf("%lld %s %s %s %s\n", (long long)event->seq, when, event->type, event->subject, event->data);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_opts opts = NXV_OPTS_INIT;
	struct nxv_event_opts from = NXV_EVENT_OPTS_INIT;
	struct timespec pause = { 0, 200 * 1000 * 1000 };
	time_t until = argc > 3 ? time(NULL) + atoi(argv[3]) : 0;
	nxv_ctx *ctx = NULL;
	int rc = 1;

	if (argc < 2) {
		fprintf(stderr, "usage: watch_events STATE_FOLDER [AFTER_SEQ [SECONDS]]\n");
		return 2;
	}
	opts.state_dir = argv[1];
	from.after_seq = argc > 2 ? atoll(argv[2]) : 0;
	if (nxv_open(&opts, &ctx, &err) != NXV_OK)
		goto out;
	while (until == 0 || time(NULL) < until) {
		struct nxv_event_list *list;

		if (nxv_event_pull(ctx, &from, &list, &err) != NXV_OK)
			goto out;
		for (size_t i = 0; i < list->count; i++) {
			print(list->items[i]);
			from.after_seq = list->items[i]->seq;
		}
		if (list->count == 0)
			nanosleep(&pause, NULL);
		nxv_event_list_free(list);
	}
	rc = 0;
out:
	if (rc != 0)
		fprintf(stderr, "watch_events: %s\n", err.message);
	nxv_close(ctx);
	return rc;
}
