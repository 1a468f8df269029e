/* request.h - a request to the engine, from this process or another: an operation's name and up to five arguments. */
#ifndef NXV_ENGINE_REQUEST_H
#define NXV_ENGINE_REQUEST_H

#include "engine/engine.h"

enum { REQUEST_BYTES_MAX = 4096 };

struct engine;

/** Owned by whoever has to answer it; answering frees it. */
struct request {
	char *args[ENGINE_ARGS_MAX + 1]; /**< NULL-ended, into text */
	char *text;
	engine_answer_fn *fn;
	void *arg;
};

/** Copy args into a new request. @param out [owned], ended by request_answer(). Errors: NXV_E_INVALID (too long, TAB or newline). */
nxv_status request_new(const char *const *args, engine_answer_fn *fn, void *arg, struct request **out, struct nxv_error *err);
/** From one line of TAB-separated fields; the line is copied. */
nxv_status request_parse(const char *line, engine_answer_fn *fn, void *arg, struct request **out, struct nxv_error *err);
/** Free it without an answer: it never reached the engine. */
void request_discard(struct request *req);
/** Call back once and free it. err nullable; payload nullable. */
void request_answer(struct request *req, nxv_status status, const struct nxv_error *err, const char *payload);

#endif
