/* test_usage.c - the usage log: what a row holds, filters, paging, and the key's time of last use. */
#include "../fixture.h"

#include <nexusvoip/keys.h>
#include <nexusvoip/usage.h>

#include <signal.h>

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

static void write_row(struct fixture *f, int64_t at_ms, const char *key_id, const char *user_id, int status)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_usage row = {
		.id = 999,
		.at_ms = at_ms,
		.request_id = (char *)"req-1",
		.key_id = (char *)key_id,
		.user_id = (char *)user_id,
		.method = (char *)"POST",
		.route = (char *)"/api/v1/opensips/call/initiate",
		.status = status,
		.bytes = 321,
		.duration_us = 1234,
		.client_address = (char *)"127.0.0.1",
	};

	if (usage_log_write(f->ctx.usage, &row, &err))
		fail_msg("%s", err.message);
}

static void usage_row_comes_back_as_it_was_written(void **state)
{
	struct fixture *f = *state;
	struct nxv_usage_page *list = NULL;

	write_row(f, FIXTURE_NOW_MS, "key_a", "user_a", 201);
	assert_int_equal(nxv_usage_list(&f->ctx, NULL, &list, NULL), NXV_OK);
	assert_int_equal(list->count, 1);
	assert_null(list->next_cursor);
	struct nxv_usage *row = list->items[0];

	assert_int_equal(row->id, 1);
	assert_int_equal(row->at_ms, FIXTURE_NOW_MS);
	assert_string_equal(row->request_id, "req-1");
	assert_string_equal(row->key_id, "key_a");
	assert_string_equal(row->user_id, "user_a");
	assert_string_equal(row->method, "POST");
	assert_string_equal(row->route, "/api/v1/opensips/call/initiate");
	assert_int_equal(row->status, 201);
	assert_int_equal(row->bytes, 321);
	assert_int_equal(row->duration_us, 1234);
	assert_string_equal(row->client_address, "127.0.0.1");
	nxv_usage_page_free(list);
}

static void usage_row_may_lack_what_the_caller_did_not_know(void **state)
{
	struct fixture *f = *state;
	struct nxv_usage row = { .key_id = (char *)"key_a", .user_id = (char *)"user_a", .at_ms = 5, .status = 200 };
	struct nxv_usage_page *list = NULL;

	assert_int_equal(usage_log_write(f->ctx.usage, &row, NULL), NXV_OK);
	assert_int_equal(nxv_usage_list(&f->ctx, NULL, &list, NULL), NXV_OK);
	assert_string_equal(list->items[0]->request_id, "");
	assert_string_equal(list->items[0]->route, "");
	assert_null(list->items[0]->client_address);
	nxv_usage_page_free(list);
}

/* Rows 1 to 30, 10 ms apart, keys a b c in turn; a and b belong to user_1, c to user_2. Written late: every fourth. */
static void write_thirty(struct fixture *f)
{
	static const char *const keys[] = { "key_a", "key_b", "key_c" };

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 30; i++) {
			if ((i % 4 == 3) == pass)
				write_row(f, FIXTURE_NOW_MS + i * 10, keys[i % 3], i % 3 == 2 ? "user_2" : "user_1",
					200);
		}
	}
}

/* Walk all pages; the numbers (0 to 29) of the rows go to seen. */
static size_t walk(struct fixture *f, struct nxv_usage_list_opts opts, int *seen, bool write_between)
{
	struct nxv_usage_page *list = NULL;
	char *cursor = NULL;
	size_t count = 0;

	do {
		opts.cursor = cursor;
		assert_int_equal(nxv_usage_list(&f->ctx, &opts, &list, NULL), NXV_OK);
		assert_true(!opts.limit || list->count <= opts.limit);
		for (size_t i = 0; i < list->count; i++)
			seen[count++] = (int)((list->items[i]->at_ms - FIXTURE_NOW_MS) / 10);
		free(cursor);
		cursor = list->next_cursor;
		list->next_cursor = NULL;
		nxv_usage_page_free(list);
		if (write_between)
			write_row(f, FIXTURE_NOW_MS + 1000, "key_a", "user_1", 200);
	} while (cursor && count < 60);
	return count;
}

static void usage_list_pages_by_time_in_both_orders(void **state)
{
	struct fixture *f = *state;
	struct nxv_usage_list_opts opts = NXV_USAGE_LIST_OPTS_INIT;
	int seen[64];

	write_thirty(f);
	opts.limit = 7;
	opts.oldest_first = true;
	assert_int_equal(walk(f, opts, seen, false), 30);
	for (int i = 0; i < 30; i++)
		assert_int_equal(seen[i], i);
	opts.oldest_first = false;
	assert_int_equal(walk(f, opts, seen, true), 30);
	for (int i = 0; i < 30; i++)
		assert_int_equal(seen[i], 29 - i);
}

static void usage_list_of_one_millisecond_shows_each_row_once(void **state)
{
	struct fixture *f = *state;
	struct nxv_usage_list_opts opts = NXV_USAGE_LIST_OPTS_INIT;
	int seen[64];

	for (int i = 0; i < 11; i++)
		write_row(f, FIXTURE_NOW_MS, "key_a", "user_1", 200);
	opts.limit = 3;
	assert_int_equal(walk(f, opts, seen, false), 11);
	opts.oldest_first = true;
	assert_int_equal(walk(f, opts, seen, false), 11);
}

static void usage_list_filters_by_user_key_and_time(void **state)
{
	struct fixture *f = *state;
	struct nxv_usage_list_opts opts = NXV_USAGE_LIST_OPTS_INIT;
	int seen[64];

	write_thirty(f);
	opts.limit = 4;
	opts.oldest_first = true;
	opts.user_id = "user_2";
	assert_int_equal(walk(f, opts, seen, false), 10);
	for (int i = 0; i < 10; i++)
		assert_int_equal(seen[i], 2 + 3 * i);
	opts.user_id = "user_1";
	opts.key_id = "key_b";
	assert_int_equal(walk(f, opts, seen, false), 10);
	assert_int_equal(seen[0], 1);
	opts.user_id = "user_2";
	assert_int_equal(walk(f, opts, seen, false), 0);
	opts.user_id = NULL;
	opts.since_ms = FIXTURE_NOW_MS + 10;
	opts.until_ms = FIXTURE_NOW_MS + 70;
	for (int order = 0; order < 2; order++) {
		opts.oldest_first = order;
		assert_int_equal(walk(f, opts, seen, false), 2); /* 1 and 4; 7 is not before 70 ms */
		assert_int_equal(seen[0] + seen[1], 5);
	}
	opts.key_id = NULL;
	assert_int_equal(walk(f, opts, seen, false), 6);
	opts.oldest_first = false;
	assert_int_equal(walk(f, opts, seen, false), 6);
	assert_int_equal(seen[0], 6);
	assert_int_equal(seen[5], 1);
}

static void usage_list_refuses_a_cursor_or_limit_that_cannot_be(void **state)
{
	static const char *const cursors[] = { "", "n", "n.", "n1", "n1.", "n1.x", "n1.-1", "x1.1", "o1.1", "1.1",
		"n99999999999999999999.1", "n111111111111111111111111111111111.1" };
	struct fixture *f = *state;
	struct nxv_usage_list_opts opts = NXV_USAGE_LIST_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_usage_page *list = (void *)1;

	for (size_t i = 0; i < sizeof(cursors) / sizeof(*cursors); i++) {
		opts.cursor = cursors[i];
		assert_int_equal(nxv_usage_list(&f->ctx, &opts, &list, &err), NXV_E_INVALID);
		assert_string_equal(err.field, "cursor");
		assert_null(list);
	}
	opts.cursor = "o1.1";
	opts.oldest_first = true;
	assert_int_equal(nxv_usage_list(&f->ctx, &opts, &list, &err), NXV_OK);
	nxv_usage_page_free(list);
	opts.limit = 1001;
	assert_int_equal(nxv_usage_list(&f->ctx, &opts, &list, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "limit");
	opts.size = 0;
	assert_int_equal(nxv_usage_list(&f->ctx, &opts, &list, &err), NXV_E_INVALID);
}

static void last_use_is_noted_once_a_minute(void **state)
{
	static const struct {
		int64_t at_ms, noted_ms;
	} uses[] = { { 0, 0 }, { 59999, 0 }, { 60000, 60000 }, { 60001, 60000 }, { 200000, 200000 },
		/* a request that came in earlier and took long */
		{ 100000, 200000 },
		/* the clock was set back by an hour: not stuck in the future */
		{ -3600000, -3600000 }, { -3599999, -3600000 } };
	struct fixture *f = *state;
	struct nxv_key_opts opts = NXV_KEY_OPTS_INIT;
	struct nxv_key *key = NULL, *after = NULL;

	opts.user_id = "user_1";
	opts.name = "n";
	opts.permissions = NXV_PERM_CALL;
	assert_int_equal(nxv_key_create(&f->ctx, &opts, &key, NULL), NXV_OK);
	for (size_t i = 0; i < sizeof(uses) / sizeof(*uses); i++) {
		write_row(f, FIXTURE_NOW_MS + uses[i].at_ms, key->id, "user_1", 200);
		assert_int_equal(nxv_key_get(&f->ctx, key->id, &after, NULL), NXV_OK);
		assert_int_equal(after->last_used_at_ms, FIXTURE_NOW_MS + uses[i].noted_ms);
		nxv_key_free(after);
	}
	nxv_key_free(key);
}

static void usage_rows_outlive_their_key(void **state)
{
	struct fixture *f = *state;

	write_row(f, FIXTURE_NOW_MS, "key_deleted", "user_1", 200);
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM usage_row"), 1);
}

static void usage_without_its_table_is_a_store_error(void **state)
{
	struct fixture *f = *state;
	struct nxv_usage row = { .key_id = (char *)"key_a", .user_id = (char *)"user_a" };
	struct nxv_usage_page *list = (void *)1;

	fixture_sql(f, "DROP TABLE usage_row");
	assert_int_equal(usage_log_write(f->ctx.usage, &row, NULL), NXV_E_STORE);
	assert_int_equal(nxv_usage_list(&f->ctx, NULL, &list, NULL), NXV_E_STORE);
	assert_null(list);
}

/* A process that is killed right after a write has it on record. */
static void usage_written_survives_the_death_of_the_process(void **state)
{
	struct fixture *f = *state;
	int status = 0;
	pid_t child;

	fixture_detach(f);
	child = fork();
	assert_true(child >= 0);
	fixture_attach(f, NULL);
	if (!child) {
		for (int i = 0; i < 20; i++)
			write_row(f, FIXTURE_NOW_MS + i, "key_a", "user_1", 200);
		kill(getpid(), SIGKILL);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM usage_row"), 20);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(usage_row_comes_back_as_it_was_written),
		CASE(usage_row_may_lack_what_the_caller_did_not_know),
		CASE(usage_list_pages_by_time_in_both_orders),
		CASE(usage_list_of_one_millisecond_shows_each_row_once),
		CASE(usage_list_filters_by_user_key_and_time),
		CASE(usage_list_refuses_a_cursor_or_limit_that_cannot_be),
		CASE(last_use_is_noted_once_a_minute),
		CASE(usage_rows_outlive_their_key),
		CASE(usage_without_its_table_is_a_store_error),
		CASE(usage_written_survives_the_death_of_the_process),
	};

	return cmocka_run_group_tests_name("usage", tests, NULL, NULL);
}
