/* jobs.h - HTTP requests handed from the HTTP thread to the loop's thread, and their answers back.
 * A job is answered once, at once or later; after that it is gone. */
#ifndef NEXUS_SANDBOX_JOBS_H
#define NEXUS_SANDBOX_JOBS_H

#include "loop/loop.h"

struct jobs;

/** A request; all text is its own copy. */
struct job {
	const char *method, *path, *query; /**< path and query still percent-encoded; query "" if there is none */
	const char *authorization, *content_type, *range; /**< headers; NULL if absent */
	const char *body;                  /**< never NULL */
	size_t len;
	void *inside;
};

typedef void jobs_fn(void *arg, struct job *job);

/** Listen, and call fn(arg, job) on the loop's thread for each request. @param why filled on failure. */
struct jobs *jobs_open(struct loop *loop, const char *address, jobs_fn *fn, void *arg, char *why, size_t why_len);
/** "127.0.0.1:PORT" [borrowed]. */
const char *jobs_address(const struct jobs *jobs);
bool jobs_is_loopback(const struct jobs *jobs);
/** Take no more, end what waits. On the loop's thread. NULL is allowed. */
void jobs_close(struct jobs *jobs);

/** Add a header to the answer: name is a literal, value is copied; at most 8. */
void job_header(struct job *job, const char *name, const char *value);
/** Answer. @param body [owned], free()d; NULL: none. */
void job_answer(struct job *job, int status, const char *content_type, char *body, size_t len);
/** End the connection without an answer: the peer sees a reset. */
void job_reset(struct job *job);

#endif
