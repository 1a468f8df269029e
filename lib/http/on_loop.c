/* on_loop.c - a client on the engine's loop: curl's sockets and timer are watched there, results come by callback. */
#include "http/transfer.h"

#include "base/error.h"

#include <stdlib.h>

enum { LOOK_EVERY_MS = 50 };

static void finish(struct http_transfer *t, CURLcode code)
{
	transfer_judge(t, code);
	t->done(t->done_user, &t->result);
	transfer_free(t);
}

/* curl's messages become calls of done. curl is not inside a call of ours now, so done may start other transfers. */
static void dispatch(struct http *http)
{
	struct http_transfer *t;
	CURLcode code;

	while ((t = transfer_next_done(http, &code)))
		finish(t, code);
}

/* End what is late. One look for all of them now and then is cheaper than a timer each: limits are seconds long. */
static void on_limit(void *arg)
{
	struct http *http = arg;
	int64_t now = loop_now_ms();
	struct http_transfer *t = http->first;

	while (t) {
		if (transfer_left_ms(t, now) != 0) {
			t = t->next;
			continue;
		}
		finish(t, CURLE_OPERATION_TIMEDOUT);
		t = http->first; /* done may have started or cancelled others */
	}
	if (http->first)
		loop_timer_start(http->limit_timer, LOOK_EVERY_MS);
}

static void on_curl_timer(void *arg)
{
	struct http *http = arg;
	int running;

	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	dispatch(http);
}

struct socket_box {
	struct http *http;
	curl_socket_t fd;
};

static void on_socket(int events, void *arg)
{
	struct http *http = ((struct socket_box *)arg)->http;
	curl_socket_t fd = ((struct socket_box *)arg)->fd; /* curl may let go of it inside */
	int flags = (events & LOOP_READ ? CURL_CSELECT_IN : 0) | (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0), running;

	curl_multi_socket_action(http->multi, fd, flags, &running);
	dispatch(http);
}

static int curl_wants_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct http *http = arg;
	struct socket_box *box = socket_arg;
	int events = (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		loop_fd_clear(http->loop, fd);
		free(box);
		return 0;
	}
	if (!box) {
		box = malloc(sizeof(*box));
		if (!box)
			return -1;
		*box = (struct socket_box){ http, fd };
		curl_multi_assign(http->multi, fd, box);
	}
	return loop_fd_set(http->loop, fd, events, on_socket, box, NULL) ? -1 : 0;
}

static int curl_wants_timer(CURLM *multi, long ms, void *arg)
{
	struct http *http = arg;

	(void)multi;
	if (ms < 0)
		loop_timer_stop(http->curl_timer);
	else
		loop_timer_start(http->curl_timer, (uint64_t)ms);
	return 0;
}

nxv_status http_attach(struct http *http, struct loop *loop, struct nxv_error *err)
{
	if (http->loop || http->first)
		return error_set(err, NXV_E_INVALID, "this client is in use already");
	http->curl_timer = loop_timer_new(loop, on_curl_timer, http);
	http->limit_timer = loop_timer_new(loop, on_limit, http);
	if (!http->curl_timer || !http->limit_timer ||
		curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, curl_wants_socket) != CURLM_OK ||
		curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http) != CURLM_OK ||
		curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, curl_wants_timer) != CURLM_OK ||
		curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http) != CURLM_OK)
		return error_nomem(err);
	http->loop = loop;
	return NXV_OK;
}

nxv_status http_start(struct http *http, const struct http_request *request, http_done_fn *done, void *user,
	struct http_transfer **out, struct nxv_error *err)
{
	struct http_transfer *t;
	nxv_status status;

	if (out)
		*out = NULL;
	if (!http->loop)
		return error_set(err, NXV_E_INVALID, "attach this client to a loop first");
	status = transfer_new(http, request, &t, err);
	if (status)
		return status;
	t->done = done;
	t->done_user = user;
	if (!loop_timer_running(http->limit_timer))
		loop_timer_start(http->limit_timer, LOOK_EVERY_MS);
	if (out)
		*out = t;
	return NXV_OK;
}

void http_cancel(struct http_transfer *transfer)
{
	transfer_free(transfer);
}
