/* test_gate.c - the gate: who gets in, in which order refusals come, and what goes on record. */
#include "../fixture.h"

#include <nexusvoip/gate.h>
#include <nexusvoip/keys.h>
#include <nexusvoip/usage.h>

#include "keys/token.h"

#include <pthread.h>
#include <time.h>

static int setup(void **state)
{
	static const char *const set[] = { "limits.requests_per_minute=5", NULL };
	struct fixture *f = malloc(sizeof(*f));

	assert_non_null(f);
	fixture_open(f, set);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_close(*state);
	free(*state);
	return 0;
}

static struct nxv_key *make(struct fixture *f, unsigned permissions, int64_t expires_at_ms)
{
	struct nxv_key_opts opts = NXV_KEY_OPTS_INIT;
	struct nxv_key *key = NULL;

	opts.user_id = "user_123";
	opts.name = "n";
	opts.permissions = permissions;
	opts.expires_at_ms = expires_at_ms;
	assert_int_equal(nxv_key_create(&f->ctx, &opts, &key, NULL), NXV_OK);
	return key;
}

static struct nxv_pass *enter(
	struct fixture *f, const char *scheme, const char *token, unsigned permissions, nxv_status expected,
	struct nxv_error *err)
{
	struct nxv_gate_opts opts = NXV_GATE_OPTS_INIT;
	struct nxv_pass *pass = NULL;
	char header[128];

	snprintf(header, sizeof(header), "%s%s", scheme, token ? token : "");
	opts.authorization = token ? header : NULL;
	opts.permissions = permissions;
	opts.method = "POST";
	opts.route = "/api/v1/opensips/call/:sessionId";
	opts.request_id = "req-7";
	opts.client_address = "127.0.0.9";
	assert_int_equal(nxv_gate_enter(&f->ctx, &opts, &pass, err), expected);
	assert_non_null(pass);
	assert_int_equal(pass->verdict, expected);
	return pass;
}

static void leave(struct fixture *f, struct nxv_pass *pass, int http_status)
{
	assert_int_equal(nxv_gate_leave(&f->ctx, pass, http_status, 42, NULL), NXV_OK);
}

/* Enter and leave; what it came to is the status expected. */
static void pass_by(struct fixture *f, const char *token, unsigned permissions, nxv_status expected)
{
	leave(f, enter(f, "Bearer ", token, permissions, expected, NULL), expected ? 499 : 200);
}

static int64_t rows(struct fixture *f)
{
	return fixture_count(f, "SELECT COUNT(*) FROM usage_row");
}

static void gate_lets_a_good_key_in_and_records_it(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = make(f, NXV_PERM_CALL, 0);
	struct nxv_pass *pass = enter(f, "Bearer ", key->secret, NXV_PERM_CALL, NXV_OK, NULL);
	struct timespec nap = { 0, 5000000 };
	struct nxv_usage_page *list = NULL;

	assert_string_equal(pass->key_id, key->id);
	assert_string_equal(pass->user_id, "user_123");
	assert_int_equal(pass->permissions, NXV_PERM_CALL);
	assert_int_equal(pass->rate_limit, 5);
	assert_int_equal(pass->rate_remaining, 4);
	assert_int_equal(pass->rate_reset_ms, 60000);
	assert_int_equal(rows(f), 0);
	f->now_ms += 777;
	nanosleep(&nap, NULL);
	leave(f, pass, 201);
	assert_int_equal(nxv_usage_list(&f->ctx, NULL, &list, NULL), NXV_OK);
	assert_int_equal(list->count, 1);
	assert_int_equal(list->items[0]->at_ms, FIXTURE_NOW_MS);
	assert_string_equal(list->items[0]->key_id, key->id);
	assert_string_equal(list->items[0]->user_id, "user_123");
	assert_string_equal(list->items[0]->request_id, "req-7");
	assert_string_equal(list->items[0]->method, "POST");
	assert_string_equal(list->items[0]->route, "/api/v1/opensips/call/:sessionId");
	assert_string_equal(list->items[0]->client_address, "127.0.0.9");
	assert_int_equal(list->items[0]->status, 201);
	assert_int_equal(list->items[0]->bytes, 42);
	assert_in_range(list->items[0]->duration_us, 5000, 30000000);
	nxv_usage_page_free(list);
	assert_int_equal(fixture_count(f, "SELECT last_used_at_ms FROM api_key"), FIXTURE_NOW_MS);
	nxv_key_free(key);
}

static void gate_refuses_every_bad_key_alike_and_records_the_known_ones(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *disabled = make(f, 15, 0), *deleted = make(f, 15, 0);
	struct nxv_key *expired = make(f, 15, FIXTURE_NOW_MS + 1);
	uint8_t random[TOKEN_RANDOM_BYTES] = { 1 };
	char unknown[TOKEN_LEN + 1];
	struct nxv_error errs[6];

	token_make(random, unknown);
	assert_int_equal(nxv_key_set_active(&f->ctx, disabled->id, false, NULL, NULL), NXV_OK);
	assert_int_equal(nxv_key_delete(&f->ctx, deleted->id, NULL), NXV_OK);
	f->now_ms++;
	const char *const tokens[6] = { NULL, "sk_voip_abc123...", unknown, deleted->secret, disabled->secret,
		expired->secret };
	for (int i = 0; i < 6; i++) {
		memset(&errs[i], 0, sizeof(errs[i]));
		struct nxv_pass *pass = enter(f, "Bearer ", tokens[i], NXV_PERM_CALL, NXV_E_UNAUTHENTICATED, &errs[i]);

		assert_memory_equal(&errs[i], &errs[0], sizeof(errs[0]));
		assert_int_equal(pass->key_id != NULL, i >= 4);
		assert_int_equal(pass->user_id != NULL, i >= 4);
		assert_int_equal(pass->rate_limit, 0);
		leave(f, pass, 401);
		assert_int_equal(rows(f), i < 4 ? 0 : i - 3);
	}
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM usage_row WHERE status = 401"), 2);
	nxv_key_free(disabled);
	nxv_key_free(expired);
	nxv_key_free(deleted);
}

static void gate_wants_one_of_the_permissions_asked_for(void **state)
{
	static const char *const set[] = { "limits.requests_per_minute=1000", NULL };
	struct fixture *f = *state;

	fixture_detach(f);
	fixture_attach(f, set);
	for (unsigned has = 1; has < 16; has++) {
		struct nxv_key *key = make(f, has, 0);

		for (unsigned wants = 0; wants < 16; wants++)
			pass_by(f, key->secret, wants, !wants || (has & wants) ? NXV_OK : NXV_E_DENIED);
		nxv_key_free(key);
	}
	assert_int_equal(rows(f), 15 * 16);
}

static void gate_says_which_permission_is_missing(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = make(f, NXV_PERM_SIP, 0);
	struct nxv_error err = NXV_ERROR_INIT;

	leave(f, enter(f, "Bearer ", key->secret, NXV_PERM_CALL, NXV_E_DENIED, &err), 403);
	assert_string_equal(err.code, "forbidden");
	assert_non_null(strstr(err.message, "call"));
	leave(f, enter(f, "Bearer ", key->secret, NXV_PERM_CALL | NXV_PERM_ADMIN, NXV_E_DENIED, &err), 403);
	nxv_key_free(key);
}

static void gate_limits_each_key_and_counts_denied_requests_but_not_refused_ones(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = make(f, NXV_PERM_SIP, 0), *other = make(f, NXV_PERM_SIP, 0);
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_pass *pass;

	for (int i = 0; i < 3; i++)
		pass_by(f, key->secret, NXV_PERM_SIP, NXV_OK);
	for (int i = 0; i < 2; i++)
		pass_by(f, key->secret, NXV_PERM_CALL, NXV_E_DENIED);
	f->now_ms += 59000;
	/* The limit comes before the permission. */
	pass = enter(f, "Bearer ", key->secret, NXV_PERM_CALL, NXV_E_LIMIT, &err);
	assert_string_equal(err.code, "rate_limited");
	assert_int_equal(err.retry_after_ms, 1000);
	assert_int_equal(pass->rate_limit, 5);
	assert_int_equal(pass->rate_remaining, 0);
	assert_int_equal(pass->rate_reset_ms, 1000);
	leave(f, pass, 429);
	pass_by(f, other->secret, NXV_PERM_SIP, NXV_OK);
	f->now_ms += 1000;
	pass_by(f, key->secret, NXV_PERM_SIP, NXV_OK);
	assert_int_equal(rows(f), 8);
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM usage_row WHERE status <> 200"), 3);
	nxv_key_free(key);
	nxv_key_free(other);
}

static void gate_takes_no_place_for_a_key_that_is_disabled(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = make(f, NXV_PERM_SIP, 0);

	assert_int_equal(nxv_key_set_active(&f->ctx, key->id, false, NULL, NULL), NXV_OK);
	for (int i = 0; i < 9; i++)
		pass_by(f, key->secret, NXV_PERM_SIP, NXV_E_UNAUTHENTICATED);
	assert_int_equal(nxv_key_set_active(&f->ctx, key->id, true, NULL, NULL), NXV_OK);
	pass_by(f, key->secret, NXV_PERM_SIP, NXV_OK);
	assert_int_equal(rows(f), 10);
	nxv_key_free(key);
}

static void gate_reads_the_authorization_header_as_the_rfc_says(void **state)
{
	static const char *const good[] = { "Bearer ", "bearer ", "BEARER ", " Bearer \t " };
	static const char *const bad[] = { "", "Bearer", "Basic ", "Bearer Bearer ", "Bearerx ", "Bearer \"",
		"Bearer ,", "Bearer\n" };
	struct fixture *f = *state;
	struct nxv_key *key = make(f, NXV_PERM_SIP, 0);
	char twice[2 * TOKEN_LEN + 2], blank[TOKEN_LEN + 3];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		leave(f, enter(f, good[i], key->secret, 0, NXV_OK, NULL), 200);
	snprintf(blank, sizeof(blank), "%s \t", key->secret);
	leave(f, enter(f, "Bearer ", blank, 0, NXV_OK, NULL), 200);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		leave(f, enter(f, bad[i], key->secret, 0, NXV_E_UNAUTHENTICATED, NULL), 401);
	snprintf(twice, sizeof(twice), "%s %s", key->secret, key->secret);
	pass_by(f, twice, 0, NXV_E_UNAUTHENTICATED);
	snprintf(twice, sizeof(twice), "%s,%s", key->secret, key->secret);
	pass_by(f, twice, 0, NXV_E_UNAUTHENTICATED);
	pass_by(f, "", 0, NXV_E_UNAUTHENTICATED);
	nxv_key_free(key);
}

static void gate_refuses_options_that_were_not_started(void **state)
{
	struct fixture *f = *state;
	struct nxv_gate_opts opts = { 0 };
	struct nxv_pass *pass = (void *)1;

	assert_int_equal(nxv_gate_enter(&f->ctx, &opts, &pass, NULL), NXV_E_INVALID);
	assert_null(pass);
	assert_int_equal(nxv_gate_enter(&f->ctx, NULL, &pass, NULL), NXV_E_INVALID);
	assert_int_equal(nxv_gate_leave(&f->ctx, NULL, 200, 0, NULL), NXV_OK);
}

static void gate_reports_a_store_that_fails_on_the_way_in_and_out(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = make(f, NXV_PERM_SIP, 0);
	struct nxv_pass *pass = enter(f, "Bearer ", key->secret, 0, NXV_OK, NULL);
	struct nxv_error err = NXV_ERROR_INIT;

	fixture_sql(f, "DROP TABLE usage_row");
	assert_int_equal(nxv_gate_leave(&f->ctx, pass, 200, 0, &err), NXV_E_STORE);
	fixture_sql(f, "DROP TABLE api_key");
	pass = enter(f, "Bearer ", key->secret, 0, NXV_E_STORE, &err);
	assert_null(pass->key_id);
	assert_int_equal(nxv_gate_leave(&f->ctx, pass, 500, 0, NULL), NXV_OK);
	nxv_key_free(key);
}

enum { THREADS = 8, REQUESTS = 10, LIMIT = 30 };

struct racer {
	pthread_t thread;
	struct fixture *f;
	const char *header;
	int admitted, refused;
};

static void *knock_often(void *arg)
{
	struct racer *racer = arg;
	struct nxv_gate_opts opts = NXV_GATE_OPTS_INIT;

	opts.authorization = racer->header;
	opts.method = opts.route = opts.request_id = "x";
	for (int i = 0; i < REQUESTS; i++) {
		struct nxv_pass *pass = NULL;
		nxv_status status = nxv_gate_enter(&racer->f->ctx, &opts, &pass, NULL);

		racer->admitted += status == NXV_OK;
		racer->refused += status == NXV_E_LIMIT;
		if (nxv_gate_leave(&racer->f->ctx, pass, status ? 429 : 200, 0, NULL))
			racer->refused = -1000;
	}
	return NULL;
}

static void racing_requests_are_admitted_up_to_the_limit_and_all_recorded(void **state)
{
	static const char *const set[] = { "limits.requests_per_minute=30", NULL };
	struct fixture *f = *state;
	struct racer racers[THREADS];
	struct nxv_key *key;
	int admitted = 0, refused = 0;
	char header[80];

	fixture_detach(f);
	fixture_attach(f, set);
	key = make(f, NXV_PERM_CALL, 0);
	snprintf(header, sizeof(header), "Bearer %s", key->secret);
	for (int i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){ .f = f, .header = header };
		assert_int_equal(pthread_create(&racers[i].thread, NULL, knock_often, &racers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(racers[i].thread, NULL);
		admitted += racers[i].admitted;
		refused += racers[i].refused;
	}
	assert_int_equal(admitted, LIMIT);
	assert_int_equal(refused, THREADS * REQUESTS - LIMIT);
	assert_int_equal(rows(f), THREADS * REQUESTS);
	nxv_key_free(key);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(gate_lets_a_good_key_in_and_records_it),
		CASE(gate_refuses_every_bad_key_alike_and_records_the_known_ones),
		CASE(gate_wants_one_of_the_permissions_asked_for),
		CASE(gate_says_which_permission_is_missing),
		CASE(gate_limits_each_key_and_counts_denied_requests_but_not_refused_ones),
		CASE(gate_takes_no_place_for_a_key_that_is_disabled),
		CASE(gate_reads_the_authorization_header_as_the_rfc_says),
		CASE(gate_refuses_options_that_were_not_started),
		CASE(gate_reports_a_store_that_fails_on_the_way_in_and_out),
		CASE(racing_requests_are_admitted_up_to_the_limit_and_all_recorded),
	};

	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
