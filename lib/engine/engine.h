/* engine.h - the engine: one per state folder; runs SIP, timers and the command socket, and answers requests
 * from its own process (posted) and from others (unix socket) through one table of operations. */
#ifndef NXV_ENGINE_ENGINE_H
#define NXV_ENGINE_ENGINE_H

#include <nexusvoip/context.h>

enum { ENGINE_ARGS_MAX = 6 };

/** Called once with the outcome. text: the answer's payload, [borrowed], "" if none. On the engine's thread for requests
 * of this process. */
typedef void engine_answer_fn(void *arg, nxv_status status, const struct nxv_error *err, const char *text);

/** Send a request to the engine of this state folder, wherever it runs, and wait for the answer.
 * @param args op and its arguments, NULL-ended. @param text nullable, [owned].
 * Errors: NXV_E_NOT_RUNNING, NXV_E_DEADLOCK, NXV_E_TIMEOUT, and what the operation gives. Any thread. */
nxv_status engine_call(nxv_ctx *ctx, const char *const *args, uint32_t timeout_ms, char **text, struct nxv_error *err);
/** The same without waiting; only when the engine is in this process. On failure fn is not called. */
nxv_status engine_call_async(nxv_ctx *ctx, const char *const *args, engine_answer_fn *fn, void *arg, struct nxv_error *err);
/** The same; the outcome (without text) arrives in the inbox under token. */
nxv_status engine_call_inbox(nxv_inbox *inbox, const char *const *args, void *token, struct nxv_error *err);
/** True when this process is the engine, or another answers at its socket. */
bool engine_running(nxv_ctx *ctx);

#endif
