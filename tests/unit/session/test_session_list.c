/* test_session_list.c - listing calls: filters, pages, and that one user's or the live ones are found by index. */
#include "../fixture.h"

#include <nexusvoip/sessions.h>

enum { CALLS = 40 };

/* Call i: user u0 to u3 in turn, started in pairs at the same millisecond, every tenth one still up. */
static int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));
	char sql[512];

	assert_non_null(f);
	fixture_open(f, NULL);
	for (int i = 0; i < CALLS; i++) {
		const bool up = i % 10 == 0;

		snprintf(sql, sizeof(sql),
			"INSERT INTO session (id, state, status, direction, carrier, from_number, to_number, user_id, started_at_ms,"
			" ended_at_ms) VALUES ('session_%02d', '%s', '%s', 'outbound-api', 'sip', 'a', 'b', 'u%d', %d, %d)",
			i, up ? "up" : "ended", up ? "in-progress" : i % 2 ? "completed" : "busy", i % 4, 1000 + i / 2, up ? 0 : 9000);
		fixture_sql(f, sql);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_close(*state);
	free(*state);
	return 0;
}

/* The numbers of the calls listed, page by page; -1 ends them. */
static void list_all(struct fixture *f, struct nxv_session_list_opts *opts, int *numbers)
{
	struct nxv_error err = NXV_ERROR_INIT;
	char cursor[64];
	size_t n = 0;
	bool more = true;

	opts->cursor = NULL;
	while (more) {
		struct nxv_session_page *list;

		if (nxv_session_list(&f->ctx, opts, &list, &err) != NXV_OK)
			fail_msg("%s", err.message);
		assert_true(list->count <= (opts->limit ? opts->limit : 100));
		for (size_t i = 0; i < list->count; i++) {
			assert_true(n < CALLS);
			numbers[n++] = atoi(list->items[i]->id + strlen("session_"));
		}
		more = list->next_cursor;
		snprintf(cursor, sizeof(cursor), "%s", more ? list->next_cursor : "");
		opts->cursor = cursor;
		nxv_session_page_free(list);
	}
	numbers[n] = -1;
}

static void pages_give_every_call_once_newest_first(void **state)
{
	int numbers[CALLS + 1];

	for (unsigned limit = 1; limit <= 7; limit += 2) {
		struct nxv_session_list_opts opts = NXV_SESSION_LIST_OPTS_INIT;

		opts.limit = limit;
		list_all(*state, &opts, numbers);
		for (int i = 0; i < CALLS; i++)
			assert_int_equal(numbers[i], CALLS - 1 - i);
		assert_int_equal(numbers[CALLS], -1);
	}
}

static void pages_oldest_first_give_every_call_once(void **state)
{
	struct nxv_session_list_opts opts = NXV_SESSION_LIST_OPTS_INIT;
	int numbers[CALLS + 1];

	opts.limit = 7;
	opts.oldest_first = true;
	list_all(*state, &opts, numbers);
	for (int i = 0; i < CALLS; i++)
		assert_int_equal(numbers[i], i);
	assert_int_equal(numbers[CALLS], -1);
	opts.since_ms = 1005;
	opts.until_ms = 1008;
	list_all(*state, &opts, numbers);
	for (int i = 0; i < 6; i++)
		assert_int_equal(numbers[i], 10 + i);
	assert_int_equal(numbers[6], -1);
}

static void filters_hold_together(void **state)
{
	static const struct {
		const char *user, *status;
		int64_t since_ms, until_ms;
		int expected[8];
	} cases[] = {
		{ "u0", "live", 0, 0, { 20, 0, -1 } },
		{ NULL, "live", 0, 0, { 30, 20, 10, 0, -1 } },
		{ NULL, "in-progress", 0, 0, { 30, 20, 10, 0, -1 } },
		{ "u2", "in-progress", 0, 0, { 30, 10, -1 } },
		{ "u1", "completed", 1000, 1005, { 9, 5, 1, -1 } },
		{ NULL, NULL, 1003, 1005, { 9, 8, 7, 6, -1 } },
		{ NULL, "live", 1005, 1010, { 10, -1 } },
		{ "u3", "busy", 0, 0, { -1 } },
		{ "nobody", NULL, 0, 0, { -1 } },
		{ NULL, NULL, 5000, 0, { -1 } },
		{ NULL, NULL, 0, 1000, { -1 } },
	};
	int numbers[CALLS + 1];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (unsigned limit = 1; limit < 4; limit++) {
			struct nxv_session_list_opts opts = NXV_SESSION_LIST_OPTS_INIT;

			opts.user_id = cases[i].user;
			opts.status = cases[i].status;
			opts.since_ms = cases[i].since_ms;
			opts.until_ms = cases[i].until_ms;
			opts.limit = limit;
			list_all(*state, &opts, numbers);
			for (int n = 0; n == 0 || cases[i].expected[n - 1] >= 0; n++)
				if (numbers[n] != cases[i].expected[n])
					fail_msg("case %zu, limit %u: place %d holds %d", i, limit, n, numbers[n]);
		}
}

static void wrong_options_are_named(void **state)
{
	struct nxv_session_list_opts opts = NXV_SESSION_LIST_OPTS_INIT;
	struct fixture *f = *state;
	struct nxv_session_page *list;
	struct nxv_error err;

	opts.limit = 1001;
	assert_int_equal(nxv_session_list(&f->ctx, &opts, &list, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "limit");
	opts.limit = 0;
	opts.status = "loud";
	assert_int_equal(nxv_session_list(&f->ctx, &opts, &list, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "status");
	opts.status = NULL;
	opts.cursor = "12";
	assert_int_equal(nxv_session_list(&f->ctx, &opts, &list, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "cursor");
	opts.cursor = NULL;
	opts.size = 0;
	assert_int_equal(nxv_session_list(&f->ctx, &opts, &list, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "opts");
	assert_null(list);
}

/* Among many calls of others, one user's few must not take a walk over all. */
static void one_users_calls_are_found_among_very_many(void **state)
{
	struct nxv_session_list_opts opts = NXV_SESSION_LIST_OPTS_INIT;
	struct fixture *f = *state;
	struct timespec from, to;
	int numbers[CALLS + 1];

	fixture_sql(f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
		       " INSERT INTO session (id, state, status, direction, carrier, from_number, to_number, user_id, started_at_ms,"
		       " ended_at_ms) SELECT 'other_' || i, 'ended', 'completed', 'outbound-api', 'sip', 'a', 'b', 'other', 100000 + i, 1"
		       " FROM n");
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	opts.user_id = "u0";
	list_all(f, &opts, numbers);
	opts.user_id = NULL;
	opts.status = "live";
	list_all(f, &opts, numbers);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	assert_int_equal(numbers[0], 30);
	/* a walk over 100,000 rows takes tens of milliseconds; under a sanitizer both are slower */
	assert_true((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 < 10);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pages_give_every_call_once_newest_first),
		TEST(pages_oldest_first_give_every_call_once),
		TEST(filters_hold_together),
		TEST(wrong_options_are_named),
		TEST(one_users_calls_are_found_among_very_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
