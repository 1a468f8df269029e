/* recording_rig.h - a store with one call over Twilio and one without, and a Twilio that answers as told. */
#ifndef NXV_TESTS_RECORDING_RIG_H
#define NXV_TESTS_RECORDING_RIG_H

#include "../fixture.h"
#include "../http/fake_http.h"

#include <nexusvoip/recordings.h>

#include "session/session_row.h"

#define CALL_SID "CA00000000000000000000000000000002"
#define REC(n) "RE0000000000000000000000000000000" #n

static struct fixture f;
static struct fake server;
static struct nxv_error err;

/* An answer of the API; the text lives until the program ends. */
static inline const char *answer(int status, const char *body)
{
	static char texts[64][2048];
	static size_t next;
	char *text = texts[next++ % 64];
	int length = snprintf(text, sizeof(texts[0]), "HTTP/1.1 %d Word\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		status, strlen(body), body);

	assert_in_range(length, 1, sizeof(texts[0]) - 1);
	return text;
}

/* A recording as Twilio tells of it. */
static inline const char *recording_json(const char *sid, const char *status)
{
	static char texts[16][512];
	static size_t next;
	char *text = texts[next++ % 16];

	snprintf(text, sizeof(texts[0]),
		"{\"sid\":\"%s\",\"call_sid\":\"" CALL_SID "\",\"status\":\"%s\",\"channels\":1,\"duration\":%s,"
		"\"date_created\":\"Tue, 14 Nov 2023 22:13:20 +0000\"}",
		sid, status, strcmp(status, "completed") == 0 ? "\"7\"" : "null");
	return text;
}

static inline const char *list_json(const char *first, const char *second)
{
	static char texts[16][1200];
	static size_t next;
	char *text = texts[next++ % 16];

	snprintf(text, sizeof(texts[0]), "{\"recordings\":[%s%s%s],\"next_page_uri\":null}", first ? first : "", second ? "," : "",
		second ? second : "");
	return text;
}

static inline void store_call(const char *id, const char *carrier, nxv_call_status status, const char *sid)
{
	struct session_row row = { .carrier = (char *)carrier, .state = status == NXV_CALL_QUEUED ? CALL_QUEUED : CALL_UP };
	struct db_tx *tx;

	row.pub = (struct nxv_session){ .id = (char *)id, .status = status, .direction = (char *)"outbound-api",
		.from_number = (char *)"+1", .to_number = (char *)"+2", .user_id = (char *)"alice", .sip_domain = (char *)"nexus.test",
		.twilio_call_sid = (char *)sid, .started_at_ms = f.now_ms };
	assert_int_equal(db_begin(f.ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(session_insert(tx, &row, NULL), NXV_OK);
	assert_int_equal(db_commit(tx, NULL), NXV_OK);
}

static inline void rig_open(const struct fake_step *steps, size_t count)
{
	static const char *const env[] = { "NEXUSVOIP_TWILIO_AUTH_TOKEN=token", NULL };
	static char url[128];
	const char *set[] = { "twilio.account_sid=AC00000000000000000000000000000001", url, "http.public_url=https://gw.example.net", NULL };

	err = (struct nxv_error)NXV_ERROR_INIT;
	fake_open(&server, steps, count);
	snprintf(url, sizeof(url), "twilio.base_url=%s", server.url);
	fixture_open(&f, NULL);
	secrets_close(f.ctx.secrets);
	config_free(f.ctx.cfg);
	if (config_load(NULL, false, env, set, &f.ctx.cfg, &err))
		fail_msg("%s", err.message);
	assert_int_equal(secrets_open(&f.ctx.env, f.ctx.db, f.ctx.cfg, f.dir, &f.ctx.secrets, &err), NXV_OK);
	store_call("session_1", "twilio", NXV_CALL_IN_PROGRESS, CALL_SID);
	store_call("session_2", "sip", NXV_CALL_IN_PROGRESS, NULL);
	store_call("session_3", "twilio", NXV_CALL_QUEUED, NULL);
}
#define RIG(...) rig_open((struct fake_step[]){ __VA_ARGS__ }, sizeof((struct fake_step[]){ __VA_ARGS__ }) / sizeof(struct fake_step))

static inline void rig_close(void)
{
	fixture_close(&f);
	fake_close(&server);
}

/* The n-th request, counted from 0, began like this. */
static inline void requested(int n, const char *line)
{
	assert_true(server.requests > n);
	if (strncmp(server.seen[n], line, strlen(line)) != 0)
		fail_msg("%.200s", server.seen[n]);
}

static inline void refused(nxv_status got, nxv_status status, const char *code)
{
	if (got != status || strcmp(err.code, code) != 0)
		fail_msg("%s %s (%s), expected %s", nxv_status_name(got), err.code, err.message, code);
	err = (struct nxv_error)NXV_ERROR_INIT;
}

#endif
