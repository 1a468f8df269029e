/* test_key_verify.c - from a token to a verdict, also while another process changes the key. */
#include "key_fixture.h"

#include "keys/token.h"
#include "keys/verify.h"

static void verify_gives_the_key_of_a_good_token(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = key_make(f, "user_123", 0), *found = NULL;

	assert_int_equal(nxv_key_verify(&f->ctx, key->secret, &found, NULL), NXV_OK);
	assert_string_equal(found->id, key->id);
	assert_string_equal(found->user_id, "user_123");
	assert_int_equal(found->permissions, key->permissions);
	assert_null(found->secret);
	nxv_key_free(found);
	nxv_key_free(key);
}

/* A store without tables fails at every statement: who gets a refusal from it has not asked it. */
static void verify_refuses_a_malformed_token_without_the_database(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = key_make(f, "user_123", 0);
	char wrong[TOKEN_LEN + 1];

	fixture_sql(f, "DROP TABLE api_key");
	assert_int_equal(key_verdict(f, key->secret), NXV_E_STORE);
	memcpy(wrong, key->secret, sizeof(wrong));
	wrong[TOKEN_LEN - 1] = wrong[TOKEN_LEN - 1] == '0' ? '1' : '0';
	assert_int_equal(key_verdict(f, wrong), NXV_E_UNAUTHENTICATED);
	assert_int_equal(key_verdict(f, ""), NXV_E_UNAUTHENTICATED);
	assert_int_equal(key_verdict(f, "sk_voip_abc123..."), NXV_E_UNAUTHENTICATED);
	assert_int_equal(key_verdict(f, NULL), NXV_E_UNAUTHENTICATED);
	nxv_key_free(key);
}

static void verify_answers_every_refusal_alike(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *disabled = key_make(f, "user_1", 0), *expired = key_make(f, "user_2", FIXTURE_NOW_MS + 10);
	struct nxv_key *deleted = key_make(f, "user_3", 0), *out = NULL;
	uint8_t random[TOKEN_RANDOM_BYTES] = { 7 };
	struct nxv_error errs[5];
	char unknown[TOKEN_LEN + 1];

	token_make(random, unknown);
	assert_int_equal(nxv_key_set_active(&f->ctx, disabled->id, false, NULL, NULL), NXV_OK);
	assert_int_equal(nxv_key_delete(&f->ctx, deleted->id, NULL), NXV_OK);
	f->now_ms += 10;
	const char *const tokens[5] = { disabled->secret, expired->secret, deleted->secret, unknown, "nonsense" };
	for (int i = 0; i < 5; i++) {
		memset(&errs[i], 0, sizeof(errs[i]));
		assert_int_equal(nxv_key_verify(&f->ctx, tokens[i], &out, &errs[i]), NXV_E_UNAUTHENTICATED);
		assert_null(out);
		assert_memory_equal(&errs[i], &errs[0], sizeof(errs[0]));
	}
	assert_string_equal(errs[0].code, "unauthenticated");
	nxv_key_free(disabled);
	nxv_key_free(expired);
	nxv_key_free(deleted);
}

static void verify_lets_a_key_in_until_the_millisecond_it_expires(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = key_make(f, "user_123", FIXTURE_NOW_MS + 1000);

	f->now_ms = FIXTURE_NOW_MS + 999;
	assert_int_equal(key_verdict(f, key->secret), NXV_OK);
	f->now_ms++;
	assert_int_equal(key_verdict(f, key->secret), NXV_E_UNAUTHENTICATED);
	nxv_key_free(key);
}

static void check_tells_who_a_refused_key_belongs_to_only_when_it_is_known(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = key_make(f, "user_123", FIXTURE_NOW_MS + 10), *known = NULL;
	uint8_t random[TOKEN_RANDOM_BYTES] = { 7 };
	char unknown[TOKEN_LEN + 1];

	token_make(random, unknown);
	assert_int_equal(key_check(&f->ctx.env, f->ctx.db, unknown, &known, NULL), NXV_E_UNAUTHENTICATED);
	assert_null(known);
	f->now_ms += 10;
	assert_int_equal(key_check(&f->ctx.env, f->ctx.db, key->secret, &known, NULL), NXV_E_UNAUTHENTICATED);
	assert_string_equal(known->id, key->id);
	nxv_key_free(known);
	nxv_key_free(key);
}

/* --- another process changes the key: each order is one byte, and is answered when it is committed. */
static void other_process(struct fixture *f, const char *id, int orders, int answers)
{
	char order;

	fixture_attach(f, NULL);
	while (read(orders, &order, 1) == 1) {
		nxv_status status = order == 'x' ? nxv_key_delete(&f->ctx, id, NULL) :
			nxv_key_set_active(&f->ctx, id, order == '+', NULL, NULL);

		if (status || write(answers, &order, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static void tell(int orders, int answers, char order)
{
	char answer = 0;

	assert_int_equal(write(orders, &order, 1), 1);
	assert_int_equal(read(answers, &answer, 1), 1);
	assert_int_equal(answer, order);
}

static void verify_sees_what_another_process_did_on_the_very_next_call(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = key_make(f, "user_123", 0);
	int orders[2], answers[2];
	pid_t child;

	fixture_detach(f);
	assert_int_equal(pipe(orders), 0);
	assert_int_equal(pipe(answers), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		close(orders[1]);
		other_process(f, key->id, orders[0], answers[1]);
	}
	close(orders[0]);
	close(answers[1]);
	fixture_attach(f, NULL);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(key_verdict(f, key->secret), NXV_OK);
		tell(orders[1], answers[0], '-');
		assert_int_equal(key_verdict(f, key->secret), NXV_E_UNAUTHENTICATED);
		tell(orders[1], answers[0], '+');
	}
	assert_int_equal(key_verdict(f, key->secret), NXV_OK);
	tell(orders[1], answers[0], 'x');
	assert_int_equal(key_verdict(f, key->secret), NXV_E_UNAUTHENTICATED);
	close(orders[1]);
	assert_int_equal(fixture_reap(child), 0);
	close(answers[0]);
	nxv_key_free(key);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, key_setup, key_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(verify_gives_the_key_of_a_good_token),
		CASE(verify_refuses_a_malformed_token_without_the_database),
		CASE(verify_answers_every_refusal_alike),
		CASE(verify_lets_a_key_in_until_the_millisecond_it_expires),
		CASE(check_tells_who_a_refused_key_belongs_to_only_when_it_is_known),
		CASE(verify_sees_what_another_process_did_on_the_very_next_call),
	};

	return cmocka_run_group_tests_name("key_verify", tests, NULL, NULL);
}
