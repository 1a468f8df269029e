/* trace.c - a call's timeline as JSON: the call, then its entries in order. */
#include <nexusvoip/wire.h>

#include "wire/record.h"

static void put_kind(struct buf *out, const void *member)
{
	wire_put_string(out, nxv_trace_kind_name(*(const nxv_trace_kind *)member));
}

static void put_leg(struct buf *out, const void *member)
{
	const char leg = *(const char *)member;

	buf_str(out, leg == 'a' ? "\"caller\"" : leg == 'b' ? "\"callee\"" : "\"none\"");
}

#define AT(member) offsetof(struct nxv_trace_entry, member)

static const struct wire_field entry_fields[] = {
	{ .name = "at", .type = WIRE_TIME, .offset = AT(at_ms) },
	{ .name = "kind", .type = WIRE_PUT, .offset = AT(kind), .arg.put = put_kind },
	{ .name = "leg", .type = WIRE_PUT, .offset = AT(leg), .arg.put = put_leg },
	{ .name = "sent", .type = WIRE_BOOL, .offset = AT(sent) },
	{ .name = "summary", .type = WIRE_TEXT, .offset = AT(summary) },
	{ .name = "detail", .type = WIRE_TEXT, .offset = AT(detail) },
	{ .type = WIRE_END },
};

static void put_member(struct buf *out, const char *name, const char *text)
{
	if (!text)
		return;
	buf_printf(out, "\"%s\":", name);
	wire_put_string(out, text);
	buf_str(out, ",");
}

char *nxv_json_trace(const struct nxv_trace *trace)
{
	struct buf out = BUF_INIT;

	if (!trace)
		return NULL;
	buf_str(&out, "{");
	put_member(&out, "sessionId", trace->session_id);
	put_member(&out, "requestId", trace->request_id);
	put_member(&out, "fromNumber", trace->from_number);
	put_member(&out, "toNumber", trace->to_number);
	put_member(&out, "outcome", trace->outcome);
	buf_str(&out, "\"timeline\":[");
	for (size_t i = 0; i < trace->count; i++) {
		buf_str(&out, i ? "," : "");
		wire_put_record(&out, entry_fields, &trace->items[i]);
	}
	buf_str(&out, "]}");
	return buf_take(&out);
}
