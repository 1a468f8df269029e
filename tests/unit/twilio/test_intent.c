/* test_intent.c - the log of creates and webhooks: what is over for long is forgotten, and nothing else. */
#include "../fixture.h"
#include "base/text.h"
#include "session/session_row.h"
#include "twilio/intent.h"

enum { DAY_MS = 24 * 3600 * 1000 };

/* A call of so many days ago, with one webhook. */
static void store(struct fixture *f, int number, int days, bool over)
{
	struct session_row *row = session_row_new();
	const int64_t at_ms = f->now_ms - (int64_t)days * DAY_MS;
	struct callback cb = { .session_id = NULL };
	struct intent intent = { .stored_at_ms = at_ms };
	struct db_tx *tx;
	char mark[32];
	bool late;

	assert_non_null(row);
	row->pub.id = text_printf("session_%lld_%d", (long long)(at_ms / 1000), number);
	row->pub.direction = text_dup("outbound-api");
	row->pub.from_number = text_dup("+15550100");
	row->pub.to_number = text_dup("+15550111");
	row->pub.user_id = text_dup("alice");
	row->pub.started_at_ms = at_ms;
	row->carrier = text_dup("twilio");
	assert_int_equal(db_begin(f->ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(session_insert(tx, row, NULL), NXV_OK);
	assert_int_equal(db_commit(tx, NULL), NXV_OK);
	intent.session_id = row->pub.id;
	intent.to = intent.from = intent.dial = row->pub.to_number;
	assert_int_equal(intent_insert(f->ctx.db, &intent, NULL), NXV_OK);
	assert_int_equal(intent_stage(f->ctx.db, row->pub.id, over ? INTENT_CLOSED : INTENT_OPEN, row->pub.id, at_ms, NULL), NXV_OK);
	snprintf(mark, sizeof(mark), "%d", number);
	cb.session_id = cb.call_sid = row->pub.id;
	cb.mark = mark;
	cb.status = row->carrier;
	assert_int_equal(callback_append(f->ctx.db, &cb, &late, NULL), NXV_OK);
	session_row_free(row);
}

static void what_is_over_for_long_is_forgotten_a_few_at_a_time(void **state)
{
	struct fixture f;
	bool more;

	(void)state;
	fixture_open(&f, NULL);
	for (int i = 0; i < INTENT_FORGET_MOST + 5; i++)
		store(&f, i, 8, true);
	store(&f, 1001, 8, false);
	store(&f, 1002, 1, true);
	assert_int_equal(intent_forget(f.ctx.db, f.now_ms - 7 * (int64_t)DAY_MS, &more, NULL), NXV_OK);
	assert_true(more);
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM twilio_call"), 7);
	assert_int_equal(intent_forget(f.ctx.db, f.now_ms - 7 * (int64_t)DAY_MS, &more, NULL), NXV_OK);
	assert_false(more);
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM twilio_call"), 2);
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM twilio_callback"), 2);
	assert_int_equal(fixture_count(&f, "SELECT count(*) FROM session"), INTENT_FORGET_MOST + 7);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_over_for_long_is_forgotten_a_few_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
