/* curl.c - the client on libcurl: opening, closing, the blocking form, and results. Nothing here needs a loop. */
#include "http/transfer.h"

#include "base/error.h"
#include "base/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECTIONS_DEFAULT = 8, POLL_MAX_MS = 1000 };

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_code;

/* Never undone: the host may use libcurl itself, and its count would be ours to get right. */
static void global_init(void)
{
	global_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool copy(char **dst, const char *src)
{
	*dst = text_dup(src);
	return !src || *dst;
}

nxv_status http_open(const struct http_opts *opts, struct http **out, struct nxv_error *err)
{
	static const struct http_opts none;
	struct http *http;
	long most;

	*out = NULL;
	if (!opts)
		opts = &none;
	pthread_once(&global_once, global_init);
	if (global_code != CURLE_OK)
		return error_set(err, NXV_E_INTERNAL, "libcurl cannot be set up: %s", curl_easy_strerror(global_code));
	http = calloc(1, sizeof(*http));
	if (!http)
		return error_nomem(err);
	most = opts->max_connections ? (long)opts->max_connections : CONNECTIONS_DEFAULT;
	http->multi = curl_multi_init();
	if (!http->multi || !copy(&http->user_agent, opts->user_agent) || !copy(&http->ca_file, opts->ca_file) ||
		!copy(&http->proxy, opts->proxy) || curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most) != CURLM_OK ||
		curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, most) != CURLM_OK ||
		curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) != CURLM_OK) {
		http_close(http);
		return error_nomem(err);
	}
	*out = http;
	return NXV_OK;
}

void http_close(struct http *http)
{
	if (!http)
		return;
	while (http->first)
		transfer_free(http->first);
	if (http->multi)
		curl_multi_cleanup(http->multi); /* with a loop still there: curl unwatches its sockets now */
	loop_timer_free(http->curl_timer);
	loop_timer_free(http->limit_timer);
	free(http->user_agent);
	free(http->ca_file);
	text_wipe_free(http->proxy); /* may hold a password */
	free(http);
}

/* Let curl work until the transfer is done or late. */
static CURLcode drive(struct http *http, struct http_transfer *t)
{
	struct http_transfer *ended;
	CURLcode code = CURLE_OK;
	int running;

	for (;;) {
		if (curl_multi_perform(http->multi, &running) != CURLM_OK)
			return CURLE_FAILED_INIT;
		while ((ended = transfer_next_done(http, &code)))
			if (ended == t)
				return code;
		int64_t left = transfer_left_ms(t, loop_now_ms());
		if (left == 0)
			return CURLE_OPERATION_TIMEDOUT;
		t->stopped = t->keep_on && !t->keep_on(t->data_user);
		if (t->stopped)
			return CURLE_ABORTED_BY_CALLBACK;
		if (curl_multi_poll(http->multi, NULL, 0, left < 0 || left > POLL_MAX_MS ? POLL_MAX_MS : (int)left, NULL) != CURLM_OK)
			return CURLE_FAILED_INIT;
	}
}

nxv_status http_send(struct http *http, const struct http_request *request, struct http_result *result, struct nxv_error *err)
{
	struct http_transfer *t = NULL;
	nxv_status status;

	if (http->loop)
		return error_set(err, NXV_E_INVALID, "this client belongs to a loop: use http_start()");
	status = transfer_new(http, request, &t, err);
	if (status)
		return status;
	transfer_judge(t, drive(http, t));
	*result = t->result;
	t->result = (struct http_result){ 0 };
	transfer_free(t);
	return NXV_OK;
}

bool http_result_header(const struct http_result *result, const char *name, char *buf, size_t size)
{
	size_t name_len = strlen(name), len;
	const char *line = result->headers.data, *end;
	bool found = false;

	for (; line && *line; line = *end ? end + 2 : end) {
		end = strstr(line, "\r\n");
		if (!end)
			end = line + strlen(line);
		if (strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
			continue;
		const char *value = line + name_len + 1;
		value += strspn(value, " \t");
		len = value < end ? (size_t)(end - value) : 0;
		while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
			len--;
		if (len >= size)
			len = size - 1;
		memcpy(buf, value, len);
		buf[len] = '\0';
		found = true;
	}
	return found;
}

void http_result_clear(struct http_result *result)
{
	free(result->redirect_url);
	buf_free(&result->headers);
	buf_free(&result->body);
	*result = (struct http_result){ 0 };
}
