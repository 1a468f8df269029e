/* test_sip_public.c - the public calls about the SIP server: as requests to an engine, and done alone without one. */
#include "fake_server.h"

#include "base/error.h"
#include "ctx.h"
#include "engine/engine.h"
#include "store/setting.h"

static struct nxv_ctx ctx;
static char asked[128];           /* the last request, words separated by a space */
static const char *engine_text;   /* what the engine answers; NULL: there is none */

nxv_status engine_call(nxv_ctx *c, const char *const *args, uint32_t timeout_ms, char **text, struct nxv_error *err)
{
	(void)c;
	assert_true(timeout_ms > 0);
	asked[0] = '\0';
	for (size_t i = 0; args[i]; i++) {
		size_t used = strlen(asked);
		snprintf(asked + used, sizeof(asked) - used, i ? " %s" : "%s", args[i]);
	}
	if (!engine_text)
		return error_set(err, NXV_E_NOT_RUNNING, "no engine");
	if (text)
		*text = text_dup(engine_text);
	return NXV_OK;
}

nxv_status engine_call_inbox(nxv_inbox *inbox, const char *const *args, void *token, struct nxv_error *err)
{
	(void)inbox;
	(void)token;
	return engine_call(NULL, args, 1, NULL, err);
}

static int start(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	char path[64];

	if (manager_setup(state))
		return 1;
	sip_manager_close(mgr); /* this file's subject brings its own */
	loop_close(loop);
	memset(&ctx, 0, sizeof(ctx));
	ctx.env = test_env;
	ctx.sip = sip;
	snprintf(path, sizeof(path), "%s/nexusvoip.db", folder);
	assert_int_equal(db_open(&ctx.env, path, db_migrations, &ctx.db, &err), NXV_OK);
	assert_int_equal(subscriber_open(&ctx.env, sip->set.auth_db, &ctx.auth, &err), NXV_OK);
	engine_text = NULL;
	return 0;
}

static int stop(void **state)
{
	engine_text = NULL;
	nxv_sip_stop(&ctx, NULL);
	db_close(ctx.db);
	db_close(ctx.auth);
	sip_setup_free(sip);
	return folder_remove(state);
}

static void run_sql(const char *sql)
{
	struct db_tx *tx;

	assert_int_equal(db_begin(ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(db_script(tx, sql, NULL), NXV_OK);
	assert_int_equal(db_commit(tx, NULL), NXV_OK);
}

static void with_an_engine_the_wish_is_stored_and_sent(void **state)
{
	char wanted[16];

	(void)state;
	engine_text = "";
	assert_int_equal(nxv_sip_start(&ctx, NULL), NXV_OK);
	assert_string_equal(asked, "sip.want start");
	assert_int_equal(setting_read(ctx.db, SETTING_SIP_WANTED, wanted, sizeof(wanted), NULL), NXV_OK);
	assert_string_equal(wanted, "started");
	assert_int_equal(nxv_sip_stop(&ctx, NULL), NXV_OK);
	assert_string_equal(asked, "sip.want stop");
	assert_int_equal(setting_read(ctx.db, SETTING_SIP_WANTED, wanted, sizeof(wanted), NULL), NXV_OK);
	assert_string_equal(wanted, "stopped");
	assert_int_equal(nxv_sip_wait(&ctx, true, 1500, NULL), NXV_OK);
	assert_string_equal(asked, "sip.wait running 1500");
	assert_int_equal(nxv_sip_wait(&ctx, false, UINT32_MAX, NULL), NXV_OK);
	assert_string_equal(asked, "sip.wait stopped 4294967295");
	assert_int_equal(nxv_sip_wait_async(NULL, true, 10, NULL, NULL), NXV_OK);
	assert_string_equal(asked, "sip.wait running 10");
	assert_null(folder_read("sip/birth"));
}

static void health_is_what_the_engine_says(void **state)
{
	struct nxv_sip_health *health;

	(void)state;
	engine_text = "state=running\nserver=opensips\nversion=3.6.8\npid=5\nuptime_seconds=9\nactive_calls=4\nregistrations=2\nsupervised=1\n";
	assert_int_equal(nxv_sip_health_get(&ctx, &health, NULL), NXV_OK);
	assert_int_equal(health->state, NXV_SIP_RUNNING);
	assert_string_equal(health->version, "3.6.8");
	assert_int_equal(health->active_calls, 4);
	assert_true(health->supervised);
	nxv_sip_health_free(health);
}

static void registrations_name_their_owner_and_filter_by_it(void **state)
{
	struct nxv_registration_list *list;

	(void)state;
	run_sql("INSERT INTO credential VALUES ('cred_1','anna','user_1','d','m','s','t',1,0,0),"
		"('cred_2','ben','user_2','d','m','s','t',2,0,0);");
	engine_text = "user_1\tsip:a\tPhone\t60\nuser_2\tsip:b\t\t30\nstranger\tsip:c\t\t5\n";
	assert_int_equal(nxv_sip_registrations(&ctx, NULL, &list, NULL), NXV_OK);
	assert_int_equal(list->count, 3);
	assert_string_equal(list->items[0]->user_id, "anna");
	assert_string_equal(list->items[1]->user_id, "ben");
	assert_null(list->items[2]->user_id);
	nxv_registration_list_free(list);
	assert_int_equal(nxv_sip_registrations(&ctx, "ben", &list, NULL), NXV_OK);
	assert_int_equal(list->count, 1);
	assert_string_equal(list->items[0]->contact, "sip:b");
	nxv_registration_list_free(list);
}

static void a_kick_is_the_engines_to_do(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;

	(void)state;
	engine_text = "";
	assert_int_equal(nxv_sip_kick(&ctx, "user_1", NULL, &err), NXV_OK);
	assert_string_equal(asked, "sip.kick user_1 ");
	assert_int_equal(nxv_sip_kick(&ctx, "user_1", "sip:a@b", &err), NXV_OK);
	assert_string_equal(asked, "sip.kick user_1 sip:a@b");
	assert_int_equal(nxv_sip_kick(&ctx, "", NULL, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "username");
	assert_int_equal(nxv_sip_kick(&ctx, NULL, NULL, NULL), NXV_E_INVALID);
	engine_text = NULL;
	assert_int_equal(nxv_sip_kick(&ctx, "user_1", NULL, &err), NXV_E_NOT_RUNNING);
}

static void without_an_engine_it_is_started_and_stopped_here_and_now(void **state)
{
	struct nxv_registration_list *list;
	struct nxv_sip_health *health;
	struct nxv_error err = NXV_ERROR_INIT;

	(void)state;
	run_sql("INSERT INTO session (id, state, status, direction, carrier, from_number, to_number, user_id, started_at_ms) "
		"VALUES ('session_1', 'x', 'ringing', 'outbound', 'sip', 'a', 'b', 'anna', 1)");
	assert_int_equal(nxv_sip_health_get(&ctx, &health, NULL), NXV_OK);
	assert_int_equal(health->state, NXV_SIP_STOPPED);
	assert_string_equal(health->server, "fake");
	assert_non_null(strstr(health->message, "start"));
	nxv_sip_health_free(health);
	assert_int_equal(nxv_sip_wait(&ctx, true, 1000, &err), NXV_E_NOT_RUNNING);
	assert_int_equal(nxv_sip_wait(&ctx, false, 1000, NULL), NXV_OK);
	assert_int_equal(nxv_sip_registrations(&ctx, NULL, &list, &err), NXV_E_UNREACHABLE);
	assert_int_equal(nxv_sip_start(&ctx, &err), NXV_OK);
	assert_int_equal(nxv_sip_wait(&ctx, true, 1000, NULL), NXV_OK);
	assert_int_equal(nxv_sip_health_get(&ctx, &health, NULL), NXV_OK);
	assert_int_equal(health->state, NXV_SIP_RUNNING);
	assert_true(health->pid > 1);
	assert_true(alive(health->pid));
	assert_int_equal(health->uptime_seconds, 77);
	assert_int_equal(health->registrations, 3);
	assert_int_equal(health->active_calls, 1);
	assert_false(health->supervised);
	assert_non_null(strstr(health->message, "supervises"));
	nxv_sip_health_free(health);
	assert_int_equal(nxv_sip_registrations(&ctx, NULL, &list, NULL), NXV_OK);
	assert_int_equal(list->count, 3);
	nxv_registration_list_free(list);
	assert_int_equal(nxv_sip_stop(&ctx, NULL), NXV_OK);
	assert_int_equal(nxv_sip_wait(&ctx, false, 1000, NULL), NXV_OK);
}

static void a_start_alone_gives_the_servers_own_words(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;

	(void)state;
	behave("exit");
	assert_int_equal(nxv_sip_start(&ctx, &err), NXV_E_UNREACHABLE);
	assert_string_equal(err.code, "sip_server_failed");
	assert_non_null(strstr(err.message, "no such table"));
}

static void a_start_alone_repairs_the_copy_of_the_credentials(void **state)
{
	struct db_tx *tx;
	struct db_stmt *stmt;
	bool row = false;

	(void)state;
	run_sql("INSERT INTO credential VALUES ('cred_1','anna','user_1','d','m','s','t',1,0,0)");
	assert_int_equal(nxv_sip_start(&ctx, NULL), NXV_OK);
	assert_int_equal(db_begin(ctx.auth, DB_READ, &tx, NULL), NXV_OK);
	assert_int_equal(db_query(tx, "SELECT group_concat(username) FROM (SELECT username FROM subscriber ORDER BY 1)", &stmt, NULL), NXV_OK);
	assert_int_equal(db_step(stmt, &row, NULL), NXV_OK);
	assert_string_equal(db_text(stmt, 0), "nexus-gateway,user_1");
	db_done(stmt);
	db_rollback(tx);
}

static void render_masks_the_secret_and_external_mode_has_nothing_to_render(void **state)
{
	char *text, *report;

	(void)state;
	assert_int_equal(nxv_sip_render(&ctx, &text, NULL), NXV_OK);
	assert_non_null(strstr(text, "secret=***"));
	assert_null(strstr(text, sip->set.secret));
	free(text);
	assert_int_equal(nxv_sip_check(&ctx, &report, NULL), NXV_OK);
	assert_non_null(strstr(report, "accepted"));
	free(report);
	sip->external = true;
	assert_int_equal(nxv_sip_render(&ctx, &text, NULL), NXV_E_UNSUPPORTED);
	assert_null(text);
	sip->external = false;
	sip->driver = NULL;
	assert_int_equal(nxv_sip_check(&ctx, NULL, NULL), NXV_E_UNSUPPORTED);
	assert_int_equal(nxv_sip_start(&ctx, NULL), NXV_E_UNSUPPORTED);
	sip->driver = &fake_driver;
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		CASE(with_an_engine_the_wish_is_stored_and_sent),
		CASE(health_is_what_the_engine_says),
		CASE(registrations_name_their_owner_and_filter_by_it),
		CASE(a_kick_is_the_engines_to_do),
		CASE(without_an_engine_it_is_started_and_stopped_here_and_now),
		CASE(a_start_alone_gives_the_servers_own_words),
		CASE(a_start_alone_repairs_the_copy_of_the_credentials),
		CASE(render_masks_the_secret_and_external_mode_has_nothing_to_render),
	};

	if (argc > 1)
		return fake_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
