/* inbox.c - completions for programs with their own event loop. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/engine.h"

struct item {
	struct item *next;
	nxv_inbox *inbox;
	struct nxv_completion done;
};

/* Lives until it is closed and nothing is under way any more. */
struct nxv_inbox {
	nxv_ctx *ctx;
	pthread_mutex_t lock;
	struct item *first, **last;
	size_t under_way;
	bool closed;
	int fd;
};

static void inbox_free(nxv_inbox *inbox)
{
	pthread_mutex_destroy(&inbox->lock);
	close(inbox->fd);
	free(inbox);
}

nxv_status nxv_inbox_open(nxv_ctx *ctx, nxv_inbox **out, struct nxv_error *err)
{
	nxv_inbox *inbox = calloc(1, sizeof(*inbox));

	*out = NULL;
	if (!inbox)
		return error_nomem(err);
	inbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (inbox->fd < 0) {
		free(inbox);
		return error_errno(err, errno, "cannot make an event descriptor");
	}
	pthread_mutex_init(&inbox->lock, NULL);
	inbox->ctx = ctx;
	inbox->last = &inbox->first;
	*out = inbox;
	return NXV_OK;
}

void nxv_inbox_close(nxv_inbox *inbox)
{
	struct item *item, *next;
	bool idle;

	if (!inbox)
		return;
	pthread_mutex_lock(&inbox->lock);
	inbox->closed = true;
	idle = inbox->under_way == 0;
	for (item = inbox->first; item; item = next) {
		next = item->next;
		free(item);
	}
	inbox->first = NULL;
	pthread_mutex_unlock(&inbox->lock);
	if (idle)
		inbox_free(inbox);
}

int nxv_inbox_fd(const nxv_inbox *inbox)
{
	return inbox->fd;
}

bool nxv_inbox_next(nxv_inbox *inbox, struct nxv_completion *out)
{
	struct item *item;
	uint64_t count;

	pthread_mutex_lock(&inbox->lock);
	item = inbox->first;
	if (item && !(inbox->first = item->next))
		inbox->last = &inbox->first;
	if (!inbox->first && read(inbox->fd, &count, sizeof(count)) < 0) {
		/* nothing was signalled: it is quiet already */
	}
	pthread_mutex_unlock(&inbox->lock);
	if (!item)
		return false;
	*out = item->done;
	free(item);
	return true;
}

static void deliver(void *arg, nxv_status status, const struct nxv_error *err, const char *text)
{
	const uint64_t one = 1;
	struct item *item = arg;
	nxv_inbox *inbox = item->inbox;
	bool last;

	(void)text;
	item->done.status = status;
	item->done.error = *err;
	pthread_mutex_lock(&inbox->lock);
	last = --inbox->under_way == 0 && inbox->closed;
	if (inbox->closed) {
		free(item);
	} else {
		item->next = NULL;
		*inbox->last = item;
		inbox->last = &item->next;
		if (write(inbox->fd, &one, sizeof(one)) < 0) {
			/* the counter is full, so the descriptor is readable */
		}
	}
	pthread_mutex_unlock(&inbox->lock);
	if (last)
		inbox_free(inbox);
}

nxv_status engine_call_inbox(nxv_inbox *inbox, const char *const *args, void *token, struct nxv_error *err)
{
	struct item *item = calloc(1, sizeof(*item));
	nxv_status status;

	if (!item)
		return error_nomem(err);
	item->inbox = inbox;
	item->done.token = token;
	pthread_mutex_lock(&inbox->lock);
	inbox->under_way++;
	pthread_mutex_unlock(&inbox->lock);
	status = engine_call_async(inbox->ctx, args, deliver, item, err);
	if (status != NXV_OK) {
		pthread_mutex_lock(&inbox->lock);
		inbox->under_way--;
		pthread_mutex_unlock(&inbox->lock);
		free(item);
	}
	return status;
}
