/* test_engine_sip.c - the engine and its SIP server: one that falls silent, one that is asked while the engine stops, and
 * an engine that does not get the folder. The server is a driver in this file, in external mode. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <nexusvoip/nexusvoip.h>

#include "base/error.h"
#include "base/text.h"
#include "ctx.h"
#include "sip/server.h"
#include "store/setting.h"

/* ---- the driver; everything but the flags on the engine's thread ---- */

static struct fake {
	struct sip_server server;
	struct loop *loop;
	struct loop_timer *late;       /* answers a status question that was met with silence */
	sip_status_fn *status_fn;
	sip_contacts_fn *contacts_fn;  /* asked, and not answered yet */
	void *status_arg, *contacts_arg;
	atomic_bool silent;            /* answers nothing but "ready" */
	atomic_int asked_status, asked_contacts;
} fake;

static void say_nothing(void *arg)
{
	struct nxv_error err;

	(void)arg;
	error_set(&err, NXV_E_TIMEOUT, "the SIP server did not answer");
	fake.status_fn(fake.status_arg, NXV_E_TIMEOUT, NULL, &err);
}

static const struct sip_driver driver;

static nxv_status fake_open(const struct env *env, struct loop *loop, const struct sip_settings *set, const struct sip_sink *sink,
	struct sip_server **out, struct nxv_error *err)
{
	(void)env, (void)set, (void)sink, (void)err;
	fake.server.driver = &driver;
	fake.loop = loop;
	fake.late = loop_timer_new(loop, say_nothing, NULL);
	*out = &fake.server;
	return NXV_OK;
}

/* As the real ones do: whoever still waits for an answer gets one. */
static void fake_close(struct sip_server *s)
{
	struct nxv_error err;

	(void)s;
	loop_timer_free(fake.late);
	error_set(&err, NXV_E_UNREACHABLE, "the connection to the SIP server is being closed");
	if (fake.contacts_fn)
		fake.contacts_fn(fake.contacts_arg, NXV_E_UNREACHABLE, NULL, 0, &err);
	fake.contacts_fn = NULL;
}

struct question {
	sip_done_fn *fn;
	void *arg;
};

static void answer_ready(void *arg)
{
	struct question question = *(struct question *)arg;

	free(arg);
	question.fn(question.arg, NXV_OK, NULL);
}

static void fake_ready(struct sip_server *s, sip_done_fn *fn, void *arg)
{
	struct question *question = malloc(sizeof(*question));

	(void)s;
	*question = (struct question){ fn, arg };
	loop_post(fake.loop, answer_ready, question);
}

static void fake_status(struct sip_server *s, sip_status_fn *fn, void *arg)
{
	const struct sip_status status = { "1.0", 7, 0, 0 };

	(void)s;
	fake.asked_status++;
	fake.status_fn = fn;
	fake.status_arg = arg;
	if (fake.silent)
		loop_timer_start(fake.late, 100);
	else
		fn(arg, NXV_OK, &status, NULL);
}

static void fake_contacts(struct sip_server *s, const char *username, sip_contacts_fn *fn, void *arg)
{
	(void)s;
	if (!username) { /* what the engine asks by itself */
		fn(arg, NXV_OK, NULL, 0, NULL);
		return;
	}
	fake.contacts_fn = fn;
	fake.contacts_arg = arg;
	fake.asked_contacts++;
}

static void fake_dialogs(struct sip_server *s, sip_dialogs_fn *fn, void *arg)
{
	(void)s;
	fn(arg, NXV_OK, NULL, 0, NULL);
}

static void fake_order(struct sip_server *s, const char *name, sip_done_fn *fn, void *arg)
{
	(void)s, (void)name;
	fn(arg, NXV_OK, NULL);
}

static const struct sip_driver driver = { .name = "opensips", .program = "none", .open = fake_open, .close = fake_close,
	.ready = fake_ready, .status = fake_status, .dialogs = fake_dialogs, .end = fake_order, .contacts = fake_contacts,
	.unregister = fake_order };
const struct sip_driver *const sip_drivers[] = { &driver, NULL };

const struct sip_driver *sip_driver_find(const char *name, const char *binary, char *path, size_t size)
{
	(void)name, (void)binary, (void)path, (void)size;
	return &driver;
}

nxv_status sip_driver_version(const struct sip_driver *of, const char *path, char *out, size_t size, struct nxv_error *err)
{
	(void)of, (void)path, (void)out, (void)size;
	return error_set(err, NXV_E_UNSUPPORTED, "nobody starts this server");
}

/* ---- its listener: answers OPTIONS over UDP and TCP ---- */

static struct listener {
	pthread_t thread;
	int udp, tcp;
	atomic_bool ends;
} listener;

static size_t answer_options(const char *request, char *answer, size_t size)
{
	const char *id = strstr(request, "Call-ID: ");

	return (size_t)snprintf(answer, size, "SIP/2.0 200 OK\r\n%.*s\r\nContent-Length: 0\r\n\r\n", id ? (int)strcspn(id, "\r") : 0,
		id ? id : "");
}

static void *listen_main(void *arg)
{
	struct pollfd fds[] = { { listener.udp, POLLIN, 0 }, { listener.tcp, POLLIN, 0 } };
	char request[4096], answer[4096];

	(void)arg;
	while (!listener.ends && poll(fds, 2, 20) >= 0) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		int fd = fds[1].revents ? accept(listener.tcp, NULL, NULL) : listener.udp;
		ssize_t n = fds[0].revents || fds[1].revents ? recvfrom(fd, request, sizeof(request) - 1, 0, (struct sockaddr *)&from, &len) : 0;

		if (n > 0) {
			request[n] = '\0';
			size_t size = answer_options(request, answer, sizeof(answer));
			if (sendto(fd, answer, size, MSG_NOSIGNAL, fd == listener.udp ? (struct sockaddr *)&from : NULL, fd == listener.udp ? len : 0) < 0)
				break;
		}
		if (fd != listener.udp)
			close(fd);
	}
	return NULL;
}

static int listen_anywhere(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(addr);

	listener.ends = false;
	listener.tcp = socket(AF_INET, SOCK_STREAM, 0);
	listener.udp = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(listener.tcp, (struct sockaddr *)&addr, len) || listen(listener.tcp, 8) ||
		getsockname(listener.tcp, (struct sockaddr *)&addr, &len) || bind(listener.udp, (struct sockaddr *)&addr, len) ||
		pthread_create(&listener.thread, NULL, listen_main, NULL))
		return 0;
	return ntohs(addr.sin_port);
}

/* ---- the engine on it ---- */

static char dir[64], listen_on[48];
static nxv_ctx *ctx;

static nxv_ctx *open_ctx(void)
{
	const char *const set[] = { "sip.mode=external", "sip.server=opensips", "sip.control=/nowhere", listen_on, NULL };
	struct nxv_opts opts = NXV_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_ctx *out;

	opts.state_dir = dir;
	opts.set = set;
	if (nxv_open(&opts, &out, &err) != NXV_OK)
		fail_msg("%s", err.message);
	return out;
}

static int setup(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	int port;

	(void)state;
	memset(&fake, 0, sizeof(fake));
	strcpy(dir, "/tmp/nxv-engine-sip-XXXXXX");
	port = listen_anywhere();
	if (!port || !mkdtemp(dir))
		return 1;
	snprintf(listen_on, sizeof(listen_on), "sip.listen=127.0.0.1:%d", port);
	ctx = open_ctx();
	if (nxv_start(ctx, &err) != NXV_OK || nxv_sip_wait(ctx, true, 10000, &err) != NXV_OK)
		fail_msg("%s", err.message);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	nxv_close(ctx);
	listener.ends = true;
	pthread_join(listener.thread, NULL);
	close(listener.udp);
	close(listener.tcp);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void give_credential(const char *user)
{
	struct nxv_credential_opts opts = NXV_CREDENTIAL_OPTS_INIT;
	struct nxv_credential *credential;

	opts.user_id = user;
	assert_int_equal(nxv_credential_create(ctx, &opts, &credential, NULL), NXV_OK);
	nxv_credential_free(credential);
}

static struct nxv_session *place_call(void)
{
	struct nxv_call_opts opts = NXV_CALL_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_session *call;

	give_credential("alice");
	give_credential("bob");
	opts.user_id = "alice";
	opts.from_number = "+123";
	opts.to_number = "bob";
	if (nxv_session_start(ctx, &opts, &call, &err) != NXV_OK)
		fail_msg("%s", err.message);
	return call;
}

static void an_engine_that_does_not_get_the_folder_leaves_its_state_alone(void **state)
{
	nxv_ctx *other = open_ctx();
	char word[16];

	(void)state;
	assert_int_equal(nxv_start(other, NULL), NXV_E_BUSY);
	nxv_close(other);
	assert_int_equal(setting_read(ctx->db, SETTING_SIP_STATE, word, sizeof(word), NULL), NXV_OK);
	assert_string_equal(word, "running");
	nxv_session_free(place_call());
}

static void a_stop_ends_a_call_whose_phone_is_being_looked_up(void **state)
{
	struct nxv_session *call = place_call(), *ended;
	struct nxv_completion done;
	nxv_inbox *inbox;
	int token;

	(void)state;
	for (int i = 0; i < 500 && !fake.asked_contacts; i++)
		usleep(10000);
	assert_int_equal(fake.asked_contacts, 1);
	assert_int_equal(nxv_inbox_open(ctx, &inbox, NULL), NXV_OK);
	assert_int_equal(nxv_session_wait_async(inbox, call->id, NXV_UNTIL_RINGING, 60000, &token, NULL), NXV_OK);
	nxv_stop(ctx);
	assert_true(nxv_inbox_next(inbox, &done));
	assert_int_equal(done.status, NXV_E_NOT_RUNNING);
	assert_int_equal(nxv_session_get(ctx, call->id, &ended, NULL), NXV_OK);
	assert_int_equal(ended->status, NXV_CALL_FAILED);
	assert_string_equal(ended->end_reason, "server_lost");
	nxv_session_free(ended);
	nxv_session_free(call);
	nxv_inbox_close(inbox);
}

static nxv_sip_state health(char *message, size_t size)
{
	struct nxv_sip_health *out;
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_sip_state was;

	if (nxv_sip_health_get(ctx, &out, &err) != NXV_OK)
		fail_msg("%s", err.message);
	was = out->state;
	text_copy(message, size, out->message ? out->message : "");
	nxv_sip_health_free(out);
	return was;
}

static void a_server_that_falls_silent_is_unresponsive_and_asked_once_for_all(void **state)
{
	char message[200];

	(void)state;
	assert_int_equal(health(message, sizeof(message)), NXV_SIP_RUNNING);
	assert_int_equal(fake.asked_status, 1);
	fake.silent = true;
	for (int i = 0; i < 20; i++) { /* whoever asks within the next seconds does not wait for it again */
		assert_int_equal(health(message, sizeof(message)), NXV_SIP_UNRESPONSIVE);
		assert_non_null(strstr(message, "does not answer"));
	}
	assert_int_equal(fake.asked_status, 2);
	fake.silent = false;
	for (int i = 0; i < 50 && health(message, sizeof(message)) != NXV_SIP_RUNNING; i++)
		usleep(100000);
	assert_int_equal(health(message, sizeof(message)), NXV_SIP_RUNNING);
	assert_string_equal(message, "");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_engine_that_does_not_get_the_folder_leaves_its_state_alone),
		TEST(a_stop_ends_a_call_whose_phone_is_being_looked_up),
		TEST(a_server_that_falls_silent_is_unresponsive_and_asked_once_for_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
