/* test_sandbox_prism.c - answers of nexus-sandbox judged by Twilio's published description of its API: Prism stands between the
 * client and the sandbox, and turns an answer that is not as described into an error. */
#include "gateway.h"
#include "proc.h"
#include "sandbox.h"
#include "twilio/node.h"

#include <nexusvoip/twilio.h>

static struct sandbox_run sandbox;
static struct node checker;
static nxv_twilio *twilio;
static struct nxv_error err;

static void ok(nxv_status status, const char *what)
{
	if (status)
		fail_msg("%s: %s %d: %s", what, err.code, err.detail, err.message);
}

static int set_up(void **state)
{
	struct nxv_twilio_opts opts = NXV_TWILIO_OPTS_INIT;
	char base_url[64];
	const char *line;

	(void)state;
	if (!sandbox_start(&sandbox, (const char *const[]){ "--speed", "50", NULL }))
		return -1;
	node_start(&checker, TWILIO_CHECKS "/checker.js", (const char *const[]){ TWILIO_NPM, sandbox.url, NULL });
	line = node_line(&checker);
	if (!line || strncmp(line, "READY ", 6) != 0)
		return -1;
	snprintf(base_url, sizeof(base_url), "http://127.0.0.1:%d", atoi(line + 6));
	opts.account_sid = SANDBOX_ACCOUNT;
	opts.auth_token = SANDBOX_TOKEN;
	opts.base_url = base_url;
	opts.first_byte_timeout_ms = opts.total_timeout_ms = 30000; /* Prism under load takes its time */
	return nxv_twilio_open(&opts, &twilio, &err) == NXV_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	nxv_twilio_close(twilio);
	node_end(&checker);
	return sandbox_stop(&sandbox);
}

static void place(const char *to, char sid[40])
{
	struct nxv_twilio_call_opts opts = NXV_TWILIO_CALL_OPTS_INIT;
	struct nxv_twilio_call *call = NULL;

	opts.to = to;
	opts.from = "+12025550123";
	opts.twiml = "<Response><Dial><Number>+999102</Number></Dial></Response>";
	opts.status_callback = "http://127.0.0.1:9/status";
	opts.status_callback_events = NXV_TWILIO_INITIATED | NXV_TWILIO_COMPLETED;
	opts.machine_detection = NXV_TWILIO_MACHINE_ENABLE;
	ok(nxv_twilio_call_create(twilio, &opts, &call, &err), "create");
	snprintf(sid, 40, "%s", call->sid);
	nxv_twilio_call_free(call);
}

static void wait_for(const char *sid, const char *status)
{
	bool there = false;

	for (int64_t until = now_ms() + 20000; now_ms() < until && !there; nap_ms(20)) {
		struct nxv_twilio_call *call = NULL;

		ok(nxv_twilio_call_fetch(twilio, sid, &call, &err), "fetch");
		there = strcmp(call->status, status) == 0;
		nxv_twilio_call_free(call);
	}
	assert_true(there);
}

static void list_all(void)
{
	struct nxv_twilio_call_list_opts opts = NXV_TWILIO_CALL_LIST_OPTS_INIT;
	struct nxv_twilio_call_list *list = NULL;

	opts.page_size = 2;
	ok(nxv_twilio_call_list(twilio, &opts, &list, &err), "list");
	assert_int_equal(list->count, 2);
	nxv_twilio_call_list_free(list);
}

static void calls_are_told_as_described_in_every_state(void **state)
{
	char sid[40], busy[40];

	(void)state;
	place("+999102", sid);
	place("+999200", busy);
	list_all();
	wait_for(sid, "in-progress");
	list_all(); /* with the call that was dialled */
	wait_for(busy, "busy");
	ok(nxv_twilio_call_end(twilio, sid, NULL, &err), "end");
	wait_for(sid, "completed");
	list_all();
}

static void recordings_are_told_as_described(void **state)
{
	struct nxv_twilio_recording *recording = NULL;
	struct nxv_twilio_recording_list *list = NULL;
	char call[40], sid[40];

	(void)state;
	place("+999102", call);
	wait_for(call, "in-progress");
	ok(nxv_twilio_recording_start(twilio, call, NULL, &recording, &err), "start");
	snprintf(sid, sizeof(sid), "%s", recording->sid);
	nxv_twilio_recording_free(recording);
	for (int action = NXV_TWILIO_REC_PAUSE_SKIP; action <= NXV_TWILIO_REC_STOP; action++)
		ok(nxv_twilio_recording_update(twilio, call, sid, (nxv_twilio_recording_action)action, NULL, &err), "update");
	ok(nxv_twilio_recording_fetch(twilio, sid, &recording, &err), "fetch");
	nxv_twilio_recording_free(recording);
	ok(nxv_twilio_recording_list(twilio, NULL, &list, &err), "list");
	assert_int_equal(list->count, 1);
	nxv_twilio_recording_list_free(list);
	ok(nxv_twilio_recording_delete(twilio, sid, &err), "delete");
	ok(nxv_twilio_call_end(twilio, call, NULL, &err), "end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_told_as_described_in_every_state),
		cmocka_unit_test(recordings_are_told_as_described),
	};

	node_require();
	proc_guard(300);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
