/* test_originator_restore.c - the gateway dies in a call and a new one takes it up from what was stored: the phones
 * notice nothing. And texts that are none. */
#include "test_originator_peer.h"

#define SDP_HOLD                                                                                                       \
	"v=0\r\no=alice 1 3 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 "           \
	"101\r\na=sendonly\r\n"
#define SDP_HELD                                                                                                       \
	"v=0\r\no=bob 7 8 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0 "             \
	"101\r\na=recvonly\r\n"

static char listen_text[32];

/* The old one goes without a word (close() has none for joined calls), a new one sits down at its address. */
static void do_crash(void *arg)
{
	struct rig *rig = arg;

	rig->carrier->ops->close(rig->carrier);
	rig->carrier = NULL;
	rig_tell(rig, originator_open(&rig->opts, &rig->carrier, &rig->err));
}

static void do_restore(void *arg)
{
	struct rig *rig = arg;

	rig_tell(rig, rig->carrier->ops->restore(rig->carrier, "session_1_x", rig->restoring, &rig->err));
}

static void do_save(void *arg)
{
	rig_keep(arg, "session_1_x", false);
	rig_tell(arg, NXV_OK);
}

static void crash(struct rig *rig)
{
	snprintf(listen_text, sizeof(listen_text), "127.0.0.1:%d", ntohs(rig->originator.sin_port));
	rig->opts.listen = listen_text;
	assert_int_equal(loop_post(rig->loop, do_crash, rig), NXV_OK);
	if (rig_wait(rig) != NXV_OK)
		fail_msg("originator: %s", rig->err.message);
}

static nxv_status restore(struct rig *rig, const char *text)
{
	rig->restoring = text;
	assert_int_equal(loop_post(rig->loop, do_restore, rig), NXV_OK);
	return rig_wait(rig);
}

/* What the store would hold; [owned]. */
static char *saved(struct rig *rig)
{
	char *text;

	assert_int_equal(loop_post(rig->loop, do_save, rig), NXV_OK);
	assert_int_equal(rig_wait(rig), NXV_OK);
	pthread_mutex_lock(&rig->lock);
	text = rig->kept ? strdup(rig->kept) : NULL;
	pthread_mutex_unlock(&rig->lock);
	assert_non_null(text);
	return text;
}

static void crash_and_restore(struct rig *rig)
{
	char *text = saved(rig);

	crash(rig);
	if (restore(rig, text) != NXV_OK)
		fail_msg("restore: %s", rig->err.message);
	free(text);
	expect_silence(rig, 50);
}

static unsigned cseq_of(const char *text)
{
	char value[64];

	return (unsigned)atoi(header(text, "CSeq", value, sizeof(value)));
}

static void hang_up(struct rig *rig)
{
	assert_int_equal(rig_end(rig, "session_1_x"), NXV_OK);
	take_bye(rig, "tb");
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
	expect_no_event(rig, 20);
}

static void hold(struct rig *rig, struct phone *from, const char *to)
{
	char start[64];

	snprintf(start, sizeof(start), "INVITE sip:%s@127.0.0.1:6000 SIP/2.0", to);
	phone_request(rig, from, "INVITE", ++from->cseq, NULL, SDP_HOLD);
	expect(rig, start);
	assert_true(has_line(rig->in.text, "a=sendonly"));
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_HELD);
	expect(rig, "ACK ");
	expect(rig, "SIP/2.0 200");
	assert_true(has_line(rig->in.text, "a=recvonly"));
	phone_ack(rig, from, NULL);
	expect_silence(rig, 700);
}

static void either_phone_holds_after_a_crash(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	crash_and_restore(rig);
	hold(rig, &a, "tb");
	hold(rig, &b, "ta");
	hang_up(rig);
}

static void session_goes_on_with_its_identity_and_a_later_number(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	char before[512], now[512];
	unsigned first;

	join(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_HOLD);
	expect(rig, "INVITE sip:tb@");
	header(rig->in.text, "From", before, sizeof(before));
	first = cseq_of(rig->in.text);
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_HELD);
	expect(rig, "ACK ");
	expect(rig, "SIP/2.0 200");
	phone_ack(rig, &a, NULL);
	crash_and_restore(rig);
	crash_and_restore(rig);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_A_ON);
	expect(rig, "INVITE sip:tb@127.0.0.1:6000 SIP/2.0");
	assert_string_equal(header(rig->in.text, "From", now, sizeof(now)), before);
	assert_true(has_line(rig->in.text, "Call-ID: session_1_x-b"));
	assert_non_null(strstr(header(rig->in.text, "To", now, sizeof(now)), ";tag=tb"));
	assert_non_null(
	        strstr(rig->in.text, "\r\nRoute: <sip:127.0.0.1:7002;lr>\r\nRoute: <sip:127.0.0.1:7001;lr>\r\n"));
	assert_true(cseq_of(rig->in.text) > first + 1000);
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_B);
	expect(rig, "ACK ");
	expect(rig, "SIP/2.0 200");
	phone_ack(rig, &a, NULL);
	hang_up(rig);
}

static void session_refresh_is_answered_after_a_crash(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	crash_and_restore(rig);
	phone_request(
	        rig, &a, "INVITE", ++a.cseq, "Supported: timer\r\nSession-Expires: 300;refresher=uac\r\n", SDP_A_ON);
	expect(rig, "SIP/2.0 200");
	assert_true(has_line(rig->in.text, "Session-Expires: 300;refresher=uac"));
	assert_true(has_line(rig->in.text, "m=audio 5000 RTP/AVP 0 101"));
	phone_ack(rig, &a, NULL);
	phone_request(rig, &b, "UPDATE", ++b.cseq, "Session-Expires: 300;refresher=uac\r\n", NULL);
	expect(rig, "SIP/2.0 200");
	hang_up(rig);
}

static void our_own_refresh_that_came_due_meanwhile_is_made(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	char *text, *at;

	join(rig, &a, &b);
	text = saved(rig);
	crash(rig);
	at = strstr(text, "refresh-at 13:1");
	assert_non_null(at);
	at[strlen("refresh-at 13:")] = '0'; /* long ago */
	assert_int_equal(restore(rig, text), NXV_OK);
	free(text);
	expect(rig, "UPDATE sip:ta@");
	answer_to(rig, rig->in.text, "200 OK", NULL, "Session-Expires: 1800;refresher=uac\r\n", NULL);
	hang_up(rig);
}

static void hangup_of_a_phone_after_a_crash_ends_both(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	crash_and_restore(rig);
	phone_request(rig, &b, "BYE", ++b.cseq, NULL, NULL);
	expect(rig, "SIP/2.0 200");
	expect_event(rig, CARRIER_B_HANGUP, 0);
	take_bye(rig, "ta");
	expect_event(rig, CARRIER_DOWN, 0);
	expect_no_event(rig, 20);
}

static void request_older_than_the_crash_is_refused(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;

	join(rig, &a, &b);
	phone_request(rig, &a, "OPTIONS", a.cseq += 10, NULL, NULL);
	expect(rig, "SIP/2.0 200");
	crash_and_restore(rig);
	phone_request(rig, &a, "OPTIONS", a.cseq - 5, NULL, NULL);
	expect(rig, "SIP/2.0 500");
	hang_up(rig);
}

/* B's answer was acknowledged and stored, A never got it. */
static void call_not_joined_yet_is_joined_after_the_crash(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	char *text;

	ring_b(rig, &a, &b);
	phone_answer(rig, &b, "200 OK", SDP_B);
	expect(rig, "ACK sip:tb@");
	expect_event(rig, CARRIER_B_ANSWERED, 200);
	expect(rig, "INVITE sip:ta@");
	text = saved(rig);
	crash(rig);
	while (receive(rig, 100)) /* an orderly close ends what is not joined: a dead one would not have */
		;
	assert_int_equal(restore(rig, text), NXV_OK);
	free(text);
	expect(rig, "INVITE sip:ta@127.0.0.1:6000 SIP/2.0");
	assert_true(has_line(rig->in.text, "m=audio 5000 RTP/AVP 0 101"));
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_A_ON);
	expect(rig, "ACK sip:ta@");
	expect(rig, "INVITE sip:tb@"); /* what B was told last, nobody knows for sure */
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_B);
	expect(rig, "ACK sip:tb@");
	expect_event(rig, CARRIER_JOINED, 0);
	hang_up(rig);
}

static void answer_that_the_crash_left_without_ack_gets_it(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	static struct msg offer;
	char *text;

	join(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_HOLD);
	expect(rig, "INVITE sip:tb@");
	offer = rig->in;
	pthread_mutex_lock(&rig->lock);
	assert_int_equal(rig->promises, 1); /* stored before it was sent */
	text = strdup(rig->kept);
	pthread_mutex_unlock(&rig->lock);
	assert_non_null(strstr(text, "settled 1:0\n"));
	crash(rig);
	assert_int_equal(restore(rig, text), NXV_OK);
	free(text);
	answer_to(rig, offer.text, "200 OK", NULL, NULL, SDP_HELD);
	expect(rig, "ACK sip:tb@");
	assert_int_equal(cseq_of(rig->in.text), cseq_of(offer.text));
	/* A repeats its request, and nobody has to join the two again. */
	phone_request(rig, &a, "INVITE", a.cseq, NULL, SDP_HOLD);
	expect(rig, "INVITE sip:tb@");
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_HELD);
	expect(rig, "ACK sip:tb@");
	expect(rig, "SIP/2.0 200");
	phone_ack(rig, &a, NULL);
	expect_silence(rig, 5000);
	expect_no_event(rig, 0);
	hang_up(rig);
}

static void hold_that_the_crash_broke_off_is_settled_by_asking_both(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	char *text;

	join(rig, &a, &b);
	phone_request(rig, &a, "INVITE", ++a.cseq, NULL, SDP_HOLD);
	expect(rig, "INVITE sip:tb@");
	text = saved(rig);
	crash(rig);
	assert_int_equal(restore(rig, text), NXV_OK);
	free(text);
	expect_silence(rig, 2500);
	assert_true(receive(rig, 3000));
	assert_int_equal(strncmp(rig->in.text, "INVITE sip:ta@", 14), 0);
	answer_to(rig, rig->in.text, "500 Server Internal Error", NULL, "Retry-After: 1\r\n",
	        NULL); /* not done with the old one */
	expect(rig, "ACK sip:ta@");
	assert_true(receive(rig, 5000));
	assert_int_equal(strncmp(rig->in.text, "INVITE sip:ta@", 14), 0);
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_A_ON);
	expect(rig, "ACK sip:ta@");
	expect(rig, "INVITE sip:tb@");
	assert_true(has_line(rig->in.text, "a=sendrecv"));
	answer_to(rig, rig->in.text, "200 OK", NULL, NULL, SDP_B);
	expect(rig, "ACK sip:tb@");
	expect_no_event(rig, 100); /* JOINED was told already */
	hang_up(rig);
}

static void text_holds_no_secret_and_is_bounded(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	char *text;

	join(rig, &a, &b);
	text = saved(rig);
	assert_null(strstr(text, HA1_MD5));
	assert_null(strstr(text, "X-Nexus"));
	assert_true(strlen(text) < 8192);
	free(text);
	hang_up(rig);
	assert_int_equal(loop_post(rig->loop, do_save, rig), NXV_OK);
	assert_int_equal(rig_wait(rig), NXV_OK);
	assert_null(rig->kept); /* what has ended needs nothing */
}

static void same_call_is_not_taken_up_twice(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	char *text;

	join(rig, &a, &b);
	text = saved(rig);
	assert_int_equal(restore(rig, text), NXV_E_CONFLICT);
	free(text);
	hang_up(rig);
}

static void call_of_another_address_is_refused(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	char *text;

	join(rig, &a, &b);
	text = saved(rig);
	crash(rig);
	strstr(text, "127.0.0.1:")[8] = '2';
	assert_int_equal(restore(rig, text), NXV_E_CONFLICT);
	assert_non_null(strstr(rig->err.message, "127.0.0.2"));
	free(text);
}

/* Cut off anywhere, with any byte changed to some others: refused, or taken up as a call that can be ended. */
static void damaged_texts_are_refused_and_never_crash(void **state)
{
	struct rig *rig = *state;
	struct phone a, b;
	char *text, *copy;
	size_t len;

	join(rig, &a, &b);
	text = saved(rig);
	crash(rig);
	len = strlen(text);
	copy = malloc(len + 2);
	assert_non_null(copy);
	for (size_t i = 0; i < len; i++) {
		memcpy(copy, text, i);
		copy[i] = '\0';
		assert_int_equal(restore(rig, copy), NXV_E_INVALID);
	}
	snprintf(copy, len + 2, "%sx", text);
	assert_int_equal(restore(rig, copy), NXV_E_INVALID);
	for (size_t i = 0; i < len; i++) {
		memcpy(copy, text, len + 1);
		copy[i] = '\n';
		if (restore(rig, copy) == NXV_OK)
			crash(rig);
		memcpy(copy, text, len + 1);
		copy[i] = '9';
		if (restore(rig, copy) == NXV_OK)
			crash(rig);
	}
	free(copy);
	free(text);
}

static void lines_smuggled_into_headers_are_refused(void **state)
{
	static const struct {
		const char *field, *value;
	} cases[] = { { "target", "sip:x@y\r\nEvil: 1" }, { "from", "<sip:x>\r\nEvil: 1" }, { "routes", "Evil: 1\r\n" },
		{ "routes", "Route: <sip:x>" }, { "routes", "Route: <sip:x>\r\n\r\n" }, { "local-tag", "a b" },
		{ "local-tag", "" }, { "told", "" }, { "heard", "v=0\r\n" }, { "local-seq", "4294967295" },
		{ "local-seq", "-1" }, { "interval", "1e9" }, { "refresher", "2" },
		{ "sdp-id", "99999999999999999999" }, { "local-tag", NULL } };
	struct rig *rig = *state;
	struct phone a, b;
	char *text, name[32], *at, *end;
	static char copy[MSG_MAX];

	join(rig, &a, &b);
	text = saved(rig);
	crash(rig);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(name, sizeof(name), "\n%s ", cases[i].field);
		at = strstr(text, name);
		assert_non_null(at);
		at += strlen(name);
		end = strchr(at, ':') + 1 + atoi(at);
		if (cases[i].value)
			snprintf(copy, sizeof(copy), "%.*s%zu:%s%s", (int)(at - text), text, strlen(cases[i].value),
			        cases[i].value, end);
		else
			snprintf(copy, sizeof(copy), "%.*s18446744073709551615:%s", (int)(at - text), text, end);
		if (restore(rig, copy) != NXV_E_INVALID)
			fail_msg("%s was taken", cases[i].field);
	}
	assert_int_equal(restore(rig, ""), NXV_E_INVALID);
	assert_int_equal(restore(rig, "nexusvoip-call 2\n"), NXV_E_INVALID);
	assert_int_equal(restore(rig, text), NXV_OK); /* the one that is whole still is */
	free(text);
	hang_up(rig);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(either_phone_holds_after_a_crash),
		ON(session_goes_on_with_its_identity_and_a_later_number),
		ON(session_refresh_is_answered_after_a_crash),
		ON(our_own_refresh_that_came_due_meanwhile_is_made),
		ON(hangup_of_a_phone_after_a_crash_ends_both),
		ON(request_older_than_the_crash_is_refused),
		ON(call_not_joined_yet_is_joined_after_the_crash),
		ON(answer_that_the_crash_left_without_ack_gets_it),
		ON(hold_that_the_crash_broke_off_is_settled_by_asking_both),
		ON(text_holds_no_secret_and_is_bounded),
		ON(same_call_is_not_taken_up_twice),
		ON(call_of_another_address_is_refused),
		ON(damaged_texts_are_refused_and_never_crash),
		ON(lines_smuggled_into_headers_are_refused),
	};

	return cmocka_run_group_tests_name("originator_restore", tests, NULL, NULL);
}
