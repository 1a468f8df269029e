/* test_twilio_webhooks.c - webhooks as an attacker, a bad network or a mistaken program sends them: a thousand that are forged,
 * replayed, reordered, stale or malformed change no session, and each is counted. */
#include "e2e.h"
#include "twilio_gw.h"

#include <json-c/json.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <time.h>

enum { SOON_MS = 15000, BAD = 1000 };

static struct sandbox_run sandbox;
static struct user alice;
static const char *server;
static char session[96], sid[64], path[160];

/* One webhook: what it says, and how it is signed. */
struct hook {
	const char *call_sid, *status, *sequence, *token;
	time_t at;
	const char *sign_for;  /* path that the signature is made for; NULL: the one it goes to */
	const char *signature; /* instead of the right one; "": none */
	const char *body;      /* instead of the form; signed as it stands */
};

static void sign(const char *url_path, const struct hook *h, const char *date, char *out)
{
	char data[2048], url[256];
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	int n;

	snprintf(url, sizeof(url), "http://%s%s", gw.listen, url_path);
	n = h->body ? snprintf(data, sizeof(data), "%s", url) :
		      snprintf(data, sizeof(data), "%sCallSid%sCallStatus%sSequenceNumber%sTimestamp%s", url, h->call_sid, h->status,
			      h->sequence, date);
	HMAC(EVP_sha1(), SANDBOX_TOKEN, (int)strlen(SANDBOX_TOKEN), (const unsigned char *)data, (size_t)n, digest, &len);
	EVP_EncodeBlock((unsigned char *)out, digest, (int)len);
}

static int post(const char *to, const struct hook *h)
{
	char date[64], escaped[128] = "", form[1024], signature[64], header[128], token[128], url[256];
	struct http_request request = { .method = "POST", .url = url, .body = form,
		.headers = { "Content-Type: application/x-www-form-urlencoded" } };
	struct http_reply reply;
	struct tm tm;
	size_t n = 0;

	gmtime_r(&h->at, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	for (const char *c = date; *c; c++)
		n += (size_t)snprintf(escaped + n, sizeof(escaped) - n, *c == ' ' ? "%%20" : *c == '+' ? "%%2B" : "%c", *c);
	snprintf(form, sizeof(form), "CallSid=%s&CallStatus=%s&SequenceNumber=%s&Timestamp=%s", h->call_sid, h->status, h->sequence, escaped);
	if (h->body)
		snprintf(form, sizeof(form), "%s", h->body);
	sign(h->sign_for ? h->sign_for : to, h, date, signature);
	snprintf(header, sizeof(header), "X-Twilio-Signature: %s", h->signature ? h->signature : signature);
	if (!h->signature || *h->signature)
		request.headers[1] = header;
	if (h->token) {
		snprintf(token, sizeof(token), "I-Twilio-Idempotency-Token: %s", h->token);
		request.headers[2] = token;
	}
	snprintf(url, sizeof(url), "%s%s", gw.url, to);
	http_send(&request, &reply);
	int status = reply.status;
	http_free(&reply);
	return status;
}

static void begin(void)
{
	static const char *const settings[] = { "twilio.creates_per_second=100", "calls.ring_seconds=20", NULL };
	struct told told;

	if (*session)
		return;
	assert_true(twilio_gw_prepare(&gw, &sandbox, server, "20", false, settings));
	assert_true(gateway_run(&gw) && gateway_sip_start(&gw));
	assert_true(user_make(&gw, "alice", &alice) && user_register(&gw, lab, &alice, 0));
	assert_int_equal(twilio_gw_call(&gw, &alice, "+999102", NULL, &told), 201);
	assert_true(api_wait(&gw, &alice, told.id, "in-progress", SOON_MS, &told));
	snprintf(session, sizeof(session), "%s", told.id);
	snprintf(path, sizeof(path), "/twilio/v1/status/%s", session);
	char show[160];
	snprintf(show, sizeof(show), "/api/v1/opensips/call/%s", session);
	snprintf(sid, sizeof(sid), "%s", json_text(gateway_http(&gw, "GET", show, alice.key, NULL)->json, "session.twilioCallSid"));
	nap_ms(300); /* its last webhooks */
}

static void remember(char *out, size_t size)
{
	struct told told;

	assert_true(api_get(&gw, &alice, session, &told));
	snprintf(out, size, "%s %lld %lld %lld", told.status, (long long)told.seq, (long long)told.answered_ms, (long long)told.ended_ms);
}

static void a_thousand_bad_webhooks_change_nothing_and_are_counted(void)
{
	static const char *const other = "/twilio/v1/status/session_1_nobody";
	static const char *const verdicts[] = { "forged", "stale", "malformed", "unknown", "duplicate", "late" };
	int64_t before[6], after = 0, sum = 0;
	char was[128], is[128];

	begin();
	remember(was, sizeof(was));
	for (int v = 0; v < 6; v++)
		before[v] = twilio_gw_webhooks(&gw, verdicts[v]);
	for (int i = 0; i < BAD; i++) {
		const time_t now = time(NULL);
		struct hook h = { sid, "completed", "9", NULL, now, NULL, NULL, NULL };
		const char *to = path;
		char number[16], random[40];
		int want = 403;

		snprintf(number, sizeof(number), "%d", 10 + i);
		snprintf(random, sizeof(random), "%08dAAAAAAAAAAAAAAAAAAA=", i);
		h.sequence = number;
		switch (i % 12) {
		case 0: h.signature = ""; break;
		case 1: h.signature = random; break;
		case 2: h.sign_for = other; break;                                   /* of another session, replayed here */
		case 3: h.at = now - 7200 - i; break;                                /* signed long ago */
		case 4: h.at = now + 3600; break;
		case 5: h.status = "finished"; want = 400; break;
		case 6: h.call_sid = "CA../x"; want = 400; break;
		case 7: h.sequence = "minus one"; want = 400; break;
		case 8: h.body = ""; want = 400; break;
		case 9: to = other; want = 404; break;                               /* a call that is not here */
		case 10: h.call_sid = "CA00000000000000000000000000000009"; want = 404; break; /* another call on this session */
		case 11: h.sequence = i % 2 ? "1" : "0"; h.status = "ringing"; want = 204; break; /* told before, out of order */
		}
		int got = post(to, &h);
		if (got != want)
			fail_msg("kind %d: %d, expected %d", i % 12, got, want);
	}
	remember(is, sizeof(is));
	assert_string_equal(was, is);
	for (int v = 0; v < 6; v++) {
		after = twilio_gw_webhooks(&gw, verdicts[v]);
		printf("%s %lld, ", verdicts[v], (long long)(after - before[v]));
		sum += after - before[v];
	}
	printf("in all %lld\n", (long long)sum);
	assert_int_equal(sum, BAD);
}

static void events_tell_of_refused_ones_without_filling_the_disk(void)
{
	struct nxv_event_opts opts = NXV_EVENT_OPTS_INIT;
	struct nxv_event_list *list = NULL;
	unsigned told = 0;

	begin();
	opts.subject = "twilio";
	assert_int_equal(nxv_event_pull(gw.ctx, &opts, &list, NULL), NXV_OK);
	for (size_t i = 0; i < list->count; i++)
		told += strcmp(list->items[i]->type, "twilio.webhooks_refused") == 0;
	nxv_event_list_free(list);
	assert_in_range(told, 1, 3);
}

static void a_token_that_came_before_makes_a_duplicate(void)
{
	struct hook h = { sid, "in-progress", "50", "token-1", time(NULL), NULL, NULL, NULL };
	int64_t before;

	begin();
	h.call_sid = sid;
	assert_int_equal(post(path, &h), 204);
	before = twilio_gw_webhooks(&gw, "duplicate");
	h.sequence = "51";
	assert_int_equal(post(path, &h), 204);
	assert_int_equal(twilio_gw_webhooks(&gw, "duplicate"), before + 1);
}

static void one_good_webhook_ends_the_call(void)
{
	struct hook h = { sid, "canceled", "60", NULL, time(NULL), NULL, NULL, NULL };
	struct told told;

	begin();
	assert_int_equal(post(path, &h), 204);
	assert_true(api_wait(&gw, &alice, session, "ended", SOON_MS, &told));
	assert_string_equal(told.reason, "ended_at_carrier");
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
	h.sequence = "61"; /* what comes after the end is taken, and changes nothing */
	h.status = "completed";
	assert_int_equal(post(path, &h), 204);
	assert_true(api_get(&gw, &alice, session, &told));
	assert_string_equal(told.reason, "ended_at_carrier");
	assert_int_equal(gateway_stop(&gw), 0);
	sandbox_stop(&sandbox);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		E2E(a_thousand_bad_webhooks_change_nothing_and_are_counted),
		E2E(events_tell_of_refused_ones_without_filling_the_disk),
		E2E(a_token_that_came_before_makes_a_duplicate),
		E2E(one_good_webhook_ends_the_call),
	};
	const struct e2e_suite suite = { .name = "webhooks", .tests = tests, .count = sizeof(tests) / sizeof(tests[0]), .seconds = 120,
		.bare = true };

	server = argc > 1 ? argv[1] : "";
	return e2e_main(argc, argv, &suite);
}
