/* test_driver_control.c - the control client, and what is made of it, against a server that misbehaves on command. */
#include <sys/stat.h>

#include "control_peer.h"

#include "sip/control/event.h"
#include "sip/control/fan.h"
#include "sip/kamailio/impl.h"
#include "sip/opensips/impl.h"

struct outcome {
	int calls;
	nxv_status status;
	char text[400];
	bool stop;
};

static void keep(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct outcome *o = arg;

	o->calls++;
	o->status = status;
	snprintf(o->text, sizeof(o->text), "%s", status == NXV_OK ? json_object_to_json_string_ext(result, JSON_C_TO_STRING_PLAIN) : err->message);
	if (o->stop)
		loop_stop(loop);
}

/* The id of the request that reached the server. */
static int64_t request_id(const char *method)
{
	char text[1024];
	struct json_object *obj;
	int64_t id;
	ssize_t len = recv(server, text, sizeof(text), MSG_DONTWAIT);

	assert_true(len > 0);
	assert_int_equal(json_read(text, (size_t)len, sizeof(text), &obj, NULL), NXV_OK);
	assert_string_equal(json_text(obj, "jsonrpc"), "2.0");
	assert_string_equal(json_text(obj, "method"), method);
	id = json_int(obj, "id", -1);
	json_object_put(obj);
	return id;
}

static void answer(const char *fmt, long long id)
{
	char text[256];

	snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",%s,\"id\":%lld}", fmt, id);
	control_receive(control, text, strlen(text));
}

static void answers_find_their_requests_in_any_order(void **state)
{
	struct outcome one = { 0 }, two = { 0 };
	int64_t id1, id2;

	(void)state;
	control_call(control, "first", NULL, keep, &one);
	control_call(control, "second", NULL, keep, &two);
	id1 = request_id("first");
	id2 = request_id("second");
	assert_true(id1 != id2);
	answer("\"result\":[1,2]", id2);
	assert_int_equal(two.calls, 1);
	assert_string_equal(two.text, "[1,2]");
	assert_int_equal(one.calls, 0);
	answer("\"result\":null", id1);
	assert_int_equal(one.calls, 1);
	assert_int_equal(one.status, NXV_OK);
	answer("\"result\":null", id1);
	assert_int_equal(one.calls, 1);
}

/* The kernel holds ten datagrams: what comes at once waits for its turn, and is no server that is gone. */
static void a_burst_is_asked_in_turns_and_answered_whole(void **state)
{
	enum { BURST = 100 };
	static struct outcome o[BURST];
	int64_t last = 0;

	(void)state;
	memset(o, 0, sizeof(o));
	for (int i = 0; i < BURST; i++)
		control_call(control, "burst", NULL, keep, &o[i]);
	for (int i = 0; i < BURST; i++) {
		int64_t id = request_id("burst");
		assert_true(id > last);
		last = id;
		answer("\"result\":true", id);
		assert_int_equal(o[i].calls, 1);
		assert_int_equal(o[i].status, NXV_OK);
	}
}

static void errors_become_statuses(void **state)
{
	static const char too_big[] = "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32603,\"message\":\"Internal error\"},\"id\":null}";
	struct outcome o = { 0 };

	(void)state;
	control_call(control, "a", NULL, keep, &o);
	answer("\"error\":{\"code\":404,\"message\":\"No such dialog\"}", request_id("a"));
	assert_int_equal(o.status, NXV_E_NOT_FOUND);
	control_call(control, "b", NULL, keep, &o);
	answer("\"error\":{\"code\":500,\"message\":\"says why\"}", request_id("b"));
	assert_int_equal(o.status, NXV_E_CONFLICT);
	assert_non_null(strstr(o.text, "says why"));
	control_call(control, "c", NULL, keep, &o);
	request_id("c");
	control_receive(control, too_big, strlen(too_big));
	assert_int_equal(o.status, NXV_E_LIMIT);
	assert_int_equal(o.calls, 3);
}

static void what_is_no_answer_is_dropped(void **state)
{
	static const char *const texts[] = { "", "{", "null", "[]", "7", "{}", "{\"id\":1}", "{\"id\":\"1\",\"result\":1}", "{\"id\":99999,\"result\":1}",
		"{\"id\":null,\"error\":{\"code\":404}}", "{\"error\":7}", "{\"id\":1,\"id\":1,\"result\":1}" };
	struct outcome o = { 0 };
	int64_t id;

	(void)state;
	control_call(control, "a", NULL, keep, &o);
	id = request_id("a");
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		control_receive(control, texts[i], strlen(texts[i]));
	assert_int_equal(o.calls, 0);
	answer("\"result\":1", id);
	assert_int_equal(o.calls, 1);
}

static void a_silent_server_gives_a_timeout_and_an_absent_one_says_so(void **state)
{
	struct outcome silent = { .stop = true }, absent = { .stop = true };
	struct control *nowhere;
	char other[96];

	(void)state;
	control_call(control, "a", NULL, keep, &silent);
	assert_int_equal(loop_run(loop, NULL), NXV_OK);
	assert_int_equal(silent.status, NXV_E_TIMEOUT);
	assert_int_equal(silent.calls, 1);
	snprintf(other, sizeof(other), "%s/none.sock", dir);
	assert_int_equal(control_open(&env, loop, other, dir, &nowhere, NULL), NXV_OK);
	control_call(nowhere, "a", NULL, keep, &absent);
	assert_int_equal(absent.calls, 0);
	assert_int_equal(loop_run(loop, NULL), NXV_OK);
	assert_int_equal(absent.status, NXV_E_UNREACHABLE);
	control_close(nowhere);
}

static void closing_answers_everybody(void **state)
{
	struct outcome o = { 0 };

	(void)state;
	control_call(control, "a", NULL, keep, &o);
	control_call(control, "b", NULL, keep, &o);
	control_close(control);
	control = NULL;
	assert_int_equal(o.calls, 2);
	assert_int_equal(o.status, NXV_E_UNREACHABLE);
}

static int socket_at(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.60s/%.30s", dir, name);
	unlink(addr.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static int exists(const char *name)
{
	char file[96];

	snprintf(file, sizeof(file), "%.60s/%.30s", dir, name);
	return access(file, F_OK) == 0;
}

static void drop(const char *name)
{
	char file[160];

	snprintf(file, sizeof(file), "%s/%s", dir, name);
	assert_int_equal(unlink(file), 0);
}

static void sockets_of_the_dead_are_removed(void **state)
{
	int other = socket_at("ctl-1-0.sock");

	(void)state;
	close(socket_at("ctl-2-0.sock"));
	close(socket_at("server-2.sock"));
	control_close(control);
	assert_int_equal(control_open(&env, loop, path, dir, &control, NULL), NXV_OK);
	assert_true(exists("ctl-1-0.sock"));
	assert_false(exists("ctl-2-0.sock"));
	assert_true(exists("server-2.sock")); /* not ours */
	close(other);
	drop("ctl-1-0.sock");
	drop("server-2.sock");
}

static void our_socket_is_private(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "test -n \"$(find %s -name 'ctl-*.sock' -perm 600)\"", dir);
	assert_int_equal(system(command), 0);
}

/* ---- fan */
static struct json_object *key_params(void *arg, const char *key)
{
	struct json_object *params = json_object_new_array();

	(void)arg;
	control_text(params, NULL, key);
	return params;
}

static void a_fan_keeps_few_in_flight_and_skips_what_is_gone(void **state)
{
	struct outcome o = { 0 };
	struct json_object *keys = json_object_new_array();
	int64_t ids[20];

	(void)state;
	for (int i = 0; i < 20; i++)
		control_text(keys, NULL, "k");
	fan_start(control, "get", keys, 500, key_params, keep, &o);
	for (int i = 0; i < 8; i++)
		ids[i] = request_id("get");
	assert_int_equal(recv(server, &(char){ 0 }, 1, MSG_DONTWAIT), -1);
	for (int i = 0; i < 20; i++) {
		answer(i == 3 ? "\"error\":{\"code\":404,\"message\":\"\"}" : i == 5 ? "\"error\":{\"code\":500,\"message\":\"\"}" : "\"result\":1", ids[i]);
		if (i + 8 < 20)
			ids[i + 8] = request_id("get");
	}
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.status, NXV_OK);
	assert_int_equal(strlen(o.text), 18 * 2 + 1); /* eighteen answers: [1,1,...] */
}

static void a_fan_gives_up_on_a_real_failure(void **state)
{
	struct outcome o = { 0 };
	struct json_object *keys = json_object_new_array();
	int64_t ids[8];

	(void)state;
	for (int i = 0; i < 20; i++)
		control_text(keys, NULL, "k");
	fan_start(control, "get", keys, 404, key_params, keep, &o);
	for (int i = 0; i < 8; i++)
		ids[i] = request_id("get");
	answer("\"error\":{\"code\":500,\"message\":\"broken\"}", ids[0]);
	for (int i = 1; i < 8; i++)
		answer("\"result\":1", ids[i]);
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.status, NXV_E_CONFLICT);
	fan_start(control, "get", json_object_new_array(), 404, key_params, keep, &o);
	assert_int_equal(o.calls, 2);
	assert_string_equal(o.text, "[]");
}

/* ---- Kamailio's renewals: our address, the start time, the number of events sent */
static int gaps;

static void count_gap(void *arg)
{
	(void)arg;
	gaps++;
}

static void renewal(struct kamailio *k, const char *since, const char *sent)
{
	char text[128];

	kamailio_subscribe(k, NULL, NULL);
	answer("\"result\":\"Ok. Key set to new value.\"", request_id("htable.sets"));
	snprintf(text, sizeof(text), "\"result\":{\"up_since\":\"%s\"}", since);
	answer(text, request_id("core.uptime"));
	answer(sent, request_id("htable.get"));
}

static void take_numbered(struct kamailio *k, int n)
{
	char text[160];

	snprintf(text, sizeof(text), "{\"kind\":\"call\",\"call_id\":\"c\",\"sec\":1,\"usec\":0,\"n\":%d,\"key\":\"evk\"}", n);
	assert_true(kamailio_event(k, text, strlen(text)));
}

static void renew_opensips(struct opensips *os, const char *since)
{
	char text[128];

	opensips_subscribe(os, NULL, NULL);
	answer("\"result\":\"OK\"", request_id("event_subscribe"));
	snprintf(text, sizeof(text), "\"result\":{\"Up since\":\"%s\"}", since);
	answer(text, request_id("uptime"));
}

static void a_restart_of_opensips_and_standing_still_are_gaps(void **state)
{
	static const struct sip_settings set = { .events = "127.0.0.1:1" };
	struct opensips os = { .env = &env, .set = &set, .control = control, .sink = { .gap = count_gap } };

	(void)state;
	gaps = 0;
	renew_opensips(&os, "monday");
	assert_int_equal(gaps, 1);
	renew_opensips(&os, "monday");
	assert_int_equal(gaps, 1);
	renew_opensips(&os, "tuesday");
	assert_int_equal(gaps, 2);
	os.subscribed_at_ms -= 20000; /* longer than the server remembers us */
	renew_opensips(&os, "tuesday");
	assert_int_equal(gaps, 3);
	renew_opensips(&os, "tuesday");
	assert_int_equal(gaps, 3);
}

static void a_lost_event_and_a_restart_of_kamailio_are_gaps(void **state)
{
	static const struct sip_settings set = { .events = "127.0.0.1:1" };
	struct kamailio k = { .env = &env, .set = &set, .control = control, .sink = { .gap = count_gap }, .key = "evk" };

	(void)state;
	gaps = 0;
	renewal(&k, "monday", "\"error\":{\"code\":500,\"message\":\"Key name doesn't exist\"}");
	assert_int_equal(gaps, 1);
	take_numbered(&k, 1);
	take_numbered(&k, 2);
	renewal(&k, "monday", "\"result\":{\"item\":{\"name\":\"events\",\"value\":3}}");
	assert_int_equal(gaps, 1);
	take_numbered(&k, 3); /* was on its way */
	renewal(&k, "monday", "\"result\":{\"item\":{\"name\":\"events\",\"value\":4}}");
	assert_int_equal(gaps, 1);
	renewal(&k, "monday", "\"result\":{\"item\":{\"name\":\"events\",\"value\":4}}");
	assert_int_equal(gaps, 2); /* the fourth never came */
	take_numbered(&k, 4);      /* too late: told as lost, and not to be counted for the next */
	take_numbered(&k, 5);
	renewal(&k, "monday", "\"result\":{\"item\":{\"name\":\"events\",\"value\":6}}");
	renewal(&k, "monday", "\"result\":{\"item\":{\"name\":\"events\",\"value\":6}}");
	assert_int_equal(gaps, 3);
	renewal(&k, "tuesday", "\"result\":{\"item\":{\"name\":\"events\",\"value\":7}}");
	assert_int_equal(gaps, 4);
	renewal(&k, "tuesday", "\"result\":{\"item\":{\"name\":\"events\",\"value\":7}}");
	assert_int_equal(gaps, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_find_their_requests_in_any_order, open_all, close_all),
		cmocka_unit_test_setup_teardown(a_burst_is_asked_in_turns_and_answered_whole, open_all, close_all),
		cmocka_unit_test_setup_teardown(errors_become_statuses, open_all, close_all),
		cmocka_unit_test_setup_teardown(what_is_no_answer_is_dropped, open_all, close_all),
		cmocka_unit_test_setup_teardown(a_silent_server_gives_a_timeout_and_an_absent_one_says_so, open_all, close_all),
		cmocka_unit_test_setup_teardown(closing_answers_everybody, open_all, close_all),
		cmocka_unit_test_setup_teardown(our_socket_is_private, open_all, close_all),
		cmocka_unit_test_setup_teardown(sockets_of_the_dead_are_removed, open_all, close_all),
		cmocka_unit_test_setup_teardown(a_fan_keeps_few_in_flight_and_skips_what_is_gone, open_all, close_all),
		cmocka_unit_test_setup_teardown(a_fan_gives_up_on_a_real_failure, open_all, close_all),
		cmocka_unit_test_setup_teardown(a_restart_of_opensips_and_standing_still_are_gaps, open_all, close_all),
		cmocka_unit_test_setup_teardown(a_lost_event_and_a_restart_of_kamailio_are_gaps, open_all, close_all),
	};

	env_defaults(&env);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
