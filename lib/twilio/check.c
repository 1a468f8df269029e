/* check.c - nxv_twilio_check(): each part of the setup tried for real, and told in words that say what to do. */
#include <nexusvoip/policy.h>
#include <nexusvoip/twilio_check.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/error.h"
#include "base/id.h"
#include "base/text.h"
#include "ctx.h"
#include "secrets/secrets.h"
#include "twilio/client.h"

enum { SKEW_MAX_MS = 10000, PROBE_TIMEOUT_MS = 10000 };

struct check_run {
	nxv_ctx *ctx;
	nxv_twilio *twilio;
	struct nxv_twilio_report *report;
	bool by_key; /* by an API key, not by the account's token */
	bool sandbox; /* nexus-sandbox answers */
};

static struct nxv_check *add(struct check_run *run, const char *name, nxv_check_result result, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static struct nxv_check *add(struct check_run *run, const char *name, nxv_check_result result, const char *fmt, ...)
{
	struct nxv_check *check = &run->report->items[run->report->count++];
	va_list args;

	check->name = name;
	check->result = result;
	va_start(args, fmt);
	vsnprintf(check->error.message, sizeof(check->error.message), fmt, args);
	va_end(args);
	if (result == NXV_CHECK_FAILED) {
		run->report->failed = true;
		check->error.status = NXV_E_INVALID;
		text_copy(check->error.code, sizeof(check->error.code), "bad_config");
	}
	return check;
}

static void add_error(struct check_run *run, const char *name, const struct nxv_error *err)
{
	add(run, name, NXV_CHECK_FAILED, "%s", "")->error = *err;
}

/* "Mon, 23 Nov 2026 08:42:37 GMT" -> ms since 1970; 0 when it is none. */
static int64_t parse_date(const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4] = "";
	const char *at;
	struct tm tm = { 0 };

	if (sscanf(text, "%*3s, %2d %3s %4d %2d:%2d:%2d", &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return 0;
	at = strlen(month) == 3 ? strstr(months, month) : NULL;
	if (!at || (at - months) % 3)
		return 0;
	tm.tm_mon = (int)(at - months) / 3;
	tm.tm_year -= 1900;
	return (int64_t)timegm(&tm) * 1000;
}

/* One read below the account. @param skew_ms nullable: how far our clock is ahead; INT64_MIN when the answer has no date. */
static nxv_status ask(struct check_run *run, const char *path, struct json_object **json, int64_t *skew_ms, struct nxv_error *err)
{
	struct twilio_exchange x = TWILIO_EXCHANGE(TWILIO_READ, "GET");
	struct http_result result = { 0 };
	struct http_request request;
	const int64_t before_ms = env_now_ms(&run->ctx->env);
	char date[64], server[32];
	int64_t theirs_ms;
	nxv_status status;

	*json = NULL;
	twilio_url(run->twilio, &x, "%s", path);
	status = twilio_request(run->twilio, &x, &request, err);
	if (status == NXV_OK)
		status = http_send(run->twilio->http, &request, &result, err);
	if (status == NXV_OK && skew_ms) {
		theirs_ms = http_result_header(&result, "Date", date, sizeof(date)) ? parse_date(date) : 0;
		*skew_ms = theirs_ms ? (before_ms + env_now_ms(&run->ctx->env)) / 2 - (theirs_ms + 500) : INT64_MIN;
	}
	if (status == NXV_OK && http_result_header(&result, "Server", server, sizeof(server)))
		run->sandbox = strcmp(server, "nexus-sandbox") == 0;
	if (status == NXV_OK)
		status = twilio_judge(TWILIO_READ, &result, json, err);
	http_result_clear(&result);
	twilio_exchange_clear(&x);
	return status;
}

static nxv_status open_client(struct check_run *run, struct nxv_error *err)
{
	const struct config *cfg = run->ctx->cfg;
	struct nxv_twilio_opts opts = NXV_TWILIO_OPTS_INIT;
	const char *key = config_text(cfg, CFG_TWILIO_API_KEY_SID);
	char *secret = NULL;
	nxv_status status =
		secret_get(run->ctx->secrets, run->by_key ? SECRET_TWILIO_API_KEY_SECRET : SECRET_TWILIO_AUTH_TOKEN, &secret, err);

	opts.account_sid = config_text(cfg, CFG_TWILIO_ACCOUNT_SID);
	opts.api_key_sid = run->by_key ? key : NULL;
	*(run->by_key ? &opts.api_key_secret : &opts.auth_token) = secret;
	opts.edge = *config_text(cfg, CFG_TWILIO_EDGE) ? config_text(cfg, CFG_TWILIO_EDGE) : NULL;
	opts.region = *config_text(cfg, CFG_TWILIO_REGION) ? config_text(cfg, CFG_TWILIO_REGION) : NULL;
	opts.base_url = *config_text(cfg, CFG_TWILIO_BASE_URL) ? config_text(cfg, CFG_TWILIO_BASE_URL) : NULL;
	opts.total_timeout_ms = PROBE_TIMEOUT_MS;
	if (status == NXV_OK)
		status = nxv_twilio_open(&opts, &run->twilio, err);
	text_wipe_free(secret);
	return status;
}

static void check_clock(struct check_run *run, int64_t skew_ms)
{
	if (skew_ms == INT64_MIN) {
		add(run, "clock", NXV_CHECK_SKIPPED, "the answer bears no date");
		return;
	}
	run->report->clock_skew_ms = skew_ms;
	if (skew_ms > SKEW_MAX_MS || skew_ms < -SKEW_MAX_MS) {
		struct nxv_check *check = add(run, "clock", NXV_CHECK_FAILED,
			"this machine's clock is %" PRId64 " s %s Twilio's: set it by NTP, or callbacks and time limits go wrong",
			(skew_ms < 0 ? -skew_ms : skew_ms) / 1000, skew_ms > 0 ? "ahead of" : "behind");
		text_copy(check->error.code, sizeof(check->error.code), "clock_skew");
	} else {
		add(run, "clock", NXV_CHECK_OK, "within %d s of Twilio's", SKEW_MAX_MS / 1000);
	}
}

/* Listing calls is what every credential that is any use here may do. @return false: nothing else can be asked. */
static bool check_credentials(struct check_run *run)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct json_object *json = NULL;
	int64_t skew_ms = INT64_MIN;
	nxv_status status = open_client(run, &err);

	if (status == NXV_OK)
		status = ask(run, "/Calls.json?PageSize=1", &json, &skew_ms, &err);
	json_object_put(json);
	if (status == NXV_OK)
		add(run, "credentials", NXV_CHECK_OK, "%s takes the %s", run->twilio->base_url, run->by_key ? "API key" : "account's token");
	else
		add_error(run, "credentials", &err);
	if (run->sandbox)
		add(run, "sandbox", NXV_CHECK_WARNING, "%s is nexus-sandbox, not Twilio: no real call is placed; unset twilio.base_url for Twilio itself",
			run->twilio->base_url);
	if (run->twilio && skew_ms != INT64_MIN)
		check_clock(run, skew_ms);
	else if (status == NXV_OK)
		check_clock(run, INT64_MIN);
	return status == NXV_OK;
}

static void check_account(struct check_run *run)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct json_object *json = NULL;
	const char *state, *type;

	if (ask(run, ".json", &json, NULL, &err) != NXV_OK) {
		add(run, "account", NXV_CHECK_SKIPPED, run->by_key ? "an API key may not read the account" : "the account cannot be read: %s", err.message);
		return;
	}
	state = json_object_get_string(json_object_object_get(json, "status"));
	type = json_object_get_string(json_object_object_get(json, "type"));
	if (state && strcmp(state, "active") != 0)
		add(run, "account", NXV_CHECK_FAILED, "the account is %s: see Twilio's console", state);
	else if (type && strcmp(type, "Trial") == 0)
		add(run, "account", NXV_CHECK_WARNING, "a trial account: it calls verified numbers only");
	else
		add(run, "account", NXV_CHECK_OK, "active");
	json_object_put(json);
}

/* Callbacks are signed with the account's token, also where an API key places the calls: is it the right one? */
static void check_webhook_token(struct check_run *run, bool reached)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct json_object *json = NULL;
	char *token = NULL;
	nxv_status status = secret_get(run->ctx->secrets, SECRET_TWILIO_AUTH_TOKEN, &token, &err);

	if (status == NXV_OK && reached && run->by_key) {
		twilio_new_password(run->twilio, token);
		token = NULL;
		free(run->twilio->username);
		run->twilio->username = text_dup(run->twilio->account_sid);
		status = run->twilio->username ? ask(run, "/Calls.json?PageSize=1", &json, NULL, &err) : error_nomem(&err);
	}
	if (status == NXV_OK && reached)
		add(run, "webhook_token", NXV_CHECK_OK, "signatures of callbacks can be checked");
	else if (status == NXV_OK)
		add(run, "webhook_token", NXV_CHECK_SKIPPED, "it is set; whether it is the right one cannot be told now");
	else if (strcmp(err.code, "twilio_auth") == 0)
		add(run, "webhook_token", NXV_CHECK_FAILED,
			"Twilio refuses twilio.auth_token, so every callback will be taken for a forgery: `nexusctl secrets set twilio.auth_token`");
	else
		add_error(run, "webhook_token", &err);
	json_object_put(json);
	text_wipe_free(token);
}

/* --- the public URL --- */

static bool names_this_machine(const char *url)
{
	const char *host = strstr(url, "://") + 3;

	return strncmp(host, "127.", 4) == 0 || strncasecmp(host, "localhost", 9) == 0 || strncmp(host, "[::1]", 5) == 0;
}

/* Ask through the public URL whether we live; a gateway gives back the id of the request. */
static void probe(struct check_run *run, const char *base, nxv_check_result good)
{
	char *url = text_printf("%s/livez", base), *id = id_new("check"), *header = id ? text_printf("X-Request-Id: %s", id) : NULL;
	const char *const headers[] = { header, NULL };
	const struct http_request request = { .method = "GET", .url = url, .headers = headers, .repeatable = true,
		.total_timeout_ms = PROBE_TIMEOUT_MS };
	struct http_result result = { 0 };
	struct http *http = NULL;
	struct nxv_error err = NXV_ERROR_INIT;
	char echo[80] = "";
	struct nxv_check *check;

	if (!url || !header || http_open(&(struct http_opts){ 0 }, &http, &err) != NXV_OK || http_send(http, &request, &result, &err) != NXV_OK)
		add(run, "public_url", NXV_CHECK_SKIPPED, "it cannot be asked: %s", err.message);
	else if (result.outcome != HTTP_ANSWERED) {
		check = add(run, "public_url", NXV_CHECK_FAILED,
			"nothing answers at %s (%s): is nexusd running, and does the name, port or proxy lead to it?", base, result.message);
		check->error.status = NXV_E_UNREACHABLE;
		text_copy(check->error.code, sizeof(check->error.code), "public_url_unreachable");
	} else if (result.status != 200 || !http_result_header(&result, "X-Request-Id", echo, sizeof(echo)) || strcmp(echo, id) != 0)
		add(run, "public_url", NXV_CHECK_FAILED, "what answers at %s is no gateway (HTTP %d): let http.public_url lead to nexusd", base,
			result.status);
	else
		add(run, "public_url", good, good == NXV_CHECK_OK ? "%s leads to a gateway" : "%s leads to a gateway, without TLS: use https", base);
	http_result_clear(&result);
	http_close(http);
	free(url);
	free(id);
	free(header);
}

static void check_public_url(struct check_run *run)
{
	const char *url = config_text(run->ctx->cfg, CFG_HTTP_PUBLIC_URL);
	const bool twilio_itself = !*config_text(run->ctx->cfg, CFG_TWILIO_BASE_URL);

	if (!*url)
		add(run, "public_url", NXV_CHECK_WARNING, "http.public_url is not set: Twilio cannot report, calls are polled and known later");
	else if (twilio_itself && names_this_machine(url))
		add(run, "public_url", NXV_CHECK_FAILED, "%s leads to this machine only: set http.public_url to a name Twilio can reach", url);
	else
		probe(run, url, twilio_itself && strncmp(url, "https://", 8) != 0 ? NXV_CHECK_WARNING : NXV_CHECK_OK);
}

/* --- caller IDs --- */

static bool holds(struct json_object *json, const char *list, const char *number)
{
	struct json_object *items = json_object_object_get(json, list);

	for (size_t i = 0; items && json_object_is_type(items, json_type_array) && i < json_object_array_length(items); i++) {
		const char *have = json_object_get_string(json_object_object_get(json_object_array_get_idx(items, i), "phone_number"));
		if (have && strcmp(have, number) == 0)
			return true;
	}
	return false;
}

/* A number that is neither bought nor verified; "" when there is none. */
static void first_missing(struct check_run *run, struct json_object *bought, struct json_object *verified, size_t *count, char *missing, size_t size)
{
	const char *list = config_text(run->ctx->cfg, CFG_CALLS_CALLER_IDS), *word;
	struct nxv_caller_list *callers = NULL;
	char number[24];
	size_t len;

	missing[0] = '\0';
	*count = 0;
	while ((len = config_word(&list, &word)) > 0) {
		if (*word != '+' || len >= sizeof(number))
			continue;
		memcpy(number, word, len);
		number[len] = '\0';
		++*count;
		if (!*missing && !holds(bought, "incoming_phone_numbers", number) && !holds(verified, "outgoing_caller_ids", number))
			text_copy(missing, size, number);
	}
	if (nxv_caller_list(run->ctx, NULL, &callers, NULL) != NXV_OK)
		return;
	for (size_t i = 0; i < callers->count; i++, ++*count)
		if (!*missing && !holds(bought, "incoming_phone_numbers", callers->items[i].number) &&
			!holds(verified, "outgoing_caller_ids", callers->items[i].number))
			text_copy(missing, size, callers->items[i].number);
	nxv_caller_list_free(callers);
}

static void check_callers(struct check_run *run)
{
	struct json_object *bought = NULL, *verified = NULL;
	struct nxv_error err = NXV_ERROR_INIT;
	char missing[24];
	size_t count;

	if (run->sandbox) {
		add(run, "caller_ids", NXV_CHECK_SKIPPED, "a sandbox has no numbers: it takes any caller ID");
		return;
	}
	if (ask(run, "/IncomingPhoneNumbers.json?PageSize=1000", &bought, NULL, &err) != NXV_OK ||
		ask(run, "/OutgoingCallerIds.json?PageSize=1000", &verified, NULL, &err) != NXV_OK) {
		add(run, "caller_ids", NXV_CHECK_SKIPPED, "the account's numbers cannot be read: %s", err.message);
	} else {
		first_missing(run, bought, verified, &count, missing, sizeof(missing));
		if (*missing) {
			struct nxv_check *check = add(run, "caller_ids", NXV_CHECK_FAILED,
				"%s is neither bought from nor verified at Twilio: calls that show it will be refused", missing);
			check->error.status = NXV_E_UNCALLABLE;
			text_copy(check->error.code, sizeof(check->error.code), "caller_id_not_allowed");
		} else if (!count)
			add(run, "caller_ids", NXV_CHECK_WARNING, "no caller ID is listed: `nexusctl callers add NUMBER --user USER`, or calls.caller_ids");
		else
			add(run, "caller_ids", NXV_CHECK_OK, "all %zu are bought from or verified at Twilio", count);
	}
	json_object_put(bought);
	json_object_put(verified);
}

nxv_status nxv_twilio_check(nxv_ctx *ctx, struct nxv_twilio_report **out, struct nxv_error *err)
{
	struct check_run run = { .ctx = ctx, .by_key = *config_text(ctx->cfg, CFG_TWILIO_API_KEY_SID) };
	bool reached;

	*out = NULL;
	if (!*config_text(ctx->cfg, CFG_TWILIO_ACCOUNT_SID))
		return error_code(err, NXV_E_UNREACHABLE, "twilio_not_configured",
			"no Twilio account is configured: set twilio.account_sid, then `nexusctl secrets set twilio.auth_token`");
	run.report = calloc(1, sizeof(*run.report));
	if (!run.report)
		return error_nomem(err);
	reached = check_credentials(&run);
	if (reached)
		check_account(&run);
	check_public_url(&run);
	if (reached)
		check_callers(&run);
	check_webhook_token(&run, reached); /* the last one: it takes the place of the API key */
	nxv_twilio_close(run.twilio);
	*out = run.report;
	return NXV_OK;
}

void nxv_twilio_report_free(struct nxv_twilio_report *report)
{
	free(report);
}

const char *nxv_check_result_name(nxv_check_result result)
{
	static const char *const names[] = { "ok", "warning", "failed", "skipped" };

	return (size_t)result < sizeof(names) / sizeof(names[0]) ? names[result] : "unknown";
}
