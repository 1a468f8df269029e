/* test_admit.c - calls and minutes a day, per user and per key: counted exactly, whoever races. */
#include "../fixture.h"
#include "session/admit.h"
#include "session/session_row.h"
#include "base/text.h"

enum { RACERS = 8, TRIES = 6, CAP = 20 };

static const char *const open_to_all = "calls.allow=*";
static const char *const any_caller = "calls.caller_ids=*";

/* A call of alice by key_1, stored as nxv_session_start() would. */
static nxv_status place(struct fixture *f, const char *id, const char *key_id, struct nxv_error *err)
{
	const struct admit_call call = { .user_id = "alice", .key_id = key_id, .from = "+15550100", .to = "+15550111", .now_ms = f->now_ms };
	struct session_row *row = session_row_new();
	struct db_tx *tx = NULL;
	nxv_status status;

	assert_non_null(row);
	row->pub.id = text_dup(id);
	row->pub.direction = text_dup("outbound-api");
	row->pub.from_number = text_dup(call.from);
	row->pub.to_number = text_dup(call.to);
	row->pub.user_id = text_dup(call.user_id);
	row->pub.key_id = text_dup(key_id);
	row->pub.started_at_ms = call.now_ms;
	row->carrier = text_dup("sip");
	status = db_begin(f->ctx.db, DB_WRITE, &tx, err);
	if (status == NXV_OK)
		status = admit(tx, f->ctx.cfg, &call, err);
	if (status == NXV_OK)
		status = session_insert(tx, row, err);
	if (status == NXV_OK) {
		status = db_commit(tx, err);
		tx = NULL;
	}
	db_rollback(tx);
	session_row_free(row);
	return status;
}

static void call_cap_of_the_user_counts_all_keys_and_a_day(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct fixture f;

	(void)state;
	fixture_open(&f, (const char *[]){ open_to_all, any_caller, "limits.user_calls_per_day=2", NULL });
	assert_int_equal(place(&f, "s1", "key_1", &err), NXV_OK);
	f.now_ms += 3600000;
	assert_int_equal(place(&f, "s2", NULL, &err), NXV_OK);
	assert_int_equal(place(&f, "s3", "key_2", &err), NXV_E_LIMIT);
	assert_string_equal(err.code, "call_cap");
	assert_non_null(strstr(err.message, "this user has started 2 telephone calls"));
	assert_non_null(strstr(err.message, "limits.user_calls_per_day"));
	assert_int_equal(err.retry_after_ms, 23 * 3600000);
	f.now_ms += 23 * 3600000;
	assert_int_equal(place(&f, "s4", "key_2", &err), NXV_OK);
	assert_int_equal(place(&f, "s5", "key_2", &err), NXV_E_LIMIT);
	fixture_close(&f);
}

static void call_cap_of_a_key_leaves_other_keys_alone(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct fixture f;

	(void)state;
	fixture_open(&f, (const char *[]){ open_to_all, any_caller, "limits.key_calls_per_day=1", NULL });
	assert_int_equal(place(&f, "s1", "key_1", &err), NXV_OK);
	assert_int_equal(place(&f, "s2", "key_1", &err), NXV_E_LIMIT);
	assert_non_null(strstr(err.message, "this API key"));
	assert_int_equal(place(&f, "s3", "key_2", &err), NXV_OK);
	assert_int_equal(place(&f, "s4", NULL, &err), NXV_OK);
	fixture_close(&f);
}

static void call_that_never_rang_came_in_or_went_to_a_phone_does_not_count(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct fixture f;

	(void)state;
	fixture_open(&f, (const char *[]){ open_to_all, any_caller, "limits.user_calls_per_day=1", NULL });
	assert_int_equal(place(&f, "s1", NULL, &err), NXV_OK);
	fixture_sql(&f, "UPDATE session SET to_number = 'bob'");
	assert_int_equal(place(&f, "s2", NULL, &err), NXV_OK);
	fixture_sql(&f, "UPDATE session SET ended_at_ms = started_at_ms + 1 WHERE id = 's2'");
	assert_int_equal(place(&f, "s3", NULL, &err), NXV_OK);
	fixture_sql(&f, "UPDATE session SET ended_at_ms = started_at_ms + 1, ringing_at_ms = started_at_ms WHERE id = 's3'");
	assert_int_equal(place(&f, "s4", NULL, &err), NXV_E_LIMIT);
	fixture_sql(&f, "UPDATE session SET direction = 'inbound' WHERE id = 's3'");
	assert_int_equal(place(&f, "s4", NULL, &err), NXV_OK);
	fixture_sql(&f, "DELETE FROM session WHERE id = 's4'");
	fixture_sql(&f, "UPDATE session SET direction = 'outbound-api', to_number = 'sip:+15550111@nexus.local' WHERE id = 's3'");
	assert_int_equal(place(&f, "s5", NULL, &err), NXV_E_LIMIT);
	fixture_close(&f);
}

static void minutes_count_calls_that_ended_and_calls_that_last(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct fixture f;

	(void)state;
	fixture_open(&f, (const char *[]){ open_to_all, any_caller, "limits.user_minutes_per_day=10", "limits.key_minutes_per_day=8", NULL });
	assert_int_equal(place(&f, "s1", "key_1", &err), NXV_OK);
	fixture_sql(&f, "UPDATE session SET ringing_at_ms = started_at_ms, answered_at_ms = started_at_ms, ended_at_ms = started_at_ms + 5 * 60000");
	f.now_ms += 6 * 60000;
	assert_int_equal(place(&f, "s2", "key_1", &err), NXV_OK);
	fixture_sql(&f, "UPDATE session SET ringing_at_ms = started_at_ms, answered_at_ms = started_at_ms WHERE id = 's2'");
	f.now_ms += 3 * 60000 - 1;
	assert_int_equal(place(&f, "s3", "key_1", &err), NXV_OK);
	f.now_ms += 1;
	assert_int_equal(place(&f, "s4", "key_1", &err), NXV_E_LIMIT);
	assert_string_equal(err.code, "minute_cap");
	assert_non_null(strstr(err.message, "has used 8 telephone minutes"));
	assert_int_equal(place(&f, "s5", "key_2", &err), NXV_OK);
	f.now_ms += 2 * 60000;
	assert_int_equal(place(&f, "s6", "key_2", &err), NXV_E_LIMIT);
	assert_non_null(strstr(err.message, "limits.user_minutes_per_day"));
	fixture_close(&f);
}

static void policy_refuses_before_anything_is_counted(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct fixture f;

	(void)state;
	fixture_open(&f, (const char *[]){ any_caller, "limits.user_calls_per_day=1", NULL });
	assert_int_equal(place(&f, "s1", NULL, &err), NXV_E_UNCALLABLE);
	assert_string_equal(err.code, "destination_not_allowed");
	fixture_close(&f);
}

/* Each racer is a process of its own. @return calls let in. */
static int race(struct fixture *f, const char *const *set, int racer)
{
	int admitted = 0;

	fixture_attach(f, set);
	for (int i = 0; i < TRIES; i++) {
		struct nxv_error err = NXV_ERROR_INIT;
		char id[32];
		nxv_status status;

		snprintf(id, sizeof(id), "s%d_%d", racer, i);
		do
			status = place(f, id, "key_1", &err);
		while (status == NXV_E_BUSY);
		admitted += status == NXV_OK;
		if (status != NXV_OK && strcmp(err.code, "call_cap") != 0)
			_exit(100);
	}
	return admitted;
}

static void racing_clients_get_exactly_as_many_calls_as_the_cap(void **state)
{
	const char *const set[] = { open_to_all, any_caller, "limits.user_calls_per_day=20", NULL };
	struct fixture f;
	pid_t racers[RACERS];
	int admitted = 0;

	(void)state;
	fixture_open(&f, set);
	fixture_detach(&f);
	for (int i = 0; i < RACERS; i++) {
		racers[i] = fork();
		assert_true(racers[i] >= 0);
		if (racers[i] == 0)
			_exit(race(&f, set, i));
	}
	for (int i = 0; i < RACERS; i++) {
		int n = fixture_reap(racers[i]);
		assert_true(n <= TRIES);
		admitted += n;
	}
	fixture_attach(&f, set);
	assert_int_equal(admitted, CAP);
	assert_int_equal(fixture_count(&f, "SELECT COUNT(*) FROM session"), CAP);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(call_cap_of_the_user_counts_all_keys_and_a_day),
		cmocka_unit_test(call_cap_of_a_key_leaves_other_keys_alone),
		cmocka_unit_test(call_that_never_rang_came_in_or_went_to_a_phone_does_not_count),
		cmocka_unit_test(minutes_count_calls_that_ended_and_calls_that_last),
		cmocka_unit_test(policy_refuses_before_anything_is_counted),
		cmocka_unit_test(racing_clients_get_exactly_as_many_calls_as_the_cap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
