/* router.c - the one table of routes, and the search in it. */
#include "router.h"

#include <stdio.h>
#include <string.h>

#include "routes/routes.h"
#include "text.h"

enum { ANY = 0, CALL = NXV_PERM_CALL, SIP = NXV_PERM_SIP, RECORDING = NXV_PERM_RECORDING, ADMIN = NXV_PERM_ADMIN };

/* method, pattern, permissions, flags, body, query, handler */
static const struct route routes[] = {
	{ "POST", "/api/v1/keys/voip/generate", ADMIN, ROUTE_CREATES, NXV_BODY_KEY, "", key_generate },
	{ "GET", "/api/v1/keys", ANY, 0, NXV_BODY_NONE, "userId limit cursor", key_list },
	{ "POST", "/api/v1/keys/:id/toggle", ADMIN, 0, NXV_BODY_NONE, "", key_toggle },
	{ "POST", "/api/v1/keys/:id/rotate", ADMIN, ROUTE_CREATES, NXV_BODY_KEY_ROTATE, "", key_rotate },
	{ "PATCH", "/api/v1/keys/:id", ADMIN, 0, NXV_BODY_KEY_PATCH, "", key_patch },
	{ "DELETE", "/api/v1/keys/:id", ADMIN, 0, NXV_BODY_NONE, "", key_delete },

	{ "POST", "/api/v1/opensips/start", SIP, 0, NXV_BODY_NONE, "", sip_start },
	{ "GET", "/api/v1/opensips/health", ANY, 0, NXV_BODY_NONE, "", sip_health },
	{ "GET", "/api/v1/opensips/registrations", SIP, 0, NXV_BODY_NONE, "userId", sip_registrations },
	{ "DELETE", "/api/v1/opensips/registrations/:username", SIP, 0, NXV_BODY_NONE, "contact", sip_kick },
	{ "POST", "/api/v1/opensips/generate-credentials", SIP, ROUTE_CREATES, NXV_BODY_CREDENTIAL, "",
	        credential_generate },
	{ "GET", "/api/v1/opensips/credentials", SIP, 0, NXV_BODY_NONE, "userId limit cursor", credential_list },
	{ "DELETE", "/api/v1/opensips/credentials/:id", SIP, 0, NXV_BODY_NONE, "", credential_revoke },

	{ "POST", "/api/v1/opensips/call/initiate", CALL, ROUTE_CREATES, NXV_BODY_CALL, "", call_initiate },
	{ "GET", "/api/v1/opensips/call/:sessionId", CALL, 0, NXV_BODY_NONE, "", call_show },
	{ "POST", "/api/v1/opensips/call/:sessionId/end", CALL, 0, NXV_BODY_NONE, "", call_end },
	{ "GET", "/api/v1/opensips/calls", CALL, 0, NXV_BODY_NONE, "userId status since until limit cursor format",
	        call_list },

	{ "POST", "/api/v1/opensips/call/:sessionId/recording", RECORDING, ROUTE_CREATES, NXV_BODY_RECORDING, "", recording_control },
	{ "GET", "/api/v1/opensips/call/:sessionId/recordings", RECORDING, 0, NXV_BODY_NONE, "", recording_list },
	{ "GET", "/api/v1/recordings/:id/media", RECORDING, 0, NXV_BODY_NONE, "format", recording_media },
	{ "DELETE", "/api/v1/recordings/:id", RECORDING, 0, NXV_BODY_NONE, "", recording_delete },

	{ "GET", "/api/v1/usage", ANY, 0, NXV_BODY_NONE, "userId keyId sessionId since until limit cursor", usage_list },

	{ "POST", "/twilio/v1/status/:sessionId", ANY, ROUTE_OPEN | ROUTE_ANY_QUERY | ROUTE_RAW, NXV_BODY_NONE, "", twilio_status },
	{ "POST", "/twilio/v1/recording/:sessionId", ANY, ROUTE_OPEN | ROUTE_ANY_QUERY | ROUTE_RAW, NXV_BODY_NONE, "", twilio_recording },

	{ "GET", "/livez", ANY, ROUTE_OPEN | ROUTE_ANY_QUERY, NXV_BODY_NONE, "", meta_live },
	{ "GET", "/readyz", ANY, ROUTE_OPEN | ROUTE_ANY_QUERY, NXV_BODY_NONE, "", meta_ready },
	{ "GET", "/metrics", ANY, ROUTE_OPEN | ROUTE_ANY_QUERY, NXV_BODY_NONE, "", meta_metrics },
	{ "GET", "/openapi.json", ANY, ROUTE_OPEN | ROUTE_ANY_QUERY, NXV_BODY_NONE, "", meta_openapi },
};
enum { ROUTES = sizeof(routes) / sizeof(routes[0]) };

const struct route *router_at(size_t index)
{
	return index < ROUTES ? &routes[index] : NULL;
}

size_t router_index(const struct route *route)
{
	return (size_t)(route - routes);
}

/* Does path fit the pattern? A parameter is one segment, not empty; param takes it. */
static bool fits(const char *pattern, const char *path, char *param, size_t room)
{
	const char *colon = strchr(pattern, ':');
	size_t before, len;

	if (!colon)
		return strcmp(pattern, path) == 0;
	before = (size_t)(colon - pattern);
	if (strncmp(pattern, path, before) != 0)
		return false;
	path += before;
	len = strcspn(path, "/");
	if (len == 0 || len >= room || strcmp(colon + strcspn(colon, "/"), path + len) != 0)
		return false;
	memcpy(param, path, len);
	param[len] = '\0';
	return text_unescape(param, false);
}

static void allow(struct route_match *out, const char *method)
{
	size_t len = strlen(out->allow);

	snprintf(out->allow + len, sizeof(out->allow) - len, "%s%s", len ? ", " : "", method);
}

/* A path that is written out in the table never counts as somebody's parameter. */
static void search(const char *method, const char *path, bool literal, struct route_match *out)
{
	bool head = strcmp(method, "HEAD") == 0;

	for (size_t i = 0; i < ROUTES; i++) {
		if (literal != !strchr(routes[i].pattern, ':') ||
		        !fits(routes[i].pattern, path, out->param, sizeof(out->param)))
			continue;
		allow(out, routes[i].method);
		if (strcmp(routes[i].method, "GET") == 0)
			allow(out, "HEAD");
		if (strcmp(routes[i].method, head ? "GET" : method) == 0)
			out->route = &routes[i];
	}
	if (out->allow[0])
		allow(out, "OPTIONS");
}

void router_find(const char *method, const char *path, struct route_match *out)
{
	*out = (struct route_match){ 0 };
	search(method, path, true, out);
	if (!out->allow[0])
		search(method, path, false, out);
}
