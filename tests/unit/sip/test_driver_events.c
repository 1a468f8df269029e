/* test_driver_events.c - what the drivers take of the datagrams that come as events, and what they drop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sip/control/event.h"
#include "sip/kamailio/impl.h"
#include "sip/opensips/impl.h"

static struct env env;

struct heard {
	int count;
	struct sip_event last;
	char text[200];
};

static void hear(void *arg, const struct sip_event *ev)
{
	struct heard *h = arg;

	h->count++;
	h->last = *ev;
	snprintf(h->text, sizeof(h->text), "%s|%s|%s|%s|%s|%s|%s|%s|%s", ev->call_id, ev->session, ev->leg, ev->owner, ev->from_user, ev->to_user,
		ev->who, ev->contact, ev->reason);
}

static size_t read_data(const char *name, char *text, size_t size)
{
	char file_path[256];
	FILE *file;
	size_t len;

	snprintf(file_path, sizeof(file_path), "%s/%s", TEST_DATA, name);
	file = fopen(file_path, "r");
	assert_non_null(file);
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	fclose(file);
	return len;
}

static void opensips_events_are_taken_with_the_key_only(void **state)
{
	struct heard h = { 0 };
	struct opensips os = { .env = &env, .sink = { .arg = &h, .event = hear }, .key = "evk" };
	char text[8192], *line;
	int lines = 0;

	(void)state;
	read_data("opensips/events.txt", text, sizeof(text));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++)
		assert_true(opensips_event(&os, line, strlen(line)));
	assert_int_equal(h.count, lines);
	read_data("opensips/events.txt", text, sizeof(text));
	memcpy(os.key, "evK", 4);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_false(opensips_event(&os, line, strlen(line)));
	assert_int_equal(h.count, lines);
}

static void opensips_events_of_a_wrong_shape_are_dropped(void **state)
{
	static const char *const texts[] = { "", "x", "{}", "{\"method\":\"E_NEXUS\"}", "{\"method\":\"E_NEXUS\",\"params\":{\"key\":\"evk\"}}",
		"{\"method\":\"E_NEXUS\",\"params\":{\"key\":\"evk\",\"kind\":\"call\",\"call_id\":\"x\"}}",
		"{\"method\":\"E_NEXUS\",\"params\":{\"key\":\"evk\",\"kind\":\"call\",\"sec\":1}}",
		"{\"method\":\"E_NEXUS\",\"params\":{\"key\":\"evk\",\"kind\":\"nonsense\",\"call_id\":\"x\",\"sec\":1}}",
		"{\"method\":\"E_NEXUS\",\"params\":{\"key\":7,\"kind\":\"call\",\"call_id\":\"x\",\"sec\":1}}",
		"{\"method\":\"E_NEXUS\",\"params\":{\"kind\":\"call\",\"call_id\":\"x\",\"sec\":1}}",
		"{\"method\":\"E_UL_CONTACT_INSERT\",\"params\":{\"aor\":\"bob@x\",\"uri\":\"sip:x\"}}",
		"{\"method\":\"E_OTHER\",\"params\":{\"key\":\"evk\",\"kind\":\"call\",\"call_id\":\"x\",\"sec\":1}}" };
	struct heard h = { 0 };
	struct opensips os = { .env = &env, .sink = { .arg = &h, .event = hear }, .key = "evk" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_false(opensips_event(&os, texts[i], strlen(texts[i])));
	assert_int_equal(h.count, 0);
}

static void kamailio_events_are_taken_with_the_key_only(void **state)
{
	struct heard h = { 0 };
	struct kamailio k = { .env = &env, .sink = { .arg = &h, .event = hear }, .key = "evk" };
	char text[8192], *line;
	int lines = 0;

	(void)state;
	read_data("kamailio/events.txt", text, sizeof(text));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++)
		assert_true(kamailio_event(&k, line, strlen(line)));
	assert_int_equal(h.count, lines);
	assert_int_equal(k.received, lines);
	assert_int_equal(h.last.kind, SIP_EV_CALL);
	assert_string_equal(strchr(h.text, '|'), "|||own1|alice|bob|||");
	assert_true(h.last.at_ms > 1700000000000);
	read_data("kamailio/events.txt", text, sizeof(text));
	memcpy(k.key, "evK", 4);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_false(kamailio_event(&k, line, strlen(line)));
	assert_false(kamailio_event(&k, "{}", 2));
	assert_false(kamailio_event(&k, "4:nope,", 7));
	assert_int_equal(h.count, lines);
	assert_int_equal(k.received, lines);
}

/* A phone's reason phrase in Latin-1 would hide how its call ended. */
static void bytes_that_are_no_text_hide_no_event(void **state)
{
	static const char members[] = "{\"key\":\"evk\",\"kind\":\"failed\",\"call_id\":\"x\",\"sec\":1,\"code\":486,\"reason\":\"Bes\xe4tt\"}";
	struct heard h = { 0 };
	struct opensips os = { .env = &env, .sink = { .arg = &h, .event = hear }, .key = "evk" };
	struct kamailio k = { .env = &env, .sink = { .arg = &h, .event = hear }, .key = "evk" };
	char text[300];

	(void)state;
	snprintf(text, sizeof(text), "{\"method\":\"E_NEXUS\",\"params\":%s}", members);
	assert_true(opensips_event(&os, text, strlen(text)));
	assert_string_equal(h.text, "x||||||||Bes?tt");
	h = (struct heard){ 0 };
	assert_true(kamailio_event(&k, members, strlen(members)));
	assert_string_equal(h.text, "x||||||||Bes?tt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opensips_events_are_taken_with_the_key_only),
		cmocka_unit_test(opensips_events_of_a_wrong_shape_are_dropped),
		cmocka_unit_test(kamailio_events_are_taken_with_the_key_only),
		cmocka_unit_test(bytes_that_are_no_text_hide_no_event),
	};

	env_defaults(&env);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
