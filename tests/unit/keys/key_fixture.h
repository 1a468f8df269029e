/* key_fixture.h - what the tests of keys share: making one, and asking for one without caring for the rest. */
#ifndef NXV_TESTS_UNIT_KEYS_KEY_FIXTURE_H
#define NXV_TESTS_UNIT_KEYS_KEY_FIXTURE_H

#include "../fixture.h"

#include <nexusvoip/events.h>
#include <nexusvoip/keys.h>

static inline int key_setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	assert_non_null(f);
	fixture_open(f, NULL);
	*state = f;
	return 0;
}

static inline int key_teardown(void **state)
{
	fixture_close(*state);
	free(*state);
	return 0;
}

/* A key of this user with all permissions; expires_at_ms 0: never. */
static inline struct nxv_key *key_make(struct fixture *f, const char *user_id, int64_t expires_at_ms)
{
	struct nxv_key_opts opts = NXV_KEY_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key *key = NULL;

	opts.user_id = user_id;
	opts.name = "Phone of the front desk";
	opts.permissions = NXV_PERM_CALL | NXV_PERM_SIP | NXV_PERM_RECORDING | NXV_PERM_ADMIN;
	opts.expires_at_ms = expires_at_ms;
	if (nxv_key_create(&f->ctx, &opts, &key, &err))
		fail_msg("%s", err.message);
	return key;
}

/* What verifying this token comes to. */
static inline nxv_status key_verdict(struct fixture *f, const char *token)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key *key = NULL;
	nxv_status status = nxv_key_verify(&f->ctx, token, &key, &err);

	assert_int_equal(err.status, status);
	assert_int_equal(key != NULL, status == NXV_OK);
	nxv_key_free(key);
	return status;
}

#endif
