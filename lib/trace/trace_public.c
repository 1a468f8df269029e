/* trace_public.c - the public functions of trace.h: one timeline of what the trace table, the usage log and the event log hold. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nexusvoip/events.h>
#include <nexusvoip/sessions.h>
#include <nexusvoip/usage.h>

#include "base/error.h"
#include "base/text.h"
#include "ctx.h"
#include "trace/trace_sql.h"

enum { PAGE = 1000, READS_MAX = 1000 /* whoever polls a call for hours is not the story */ };

/* Entries of one source, in its order. */
struct track {
	struct nxv_trace_entry *items;
	size_t count, room;
};

const char *nxv_trace_kind_name(nxv_trace_kind kind)
{
	static const char *const names[] = { [NXV_TRACE_HTTP] = "http", [NXV_TRACE_CONTROL] = "control", [NXV_TRACE_SIP] = "sip",
		[NXV_TRACE_EVENT] = "event", [NXV_TRACE_TWILIO] = "twilio" };

	return kind >= NXV_TRACE_HTTP && kind <= NXV_TRACE_TWILIO ? names[kind] : "unknown";
}

static void clear_items(struct nxv_trace_entry *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(items[i].summary);
		free(items[i].detail);
	}
	free(items);
}

void nxv_trace_free(struct nxv_trace *trace)
{
	if (!trace)
		return;
	clear_items(trace->items, trace->count);
	free(trace->session_id);
	free(trace->request_id);
	free(trace->from_number);
	free(trace->to_number);
	free(trace->outcome);
	free(trace);
}

/* Takes over summary and detail, also on failure. */
static nxv_status add(struct track *track, struct nxv_trace_entry entry, bool detailed, struct nxv_error *err)
{
	if (track->count == track->room) {
		size_t room = track->room ? track->room * 2 : 64;
		struct nxv_trace_entry *more = realloc(track->items, room * sizeof(*more));
		if (more) {
			track->items = more;
			track->room = room;
		}
	}
	if (track->count == track->room || !entry.summary || (detailed && !entry.detail)) {
		free(entry.summary);
		free(entry.detail);
		return error_nomem(err);
	}
	track->items[track->count++] = entry;
	return NXV_OK;
}

static nxv_status add_row(void *arg, const struct trace_row *row, struct nxv_error *err)
{
	return add(arg, (struct nxv_trace_entry){ row->at_ms, row->kind, row->leg, row->sent, text_dup(row->summary),
		text_dup(row->detail) }, row->detail, err);
}

static nxv_status read_rows(nxv_ctx *ctx, const char *id, struct track *track, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(ctx->db, DB_READ, &tx, err);

	if (status == NXV_OK) {
		status = trace_sql_each(tx, id, add_row, track, err);
		db_rollback(tx);
	}
	return status;
}

static nxv_status read_events(nxv_ctx *ctx, const char *id, struct track *track, struct nxv_error *err)
{
	struct nxv_event_opts opts = NXV_EVENT_OPTS_INIT;
	nxv_status status = NXV_OK;
	size_t count = PAGE;

	opts.subject = id;
	opts.limit = PAGE;
	while (status == NXV_OK && count == PAGE) {
		struct nxv_event_list *list = NULL;
		status = nxv_event_pull(ctx, &opts, &list, err);
		count = list ? list->count : 0;
		for (size_t i = 0; i < count && status == NXV_OK; i++) {
			const struct nxv_event *ev = list->items[i];
			opts.after_seq = ev->seq;
			status = add(track, (struct nxv_trace_entry){ ev->at_ms, NXV_TRACE_EVENT, 0, true, text_dup(ev->type),
				text_dup(ev->data) }, ev->data, err);
		}
		nxv_event_list_free(list);
	}
	return status;
}

static nxv_status add_use(struct track *requests, struct track *answers, const struct nxv_usage *use, struct nxv_error *err)
{
	char *detail = text_printf("requestId=%s keyId=%s client=%s", use->request_id, use->key_id,
		use->client_address ? use->client_address : "unknown");
	nxv_status status = add(requests, (struct nxv_trace_entry){ use->at_ms, NXV_TRACE_HTTP, 0, false,
		text_printf("%s %s", use->method, use->route), detail }, true, err);

	if (status != NXV_OK)
		return status;
	return add(answers, (struct nxv_trace_entry){ use->at_ms + use->duration_us / 1000, NXV_TRACE_HTTP, 0, true,
		text_printf("%d (%s, %.1f ms)", use->status, use->method, (double)use->duration_us / 1000),
		text_printf("requestId=%s bytes=%" PRId64, use->request_id, use->bytes) }, true, err);
}

/* All that changed the call, and its first reads. */
static nxv_status add_uses(struct track *requests, struct track *answers, const struct nxv_usage_page *page, size_t *reads, struct nxv_error *err)
{
	nxv_status status = NXV_OK;

	for (size_t i = 0; status == NXV_OK && i < page->count; i++) {
		const struct nxv_usage *use = page->items[i];
		const bool read = strcmp(use->method, "GET") == 0;

		if (!read || ++*reads <= READS_MAX)
			status = add_use(requests, answers, use, err);
		else if (*reads == READS_MAX + 1)
			status = add(requests, (struct nxv_trace_entry){ use->at_ms, NXV_TRACE_HTTP, 0, false,
				text_dup("(more GET requests are not shown)"), NULL }, false, err);
	}
	return status;
}

static nxv_status read_uses(nxv_ctx *ctx, const char *id, struct track *requests, struct track *answers, struct nxv_error *err)
{
	struct nxv_usage_list_opts opts = NXV_USAGE_LIST_OPTS_INIT;
	nxv_status status = NXV_OK;
	char *cursor = NULL;
	size_t reads = 0;

	opts.subject = id;
	opts.oldest_first = true;
	opts.limit = PAGE;
	do {
		struct nxv_usage_page *page = NULL;
		opts.cursor = cursor;
		status = nxv_usage_list(ctx, &opts, &page, err);
		free(cursor);
		cursor = page ? text_dup(page->next_cursor) : NULL;
		if (status == NXV_OK)
			status = add_uses(requests, answers, page, &reads, err);
		nxv_usage_page_free(page);
	} while (status == NXV_OK && cursor);
	free(cursor);
	return status;
}

static int by_time(const void *a, const void *b)
{
	const struct nxv_trace_entry *x = a, *y = b;

	return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

/* The trace marks where among the messages an event took place; the event log has the event itself. A mark whose event is not
 * there (it could not be stored) is dropped; an event without a mark keeps its place by time. */
static void place_events(struct track *rows, struct track *events)
{
	size_t kept = 0, e;

	for (size_t i = 0; i < rows->count; i++) {
		struct nxv_trace_entry *row = &rows->items[i];
		if (row->kind != NXV_TRACE_EVENT) {
			rows->items[kept++] = *row;
			continue;
		}
		for (e = 0; e < events->count && strcmp(events->items[e].summary, row->summary) != 0; e++)
			;
		free(row->summary);
		free(row->detail);
		if (e == events->count)
			continue;
		events->items[e].at_ms = row->at_ms;
		rows->items[kept++] = events->items[e];
		memmove(&events->items[e], &events->items[e + 1], (--events->count - e) * sizeof(*row));
	}
	rows->count = kept;
}

enum { REQUESTS, ROWS, EVENTS, ANSWERS, TRACKS };

/* In one millisecond: a request comes first; what was received comes before the event it made, what was sent after it; an
 * answer comes last. */
static int rank(int track, const struct nxv_trace_entry *entry)
{
	return track == ROWS ? (entry->sent ? 3 : 1) : track == EVENTS ? 2 : track == REQUESTS ? 0 : 4;
}

/* Each track keeps its own order. */
static void merge(struct track *tracks, struct nxv_trace *trace)
{
	size_t at[TRACKS] = { 0 };

	for (size_t n = 0; n < trace->count; n++) {
		int best = -1;
		for (int t = 0; t < TRACKS; t++) {
			const struct nxv_trace_entry *entry = &tracks[t].items[at[t]], *other;
			if (at[t] == tracks[t].count)
				continue;
			other = best < 0 ? NULL : &tracks[best].items[at[best]];
			if (!other || entry->at_ms < other->at_ms ||
				(entry->at_ms == other->at_ms && rank(t, entry) < rank(best, other)))
				best = t;
		}
		trace->items[n] = tracks[best].items[at[best]++];
	}
}

static nxv_status describe(struct nxv_trace *trace, const struct nxv_session *call, struct nxv_error *err)
{
	const char *reason = call->end_reason;

	trace->session_id = text_dup(call->id);
	trace->request_id = text_dup(call->request_id);
	trace->from_number = text_dup(call->from_number);
	trace->to_number = text_dup(call->to_number);
	trace->outcome = text_printf("%s%s%s", nxv_call_status_name(call->status), reason ? ", " : "", reason ? reason : "");
	if (!trace->session_id || !trace->from_number || !trace->to_number || !trace->outcome ||
		(call->request_id && !trace->request_id))
		return error_nomem(err);
	return NXV_OK;
}

static nxv_status gather(nxv_ctx *ctx, const char *id, struct nxv_trace *trace, struct nxv_error *err)
{
	struct track tracks[TRACKS] = { { 0 } };
	nxv_status status = read_rows(ctx, id, &tracks[ROWS], err);

	if (status == NXV_OK)
		status = read_events(ctx, id, &tracks[EVENTS], err);
	if (status == NXV_OK)
		status = read_uses(ctx, id, &tracks[REQUESTS], &tracks[ANSWERS], err);
	if (status == NXV_OK && tracks[ANSWERS].count) /* a slow request may have begun before a fast one */
		qsort(tracks[ANSWERS].items, tracks[ANSWERS].count, sizeof(struct nxv_trace_entry), by_time);
	place_events(&tracks[ROWS], &tracks[EVENTS]);
	for (int t = 0; t < TRACKS; t++)
		trace->count += tracks[t].count;
	trace->items = status == NXV_OK ? calloc(trace->count + 1, sizeof(*trace->items)) : NULL;
	if (status == NXV_OK && !trace->items)
		status = error_nomem(err);
	if (status == NXV_OK)
		merge(tracks, trace);
	else
		trace->count = 0;
	for (int t = 0; t < TRACKS; t++)
		clear_items(tracks[t].items, status == NXV_OK ? 0 : tracks[t].count);
	return status;
}

nxv_status nxv_trace_get(nxv_ctx *ctx, const char *session_id, struct nxv_trace **out, struct nxv_error *err)
{
	struct nxv_session *call = NULL;
	struct nxv_trace *trace = NULL;
	nxv_status status = nxv_session_get(ctx, session_id, &call, err);

	*out = NULL;
	if (status == NXV_OK && !(trace = calloc(1, sizeof(*trace))))
		status = error_nomem(err);
	if (status == NXV_OK)
		status = describe(trace, call, err);
	if (status == NXV_OK)
		status = gather(ctx, session_id, trace, err);
	nxv_session_free(call);
	if (status != NXV_OK) {
		nxv_trace_free(trace);
		return status;
	}
	*out = trace;
	return NXV_OK;
}
