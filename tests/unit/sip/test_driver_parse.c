/* test_driver_parse.c - what the SIP servers answered (recorded), and what they should never answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sip/kamailio/parse.h"
#include "sip/opensips/parse.h"

/* "result" of a recorded answer; [owned] through *whole. */
static struct json_object *recorded(const char *name, struct json_object **whole)
{
	static char text[64 * 1024];
	char path[256];
	struct nxv_error err = NXV_ERROR_INIT;
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s.json", TEST_DATA, name);
	file = fopen(path, "r");
	if (!file)
		fail_msg("%s is missing", path);
	len = fread(text, 1, sizeof(text), file);
	fclose(file);
	if (json_read(text, len, sizeof(text), whole, &err) != NXV_OK)
		fail_msg("%s: %s", name, err.message);
	return json_member(*whole, "result");
}

static struct json_object *made(const char *text)
{
	struct json_object *obj;

	assert_int_equal(json_read(text, strlen(text), 4096, &obj, NULL), NXV_OK);
	return obj;
}

static void opensips_dialogs_show_ours_and_dialled_ones_but_not_the_dead(void **state)
{
	struct json_object *whole, *items;
	struct sip_dialog d;
	int live = 0;

	(void)state;
	items = json_member(recorded("opensips/dialogs", &whole), "Dialogs");
	for (size_t i = 0; i < json_object_array_length(items); i++) {
		if (!opensips_parse_dialog(json_object_array_get_idx(items, i), &d))
			continue;
		live++;
		assert_string_equal(d.to_user, "bob");
		assert_string_equal(d.session, d.confirmed ? "session_1" : "");
		assert_string_equal(d.leg, d.confirmed ? "a" : "");
		assert_string_equal(d.owner, d.confirmed ? "user_1" : "own1");
		assert_string_equal(d.from_user, d.confirmed ? "nexus" : "alice");
		assert_int_equal(d.started_at_ms > 1700000000000, d.confirmed);
	}
	assert_int_equal(live, 2);
	json_object_put(whole);
}

static void opensips_contacts_version_uptime_are_read(void **state)
{
	struct json_object *whole;
	struct contact_list list = { 0 };
	char version[64];

	(void)state;
	opensips_parse_contacts(recorded("opensips/contacts", &whole), &list);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0].username, "bob");
	assert_int_equal(strncmp(list.items[0].contact, "sip:bob@127.0.0.1:", 18), 0);
	assert_true(list.items[0].expires_seconds > 0);
	contact_list_free(&list);
	json_object_put(whole);
	opensips_parse_version(recorded("opensips/version", &whole), version, sizeof(version));
	assert_string_equal(version, "3.6.8");
	json_object_put(whole);
	assert_true(opensips_parse_uptime(recorded("opensips/uptime", &whole)) > 0);
	json_object_put(whole);
}

static void opensips_is_ready_only_with_every_receiver(void **state)
{
	struct json_object *whole, *result = recorded("opensips/processes", &whole), *processes = json_member(result, "Processes");
	char missing[96];

	(void)state;
	assert_true(opensips_parse_ready(result, "127.0.0.1:35060", missing, sizeof(missing)));
	assert_false(opensips_parse_ready(result, "127.0.0.1:5060", missing, sizeof(missing)));
	assert_string_equal(missing, "SIP receiver udp:127.0.0.1:5060");
	for (size_t i = 0; i < json_object_array_length(processes); i++) {
		struct json_object *process = json_object_array_get_idx(processes, i);

		if (strncmp(json_text(process, "Type"), "SIP receiver udp:", 17) == 0)
			json_object_object_add(process, "Type", json_object_new_string("SIP receiver udp:[0:0:0:0:0:0:0:1]:35060"));
	}
	assert_true(opensips_parse_ready(result, "[::1]:35060", missing, sizeof(missing)));
	assert_false(opensips_parse_ready(result, "[::2]:35060", missing, sizeof(missing)));
	assert_false(opensips_parse_ready(result, "127.0.0.1:35060", missing, sizeof(missing)));
	json_object_array_del_idx(processes, json_object_array_length(processes) - 1, 1);
	assert_false(opensips_parse_ready(result, "[::1]:35060", missing, sizeof(missing)));
	assert_string_equal(missing, "TCP main");
	json_object_put(whole);
}

static void exact_time_of_the_answer_is_taken_where_there_is_one(void **state)
{
	static const struct {
		const char *pairs;
		int64_t ms;
	} cases[] = { { "[{\"answered\":\"1795424405.716004\"}]", 1795424405716 }, { "[{\"answered\":\"1795424405.4012\"}]", 1795424405004 },
		{ "[{\"from\":\"x\"}]", 5000 }, { "[{\"answered\":\"\"}]", 5000 }, { "[{\"answered\":\"-1.1\"}]", 5000 },
		{ "[{\"answered\":\"9999999999999999.1\"}]", 5000 }, { "[{\"answered\":\"1795424405.1000000\"}]", 5000 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sip_dialog d = { .confirmed = true, .started_at_ms = 5000 };
		struct json_object *pairs = NULL;

		assert_int_equal(json_read(cases[i].pairs, strlen(cases[i].pairs), 4096, &pairs, NULL), NXV_OK);
		dialog_take_values(&d, pairs);
		assert_int_equal(d.started_at_ms, cases[i].ms);
		json_object_put(pairs);
	}
}

static void kamailio_dialogs_show_ours_and_dialled_ones_but_not_the_dead(void **state)
{
	struct json_object *whole;
	struct kamailio_state at;
	struct sip_dialog d;

	(void)state;
	assert_true(kamailio_parse_dialog(recorded("kamailio/dialog_confirmed", &whole), &d));
	assert_true(d.confirmed);
	assert_string_equal(d.session, "session_1");
	assert_string_equal(d.leg, "a");
	assert_string_equal(d.owner, "user_1");
	assert_true(d.started_at_ms > 1700000000000);
	json_object_put(whole);
	assert_true(kamailio_parse_dialog(recorded("kamailio/dialog_early", &whole), &d));
	assert_false(d.confirmed);
	assert_string_equal(d.session, "");
	assert_string_equal(d.from_user, "alice");
	assert_true(kamailio_parse_state(json_member(whole, "result"), &at));
	assert_string_equal(at.cseq, "5");
	json_object_put(whole);
	assert_false(kamailio_parse_state(recorded("kamailio/dialog_none", &whole), &at));
	json_object_put(whole);
}

static void kamailio_lists_and_numbers_are_read(void **state)
{
	struct json_object *whole, *keys;
	struct contact_list list = { 0 };
	char version[64];

	(void)state;
	keys = kamailio_parse_briefing(recorded("kamailio/briefing", &whole));
	assert_int_equal(json_object_array_length(keys), 3);
	json_object_put(keys);
	json_object_put(whole);
	keys = kamailio_parse_aors(recorded("kamailio/aors", &whole));
	assert_int_equal(json_object_array_length(keys), 1);
	assert_string_equal(json_object_get_string(json_object_array_get_idx(keys, 0)), "bob@nexus.test");
	json_object_put(keys);
	json_object_put(whole);
	kamailio_parse_contacts(recorded("kamailio/contacts", &whole), &list);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0].username, "bob");
	contact_list_free(&list);
	json_object_put(whole);
	kamailio_parse_version(recorded("kamailio/version", &whole), version, sizeof(version));
	assert_string_equal(version, "5.6.3");
	json_object_put(whole);
	assert_int_equal(kamailio_parse_statistic(recorded("kamailio/statistics", &whole), "usrloc:location_contacts"), 1);
	assert_int_equal(kamailio_parse_statistic(json_member(whole, "result"), "usrloc:location"), 0);
	json_object_put(whole);
}

static void answers_of_a_wrong_shape_are_left_out(void **state)
{
	static const char *const texts[] = { "{}", "[]", "null", "7", "\"x\"", "{\"Dialogs\":7}", "{\"Domains\":[{\"AORs\":[7,{\"AOR\":7}]}]}",
		"{\"Domains\":[{\"Domain\":{\"AoRs\":[{}]}}]}", "{\"AOR\":\"a@b\",\"Contacts\":[7,{},{\"Contact\":1},{\"Contact\":\"sip:x\",\"Expires\":\"deleted\"}]}",
		"{\"AoR\":\"a@b\",\"Contacts\":[7,{\"Contact\":7},{\"Contact\":{\"Address\":7}}]}", "{\"state\":\"4\",\"callid\":\"x\"}",
		"{\"state\":99,\"callid\":\"x\",\"call-id\":\"x\"}", "{\"state\":4}", "{\"Processes\":[{},7]}", "[7,{\"call-id\":7}]" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct json_object *obj = made(texts[i]), *keys;
		struct contact_list list = { 0 };
		struct kamailio_state at;
		struct sip_dialog d;
		char text[64];

		assert_false(opensips_parse_dialog(obj, &d));
		assert_false(kamailio_parse_dialog(obj, &d));
		assert_false(kamailio_parse_state(obj, &at));
		assert_false(opensips_parse_ready(obj, "127.0.0.1:5060", text, sizeof(text)));
		opensips_parse_contacts(obj, &list);
		kamailio_parse_contacts(obj, &list);
		assert_int_equal(list.count, 0);
		contact_list_free(&list);
		keys = opensips_parse_aors(obj);
		assert_int_equal(json_object_array_length(keys), 0);
		json_object_put(keys);
		keys = kamailio_parse_aors(obj);
		assert_int_equal(json_object_array_length(keys), 0);
		json_object_put(keys);
		keys = kamailio_parse_briefing(obj);
		assert_int_equal(json_object_array_length(keys), 0);
		json_object_put(keys);
		opensips_parse_version(obj, text, sizeof(text));
		assert_string_equal(text, "");
		kamailio_parse_version(obj, text, sizeof(text));
		assert_string_equal(text, "");
		assert_int_equal(opensips_parse_uptime(obj), 0);
		assert_int_equal(kamailio_parse_statistic(obj, "x"), 0);
		json_object_put(obj);
	}
}

static void an_addresses_domain_is_not_part_of_its_username(void **state)
{
	struct contact_list list = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		contact_list_add(&list, i % 2 ? "bob@nexus.test" : "carol", "sip:x", NULL, i);
	assert_false(list.failed);
	assert_int_equal(list.count, 100);
	assert_string_equal(list.items[0].username, "carol");
	assert_string_equal(list.items[99].username, "bob");
	assert_string_equal(list.items[99].user_agent, "");
	contact_list_free(&list);
}

static void contact_heard_over_websocket_is_a_browser(void **state)
{
	static const struct { const char *received, *socket; bool web; } cases[] = {
		{ "sip:127.0.0.1:40000;transport=ws", "tcp:127.0.0.1:5080", true }, { "sip:10.0.0.1:40000;transport=wss", NULL, true },
		{ NULL, "ws:127.0.0.1:5080", true }, { "[not set]", "wss:[::1]:5080", true },
		{ "[not set]", "udp:127.0.0.1:5060", false }, { "sip:127.0.0.1:1", "tcp:127.0.0.1:5060", false }, { NULL, NULL, false },
	};
	struct contact_list list = { 0 };

	(void)state;
	contact_list_heard(&list, "sip:1.2.3.4;transport=ws", NULL); /* of none */
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		contact_list_add(&list, "carol", "sip:x", NULL, 1);
		contact_list_heard(&list, cases[i].received, cases[i].socket);
		assert_int_equal(list.items[i].web, cases[i].web);
	}
	contact_list_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opensips_dialogs_show_ours_and_dialled_ones_but_not_the_dead),
		cmocka_unit_test(exact_time_of_the_answer_is_taken_where_there_is_one),
		cmocka_unit_test(opensips_contacts_version_uptime_are_read),
		cmocka_unit_test(opensips_is_ready_only_with_every_receiver),
		cmocka_unit_test(kamailio_dialogs_show_ours_and_dialled_ones_but_not_the_dead),
		cmocka_unit_test(kamailio_lists_and_numbers_are_read),
		cmocka_unit_test(contact_heard_over_websocket_is_a_browser),
		cmocka_unit_test(answers_of_a_wrong_shape_are_left_out),
		cmocka_unit_test(an_addresses_domain_is_not_part_of_its_username),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
