/* test_slots.c - calls per user as leases: they end by themselves, and two processes share one limit. */
#include "../fixture.h"

enum { LEASE_MS = 10000 };

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

static nxv_status take(struct fixture *f, const char *session_id, const char *user_id, int64_t limit)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct db_tx *tx = NULL;
	nxv_status status;

	if (db_begin(f->ctx.db, DB_WRITE, &tx, &err))
		return NXV_E_STORE;
	status = slot_take(tx, session_id, user_id, limit, f->now_ms, f->now_ms + LEASE_MS, &err);
	if (!status)
		return db_commit(tx, &err);
	db_rollback(tx);
	return status;
}

static int64_t count(struct fixture *f, const char *user_id)
{
	struct db_tx *tx = NULL;
	int64_t slots = -1;

	assert_int_equal(db_begin(f->ctx.db, DB_READ, &tx, NULL), NXV_OK);
	assert_int_equal(slot_count(tx, user_id, f->now_ms, &slots, NULL), NXV_OK);
	db_rollback(tx);
	return slots;
}

static void give(struct fixture *f, const char *session_id)
{
	struct db_tx *tx = NULL;

	assert_int_equal(db_begin(f->ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(slot_give(tx, session_id, NULL), NXV_OK);
	assert_int_equal(db_commit(tx, NULL), NXV_OK);
}

static void slot_take_refuses_the_call_after_the_last(void **state)
{
	struct fixture *f = *state;
	struct nxv_error err = NXV_ERROR_INIT;
	struct db_tx *tx = NULL;

	assert_int_equal(take(f, "s1", "user_a", 2), NXV_OK);
	assert_int_equal(take(f, "s2", "user_a", 2), NXV_OK);
	assert_int_equal(db_begin(f->ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(slot_take(tx, "s3", "user_a", 2, f->now_ms, f->now_ms + 1, &err), NXV_E_LIMIT);
	db_rollback(tx);
	assert_string_equal(err.code, "call_limit");
	assert_true(err.retry_after_ms > 0);
	assert_int_equal(take(f, "s4", "user_b", 2), NXV_OK);
	assert_int_equal(count(f, "user_a"), 2);
	assert_int_equal(count(f, "user_b"), 1);
}

static void slot_give_frees_a_place_and_twice_is_harmless(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, "s1", "user_a", 2), NXV_OK);
	assert_int_equal(take(f, "s2", "user_a", 2), NXV_OK);
	give(f, "s1");
	give(f, "s1");
	give(f, "never taken");
	assert_int_equal(count(f, "user_a"), 1);
	assert_int_equal(take(f, "s3", "user_a", 2), NXV_OK);
	assert_int_equal(take(f, "s4", "user_a", 2), NXV_E_LIMIT);
}

static void slot_that_nobody_gave_back_ends_with_its_lease(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, "s1", "user_a", 1), NXV_OK);
	f->now_ms += LEASE_MS - 1;
	assert_int_equal(take(f, "s2", "user_a", 1), NXV_E_LIMIT);
	f->now_ms += 1;
	assert_int_equal(count(f, "user_a"), 0);
	assert_int_equal(take(f, "s2", "user_a", 1), NXV_OK);
	/* and its row goes when the user's next call comes */
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM slot"), 1);
}

static void slot_taken_again_by_the_same_session_is_one_slot(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, "s1", "user_a", 1), NXV_OK);
	f->now_ms += LEASE_MS / 2;
	assert_int_equal(take(f, "s1", "user_a", 1), NXV_OK);
	assert_int_equal(count(f, "user_a"), 1);
	f->now_ms += LEASE_MS - 1;
	assert_int_equal(count(f, "user_a"), 1);
}

static void slot_note_counts_beyond_the_limit(void **state)
{
	struct fixture *f = *state;
	struct db_tx *tx = NULL;

	assert_int_equal(take(f, "s1", "user_a", 1), NXV_OK);
	assert_int_equal(db_begin(f->ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(slot_note(tx, "dialled", "user_a", f->now_ms, f->now_ms + LEASE_MS, NULL), NXV_OK);
	assert_int_equal(db_commit(tx, NULL), NXV_OK);
	assert_int_equal(count(f, "user_a"), 2);
	give(f, "s1");
	assert_int_equal(take(f, "s2", "user_a", 1), NXV_E_LIMIT);
}

static void slot_of_a_transaction_rolled_back_was_never_taken(void **state)
{
	struct fixture *f = *state;
	struct db_tx *tx = NULL;

	assert_int_equal(db_begin(f->ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(slot_take(tx, "s1", "user_a", 1, f->now_ms, f->now_ms + LEASE_MS, NULL), NXV_OK);
	db_rollback(tx);
	assert_int_equal(count(f, "user_a"), 0);
}

static void slot_without_its_table_is_a_store_error(void **state)
{
	struct fixture *f = *state;
	int64_t slots;
	struct db_tx *tx = NULL;

	fixture_sql(f, "DROP TABLE slot");
	assert_int_equal(take(f, "s1", "user_a", 1), NXV_E_STORE);
	assert_int_equal(db_begin(f->ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(slot_note(tx, "s1", "user_a", 1, 2, NULL), NXV_E_STORE);
	assert_int_equal(slot_give(tx, "s1", NULL), NXV_E_STORE);
	assert_int_equal(slot_count(tx, "user_a", 1, &slots, NULL), NXV_E_STORE);
	db_rollback(tx);
}

static void two_processes_racing_for_fifty_slots_get_fifty(void **state)
{
	struct fixture *f = *state;
	struct fixture_pair pair;
	char session_id[32];
	int got = 0;

	fixture_split(f, &pair);
	for (int i = 0; i < 50; i++) {
		snprintf(session_id, sizeof(session_id), "%s-%d", pair.child ? "parent" : "child", i);
		fixture_meet(&pair);
		got += take(f, session_id, "user_a", 50) == NXV_OK;
	}
	assert_int_equal(fixture_join(&pair, got), 50);
	assert_int_equal(count(f, "user_a"), 50);
}

static void two_processes_racing_for_the_last_slot_never_both_get_it(void **state)
{
	struct fixture *f = *state;
	struct fixture_pair pair;
	char session_id[32], user_id[32];
	int got = 0;

	fixture_split(f, &pair);
	for (int i = 0; i < 1000; i++) {
		snprintf(session_id, sizeof(session_id), "%s-%d", pair.child ? "parent" : "child", i);
		snprintf(user_id, sizeof(user_id), "user_%d", i);
		fixture_meet(&pair);
		got += take(f, session_id, user_id, 1) == NXV_OK;
	}
	assert_int_equal(fixture_join(&pair, got), 1000);
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM slot"), 1000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(slot_take_refuses_the_call_after_the_last),
		CASE(slot_give_frees_a_place_and_twice_is_harmless),
		CASE(slot_that_nobody_gave_back_ends_with_its_lease),
		CASE(slot_taken_again_by_the_same_session_is_one_slot),
		CASE(slot_note_counts_beyond_the_limit),
		CASE(slot_of_a_transaction_rolled_back_was_never_taken),
		CASE(slot_without_its_table_is_a_store_error),
		CASE(two_processes_racing_for_fifty_slots_get_fifty),
		CASE(two_processes_racing_for_the_last_slot_never_both_get_it),
	};

	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
