/* error.h - filling in struct nxv_error: the only way the library reports a failure. */
#ifndef NXV_BASE_ERROR_H
#define NXV_BASE_ERROR_H

#include <nexusvoip/types.h>

/** Fill *err (nullable) and return status. The machine word is the status's own name. */
nxv_status error_set(struct nxv_error *err, nxv_status status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** The same with a machine word such as "no_trunk". */
nxv_status error_code(struct nxv_error *err, nxv_status status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/** NXV_E_INVALID about one option or body member. */
nxv_status error_field(struct nxv_error *err, const char *field, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** NXV_E_IO with errno's text appended; errnum goes into detail. */
nxv_status error_errno(struct nxv_error *err, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** NXV_E_NOMEM. */
nxv_status error_nomem(struct nxv_error *err);
/** Reset to success; NULL is allowed. */
void error_clear(struct nxv_error *err);
/** The status of a name such as "not_found"; NXV_E_INTERNAL if none. */
nxv_status error_status_parse(const char *name);

#endif
