/* hook.h - a server that takes callbacks: every request is kept, and answered as told. */
#ifndef TEST_SUPPORT_HOOK_H
#define TEST_SUPPORT_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOOK_KEPT = 64 };

struct hook_request {
	char path[256];
	char headers[2048];
	char body[4096];
	int64_t at_ms; /**< monotonic */
};
struct hook;

/** Listen on a free port of 127.0.0.1. NULL on failure. */
struct hook *hook_open(void);
void hook_close(struct hook *hook);
/** "http://127.0.0.1:41234" [borrowed]. */
const char *hook_url(const struct hook *hook);
/** Answer with status and body (a literal; NULL: none) from now on; the first `fails` requests get 500. */
void hook_answer(struct hook *hook, int status, const char *body, int fails);
/** Wait until there are so many requests. False: they did not come. */
bool hook_wait(struct hook *hook, size_t count, int timeout_ms);
size_t hook_count(struct hook *hook);
/** A copy of the index-th. */
struct hook_request hook_request(struct hook *hook, size_t index);
void hook_forget(struct hook *hook);
/** A form parameter of a body, decoded; "" if there is none. Valid until the next call but three. */
const char *hook_param(const struct hook_request *request, const char *name);
/** A header; "" if there is none. Likewise. */
const char *hook_header(const struct hook_request *request, const char *name);

#endif
