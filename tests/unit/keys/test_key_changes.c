/* test_key_changes.c - toggling, disabling, deleting and rotating keys, and the events they leave. */
#include "key_fixture.h"

#include <pthread.h>

/* The types of all events about a subject, oldest first, separated by blanks. */
static const char *history(struct fixture *f, const char *subject)
{
	static char text[512];
	struct nxv_event_opts opts = NXV_EVENT_OPTS_INIT;
	struct nxv_event_list *list = NULL;

	opts.subject = subject;
	text[0] = '\0';
	assert_int_equal(nxv_event_pull(&f->ctx, &opts, &list, NULL), NXV_OK);
	for (size_t i = 0; i < list->count; i++) {
		assert_string_equal(list->items[i]->user_id, "user_123");
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "", list->items[i]->type);
	}
	nxv_event_list_free(list);
	return text;
}

static void toggle_flips_and_returns_the_key_after_it(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = key_make(f, "user_123", 0), *after = NULL;

	assert_int_equal(nxv_key_toggle(&f->ctx, key->id, &after, NULL), NXV_OK);
	assert_false(after->active);
	nxv_key_free(after);
	assert_int_equal(key_verdict(f, key->secret), NXV_E_UNAUTHENTICATED);
	assert_int_equal(nxv_key_toggle(&f->ctx, key->id, &after, NULL), NXV_OK);
	assert_true(after->active);
	nxv_key_free(after);
	assert_int_equal(key_verdict(f, key->secret), NXV_OK);
	assert_string_equal(history(f, key->id), "key.created key.disabled key.enabled");
	nxv_key_free(key);
}

static void set_active_twice_leaves_one_event(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = key_make(f, "user_123", 0), *after = NULL;

	assert_int_equal(nxv_key_set_active(&f->ctx, key->id, true, &after, NULL), NXV_OK);
	assert_true(after->active);
	nxv_key_free(after);
	assert_int_equal(nxv_key_set_active(&f->ctx, key->id, false, NULL, NULL), NXV_OK);
	assert_int_equal(nxv_key_set_active(&f->ctx, key->id, false, &after, NULL), NXV_OK);
	assert_false(after->active);
	nxv_key_free(after);
	assert_string_equal(history(f, key->id), "key.created key.disabled");
	nxv_key_free(key);
}

static void delete_removes_the_key_and_keeps_its_history(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = key_make(f, "user_123", 0);

	assert_int_equal(nxv_key_delete(&f->ctx, key->id, NULL), NXV_OK);
	assert_int_equal(nxv_key_delete(&f->ctx, key->id, NULL), NXV_E_NOT_FOUND);
	assert_string_equal(history(f, key->id), "key.created key.deleted");
	nxv_key_free(key);
}

static void changes_of_an_unknown_key_are_not_found(void **state)
{
	struct fixture *f = *state;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key *out = (void *)1;

	assert_int_equal(nxv_key_toggle(&f->ctx, "key_none", &out, &err), NXV_E_NOT_FOUND);
	assert_null(out);
	assert_int_equal(nxv_key_set_active(&f->ctx, "key_none", true, NULL, &err), NXV_E_NOT_FOUND);
	assert_int_equal(nxv_key_delete(&f->ctx, "key_none", &err), NXV_E_NOT_FOUND);
	assert_int_equal(nxv_key_rotate(&f->ctx, "key_none", 0, &out, &err), NXV_E_NOT_FOUND);
	assert_null(out);
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM event"), 0);
}

static void change_that_cannot_write_its_event_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = key_make(f, "user_123", 0), *out = (void *)1;

	fixture_sql(f, "DROP TABLE event");
	assert_int_equal(nxv_key_toggle(&f->ctx, key->id, &out, NULL), NXV_E_STORE);
	assert_null(out);
	assert_int_equal(nxv_key_delete(&f->ctx, key->id, NULL), NXV_E_STORE);
	assert_int_equal(nxv_key_rotate(&f->ctx, key->id, 0, &out, NULL), NXV_E_STORE);
	assert_null(out);
	assert_int_equal(key_verdict(f, key->secret), NXV_OK);
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM api_key"), 1);
	nxv_key_free(key);
}

enum { RACERS = 8, TOGGLES = 25 };

struct racer {
	pthread_t thread;
	struct fixture *f;
	const char *id;
	int failed;
};

static void *toggle_often(void *arg)
{
	struct racer *racer = arg;

	for (int i = 0; i < TOGGLES; i++)
		racer->failed += nxv_key_toggle(&racer->f->ctx, racer->id, NULL, NULL) != NXV_OK;
	return NULL;
}

static void racing_toggles_lose_none(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = key_make(f, "user_123", 0);
	struct racer racers[RACERS];

	for (int i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){ .f = f, .id = key->id };
		assert_int_equal(pthread_create(&racers[i].thread, NULL, toggle_often, &racers[i]), 0);
	}
	for (int i = 0; i < RACERS; i++) {
		pthread_join(racers[i].thread, NULL);
		assert_int_equal(racers[i].failed, 0);
	}
	assert_int_equal(fixture_count(f, "SELECT active FROM api_key"), 1);
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM event WHERE type = 'key.disabled'"),
		RACERS * TOGGLES / 2);
	/* Each event says the state after its own change: they alternate. */
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM event a JOIN event b ON b.seq = a.seq + 1"
					  " WHERE a.type = b.type"), 0);
	nxv_key_free(key);
}

static void rotate_without_overlap_ends_the_old_key_at_once(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *old = key_make(f, "user_123", 0), *new = NULL;

	assert_int_equal(nxv_key_rotate(&f->ctx, old->id, 0, &new, NULL), NXV_OK);
	assert_string_not_equal(new->id, old->id);
	assert_string_not_equal(new->secret, old->secret);
	assert_string_equal(new->user_id, old->user_id);
	assert_string_equal(new->name, old->name);
	assert_int_equal(new->permissions, old->permissions);
	assert_int_equal(new->expires_at_ms, 0);
	assert_int_equal(key_verdict(f, old->secret), NXV_E_UNAUTHENTICATED);
	assert_int_equal(key_verdict(f, new->secret), NXV_OK);
	assert_string_equal(history(f, old->id), "key.created key.rotated");
	assert_string_equal(history(f, new->id), "key.created");
	nxv_key_free(old);
	nxv_key_free(new);
}

static void rotate_with_overlap_lets_both_in_until_it_ends(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *old = key_make(f, "user_123", 0), *new = NULL;

	assert_int_equal(nxv_key_rotate(&f->ctx, old->id, 5000, &new, NULL), NXV_OK);
	f->now_ms += 4999;
	assert_int_equal(key_verdict(f, old->secret), NXV_OK);
	assert_int_equal(key_verdict(f, new->secret), NXV_OK);
	f->now_ms++;
	assert_int_equal(key_verdict(f, old->secret), NXV_E_UNAUTHENTICATED);
	assert_int_equal(key_verdict(f, new->secret), NXV_OK);
	nxv_key_free(old);
	nxv_key_free(new);
}

static void rotate_keeps_the_expiry_and_never_lengthens_the_old_key(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *old = key_make(f, "user_123", FIXTURE_NOW_MS + 1000), *new = NULL, *after = NULL;

	assert_int_equal(nxv_key_rotate(&f->ctx, old->id, 60000, &new, NULL), NXV_OK);
	assert_int_equal(new->expires_at_ms, FIXTURE_NOW_MS + 1000);
	assert_int_equal(nxv_key_get(&f->ctx, old->id, &after, NULL), NXV_OK);
	assert_int_equal(after->expires_at_ms, FIXTURE_NOW_MS + 1000);
	nxv_key_free(after);
	nxv_key_free(old);
	nxv_key_free(new);
}

static void rotate_refuses_a_key_that_is_disabled_expired_or_replaced(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *disabled = key_make(f, "user_123", 0), *expired = key_make(f, "user_123", FIXTURE_NOW_MS + 1);
	struct nxv_key *replaced = key_make(f, "user_123", 0), *new = NULL, *out = NULL;
	struct nxv_error err = NXV_ERROR_INIT;

	assert_int_equal(nxv_key_set_active(&f->ctx, disabled->id, false, NULL, NULL), NXV_OK);
	assert_int_equal(nxv_key_rotate(&f->ctx, replaced->id, 60000, &new, NULL), NXV_OK);
	f->now_ms++;
	assert_int_equal(nxv_key_rotate(&f->ctx, disabled->id, 0, &out, &err), NXV_E_CONFLICT);
	assert_int_equal(nxv_key_rotate(&f->ctx, expired->id, 0, &out, &err), NXV_E_CONFLICT);
	assert_int_equal(nxv_key_rotate(&f->ctx, replaced->id, 0, &out, &err), NXV_E_CONFLICT);
	assert_null(out);
	assert_non_null(strstr(err.message, new->id));
	assert_int_equal(fixture_count(f, "SELECT COUNT(*) FROM api_key"), 4);
	nxv_key_free(disabled);
	nxv_key_free(expired);
	nxv_key_free(replaced);
	nxv_key_free(new);
}

static void rotate_refuses_an_overlap_that_cannot_be(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *key = key_make(f, "user_123", 0), *out = NULL;
	struct nxv_error err = NXV_ERROR_INIT;

	assert_int_equal(nxv_key_rotate(&f->ctx, key->id, -1, &out, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "overlapSeconds");
	assert_int_equal(nxv_key_rotate(&f->ctx, key->id, INT64_MAX, &out, &err), NXV_E_INVALID);
	nxv_key_free(key);
}

static void events_hold_no_part_of_a_secret_beyond_the_prefix(void **state)
{
	struct fixture *f = *state;
	struct nxv_key *old = key_make(f, "user_123", 0), *new = NULL;
	struct nxv_event_list *list = NULL;

	assert_int_equal(nxv_key_rotate(&f->ctx, old->id, 0, &new, NULL), NXV_OK);
	assert_int_equal(nxv_event_pull(&f->ctx, NULL, &list, NULL), NXV_OK);
	assert_int_equal(list->count, 3);
	assert_string_equal(list->items[0]->data, "permissions=call,sip,recording,admin");
	for (size_t i = 0; i < list->count; i++)
		assert_null(strstr(list->items[i]->data, "sk_voip_"));
	nxv_event_list_free(list);
	nxv_key_free(old);
	nxv_key_free(new);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, key_setup, key_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(toggle_flips_and_returns_the_key_after_it),
		CASE(set_active_twice_leaves_one_event),
		CASE(delete_removes_the_key_and_keeps_its_history),
		CASE(changes_of_an_unknown_key_are_not_found),
		CASE(change_that_cannot_write_its_event_changes_nothing),
		CASE(racing_toggles_lose_none),
		CASE(rotate_without_overlap_ends_the_old_key_at_once),
		CASE(rotate_with_overlap_lets_both_in_until_it_ends),
		CASE(rotate_keeps_the_expiry_and_never_lengthens_the_old_key),
		CASE(rotate_refuses_a_key_that_is_disabled_expired_or_replaced),
		CASE(rotate_refuses_an_overlap_that_cannot_be),
		CASE(events_hold_no_part_of_a_secret_beyond_the_prefix),
	};

	return cmocka_run_group_tests_name("key_changes", tests, NULL, NULL);
}
