/* test_twilio_leg.c - calls over Twilio that really ring the user's phone: the leg that comes back through our SIP server is the
 * session's own, with no second session and no second slot. */
#include "e2e.h"
#include "twilio_gw.h"

#include <stdio.h>

enum { SOON_MS = 15000 };

static struct sandbox_run sandbox;
static struct user alice;
static const char *server;

static void begin(void)
{
	static bool begun;
	static const char *const settings[] = { "twilio.creates_per_second=100", "calls.ring_seconds=20", "twilio.addresses=127.0.0.1/32",
		NULL };

	if (begun)
		return;
	assert_true(twilio_gw_prepare(&gw, &sandbox, server, "10", true, settings));
	assert_true(gateway_run(&gw) && gateway_sip_start(&gw));
	assert_true(user_make(&gw, "alice", &alice) && user_register(&gw, lab, &alice, 0));
	begun = true;
}

static void expect_one_session(const char *id)
{
	struct nxv_session_list_opts opts = NXV_SESSION_LIST_OPTS_INIT;
	struct nxv_session_page *page = NULL;

	opts.user_id = "alice";
	opts.status = "live";
	assert_int_equal(nxv_session_list(gw.ctx, &opts, &page, NULL), NXV_OK);
	assert_int_equal(page->count, 1);
	assert_string_equal(page->items[0]->id, id);
	nxv_session_page_free(page);
	assert_int_equal(slots_wait(&gw, "alice", 1, 1000), 1);
}

static void the_phone_rings_and_is_the_sessions_own_leg(void)
{
	struct told told;

	begin();
	phone_script(alice.phone, (struct phone_script){ .manner = PHONE_ANSWERS });
	assert_int_equal(twilio_gw_call(&gw, &alice, "+999102", NULL, &told), 201);
	assert_true(api_wait(&gw, &alice, told.id, "in-progress", SOON_MS, &told));
	assert_int_equal(phone_calls_up(alice.phone), 1);
	expect_one_session(told.id);
	assert_int_equal(api_end(&gw, &alice, told.id), 200);
	assert_true(api_wait(&gw, &alice, told.id, "ended", SOON_MS, &told));
	assert_string_equal(told.reason, "ended_by_api");
	for (int i = 0; i < 500 && phone_calls_up(alice.phone); i++)
		nap_ms(10);
	assert_int_equal(phone_calls_up(alice.phone), 0);
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
}

static void a_phone_that_is_busy_ends_the_call(void)
{
	struct told told;

	begin();
	phone_script(alice.phone, (struct phone_script){ .manner = PHONE_REFUSES, .code = 486, .ring_ms = 50 });
	assert_int_equal(twilio_gw_call(&gw, &alice, "+999102", NULL, &told), 201);
	assert_true(api_wait(&gw, &alice, told.id, "ended", SOON_MS, &told));
	assert_string_equal(told.reason, "caller_busy");
}

/* Twilio calls one address; the SIP server rings every phone that is registered with it. */
static void several_phones_ring_and_one_answers(void)
{
	struct phone *other;
	struct told told;
	int n;

	begin();
	other = user_phone(&gw, lab, &alice, 0);
	assert_non_null(other);
	assert_int_equal(phone_register(other, 600), 200);
	n = phone_calls(alice.phone);
	phone_script(alice.phone, (struct phone_script){ .manner = PHONE_RINGS });
	phone_script(other, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 200 });
	assert_int_equal(twilio_gw_call(&gw, &alice, "+999102", NULL, &told), 201);
	assert_true(api_wait(&gw, &alice, told.id, "in-progress", SOON_MS, &told));
	assert_true(phone_wait(alice.phone, n, PHONE_CANCELED, SOON_MS));
	assert_int_equal(phone_calls_up(alice.phone), 0);
	assert_int_equal(phone_calls_up(other), 1);
	expect_one_session(told.id);
	phone_hangup(other, 0);
	assert_true(api_wait(&gw, &alice, told.id, "ended", SOON_MS, &told));
	assert_string_equal(told.reason, "hangup_caller");
	assert_int_equal(phone_register(other, 0), 200);
}

static void the_phone_hangs_up(void)
{
	struct told told;

	begin();
	phone_script(alice.phone, (struct phone_script){ .manner = PHONE_ANSWERS });
	assert_int_equal(twilio_gw_call(&gw, &alice, "+999102", NULL, &told), 201);
	assert_true(api_wait(&gw, &alice, told.id, "in-progress", SOON_MS, &told));
	phone_hangup(alice.phone, phone_calls(alice.phone) - 1);
	assert_true(api_wait(&gw, &alice, told.id, "ended", SOON_MS, &told));
	assert_string_equal(told.status, "completed");
	assert_string_equal(told.reason, "hangup_caller");
	assert_int_equal(gateway_stop(&gw), 0);
	sandbox_stop(&sandbox);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		E2E(the_phone_rings_and_is_the_sessions_own_leg),
		E2E(a_phone_that_is_busy_ends_the_call),
		E2E(several_phones_ring_and_one_answers),
		E2E(the_phone_hangs_up),
	};
	const struct e2e_suite suite = { .name = "Twilio's leg", .tests = tests, .count = sizeof(tests) / sizeof(tests[0]), .seconds = 120,
		.bare = true };

	server = argc > 1 ? argv[1] : "";
	return e2e_main(argc, argv, &suite);
}
