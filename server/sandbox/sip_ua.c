/* sip_ua.c - libre's SIP stack on one UDP socket, and the way of a message to its leg. */
#include "sip_inside.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 256 };

static struct sip_leg *find(const struct sip_ua *ua, const struct sip_msg *msg)
{
	for (struct le *le = ua->legs.head; le; le = le->next) {
		struct sip_leg *leg = le->data;

		if (pl_strcmp(&msg->callid, leg->call_id) == 0)
			return leg;
	}
	return NULL;
}

static bool on_request(const struct sip_msg *msg, void *arg)
{
	struct sip_ua *ua = arg;
	struct sip_leg *leg = find(ua, msg);

	if (leg && pl_strcmp(&msg->to.tag, leg->tag) == 0)
		sip_leg_request(leg, msg);
	else if (pl_strcmp(&msg->met, "ACK") == 0)
		return true;
	else if (pl_strcmp(&msg->met, "OPTIONS") == 0 && !pl_isset(&msg->to.tag))
		(void)sip_treply(NULL, ua->sip, msg, 200, "OK");
	else if (pl_isset(&msg->to.tag) || pl_strcmp(&msg->met, "CANCEL") == 0)
		(void)sip_treply(NULL, ua->sip, msg, 481, "Call Does Not Exist");
	else
		(void)sip_treply(NULL, ua->sip, msg, 403, "The Sandbox Takes No Calls");
	return true;
}

static bool on_response(const struct sip_msg *msg, void *arg)
{
	struct sip_leg *leg = find(arg, msg);

	if (leg && msg->scode >= 200 && msg->scode < 300 && pl_strcmp(&msg->cseq.met, "INVITE") == 0)
		sip_leg_stray(leg, msg);
	return true;
}

static bool parse(const char *text, struct sa *out)
{
	char host[64];
	uint16_t port;

	return text_hostport(text, host, sizeof(host), &port) && sa_set_str(out, host, port) == 0;
}

static bool open_stack(struct sip_ua *ua)
{
	struct pl pl;

	if (sip_alloc(&ua->sip, NULL, BUCKETS, BUCKETS, 4, "nexus-sandbox/" NXV_VERSION, NULL, NULL) != 0 ||
		sip_listen(&ua->requests, ua->sip, true, on_request, ua) != 0 ||
		sip_listen(&ua->responses, ua->sip, false, on_response, ua) != 0 ||
		sip_transp_add(ua->sip, SIP_TRANSP_UDP, &ua->local) != 0 ||
		sip_transp_laddr(ua->sip, &ua->local, SIP_TRANSP_UDP, &ua->proxy) != 0)
		return false;
	if (re_snprintf(ua->hostport, sizeof(ua->hostport), "%J", &ua->local) < 0 ||
		re_snprintf(ua->route_text, sizeof(ua->route_text), "sip:%J;transport=udp", &ua->proxy) < 0)
		return false;
	pl_set_str(&pl, ua->route_text);
	return uri_decode(&ua->route, &pl) == 0;
}

struct sip_ua *sip_ua_open(struct sandbox *sandbox, const char *listen, const char *proxy, char *why, size_t why_len)
{
	struct sip_ua *ua = calloc(1, sizeof(*ua));

	if (!ua) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	ua->sandbox = sandbox;
	if (!parse(listen, &ua->local) || !parse(proxy, &ua->proxy) || !sa_port(&ua->proxy))
		snprintf(why, why_len, "'%s' or '%s' is no \"ADDRESS:PORT\" with a numeric address", listen, proxy);
	else if (!open_stack(ua))
		snprintf(why, why_len, "cannot listen on %s for SIP: free the port, or name another with --sip-listen", listen);
	else
		return ua;
	sip_ua_close(ua);
	return NULL;
}

void sip_ua_close(struct sip_ua *ua)
{
	if (!ua)
		return;
	mem_deref(ua->requests);
	mem_deref(ua->responses);
	if (ua->sip)
		sip_close(ua->sip, true);
	mem_deref(ua->sip);
	free(ua);
}
