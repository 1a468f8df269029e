/* twilio_gw.c - a gateway whose Twilio is nexus-sandbox. */
#include "twilio_gw.h"

#include "proc.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool twilio_gw_prepare(struct gateway *gw, struct sandbox_run *sandbox, const char *server, const char *speed, bool sip_leg,
	const char *const *settings)
{
	static const char *const env[] = { "NEXUSVOIP_TWILIO_AUTH_TOKEN=" SANDBOX_TOKEN, NULL };
	static char texts[2][128], listen[32], api[32];
	const char *all[SETTINGS_MAX + 1] = { "twilio.account_sid=" SANDBOX_ACCOUNT, texts[0], texts[1], "calls.allow=* +0",
		"calls.caller_ids=" TWILIO_FROM " +1234567890 +15005550001 +15005550007", NULL };
	const char *args[] = { "--speed", speed, "--listen", api, sip_leg ? "--sip-proxy" : NULL, gw->sip, NULL };
	const unsigned port = proc_free_port(1);
	size_t n = 5;

	for (size_t i = 0; settings && settings[i] && n < SETTINGS_MAX; i++)
		all[n++] = settings[i];
	all[n] = NULL;
	*sandbox = (struct sandbox_run){ 0 };
	snprintf(api, sizeof(api), "127.0.0.1:%u", proc_free_port(1));
	snprintf(texts[0], sizeof(texts[0]), "twilio.base_url=http://%s", api);
	snprintf(texts[1], sizeof(texts[1]), "http.public_url=http://127.0.0.1:%u", port);
	if (!gateway_prepare(gw, server, all))
		return false;
	snprintf(listen, sizeof(listen), "127.0.0.1:%u", port);
	gw->listen = listen;
	gw->env = env;
	return sandbox_start(sandbox, args);
}

int twilio_gw_call(struct gateway *gw, const struct user *user, const char *to, const char *more, struct told *out)
{
	char body[320];
	struct http_reply *reply;

	snprintf(body, sizeof(body), "{\"fromNumber\":\"" TWILIO_FROM "\",\"toNumber\":\"%s\",\"useTwilio\":true%s}", to, more ? more : "");
	reply = gateway_http(gw, "POST", "/api/v1/opensips/call/initiate", user->key, body);
	*out = (struct told){ .http_status = reply->status };
	api_read(json_at(reply->json, "session"), out);
	return reply->status;
}

int64_t twilio_gw_webhooks(struct gateway *gw, const char *verdict)
{
	struct http_reply *reply = gateway_http(gw, "GET", "/metrics", NULL, NULL);
	char name[96];
	const char *at;

	snprintf(name, sizeof(name), "nexusvoip_twilio_webhooks_total{verdict=\"%s\"} ", verdict);
	at = strstr(reply->body, name);
	return at ? strtoll(at + strlen(name), NULL, 10) : -1;
}
