/* cmd_call_trace.c - `nexusctl call trace`: all that happened for one call, in order, as text, JSON or a ladder diagram. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "commands.h"
#include "output.h"

enum { TEXT, JSON, SVG };

static void print_detail(const char *detail)
{
	for (const char *line = detail; *line;) {
		size_t len = strcspn(line, "\r\n");
		out_line("    %.*s", (int)len, line);
		line += len;
		line += *line == '\r';
		line += *line == '\n';
	}
}

static void print_entry(const struct nxv_trace_entry *entry, int64_t began_ms, bool full)
{
	const int64_t ms = entry->at_ms - began_ms;
	const bool event = entry->kind == NXV_TRACE_EVENT;
	const char *leg = entry->leg == 'a' ? "caller" : entry->leg == 'b' ? "callee" : "";

	out_line("%6" PRId64 ".%03d  %-7s  %-6s  %s %s%s%s", ms / 1000, (int)(ms % 1000), nxv_trace_kind_name(entry->kind), leg,
		event ? "--" : entry->sent ? "->" : "<-", entry->summary, event && entry->detail && *entry->detail ? "  " : "",
		event && entry->detail ? entry->detail : "");
	if (full && !event && entry->detail)
		print_detail(entry->detail);
}

static int print_text(struct app *app, const struct nxv_trace *trace)
{
	char began[32];

	out_line("%s -> %s: %s", trace->from_number, trace->to_number, trace->outcome);
	out_line("call     %s", trace->session_id);
	if (trace->request_id)
		out_line("request  %s", trace->request_id);
	if (trace->count) {
		nxv_time_format(trace->items[0].at_ms, began);
		out_line("began    %s; -> by the gateway, <- to it", began);
		out_line("%s", "");
	}
	for (size_t i = 0; i < trace->count; i++)
		print_entry(&trace->items[i], trace->items[0].at_ms, args_value(app, "full"));
	return ferror(stdout) ? RC_FAILED : RC_DONE;
}

static int print_ladder(struct app *app, const struct nxv_trace *trace)
{
	char *svg = nxv_trace_ladder(trace);

	if (!svg)
		return out_fail(app, RC_FAILED, "no_memory", "out of memory");
	fputs(svg, stdout);
	free(svg);
	return ferror(stdout) ? RC_FAILED : RC_DONE;
}

int cmd_call_trace(struct app *app)
{
	static const char *const formats[] = { "text", "json", "svg", NULL };
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_trace *trace = NULL;
	int format = app->json ? JSON : TEXT;
	int rc = args_word(app, "format", formats, &format);

	if (rc != RC_DONE)
		return rc;
	if (nxv_trace_get(app->ctx, app->operand, &trace, &err) != NXV_OK)
		return out_error(app, &err);
	rc = format == TEXT ? print_text(app, trace) : format == SVG ? print_ladder(app, trace) : out_json(app, nxv_json_trace(trace));
	nxv_trace_free(trace);
	return rc;
}
