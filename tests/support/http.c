/* http.c - the tests' HTTP client (libcurl) and JSON look-ups. */
#include "http.h"

#include <curl/curl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

struct grow {
	char *data;
	size_t len;
};

static size_t collect(char *data, size_t size, size_t count, void *user)
{
	struct grow *g = user;
	char *bigger = realloc(g->data, g->len + size * count + 1);
	if (!bigger) {
		return 0;
	}
	g->data = bigger;
	memcpy(g->data + g->len, data, size * count);
	g->len += size * count;
	g->data[g->len] = '\0';
	return size * count;
}

static struct curl_slist *headers_of(const struct http_request *request)
{
	char line[512];
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	if (request->key) {
		snprintf(line, sizeof(line), "Authorization: Bearer %s", request->key);
		list = curl_slist_append(list, line);
	}
	bool typed = false;
	for (size_t i = 0; i < 8 && request->headers[i]; i++) {
		typed = typed || strncasecmp(request->headers[i], "Content-Type:", 13) == 0;
		list = curl_slist_append(list, request->headers[i]);
	}
	if (request->body && !typed) {
		list = curl_slist_append(list, "Content-Type: application/json");
	}
	return list;
}

void http_send(const struct http_request *request, struct http_reply *reply)
{
	long status = 0;
	struct grow body = { calloc(1, 1), 0 }, headers = { calloc(1, 1), 0 };
	CURL *curl = curl_easy_init();
	struct curl_slist *list = headers_of(request);
	curl_easy_setopt(curl, CURLOPT_URL, request->url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(curl, CURLOPT_NOBODY, (long)(strcmp(request->method, "HEAD") == 0));
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &headers);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->timeout_ms ? (long)request->timeout_ms : 15000L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	if (request->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
	}
	if (curl_easy_perform(curl) == CURLE_OK) {
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	}
	curl_slist_free_all(list);
	curl_easy_cleanup(curl);
	*reply = (struct http_reply){ .status = (int)status, .body = body.data, .headers = headers.data,
		.json = body.len ? json_tokener_parse(body.data) : NULL };
}

void http_free(struct http_reply *reply)
{
	json_object_put(reply->json);
	free(reply->body);
	free(reply->headers);
	*reply = (struct http_reply){ .status = 0 };
}

const char *http_header(const struct http_reply *reply, const char *name)
{
	static char value[512];
	size_t n = strlen(name);
	value[0] = '\0';
	for (const char *p = reply->headers; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL) {
		if (strncasecmp(p, name, n) == 0 && p[n] == ':') {
			p += n + 1 + strspn(p + n + 1, " ");
			snprintf(value, sizeof(value), "%.*s", (int)strcspn(p, "\r\n"), p);
			break;
		}
	}
	return value;
}

struct json_object *json_parse(const char *text)
{
	return text[0] ? json_tokener_parse(text) : NULL;
}

void json_free(struct json_object *json)
{
	json_object_put(json);
}

struct json_object *json_at(struct json_object *json, const char *path)
{
	char part[64];
	while (json && *path) {
		size_t n = strcspn(path, ".");
		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		path += n + (path[n] == '.');
		if (json_object_is_type(json, json_type_array)) {
			json = json_object_array_get_idx(json, (size_t)atoi(part));
		} else if (!json_object_object_get_ex(json, part, &json)) {
			return NULL;
		}
	}
	return json;
}

const char *json_text(struct json_object *json, const char *path)
{
	struct json_object *at = json_at(json, path);
	return json_object_is_type(at, json_type_string) ? json_object_get_string(at) : "";
}

int64_t json_number(struct json_object *json, const char *path)
{
	struct json_object *at = json_at(json, path);
	return json_object_is_type(at, json_type_int) ? json_object_get_int64(at) : -1;
}

bool json_true(struct json_object *json, const char *path)
{
	struct json_object *at = json_at(json, path);
	return json_object_is_type(at, json_type_boolean) && json_object_get_boolean(at);
}

int64_t json_time_ms(struct json_object *json, const char *path)
{
	struct tm tm = { 0 };
	int ms = 0;
	const char *text = json_text(json, path);
	if (sscanf(text, "%d-%d-%dT%d:%d:%d.%dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms) < 6) {
		return 0;
	}
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (int64_t)timegm(&tm) * 1000 + ms;
}
