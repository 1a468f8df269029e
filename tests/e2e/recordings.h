/* recordings.h - a gateway whose calls over Twilio are recorded, and the requests for that; of test_recordings.c. */
#ifndef TEST_E2E_RECORDINGS_H
#define TEST_E2E_RECORDINGS_H

#include "e2e.h"
#include "twilio_gw.h"

#include <json-c/json.h>
#include <stdio.h>

enum { SOON_MS = 15000 };
#define FORBIDDEN "forbidden"

static struct sandbox_run sandbox;
static struct user alice, bob;
static const char *server;

static inline void begin(void)
{
	static bool begun;

	if (!begun) {
		static const char *const settings[] = { "twilio.creates_per_second=100", "calls.ring_seconds=20", NULL };
		assert_true(twilio_gw_prepare(&gw, &sandbox, server, "20", false, settings));
		assert_true(gateway_run(&gw) && gateway_sip_start(&gw));
		assert_true(user_make(&gw, "alice", &alice) && user_register(&gw, lab, &alice, 0));
		assert_true(user_make(&gw, "bob", &bob));
		setenv("NEXUSVOIP_TWILIO_AUTH_TOKEN", SANDBOX_TOKEN, 1); /* for nexusctl, too */
		begun = true;
	}
	assert_true(sandbox_no_faults(&sandbox));
}

/* A call over Twilio that is up, and stays so. */
static inline void call_up(char id[96])
{
	struct told told;

	assert_int_equal(twilio_gw_call(&gw, &alice, "+999102", NULL, &told), 201);
	if (!api_wait(&gw, &alice, told.id, "in-progress", SOON_MS, &told))
		fail_msg("the call is %s (%s)", told.status, told.reason);
	snprintf(id, 96, "%s", told.id);
}

static inline struct http_reply *control(const struct user *user, const char *call, const char *action)
{
	char path[192], body[64];

	snprintf(path, sizeof(path), "/api/v1/opensips/call/%s/recording", call);
	snprintf(body, sizeof(body), "{\"action\":\"%s\"}", action);
	return gateway_http(&gw, "POST", path, user->key, body);
}

static inline void refused(const struct http_reply *reply, int status, const char *code)
{
	if (reply->status != status || strcmp(json_text(reply->json, "error.code"), code) != 0)
		fail_msg("%d %s, expected %d %s", reply->status, reply->body, status, code);
}

static inline void now_is(const struct http_reply *reply, const char *status)
{
	if (reply->status != 200 || strcmp(json_text(reply->json, "recording.status"), status) != 0)
		fail_msg("%d %s, expected %s", reply->status, reply->body, status);
}

static inline struct http_reply *list(const struct user *user, const char *call)
{
	char path[192];

	snprintf(path, sizeof(path), "/api/v1/opensips/call/%s/recordings", call);
	return gateway_http(&gw, "GET", path, user->key, NULL);
}

static inline struct http_reply *delete(const struct user *user, const char *id)
{
	char path[96];

	snprintf(path, sizeof(path), "/api/v1/recordings/%s", id);
	return gateway_http(&gw, "DELETE", path, user->key, NULL);
}

#endif
