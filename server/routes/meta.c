/* meta.c - what needs no key: is it alive, is it ready, counters, and the description of the API. */
#include <string.h>

#include "exchange.h"
#include "media.h"
#include "metrics.h"
#include "routes/routes.h"
#include "text.h"

extern const char openapi_json[]; /* docs/api/openapi.json, embedded by the build */

void meta_live(struct exchange *x)
{
	static const char body[] = "{\"status\":\"ok\"}";

	answer_static(x, 200, body, sizeof(body) - 1);
}

/* Ready: able to do what the API promises, so the engine runs and the store can be read. */
void meta_ready(struct exchange *x)
{
	static const char body[] = "{\"status\":\"ready\"}";
	struct nxv_key_list_opts one = NXV_KEY_LIST_OPTS_INIT;
	struct nxv_key_page *list = NULL;
	const char *why = NULL;

	one.limit = 1;
	if (atomic_load(&x->app->draining))
		why = "The server is being stopped.";
	else if (!nxv_engine_running(x->ctx))
		why = "The engine does not run; see the server's log.";
	else if (nxv_key_list(x->ctx, &one, &list, NULL) != NXV_OK)
		why = "The store cannot be read; see the server's log.";
	nxv_key_page_free(list);
	if (!why) {
		answer_static(x, 200, body, sizeof(body) - 1);
		return;
	}
	http_answer_header(x->http, "Retry-After", "1");
	answer_problem(x, 503, "not_ready", why, NULL);
}

static void tell_webhooks(nxv_ctx *ctx, struct text *out)
{
	uint64_t counts[NXV_WEBHOOK_VERDICTS];

	nxv_webhook_counts(ctx, counts);
	text_add(out, "# HELP nexusvoip_twilio_webhooks_total Webhooks of Twilio, by what became of them.\n"
		"# TYPE nexusvoip_twilio_webhooks_total counter\n");
	for (int v = 0; v < NXV_WEBHOOK_VERDICTS; v++)
		text_add(out, "nexusvoip_twilio_webhooks_total{verdict=\"%s\"} %llu\n",
			nxv_webhook_verdict_name((nxv_webhook_verdict)v), (unsigned long long)counts[v]);
}

static void tell_metrics(struct exchange *x, const struct nxv_completion *done)
{
	const struct nxv_sip_health *health = x->result;
	struct text out;
	char *body;
	size_t len;

	text_begin(&out);
	metrics_write(&out);
	text_add(&out,
		"# HELP nexusvoip_info The version that runs.\n# TYPE nexusvoip_info "
		"gauge\nnexusvoip_info{version=\"%s\"} 1\n",
		nxv_version());
	text_add(&out,
		"# HELP nexusvoip_engine_up Whether the engine runs.\n# TYPE nexusvoip_engine_up "
		"gauge\nnexusvoip_engine_up %d\n",
		nxv_engine_running(x->ctx));
	if (done->status == NXV_OK) {
		text_add(&out,
			"# HELP nexusvoip_sip_server_up Whether the SIP server answers.\n# TYPE "
			"nexusvoip_sip_server_up gauge\n"
			"nexusvoip_sip_server_up %d\n",
			health->state == NXV_SIP_RUNNING);
		text_add(&out,
			"# HELP nexusvoip_live_calls Calls that have not ended.\n# TYPE nexusvoip_live_calls gauge\n"
			"nexusvoip_live_calls %lld\n",
			(long long)health->active_calls);
	}
	nxv_sip_health_free(x->result);
	tell_webhooks(x->ctx, &out);
	text_add(&out,
		"# HELP nexusd_recording_streams Recordings that are being sent.\n# TYPE nexusd_recording_streams gauge\n"
		"nexusd_recording_streams %u\n",
		media_streams(x->app->media));
	body = text_take(&out, &len);
	x->type = "text/plain; version=0.0.4; charset=utf-8";
	answer_json(x, 200, body, len);
}

void meta_metrics(struct exchange *x)
{
	exchange_aside(x, x->lane->aside, NULL, sip_ask_health, tell_metrics);
}

void meta_openapi(struct exchange *x)
{
	answer_static(x, 200, openapi_json, strlen(openapi_json));
}
