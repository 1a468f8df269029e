/* test_keys.c - creating and reading keys: what is stored, what is refused, how lists page. */
#include "key_fixture.h"

#include "keys/token.h"

static void key_create_gives_the_secret_once(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = key_make(f, "user_123", 0), *again = NULL;

	assert_true(token_valid(key->secret));
	assert_memory_equal(key->id, "key_", 4);
	assert_string_equal(key->user_id, "user_123");
	assert_string_equal(key->name, "Phone of the front desk");
	assert_int_equal(key->permissions, 15);
	assert_true(key->active);
	assert_int_equal(key->created_at_ms, FIXTURE_NOW_MS);
	assert_int_equal(key->expires_at_ms, 0);
	assert_int_equal(key->last_used_at_ms, 0);
	assert_int_equal(strlen(key->prefix), 12);
	assert_memory_equal(key->prefix, key->secret, 12);

	assert_int_equal(nxv_key_get(&f->ctx, key->id, &again, NULL), NXV_OK);
	assert_null(again->secret);
	assert_string_equal(again->prefix, key->prefix);
	assert_string_equal(again->name, key->name);
	nxv_key_free(again);
	nxv_key_free(key);
}

static void key_secret_is_nowhere_in_the_store(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = key_make(f, "user_123", 0);

	assert_true(fixture_file_holds(f, key->id));
	assert_false(fixture_file_holds(f, key->secret));
	assert_false(fixture_file_holds(f, key->secret + TOKEN_PREFIX_LEN));
	nxv_key_free(key);
}

static void key_create_never_repeats_a_secret(void **state)
{
	struct nxv_key *one = key_make(*state, "user_123", 0), *two = key_make(*state, "user_123", 0);

	assert_string_not_equal(one->secret, two->secret);
	assert_string_not_equal(one->id, two->id);
	nxv_key_free(one);
	nxv_key_free(two);
}

struct bad_case {
	const char *field;
	struct nxv_key_opts opts;
};

static void key_create_names_the_field_at_fault(void **state)
{
	char long_user[66], long_name[102];
	memset(long_user, 'u', 65), long_user[65] = '\0';
	memset(long_name, 'n', 101), long_name[101] = '\0';
	const size_t size = sizeof(struct nxv_key_opts);
	const struct bad_case cases[] = {
		{ "opts", { 0, "u", "n", 1, 0 } },
		{ "userId", { size, NULL, "n", 1, 0 } },
		{ "userId", { size, "", "n", 1, 0 } },
		{ "userId", { size, "user 1", "n", 1, 0 } },
		{ "userId", { size, "user\n", "n", 1, 0 } },
		{ "userId", { size, long_user, "n", 1, 0 } },
		{ "name", { size, "u", NULL, 1, 0 } },
		{ "name", { size, "u", "", 1, 0 } },
		{ "name", { size, "u", "a\tb", 1, 0 } },
		{ "name", { size, "u", "\xff", 1, 0 } },
		{ "name", { size, "u", long_name, 1, 0 } },
		{ "permissions", { size, "u", "n", 0, 0 } },
		{ "permissions", { size, "u", "n", 16, 0 } },
		{ "permissions", { size, "u", "n", 1 | 64, 0 } },
		{ "expiresAt", { size, "u", "n", 1, FIXTURE_NOW_MS } },
		{ "expiresAt", { size, "u", "n", 1, 1 } },
		{ "expiresAt", { size, "u", "n", 1, -5 } },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct nxv_error err = NXV_ERROR_INIT;
		struct nxv_key *key = (void *)1;

		assert_int_equal(nxv_key_create(&f->ctx, &cases[i].opts, &key, &err), NXV_E_INVALID);
		assert_string_equal(err.field, cases[i].field);
		assert_null(key);
	}
	assert_int_equal(nxv_key_create(&f->ctx, NULL, &(struct nxv_key *){ NULL }, NULL), NXV_E_INVALID);
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM api_key"), 0);
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM event"), 0);
}

static void key_create_accepts_the_longest_names(void **state)
{
	struct fixture *f = *state;
	struct nxv_key_opts opts = NXV_KEY_OPTS_INIT;
	struct nxv_key *key = NULL;
	char user[65], name[101];

	memset(user, 'u', 64), user[64] = '\0';
	memset(name, 'n', 100), name[100] = '\0';
	opts.user_id = user;
	opts.name = name;
	opts.permissions = NXV_PERM_CALL;
	opts.expires_at_ms = FIXTURE_NOW_MS + 1;
	assert_int_equal(nxv_key_create(&f->ctx, &opts, &key, NULL), NXV_OK);
	assert_int_equal(key->expires_at_ms, FIXTURE_NOW_MS + 1);
	nxv_key_free(key);
}

static void key_create_without_randomness_stores_nothing(void **state)
{
	struct fixture *f = *state;
	struct nxv_key_opts opts = NXV_KEY_OPTS_INIT;
	struct nxv_key *key = NULL;

	opts.user_id = "user_123";
	opts.name = "n";
	opts.permissions = NXV_PERM_CALL;
	f->random_fails = true;
	assert_int_equal(nxv_key_create(&f->ctx, &opts, &key, NULL), NXV_E_INTERNAL);
	assert_null(key);
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM api_key"), 0);
}

static void key_create_that_cannot_write_its_event_stores_nothing(void **state)
{
	struct fixture *f = *state;
	struct nxv_key_opts opts = NXV_KEY_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key *key = NULL;

	opts.user_id = "user_123";
	opts.name = "n";
	opts.permissions = NXV_PERM_CALL;
	fixture_sql(f, "DROP TABLE event");
	assert_int_equal(nxv_key_create(&f->ctx, &opts, &key, &err), NXV_E_STORE);
	assert_null(key);
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM api_key"), 0);
}

static void key_get_of_an_unknown_id_is_not_found(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = (void *)1;

	assert_int_equal(nxv_key_get(&f->ctx, "key_none", &key, NULL), NXV_E_NOT_FOUND);
	assert_null(key);
	assert_int_equal(nxv_key_get(&f->ctx, NULL, &key, NULL), NXV_E_NOT_FOUND);
}

/* Walk all pages of a list; the ids, newest first, go to ids. */
static size_t walk(struct fixture *f, const char *user_id, unsigned limit, char ids[][40], bool insert_between)
{
	struct nxv_key_list_opts opts = NXV_KEY_LIST_OPTS_INIT;
	struct nxv_key_page *list = NULL;
	char *cursor = NULL;
	size_t count = 0;

	opts.user_id = user_id;
	opts.limit = limit;
	do {
		opts.cursor = cursor;
		assert_int_equal(nxv_key_list(&f->ctx, &opts, &list, NULL), NXV_OK);
		assert_true(list->count <= limit);
		for (size_t i = 0; i < list->count; i++, count++) {
			assert_null(list->items[i]->secret);
			snprintf(ids[count], sizeof(ids[count]), "%s", list->items[i]->id);
		}
		free(cursor);
		cursor = list->next_cursor;
		list->next_cursor = NULL;
		nxv_key_page_free(list);
		if (insert_between) {
			f->now_ms++;
			nxv_key_free(key_make(f, "user_a", 0));
		}
	} while (cursor);
	return count;
}

static void key_list_pages_newest_first_and_is_stable_under_inserts(void **state)
{
	struct fixture *f = *state;
	char made[25][40], seen[80][40];

	for (int i = 0; i < 25; i++) {
		struct nxv_key *key = key_make(f, i % 5 ? "user_a" : "user_b", 0);

		snprintf(made[24 - i], sizeof(made[0]), "%s", key->id);
		nxv_key_free(key);
		f->now_ms++;
	}
	assert_int_equal(walk(f, NULL, 7, seen, true), 25);
	for (int i = 0; i < 25; i++)
		assert_string_equal(seen[i], made[i]);
	assert_int_equal(walk(f, "user_b", 2, seen, false), 5);
	for (int i = 0; i < 5; i++)
		assert_string_equal(seen[i], made[4 + 5 * i]);
	assert_int_equal(walk(f, "nobody", 2, seen, false), 0);
}

static void key_list_of_keys_made_in_one_millisecond_shows_each_once(void **state)
{
	struct fixture *f = *state;
	char seen[20][40];

	for (int i = 0; i < 9; i++)
		nxv_key_free(key_make(f, "user_a", 0));
	assert_int_equal(walk(f, "user_a", 2, seen, false), 9);
	for (int i = 0; i < 9; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(seen[i], seen[j]);
}

static void key_list_ends_without_cursor_when_the_page_is_just_full(void **state)
{
	struct fixture *f = *state;
	struct nxv_key_list_opts opts = NXV_KEY_LIST_OPTS_INIT;
	struct nxv_key_page *list = NULL;

	nxv_key_free(key_make(f, "user_a", 0));
	nxv_key_free(key_make(f, "user_a", 0));
	opts.limit = 2;
	assert_int_equal(nxv_key_list(&f->ctx, &opts, &list, NULL), NXV_OK);
	assert_int_equal(list->count, 2);
	assert_null(list->next_cursor);
	nxv_key_page_free(list);
	assert_int_equal(nxv_key_list(&f->ctx, NULL, &list, NULL), NXV_OK);
	assert_int_equal(list->count, 2);
	nxv_key_page_free(list);
}

static void key_list_refuses_a_cursor_or_limit_that_cannot_be(void **state)
{
	static const char *const cursors[] = { "", "x", "12", ".", "12.", "-1.key_a", "1x.key_a", "1.key a",
		"99999999999999999999999.key_a", "123456789012345678901234567890.k",
		"1.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct fixture *f = *state;
	struct nxv_key_list_opts opts = NXV_KEY_LIST_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key_page *list = (void *)1;

	for (size_t i = 0; i < sizeof(cursors) / sizeof(*cursors); i++) {
		opts.cursor = cursors[i];
		assert_int_equal(nxv_key_list(&f->ctx, &opts, &list, &err), NXV_E_INVALID);
		assert_string_equal(err.field, "cursor");
		assert_null(list);
	}
	opts.cursor = NULL;
	opts.limit = 1001;
	assert_int_equal(nxv_key_list(&f->ctx, &opts, &list, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "limit");
	opts.size = 1;
	assert_int_equal(nxv_key_list(&f->ctx, &opts, &list, &err), NXV_E_INVALID);
}

static void permissions_parse_takes_words_and_names_what_is_wrong(void **state)
{
	static const char *const wrong[] = { "", "call,", ",call", "call, sip", "Call", "calls", "call,sms", "cal",
		"averyveryverylongwordthatisnopermission", "a\nb" };
	struct nxv_error err = NXV_ERROR_INIT;
	unsigned bits = 0;

	(void)state;
	assert_int_equal(nxv_permissions_parse("call,sip,recording,admin", &bits, &err), NXV_OK);
	assert_int_equal(bits, 15);
	assert_int_equal(nxv_permissions_parse("sip", &bits, &err), NXV_OK);
	assert_int_equal(bits, NXV_PERM_SIP);
	assert_int_equal(nxv_permissions_parse("call,call", &bits, &err), NXV_OK);
	assert_int_equal(bits, NXV_PERM_CALL);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(nxv_permissions_parse(wrong[i], &bits, &err), NXV_E_INVALID);
		assert_string_equal(err.field, "permissions");
		assert_int_equal(bits, 0);
		assert_null(strchr(err.message, '\n'));
	}
	assert_int_equal(nxv_permissions_parse("call,sms", &bits, &err), NXV_E_INVALID);
	assert_non_null(strstr(err.message, "\"sms\""));
	assert_int_equal(nxv_permissions_parse(NULL, &bits, &err), NXV_E_INVALID);
}

static void permission_name_knows_single_bits_only(void **state)
{
	(void)state;
	assert_string_equal(nxv_permission_name(NXV_PERM_CALL), "call");
	assert_string_equal(nxv_permission_name(NXV_PERM_ADMIN), "admin");
	assert_null(nxv_permission_name(0));
	assert_null(nxv_permission_name(3));
	assert_null(nxv_permission_name(16));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, key_setup, key_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(key_create_gives_the_secret_once),
		CASE(key_secret_is_nowhere_in_the_store),
		CASE(key_create_never_repeats_a_secret),
		CASE(key_create_names_the_field_at_fault),
		CASE(key_create_accepts_the_longest_names),
		CASE(key_create_without_randomness_stores_nothing),
		CASE(key_create_that_cannot_write_its_event_stores_nothing),
		CASE(key_get_of_an_unknown_id_is_not_found),
		CASE(key_list_pages_newest_first_and_is_stable_under_inserts),
		CASE(key_list_of_keys_made_in_one_millisecond_shows_each_once),
		CASE(key_list_ends_without_cursor_when_the_page_is_just_full),
		CASE(key_list_refuses_a_cursor_or_limit_that_cannot_be),
		cmocka_unit_test(permissions_parse_takes_words_and_names_what_is_wrong),
		cmocka_unit_test(permission_name_knows_single_bits_only),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
