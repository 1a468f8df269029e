/* pair.c - alice and bob. */
#include "pair.h"

#include <stdio.h>

struct user alice, bob;

static bool setup(double a_hz, double b_hz)
{
	return user_make(&gw, "alice", &alice) && user_make(&gw, "bob", &bob) && user_register(&gw, lab, &alice, a_hz) &&
		user_register(&gw, lab, &bob, b_hz);
}

bool pair_setup(void)
{
	return setup(0, 0);
}

bool pair_setup_with_tones(void)
{
	return setup(440, 1000);
}

/* The newest call before the case began: what a phone dials after it is another one. */
static struct told newest_before;

static void newest_call(struct told *call)
{
	struct http_reply *reply = gateway_http(&gw, "GET", "/api/v1/opensips/calls?limit=1", alice.key, NULL);
	*call = (struct told){ .http_status = 0 };
	if (json_at(reply->json, "calls.0"))
		api_read(json_at(reply->json, "calls.0"), call);
}

void pair_reset(void)
{
	newest_call(&newest_before);
	struct phone_script answers = { .manner = PHONE_ANSWERS, .ring_ms = 100 };
	struct user *both[] = { &alice, &bob };
	for (size_t i = 0; i < 2; i++) {
		phone_forget(both[i]->phone);
		phone_script(both[i]->phone, answers);
	}
}

void pair_start(struct told *call)
{
	int status = api_initiate(&gw, &alice, bob.username, call);
	assert_int_equal(status, 201);
	assert_string_not_equal(call->id, "");
}

void pair_joined(const struct told *call)
{
	struct nxv_event_opts opts = NXV_EVENT_OPTS_INIT;
	int64_t deadline = now_ms() + SOON_MS;
	bool joined = false;
	opts.subject = call->id;
	opts.limit = 1000;
	while (!joined && now_ms() < deadline) {
		struct nxv_event_list *list = NULL;
		assert_int_equal(nxv_event_pull(gw.ctx, &opts, &list, NULL), NXV_OK);
		for (size_t i = 0; i < list->count; i++) {
			joined = joined || strcmp(list->items[i]->type, "call.joined") == 0;
		}
		nxv_event_list_free(list);
		nap_ms(joined ? 0 : 5);
	}
	assert_true(joined);
}

void pair_talk(struct told *call)
{
	pair_start(call);
	assert_true(phone_wait(alice.phone, 0, PHONE_JOINED, SOON_MS));
	assert_true(phone_wait(bob.phone, 0, PHONE_ACKED, SOON_MS));
	assert_true(api_wait(&gw, &alice, call->id, "in-progress", SOON_MS, call));
	assert_string_equal(call->reason, "");
	pair_joined(call);
}

/* The API's times against the phones': when the caller's phone first rang, when the callee answered, when it was over. */
static void check_times(const struct told *call)
{
	struct phone_call a, b;
	bool have_a = phone_call(alice.phone, 0, &a), have_b = phone_call(bob.phone, 0, &b);
	bool dialled = strcmp(call->direction, "outbound-dial") == 0;
	const struct phone_call *rang = dialled ? &b : &a;
	if ((dialled ? have_b : have_a) && rang->at_us[PHONE_RINGING]) {
		assert_near(call->ringing_ms, rang->at_us[PHONE_RINGING] / 1000, SLACK_MS);
	}
	bool answered = have_b && b.at_us[PHONE_ANSWERED] && strcmp(call->status, "completed") == 0;
	if (answered) {
		assert_near(call->answered_ms, b.at_us[PHONE_ANSWERED] / 1000, SLACK_MS);
		assert_in_range(call->duration_s * 1000, 0, call->ended_ms - call->answered_ms);
		assert_in_range(call->ended_ms - call->answered_ms, call->duration_s * 1000, call->duration_s * 1000 + 999);
	} else if (strcmp(call->status, "completed") != 0) {
		assert_int_equal(call->answered_ms, 0);
	}
	int64_t over = have_a ? a.at_us[PHONE_ENDED] : 0;
	over = have_b && b.at_us[PHONE_ENDED] && (!over || b.at_us[PHONE_ENDED] < over) ? b.at_us[PHONE_ENDED] : over;
	if (over) {
		assert_near(call->ended_ms, over / 1000, SLACK_MS);
	}
}

static void check_events(const struct told *call)
{
	struct nxv_event_opts opts = NXV_EVENT_OPTS_INIT;
	struct nxv_event_list *list = NULL;
	char last[64];
	opts.subject = call->id;
	opts.limit = 1000;
	assert_int_equal(nxv_event_pull(gw.ctx, &opts, &list, NULL), NXV_OK);
	assert_true(list->count >= 2);
	assert_string_equal(list->items[0]->type, "call.queued");
	for (size_t i = 1; i < list->count; i++) {
		assert_true(list->items[i]->seq > list->items[i - 1]->seq);
		assert_true(list->items[i]->at_ms >= list->items[i - 1]->at_ms);
	}
	snprintf(last, sizeof(last), "call.%s", call->status);
	assert_string_equal(list->items[list->count - 1]->type, last);
	assert_int_equal(list->items[list->count - 1]->seq, call->seq);
	nxv_event_list_free(list);
}

static void wait_until_quiet(struct phone *phone)
{
	int64_t deadline = now_ms() + SOON_MS;
	while (phone_calls_up(phone) > 0 && now_ms() < deadline) {
		nap_ms(5);
	}
	assert_int_equal(phone_calls_up(phone), 0);
}

void pair_after(struct told *call)
{
	wait_until_quiet(alice.phone);
	wait_until_quiet(bob.phone);
	assert_int_equal(slots_wait(&gw, alice.id, 0, 2000), 0);
	assert_int_equal(slots_wait(&gw, bob.id, 0, 0), 0);
	struct http_reply *reply = gateway_http(&gw, "GET", "/api/v1/opensips/health", alice.key, NULL);
	assert_int_equal(json_number(reply->json, "activeCalls"), 0);
	check_events(call);
	check_times(call);
}

void pair_expect(struct told *call, const char *status, const char *reason)
{
	assert_true(api_wait(&gw, &alice, call->id, "ended", SOON_MS, call));
	assert_string_equal(call->status, status);
	assert_string_equal(call->reason, reason);
	pair_after(call);
}

void pair_find_dialled(struct told *call)
{
	int64_t deadline = now_ms() + SOON_MS;
	while (now_ms() < deadline) {
		newest_call(call);
		if (strcmp(call->direction, "outbound-dial") == 0 && strcmp(call->id, newest_before.id) != 0)
			return;
		nap_ms(20);
	}
	fail_msg("the dialled call is in no list");
}
