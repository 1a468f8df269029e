/* waiters.h - requests that wait for a call, or for the SIP server, to come to a point. Engine thread only. */
#ifndef NXV_ENGINE_WAITERS_H
#define NXV_ENGINE_WAITERS_H

#include "engine/request.h"
#include "loop/loop.h"

struct waiters;

/** What decides a wait. @return true to answer it now, with *status and *err. */
typedef bool waiter_check_fn(void *arg, const char *subject, const char *until, nxv_status *status, struct nxv_error *err);

nxv_status waiters_open(struct loop *loop, struct waiters **out, struct nxv_error *err);
/** Answers all with NXV_E_NOT_RUNNING. NULL is allowed. */
void waiters_close(struct waiters *w);
/** Keep a request until its time runs out (NXV_E_TIMEOUT) or waiters_check() answers it. Takes the request over. */
void waiters_add(struct waiters *w, struct request *req, const char *subject, const char *until, uint64_t timeout_ms);
/** Try every waiter of a subject. */
void waiters_check(struct waiters *w, const char *subject, waiter_check_fn *check, void *arg);

#endif
