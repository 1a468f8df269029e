/* test_driver_endings.c - what the drivers make of a server's memory of ended calls. */
#include "control_peer.h"

#include "sip/control/common.h"
#include "sip/control/endings.h"
#include "sip/control/event.h"

static struct json_object *ask_for(const char *ring, int place)
{
	struct json_object *params = json_object_new_array();

	control_int(params, NULL, place);
	control_text(params, NULL, ring);
	return params;
}

static const struct endings_store store = { "get", ask_for };

struct told {
	int times;
	nxv_status status;
	size_t count;
	char text[400];
};

static void tell(void *arg, nxv_status status, const struct sip_ending *items, size_t count, const struct nxv_error *err)
{
	struct told *t = arg;

	t->times++;
	t->status = status;
	t->count = count;
	assert_true((status == NXV_OK) == (err == NULL));
	for (size_t i = 0; i < count; i++) {
		const size_t len = strlen(t->text);

		snprintf(t->text + len, sizeof(t->text) - len, "%s@%lld ", items[i].event.call_id, (long long)items[i].event.at_ms);
	}
}

/* Answer the one request that is waiting; it must be for that place. */
__attribute__((format(printf, 3, 4))) static void answer(const char *ring, int place, const char *format, ...)
{
	char text[8192], body[6000];
	struct json_object *obj;
	va_list args;
	ssize_t len = recv(server, text, sizeof(text), MSG_DONTWAIT);

	assert_true(len > 0);
	assert_int_equal(json_read(text, (size_t)len, sizeof(text), &obj, NULL), NXV_OK);
	assert_int_equal(json_object_get_int(json_object_array_get_idx(json_member(obj, "params"), 0)), place);
	assert_string_equal(json_object_get_string(json_object_array_get_idx(json_member(obj, "params"), 1)), ring);
	va_start(args, format);
	vsnprintf(body, sizeof(body), format, args);
	va_end(args);
	len = snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",%s,\"id\":%lld}", body, (long long)json_int(obj, "id", 0));
	control_receive(control, text, (size_t)len);
	json_object_put(obj);
}

#define LINES(n, id, sec) \
	"\"result\":{\"key\":\"k\",\"value\":\"n=" #n "\\nkind=ended\\nsec=" #sec "\\nusec=5000\\ncode=0\\nwho=caller\\ncall_id=" id "\"}"
#define MISSING "\"error\":{\"code\":500,\"message\":\"none\"}"

static void none_failed(void)
{
	answer("failed", -1, MISSING);
}

static void they_are_read_backwards_to_the_time_asked_for(void **state)
{
	struct told t = { 0 };

	(void)state;
	endings_read(control, &store, 1001000, tell, &t);
	answer("ended", -1, "\"result\":{\"key\":\"endings\",\"value\":\"7\"}");
	answer("ended", 7, LINES(7, "c7", 1003));
	answer("ended", 6, LINES(6, "c6", 1002));
	assert_int_equal(t.times, 0);
	answer("ended", 5, LINES(5, "c5", 1000));
	none_failed();
	assert_int_equal(t.times, 1);
	assert_string_equal(t.text, "c6@1002005 c7@1003005 ");
}

static void both_rings_are_told_in_the_order_of_time(void **state)
{
	struct told t = { 0 };

	(void)state;
	endings_read(control, &store, 0, tell, &t);
	answer("ended", -1, "\"result\":{\"value\":\"2\"}");
	answer("ended", 2, LINES(2, "e2", 1005));
	answer("ended", 1, LINES(1, "e1", 1002));
	answer("failed", -1, "\"result\":{\"value\":\"2\"}");
	answer("failed", 2, LINES(2, "f2", 1004));
	answer("failed", 1, LINES(1, "f1", 1001));
	assert_int_equal(t.times, 1);
	assert_string_equal(t.text, "f1@1001005 e1@1002005 f2@1004005 e2@1005005 ");
}

static void hole_hides_nothing_before_it(void **state)
{
	struct told t = { 0 };

	(void)state;
	endings_read(control, &store, 1000000, tell, &t);
	answer("ended", -1, "\"result\":{\"item\":{\"name\":\"endings\",\"value\":5000}}");
	answer("ended", 5000 % COMMON_ENDINGS, LINES(5000, "c5000", 1004));
	answer("ended", 4999 % COMMON_ENDINGS, MISSING); /* too long to be kept */
	answer("ended", 4998 % COMMON_ENDINGS, "\"result\":{\"value\":\"nonsense\"}");
	answer("ended", 4997 % COMMON_ENDINGS, LINES(2949, "round before", 900)); /* not there yet */
	answer("ended", 4996 % COMMON_ENDINGS, "\"result\":{\"item\":{\"name\":\"1\",\"value\":\"{\\\"n\\\":4996,\\\"kind\\\":\\\"failed\\\",\\\"call_id\\\":\\\"c4996\\\",\\\"sec\\\":1001,\\\"usec\\\":0,\\\"code\\\":486}\"}}");
	answer("ended", 4995 % COMMON_ENDINGS, LINES(4995, "c4995", 999));
	none_failed();
	assert_int_equal(t.times, 1);
	assert_int_equal(t.status, NXV_OK);
	assert_string_equal(t.text, "c4996@1001000 c5000@1004005 ");
}

static void ring_is_read_once_round(void **state)
{
	struct told t = { 0 };
	int n = COMMON_ENDINGS + 3;

	(void)state;
	endings_read(control, &store, 0, tell, &t);
	answer("ended", -1, "\"result\":{\"value\":\"%d\"}", n);
	for (int i = 0; i < COMMON_ENDINGS; i++, n--) {
		assert_int_equal(t.times, 0);
		answer("ended", n % COMMON_ENDINGS, i == 0 ? LINES(2051, "newest", 2000) : i == COMMON_ENDINGS - 1 ? LINES(4, "oldest", 1000) : MISSING);
	}
	none_failed();
	assert_int_equal(t.times, 1);
	assert_string_equal(t.text, "oldest@1000005 newest@2000005 ");
}

static void server_that_keeps_none_has_none(void **state)
{
	static const char *const counts[] = { MISSING, "\"result\":{\"value\":\"0\"}", "\"result\":{\"value\":\"-3\"}", "\"result\":{}" };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct told t = { 0 };

		endings_read(control, &store, 0, tell, &t);
		answer("ended", -1, "%s", counts[i]);
		answer("failed", -1, "%s", counts[i]);
		assert_true(t.times == 1 && t.status == NXV_OK && t.count == 0);
	}
}

static void server_that_goes_away_is_told_of(void **state)
{
	struct told t = { 0 };

	(void)state;
	endings_read(control, &store, 0, tell, &t);
	answer("ended", -1, "\"result\":{\"value\":\"2\"}");
	control_close(control);
	control = NULL;
	assert_int_equal(t.times, 1);
	assert_int_equal(t.status, NXV_E_UNREACHABLE);
	assert_int_equal(t.count, 0);
}

static void members_are_those_of_the_event(void **state)
{
	static const char text[] = "kind=failed\ncall_id=a=b\nsec=12\nusec=7\ncode=486\nreason=Busy = Here\nowner=\nstarted=11.5\n=x\nunknown_and_far_too_long_name=1\nrest";
	struct json_object *members = endings_members(text);
	struct sip_event event;

	(void)state;
	assert_non_null(members);
	assert_true(event_read(members, &event));
	assert_int_equal(event.kind, SIP_EV_FAILED);
	assert_string_equal(event.call_id, "a=b");
	assert_string_equal(event.reason, "Busy = Here");
	assert_string_equal(event.owner, "");
	assert_int_equal(event.code, 486);
	assert_int_equal(event.at_ms, 12000);
	assert_string_equal(json_text(members, "started"), "11.5");
	json_object_put(members);
}

/* A phone's reason phrase in Latin-1 must not cost an answer, and with it the memory of all. */
static void bytes_that_are_no_text_cost_nothing(void **state)
{
	struct told t = { 0 };

	(void)state;
	endings_read(control, &store, 0, tell, &t);
	answer("ended", -1, "\"result\":{\"value\":\"1\"}");
	answer("ended", 1, "\"result\":{\"value\":\"n=1\\nkind=failed\\nsec=1000\\nusec=0\\ncode=486\\ncall_id=c\\nreason=Bes\xe4tt \xff\"}");
	none_failed();
	assert_int_equal(t.times, 1);
	assert_string_equal(t.text, "c@1000000 ");
}

static void what_is_no_ending_is_none(void **state)
{
	static const char *const texts[] = { "", "{", "{}", "kind=ended", "kind=ended\nsec=1", "kind=ringing\ncall_id=a\nsec=1",
		"kind=registered\nfrom=alice\nsec=1", "kind=ended\ncall_id=a\nsec=-1", "{\"kind\":\"ended\",\"call_id\":\"a\",\"sec\":\"1\"}", "\n\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_null(endings_members(texts[i]));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(they_are_read_backwards_to_the_time_asked_for),
		TEST(both_rings_are_told_in_the_order_of_time),
		TEST(hole_hides_nothing_before_it),
		TEST(ring_is_read_once_round),
		TEST(server_that_keeps_none_has_none),
		TEST(bytes_that_are_no_text_cost_nothing),
		TEST(server_that_goes_away_is_told_of),
		cmocka_unit_test(members_are_those_of_the_event),
		cmocka_unit_test(what_is_no_ending_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
