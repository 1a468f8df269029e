/* test_limit.c - fifty calls per user, over API calls and dialled ones alike: exactly one of 49 + 2 is refused. */
#include "pair.h"

#include <stdio.h>

enum { BY_API = 49 };

static char ids[BY_API][96];

/* Both phones answer at once and keep every call. */
static void place_by_api(void)
{
	struct told call;
	for (int i = 0; i < BY_API; i++) {
		assert_int_equal(api_initiate(&gw, &alice, bob.username, &call), 201);
		snprintf(ids[i], sizeof(ids[i]), "%s", call.id);
	}
}

static bool wait_up(struct phone *phone, int want)
{
	int64_t deadline = now_ms() + 15000;
	while (phone_calls_up(phone) != want && now_ms() < deadline) {
		nap_ms(10);
	}
	return phone_calls_up(phone) == want;
}

static void forty_nine_by_api_and_two_dialled_are_one_too_many(void)
{
	struct phone_call first, second;
	struct phone *other = user_phone(&gw, lab, &alice, 0); /* another phone of hers: not registered, it only dials */
	pair_reset();
	phone_script(alice.phone, (struct phone_script){ .manner = PHONE_ANSWERS });
	phone_script(bob.phone, (struct phone_script){ .manner = PHONE_ANSWERS });
	place_by_api();
	assert_true(wait_up(bob.phone, BY_API));
	int a = phone_dial(other, bob.username), b = phone_dial(other, bob.username);
	int64_t deadline = now_ms() + SOON_MS;
	do {
		nap_ms(10);
		phone_call(other, a, &first);
		phone_call(other, b, &second);
	} while ((!first.code || !second.code) && now_ms() < deadline);
	assert_int_equal((first.code == 200) + (second.code == 200), 1);
	assert_int_equal(first.code == 200 ? second.code : first.code, 403);
	assert_true(wait_up(bob.phone, BY_API + 1));
	assert_int_equal(slots_wait(&gw, "alice", BY_API + 1, SOON_MS), BY_API + 1);

	struct told call;
	struct http_reply *reply = NULL;
	assert_int_equal(api_initiate(&gw, &alice, bob.username, &call), 429);
	reply = gateway_http(&gw, "GET", "/api/v1/opensips/health", alice.key, NULL);
	assert_int_equal(json_number(reply->json, "activeCalls"), BY_API + 1);

	phone_hangup(other, first.code == 200 ? a : b);
	for (int i = 0; i < BY_API; i++) {
		assert_int_equal(api_end(&gw, &alice, ids[i]), 200);
	}
	assert_true(wait_up(bob.phone, 0));
	assert_true(wait_up(alice.phone, 0));
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
	assert_int_equal(api_initiate(&gw, &alice, bob.username, &call), 201); /* there is room again */
	assert_int_equal(api_end(&gw, &alice, call.id), 200);
	assert_int_equal(slots_wait(&gw, "alice", 0, SOON_MS), 0);
	phone_free(other);
}

static void the_hundred_and_first_request_in_a_minute_is_refused(void)
{
	struct gateway plain;
	static const char *const settings[] = { "limits.requests_per_minute=100", NULL };
	bool up = gateway_prepare(&plain, gw.server, settings) && gateway_run(&plain);
	int ok = 0, refused = 0;
	for (int i = 0; up && i < 105; i++) {
		int status = gateway_http(&plain, "GET", "/api/v1/opensips/health", plain.admin_key, NULL)->status;
		ok += status == 200;
		refused += status == 429;
	}
	struct http_reply *reply = gateway_http(&plain, "GET", "/api/v1/opensips/health", plain.admin_key, NULL);
	char code[40], retry[16];
	snprintf(code, sizeof(code), "%s", json_text(reply->json, "error.code"));
	snprintf(retry, sizeof(retry), "%s", http_header(reply, "Retry-After"));
	gateway_close(&plain);
	assert_true(up);
	assert_int_equal(ok, 100);
	assert_int_equal(refused, 5);
	assert_string_equal(code, "rate_limited");
	assert_in_range(atoi(retry), 1, 60);
}

static const struct CMUnitTest tests[] = {
	E2E(forty_nine_by_api_and_two_dialled_are_one_too_many), E2E(the_hundred_and_first_request_in_a_minute_is_refused),
};

int main(int argc, char **argv)
{
	const struct e2e_suite suite = { "limits", tests, sizeof(tests) / sizeof(tests[0]), NULL, 90, pair_setup, false };
	return e2e_main(argc, argv, &suite);
}
