/* ladder.c - a call's timeline drawn as a ladder diagram: a lane for everybody who took part, an arrow for every message, a
 * box on the gateway's lane for every event. Hovering over one shows its detail. */
#include <inttypes.h>
#include <string.h>

#include <nexusvoip/trace.h>

#include "base/buf.h"
#include "base/text.h"

enum { TOP = 96, ROW = 24, LEFT = 150, LANE = 230, LANE_TWILIO = 400, MARGIN = 60, DETAIL_MAX = 4096, LABEL_MAX = 64, PAUSE_MS = 1000 };

enum lane { CLIENT, TWILIO, GATEWAY, SERVER, LEG_A, LEG_B, LANES };
static const char *const lane_names[LANES] = { "client", "Twilio", "gateway", "SIP server", "caller's leg", "callee's leg" };
static const char *const lane_colours[LANES] = { "#555", "#a3262d", "#111", "#8a5a00", "#0b57a4", "#1b6e2a" };

/* Where the lanes used stand; -1: not used. */
struct plan {
	int x[LANES];
	int width, height;
};

static enum lane lane_of(const struct nxv_trace_entry *entry)
{
	switch (entry->kind) {
	case NXV_TRACE_HTTP:
		return CLIENT;
	case NXV_TRACE_TWILIO:
		return TWILIO;
	case NXV_TRACE_SIP:
		return entry->leg == 'b' ? LEG_B : LEG_A;
	case NXV_TRACE_CONTROL:
		return SERVER;
	case NXV_TRACE_EVENT:
		break;
	}
	return GATEWAY;
}

static void lay_out(const struct nxv_trace *trace, struct plan *plan)
{
	bool used[LANES] = { [GATEWAY] = true };
	int x = LEFT;

	for (size_t i = 0; i < trace->count; i++)
		used[lane_of(&trace->items[i])] = true;
	for (int lane = 0; lane < LANES; lane++) {
		plan->x[lane] = used[lane] ? x : -1;
		x += !used[lane] ? 0 : lane == TWILIO ? LANE_TWILIO : LANE; /* paths with SIDs need room */
	}
	plan->width = x - LANE + MARGIN + LANE / 2;
	plan->height = TOP + (int)trace->count * ROW + MARGIN;
}

/* Text of an element: escaped, well-formed UTF-8, at most max bytes, without what XML forbids. */
static void put_text(struct buf *out, const char *text, size_t max)
{
	size_t step;

	for (const char *at = text; *at && (size_t)(at - text) < max; at += step) {
		step = text_utf8_len(at);
		if (*at == '&')
			buf_str(out, "&amp;");
		else if (*at == '<')
			buf_str(out, "&lt;");
		else if (*at == '>')
			buf_str(out, "&gt;");
		else if (step == 1 && (unsigned char)*at < 0x20)
			buf_str(out, *at == '\n' ? "\n" : *at == '\r' ? "" : " ");
		else if (step)
			buf_append(out, at, step);
		else
			buf_str(out, "\xEF\xBF\xBD");
		step = step ? step : 1;
	}
	if (strlen(text) > max)
		buf_str(out, "\xE2\x80\xA6");
}

static void put_head(struct buf *out, const struct nxv_trace *trace, const struct plan *plan)
{
	buf_printf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" "
		"font-family=\"sans-serif\" font-size=\"12\">\n<title>Call ",
		plan->width, plan->height, plan->width, plan->height);
	put_text(out, trace->session_id, LABEL_MAX);
	buf_str(out, "</title>\n<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
		"orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"context-stroke\"/></marker></defs>\n"
		"<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"16\" y=\"26\" font-size=\"15\" font-weight=\"bold\">");
	put_text(out, trace->from_number, LABEL_MAX);
	buf_str(out, " \xE2\x86\x92 ");
	put_text(out, trace->to_number, LABEL_MAX);
	buf_str(out, ": ");
	put_text(out, trace->outcome, LABEL_MAX);
	buf_str(out, "</text>\n<text x=\"16\" y=\"44\" fill=\"#555\">");
	put_text(out, trace->session_id, 2 * LABEL_MAX);
	if (trace->request_id) {
		buf_str(out, ", request ");
		put_text(out, trace->request_id, 2 * LABEL_MAX);
	}
	buf_str(out, "</text>\n");
}

static void put_lanes(struct buf *out, const struct plan *plan)
{
	for (int lane = 0; lane < LANES; lane++)
		if (plan->x[lane] >= 0)
			buf_printf(out,
				"<text x=\"%d\" y=\"72\" text-anchor=\"middle\" font-weight=\"bold\" fill=\"%s\">%s</text>"
				"<line x1=\"%d\" y1=\"80\" x2=\"%d\" y2=\"%d\" stroke=\"#bbb\"/>\n",
				plan->x[lane], lane_colours[lane], lane_names[lane], plan->x[lane], plan->x[lane], plan->height - MARGIN / 2);
}

static void put_title(struct buf *out, const struct nxv_trace_entry *entry)
{
	buf_str(out, "<title>");
	put_text(out, entry->detail ? entry->detail : entry->summary, DETAIL_MAX);
	buf_str(out, "</title>");
}

static void put_event(struct buf *out, const struct plan *plan, const struct nxv_trace_entry *entry, int y)
{
	const int width = 9 + 7 * (int)(strlen(entry->summary) < LABEL_MAX ? strlen(entry->summary) : LABEL_MAX);

	buf_printf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"17\" rx=\"4\" fill=\"#eee\" stroke=\"#999\"/>"
		"<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", plan->x[GATEWAY] - width / 2, y - 13, width, plan->x[GATEWAY], y);
	put_text(out, entry->summary, LABEL_MAX);
	buf_str(out, "</text>");
}

static void put_arrow(struct buf *out, const struct plan *plan, const struct nxv_trace_entry *entry, int y)
{
	const enum lane lane = lane_of(entry);
	const int gateway = plan->x[GATEWAY], other = plan->x[lane];
	const bool left = other < gateway;

	buf_printf(out, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"%s\" marker-end=\"url(#tip)\"%s/>"
		"<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" fill=\"%s\">", entry->sent ? gateway : other, y, entry->sent ? other : gateway, y,
		lane_colours[lane], lane == SERVER ? " stroke-dasharray=\"4 3\"" : "", left ? gateway - 10 : gateway + 10, y - 4,
		left ? "end" : "start", lane_colours[lane]);
	if ((lane == SERVER || lane == TWILIO) && entry->leg)
		buf_str(out, entry->leg == 'a' ? "caller: " : "callee: ");
	put_text(out, entry->summary, LABEL_MAX);
	buf_str(out, "</text>");
}

/* Seconds since the first entry; after a pause in bold, so that the eye finds where time went. */
static void put_time(struct buf *out, const struct nxv_trace *trace, size_t i, int y)
{
	const int64_t ms = trace->items[i].at_ms - trace->items[0].at_ms;
	const bool pause = i && trace->items[i].at_ms - trace->items[i - 1].at_ms >= PAUSE_MS;

	buf_printf(out, "<text x=\"72\" y=\"%d\" text-anchor=\"end\" fill=\"#777\"%s>%" PRId64 ".%03d</text>", y,
		pause ? " font-weight=\"bold\"" : "", ms / 1000, (int)(ms % 1000));
}

char *nxv_trace_ladder(const struct nxv_trace *trace)
{
	struct buf out = BUF_INIT;
	struct plan plan;

	if (!trace)
		return NULL;
	lay_out(trace, &plan);
	put_head(&out, trace, &plan);
	put_lanes(&out, &plan);
	for (size_t i = 0; i < trace->count; i++) {
		const int y = TOP + (int)i * ROW + ROW / 2;

		buf_str(&out, "<g>");
		put_title(&out, &trace->items[i]);
		put_time(&out, trace, i, y);
		if (trace->items[i].kind == NXV_TRACE_EVENT)
			put_event(&out, &plan, &trace->items[i], y);
		else
			put_arrow(&out, &plan, &trace->items[i], y);
		buf_str(&out, "</g>\n");
	}
	buf_str(&out, "</svg>\n");
	return buf_take(&out);
}
