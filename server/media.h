/* media.h - sound of recordings on its way from Twilio to a client: a thread each, and not more of them than a limit. */
#ifndef NEXUSD_MEDIA_H
#define NEXUSD_MEDIA_H

#include <pthread.h>

#include "exchange.h"

/** At once, in all and of one user: nobody can take all of them by reading slowly. */
enum { MEDIA_STREAMS_MAX = 16, MEDIA_USER_MAX = 8, MEDIA_BUFFER_BYTES = 256 * 1024 };

struct media;

/** What is on its way of all loops together. */
struct media_desk {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned streams;
	struct media *active;
};
void media_desk_open(struct media_desk *desk);
/** Wait until no thread is left; the loops must have ended. */
void media_desk_close(struct media_desk *desk);

/** How many are on their way now. */
unsigned media_streams(struct media_desk *desk);

/** Fetch the recording x->param and suspend: go is called when Twilio answers, with x->media. @param range nullable; it must
 * be a Range header's value. @return false: as many are on their way as may be, or there are no threads to be had. */
bool media_fetch(struct exchange *x, bool wav, const char *range, void (*go)(struct exchange *, const struct nxv_completion *));
/** Go on with those of a lane that were answered; once its loop has ended, forget them. */
void media_wake(struct lane *lane);
/** x is answered, or ends: what is fetched for it is no longer its business. NULL is allowed. */
void media_leave(struct media *media);

/** In go, when its completion is NXV_OK: what comes. */
const struct nxv_twilio_media *media_head(const struct media *media);
/** The size of the whole, -1: not told; after a refused range too. */
int64_t media_total(const struct media *media);
struct http_stream *media_stream(const struct media *media);

#endif
