/* waiters.c - the list of waiting requests. */
#include "engine/waiters.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

struct waiter {
	struct waiter *next, **at; /* at: the pointer that points here */
	struct request *req;
	struct loop_timer *timer;
	char *subject;
	char until[16];
};

struct waiters {
	struct loop *loop;
	struct waiter *first;
};

static void answer(struct waiter *waiter, nxv_status status, const struct nxv_error *err)
{
	struct request *req = waiter->req;

	*waiter->at = waiter->next;
	if (waiter->next)
		waiter->next->at = waiter->at;
	loop_timer_free(waiter->timer);
	free(waiter->subject);
	free(waiter);
	request_answer(req, status, err, NULL);
}

static void on_timeout(void *arg)
{
	struct nxv_error err;

	error_set(&err, NXV_E_TIMEOUT, "it did not come that far in the time given; the work goes on");
	answer(arg, NXV_E_TIMEOUT, &err);
}

nxv_status waiters_open(struct loop *loop, struct waiters **out, struct nxv_error *err)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return error_nomem(err);
	(*out)->loop = loop;
	return NXV_OK;
}

void waiters_close(struct waiters *w)
{
	struct nxv_error err;

	if (!w)
		return;
	error_set(&err, NXV_E_NOT_RUNNING, "the engine is stopping");
	while (w->first)
		answer(w->first, NXV_E_NOT_RUNNING, &err);
	free(w);
}

void waiters_add(struct waiters *w, struct request *req, const char *subject, const char *until, uint64_t timeout_ms)
{
	struct waiter *waiter = calloc(1, sizeof(*waiter));

	if (waiter) {
		waiter->subject = text_dup(subject);
		waiter->timer = loop_timer_new(w->loop, on_timeout, waiter);
	}
	if (!waiter || !waiter->subject || !waiter->timer) {
		if (waiter) {
			loop_timer_free(waiter->timer);
			free(waiter->subject);
		}
		free(waiter);
		request_answer(req, NXV_E_NOMEM, NULL, NULL);
		return;
	}
	waiter->req = req;
	text_copy(waiter->until, sizeof(waiter->until), until);
	waiter->next = w->first;
	waiter->at = &w->first;
	if (w->first)
		w->first->at = &waiter->next;
	w->first = waiter;
	loop_timer_start(waiter->timer, timeout_ms);
}

void waiters_check(struct waiters *w, const char *subject, waiter_check_fn *check, void *arg)
{
	struct waiter *waiter, *next;

	for (waiter = w->first; waiter; waiter = next) {
		struct nxv_error err = NXV_ERROR_INIT;
		nxv_status status = NXV_OK;

		next = waiter->next;
		if (strcmp(waiter->subject, subject) == 0 && check(arg, subject, waiter->until, &status, &err))
			answer(waiter, status, &err);
	}
}
