/* error.c - fills struct nxv_error; names of status codes; the library's version. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
	[NXV_OK] = "ok",
	[NXV_E_INVALID] = "invalid",
	[NXV_E_UNAUTHENTICATED] = "unauthenticated",
	[NXV_E_DENIED] = "forbidden",
	[NXV_E_NOT_FOUND] = "not_found",
	[NXV_E_CONFLICT] = "conflict",
	[NXV_E_LIMIT] = "limit",
	[NXV_E_UNCALLABLE] = "uncallable",
	[NXV_E_UNSUPPORTED] = "unsupported",
	[NXV_E_UNREACHABLE] = "unreachable",
	[NXV_E_TIMEOUT] = "timeout",
	[NXV_E_NOT_RUNNING] = "not_running",
	[NXV_E_DEADLOCK] = "deadlock",
	[NXV_E_BUSY] = "busy",
	[NXV_E_STORE] = "store_failed",
	[NXV_E_IO] = "io_failed",
	[NXV_E_NOMEM] = "out_of_memory",
	[NXV_E_INTERNAL] = "internal",
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

const char *nxv_version(void)
{
	return NXV_VERSION;
}

const char *nxv_status_name(nxv_status status)
{
	return (unsigned)status < NAMES ? names[status] : "unknown";
}

nxv_status error_status_parse(const char *name)
{
	for (unsigned i = 0; i < NAMES; i++)
		if (strcmp(names[i], name) == 0)
			return (nxv_status)i;
	return NXV_E_INTERNAL;
}

void error_clear(struct nxv_error *err)
{
	if (err)
		*err = (struct nxv_error)NXV_ERROR_INIT;
}

static nxv_status fill(struct nxv_error *err, nxv_status status, const char *code, const char *field, const char *fmt,
	va_list args) __attribute__((format(printf, 5, 0)));

static nxv_status fill(
	struct nxv_error *err, nxv_status status, const char *code, const char *field, const char *fmt, va_list args)
{
	if (!err)
		return status;
	error_clear(err);
	err->status = status;
	snprintf(err->code, sizeof(err->code), "%s", code ? code : nxv_status_name(status));
	snprintf(err->field, sizeof(err->field), "%s", field ? field : "");
	vsnprintf(err->message, sizeof(err->message), fmt, args);
	return status;
}

nxv_status error_set(struct nxv_error *err, nxv_status status, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	fill(err, status, NULL, NULL, fmt, args);
	va_end(args);
	return status;
}

nxv_status error_code(struct nxv_error *err, nxv_status status, const char *code, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	fill(err, status, code, NULL, fmt, args);
	va_end(args);
	return status;
}

nxv_status error_field(struct nxv_error *err, const char *field, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	fill(err, NXV_E_INVALID, NULL, field, fmt, args);
	va_end(args);
	return NXV_E_INVALID;
}

nxv_status error_errno(struct nxv_error *err, int errnum, const char *fmt, ...)
{
	va_list args;
	char text[96] = "";
	size_t used;

	va_start(args, fmt);
	fill(err, NXV_E_IO, NULL, NULL, fmt, args);
	va_end(args);
	if (!err)
		return NXV_E_IO;
	err->detail = errnum;
	if (strerror_r(errnum, text, sizeof(text)) != 0)
		snprintf(text, sizeof(text), "error %d", errnum);
	used = strlen(err->message);
	snprintf(err->message + used, sizeof(err->message) - used, ": %s", text);
	return NXV_E_IO;
}

nxv_status error_nomem(struct nxv_error *err)
{
	return error_set(err, NXV_E_NOMEM, "out of memory");
}
