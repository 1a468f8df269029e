/* capture_stream.c - SIP messages out of TCP segments: puts each direction of a connection in order and frames it. */
#include "capture_inside.h"

#include "sip_text.h"

#include <stdlib.h>
#include <string.h>

enum { UNFRAMED_MAX = 1 << 20 };

static struct capture_stream *find(struct capture *capture, const struct captured *where)
{
	struct capture_stream *s = capture->streams;
	while (s && (strcmp(s->src, where->src) != 0 || strcmp(s->dst, where->dst) != 0)) {
		s = s->next;
	}
	return s;
}

static struct capture_stream *add(struct capture *capture, const struct captured *where)
{
	struct capture_stream *s = calloc(1, sizeof(*s));
	if (s) {
		memcpy(s->src, where->src, sizeof(s->src));
		memcpy(s->dst, where->dst, sizeof(s->dst));
		s->next = capture->streams;
		capture->streams = s;
	}
	return s;
}

static void forget(struct capture_stream *s)
{
	while (s->early) {
		struct capture_piece *next = s->early->next;
		free(s->early);
		s->early = next;
	}
	free(s->data);
	s->data = NULL;
	s->len = 0;
}

void capture_streams_free(struct capture *capture)
{
	while (capture->streams) {
		struct capture_stream *next = capture->streams->next;
		forget(capture->streams);
		free(capture->streams);
		capture->streams = next;
	}
}

/* The bytes that come next, cut out of what may have been seen in part. False if they begin later. */
static bool append(struct capture *capture, struct capture_stream *s, uint32_t seq, const char *data, size_t len)
{
	int32_t ahead = (int32_t)(seq - s->seq);
	if (ahead > 0) {
		return false;
	}
	size_t known = (size_t)-(int64_t)ahead;
	if (known >= len) {
		return true; /* sent again */
	}
	len -= known;
	char *grown = s->len + len <= UNFRAMED_MAX ? realloc(s->data, s->len + len) : NULL;
	s->seq += (uint32_t)len;
	if (!grown) {
		capture->lost++;
		s->len = 0;
		return true;
	}
	s->data = grown;
	memcpy(s->data + s->len, data + known, len);
	s->len += len;
	return true;
}

static void keep(struct capture *capture, struct capture_stream *s, const struct capture_segment *segment)
{
	struct capture_piece *piece = malloc(sizeof(*piece) + segment->len);
	if (!piece) {
		capture->lost++;
		return;
	}
	piece->seq = segment->seq;
	piece->len = segment->len;
	memcpy(piece->data, segment->data, segment->len);
	piece->next = s->early;
	s->early = piece;
}

static void use_early(struct capture *capture, struct capture_stream *s)
{
	for (struct capture_piece **link = &s->early; *link;) {
		struct capture_piece *piece = *link;
		if (append(capture, s, piece->seq, piece->data, piece->len)) {
			*link = piece->next;
			free(piece);
			link = &s->early; /* it may be the one that another waited for */
		} else {
			link = &piece->next;
		}
	}
}

static void frame(struct capture *capture, struct capture_stream *s, const struct captured *where)
{
	for (size_t len = 1; len > 0;) {
		size_t skip = 0;
		while (skip < s->len && (s->data[skip] == '\r' || s->data[skip] == '\n')) {
			skip++; /* keep-alive */
		}
		len = sip_text_frame(s->data + skip, s->len - skip);
		if (len > 0) {
			capture_message(capture, where, s->data + skip, len);
		}
		s->len -= skip + len;
		memmove(s->data, s->data + skip + len, s->len);
	}
}

void capture_segment(struct capture *capture, const struct captured *where, const struct capture_segment *segment)
{
	struct capture_stream *s = find(capture, where);
	if (!s && !(s = add(capture, where))) {
		capture->lost++;
		return;
	}
	if (segment->begins) {
		forget(s);
		s->seq = segment->seq + 1;
		return;
	}
	if (segment->len == 0) {
		return;
	}
	if (!s->data && s->seq == 0) {
		s->seq = segment->seq; /* the connection is older than we */
	}
	if (!append(capture, s, segment->seq, segment->data, segment->len)) {
		keep(capture, s, segment);
		return;
	}
	use_early(capture, s);
	if (s->len > 0) {
		frame(capture, s, where);
	}
}
