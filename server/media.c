/* media.c - sound of recordings on its way from Twilio to a client. The thread that fetches writes into a bounded stream, and so
 * waits for a slow client; it tells the loop once, when Twilio has answered. */
#include "media.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

struct media {
	struct media *next; /* of those that the lane is to be told of */
	struct media *newer, *older; /* of those whose threads run */
	struct lane *lane;
	char user[65];
	nxv_ctx *ctx;
	char id[64], range[64];
	bool wav;
	struct http_stream *stream;
	/* Written by the thread before it tells, read by the loop afterwards: */
	bool begun;
	struct nxv_twilio_media head;
	int64_t total_bytes;
	nxv_status status;
	struct nxv_error err;
	/* Under the desk's lock: */
	unsigned owners;
	struct exchange *x; /* that waits; NULL: nobody does */
};

void media_desk_open(struct media_desk *desk)
{
	pthread_mutex_init(&desk->lock, NULL);
	pthread_cond_init(&desk->changed, NULL);
}

void media_desk_close(struct media_desk *desk)
{
	pthread_mutex_lock(&desk->lock);
	while (desk->streams)
		pthread_cond_wait(&desk->changed, &desk->lock);
	pthread_mutex_unlock(&desk->lock);
	pthread_cond_destroy(&desk->changed);
	pthread_mutex_destroy(&desk->lock);
}

unsigned media_streams(struct media_desk *desk)
{
	unsigned n;

	pthread_mutex_lock(&desk->lock);
	n = desk->streams;
	pthread_mutex_unlock(&desk->lock);
	return n;
}

static void release(struct media *media)
{
	struct media_desk *desk = media->lane->app->media;
	bool last;

	pthread_mutex_lock(&desk->lock);
	last = --media->owners == 0;
	pthread_mutex_unlock(&desk->lock);
	if (!last)
		return;
	http_stream_free(media->stream);
	free(media);
}

static void tell(struct media *media)
{
	struct media_desk *desk = media->lane->app->media;
	const uint64_t one = 1;

	pthread_mutex_lock(&desk->lock);
	if (media->x) {
		media->owners++;
		media->next = media->lane->answered;
		media->lane->answered = media;
	}
	pthread_mutex_unlock(&desk->lock);
	(void)!write(media->lane->bell, &one, sizeof(one));
}

static bool take(void *user, const struct nxv_twilio_media *head, const void *data, size_t len)
{
	struct media *media = user;

	if (!media->begun) {
		media->begun = true;
		media->head = *head;
		tell(media);
	}
	return http_stream_write(media->stream, data, len);
}

static bool keep_on(void *user)
{
	const struct media *media = user;

	return http_stream_is_read(media->stream);
}

static void fetch(struct media *media)
{
	struct nxv_twilio_media_opts opts = NXV_TWILIO_MEDIA_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status;

	opts.wav = media->wav;
	opts.range = media->range[0] ? media->range : NULL;
	opts.total_bytes = &media->total_bytes;
	opts.keep_on = keep_on;
	status = nxv_recording_media(media->ctx, media->id, &opts, take, media, &err);
	if (media->begun) {
		if (status != NXV_OK && strcmp(err.code, "stopped") != 0)
			log_write(NULL, NXV_LOG_WARN, "media", err.message);
	} else {
		media->status = status;
		media->err = err;
		media->head.length_bytes = 0; /* all of nothing */
		tell(media);
	}
	http_stream_end(media->stream, status == NXV_OK);
}

/* Take one of the places. */
static bool check_in(struct media *media)
{
	struct media_desk *desk = media->lane->app->media;
	unsigned own = 0;
	bool room;

	pthread_mutex_lock(&desk->lock);
	for (const struct media *other = desk->active; other; other = other->older)
		own += strcmp(other->user, media->user) == 0;
	room = desk->streams < MEDIA_STREAMS_MAX && own < MEDIA_USER_MAX;
	if (room) {
		desk->streams++;
		media->older = desk->active;
		if (media->older)
			media->older->newer = media;
		desk->active = media;
	}
	pthread_mutex_unlock(&desk->lock);
	return room;
}

static void check_out(struct media *media)
{
	struct media_desk *desk = media->lane->app->media;

	pthread_mutex_lock(&desk->lock);
	if (media->older)
		media->older->newer = media->newer;
	*(media->newer ? &media->newer->older : &desk->active) = media->older;
	pthread_mutex_unlock(&desk->lock);
}

/* The last thing of a thread: the desk may be gone afterwards. */
static void give_back(struct media_desk *desk)
{
	pthread_mutex_lock(&desk->lock);
	desk->streams--;
	pthread_cond_broadcast(&desk->changed);
	pthread_mutex_unlock(&desk->lock);
}

static void *media_main(void *arg)
{
	struct media *media = arg;
	struct media_desk *desk = media->lane->app->media;

	fetch(media);
	check_out(media);
	release(media);
	give_back(desk);
	return NULL;
}

static bool start_thread(struct media *media)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool made = false;

	if (!check_in(media))
		return false;
	if (pthread_attr_init(&attr) == 0) {
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		made = pthread_create(&thread, &attr, media_main, media) == 0;
		pthread_attr_destroy(&attr);
	}
	if (!made) {
		check_out(media);
		give_back(media->lane->app->media);
	}
	return made;
}

bool media_fetch(struct exchange *x, bool wav, const char *range, void (*go)(struct exchange *, const struct nxv_completion *))
{
	struct media *media = calloc(1, sizeof(*media));

	if (!media)
		return false;
	media->lane = x->lane;
	media->ctx = x->ctx;
	media->wav = wav;
	snprintf(media->user, sizeof(media->user), "%s", x->pass->user_id);
	media->total_bytes = -1;
	media->owners = 2;
	media->x = x;
	media->stream = http_stream_new(MEDIA_BUFFER_BYTES);
	if (!media->stream || strlen(x->param) >= sizeof(media->id) || (range && strlen(range) >= sizeof(media->range)))
		goto fail;
	memcpy(media->id, x->param, strlen(x->param) + 1);
	if (range)
		memcpy(media->range, range, strlen(range) + 1);
	exchange_wait(x, NULL, go);
	x->media = media;
	if (start_thread(media))
		return true;
	x->media = NULL;
	x->resume = NULL;
fail:
	http_stream_free(media->stream);
	free(media);
	return false;
}

void media_wake(struct lane *lane)
{
	struct media_desk *desk = lane->app->media;

	for (;;) {
		struct media *media;
		struct exchange *x = NULL;

		pthread_mutex_lock(&desk->lock);
		media = lane->answered;
		if (media) {
			lane->answered = media->next;
			x = media->x;
		}
		pthread_mutex_unlock(&desk->lock);
		if (!media)
			return;
		if (x && x->resume) {
			x->done = (struct nxv_completion){ .token = x, .status = media->status, .error = media->err };
			exchange_resume(x, &x->done);
		}
		release(media);
	}
}

void media_leave(struct media *media)
{
	struct media_desk *desk;

	if (!media)
		return;
	desk = media->lane->app->media;
	pthread_mutex_lock(&desk->lock);
	media->x = NULL;
	pthread_mutex_unlock(&desk->lock);
	http_stream_leave(media->stream);
	release(media);
}

const struct nxv_twilio_media *media_head(const struct media *media)
{
	return &media->head;
}

int64_t media_total(const struct media *media)
{
	return media->total_bytes;
}

struct http_stream *media_stream(const struct media *media)
{
	return media->stream;
}
