/* jobs.c - the way of a request from the HTTP thread to the loop's and back. Only what is in struct item crosses, under a
 * lock on the way back; whoever ends the HTTP request first, the other side finds out. */
#include "jobs.h"

#include "../http/http.h"
#include "base/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const char server_name[] = "nexus-sandbox"; /* `nexusctl twilio check` knows it by that */
enum { CONNECTIONS_MAX = 4096, HEADERS_MAX = 8, GRACE_MS = 200 };

struct item {
	struct job job;
	struct item *next;
	struct jobs *jobs;
	struct http_request *req; /* the HTTP thread's; NULL once it is over */
	char *text[7];
	struct {
		const char *name;
		char *value;
	} headers[HEADERS_MAX];
	size_t header_count;
	int status; /* 0: reset */
	char *body;
	size_t body_len;
};

struct jobs {
	struct loop *loop;
	jobs_fn *fn;
	void *arg;
	struct http_listener *listener;
	struct http_loop *http;
	struct http_app app;
	int wake_fd;
	char name[80];
	bool loopback;
	pthread_mutex_t lock; /* guards answered, posted, closed */
	struct item *answered;
	size_t posted; /* on their way to the loop */
	bool closed;   /* then the last of them frees this */
};

static void item_free(struct item *item)
{
	for (size_t i = 0; i < sizeof(item->text) / sizeof(item->text[0]); i++)
		free(item->text[i]);
	for (size_t i = 0; i < item->header_count; i++)
		free(item->headers[i].value);
	free(item->body);
	free(item);
}

static char *malformed(void *user, int status, char *id)
{
	(void)user;
	id[0] = '\0';
	return text_printf("{\"code\":20001,\"message\":\"The request cannot be read\",\"more_info\":null,\"status\":%d}", status);
}

static void jobs_free(struct jobs *jobs)
{
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}

static void run(void *arg)
{
	struct item *item = arg;
	struct jobs *jobs = item->jobs;
	bool closed, last;

	pthread_mutex_lock(&jobs->lock);
	closed = jobs->closed;
	last = --jobs->posted == 0;
	pthread_mutex_unlock(&jobs->lock);
	if (!closed) {
		jobs->fn(jobs->arg, &item->job);
		return;
	}
	item_free(item);
	if (last)
		jobs_free(jobs);
}

static bool post(struct jobs *jobs, struct item *item)
{
	bool good;

	pthread_mutex_lock(&jobs->lock);
	jobs->posted++;
	good = loop_post(jobs->loop, run, item) == NXV_OK;
	if (!good)
		jobs->posted--;
	pthread_mutex_unlock(&jobs->lock);
	return good;
}

static struct item *copy(struct jobs *jobs, struct http_request *req)
{
	struct item *item = calloc(1, sizeof(*item));
	size_t len;
	const char *body = http_body(req, &len);

	if (!item)
		return NULL;
	item->jobs = jobs;
	item->req = req;
	item->text[0] = text_dup(http_method(req));
	item->text[1] = text_dup(http_path(req));
	item->text[2] = text_dup(http_query(req));
	item->text[3] = text_dup(http_header(req, "Authorization"));
	item->text[4] = text_dup(http_header(req, "Content-Type"));
	item->text[5] = text_dup(http_header(req, "Range"));
	item->text[6] = calloc(1, len + 1);
	if (!item->text[0] || !item->text[1] || !item->text[2] || !item->text[6]) {
		item_free(item);
		return NULL;
	}
	memcpy(item->text[6], body, len);
	item->job = (struct job){ item->text[0], item->text[1], item->text[2], item->text[3], item->text[4], item->text[5],
		item->text[6], len, item };
	return item;
}

static void refuse(struct http_request *req, int status, const char *message)
{
	char *body = text_printf("{\"code\":%d,\"message\":\"%s\",\"more_info\":null,\"status\":%d}", status == 503 ? 20503 : 20001,
		message, status);

	http_answer_header(req, "Server", server_name);
	http_answer_header(req, "Content-Type", "application/json");
	http_answer(req, status, body, body ? strlen(body) : 0);
}

static void handle(void *user, struct http_request *req)
{
	struct jobs *jobs = user;
	const struct http_fault *fault = http_fault(req);
	struct item *item;

	if (fault->status) {
		refuse(req, fault->status, fault->message);
		return;
	}
	item = copy(jobs, req);
	http_set_data(req, item);
	if (item && post(jobs, item))
		return;
	http_set_data(req, NULL);
	if (item)
		item_free(item);
	refuse(req, 503, "The sandbox ends");
}

/* The loop keeps its job, whose answer then finds no request. */
static void hurry(void *user, struct http_request *req)
{
	struct jobs *jobs = user;
	struct item *item = http_data(req);

	pthread_mutex_lock(&jobs->lock);
	if (item)
		item->req = NULL;
	pthread_mutex_unlock(&jobs->lock);
	http_set_data(req, NULL);
	refuse(req, 503, "The sandbox ends");
}

static void done(void *user, struct http_request *req)
{
	(void)user;
	(void)req;
}

static void send_answer(struct item *item)
{
	struct http_request *req = item->req;

	if (req) {
		http_set_data(req, NULL);
		http_answer_header(req, "Server", server_name);
		for (size_t i = 0; i < item->header_count; i++)
			http_answer_header(req, item->headers[i].name, item->headers[i].value);
		if (item->status)
			http_answer(req, item->status, item->body, item->body_len);
		else
			http_reset(req);
		item->body = item->status ? NULL : item->body;
	}
	item_free(item);
}

static void wake(void *user)
{
	struct jobs *jobs = user;
	struct item *item, *next;
	uint64_t count;

	(void)!read(jobs->wake_fd, &count, sizeof(count));
	pthread_mutex_lock(&jobs->lock);
	item = jobs->answered;
	jobs->answered = NULL;
	pthread_mutex_unlock(&jobs->lock);
	for (; item; item = next) {
		next = item->next;
		send_answer(item);
	}
}

static void http_log(void *user, const char *text)
{
	(void)user;
	fprintf(stderr, "nexus-sandbox: http: %s\n", text);
}

struct jobs *jobs_open(struct loop *loop, const char *address, jobs_fn *fn, void *arg, char *why, size_t why_len)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));

	if (!jobs) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	jobs->loop = loop;
	jobs->fn = fn;
	jobs->arg = arg;
	pthread_mutex_init(&jobs->lock, NULL);
	jobs->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	jobs->app = (struct http_app){ .user = jobs, .handle = handle, .hurry = hurry, .done = done, .malformed = malformed,
		.wake = wake, .wake_fds = { jobs->wake_fd, -1 }, .log = http_log };
	jobs->listener = http_listener_open(address, 1, why, why_len);
	if (!jobs->listener)
		goto fail;
	text_copy(jobs->name, sizeof(jobs->name), http_listener_name(jobs->listener));
	jobs->loopback = http_listener_is_loopback(jobs->listener);
	jobs->http = http_loop_start(jobs->listener, 0, &jobs->app, CONNECTIONS_MAX);
	if (jobs->http)
		return jobs;
	snprintf(why, why_len, "the HTTP loop does not start; is the limit of open files too low?");
fail:
	jobs_close(jobs);
	return NULL;
}

const char *jobs_address(const struct jobs *jobs)
{
	return jobs->name;
}

bool jobs_is_loopback(const struct jobs *jobs)
{
	return jobs->loopback;
}

void jobs_close(struct jobs *jobs)
{
	struct item *next;
	bool last;

	if (!jobs)
		return;
	http_loop_stop(jobs->http, GRACE_MS);
	http_loop_join(jobs->http);
	http_listener_close(jobs->listener);
	for (; jobs->answered; jobs->answered = next) {
		next = jobs->answered->next;
		item_free(jobs->answered);
	}
	if (jobs->wake_fd >= 0)
		close(jobs->wake_fd);
	pthread_mutex_lock(&jobs->lock);
	jobs->closed = true;
	last = jobs->posted == 0;
	pthread_mutex_unlock(&jobs->lock);
	if (last)
		jobs_free(jobs);
}

void job_header(struct job *job, const char *name, const char *value)
{
	struct item *item = job->inside;
	char *copied = item->header_count < HEADERS_MAX ? text_dup(value) : NULL;

	if (!copied)
		return;
	item->headers[item->header_count].name = name;
	item->headers[item->header_count++].value = copied;
}

static void give_back(struct item *item)
{
	struct jobs *jobs = item->jobs;
	const uint64_t one = 1;

	pthread_mutex_lock(&jobs->lock);
	item->next = jobs->answered;
	jobs->answered = item;
	pthread_mutex_unlock(&jobs->lock);
	(void)!write(jobs->wake_fd, &one, sizeof(one));
}

void job_answer(struct job *job, int status, const char *content_type, char *body, size_t len)
{
	struct item *item = job->inside;

	if (body && content_type)
		job_header(job, "Content-Type", content_type);
	item->status = status;
	item->body = body;
	item->body_len = body ? len : 0;
	give_back(item);
}

void job_reset(struct job *job)
{
	give_back(job->inside);
}
