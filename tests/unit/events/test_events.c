/* test_events.c - the durable event log: numbers that only rise, pulling, filters. */
#include "../fixture.h"

#include "events/event_log.h"

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

static int64_t append(struct fixture *f, const char *type, const char *subject, const char *user_id, const char *data)
{
	struct db_tx *tx = NULL;
	int64_t seq = 0;

	assert_int_equal(db_begin(f->ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(event_append(tx, f->now_ms, type, subject, user_id, data, &seq, NULL), NXV_OK);
	assert_int_equal(db_commit(tx, NULL), NXV_OK);
	return seq;
}

static struct nxv_event_list *pull(struct fixture *f, struct nxv_event_opts opts)
{
	struct nxv_event_list *list = NULL;

	assert_int_equal(nxv_event_pull(&f->ctx, &opts, &list, NULL), NXV_OK);
	return list;
}

static void event_comes_back_as_it_was_appended(void **state)
{
	struct fixture *f = *state;
	struct nxv_event_list *list = NULL;
	int64_t seq = append(f, "call.ringing", "session_1", "user_a", "leg=b code=180");

	append(f, "sip.running", "opensips", NULL, NULL);
	assert_int_equal(nxv_event_pull(&f->ctx, NULL, &list, NULL), NXV_OK);
	assert_int_equal(list->count, 2);
	assert_int_equal(list->items[0]->seq, seq);
	assert_int_equal(list->items[0]->at_ms, FIXTURE_NOW_MS);
	assert_string_equal(list->items[0]->type, "call.ringing");
	assert_string_equal(list->items[0]->subject, "session_1");
	assert_string_equal(list->items[0]->user_id, "user_a");
	assert_string_equal(list->items[0]->data, "leg=b code=180");
	assert_null(list->items[1]->user_id);
	assert_string_equal(list->items[1]->data, "");
	nxv_event_list_free(list);
}

static void event_numbers_rise_and_never_repeat(void **state)
{
	struct fixture *f = *state;
	int64_t one = append(f, "a", "s", NULL, NULL), two = append(f, "b", "s", NULL, NULL), three;
	struct db_tx *tx = NULL;

	assert_true(two > one);
	/* not after the newest was deleted, */
	fixture_sql(f, "DELETE FROM event");
	three = append(f, "c", "s", NULL, NULL);
	assert_true(three > two);
	/* nor after a restart, */
	fixture_detach(f);
	fixture_attach(f, NULL);
	assert_true(append(f, "d", "s", NULL, NULL) > three);
	/* and an event rolled back never was. */
	assert_int_equal(db_begin(f->ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(event_append(tx, 1, "e", "s", NULL, NULL, NULL, NULL), NXV_OK);
	db_rollback(tx);
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM event WHERE type = 'e'"), 0);
}

static void pull_goes_on_after_a_number(void **state)
{
	struct fixture *f = *state;
	struct nxv_event_opts opts = NXV_EVENT_OPTS_INIT;
	struct nxv_event_list *list;
	size_t seen = 0;

	for (int i = 0; i < 10; i++)
		append(f, "a", "s", NULL, NULL);
	opts.limit = 4;
	do {
		list = pull(f, opts);
		for (size_t i = 0; i < list->count; i++, seen++) {
			assert_true(list->items[i]->seq > opts.after_seq);
			opts.after_seq = list->items[i]->seq;
		}
		size_t count = list->count;

		nxv_event_list_free(list);
		if (!count)
			break;
		assert_true(count <= 4);
	} while (seen < 20);
	assert_int_equal(seen, 10);
	append(f, "late", "s", NULL, NULL);
	list = pull(f, opts);
	assert_int_equal(list->count, 1);
	assert_string_equal(list->items[0]->type, "late");
	nxv_event_list_free(list);
}

static void pull_filters_by_subject_and_user(void **state)
{
	struct fixture *f = *state;
	struct nxv_event_opts opts = NXV_EVENT_OPTS_INIT;
	struct nxv_event_list *list;

	append(f, "one", "s1", "user_a", NULL);
	append(f, "two", "s2", "user_a", NULL);
	append(f, "three", "s1", "user_b", NULL);
	append(f, "four", "s1", NULL, NULL);
	opts.subject = "s1";
	list = pull(f, opts);
	assert_int_equal(list->count, 3);
	nxv_event_list_free(list);
	opts.user_id = "user_a";
	list = pull(f, opts);
	assert_int_equal(list->count, 1);
	assert_string_equal(list->items[0]->type, "one");
	nxv_event_list_free(list);
	opts.subject = NULL;
	list = pull(f, opts);
	assert_int_equal(list->count, 2);
	nxv_event_list_free(list);
}

static void pull_gives_a_hundred_unless_told_and_a_thousand_at_most(void **state)
{
	struct fixture *f = *state;
	struct nxv_event_opts opts = NXV_EVENT_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_event_list *list;

	fixture_sql(f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)"
		       " INSERT INTO event (at_ms, type, subject) SELECT i, 't', 's' FROM n");
	list = pull(f, opts);
	assert_int_equal(list->count, 100);
	nxv_event_list_free(list);
	opts.limit = 1000;
	list = pull(f, opts);
	assert_int_equal(list->count, 1000);
	nxv_event_list_free(list);
	opts.limit = 1001;
	assert_int_equal(nxv_event_pull(&f->ctx, &opts, &list, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "limit");
	assert_null(list);
	opts.size = 0;
	assert_int_equal(nxv_event_pull(&f->ctx, &opts, &list, &err), NXV_E_INVALID);
}

static void event_without_its_table_is_a_store_error(void **state)
{
	struct fixture *f = *state;
	struct nxv_event_list *list = (void *)1;
	struct db_tx *tx = NULL;

	fixture_sql(f, "DROP TABLE event");
	assert_int_equal(nxv_event_pull(&f->ctx, NULL, &list, NULL), NXV_E_STORE);
	assert_null(list);
	assert_int_equal(db_begin(f->ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(event_append(tx, 1, "a", "s", NULL, NULL, NULL, NULL), NXV_E_STORE);
	db_rollback(tx);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(event_comes_back_as_it_was_appended),
		CASE(event_numbers_rise_and_never_repeat),
		CASE(pull_goes_on_after_a_number),
		CASE(pull_filters_by_subject_and_user),
		CASE(pull_gives_a_hundred_unless_told_and_a_thousand_at_most),
		CASE(event_without_its_table_is_a_store_error),
	};

	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
