/* twilio_rig.h - a client of Twilio's API against a server that misbehaves as told. */
#ifndef NXV_TESTS_TWILIO_RIG_H
#define NXV_TESTS_TWILIO_RIG_H

#include <nexusvoip/twilio.h>

#include "../http/fake_http.h"

#define ACCOUNT "AC00000000000000000000000000000001"
#define CALL_SID "CA00000000000000000000000000000002"
#define REC_SID "RE00000000000000000000000000000003"
#define TOKEN "tokensecret0123456789"

static struct fake server;
static nxv_twilio *twilio;
static struct nxv_error err;

/* An answer with its length; the text lives until the program ends. */
static inline const char *answer(int status, const char *more, const char *body)
{
	static char texts[32][4096];
	static size_t next;
	char *text = texts[next++ % 32];

	snprintf(text, sizeof(texts[0]), "HTTP/1.1 %d Word\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s", status, more,
		strlen(body), body);
	return text;
}

static inline void rig_open(const struct fake_step *steps, size_t count)
{
	struct nxv_twilio_opts opts = NXV_TWILIO_OPTS_INIT;

	err = (struct nxv_error)NXV_ERROR_INIT;
	fake_open(&server, steps, count);
	opts.account_sid = ACCOUNT;
	opts.auth_token = TOKEN;
	opts.base_url = server.url;
	opts.first_byte_timeout_ms = 300;
	opts.total_timeout_ms = 1500;
	opts.max_answer_bytes = 4096;
	if (nxv_twilio_open(&opts, &twilio, &err))
		fail_msg("%s", err.message);
}
#define RIG(...) rig_open((struct fake_step[]){ __VA_ARGS__ }, sizeof((struct fake_step[]){ __VA_ARGS__ }) / sizeof(struct fake_step))

static inline void rig_close(void)
{
	nxv_twilio_close(twilio);
	fake_close(&server);
}

/* The n-th request, counted from 0, began like this and had this body (nullable). */
static inline void requested(int n, const char *line, const char *body)
{
	assert_true(server.requests > n);
	if (strncmp(server.seen[n], line, strlen(line)) != 0)
		fail_msg("%.200s", server.seen[n]);
	if (body)
		assert_string_equal(strstr(server.seen[n], "\r\n\r\n") + 4, body);
}

#endif
