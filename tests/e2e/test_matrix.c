/* test_matrix.c - who may do what: every route with every permission, for own and other users' things, and with keys that
 * are missing, disabled, expired or deleted. Generated from one list, which must equal nexusd's own. */
#include "pair.h"

#include <stdio.h>

/* Which bits open a route; the words are those of `nexusd --routes`. */
struct way {
	const char *method, *pattern, *permission;
	const char *own;    /* path with an id of the key's own user; the pattern when NULL */
	const char *others; /* path or query that names another user's thing; NULL: there is none */
	const char *body, *others_body;
	int others_status;  /* for a key without admin */
};

static char own_call[160], others_call[160], own_call_end[160], others_call_end[160], own_credential[160], others_credential[160];
static char own_recording[160], others_recording[160], own_recordings[160], others_recordings[160];
static char own_phone[160], others_phone[160];
static struct phone *phones[2];
static char own_key_path[160], key_toggle_path[160], key_rotate_path[160];

#define CALLS "/api/v1/opensips/call"
static const struct way ways[] = {
	{ "POST", "/api/v1/keys/voip/generate", "admin", NULL, NULL, "{\"userId\":\"anna\",\"name\":\"n\",\"permissions\":[\"call\"]}", NULL, 0 },
	{ "GET", "/api/v1/keys", "any", "/api/v1/keys?userId=anna", "/api/v1/keys?userId=ben", NULL, NULL, 403 },
	{ "POST", "/api/v1/keys/:id/toggle", "admin", key_toggle_path, NULL, NULL, NULL, 0 },
	{ "POST", "/api/v1/keys/:id/rotate", "admin", key_rotate_path, NULL, NULL, NULL, 0 },
	{ "PATCH", "/api/v1/keys/:id", "admin", own_key_path, NULL, "{\"active\":true}", NULL, 0 },
	{ "DELETE", "/api/v1/keys/:id", "admin", own_key_path, NULL, NULL, NULL, 0 },
	{ "POST", "/api/v1/opensips/start", "sip", NULL, NULL, NULL, NULL, 0 },
	{ "GET", "/api/v1/opensips/health", "any", NULL, NULL, NULL, NULL, 0 },
	{ "GET", "/api/v1/opensips/registrations", "sip", "/api/v1/opensips/registrations?userId=anna",
		"/api/v1/opensips/registrations?userId=ben", NULL, NULL, 403 },
	{ "DELETE", "/api/v1/opensips/registrations/:username", "sip", own_phone, others_phone, NULL, NULL, 404 },
	{ "POST", "/api/v1/opensips/generate-credentials", "sip", NULL, "/api/v1/opensips/generate-credentials", "{\"userId\":\"anna\"}",
		"{\"userId\":\"ben\"}", 403 },
	{ "GET", "/api/v1/opensips/credentials", "sip", "/api/v1/opensips/credentials?userId=anna",
		"/api/v1/opensips/credentials?userId=ben", NULL, NULL, 403 },
	{ "DELETE", "/api/v1/opensips/credentials/:id", "sip", own_credential, others_credential, NULL, NULL, 404 },
	{ "POST", CALLS "/initiate", "call", NULL, NULL, "{\"fromNumber\":\"+1555\",\"toNumber\":\"user_1\",\"useTwilio\":false}", NULL, 0 },
	{ "GET", CALLS "/:sessionId", "call", own_call, others_call, NULL, NULL, 404 },
	{ "POST", CALLS "/:sessionId/end", "call", own_call_end, others_call_end, NULL, NULL, 404 },
	{ "GET", "/api/v1/opensips/calls", "call", "/api/v1/opensips/calls?userId=anna", "/api/v1/opensips/calls?userId=ben", NULL, NULL, 403 },
	{ "POST", CALLS "/:sessionId/recording", "recording", own_recording, others_recording, "{\"action\":\"start\"}", NULL, 404 },
	{ "GET", CALLS "/:sessionId/recordings", "recording", own_recordings, others_recordings, NULL, NULL, 404 },
	{ "GET", "/api/v1/recordings/:id/media", "recording", "/api/v1/recordings/RE0123456789abcdef0123456789abcdef/media", NULL, NULL, NULL, 0 },
	{ "DELETE", "/api/v1/recordings/:id", "recording", "/api/v1/recordings/RE0123456789abcdef0123456789abcdef", NULL, NULL, NULL, 0 },
	{ "GET", "/api/v1/usage", "any", "/api/v1/usage?userId=anna", "/api/v1/usage?userId=ben", NULL, NULL, 403 },
	{ "GET", "/livez", "open", NULL, NULL, NULL, NULL, 0 },
	{ "GET", "/readyz", "open", NULL, NULL, NULL, NULL, 0 },
	{ "GET", "/metrics", "open", NULL, NULL, NULL, NULL, 0 },
	{ "GET", "/openapi.json", "open", NULL, NULL, NULL, NULL, 0 },
};
enum { WAYS = sizeof(ways) / sizeof(ways[0]), SETS = 16 };

static char keys[SETS][160]; /* by permission bits; [0] is unused */
static unsigned checked;

static bool make_key(const char *user, unsigned permissions, int64_t expires_ms, char *secret, char *id)
{
	struct nxv_key_opts opts = NXV_KEY_OPTS_INIT;
	struct nxv_key *key = NULL;
	opts.user_id = user;
	opts.name = "matrix";
	opts.permissions = permissions;
	opts.expires_at_ms = expires_ms;
	bool ok = nxv_key_create(gw.ctx, &opts, &key, NULL) == NXV_OK;
	if (ok && secret) {
		snprintf(secret, 160, "%s", key->secret);
	}
	if (ok && id) {
		snprintf(id, 64, "%s", key->id);
	}
	nxv_key_free(key);
	return ok;
}

/* A phone of the user that can register, and the way to its registration. */
static struct phone *make_phone(struct json_object *credentials, char *path)
{
	struct phone_opts opts = { .username = json_text(credentials, "credentials.username"),
		.password = json_text(credentials, "credentials.password"), .domain = gw.domain, .server = gw.sip };
	snprintf(path, 160, "/api/v1/opensips/registrations/%s", opts.username);
	return phone_new(lab, &opts);
}

/* A call of the user that ended at once, for want of a phone. */
static bool make_call(const char *user, const char *key, char *path, struct phone **phone, char *phone_path)
{
	char body[160];
	struct http_reply *reply = NULL;
	snprintf(body, sizeof(body), "{\"userId\":\"%s\"}", user);
	reply = gateway_http(&gw, "POST", "/api/v1/opensips/generate-credentials", key, body);
	*phone = make_phone(reply->json, phone_path);
	snprintf(body, sizeof(body), "{\"fromNumber\":\"+1555\",\"toNumber\":\"%s\",\"useTwilio\":false}", user);
	reply = gateway_http(&gw, "POST", CALLS "/initiate", key, body);
	if (reply->status != 409) {
		fprintf(stderr, "%d %s\n", reply->status, reply->body);
		return false;
	}
	reply = gateway_http(&gw, "GET", "/api/v1/opensips/calls?limit=1", key, NULL);
	snprintf(path, 160, CALLS "/%s", json_text(reply->json, "calls.0.sessionId"));
	return json_text(reply->json, "calls.0.sessionId")[0] != '\0';
}

static bool setup(void)
{
	char ben[160];
	bool ok = make_key("ben", NXV_PERM_CALL | NXV_PERM_SIP, 0, ben, NULL);
	for (unsigned bits = 1; ok && bits < SETS; bits++) {
		ok = make_key("anna", bits, 0, keys[bits], NULL);
	}
	ok = ok && make_call("anna", keys[3], own_call, &phones[0], own_phone) &&
		make_call("ben", ben, others_call, &phones[1], others_phone);
	snprintf(own_call_end, sizeof(own_call_end), "%.150s/end", own_call);
	snprintf(others_call_end, sizeof(others_call_end), "%.150s/end", others_call);
	snprintf(own_recording, sizeof(own_recording), "%.140s/recording", own_call);
	snprintf(others_recording, sizeof(others_recording), "%.140s/recording", others_call);
	snprintf(own_recordings, sizeof(own_recordings), "%.140s/recordings", own_call);
	snprintf(others_recordings, sizeof(others_recordings), "%.140s/recordings", others_call);
	return ok;
}

/* Things that a request may use up are made anew for each. */
static void fresh_things(const struct way *way)
{
	char id[64];
	const struct {
		const char *user;
		char *path;
	} credentials[] = { { "anna", own_credential }, { "ben", others_credential } };
	for (size_t i = 0; way->own == own_phone && i < 2; i++) {
		assert_int_equal(phone_register(phones[i], 60), 200);
	}
	assert_true(make_key("anna", NXV_PERM_CALL, 0, NULL, id));
	snprintf(own_key_path, sizeof(own_key_path), "/api/v1/keys/%s", id);
	snprintf(key_toggle_path, sizeof(key_toggle_path), "/api/v1/keys/%s/toggle", id);
	snprintf(key_rotate_path, sizeof(key_rotate_path), "/api/v1/keys/%s/rotate", id);
	for (size_t i = 0; i < 2; i++) {
		struct nxv_credential_opts opts = NXV_CREDENTIAL_OPTS_INIT;
		struct nxv_credential *credential = NULL;
		opts.user_id = credentials[i].user;
		assert_int_equal(nxv_credential_create(gw.ctx, &opts, &credential, NULL), NXV_OK);
		snprintf(credentials[i].path, 160, "/api/v1/opensips/credentials/%s", credential->id);
		nxv_credential_free(credential);
	}
}

static unsigned bits_of(const char *permission)
{
	unsigned bits = 0;
	return strcmp(permission, "any") != 0 && nxv_permissions_parse(permission, &bits, NULL) == NXV_OK ? bits : 0;
}

static int ask(const struct way *way, const char *path, const char *body, const char *key)
{
	checked++;
	return gateway_http(&gw, way->method, path, key, body)->status;
}

/* Calls here are not Twilio's, so none can be recorded, and no recording is there: whoever may is told just that. */
static int told_instead(const struct way *way)
{
	if (strcmp(way->permission, "recording") != 0) {
		return 0;
	}
	return way->others ? 501 : 404;
}

static bool went_through(const struct way *way, int status)
{
	if (told_instead(way)) {
		return status == told_instead(way);
	}
	return status != 0 && status != 401 && status != 403 && status != 404 && status < 500;
}

static void every_route_with_every_set_of_permissions(void)
{
	for (size_t i = 0; i < WAYS; i++) {
		const struct way *way = &ways[i];
		unsigned needs = bits_of(way->permission);
		bool open = strcmp(way->permission, "open") == 0;
		for (unsigned bits = 1; bits < SETS; bits++) {
			fresh_things(way);
			int status = ask(way, way->own ? way->own : way->pattern, way->body, keys[bits]);
			bool may = open || needs == 0 || (bits & needs);
			if (may ? !went_through(way, status) : status != 403) {
				fail_msg("%s %s with permissions %u: %d", way->method, way->pattern, bits, status);
			}
		}
	}
}

static void another_users_things_are_out_of_reach_but_for_admin(void)
{
	for (size_t i = 0; i < WAYS; i++) {
		const struct way *way = &ways[i];
		unsigned needs = bits_of(way->permission);
		for (unsigned bits = 1; way->others && bits < SETS; bits++) {
			if (needs && !(bits & needs)) {
				continue;
			}
			fresh_things(way);
			int status = ask(way, way->others, way->others_body ? way->others_body : way->body, keys[bits]);
			bool admin = bits & NXV_PERM_ADMIN;
			bool reached = told_instead(way) ? status == told_instead(way) : status >= 200 && status <= 299;
			if (admin ? !reached : status != way->others_status) {
				fail_msg("%s %s with permissions %u: %d", way->method, way->others, bits, status);
			}
		}
	}
}

static void keys_that_are_no_longer_good_open_nothing(void)
{
	enum { MISSING, DISABLED, EXPIRED, DELETED, KINDS };
	static const char *const kinds[] = { "no key", "a disabled key", "an expired key", "a deleted key" };
	char bad[KINDS][160] = { "" }, id[KINDS][64];
	int64_t expiry = utc_ms() + 300;
	assert_true(make_key("anna", 15, 0, bad[DISABLED], id[DISABLED]));
	assert_true(make_key("anna", 15, expiry, bad[EXPIRED], id[EXPIRED]));
	assert_true(make_key("anna", 15, 0, bad[DELETED], id[DELETED]));
	assert_int_equal(nxv_key_set_active(gw.ctx, id[DISABLED], false, NULL, NULL), NXV_OK);
	assert_int_equal(nxv_key_delete(gw.ctx, id[DELETED], NULL), NXV_OK);
	while (utc_ms() <= expiry) {
		nap_ms(20);
	}
	for (size_t i = 0; i < WAYS; i++) {
		bool open = strcmp(ways[i].permission, "open") == 0;
		for (int kind = 0; kind < KINDS; kind++) {
			fresh_things(&ways[i]);
			int status = ask(&ways[i], ways[i].own ? ways[i].own : ways[i].pattern, ways[i].body, kind == MISSING ? NULL : bad[kind]);
			if (open ? status != 200 : status != 401) {
				fail_msg("%s %s with %s: %d", ways[i].method, ways[i].pattern, kinds[kind], status);
			}
		}
	}
}

static void the_list_is_the_servers_own(void)
{
	const char *const argv[] = { NEXUSD_PATH, "--routes", NULL };
	char *out = NULL;
	assert_int_equal(proc_run(argv, &out, NULL, 5000), 0);
	size_t lines = 0;
	for (const char *p = out; (p = strchr(p, '\n')); p++) {
		lines += strncmp(p - strlen(" signed"), " signed", strlen(" signed")) != 0; /* Twilio's, which no key opens */
	}
	for (size_t i = 0; i < WAYS; i++) {
		char line[160];
		snprintf(line, sizeof(line), "%s %s %s\n", ways[i].method, ways[i].pattern, ways[i].permission);
		if (!strstr(out, line)) {
			fail_msg("nexusd has no route %s", line);
		}
	}
	free(out);
	assert_int_equal(lines, WAYS);
	print_message("%u requests checked\n", checked);
}

static const struct CMUnitTest tests[] = {
	E2E(every_route_with_every_set_of_permissions), E2E(another_users_things_are_out_of_reach_but_for_admin),
	E2E(keys_that_are_no_longer_good_open_nothing), E2E(the_list_is_the_servers_own),
};

int main(int argc, char **argv)
{
	const struct e2e_suite suite = { "permissions", tests, sizeof(tests) / sizeof(tests[0]), NULL, 90, setup, false };
	return e2e_main(argc, argv, &suite);
}
