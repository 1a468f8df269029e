/* test_idem.c - safe retries: done once, answered again, refused while in doubt, and nothing readable at rest. */
#include "../fixture.h"

#include <nexusvoip/gate.h>

#define ROUTE "POST /api/v1/keys/voip/generate"
#define KEY "8e03978e-40d5-43dd-bc93-6894a57f9324"
#define ANSWER "{\"success\":true,\"key\":{\"key\":\"sk_voip_secret_of_the_answer\"}}"
#define BODY "{\"userId\":\"user_123\"}"

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	assert_non_null(f);
	fixture_open(f, NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_close(*state);
	free(*state);
	return 0;
}

/* What begin came to: 'n' new, 's' stored, 'c' in progress, 'm' mismatch, '!' anything else. */
static char begin(struct fixture *f, const char *scope, const char *route, const char *key, const char *body)
{
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_replay replay;
	char *answer = NULL;
	int http_status = 7;
	nxv_status status =
		nxv_idempotency_begin(&f->ctx, scope, route, key, body, strlen(body), &replay, &http_status, &answer,
			&err);

	if (status == NXV_OK && replay == NXV_REPLAY_STORED && http_status == 201 && answer &&
		!strcmp(answer, ANSWER)) {
		free(answer);
		return 's';
	}
	assert_null(answer);
	if (status == NXV_OK && replay == NXV_REPLAY_NEW && !http_status)
		return 'n';
	if (status == NXV_E_CONFLICT && !strcmp(err.code, "idempotency_in_progress"))
		return 'c';
	if (status == NXV_E_UNCALLABLE && !strcmp(err.code, "idempotency_mismatch"))
		return 'm';
	return '!';
}

static void finish(struct fixture *f, const char *scope, const char *key, const char *answer)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_idempotency_finish(&f->ctx, scope, key, 201, answer, &err))
		fail_msg("%s", err.message);
}

static void finished_work_is_answered_again(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 'n');
	finish(f, "key_a", KEY, ANSWER);
	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 's');
	fixture_detach(f);
	fixture_attach(f, NULL);
	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 's');
}

static void same_key_for_another_request_is_a_mismatch(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 'n');
	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY " "), 'm');
	finish(f, "key_a", KEY, ANSWER);
	assert_int_equal(begin(f, "key_a", ROUTE, KEY, ""), 'm');
	assert_int_equal(begin(f, "key_a", "POST /api/v1/opensips/call/initiate", KEY, BODY), 'm');
	/* route and body do not run into each other */
	assert_int_equal(begin(f, "key_a", ROUTE "{", KEY, &BODY[1]), 'm');
}

static void keys_of_other_callers_and_other_keys_are_apart(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 'n');
	finish(f, "key_a", KEY, ANSWER);
	assert_int_equal(begin(f, "key_b", ROUTE, KEY, BODY), 'n');
	assert_int_equal(begin(f, "key_a", ROUTE, KEY "0", BODY), 'n');
}

static void work_under_way_is_refused_until_it_is_finished(void **state)
{
	struct fixture *f = *state;
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_replay replay;
	char *answer;
	int http_status;

	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 'n');
	assert_int_equal(nxv_idempotency_begin(&f->ctx, "key_a", ROUTE, KEY, BODY, strlen(BODY), &replay, &http_status,
				 &answer, &err), NXV_E_CONFLICT);
	assert_true(err.retry_after_ms > 0);
	finish(f, "key_a", KEY, ANSWER);
	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 's');
}

static void work_given_up_may_be_begun_again(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 'n');
	finish(f, "key_a", KEY, NULL);
	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 'n');
}

/* A process that dies at work leaves its row: nobody knows what it did, so it is not done again for a day. */
static void work_cut_short_by_a_crash_is_never_done_again(void **state)
{
	struct fixture *f = *state;
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_replay replay;
	char *answer;
	int http_status;
	pid_t child;

	fixture_detach(f);
	child = fork();
	assert_true(child >= 0);
	fixture_attach(f, NULL);
	if (!child)
		_exit(begin(f, "key_a", ROUTE, KEY, BODY) != 'n');
	assert_int_equal(fixture_reap(child), 0);
	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 'c');
	f->now_ms += 5 * 60000;
	assert_int_equal(nxv_idempotency_begin(&f->ctx, "key_a", ROUTE, KEY, BODY, strlen(BODY), &replay, &http_status,
				 &answer, &err), NXV_E_CONFLICT);
	assert_string_equal(err.code, "idempotency_in_progress");
	assert_int_equal(err.retry_after_ms, 0);
	assert_non_null(strstr(err.message, "cut short"));
	f->now_ms += INT64_C(86400000) - 5 * 60000 - 1;
	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 'c');
	f->now_ms += 1;
	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 'n');
}

static void answers_are_forgotten_after_a_day_a_slice_at_a_time(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 150; i++) {
		char key[16];

		snprintf(key, sizeof(key), "key-%d", i);
		f->now_ms += i == 149; /* the last is the youngest */
		assert_int_equal(begin(f, "key_a", ROUTE, key, BODY), 'n');
		finish(f, "key_a", key, ANSWER);
	}
	f->now_ms += INT64_C(86400000) - 2;
	assert_int_equal(begin(f, "key_a", ROUTE, "key-149", BODY), 's');
	f->now_ms += 2;
	/* not purged yet, yet forgotten */
	assert_int_equal(begin(f, "key_a", ROUTE, "key-149", BODY), 'n');
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM idempotency"), 150 - 64);
	assert_int_equal(begin(f, "key_a", ROUTE, "other", BODY), 'n');
	assert_int_equal(begin(f, "key_a", ROUTE, "another", BODY), 'n');
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM idempotency"), 3);
}

static void stored_rows_show_neither_key_nor_answer(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 'n');
	finish(f, "key_a", KEY, ANSWER);
	assert_true(fixture_file_holds(f, "key_a"));
	assert_false(fixture_file_holds(f, KEY));
	assert_false(fixture_file_holds(f, "sk_voip_secret"));
	assert_false(fixture_file_holds(f, "success"));
	assert_false(fixture_file_holds(f, "user_123"));
}

static void stored_row_that_was_altered_gives_no_answer(void **state)
{
	static const char *const harms[] = {
		"UPDATE idempotency SET status = 200",
		"UPDATE idempotency SET answer = zeroblob(60)",
		"UPDATE idempotency SET answer = NULL",
		"UPDATE idempotency SET request = x'00'",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(harms) / sizeof(*harms); i++) {
		struct nxv_error err = NXV_ERROR_INIT;
		nxv_replay replay;
		char key[8] = { 'k', (char)('0' + i), '\0' }, *answer = (void *)1;
		int http_status;

		assert_int_equal(begin(f, "key_a", ROUTE, key, BODY), 'n');
		finish(f, "key_a", key, ANSWER);
		fixture_sql(f, harms[i]);
		assert_int_equal(nxv_idempotency_begin(&f->ctx, "key_a", ROUTE, key, BODY, strlen(BODY), &replay,
					 &http_status, &answer, &err), NXV_E_STORE);
		assert_null(answer);
		fixture_sql(f, "DELETE FROM idempotency");
	}
}

static void key_that_is_no_key_is_refused(void **state)
{
	struct fixture *f = *state;
	struct nxv_error err = NXV_ERROR_INIT;
	char longest[257];
	const char *const wrong[] = { NULL, "", "a\tb", "caf\xc3\xa9", longest };
	nxv_replay replay;
	char *answer;
	int http_status;

	memset(longest, 'k', 256), longest[256] = '\0';
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(nxv_idempotency_begin(&f->ctx, "key_a", ROUTE, wrong[i], "", 0, &replay, &http_status,
					 &answer, &err), NXV_E_INVALID);
		assert_string_equal(err.field, "Idempotency-Key");
		assert_int_equal(nxv_idempotency_finish(&f->ctx, "key_a", wrong[i], 201, ANSWER, &err), NXV_E_INVALID);
	}
	longest[255] = '\0';
	assert_int_equal(begin(f, "key_a", ROUTE, longest, ""), 'n');
	assert_int_equal(begin(f, "key_a", ROUTE, "with blank ~", ""), 'n');
}

static void finish_without_begin_is_not_found(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(nxv_idempotency_finish(&f->ctx, "key_a", KEY, 201, ANSWER, NULL), NXV_E_NOT_FOUND);
	assert_int_equal(nxv_idempotency_finish(&f->ctx, "key_a", KEY, 0, NULL, NULL), NXV_E_NOT_FOUND);
	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 'n');
	finish(f, "key_a", KEY, ANSWER);
	/* what was answered stays */
	assert_int_equal(nxv_idempotency_finish(&f->ctx, "key_a", KEY, 200, "other", NULL), NXV_E_NOT_FOUND);
	assert_int_equal(nxv_idempotency_finish(&f->ctx, "key_a", KEY, 0, NULL, NULL), NXV_E_NOT_FOUND);
	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 's');
}

static void finish_refuses_what_is_no_answer(void **state)
{
	struct fixture *f = *state;
	struct nxv_error err = NXV_ERROR_INIT;
	size_t size = 256 * 1024 + 2;
	char *huge = malloc(size);

	assert_non_null(huge);
	memset(huge, 'x', size - 1);
	huge[size - 1] = '\0';
	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 'n');
	assert_int_equal(nxv_idempotency_finish(&f->ctx, "key_a", KEY, 0, ANSWER, &err), NXV_E_INVALID);
	assert_int_equal(nxv_idempotency_finish(&f->ctx, "key_a", KEY, 600, ANSWER, &err), NXV_E_INVALID);
	assert_int_equal(nxv_idempotency_finish(&f->ctx, "key_a", KEY, 201, huge, &err), NXV_E_INVALID);
	huge[size - 2] = '\0';
	assert_int_equal(nxv_idempotency_finish(&f->ctx, "key_a", KEY, 201, huge, &err), NXV_OK);
	free(huge);
}

static void finish_without_randomness_leaves_the_work_in_doubt(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 'n');
	f->random_fails = true;
	assert_int_equal(nxv_idempotency_finish(&f->ctx, "key_a", KEY, 201, ANSWER, NULL), NXV_E_INTERNAL);
	f->random_fails = false;
	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), 'c');
}

static void idempotency_without_its_table_is_a_store_error(void **state)
{
	struct fixture *f = *state;

	fixture_sql(f, "DROP TABLE idempotency");
	assert_int_equal(begin(f, "key_a", ROUTE, KEY, BODY), '!');
	assert_int_equal(nxv_idempotency_finish(&f->ctx, "key_a", KEY, 201, ANSWER, NULL), NXV_E_STORE);
}

/* Of two processes that begin the same hundred keys, each key goes to exactly one. */
static void two_processes_racing_for_a_key_do_the_work_once(void **state)
{
	struct fixture *f = *state;
	struct fixture_pair pair;
	char key[16];
	int mine = 0;

	fixture_split(f, &pair);
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		fixture_meet(&pair);
		mine += begin(f, "key_a", ROUTE, key, BODY) == 'n';
	}
	assert_int_equal(fixture_join(&pair, mine), 100);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(finished_work_is_answered_again),
		CASE(same_key_for_another_request_is_a_mismatch),
		CASE(keys_of_other_callers_and_other_keys_are_apart),
		CASE(work_under_way_is_refused_until_it_is_finished),
		CASE(work_given_up_may_be_begun_again),
		CASE(work_cut_short_by_a_crash_is_never_done_again),
		CASE(answers_are_forgotten_after_a_day_a_slice_at_a_time),
		CASE(stored_rows_show_neither_key_nor_answer),
		CASE(stored_row_that_was_altered_gives_no_answer),
		CASE(key_that_is_no_key_is_refused),
		CASE(finish_without_begin_is_not_found),
		CASE(finish_refuses_what_is_no_answer),
		CASE(finish_without_randomness_leaves_the_work_in_doubt),
		CASE(idempotency_without_its_table_is_a_store_error),
		CASE(two_processes_racing_for_a_key_do_the_work_once),
	};

	return cmocka_run_group_tests_name("idem", tests, NULL, NULL);
}
