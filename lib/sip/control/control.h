/* control.h - JSON-RPC over unix datagrams, asynchronous on the loop: what both servers' control sockets speak.
 * Loop thread only. */
#ifndef NXV_SIP_CONTROL_CONTROL_H
#define NXV_SIP_CONTROL_CONTROL_H

#include "base/env.h"
#include "base/json.h"
#include "loop/loop.h"

struct control;
/** Called exactly once, and never from inside control_call() unless memory ran out. result: [borrowed], NULL on failure.
 * Failures: NXV_E_TIMEOUT, NXV_E_UNREACHABLE (nobody listens, or closed), NXV_E_NOT_FOUND (the server said 404),
 * NXV_E_LIMIT (the answer did not fit into a datagram), NXV_E_CONFLICT (the server refused; its words in the message). */
typedef void control_fn(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err);

/** Open; the server need not be there yet. @param path the server's socket. @param run_dir where our own socket gets its name. */
nxv_status control_open(const struct env *env, struct loop *loop, const char *path, const char *run_dir, struct control **out, struct nxv_error *err);
/** Fail what is pending, then close. NULL is allowed. */
void control_close(struct control *c);
/** Send a request. @param params [owned] nullable: object for OpenSIPS, array for Kamailio. */
void control_call(struct control *c, const char *method, struct json_object *params, control_fn *fn, void *arg);
/* Fill in parameters; name NULL appends to an array. Running out of memory leaves a member out, which the server refuses. */
void control_text(struct json_object *params, const char *name, const char *value);
void control_int(struct json_object *params, const char *name, int64_t value);
/** Take one datagram as an answer; apart for tests. Malformed or unknown ones are dropped. */
void control_receive(struct control *c, const char *text, size_t len);

#endif
