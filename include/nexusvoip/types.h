/* types.h - the words every libnexusvoip header shares: status codes, the error
 * object, symbol visibility and the library's version. */
#ifndef NEXUSVOIP_TYPES_H
#define NEXUSVOIP_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define NXV_API __attribute__((visibility("default")))
#else
#define NXV_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** What a call came to. Each code asks for one kind of reaction. */
typedef enum nxv_status {
	NXV_OK = 0,
	NXV_E_INVALID,         /**< an argument, a body or the configuration is wrong; the message names it */
	NXV_E_UNAUTHENTICATED, /**< no key, or one that is malformed, unknown, disabled or expired */
	NXV_E_DENIED,          /**< a valid key that may not do this */
	NXV_E_NOT_FOUND,       /**< no such object, or not one this user may see */
	NXV_E_CONFLICT,        /**< the object's state, or another request, forbids it now */
	NXV_E_LIMIT,           /**< a rate or call limit is reached; see nxv_error.retry_after_ms */
	NXV_E_UNCALLABLE,      /**< well-formed, but nothing here can call it */
	NXV_E_UNSUPPORTED,     /**< not available with this server, build or configuration */
	NXV_E_UNREACHABLE,     /**< the SIP server or another peer does not answer */
	NXV_E_TIMEOUT,         /**< the time given ran out; the work may still go on */
	NXV_E_NOT_RUNNING,     /**< needs an engine (nxv_run, nxv_start, or a nexusd on this state folder) */
	NXV_E_DEADLOCK,        /**< a blocking call made from the engine's own thread */
	NXV_E_BUSY,            /**< somebody else holds it (engine lock, database); try again */
	NXV_E_STORE,           /**< the database failed; nothing was changed */
	NXV_E_IO,              /**< a file, socket or process operation failed; detail is errno */
	NXV_E_NOMEM,           /**< out of memory; nothing was changed */
	NXV_E_INTERNAL         /**< a defect in this library */
} nxv_status;

/**
 * Details of a failure. Caller-owned, on the stack, passed last and nullable
 * in every fallible function. Holds no secret, so it may be logged whole.
 */
struct nxv_error {
	nxv_status status;       /**< equals what the function returned */
	int detail;              /**< foreign number: errno, SQLite code, SIP status; 0 if none */
	uint32_t retry_after_ms; /**< when trying again makes sense; 0 if unknown */
	char code[40];           /**< machine word such as "no_sip_credentials"; never empty on failure */
	char field[64];          /**< the option or body member at fault; empty if none */
	char message[320];       /**< one line that says what to do */
};

/** Most calls of the library write here what went wrong; this is how to start one. */
#define NXV_ERROR_INIT { NXV_OK, 0, 0, "", "", "" }

/**
 * The library's version, "MAJOR.MINOR.PATCH".
 * @return [borrowed] static text.
 * Thread safety: any thread.
 */
NXV_API const char *nxv_version(void);

/**
 * The name of a status, such as "not_found", for logs.
 * @return [borrowed] static text; "unknown" for a value outside the enumeration.
 * Thread safety: any thread.
 */
NXV_API const char *nxv_status_name(nxv_status status);

#ifdef __cplusplus
}
#endif
#endif
