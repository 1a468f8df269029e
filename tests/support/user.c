/* user.c - users of a gateway under test: their keys, phones and calls. */
#include "gateway.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

bool user_make(struct gateway *gw, const char *id, struct user *out)
{
	char body[256];
	*out = (struct user){ .phone = NULL };
	snprintf(out->id, sizeof(out->id), "%s", id);
	snprintf(body, sizeof(body), "{\"userId\":\"%s\",\"name\":\"test key of %s\",\"permissions\":[\"call\",\"sip\",\"recording\"]}", id, id);
	struct http_reply *reply = gateway_http(gw, "POST", "/api/v1/keys/voip/generate", gw->admin_key, body);
	snprintf(out->key, sizeof(out->key), "%s", json_text(reply->json, "key.key"));
	snprintf(out->key_id, sizeof(out->key_id), "%s", json_text(reply->json, "key.id"));
	snprintf(body, sizeof(body), "{\"userId\":\"%s\"}", id);
	reply = gateway_http(gw, "POST", "/api/v1/opensips/generate-credentials", out->key, body);
	snprintf(out->username, sizeof(out->username), "%s", json_text(reply->json, "credentials.username"));
	snprintf(out->password, sizeof(out->password), "%s", json_text(reply->json, "credentials.password"));
	snprintf(out->credential_id, sizeof(out->credential_id), "%s", json_text(reply->json, "credentials.id"));
	if (!out->key[0] || !out->username[0]) {
		fprintf(stderr, "user %s: %d %s\n", id, reply->status, reply->body);
	}
	return out->key[0] && out->username[0] && out->password[0];
}

struct phone *user_phone(struct gateway *gw, struct lab *lab, struct user *user, double tone_hz)
{
	struct phone_opts opts = { .username = user->username, .password = user->password, .domain = gw->domain, .server = gw->sip,
		.tone_hz = tone_hz };
	return phone_new(lab, &opts);
}

bool user_register(struct gateway *gw, struct lab *lab, struct user *user, double tone_hz)
{
	user->phone = user_phone(gw, lab, user, tone_hz);
	int status = user->phone ? phone_register(user->phone, 600) : 0;
	if (status != 200) {
		fprintf(stderr, "REGISTER of %s: %d\n", user->id, status);
	}
	return status == 200;
}

static void copy(char *to, size_t size, struct json_object *json, const char *path)
{
	snprintf(to, size, "%s", json_text(json, path));
}

void api_read(struct json_object *session, struct told *out)
{
	copy(out->id, sizeof(out->id), session, "sessionId");
	copy(out->status, sizeof(out->status), session, "status");
	copy(out->reason, sizeof(out->reason), session, "endReason");
	copy(out->direction, sizeof(out->direction), session, "direction");
	out->started_ms = json_time_ms(session, "startedAt");
	out->ringing_ms = json_time_ms(session, "ringingAt");
	out->answered_ms = json_time_ms(session, "answeredAt");
	out->ended_ms = json_time_ms(session, "endedAt");
	out->duration_s = json_number(session, "durationSeconds");
	out->seq = json_number(session, "seq");
	out->sip_code = (int)json_number(session, "sipCode");
}

int api_initiate(struct gateway *gw, const struct user *user, const char *to, struct told *out)
{
	char body[256];
	snprintf(body, sizeof(body), "{\"fromNumber\":\"+15550001111\",\"toNumber\":\"%s\",\"useTwilio\":false}", to);
	struct http_reply *reply = gateway_http(gw, "POST", "/api/v1/opensips/call/initiate", user->key, body);
	*out = (struct told){ .http_status = reply->status };
	api_read(json_at(reply->json, "session"), out);
	return reply->status;
}

bool api_get(struct gateway *gw, const struct user *user, const char *id, struct told *out)
{
	char path[160];
	snprintf(path, sizeof(path), "/api/v1/opensips/call/%s", id);
	struct http_reply *reply = gateway_http(gw, "GET", path, user->key, NULL);
	*out = (struct told){ .http_status = reply->status };
	api_read(json_at(reply->json, "session"), out);
	return reply->status == 200;
}

bool api_wait(struct gateway *gw, const struct user *user, const char *id, const char *status, int timeout_ms, struct told *out)
{
	int64_t deadline = now_ms() + timeout_ms;
	for (;;) {
		bool got = api_get(gw, user, id, out);
		if (got && (strcmp(out->status, status) == 0 || (strcmp(status, "ended") == 0 && out->ended_ms != 0))) {
			return true;
		}
		if (now_ms() >= deadline) {
			return false;
		}
		nap_ms(20);
	}
}

int api_end(struct gateway *gw, const struct user *user, const char *id)
{
	char path[160];
	snprintf(path, sizeof(path), "/api/v1/opensips/call/%s/end", id);
	return gateway_http(gw, "POST", path, user->key, NULL)->status;
}

int64_t slots_wait(struct gateway *gw, const char *user_id, int64_t want, int timeout_ms)
{
	int64_t slots = -1, deadline = now_ms() + timeout_ms;
	while (nxv_session_slots(gw->ctx, user_id, &slots, NULL) == NXV_OK && slots != want && now_ms() < deadline) {
		nap_ms(10);
	}
	return slots;
}
