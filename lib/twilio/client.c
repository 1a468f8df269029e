/* client.c - an account at Twilio: how it is opened, and how a request goes out and comes back. */
#include "twilio/client.h"

#include "base/error.h"
#include "base/opts.h"
#include "base/text.h"
#include "twilio/form.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECT_DEFAULT_MS = 5000,
	FIRST_BYTE_DEFAULT_MS = 10000,
	TOTAL_DEFAULT_MS = 30000,
	ANSWER_DEFAULT_BYTES = 4 * 1024 * 1024,
	CONNECTIONS_MAX = 32, /* the blocking functions need one; the carrier has many requests under way */
	SID_MAX = 64,
	URL_MAX = 8 * 1024
};
static const char user_agent[] = "libnexusvoip/" NXV_VERSION;
static const char api[] = "/2010-04-01/Accounts/";
static const char alnum[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

nxv_status twilio_check_sid(const char *sid, const char *prefix, const char *field, struct nxv_error *err)
{
	size_t len = sid ? strlen(sid) : 0;

	if (len > strlen(prefix) && len <= SID_MAX && strncmp(sid, prefix, strlen(prefix)) == 0 && strspn(sid, alnum) == len)
		return NXV_OK;
	return error_field(err, field, "%s must be a SID: \"%s\" and 32 hexadecimal digits", field, prefix);
}

static bool is_label(const char *s)
{
	size_t len = strlen(s);

	return len >= 1 && len <= 32 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static nxv_status set_base_url(nxv_twilio *twilio, const struct nxv_twilio_opts *opts, struct nxv_error *err)
{
	const char *url = opts->base_url, *edge = opts->edge, *region = opts->region;
	size_t len;

	if (url && (edge || region))
		return error_field(err, "base_url", "give base_url, or edge and region, not both");
	if (edge && !is_label(edge))
		return error_field(err, "edge", "edge must be a name such as \"dublin\"");
	if (region && !is_label(region))
		return error_field(err, "region", "region must be a name such as \"ie1\"");
	if (!url) {
		if (edge && !region)
			region = "us1";
		twilio->base_url = text_printf("https://api%s%s%s%s.twilio.com", edge ? "." : "", edge ? edge : "", region ? "." : "",
			region ? region : "");
		return twilio->base_url ? NXV_OK : error_nomem(err);
	}
	len = strlen(url);
	while (len && url[len - 1] == '/')
		len--;
	if ((strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) || strpbrk(url, "?#@ \r\n\t") || len > URL_MAX / 4 ||
		url[len ? len - 1 : 0] == ':')
		return error_field(err, "base_url", "base_url must be like https://api.twilio.com: no user, query or blanks");
	twilio->base_url = strndup(url, len);
	return twilio->base_url ? NXV_OK : error_nomem(err);
}

static nxv_status set_credentials(nxv_twilio *twilio, const struct nxv_twilio_opts *opts, struct nxv_error *err)
{
	const char *user = opts->account_sid, *secret = opts->auth_token;
	nxv_status status = twilio_check_sid(opts->account_sid, "AC", "account_sid", err);

	if (status)
		return status;
	if (opts->api_key_sid || opts->api_key_secret) {
		status = twilio_check_sid(opts->api_key_sid, "SK", "api_key_sid", err);
		if (status)
			return status;
		if (!opts->api_key_secret || !*opts->api_key_secret)
			return error_field(err, "api_key_secret", "give the secret of the API key, too");
		user = opts->api_key_sid;
		secret = opts->api_key_secret;
	}
	if (!secret || !*secret)
		return error_field(err, "auth_token", "give auth_token, or api_key_sid and api_key_secret");
	twilio->account_sid = text_dup(opts->account_sid);
	twilio->username = text_dup(user);
	twilio->password = text_dup(secret);
	return twilio->account_sid && twilio->username && twilio->password ? NXV_OK : error_nomem(err);
}

nxv_status nxv_twilio_open(const struct nxv_twilio_opts *given, nxv_twilio **out, struct nxv_error *err)
{
	struct nxv_twilio_opts ours;
	const struct nxv_twilio_opts *opts = &ours;
	struct http_opts http = { .user_agent = user_agent, .max_connections = CONNECTIONS_MAX };
	nxv_twilio *twilio;
	nxv_status status;

	*out = NULL;
	if (!opts_take(&ours, sizeof(ours), given, OPTS_LEAST(struct nxv_twilio_opts, max_answer_bytes)))
		return error_set(err, NXV_E_INVALID, "pass struct nxv_twilio_opts with its size set (NXV_TWILIO_OPTS_INIT)");
	twilio = calloc(1, sizeof(*twilio));
	if (!twilio)
		return error_nomem(err);
	twilio->connect_timeout_ms = opts->connect_timeout_ms ? opts->connect_timeout_ms : CONNECT_DEFAULT_MS;
	twilio->first_byte_timeout_ms = opts->first_byte_timeout_ms ? opts->first_byte_timeout_ms : FIRST_BYTE_DEFAULT_MS;
	twilio->total_timeout_ms = opts->total_timeout_ms ? opts->total_timeout_ms : TOTAL_DEFAULT_MS;
	twilio->max_answer_bytes = opts->max_answer_bytes ? opts->max_answer_bytes : ANSWER_DEFAULT_BYTES;
	http.ca_file = opts->ca_file;
	http.proxy = opts->proxy;
	status = set_base_url(twilio, opts, err);
	if (!status)
		status = set_credentials(twilio, opts, err);
	if (!status)
		status = http_open(&http, &twilio->http, err);
	if (status) {
		nxv_twilio_close(twilio);
		return status;
	}
	*out = twilio;
	return NXV_OK;
}

void nxv_twilio_close(nxv_twilio *twilio)
{
	if (!twilio)
		return;
	http_close(twilio->http);
	free(twilio->base_url);
	free(twilio->account_sid);
	free(twilio->username);
	text_wipe_free(twilio->password);
	free(twilio);
}

void twilio_new_password(nxv_twilio *twilio, char *password)
{
	text_wipe_free(twilio->password);
	twilio->password = password;
}

void twilio_url(const nxv_twilio *twilio, struct twilio_exchange *x, const char *fmt, ...)
{
	char path[SID_MAX * 2 + 64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	x->url.max = URL_MAX;
	buf_printf(&x->url, "%s%s%s%s", twilio->base_url, api, twilio->account_sid, path);
}

void twilio_query(struct twilio_exchange *x, const struct buf *query)
{
	if (!query->len && !query->failed)
		return;
	buf_str(&x->url, "?");
	buf_append(&x->url, query->data ? query->data : "", query->len);
	x->url.failed = x->url.failed || query->failed;
}

nxv_status twilio_page_url(const nxv_twilio *twilio, struct twilio_exchange *x, const char *page, struct nxv_error *err)
{
	size_t api_len = sizeof(api) - 1, sid_len = strlen(twilio->account_sid);

	/* It goes out with credentials, so it must stay below this account on this host. */
	if (strncmp(page, api, api_len) != 0 || strncmp(page + api_len, twilio->account_sid, sid_len) != 0 ||
		page[api_len + sid_len] != '/' || strpbrk(page, " \t\r\n#\\") || strstr(page, ".."))
		return error_field(err, "page", "page must be next_page of a list of the same account");
	x->url.max = URL_MAX;
	buf_printf(&x->url, "%s%s", twilio->base_url, page);
	return NXV_OK;
}

nxv_status twilio_request(const nxv_twilio *twilio, const struct twilio_exchange *x, struct http_request *out, struct nxv_error *err)
{
	static const char *const headers[] = { "Accept: application/json", NULL };

	if (x->url.failed || x->form.failed)
		return error_set(err, NXV_E_INVALID, "the parameters are too long, or memory ran out");
	*out = (struct http_request){
		.method = x->method,
		.url = x->url.data,
		.headers = headers,
		.username = twilio->username,
		.password = twilio->password,
		.body = x->form.len ? x->form.data : NULL,
		.body_len = x->form.len,
		.repeatable = x->kind == TWILIO_READ,
		.connect_timeout_ms = twilio->connect_timeout_ms,
		.first_byte_timeout_ms = twilio->first_byte_timeout_ms,
		.total_timeout_ms = twilio->total_timeout_ms,
		.max_body_bytes = twilio->max_answer_bytes,
	};
	return NXV_OK;
}

nxv_status twilio_ask(nxv_twilio *twilio, struct twilio_exchange *x, struct json_object **out, struct nxv_error *err)
{
	struct http_result result = { 0 };
	struct http_request request;
	nxv_status status;

	if (out)
		*out = NULL;
	status = twilio_request(twilio, x, &request, err);
	if (!status)
		status = http_send(twilio->http, &request, &result, err);
	if (!status)
		status = twilio_judge(x->kind, &result, out, err);
	http_result_clear(&result);
	twilio_exchange_clear(x);
	return status;
}

void twilio_exchange_clear(struct twilio_exchange *x)
{
	buf_free(&x->url);
	buf_wipe(&x->form);
}
