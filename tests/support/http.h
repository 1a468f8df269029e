/* http.h - an HTTP client for tests, and short ways into JSON. */
#ifndef TEST_SUPPORT_HTTP_H
#define TEST_SUPPORT_HTTP_H

#include <stdbool.h>
#include <stdint.h>

struct json_object;

/** A request; only method and url are required. */
struct http_request {
	const char *method, *url;
	const char *key;           /**< sent as "Authorization: Bearer ..." */
	const char *body;          /**< sent as application/json */
	const char *headers[8];    /**< more of them, "Name: value" */
	int timeout_ms;            /**< 0: 15 s */
};
/** An answer. Freed by http_free(). */
struct http_reply {
	int status;                /**< 0: no answer */
	char *body, *headers;      /**< never NULL */
	struct json_object *json;  /**< NULL when the body is none */
};
void http_send(const struct http_request *request, struct http_reply *reply);
void http_free(struct http_reply *reply);
/** Value of an answer's header; "" if there is none. Valid until the next call. */
const char *http_header(const struct http_reply *reply, const char *name);

/** NULL when it is no JSON; json_free() takes NULL. */
struct json_object *json_parse(const char *text);
void json_free(struct json_object *json);
/** A member by its dotted path ("session.status", "keys.0.id"); NULL if there is none. */
struct json_object *json_at(struct json_object *json, const char *path);
/** Its text, "" when missing or no string; number, -1 likewise; truth, false likewise. */
const char *json_text(struct json_object *json, const char *path);
int64_t json_number(struct json_object *json, const char *path);
bool json_true(struct json_object *json, const char *path);
/** RFC 3339 UTC time of a member in ms; 0 when missing. */
int64_t json_time_ms(struct json_object *json, const char *path);

#endif
