/* test_originator_auth.c - digest answers against the vectors of RFC 7616, and challenges met during a call. */
#include "test_originator_peer.h"

#include "base/digest.h"
#include "sip/originator/auth.h"

#define NONCE "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define OPAQUE "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
#define CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define CHALLENGE(algorithm, rest)                                                                                     \
	"WWW-Authenticate: Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=" algorithm       \
	", nonce=\"" NONCE "\", opaque=\"" OPAQUE "\"" rest "\r\n"

static char mufasa_md5[33], mufasa_sha256[65];
static struct auth_user mufasa = {
	.username = "Mufasa", .realm = "http-auth@example.org", .ha1_md5 = mufasa_md5, .ha1_sha256 = mufasa_sha256
};

/* A 401 with these header lines. */
static struct sip_msg *refusal(const char *headers)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct sip_msg *msg = NULL;

	(void)mbuf_printf(mb,
		"SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bKx\r\nFrom: "
		"<sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
		"Call-ID: x\r\nCSeq: 1 INVITE\r\n%sContent-Length: 0\r\n\r\n",
		headers);
	mb->pos = 0;
	assert_int_equal(sip_msg_decode(&msg, mb), 0);
	mem_deref(mb);
	return msg;
}

static nxv_status learn(struct auth *auth, const char *headers, struct nxv_error *err)
{
	struct sip_msg *msg = refusal(headers);
	bool stale;
	nxv_status st = auth_learn(auth, &mufasa, msg, &stale, err);

	mem_deref(msg);
	return st;
}

static void check_answer(const char *headers, const char *wanted)
{
	struct auth auth = { 0 };
	struct buf b = BUF_INIT;

	assert_int_equal(learn(&auth, headers, NULL), NXV_OK);
	assert_int_equal(auth_answer(&auth, &mufasa, "GET", "/dir/index.html", CNONCE, &b, NULL), NXV_OK);
	if (!strstr(b.data, wanted))
		fail_msg("%s not in %s", wanted, b.data);
	assert_non_null(strstr(b.data, "opaque=\"" OPAQUE "\""));
	assert_non_null(strstr(b.data, "qop=auth, nc=00000001"));
	assert_null(strstr(b.data, mufasa_md5));
	buf_free(&b);
}

static void md5_answer_is_that_of_rfc_7616(void **state)
{
	(void)state;
	check_answer(CHALLENGE("MD5", ""), "response=\"8ca523f5e9506fed4657c9700eebdbec\", algorithm=MD5");
}

static void sha256_answer_is_that_of_rfc_7616(void **state)
{
	(void)state;
	check_answer(CHALLENGE("SHA-256", ""),
		"response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\", algorithm=SHA-256");
}

static void first_challenge_that_can_be_answered_wins(void **state)
{
	(void)state;
	check_answer(CHALLENGE("SHA-512-256", "") CHALLENGE("SHA-256", "") CHALLENGE("MD5", ""), "algorithm=SHA-256");
}

static void count_rises_with_each_use_of_a_nonce(void **state)
{
	struct auth auth = { 0 };
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(learn(&auth, CHALLENGE("MD5", ""), NULL), NXV_OK);
	assert_int_equal(auth_answer(&auth, &mufasa, "GET", "/", CNONCE, &b, NULL), NXV_OK);
	assert_int_equal(learn(&auth, CHALLENGE("MD5", ""), NULL), NXV_OK);
	assert_int_equal(auth_answer(&auth, &mufasa, "GET", "/", CNONCE, &b, NULL), NXV_OK);
	assert_non_null(strstr(b.data, "nc=00000002"));
	buf_free(&b);
}

static void other_algorithms_are_refused_by_name(void **state)
{
	struct auth auth = { 0 };
	struct nxv_error err = NXV_ERROR_INIT;

	(void)state;
	assert_int_equal(learn(&auth, CHALLENGE("SHA-512-256", ""), &err), NXV_E_UNSUPPORTED);
	assert_non_null(strstr(err.message, "SHA-512-256"));
	assert_int_equal(learn(&auth, "WWW-Authenticate: Basic realm=\"x\"\r\n", &err), NXV_E_UNSUPPORTED);
	assert_int_equal(learn(&auth, "", &err), NXV_E_UNSUPPORTED);
	assert_int_equal(
		learn(&auth,
			"WWW-Authenticate: Digest realm=\"http-auth@example.org\", nonce=\"n\", qop=\"auth-int\"\r\n",
			&err),
		NXV_E_UNSUPPORTED);
}

static void another_realm_is_refused_by_name(void **state)
{
	struct auth auth = { 0 };
	struct nxv_error err = NXV_ERROR_INIT;

	(void)state;
	assert_int_equal(
		learn(&auth, "WWW-Authenticate: Digest realm=\"elsewhere\", nonce=\"n\"\r\n", &err), NXV_E_DENIED);
	assert_non_null(strstr(err.message, "elsewhere"));
}

static void challenge_without_qop_gets_the_short_answer(void **state)
{
	struct auth auth = { 0 };
	struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(
		learn(&auth, "WWW-Authenticate: Digest realm=\"http-auth@example.org\", nonce=\"n\"\r\n", NULL),
		NXV_OK);
	assert_int_equal(auth_answer(&auth, &mufasa, "GET", "/dir/index.html", CNONCE, &b, NULL), NXV_OK);
	assert_null(strstr(b.data, "qop"));
	assert_null(strstr(b.data, "cnonce"));
	buf_free(&b);
}

/* ---- in a call */

static char gateway_md5[33], gateway_sha256[65];

static int rig_setup_digest(void **state)
{
	struct rig *rig = rig_open();

	assert_true(digest_hex(DIGEST_MD5, "gateway:nexus.test:secret", 25, gateway_md5));
	assert_true(digest_hex(DIGEST_SHA256, "gateway:nexus.test:secret", 25, gateway_sha256));
	rig->opts.ha1_md5 = gateway_md5;
	rig->opts.ha1_sha256 = gateway_sha256;
	rig_start(rig);
	*state = rig;
	return 0;
}

static void part(const char *line, const char *name, char *out, size_t size)
{
	const char *p = strstr(line, name);

	assert_non_null(p);
	p += strlen(name);
	snprintf(out, size, "%.*s", (int)strcspn(p, "\","), p);
}

/* What the server computes, from the answer's own words. */
static void check_response(const char *request, enum digest_kind kind, const char *ha1)
{
	char line[1024], uri[128], nonce[128], nc[16], cnonce[64], got[80], ha2[80], wanted[80], text[512];

	header(request, "Proxy-Authorization", line, sizeof(line));
	part(line, "uri=\"", uri, sizeof(uri));
	part(line, "nonce=\"", nonce, sizeof(nonce));
	part(line, "nc=", nc, sizeof(nc));
	part(line, "cnonce=\"", cnonce, sizeof(cnonce));
	part(line, "response=\"", got, sizeof(got));
	snprintf(text, sizeof(text), "INVITE:%s", uri);
	assert_true(digest_hex(kind, text, strlen(text), ha2));
	snprintf(text, sizeof(text), "%s:%s:%s:%s:auth:%s", ha1, nonce, nc, cnonce, ha2);
	assert_true(digest_hex(kind, text, strlen(text), wanted));
	assert_string_equal(got, wanted);
}

static void challenge(struct rig *rig, struct phone *a, const char *algorithm, const char *nonce, const char *more)
{
	char line[256];

	snprintf(line, sizeof(line),
		"Proxy-Authenticate: Digest realm=\"nexus.test\", nonce=\"%s\", algorithm=%s, qop=\"auth\"%s\r\n",
		nonce, algorithm, more);
	answer_to(rig, rig->in.text, "407 Proxy Authentication Required", "px", line, NULL);
	expect(rig, "ACK sip:user_1@");
	phone_take(rig, a, "sip:user_1@nexus.test", "ta");
}

static void challenged_call_goes_on(struct rig *rig, const char *algorithm, enum digest_kind kind, const char *ha1)
{
	struct phone a;
	char cseq[32];

	assert_int_equal(rig_place(rig, &call_s1), NXV_OK);
	expect(rig, "INVITE sip:user_1@");
	assert_null(strstr(rig->in.text, "Authorization"));
	challenge(rig, &a, algorithm, "abc", "");
	assert_string_equal(header(a.invite.text, "CSeq", cseq, sizeof(cseq)), "2 INVITE");
	assert_true(has_line(a.invite.text, "X-Nexus-Leg: a"));
	check_response(a.invite.text, kind, ha1);
	phone_answer(rig, &a, "486 Busy Here", NULL);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_A_FAILED, 486);
	expect_event(rig, CARRIER_DOWN, 0);
}

static void md5_challenge_is_answered(void **state)
{
	challenged_call_goes_on(*state, "MD5", DIGEST_MD5, gateway_md5);
}

static void sha256_challenge_is_answered(void **state)
{
	challenged_call_goes_on(*state, "SHA-256", DIGEST_SHA256, gateway_sha256);
}

static void stale_nonce_is_tried_again_and_a_wrong_password_is_not(void **state)
{
	struct rig *rig = *state;
	struct phone a;

	assert_int_equal(rig_place(rig, &call_s1), NXV_OK);
	expect(rig, "INVITE sip:user_1@");
	challenge(rig, &a, "MD5", "one", "");
	rig->in = a.invite;
	challenge(rig, &a, "MD5", "two", ", stale=true");
	answer_to(rig, a.invite.text, "407 Proxy Authentication Required", "px",
		"Proxy-Authenticate: Digest realm=\"nexus.test\", nonce=\"three\", qop=\"auth\"\r\n", NULL);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_A_FAILED, 407);
	expect_event(rig, CARRIER_DOWN, 0);
	expect_silence(rig, 50);
}

static void unanswerable_challenge_fails_the_call(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_place(rig, &call_s1), NXV_OK);
	expect(rig, "INVITE sip:user_1@");
	answer_to(rig, rig->in.text, "407 Proxy Authentication Required", "px",
		"Proxy-Authenticate: Digest realm=\"nexus.test\", nonce=\"n\", algorithm=SHA-512-256, qop=\"auth\"\r\n",
		NULL);
	expect(rig, "ACK ");
	expect_event(rig, CARRIER_A_FAILED, 407);
	expect_event(rig, CARRIER_DOWN, 0);
}

static int compute_vectors(void **state)
{
	static const char text[] = "Mufasa:http-auth@example.org:Circle of Life";

	(void)state;
	return digest_hex(DIGEST_MD5, text, strlen(text), mufasa_md5) &&
				digest_hex(DIGEST_SHA256, text, strlen(text), mufasa_sha256)
			? 0
			: -1;
}

#define ON(test) cmocka_unit_test_setup_teardown(test, rig_setup_digest, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md5_answer_is_that_of_rfc_7616),
		cmocka_unit_test(sha256_answer_is_that_of_rfc_7616),
		cmocka_unit_test(first_challenge_that_can_be_answered_wins),
		cmocka_unit_test(count_rises_with_each_use_of_a_nonce),
		cmocka_unit_test(other_algorithms_are_refused_by_name),
		cmocka_unit_test(another_realm_is_refused_by_name),
		cmocka_unit_test(challenge_without_qop_gets_the_short_answer),
		ON(md5_challenge_is_answered),
		ON(sha256_challenge_is_answered),
		ON(stale_nonce_is_tried_again_and_a_wrong_password_is_not),
		ON(unanswerable_challenge_fails_the_call),
	};

	return cmocka_run_group_tests_name("originator_auth", tests, compute_vectors, NULL);
}
