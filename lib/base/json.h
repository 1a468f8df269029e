/* json.h - strict JSON reading on json-c: bounded size and depth, duplicate members refused. */
#ifndef NXV_BASE_JSON_H
#define NXV_BASE_JSON_H

#include <json-c/json.h>
#include <nexusvoip/types.h>

enum { JSON_MAX_DEPTH = 16 };
#define JSON_MAX_BODY ((size_t)64 * 1024)

/** Parse one whole JSON text of at most max bytes. @param out [owned], json_object_put().
 * Errors: NXV_E_INVALID "bad_json" with the offset in the message. */
nxv_status json_read(const char *text, size_t len, size_t max, struct json_object **out, struct nxv_error *err);
/** The same of a program that passes on what others said: a byte that is no UTF-8 is read as "?". */
nxv_status json_read_passed_on(const char *text, size_t len, size_t max, struct json_object **out, struct nxv_error *err);
/** Members by name; NULL or the fallback when missing or of another type. [borrowed] */
const char *json_text(struct json_object *obj, const char *member);
int64_t json_int(struct json_object *obj, const char *member, int64_t fallback);
struct json_object *json_member(struct json_object *obj, const char *member);

#endif
