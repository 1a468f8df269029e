/* transfer.c - a request as curl options, curl's callbacks, and the verdict: was it sent, was it answered.
 * "Not sent" is the promise that a caller may try again what must not happen twice, so it is given only on proof. */
#include "http/transfer.h"

#include "base/error.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECT_DEFAULT_MS = 10000,
	BODY_DEFAULT_BYTES = 1024 * 1024,
	/* Servers drop idle connections; one that is older is not worth the risk of an unknown outcome. */
	REUSE_MAX_IDLE_SECONDS = 20
};

static long bytes_written(const struct http_transfer *t)
{
	long written = 0;

	return curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &written) == CURLE_OK ? written : 1;
}

/* Called on a ready connection, right before the request is written. curl calls it again when it wants to repeat the
 * request because a reused connection was dead; by then the server may have acted on it. */
static int on_ready(void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct http_transfer *t = arg;

	(void)remote_ip;
	(void)local_ip;
	(void)remote_port;
	(void)local_port;
	if (t->begun_ms && !t->repeatable && bytes_written(t) > 0)
		return CURL_PREREQFUNC_ABORT;
	t->begun_ms = loop_now_ms();
	return CURL_PREREQFUNC_OK;
}

static void saw_bytes(struct http_transfer *t)
{
	t->last_ms = loop_now_ms();
	if (!t->first_ms)
		t->first_ms = t->last_ms;
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct http_transfer *t = arg;
	size_t len = size * count;
	long status = 0;

	saw_bytes(t);
	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) { /* after a 1xx answer another head follows */
		buf_consume(&t->result.headers, t->result.headers.len);
		return len;
	}
	if (len == 2 && data[0] == '\r') {
		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
		t->result.status = (int)status;
		t->head_done = status >= 200;
		return len;
	}
	buf_append(&t->result.headers, data, len);
	t->too_big = t->result.headers.failed;
	return t->too_big ? 0 : len;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_transfer *t = arg;
	size_t len = size * count;
	bool streamed = t->on_data && t->result.status / 100 == 2;

	saw_bytes(t);
	t->body_bytes += len;
	if (streamed || !t->on_data)
		t->too_big = t->body_bytes > t->max_body_bytes;
	if (t->too_big)
		return 0;
	if (streamed) {
		t->stopped = !t->on_data(t->data_user, &t->result, data, len);
		t->last_ms = loop_now_ms(); /* a slow receiver is not a silent sender */
		return t->stopped ? 0 : len;
	}
	buf_append(&t->result.body, data, len);
	t->too_big = t->result.body.failed;
	return t->too_big ? 0 : len;
}

#define SET(option, value) (curl_easy_setopt(t->easy, option, value) == CURLE_OK)

static bool set_safety(struct http_transfer *t, const struct http *http)
{
	return SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_PROTOCOLS_STR, "http,https") && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
		SET(CURLOPT_PROXY, http->proxy ? http->proxy : "") && SET(CURLOPT_NOPROXY, "") && SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
		SET(CURLOPT_SSL_VERIFYPEER, 1L) && SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
		SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) && (!http->ca_file || SET(CURLOPT_CAINFO, http->ca_file)) &&
		/* HTTP/1.1: one request owns the connection, so that "bytes written" speaks of this one. */
		SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) && SET(CURLOPT_MAXAGE_CONN, (long)REUSE_MAX_IDLE_SECONDS) &&
		SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) && SET(CURLOPT_ERRORBUFFER, t->errors) &&
		SET(CURLOPT_QUICK_EXIT, 1L); /* never wait for a resolver thread when a limit ran out */
}

static bool set_callbacks(struct http_transfer *t)
{
	return SET(CURLOPT_PREREQFUNCTION, on_ready) && SET(CURLOPT_PREREQDATA, t) && SET(CURLOPT_HEADERFUNCTION, on_header) &&
		SET(CURLOPT_HEADERDATA, t) && SET(CURLOPT_WRITEFUNCTION, on_body) && SET(CURLOPT_WRITEDATA, t) &&
		SET(CURLOPT_PRIVATE, t);
}

static bool add_header(struct http_transfer *t, const char *line)
{
	struct curl_slist *longer = curl_slist_append(t->headers, line);

	if (longer)
		t->headers = longer;
	return longer;
}

static bool set_request(struct http_transfer *t, const struct http *http, const struct http_request *request)
{
	bool set = SET(CURLOPT_URL, request->url) &&
		SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(request->connect_timeout_ms ? request->connect_timeout_ms : CONNECT_DEFAULT_MS)) &&
		(!http->user_agent || SET(CURLOPT_USERAGENT, http->user_agent)) && add_header(t, "Expect:");

	for (const char *const *line = request->headers; line && *line; line++)
		set = set && add_header(t, *line);
	if (request->username)
		set = set && SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) && SET(CURLOPT_USERNAME, request->username) &&
			SET(CURLOPT_PASSWORD, request->password ? request->password : "");
	if (t->body)
		set = set && SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_len) && SET(CURLOPT_POSTFIELDS, t->body);
	else
		set = set && SET(CURLOPT_HTTPGET, 1L);
	return set && SET(CURLOPT_CUSTOMREQUEST, request->method) && SET(CURLOPT_HTTPHEADER, t->headers);
}

static nxv_status check(const struct http_request *request, struct nxv_error *err)
{
	CURLU *url = curl_url();
	char *scheme = NULL, *user = NULL;
	nxv_status status = NXV_OK;

	if (!url)
		return error_nomem(err);
	if (curl_url_set(url, CURLUPART_URL, request->url, 0) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
		(strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		status = error_field(err, "url", "not a URL that begins with http:// or https://");
	else if (curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK)
		status = error_field(err, "url", "a URL must not hold a user or password; give them apart from it");
	for (const char *const *line = request->headers; line && *line && !status; line++)
		if (strpbrk(*line, "\r\n"))
			status = error_field(err, "headers", "a header must be a single line");
	curl_free(scheme);
	curl_free(user);
	curl_url_cleanup(url);
	return status;
}

nxv_status transfer_new(struct http *http, const struct http_request *request, struct http_transfer **out, struct nxv_error *err)
{
	struct http_transfer *t = NULL;
	nxv_status status = check(request, err);

	*out = NULL;
	if (status)
		return status;
	t = calloc(1, sizeof(*t));
	if (!t)
		return error_nomem(err);
	t->http = http;
	t->next = http->first;
	if (t->next)
		t->next->prev = t;
	http->first = t;
	t->started_ms = loop_now_ms();
	t->repeatable = request->repeatable;
	t->first_byte_timeout_ms = request->first_byte_timeout_ms;
	t->idle_timeout_ms = request->idle_timeout_ms;
	t->total_timeout_ms = request->total_timeout_ms;
	t->max_body_bytes = request->max_body_bytes ? request->max_body_bytes : BODY_DEFAULT_BYTES;
	if (request->body || strcmp(request->method, "POST") == 0) {
		t->body_len = request->body_len;
		t->body = calloc(1, t->body_len + 1);
		if (t->body && t->body_len)
			memcpy(t->body, request->body, t->body_len);
	}
	t->on_data = request->on_data;
	t->keep_on = request->keep_on;
	t->data_user = request->user;
	t->result.headers.max = HTTP_HEADERS_MAX_BYTES;
	t->result.body.max = t->on_data ? BODY_DEFAULT_BYTES : t->max_body_bytes;
	t->easy = curl_easy_init();
	if (!t->easy || (request->body && !t->body) || !set_safety(t, http) || !set_callbacks(t) || !set_request(t, http, request) ||
		curl_multi_add_handle(http->multi, t->easy) != CURLM_OK) {
		transfer_free(t);
		return error_nomem(err);
	}
	*out = t;
	return NXV_OK;
}

void transfer_free(struct http_transfer *t)
{
	if (!t)
		return;
	if (t->prev)
		t->prev->next = t->next;
	else
		t->http->first = t->next;
	if (t->next)
		t->next->prev = t->prev;
	if (t->easy) {
		curl_multi_remove_handle(t->http->multi, t->easy);
		curl_easy_cleanup(t->easy);
	}
	curl_slist_free_all(t->headers);
	if (t->body)
		explicit_bzero(t->body, t->body_len); /* passwords of phones travel in forms */
	free(t->body);
	http_result_clear(&t->result);
	free(t);
}

int64_t transfer_left_ms(struct http_transfer *t, int64_t now_ms)
{
	int64_t until = INT64_MAX;

	if (t->total_timeout_ms)
		until = t->started_ms + t->total_timeout_ms;
	if (t->first_byte_timeout_ms && t->begun_ms && !t->first_ms && t->begun_ms + t->first_byte_timeout_ms < until)
		until = t->begun_ms + t->first_byte_timeout_ms;
	if (t->idle_timeout_ms && t->first_ms && t->last_ms + t->idle_timeout_ms < until)
		until = t->last_ms + t->idle_timeout_ms;
	if (until == INT64_MAX)
		return -1;
	t->late = until <= now_ms;
	return t->late ? 0 : until - now_ms;
}

static enum http_fault fault_of(const struct http_transfer *t, CURLcode code)
{
	if (t->late)
		return HTTP_FAULT_TIMEOUT;
	if (t->too_big)
		return HTTP_FAULT_TOO_BIG;
	if (t->stopped)
		return HTTP_FAULT_STOPPED;
	switch (code) {
	case CURLE_OK: /* curl takes a head that is cut off for a whole one */
		return t->head_done ? HTTP_FAULT_NONE : HTTP_FAULT_BROKEN;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return HTTP_FAULT_RESOLVE;
	case CURLE_COULDNT_CONNECT:
		return HTTP_FAULT_CONNECT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
		return HTTP_FAULT_TLS;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_FAULT_TIMEOUT;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:  /* an answer in no version of HTTP that curl takes */
	case CURLE_ABORTED_BY_CALLBACK:   /* on_ready() would not send twice */
		return HTTP_FAULT_BROKEN;
	default:
		return HTTP_FAULT_OTHER;
	}
}

static const char *words(const struct http_transfer *t, CURLcode code)
{
	if (t->late && !t->begun_ms)
		return "no connection within the time limit";
	if (t->late && !t->first_ms)
		return "no answer within the time limit";
	if (t->late)
		return "the answer did not end within the time limit";
	if (t->too_big)
		return "the answer is bigger than the limit";
	if (t->stopped)
		return "the receiver stopped it";
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return "the connection broke after the request was sent";
	if (code == CURLE_OK)
		return "the connection ended inside the head of the answer";
	return *t->errors ? t->errors : curl_easy_strerror(code);
}

/* curl puts the request's user and password into the URL it would go to. [owned] */
static char *without_user(const char *redirect)
{
	CURLU *url = curl_url();
	char *text = NULL, *out = NULL;

	if (url && curl_url_set(url, CURLUPART_URL, redirect, 0) == CURLUE_OK &&
		curl_url_set(url, CURLUPART_USER, NULL, 0) == CURLUE_OK && curl_url_set(url, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK)
		out = text_dup(text);
	curl_free(text);
	curl_url_cleanup(url);
	return out;
}

void transfer_judge(struct http_transfer *t, CURLcode code)
{
	struct http_result *r = &t->result;
	curl_off_t retry_after = 0;
	const char *redirect = NULL;
	long connects = 1;

	r->outcome = t->head_done ? HTTP_ANSWERED : t->begun_ms && bytes_written(t) > 0 ? HTTP_NO_ANSWER : HTTP_NOT_SENT;
	r->fault = fault_of(t, code);
	r->complete = t->head_done && r->fault == HTTP_FAULT_NONE;
	if (!t->head_done)
		r->status = 0;
	if (curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK)
		r->reused = connects == 0 && t->begun_ms;
	if (t->head_done && curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after) == CURLE_OK && retry_after > 0)
		r->retry_after_ms = retry_after < INT32_MAX / 1000 ? (int64_t)retry_after * 1000 : INT32_MAX;
	if (t->head_done && curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &redirect) == CURLE_OK && redirect)
		r->redirect_url = without_user(redirect);
	if (r->fault)
		text_copy(r->message, sizeof(r->message), words(t, code));
}

struct http_transfer *transfer_next_done(struct http *http, CURLcode *code)
{
	struct http_transfer *t = NULL;
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(http->multi, &left)))
		if (msg->msg == CURLMSG_DONE && curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t) == CURLE_OK && t) {
			*code = msg->data.result;
			return t;
		}
	return NULL;
}
