/* test_webhook_store.c - a webhook that cannot be checked because the store fails is no forgery: Twilio is to send it again. */
#include <nexusvoip/secrets.h>
#include <nexusvoip/webhooks.h>

#include "../fixture.h"

static nxv_webhook_verdict take(struct fixture *f, nxv_status expected)
{
	struct nxv_webhook hook = NXV_WEBHOOK_INIT;
	nxv_webhook_verdict verdict = NXV_WEBHOOK_VERDICTS;
	struct nxv_error err = NXV_ERROR_INIT;

	hook.session_id = "session_1";
	hook.signature = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	hook.body = "CallSid=CA1";
	hook.body_len = 11;
	assert_int_equal(nxv_webhook_take(&f->ctx, &hook, &verdict, NULL, &err), expected);
	return verdict;
}

static void script(struct fixture *f, const char *sql)
{
	struct db_tx *tx;

	assert_int_equal(db_begin(f->ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(db_script(tx, sql, NULL), NXV_OK);
	assert_int_equal(db_commit(tx, NULL), NXV_OK);
}

static void a_store_that_fails_is_no_forgery(void **state)
{
	char key[192];
	struct fixture f;

	(void)state;
	fixture_open(&f, (const char *[]){ "http.public_url=https://voip.example.com", NULL });
	assert_int_equal(take(&f, NXV_E_DENIED), NXV_WEBHOOK_FORGED); /* there is no token */
	assert_int_equal(nxv_secret_set(&f.ctx, "twilio.auth_token", "token", NULL), NXV_OK);
	assert_int_equal(take(&f, NXV_E_DENIED), NXV_WEBHOOK_FORGED);
	script(&f, "UPDATE secret SET sealed = zeroblob(length(sealed))");
	assert_int_equal(take(&f, NXV_E_STORE), NXV_WEBHOOK_FAILED);
	snprintf(key, sizeof(key), "%s/secrets.key", f.dir);
	assert_int_equal(unlink(key), 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_that_fails_is_no_forgery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
