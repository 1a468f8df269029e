/* errors.h - one table from the library's status to the HTTP code, and the error envelope. */
#ifndef NEXUSD_ERRORS_H
#define NEXUSD_ERRORS_H

#include <nexusvoip/wire.h>

/** The HTTP code of an error: by its own code where that has one, else by its status. */
int error_http_status(const struct nxv_error *err);
/** True when the library's own message may leave the server: it names no path and no SQL. */
bool error_is_public(nxv_status status);
/** {"success":false,"error":{...},"requestId":...}. @param problems nullable. @return [owned], free(); NULL without memory. */
char *error_body(const char *code, const char *message, const struct nxv_problems *problems, const char *request_id, size_t *len);

#endif
