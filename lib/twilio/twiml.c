/* twiml.c - builds TwiML: which element may stand where, and XML that is well-formed whatever text goes in.
 * The spelling (escapes, empty elements) is that of Twilio's own helpers, so that both can be compared byte by byte. */
#include <nexusvoip/twilio.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 8, DOCUMENT_MAX_BYTES = 64 * 1024, NAME_MAX_BYTES = 63 };

struct nxv_twiml {
	struct buf text;
	const char *open[DEPTH_MAX]; /* names of the open elements, static */
	size_t depth;
	size_t tag_at;               /* where the start tag of the innermost one begins */
	bool in_tag;                 /* that tag still takes attributes */
	bool taken;
	struct nxv_error err;        /* the first failure */
};

#define SSML "break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w"
#define SPEECH "Pause", "Play", "Say"

/* What may stand in what. A name has one spelling wherever it stands. */
static const struct {
	const char *parent;
	const char *children[24];
} places[] = {
	{ "Response", { "Connect", "Dial", "Echo", "Enqueue", "Gather", "Hangup", "Leave", "Pay", "Prompt", "Queue", "Record", "Redirect",
		"Refer", "Reject", "Sms", "Start", "Stop", SPEECH } },
	{ "Dial", { "Application", "Client", "Conference", "Number", "Queue", "Sim", "Sip", "WhatsApp" } },
	{ "Application", { "ApplicationSid", "Parameter" } },
	{ "Client", { "Identity", "Parameter" } },
	{ "Connect", { "AiSession", "Autopilot", "Conversation", "ConversationRelay", "Room", "Stream", "VirtualAgent" } },
	{ "ConversationRelay", { "Language", "Parameter" } },
	{ "VirtualAgent", { "Config", "Parameter" } },
	{ "Enqueue", { "Task" } },
	{ "Gather", { SPEECH } },
	{ "Pay", { "Parameter", "Prompt" } },
	{ "Prompt", { SPEECH } },
	{ "Refer", { "Sip" } },
	{ "Start", { "Recording", "Siprec", "Stream", "Transcription" } },
	{ "Stop", { "Siprec", "Stream", "Transcription" } },
	{ "Siprec", { "Parameter" } },
	{ "Stream", { "Parameter" } },
	{ "Transcription", { "Config", "Parameter" } },
	{ "Say", { SSML } },
	{ "emphasis", { SSML } },
	{ "lang", { SSML } },
	{ "p", { SSML } },
	{ "prosody", { SSML } },
	{ "s", { SSML } },
	{ "w", { SSML } },
};

nxv_twiml *nxv_twiml_new(void)
{
	nxv_twiml *twiml = calloc(1, sizeof(*twiml));

	if (!twiml)
		return NULL;
	twiml->text.max = DOCUMENT_MAX_BYTES;
	buf_str(&twiml->text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response");
	twiml->open[twiml->depth++] = places[0].parent;
	twiml->in_tag = true;
	return twiml;
}

static bool usable(const nxv_twiml *twiml)
{
	return twiml && !twiml->err.status && !twiml->taken;
}

/* The static spelling of a child of parent; NULL when it has no place there. */
static const char *place_of(const char *parent, const char *element)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (const char *const *child = places[i].children; strcmp(places[i].parent, parent) == 0 && *child; child++)
			if (strcmp(*child, element) == 0)
				return *child;
	return NULL;
}

static void end_tag(nxv_twiml *twiml)
{
	if (twiml->in_tag)
		buf_str(&twiml->text, ">");
	twiml->in_tag = false;
}

void nxv_twiml_open(nxv_twiml *twiml, const char *element)
{
	const char *parent, *name;

	if (!usable(twiml))
		return;
	if (twiml->depth == 0 || twiml->depth == DEPTH_MAX) {
		error_field(&twiml->err, element, "the element <%.40s> is %s", element, twiml->depth ? "nested too deep" : "outside the document");
		return;
	}
	parent = twiml->open[twiml->depth - 1];
	name = place_of(parent, element);
	if (!name) {
		error_field(&twiml->err, element, "<%.40s> has no place in <%s>", element, parent);
		return;
	}
	end_tag(twiml);
	twiml->tag_at = twiml->text.len;
	buf_printf(&twiml->text, "<%s", name);
	twiml->open[twiml->depth++] = name;
	twiml->in_tag = true;
}

/* Length of the character at s if XML 1.0 can carry it; 0 otherwise. */
static size_t character(const char *s)
{
	size_t len = text_utf8_len(s);

	if (len == 1 && (unsigned char)*s < 0x20 && !strchr("\t\n\r", *s))
		return 0;
	if (len == 3 && (memcmp(s, "\xef\xbf\xbe", 3) == 0 || memcmp(s, "\xef\xbf\xbf", 3) == 0))
		return 0;
	return len;
}

static const char *escape(char c, bool attribute)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '\r':
		return "&#xD;";
	case '>':
		return attribute ? NULL : "&gt;";
	case '"':
		return attribute ? "&quot;" : NULL;
	case '\t':
		return attribute ? "&#x9;" : NULL;
	case '\n':
		return attribute ? "&#xA;" : NULL;
	default:
		return NULL;
	}
}

static void add(nxv_twiml *twiml, const char *s, bool attribute, const char *field)
{
	for (size_t len; *s; s += len) {
		const char *escaped = escape(*s, attribute);

		len = character(s);
		if (!len) {
			error_field(&twiml->err, field, "%s holds what XML cannot: a control character, or bytes that are no UTF-8", field);
			return;
		}
		if (escaped)
			buf_str(&twiml->text, escaped);
		else
			buf_append(&twiml->text, s, len);
	}
}

static bool good_name(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= NAME_MAX_BYTES && !strchr("-.0123456789", *name) &&
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-") == len;
}

void nxv_twiml_attr(nxv_twiml *twiml, const char *name, const char *value)
{
	char start[NAME_MAX_BYTES + 4];

	if (!usable(twiml) || !value)
		return;
	if (!twiml->in_tag || !good_name(name)) {
		error_field(&twiml->err, name, "the attribute \"%.40s\" %s", name,
			twiml->in_tag ? "has no name XML knows" : "comes too late: add it right after its element is begun");
		return;
	}
	/* Quotes in values are escaped, so this finds attributes only. */
	snprintf(start, sizeof(start), " %s=\"", name);
	if (twiml->text.data && !twiml->text.failed && strstr(twiml->text.data + twiml->tag_at, start)) {
		error_field(&twiml->err, name, "the attribute \"%.40s\" is there twice", name);
		return;
	}
	buf_str(&twiml->text, start);
	add(twiml, value, true, name);
	buf_str(&twiml->text, "\"");
}

void nxv_twiml_attr_int(nxv_twiml *twiml, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	nxv_twiml_attr(twiml, name, text);
}

void nxv_twiml_attr_bool(nxv_twiml *twiml, const char *name, bool value)
{
	nxv_twiml_attr(twiml, name, value ? "true" : "false");
}

void nxv_twiml_text(nxv_twiml *twiml, const char *text)
{
	if (!usable(twiml) || !text || !*text)
		return;
	if (twiml->depth == 0) {
		error_field(&twiml->err, "text", "text after the end of the document");
		return;
	}
	end_tag(twiml);
	add(twiml, text, false, twiml->open[twiml->depth - 1]);
}

void nxv_twiml_close(nxv_twiml *twiml)
{
	if (!usable(twiml))
		return;
	if (twiml->depth == 0) {
		error_field(&twiml->err, "Response", "an element is ended that was not begun");
		return;
	}
	twiml->depth--;
	if (twiml->in_tag)
		buf_str(&twiml->text, "/>");
	else
		buf_printf(&twiml->text, "</%s>", twiml->open[twiml->depth]);
	twiml->in_tag = false;
}

void nxv_twiml_element(nxv_twiml *twiml, const char *element, const char *text)
{
	nxv_twiml_open(twiml, element);
	nxv_twiml_text(twiml, text);
	nxv_twiml_close(twiml);
}

nxv_status nxv_twiml_take(nxv_twiml *twiml, char **out, struct nxv_error *err)
{
	size_t len;

	*out = NULL;
	if (!twiml)
		return error_nomem(err);
	if (twiml->taken)
		return error_set(err, NXV_E_INVALID, "this TwiML was taken already");
	while (usable(twiml) && twiml->depth > 0)
		nxv_twiml_close(twiml);
	twiml->taken = true;
	if (twiml->err.status) {
		if (err)
			*err = twiml->err;
		return twiml->err.status;
	}
	len = twiml->text.len;
	*out = buf_take(&twiml->text);
	if (*out)
		return NXV_OK;
	if (len + 2 * NAME_MAX_BYTES < DOCUMENT_MAX_BYTES) /* it grows in small pieces: this was not the limit */
		return error_nomem(err);
	return error_set(err, NXV_E_LIMIT, "the TwiML is longer than %d bytes", DOCUMENT_MAX_BYTES);
}

void nxv_twiml_free(nxv_twiml *twiml)
{
	if (!twiml)
		return;
	buf_free(&twiml->text);
	free(twiml);
}
