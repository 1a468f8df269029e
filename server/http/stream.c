/* stream.c - a body that another thread writes while it is sent: a bounded ring between them. Who writes waits for room, and
 * learns that the client has left; the connection is suspended while there is nothing to send. */
#include "http/inside.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE_BYTES = 32 * 1024 }; /* handed to libmicrohttpd at once */

struct http_stream {
	pthread_mutex_t lock; /* guards all that follows */
	pthread_cond_t room;
	unsigned owners;
	char *ring;
	size_t size, at, len;
	bool ended, whole;  /* nothing more is written; it was all */
	bool left;          /* nothing more is read */
	struct http_conn *conn;
	struct MHD_Connection *waiting; /* suspended until there is something; NULL: it is not */
};

struct http_stream *http_stream_new(size_t size)
{
	struct http_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->ring = malloc(size);
	if (!stream->ring) {
		free(stream);
		return NULL;
	}
	stream->size = size;
	stream->owners = 1;
	pthread_mutex_init(&stream->lock, NULL);
	pthread_cond_init(&stream->room, NULL);
	return stream;
}

void http_stream_free(struct http_stream *stream)
{
	bool last;

	if (!stream)
		return;
	pthread_mutex_lock(&stream->lock);
	last = --stream->owners == 0;
	pthread_mutex_unlock(&stream->lock);
	if (!last)
		return;
	pthread_cond_destroy(&stream->room);
	pthread_mutex_destroy(&stream->lock);
	free(stream->ring);
	free(stream);
}

/* Under the lock: a connection that is suspended is not ended meanwhile. libmicrohttpd's own bell is not enough: rung while it
 * runs, it is reset by that very run, which looked for resumed connections before. */
static void wake(struct http_stream *stream)
{
	const uint64_t one = 1;

	if (!stream->waiting)
		return;
	MHD_resume_connection(stream->waiting);
	stream->waiting = NULL;
	(void)!write(stream->conn->loop->kick_fd, &one, sizeof(one));
}

/* As much as has room, in one piece. */
static size_t put(struct http_stream *stream, const char *data, size_t len)
{
	size_t end = (stream->at + stream->len) % stream->size, room = stream->size - stream->len;

	if (room > stream->size - end)
		room = stream->size - end;
	if (len > room)
		len = room;
	memcpy(stream->ring + end, data, len);
	stream->len += len;
	return len;
}

bool http_stream_write(struct http_stream *stream, const void *data, size_t len)
{
	const char *from = data;
	bool read;

	pthread_mutex_lock(&stream->lock);
	while (len && !stream->left) {
		size_t n = put(stream, from, len);

		from += n;
		len -= n;
		if (n)
			wake(stream);
		else
			pthread_cond_wait(&stream->room, &stream->lock);
	}
	read = !stream->left;
	pthread_mutex_unlock(&stream->lock);
	return read;
}

bool http_stream_is_read(struct http_stream *stream)
{
	bool read;

	pthread_mutex_lock(&stream->lock);
	read = !stream->left;
	pthread_mutex_unlock(&stream->lock);
	return read;
}

void http_stream_end(struct http_stream *stream, bool whole)
{
	pthread_mutex_lock(&stream->lock);
	stream->ended = true;
	stream->whole = whole;
	wake(stream);
	pthread_mutex_unlock(&stream->lock);
}

static size_t take(struct http_stream *stream, char *to, size_t most)
{
	size_t len = stream->size - stream->at;

	if (len > stream->len)
		len = stream->len;
	if (len > most)
		len = most;
	memcpy(to, stream->ring + stream->at, len);
	stream->at = (stream->at + len) % stream->size;
	stream->len -= len;
	return len;
}

/* libmicrohttpd asks for the next piece; each one that is taken gives the connection its time anew. */
static ssize_t next_piece(void *arg, uint64_t position, char *to, size_t most)
{
	struct http_stream *stream = arg;
	ssize_t got = 0;

	(void)position;
	pthread_mutex_lock(&stream->lock);
	if (stream->left) {
		got = MHD_CONTENT_READER_END_WITH_ERROR;
	} else if (stream->len) {
		got = (ssize_t)take(stream, to, most);
		conn_enter(stream->conn, PHASE_SEND);
		pthread_cond_signal(&stream->room);
	} else if (stream->ended) {
		got = stream->whole ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
	} else {
		conn_enter(stream->conn, PHASE_WORK);
		stream->waiting = stream->conn->req->mhd;
		MHD_suspend_connection(stream->waiting);
	}
	pthread_mutex_unlock(&stream->lock);
	return got;
}

void http_stream_leave(struct http_stream *stream)
{
	pthread_mutex_lock(&stream->lock);
	stream->left = true;
	wake(stream);
	pthread_cond_signal(&stream->room);
	pthread_mutex_unlock(&stream->lock);
}

static void response_freed(void *arg)
{
	http_stream_leave(arg);
	http_stream_free(arg);
}

struct MHD_Response *stream_response(struct http_stream *stream, struct http_conn *conn, int64_t len)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
		len < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)len, PIECE_BYTES, next_piece, stream, response_freed);

	pthread_mutex_lock(&stream->lock);
	stream->conn = conn;
	if (response)
		stream->owners++;
	else
		stream->left = true;
	pthread_mutex_unlock(&stream->lock);
	return response;
}
