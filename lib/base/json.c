/* json.c - strict JSON reading: json-c parses, a scan before it refuses what json-c is lenient about. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_scan.h"
#include "base/text.h"

/* Depth is bounded by the tokener, so this recursion is too. */
static size_t count_members(struct json_object *obj)
{
	size_t n = 0;

	if (json_object_is_type(obj, json_type_object)) {
		struct json_object_iterator it = json_object_iter_begin(obj), end = json_object_iter_end(obj);
		for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it))
			n += 1 + count_members(json_object_iter_peek_value(&it));
	} else if (json_object_is_type(obj, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(obj); i++)
			n += count_members(json_object_array_get_idx(obj, i));
	}
	return n;
}

nxv_status json_read(const char *text, size_t len, size_t max, struct json_object **out, struct nxv_error *err)
{
	struct json_tokener *tok;
	struct json_object *obj = NULL;
	nxv_status status = NXV_OK;
	size_t members, bad;
	char twice[sizeof(err->field)];

	*out = NULL;
	if (len > max)
		return error_code(err, NXV_E_INVALID, "bad_json", "the JSON text has %zu bytes; at most %zu are taken", len, max);
	if (!json_scan(text, len, &members, &bad))
		return error_code(err, NXV_E_INVALID, "bad_json", "not valid JSON at byte %zu", bad);
	tok = json_tokener_new_ex(JSON_MAX_DEPTH + 1);
	if (!tok)
		return error_nomem(err);
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	obj = json_tokener_parse_ex(tok, text, (int)len);
	if (json_tokener_get_error(tok) == json_tokener_continue)
		obj = json_tokener_parse_ex(tok, "", 1); /* a bare number ends only here */
	if (json_tokener_get_error(tok) != json_tokener_success)
		status = error_code(err, NXV_E_INVALID, "bad_json", "not valid JSON at byte %zu: %s",
			json_tokener_get_parse_end(tok), json_tokener_error_desc(json_tokener_get_error(tok)));
	else if (members != count_members(obj)) {
		json_scan_double(text, len, twice, sizeof(twice));
		status = error_field(err, twice, "%s is there twice; write each member once", *twice ? twice : "a member");
		if (err)
			text_copy(err->code, sizeof(err->code), "bad_json");
	}
	json_tokener_free(tok);
	if (status != NXV_OK) {
		json_object_put(obj);
		return status;
	}
	*out = obj;
	return NXV_OK;
}

nxv_status json_read_passed_on(const char *text, size_t len, size_t max, struct json_object **out, struct nxv_error *err)
{
	char *copy = len <= max ? malloc(len + 1) : NULL;
	nxv_status status;

	if (!copy) {
		*out = NULL;
		return len <= max ? error_nomem(err) : json_read(text, len, max, out, err);
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	for (size_t i = 0, n; i < len; i += n) {
		n = copy[i] ? text_utf8_len(copy + i) : 1;
		if (!n)
			copy[i] = '?', n = 1;
	}
	status = json_read(copy, len, max, out, err);
	free(copy);
	return status;
}

struct json_object *json_member(struct json_object *obj, const char *member)
{
	struct json_object *value = NULL;

	if (json_object_is_type(obj, json_type_object))
		json_object_object_get_ex(obj, member, &value);
	return value;
}

const char *json_text(struct json_object *obj, const char *member)
{
	struct json_object *value = json_member(obj, member);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

int64_t json_int(struct json_object *obj, const char *member, int64_t fallback)
{
	struct json_object *value = json_member(obj, member);

	return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : fallback;
}
