/* gateway.c - life of a gateway under test. */
#include "gateway.h"

#include "proc.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { READY_MS = 20000 };

int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t utc_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void nap_ms(int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
	nanosleep(&ts, NULL);
}

/* What every gateway of the tests has, unless its own settings say otherwise: much room for polling. */
static bool write_config(const struct gateway *gw, const char *const *settings)
{
	char path[96], text[4096];
	int len = snprintf(text, sizeof(text), "[sip]\nserver = %s\ndomain = %s\nlisten = %s\nbinary = %s\n", gw->server, gw->domain, gw->sip,
		proc_sip_server(gw->server));
	if (gw->sip[0] != '[') { /* else it draws its own, as other gateways that start at this moment may */
		len += snprintf(text + len, sizeof(text) - (size_t)len, "originator_listen = 127.0.0.1:%u\nevents = 127.0.0.1:%u\n",
			proc_free_port(1), proc_free_port(1));
	}
	for (size_t i = 0; settings && settings[i]; i++) {
		if (strcmp(settings[i], GATEWAY_IP6) == 0) {
			continue; /* is in gw->sip */
		}
		const char *dot = strchr(settings[i], '.'), *equals = strchr(settings[i], '=');
		len += snprintf(text + len, sizeof(text) - (size_t)len, "[%.*s]\n%.*s = %s\n", (int)(dot - settings[i]), settings[i],
			(int)(equals - dot - 1), dot + 1, equals + 1);
	}
	if (!strstr(text, "requests_per_minute")) {
		snprintf(text + len, sizeof(text) - (size_t)len, "[limits]\nrequests_per_minute = 100000\n");
	}
	snprintf(path, sizeof(path), "%s/nexusvoip.conf", gw->state);
	return proc_write_file(path, text);
}

bool gateway_prepare(struct gateway *gw, const char *server, const char *const *settings)
{
	*gw = (struct gateway){ .state = proc_temp_dir(), .program = NEXUSD_PATH, .listen = "127.0.0.1:0" };
	snprintf(gw->server, sizeof(gw->server), "%s", server);
	snprintf(gw->domain, sizeof(gw->domain), "sip.example.test");
	const char *host = "127.0.0.1";
	for (size_t i = 0; settings && settings[i]; i++) {
		host = strcmp(settings[i], GATEWAY_IP6) == 0 ? "[::1]" : host;
	}
	snprintf(gw->sip, sizeof(gw->sip), "%s:%u", host, proc_free_port(1));
	snprintf(gw->nexusd_log, sizeof(gw->nexusd_log), "%s/nexusd.log", gw->state);
	if (!write_config(gw, settings) || gateway_ctl(gw, "init") != 0) {
		fprintf(stderr, "nexusctl init: %s\n", gateway_ctl_err());
		return false;
	}
	snprintf(gw->admin_key, sizeof(gw->admin_key), "%s", json_text(gateway_ctl_json(), "adminKey"));
	struct nxv_opts opts = NXV_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	opts.state_dir = gw->state;
	if (nxv_open(&opts, &gw->ctx, &err) != NXV_OK) {
		fprintf(stderr, "%s: %s\n", gw->state, err.message);
	}
	return gw->ctx && gw->admin_key[0];
}

bool gateway_run(struct gateway *gw)
{
	static const char mark[] = "nexusd ready on ";
	const char *const argv[] = { gw->program, "--state", gw->state, "--listen", gw->listen, gw->arg, NULL };
	remove(gw->nexusd_log);
	gw->nexusd = proc_start(argv, gw->nexusd_log, gw->env);
	bool ready = gw->nexusd && proc_wait_output(gw->nexusd, mark, READY_MS);
	char *output = gw->nexusd ? proc_output(gw->nexusd) : strdup("");
	const char *at = ready ? strstr(output, mark) + strlen(mark) : "";
	snprintf(gw->url, sizeof(gw->url), "%.*s", (int)strcspn(at, "\r\n "), at);
	if (!ready) {
		fprintf(stderr, "nexusd is not ready:\n%s\n", output);
	}
	free(output);
	return ready;
}

bool gateway_sip_start(struct gateway *gw)
{
	int64_t deadline = now_ms() + READY_MS;
	struct http_reply *reply = gateway_http(gw, "POST", "/api/v1/opensips/start", gw->admin_key, NULL);
	while (now_ms() < deadline) {
		reply = gateway_http(gw, "GET", "/api/v1/opensips/health", gw->admin_key, NULL);
		const char *status = json_text(reply->json, "opensipsStatus");
		if (strcmp(status, "running") == 0) {
			return true;
		}
		if (strcmp(status, "failed") == 0) {
			break;
		}
		nap_ms(20);
	}
	fprintf(stderr, "the SIP server does not start: %s\n", reply->body);
	return false;
}

bool gateway_start(struct gateway *gw, const char *server, const char *const *settings)
{
	return gateway_prepare(gw, server, settings) && gateway_run(gw) && gateway_sip_start(gw);
}

int gateway_stop(struct gateway *gw)
{
	int status = proc_stop(gw->nexusd, 10000);
	gw->nexusd = NULL;
	return status;
}

void gateway_close(struct gateway *gw)
{
	gateway_stop(gw);
	nxv_close(gw->ctx);
	gw->ctx = NULL;
}

struct http_reply *gateway_http_with(struct gateway *gw, const char *method, const char *path, const char *key, const char *body, const char *header)
{
	static struct http_reply reply;
	char url[512];
	snprintf(url, sizeof(url), "%s%s", gw->url, path);
	struct http_request request = { .method = method, .url = url, .key = key, .body = body, .headers = { header } };
	http_free(&reply);
	http_send(&request, &reply);
	return &reply;
}

struct http_reply *gateway_http(struct gateway *gw, const char *method, const char *path, const char *key, const char *body)
{
	return gateway_http_with(gw, method, path, key, body, NULL);
}
