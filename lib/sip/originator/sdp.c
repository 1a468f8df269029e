/* sdp.c - line-by-line editing and comparing of session descriptions (RFC 4566, RFC 3264).
 * Nothing is understood beyond what call control needs, so that whatever two phones agree on passes through. */
#include "sip/originator/sdp.h"

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMATS_MAX = 32, SDP_MAX = 60 * 1024 };

/* One line without its end. */
struct line {
	const char *p;
	size_t len;
};

static bool next_line(const char **at, struct line *line)
{
	while (**at == '\r' || **at == '\n')
		++*at;
	line->p = *at;
	line->len = strcspn(*at, "\r\n");
	*at += line->len;
	return line->len > 0;
}

static bool starts(const struct line *line, const char *text)
{
	size_t len = strlen(text);

	return line->len >= len && memcmp(line->p, text, len) == 0;
}

static bool is(const struct line *line, const char *text)
{
	return line->len == strlen(text) && starts(line, text);
}

static const char *direction_of(const struct line *line)
{
	static const char *const words[] = { "sendrecv", "sendonly", "recvonly", "inactive" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (line->len == strlen(words[i]) + 2 && starts(line, "a=") &&
			memcmp(line->p + 2, words[i], line->len - 2) == 0)
			return words[i];
	}
	return NULL;
}

static void put_origin(struct buf *b, const struct sdp_origin *o)
{
	buf_printf(b, "o=nexusvoip %llu %u IN %s %s\r\n", (unsigned long long)o->id, (unsigned)o->version,
		o->ip6 ? "IP6" : "IP4", o->address);
}

static void put_head(struct buf *b, const struct sdp_origin *o)
{
	buf_str(b, "v=0\r\n");
	put_origin(b, o);
	buf_printf(b, "s=-\r\nc=IN %s %s\r\nt=0 0\r\n", o->ip6 ? "IP6" : "IP4", o->address);
}

/* The connection address 0.0.0.0 asks for silence (RFC 3264, 8.4; RFC 3725, Flow II) and leaves the streams as they will
 * be. With a=inactive baresip would later hear nothing through its decode filters, having dropped them when the call
 * began. IPv6 knows no such address. */
char *sdp_text_offer(const struct sdp_origin *origin)
{
	struct buf b = { .max = SDP_MAX };

	buf_str(&b, "v=0\r\n");
	put_origin(&b, origin);
	buf_printf(&b, "s=-\r\nc=IN %s\r\nt=0 0\r\n", origin->ip6 ? "IP6 ::1" : "IP4 0.0.0.0");
	buf_str(&b, "m=audio 9 RTP/AVP 0 8 101\r\n"
			"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
			"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n");
	if (origin->ip6)
		buf_str(&b, "a=inactive\r\n");
	return buf_take(&b);
}

char *sdp_text_relay(const char *sdp, const struct sdp_origin *origin, const char *direction)
{
	struct buf b = { .max = SDP_MAX };
	bool in_media = false;
	struct line line;

	while (next_line(&sdp, &line)) {
		if (starts(&line, "o=")) {
			put_origin(&b, origin);
			continue;
		}
		if (direction && direction_of(&line))
			continue;
		if (starts(&line, "m=")) {
			if (direction && in_media)
				buf_printf(&b, "a=%s\r\n", direction);
			in_media = true;
		}
		buf_append(&b, line.p, line.len);
		buf_str(&b, "\r\n");
	}
	if (direction && in_media)
		buf_printf(&b, "a=%s\r\n", direction);
	return buf_take(&b);
}

char *sdp_text_refuse(const char *offer, const struct sdp_origin *origin)
{
	struct buf b = { .max = SDP_MAX };
	struct line line;

	put_head(&b, origin);
	while (next_line(&offer, &line)) {
		const char *port = starts(&line, "m=") ? memchr(line.p, ' ', line.len) : NULL;
		const char *rest;

		if (!port)
			continue;
		rest = memchr(port + 1, ' ', (size_t)(line.p + line.len - (port + 1)));
		if (!rest)
			continue;
		buf_append(&b, line.p, (size_t)(port - line.p));
		buf_str(&b, " 0");
		buf_append(&b, rest, (size_t)(line.p + line.len - rest));
		buf_str(&b, "\r\n");
	}
	return buf_take(&b);
}

bool sdp_text_valid(const char *sdp)
{
	struct line line;

	if (!sdp || !next_line(&sdp, &line) || !is(&line, "v=0"))
		return false;
	while (next_line(&sdp, &line)) {
		if (starts(&line, "o="))
			return true;
	}
	return false;
}

bool sdp_text_usable(const char *sdp)
{
	struct line line;

	if (!sdp_text_valid(sdp))
		return false;
	while (next_line(&sdp, &line)) {
		const char *port = starts(&line, "m=") ? memchr(line.p, ' ', line.len) : NULL;

		if (port && strtol(port + 1, NULL, 10) > 0)
			return true;
	}
	return false;
}

bool sdp_text_web(const char *sdp)
{
	static const char profile[] = " UDP/TLS/RTP/SAVP"; /* or SAVPF */
	struct line line;

	while (sdp && next_line(&sdp, &line)) {
		const char *port = starts(&line, "m=") ? memchr(line.p, ' ', line.len) : NULL;
		const char *at = port ? memchr(port + 1, ' ', (size_t)(line.p + line.len - (port + 1))) : NULL;

		if (at && strncmp(at, profile, sizeof(profile) - 1) == 0)
			return true;
	}
	return false;
}

/* '4', '6'; 0 when it does not say, or says more than one by ICE. */
static char family(const char *sdp)
{
	char found = 0;
	struct line line;

	while (next_line(&sdp, &line)) {
		if (starts(&line, "a=candidate:"))
			return 0;
		if (!found && starts(&line, "c=IN IP") && line.len > 7)
			found = line.p[7];
	}
	return found;
}

bool sdp_text_apart(const char *a, const char *b)
{
	char of_a = family(a), of_b = family(b);

	return of_a && of_b && of_a != of_b;
}

bool sdp_text_same(const char *a, const char *b)
{
	struct line la, lb;

	for (;;) {
		bool more_a = next_line(&a, &la), more_b = next_line(&b, &lb);

		if (!more_a || !more_b)
			return more_a == more_b;
		if (starts(&la, "o=") && starts(&lb, "o="))
			continue;
		if (la.len != lb.len || memcmp(la.p, lb.p, la.len) != 0)
			return false;
	}
}

/* One m= section, as far as the other party must know it. */
struct stream {
	char media[96];   /* "audio 4000 RTP/AVP" */
	char address[96]; /* of the c= line in force */
	const char *direction;
	char formats[FORMATS_MAX][16];
	size_t format_count;
};

static void copy_part(char *dst, size_t size, const char *p, size_t len)
{
	if (len >= size)
		len = size - 1;
	memcpy(dst, p, len);
	dst[len] = '\0';
}

static void read_media(const struct line *line, struct stream *s)
{
	const char *p = line->p + 2, *end = line->p + line->len;
	int spaces = 0;

	while (p < end && (*p != ' ' || ++spaces < 3))
		p++;
	copy_part(s->media, sizeof(s->media), line->p + 2, (size_t)(p - (line->p + 2)));
	while (p < end && s->format_count < FORMATS_MAX) {
		const char *word = ++p;

		while (p < end && *p != ' ')
			p++;
		if (p > word)
			copy_part(s->formats[s->format_count++], sizeof(s->formats[0]), word, (size_t)(p - word));
	}
}

/* The index-th stream; false past the last. */
static bool read_stream(const char *sdp, size_t index, struct stream *s)
{
	char session_address[sizeof(s->address)] = "";
	const char *session_direction = "sendrecv";
	size_t seen = 0;
	struct line line;

	memset(s, 0, sizeof(*s));
	while (next_line(&sdp, &line)) {
		const char *direction = direction_of(&line);

		if (starts(&line, "m=") && seen++ == index) {
			read_media(&line, s);
			memcpy(s->address, session_address, sizeof(s->address));
			s->direction = session_direction;
			continue;
		}
		if (seen > index + 1)
			break;
		if (starts(&line, "c=") && (seen == 0 || seen == index + 1))
			copy_part(seen ? s->address : session_address, sizeof(s->address), line.p + 2, line.len - 2);
		if (direction && seen == 0)
			session_direction = direction;
		if (direction && seen == index + 1)
			s->direction = direction;
	}
	return seen > index;
}

static bool has_format(const struct stream *s, const char *format)
{
	for (size_t i = 0; i < s->format_count; i++) {
		if (strcmp(s->formats[i], format) == 0)
			return true;
	}
	return false;
}

/* An answer mirrors the direction of the offer. */
static bool mirrors(const char *offer, const char *answer)
{
	if (strcmp(offer, "sendonly") == 0)
		return strcmp(answer, "recvonly") == 0;
	if (strcmp(offer, "recvonly") == 0)
		return strcmp(answer, "sendonly") == 0;
	return strcmp(offer, answer) == 0;
}

bool sdp_text_settled(const char *promised, const char *b_answer, const char *final)
{
	struct stream first, b, now;

	for (size_t i = 0; read_stream(final, i, &now); i++) {
		if (!read_stream(promised, i, &first) || !read_stream(b_answer, i, &b))
			return false;
		if (strcmp(first.media, now.media) != 0 || strcmp(first.address, now.address) != 0)
			return false;
		if (!mirrors(b.direction, now.direction))
			return false;
		for (size_t f = 0; f < b.format_count; f++) {
			if (!has_format(&now, b.formats[f]))
				return false;
		}
	}
	return true;
}
