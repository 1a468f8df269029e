/* test_manager_text.c - what engine and callers tell each other as text, and a server's last words out of its log. */
#include "state_folder.h"

#include <string.h>

#include "sip/manager_log.h"
#include "sip/manager_text.h"

static void health_survives_the_journey(void **state)
{
	char server[] = "opensips", version[] = "3.6.8", message[] = "two\nlines\tand=more";
	const struct nxv_sip_health in = { .state = NXV_SIP_BACKOFF, .server = server, .version = version, .message = message,
		.pid = 4711, .uptime_seconds = 86400, .active_calls = 5, .registrations = 12, .supervised = true };
	struct nxv_sip_health *out;
	struct buf text = BUF_INIT;

	(void)state;
	sip_health_write(&text, &in);
	assert_int_equal(sip_health_read(text.data, &out, NULL), NXV_OK);
	assert_int_equal(out->state, NXV_SIP_BACKOFF);
	assert_string_equal(out->server, "opensips");
	assert_string_equal(out->version, "3.6.8");
	assert_string_equal(out->message, "two lines and=more");
	assert_int_equal(out->pid, 4711);
	assert_int_equal(out->uptime_seconds, 86400);
	assert_int_equal(out->active_calls, 5);
	assert_int_equal(out->registrations, 12);
	assert_true(out->supervised);
	nxv_sip_health_free(out);
	buf_free(&text);
}

static void unknown_lines_and_bad_numbers_are_passed_over(void **state)
{
	struct nxv_sip_health *out;

	(void)state;
	assert_int_equal(sip_health_read("state=running\nnew_key=1\nrubbish\npid=x\nserver=a\nserver=b\n", &out, NULL), NXV_OK);
	assert_int_equal(out->state, NXV_SIP_RUNNING);
	assert_int_equal(out->pid, 0);
	assert_string_equal(out->server, "b");
	assert_null(out->version);
	nxv_sip_health_free(out);
}

static void contacts_survive_the_journey_even_with_hostile_text(void **state)
{
	const struct sip_contact in[] = { { "user_1", "sip:user_1@127.0.0.1:5062", "Phone 1", 3599, false },
		{ "user_2", "sip:x;a=b", "evil\tagent\nuser_3\tsip:z", 60, false }, { "user_4", "sip:y", "", 0, false } };
	struct nxv_registration_list *list;
	struct buf text = BUF_INIT;

	(void)state;
	for (int i = 0; i < 3; i++)
		sip_contact_write(&text, &in[i]);
	assert_int_equal(sip_contacts_read(text.data, &list, NULL), NXV_OK);
	assert_int_equal(list->count, 3);
	assert_string_equal(list->items[0]->contact, "sip:user_1@127.0.0.1:5062");
	assert_string_equal(list->items[0]->user_agent, "Phone 1");
	assert_int_equal(list->items[0]->expires_seconds, 3599);
	assert_string_equal(list->items[1]->user_agent, "evil agent user_3 sip:z");
	assert_null(list->items[2]->user_agent);
	assert_null(list->items[0]->user_id);
	nxv_registration_list_free(list);
	assert_int_equal(sip_contacts_read("", &list, NULL), NXV_OK);
	assert_int_equal(list->count, 0);
	nxv_registration_list_free(list);
	buf_free(&text);
}

static void state_words_go_both_ways(void **state)
{
	(void)state;
	for (int i = NXV_SIP_STOPPED; i <= NXV_SIP_FAILED; i++)
		assert_int_equal(sip_state_parse(nxv_sip_state_name((nxv_sip_state)i)), i);
	assert_string_equal(nxv_sip_state_name((nxv_sip_state)99), "unknown");
}

static void the_first_complaint_in_a_log_is_picked(void **state)
{
	static const struct {
		const char *log, *expected;
	} rows[] = {
		{ "", "" },
		{ "\n  \n", "" },
		{ "starting\nlast line\n\n", "last line" },
		{ "Listening on\n 0(8324) ERROR: <core> [core/udp_server.c:402]: udp_init(): bind: Address already in use\nmore ERROR: x\n",
			"ERROR: <core> [core/udp_server.c:402]: udp_init(): bind: Address already in use" },
		{ "Mar  1 12:00:00 [12] CRITICAL:core:yyerror: parse error in line 7\n", "CRITICAL:core:yyerror: parse error in line 7" },
		{ "an ERRORS table\nand no newline at the end", "and no newline at the end" },
		{ "x ERROR: nonce S3CRET is bad S3CRET", "ERROR: nonce ****** is bad ******" },
		{ "ERROR: tab\tand \x1b escape", "ERROR: tab and   escape" },
	};
	char out[200], tiny[12];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		server_log_pick(rows[i].log, false, "S3CRET", out, sizeof(out));
		assert_string_equal(out, rows[i].expected);
	}
	server_log_pick("ERROR: much too long", false, "S", tiny, sizeof(tiny));
	assert_string_equal(tiny, "ERROR: much");
}

static void of_a_server_that_had_run_only_complaints_count(void **state)
{
	char out[200];

	(void)state;
	server_log_pick("Thank you for running it\n", true, "", out, sizeof(out));
	assert_string_equal(out, "");
	server_log_pick("a\nERROR: one\nERROR: two\nbye", true, "", out, sizeof(out));
	assert_string_equal(out, "ERROR: one");
	server_log_pick("CRITICAL: EOF on 11\n 0(1) ALERT: child process 12 exited by a signal 9\nbye", true, "", out, sizeof(out));
	assert_string_equal(out, "ALERT: child process 12 exited by a signal 9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(health_survives_the_journey),
		cmocka_unit_test(unknown_lines_and_bad_numbers_are_passed_over),
		cmocka_unit_test(contacts_survive_the_journey_even_with_hostile_text),
		cmocka_unit_test(state_words_go_both_ways),
		cmocka_unit_test(the_first_complaint_in_a_log_is_picked),
		cmocka_unit_test(of_a_server_that_had_run_only_complaints_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
