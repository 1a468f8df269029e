/* request.c - requests to the engine and their one answer. */
#include "engine/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"

static nxv_status split(struct request *req, struct nxv_error *err)
{
	size_t n = 0;
	char *p = req->text;

	while (p) {
		char *tab = strchr(p, '\t');
		if (n == ENGINE_ARGS_MAX)
			return error_set(err, NXV_E_INVALID, "a request has at most %d fields", ENGINE_ARGS_MAX);
		req->args[n++] = p;
		if (tab)
			*tab++ = '\0';
		p = tab;
	}
	return *req->args[0] ? NXV_OK : error_set(err, NXV_E_INVALID, "the request is empty");
}

void request_discard(struct request *req)
{
	free(req->text);
	free(req);
}

nxv_status request_parse(
	const char *line, engine_answer_fn *fn, void *arg, struct request **out, struct nxv_error *err)
{
	struct request *req = calloc(1, sizeof(*req));
	nxv_status status = NXV_OK;

	*out = NULL;
	if (!req || !(req->text = strdup(line)))
		status = error_nomem(err);
	else
		status = split(req, err);
	if (status != NXV_OK) {
		if (req)
			request_discard(req);
		return status;
	}
	req->fn = fn;
	req->arg = arg;
	*out = req;
	return NXV_OK;
}

nxv_status request_new(
	const char *const *args, engine_answer_fn *fn, void *arg, struct request **out, struct nxv_error *err)
{
	struct buf line = { .max = REQUEST_BYTES_MAX };
	nxv_status status;

	*out = NULL;
	for (size_t i = 0; args[i]; i++) {
		if (strpbrk(args[i], "\t\n"))
			line.failed = true;
		buf_printf(&line, "%s%s", i ? "\t" : "", args[i]);
	}
	status = line.failed || !line.data ? error_set(err, NXV_E_INVALID, "this cannot be sent to the engine: too long, or a TAB in it")
					   : request_parse(line.data, fn, arg, out, err);
	buf_free(&line);
	return status;
}

void request_answer(struct request *req, nxv_status status, const struct nxv_error *err, const char *payload)
{
	struct nxv_error none = NXV_ERROR_INIT;

	if (!req)
		return;
	if (!err) {
		if (status != NXV_OK)
			error_set(&none, status, "%s", nxv_status_name(status));
		err = &none;
	}
	req->fn(req->arg, status, err, payload ? payload : "");
	request_discard(req);
}
