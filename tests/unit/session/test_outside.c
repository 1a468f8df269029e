/* test_outside.c - what the SIP server is told about calls to numbers and from outside. */
#include "base/leg_token.h"
#include "numbers/numbers.h"
#include "policy/policy.h"
#include "stage.h"

#define LEG_KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct sip_answer answer;

static void run(const char *sql)
{
	struct db_tx *tx;

	assert_int_equal(db_begin(st.f.ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(db_script(tx, sql, NULL), NXV_OK);
	assert_int_equal(db_commit(tx, NULL), NXV_OK);
}

static int open_stage(void **state)
{
	static const char *const set[] = { "calls.allow=+1 +44", "calls.country=+44", "limits.user_calls_per_day=3", NULL };
	struct calls_opts opts = { .ports = { NULL, port_carrier, port_registered, port_end_dialog, port_changed }, .ring_ms = RING_MS,
		.max_seconds = MAX_SECONDS, .call_limit = 50, .domain = "nexus.test", .alive_path = "/dev/null", .leg_key = LEG_KEY };

	(void)state;
	st = (struct stage){ .carrier = { &fake_ops }, .a_contacts = 1, .b_contacts = 1 };
	fixture_open(&st.f, set);
	assert_int_equal(loop_open(&st.loop, NULL), NXV_OK);
	opts.env = &st.f.ctx.env;
	opts.loop = st.loop;
	opts.db = st.f.ctx.db;
	opts.cfg = st.f.ctx.cfg;
	assert_int_equal(calls_open(&opts, &st.calls, NULL), NXV_OK);
	run("INSERT INTO credential (id, user_id, username, domain, ha1_md5, ha1_sha256, ha1_sha512t256, created_at_ms) VALUES "
		"('c1', 'bob', 'user_9', 'nexus.test', '', '', '', 1), ('c2', 'bob', 'user_8', 'nexus.test', '', '', '', 2)");
	assert_int_equal(nxv_caller_add(&st.f.ctx, "alice", "+15550100", NULL), NXV_OK);
	assert_int_equal(nxv_number_add(&st.f.ctx, "+15550199", "bob", NULL), NXV_OK);
	return 0;
}

static void ask(int from, const char *call_id, const char *dialled, const char *owner, const char *token)
{
	const struct sip_ask a = { .from = from, .call_id = call_id, .caller = from == SIP_ASK_PHONE ? "user_1" : "+12025550100",
		.dialled = dialled, .owner = owner, .token = token };

	memset(&answer, 0x5a, sizeof(answer));
	calls_answer(st.calls, &a, &answer);
}

static void failed(const char *call_id, int code, const char *reason)
{
	const struct calls_report r = { .kind = REPORT_FAILED, .call_id = call_id, .session = "", .leg = "", .owner = "alice",
		.from_user = "user_1", .to_user = "", .who = "", .contact = "", .reason = reason, .code = code, .at_ms = st.f.now_ms };

	calls_report(st.calls, &r);
}

static struct nxv_session *newest(void)
{
	struct nxv_session_page *list;
	struct nxv_session *s;

	assert_int_equal(nxv_session_list(&st.f.ctx, NULL, &list, NULL), NXV_OK);
	assert_true(list->count > 0);
	assert_int_equal(nxv_session_get(&st.f.ctx, list->items[0]->id, &s, NULL), NXV_OK);
	nxv_session_page_free(list);
	return s;
}

static void phone_may_try_again_with_its_call_id(void **state)
{
	(void)state;
	ask(SIP_ASK_PHONE, "call-1", "0012025550123", "alice", "");
	assert_int_equal(answer.code, 0);
	failed("call-1", 422, "Session Interval Too Small");
	ask(SIP_ASK_PHONE, "call-1", "0012025550123", "alice", "");
	assert_int_equal(answer.code, 0);
	assert_int_equal(fixture_count(&st.f, "SELECT count(*) FROM session"), 2);
	assert_int_equal(calls_count(st.calls), 1);
}

static void dialled_number_is_let_through_and_is_a_session(void **state)
{
	struct nxv_session *s;
	int64_t slots = 0;

	(void)state;
	ask(SIP_ASK_PHONE, "call-1", "0044 20", "alice", "");
	assert_int_equal(answer.code, 0);
	st.f.now_ms += 1000;
	ask(SIP_ASK_PHONE, "call-2", "0012025550123", "alice", "");
	assert_int_equal(answer.code, 0);
	assert_string_equal(answer.number, "+12025550123");
	assert_string_equal(answer.caller_id, "+15550100");
	s = newest();
	assert_string_equal(s->to_number, "+12025550123");
	assert_string_equal(s->direction, "outbound-dial");
	assert_string_equal(s->user_id, "alice");
	nxv_session_free(s);
	nxv_session_slots(&st.f.ctx, "alice", &slots, NULL);
	assert_int_equal(slots, 2);
	ask(SIP_ASK_PHONE, "call-3", "02079460000", "alice", "");
	assert_string_equal(answer.number, "+442079460000");
}

static void refused_number_is_a_session_that_ends_so(void **state)
{
	static const struct { const char *dialled; int code; const char *reason, *end; } cases[] = {
		{ "+33145550123", 403, "Destination Not Allowed", "not_allowed" }, { "+19005550123", 403, "Destination Not Allowed", "not_allowed" },
		{ "112", 403, "Emergency Calls Not Allowed", "not_allowed" }, { "999", 403, "Emergency Calls Not Allowed", "not_allowed" },
		{ "0999", 403, "Emergency Calls Not Allowed", "not_allowed" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nxv_session *s;

		st.f.now_ms += 1000;
		ask(SIP_ASK_PHONE, cases[i].dialled, cases[i].dialled, "alice", "");
		assert_int_equal(answer.code, cases[i].code);
		assert_string_equal(answer.reason, cases[i].reason);
		failed(cases[i].dialled, answer.code, answer.reason);
		s = newest();
		assert_string_equal(s->end_reason, cases[i].end);
		nxv_session_free(s);
	}
}

static void frozen_capped_and_callerless_calls_are_refused(void **state)
{
	(void)state;
	ask(SIP_ASK_PHONE, "call-1", "+12025550123", "carol", "");
	assert_string_equal(answer.reason, "Caller ID Not Allowed");
	assert_int_equal(nxv_calls_freeze(&st.f.ctx, "test", NULL), NXV_OK);
	ask(SIP_ASK_PHONE, "call-2", "+12025550123", "alice", "");
	assert_int_equal(answer.code, 503);
	assert_non_null(strstr(answer.reason, "Not Allowed"));
	failed("call-2", answer.code, answer.reason);
	assert_int_equal(nxv_calls_thaw(&st.f.ctx, NULL), NXV_OK);
	for (int i = 0; i < 3; i++) {
		char id[24];

		snprintf(id, sizeof(id), "many-%d", i);
		ask(SIP_ASK_PHONE, id, "+12025550123", "alice", "");
		assert_int_equal(answer.code, 0);
	}
	ask(SIP_ASK_PHONE, "many-3", "+12025550123", "alice", "");
	assert_int_equal(answer.code, 403);
	failed("many-3", answer.code, answer.reason);
}

static void call_from_the_trunk_rings_the_numbers_user(void **state)
{
	struct nxv_session *s;

	(void)state;
	ask(SIP_ASK_TRUNK, "in-1", "15550199", "", "");
	assert_int_equal(answer.code, 0);
	assert_string_equal(answer.owner, "bob");
	assert_string_equal(answer.targets, "user_9,user_8");
	assert_int_equal(answer.limit, 50);
	assert_string_equal(answer.session, "");
	s = newest();
	assert_string_equal(s->direction, "inbound");
	assert_string_equal(s->from_number, "+12025550100");
	assert_string_equal(s->to_number, "+15550199");
	nxv_session_free(s);
	ask(SIP_ASK_TRUNK, "in-2", "+15550198", "", "");
	assert_int_equal(answer.code, 404);
	ask(SIP_ASK_TRUNK, "in-1", "+15550199", "", ""); /* the same call again: it went round */
	assert_int_equal(answer.code, 482);
	assert_int_equal(nxv_number_remove(&st.f.ctx, "+15550199", NULL), NXV_OK);
	ask(SIP_ASK_TRUNK, "in-3", "+15550199", "", "");
	assert_int_equal(answer.code, 404);
}

static void user_without_a_credential_cannot_be_rung(void **state)
{
	(void)state;
	assert_int_equal(nxv_number_add(&st.f.ctx, "+15550197", "nobody", NULL), NXV_OK);
	ask(SIP_ASK_TRUNK, "in-1", "+15550197", "", "");
	assert_int_equal(answer.code, 480);
}

static void twilios_leg_joins_the_live_session_of_its_token(void **state)
{
	char token[LEG_TOKEN_MAX], other[LEG_TOKEN_MAX];

	(void)state;
	place();
	assert_true(leg_token_make(LEG_KEY, "session_1", 'a', token, sizeof(token)));
	assert_true(leg_token_make(LEG_KEY, "session_2", 'a', other, sizeof(other)));
	ask(SIP_ASK_TWILIO, "t-1", "user_2", "", token);
	assert_int_equal(answer.code, 0);
	assert_string_equal(answer.session, "session_1");
	assert_string_equal(answer.leg, "a");
	assert_string_equal(answer.owner, "alice");
	assert_string_equal(answer.targets, "user_1,user_2");
	ask(SIP_ASK_TWILIO, "t-2", "user_9", "", token); /* not a phone of this call's user */
	assert_int_equal(answer.code, 403);
	ask(SIP_ASK_TWILIO, "t-3", "user_1", "", other); /* no such call */
	assert_int_equal(answer.code, 403);
	token[strlen(token) - 1] ^= 1;
	ask(SIP_ASK_TWILIO, "t-4", "user_1", "", token);
	assert_int_equal(answer.code, 403);
	ask(SIP_ASK_TWILIO, "t-5", "user_1", "", "");
	assert_int_equal(answer.code, 403);
}

static void number_has_one_user_at_a_time(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_number_list *list;

	(void)state;
	assert_int_equal(nxv_number_add(&st.f.ctx, "+15550199", "bob", &err), NXV_OK);
	assert_int_equal(nxv_number_add(&st.f.ctx, "+15550199", "alice", &err), NXV_E_CONFLICT);
	assert_string_equal(err.code, "number_taken");
	assert_int_equal(nxv_number_add(&st.f.ctx, "15550199", "alice", &err), NXV_E_INVALID);
	assert_int_equal(nxv_number_list(&st.f.ctx, "alice", &list, &err), NXV_OK);
	assert_int_equal(list->count, 0);
	nxv_number_list_free(list);
	assert_int_equal(nxv_number_list(&st.f.ctx, NULL, &list, &err), NXV_OK);
	assert_int_equal(list->count, 1);
	assert_string_equal(list->items[0].user_id, "bob");
	nxv_number_list_free(list);
	assert_int_equal(nxv_number_remove(&st.f.ctx, "+15550111", &err), NXV_E_NOT_FOUND);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, open_stage, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(dialled_number_is_let_through_and_is_a_session),
		CASE(phone_may_try_again_with_its_call_id), CASE(refused_number_is_a_session_that_ends_so),
		CASE(frozen_capped_and_callerless_calls_are_refused), CASE(call_from_the_trunk_rings_the_numbers_user),
		CASE(user_without_a_credential_cannot_be_rung), CASE(twilios_leg_joins_the_live_session_of_its_token),
		CASE(number_has_one_user_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
