/* test_twilio_faults.c - calls over Twilio while everything goes wrong: each fault of the sandbox, and SIGKILL of nexusd between
 * intent and answer and between answer and commit. No call is created twice, none is lost, no slot leaks, and each session ends
 * as the sandbox knows it did. NXV_FAULT_CALLS and NXV_FAULT_KILLS raise the counts: 200 and 50 are the full ones. */
#include "e2e.h"
#include "twilio_gw.h"

#include <sqlite3.h>
#include <stdio.h>

enum { CALLS = 12, KILLS = 2, BATCH = 4 };

static struct sandbox_run sandbox;
static struct user alice;
static const char *server;

/* What a run came to. */
struct tally {
	unsigned calls, created, twice, lost, differ, open, aside; /* aside: never came to Twilio */
	int64_t slots;
};

static int count_of(const char *name, int fallback)
{
	const char *text = getenv(name);

	return text ? atoi(text) : fallback;
}

static void begin(void)
{
	static bool begun;
	static const char *const settings[] = { "twilio.creates_per_second=100", "calls.ring_seconds=20", "limits.calls_per_user=10000",
		"http.initiate_wait_ms=0", NULL };

	if (!begun) {
		assert_true(twilio_gw_prepare(&gw, &sandbox, server, "50", false, settings));
		gw.program = NEXUSD_PACED_PATH;
		assert_true(gateway_run(&gw) && gateway_sip_start(&gw));
		assert_true(user_make(&gw, "alice", &alice) && user_register(&gw, lab, &alice, 0));
		begun = true;
	}
	assert_true(sandbox_no_faults(&sandbox));
}

static void place(int n)
{
	static const char *const numbers[] = { "+9991005", "+999200", "+9991002", "+999201", "+99910130", "+999203" };
	struct told told;

	for (int i = 0; i < n; i++, nap_ms(10)) /* the SIP server is asked about the phone each time */
		twilio_gw_call(&gw, &alice, numbers[i % 6], i % 5 == 4 ? ",\"ringFirst\":\"callee\"" : NULL, &told);
}

/* How the session must have ended, by what the sandbox knows of both legs. */
static const char *expected(int creates, const char *parent, const char *child)
{
	if (!creates)
		return "failed";
	if (strcmp(parent, "completed") != 0)
		return parent;
	return *child ? child : "canceled";
}

/* The callee who is rung first may give up while the user's phone rings. */
static bool as_expected(const struct nxv_session *s, const char *want)
{
	return strcmp(nxv_call_status_name(s->status), want) == 0 ||
		(strcmp(want, "canceled") == 0 && strcmp(s->end_reason, "hangup_callee") == 0);
}

/* Given up here, as if it were not there. */
static bool given_up(const struct nxv_session *s)
{
	return strncmp(s->end_reason, "carrier_", 8) == 0 || strcmp(s->end_reason, "server_lost") == 0 ||
		strcmp(s->end_reason, "gateway_restarted") == 0;
}

static void judge(const struct nxv_session *s, struct tally *tally)
{
	char parent[24], child[24];
	const char *status = nxv_call_status_name(s->status), *want;
	int creates = sandbox_truth(&sandbox, s->id, parent, child);

	assert_true(creates >= 0);
	want = expected(creates, parent, child);
	tally->calls++;
	tally->created += creates > 0;
	tally->twice += creates > 1;
	tally->open += !nxv_call_status_ended(s->status);
	tally->aside += !creates && strcmp(s->end_reason ? s->end_reason : "", "server_lost") == 0;
	if (nxv_call_status_ended(s->status) && ((creates && given_up(s)) || !as_expected(s, want))) {
		tally->lost += creates && given_up(s);
		tally->differ += !(creates && given_up(s));
		printf("%s: %s (%s), %d creates, Twilio says %s, %s\n", s->id, status, s->end_reason, creates, parent, child);
	}
}

static bool all_ended(int64_t since_ms)
{
	struct nxv_session_list_opts opts = NXV_SESSION_LIST_OPTS_INIT;
	struct nxv_session_page *page = NULL;
	bool ended;

	opts.status = "live";
	opts.since_ms = since_ms;
	opts.limit = 1;
	assert_int_equal(nxv_session_list(gw.ctx, &opts, &page, NULL), NXV_OK);
	ended = page->count == 0;
	nxv_session_page_free(page);
	return ended;
}

/* Every session since then, once it has ended. */
static struct tally settle(int64_t since_ms, int timeout_ms)
{
	struct nxv_session_list_opts opts = NXV_SESSION_LIST_OPTS_INIT;
	struct nxv_session_page *page = NULL;
	struct tally tally = { 0 };
	char cursor[128] = "";
	int64_t deadline = now_ms() + timeout_ms;

	while (!all_ended(since_ms) && now_ms() < deadline)
		nap_ms(50);
	opts.since_ms = since_ms;
	do {
		opts.cursor = *cursor ? cursor : NULL;
		assert_int_equal(nxv_session_list(gw.ctx, &opts, &page, NULL), NXV_OK);
		for (size_t i = 0; i < page->count; i++)
			judge(page->items[i], &tally);
		snprintf(cursor, sizeof(cursor), "%s", page->next_cursor ? page->next_cursor : "");
		nxv_session_page_free(page);
	} while (*cursor);
	tally.slots = slots_wait(&gw, "alice", 0, 2000);
	return tally;
}

static void print(const char *name, const struct tally *t)
{
	printf("%-28s %4u calls, %4u created, %u twice, %u lost, %u otherwise, %u open, %u not handed over, %lld slots\n", name, t->calls,
		t->created, t->twice, t->lost, t->differ, t->open, t->aside, (long long)t->slots);
	fflush(stdout);
}

static void expect_none(const char *name, const struct tally *t)
{
	print(name, t);
	assert_int_equal(t->twice, 0);
	assert_int_equal(t->lost, 0);
	assert_int_equal(t->differ, 0);
	assert_int_equal(t->open, 0);
	assert_int_equal(t->slots, 0);
}

static void suffer(const char *name, const char *fault)
{
	const int n = count_of("NXV_FAULT_CALLS", CALLS);
	int64_t since = utc_ms() - 1;
	struct tally tally;

	begin();
	assert_true(sandbox_fault(&sandbox, fault));
	place(n);
	tally = settle(since, 60000 + n * 500);
	expect_none(name, &tally);
	assert_int_equal(tally.calls, n);
}

#define FAULT(kind, more) \
	static void calls_survive_##kind(void) \
	{ \
		suffer(#kind, "{\"kind\":\"" #kind "\"" more "}"); \
	}
FAULT(rate_limit, ",\"probability\":0.2,\"retryAfter\":1")
FAULT(unavailable, ",\"probability\":0.5")
FAULT(error_after_commit, ",\"probability\":0.5")
FAULT(reset_before_commit, ",\"probability\":0.5")
FAULT(reset_after_commit, ",\"probability\":0.5")
FAULT(html, ",\"probability\":0.5")
FAULT(html_after_commit, ",\"probability\":0.5")
FAULT(slow, ",\"delayMs\":1000")
FAULT(callback_lost, ",\"probability\":0.5")
FAULT(callback_late, ",\"probability\":0.5")
FAULT(callback_doubled, "")
FAULT(callback_reordered, ",\"probability\":0.5")

static void calls_survive_list_lag(void)
{
	begin();
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"callback_lost\",\"probability\":0.5}"));
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"list_lag\",\"delayMs\":1500}"));
	int64_t since = utc_ms() - 1;
	const int n = count_of("NXV_FAULT_CALLS", CALLS);
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"error_after_commit\",\"probability\":0.5}"));
	place(n);
	struct tally tally = settle(since, 60000 + n * 500);
	expect_none("list_lag, callbacks lost", &tally);
}

static void calls_survive_faults_of_everything(void)
{
	begin();
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"unavailable\",\"on\":[\"fetch\",\"list\",\"update\"],\"probability\":0.3}"));
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"reset_after_commit\",\"on\":[\"create\",\"fetch\",\"list\",\"update\"],\"probability\":0.3}"));
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"callback_lost\",\"probability\":0.3}"));
	int64_t since = utc_ms() - 1;
	const int n = count_of("NXV_FAULT_CALLS", CALLS);
	place(n);
	struct tally tally = settle(since, 60000 + n * 500);
	expect_none("all at once", &tally);
}

static void start_again(const char *const *env)
{
	static const char *const plain[] = { "NEXUSVOIP_TWILIO_AUTH_TOKEN=" SANDBOX_TOKEN, NULL };

	if (gw.nexusd)
		proc_stop(gw.nexusd, 10000);
	gw.env = env ? env : plain;
	assert_true(gateway_run(&gw) && gateway_sip_start(&gw));
}

static void kill_at(const char *name, const char *where, const char *fault)
{
	const int kills = count_of("NXV_FAULT_KILLS", KILLS);
	char path[64], die[96];
	const char *const env[] = { "NEXUSVOIP_TWILIO_AUTH_TOKEN=" SANDBOX_TOKEN, die, NULL };
	int64_t since = utc_ms() - 1;
	struct tally tally;

	begin();
	snprintf(path, sizeof(path), "%s/die", gw.state);
	snprintf(die, sizeof(die), "NXV_TEST_DIE=%s", path);
	if (fault)
		assert_true(sandbox_fault(&sandbox, fault));
	for (int i = 0; i < kills; i++) {
		int64_t deadline = now_ms() + 30000;

		start_again(env);
		while (!all_ended(since) && now_ms() < deadline)
			nap_ms(20);
		assert_true(proc_write_file(path, where));
		place(BATCH);
		assert_int_equal(proc_wait(gw.nexusd, 10000), 128 + 9);
		remove(path);
	}
	start_again(NULL);
	tally = settle(since, 60000);
	expect_none(name, &tally);
}

static void calls_survive_a_kill_between_intent_and_answer(void)
{
	kill_at("SIGKILL before the answer", "answer", "{\"kind\":\"slow\",\"delayMs\":20}");
}

static void calls_survive_a_kill_between_answer_and_commit(void)
{
	kill_at("SIGKILL before the commit", "commit", NULL);
}

/* What the store was told last may be gone with the power: that the create was sent, and its answer. */
static void calls_survive_a_power_cut_that_took_what_was_stored_last(void)
{
	static const char *const booted[] = { "NEXUSVOIP_TWILIO_AUTH_TOKEN=" SANDBOX_TOKEN, "NXV_TEST_BOOT=1", NULL };
	char path[64], die[96], db_path[128];
	const char *const env[] = { "NEXUSVOIP_TWILIO_AUTH_TOKEN=" SANDBOX_TOKEN, die, NULL };
	int64_t since = utc_ms() - 1;
	struct tally tally;
	sqlite3 *db = NULL;

	begin();
	snprintf(path, sizeof(path), "%s/die", gw.state);
	snprintf(die, sizeof(die), "NXV_TEST_DIE=%s", path);
	snprintf(db_path, sizeof(db_path), "%s/nexusvoip.db", gw.state);
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"callback_lost\"}"));
	start_again(env);
	assert_true(proc_write_file(path, "commit"));
	place(BATCH);
	assert_int_equal(proc_wait(gw.nexusd, 10000), 128 + 9);
	remove(path);
	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE twilio_call SET stage = 'waiting', sent_at_ms = 0 WHERE stage = 'sending'", NULL, NULL, NULL),
		SQLITE_OK);
	assert_true(sqlite3_changes(db) > 0);
	sqlite3_close(db);
	start_again(booted);
	tally = settle(since, 60000);
	expect_none("a power cut", &tally);
	start_again(NULL);
}

/* The control: the same harness sees losses when nothing is looked for. */
static void without_looking_calls_are_lost_and_this_harness_sees_it(void)
{
	static const char *const env[] = { "NEXUSVOIP_TWILIO_AUTH_TOKEN=" SANDBOX_TOKEN, "NXV_TEST_BLIND=1", NULL };
	const int n = count_of("NXV_FAULT_CALLS", CALLS);
	int64_t since;
	struct tally tally;

	begin();
	start_again(env);
	since = utc_ms() - 1;
	assert_true(sandbox_fault(&sandbox, "{\"kind\":\"error_after_commit\"}"));
	place(n);
	tally = settle(since, 60000);
	print("control: nothing is looked for", &tally);
	assert_true(tally.lost > 0);
	start_again(NULL);
}

static void it_stops_cleanly(void)
{
	begin();
	assert_int_equal(gateway_stop(&gw), 0);
	sandbox_stop(&sandbox);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		E2E(calls_survive_rate_limit),
		E2E(calls_survive_unavailable),
		E2E(calls_survive_error_after_commit),
		E2E(calls_survive_reset_before_commit),
		E2E(calls_survive_reset_after_commit),
		E2E(calls_survive_html),
		E2E(calls_survive_html_after_commit),
		E2E(calls_survive_slow),
		E2E(calls_survive_list_lag),
		E2E(calls_survive_callback_lost),
		E2E(calls_survive_callback_late),
		E2E(calls_survive_callback_doubled),
		E2E(calls_survive_callback_reordered),
		E2E(calls_survive_faults_of_everything),
		E2E(calls_survive_a_kill_between_intent_and_answer),
		E2E(calls_survive_a_kill_between_answer_and_commit),
		E2E(calls_survive_a_power_cut_that_took_what_was_stored_last),
		E2E(without_looking_calls_are_lost_and_this_harness_sees_it),
		E2E(it_stops_cleanly),
	};
	const struct e2e_suite suite = { .name = "calls over a faulty Twilio", .tests = tests, .count = sizeof(tests) / sizeof(tests[0]),
		.seconds = (unsigned)count_of("NXV_FAULT_SECONDS", 300), .bare = true };

	server = argc > 1 ? argv[1] : "";
	return e2e_main(argc, argv, &suite);
}
