/* fake_server.h - a SIP server for the manager's tests: this very test program, started again with --server, and a
 * driver for it. What it does at a start is written in <run_dir>/behave, so that its configuration can stay the same. */
#ifndef TESTS_SIP_FAKE_SERVER_H
#define TESTS_SIP_FAKE_SERVER_H

#include "manager_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>

#include "base/text.h"

/* ---- the server's side ---- */

static inline int fake_bind(const char *address, int type)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int fd, on = 1;

	if (!probe_address(address, &sa, &len))
		return -1;
	fd = socket(sa.ss_family, type, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)); /* as the real ones: a second bind is not refused */
	if (bind(fd, (struct sockaddr *)&sa, len) != 0 || (type == SOCK_STREAM && listen(fd, 8) != 0)) {
		fprintf(stderr, " 0(1) ERROR: <core> [udp.c:1]: bind: %s\n", strerror(errno));
		_exit(255);
	}
	return fd;
}

static inline size_t fake_answer(const char *request, char *answer, size_t size)
{
	const char *id = strstr(request, "Call-ID: ");
	int len = id ? (int)strcspn(id, "\r") : 0;

	return (size_t)snprintf(answer, size, "SIP/2.0 200 OK\r\n%.*s\r\nContent-Length: 0\r\n\r\n", len, id ? id : "");
}

static inline void fake_serve(const char *listen_on, int ms)
{
	struct pollfd fds[2] = { { fake_bind(listen_on, SOCK_DGRAM), POLLIN, 0 }, { fake_bind(listen_on, SOCK_STREAM), POLLIN, 0 } };
	char request[4096], answer[4096];
	int64_t end = loop_now_ms() + ms;

	while (loop_now_ms() < end && poll(fds, 2, 50) >= 0) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		if (fds[0].revents) {
			ssize_t n = recvfrom(fds[0].fd, request, sizeof(request) - 1, 0, (struct sockaddr *)&from, &len);
			if (n > 0) {
				request[n] = '\0';
				n = (ssize_t)fake_answer(request, answer, sizeof(answer));
				sendto(fds[0].fd, answer, (size_t)n, 0, (struct sockaddr *)&from, len);
			}
		}
		if (fds[1].revents) {
			int fd = accept(fds[1].fd, NULL, NULL);
			ssize_t n = recv(fd, request, sizeof(request) - 1, 0);
			if (n > 0) {
				request[n] = '\0';
				n = (ssize_t)fake_answer(request, answer, sizeof(answer));
				if (send(fd, answer, (size_t)n, MSG_NOSIGNAL) < 0)
					_exit(3);
			}
			close(fd);
		}
	}
}

/* How the process was born, for the tests to read. */
static inline void fake_report_birth(void)
{
	FILE *file = fopen("birth", "w");
	struct sigaction action;
	sigset_t mask;
	char link[256] = "";
	int open_fds = 0;
	ssize_t n = readlink("/proc/self/fd/0", link, sizeof(link) - 1);

	for (int fd = 3; fd < 256; fd++)
		open_fds += fd != fileno(file) && fcntl(fd, F_GETFD) >= 0;
	sigaction(SIGPIPE, NULL, &action);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	fprintf(file, "leader=%d fds=%d pipe_default=%d blocked=%d stdin=%.*s home=%d", getsid(0) == getpid(), open_fds,
		action.sa_handler == SIG_DFL, sigismember(&mask, SIGUSR1), (int)n, link, getenv("HOME") != NULL);
	fclose(file);
}

/* argv: --server|--check CONFIG; the configuration's lines are "listen=..." and "secret=...". */
static inline int fake_main(int argc, char **argv)
{
	char listen_on[64] = "", secret[64] = "", behave[64] = "serve", line[256];
	FILE *file;

	if (argc < 3 || !(file = fopen(argv[2], "r")))
		return 2;
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "listen=%63s", listen_on);
		sscanf(line, "secret=%63s", secret);
	}
	fclose(file);
	if ((file = fopen("behave", "r"))) {
		if (fscanf(file, "%63s", behave) != 1)
			behave[0] = '\0';
		fclose(file);
	}
	if (strcmp(argv[1], "--check") == 0) {
		if (strcmp(behave, "refuse") == 0)
			fprintf(stderr, "loading\n 0(77) CRITICAL: <core> [cfg.y:3]: parse error in line 7\n");
		if (strcmp(behave, "hang-check") == 0)
			sleep(60);
		_exit(strcmp(behave, "refuse") == 0 ? 255 : 0);
	}
	fake_report_birth();
	if (strcmp(behave, "exit") == 0) {
		fprintf(stderr, "starting\n 0(78) ERROR: <core> [db.c:2]: no such table: version (%s)\nand more\n", secret);
		_exit(255);
	}
	if (strcmp(behave, "stubborn") == 0)
		signal(SIGTERM, SIG_IGN);
	if (strcmp(behave, "orphans") == 0 && fork() == 0) {
		signal(SIGTERM, SIG_IGN);
		fake_serve(listen_on, 60000);
		_exit(0);
	}
	if (strcmp(behave, "mute") == 0)
		sleep(60);
	fake_serve(listen_on, strcmp(behave, "brief") == 0 ? 700 : 60000);
	fprintf(stderr, " 0(79) ALERT: <core> [main.c:5]: tired of it\n");
	_exit(9);
}

/* ---- the driver's side ---- */

static struct fake {
	struct sip_server server;
	struct loop *loop;
	int opens, closes;
	nxv_status ready; /* what control says */
	const char *flavour; /* part of the configuration */
	char program[256];
} fake;

struct fake_question {
	sip_done_fn *fn;
	void *arg;
};

static inline nxv_status fake_render(
	const struct sip_settings *set, const char *version, bool mask, struct buf *out, struct nxv_error *err)
{
	(void)err;
	buf_printf(out, "version=%s\nlisten=%s\nsecret=%s\nflavour=%s\n", version, set->listen, mask ? "***" : set->secret,
		fake.flavour);
	return NXV_OK;
}

static inline nxv_status fake_prepare(const struct env *env, const struct sip_settings *set, struct nxv_error *err)
{
	(void)env;
	(void)set;
	(void)err;
	return NXV_OK;
}

static inline void fake_argv(const struct sip_settings *set, const char *config, bool check_only, const char **argv)
{
	(void)set;
	argv[0] = fake.program;
	argv[1] = check_only ? "--check" : "--server";
	argv[2] = config;
	argv[3] = NULL;
}

static const struct sip_driver fake_driver;

static inline nxv_status fake_open(const struct env *env, struct loop *on, const struct sip_settings *set,
	const struct sip_sink *sink, struct sip_server **out, struct nxv_error *err)
{
	(void)env;
	(void)set;
	(void)sink;
	(void)err;
	fake.server.driver = &fake_driver;
	fake.loop = on;
	fake.opens++;
	*out = &fake.server;
	return NXV_OK;
}

static inline void fake_close(struct sip_server *s)
{
	assert_ptr_equal(s, &fake.server);
	fake.closes++;
}

static inline void fake_reply(void *arg)
{
	struct fake_question question = *(struct fake_question *)arg;
	struct nxv_error err = NXV_ERROR_INIT;

	free(arg);
	text_copy(err.message, sizeof(err.message), "control says no");
	if (fake.opens > fake.closes)
		question.fn(question.arg, fake.ready, &err);
}

static inline void fake_ready(struct sip_server *s, sip_done_fn *fn, void *arg)
{
	struct fake_question *question = malloc(sizeof(*question));

	(void)s;
	*question = (struct fake_question){ fn, arg };
	loop_post(fake.loop, fake_reply, question);
}

static inline void fake_status(struct sip_server *s, sip_status_fn *fn, void *arg)
{
	const struct sip_status status = { "1.0", 77, 2, 3 };

	(void)s;
	fn(arg, NXV_OK, &status, NULL);
}

static inline void fake_contacts(struct sip_server *s, const char *username, sip_contacts_fn *fn, void *arg)
{
	const struct sip_contact items[] = { { "user_1", "sip:user_1@127.0.0.1:5062", "Phone", 60, false },
		{ "user_2", "sip:user_2@127.0.0.1:5064", "", 30, false }, { "stranger", "sip:x", "", 10, false } };

	(void)s;
	assert_null(username);
	fn(arg, NXV_OK, items, 3, NULL);
}

static const struct sip_driver fake_driver = { .name = "fake",
	.program = "fake",
	.releases = "1.0",
	.render = fake_render,
	.prepare = fake_prepare,
	.argv = fake_argv,
	.open = fake_open,
	.close = fake_close,
	.ready = fake_ready,
	.status = fake_status,
	.contacts = fake_contacts };
const struct sip_driver *const sip_drivers[] = { &fake_driver, NULL };

const struct sip_driver *sip_driver_find(const char *name, const char *binary, char *path, size_t size)
{
	(void)name;
	(void)binary;
	text_copy(path, size, fake.program);
	return &fake_driver;
}

nxv_status sip_driver_version(const struct sip_driver *driver, const char *path, char *out, size_t size, struct nxv_error *err)
{
	(void)driver;
	(void)path;
	(void)err;
	text_copy(out, size, "1.0");
	return NXV_OK;
}

/* ---- a manager of it ---- */

enum { FAKE_READY_MS = 1500 };

static inline void behave(const char *how)
{
	folder_write("sip/behave", how);
}

static inline int manager_setup(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	ssize_t n;

	if (folder_make(state))
		return 1;
	memset(&fake, 0, sizeof(fake));
	fake.flavour = "plain";
	n = readlink("/proc/self/exe", fake.program, sizeof(fake.program) - 1);
	assert_true(n > 0);
	if (setup_load((const char *[]){ "sip.listen=127.0.0.1:0", NULL }, &sip, &err) != NXV_OK)
		fail_msg("%s", err.message);
	assert_int_equal(loop_open(&loop, NULL), NXV_OK);
	manager_make(FAKE_READY_MS);
	return 0;
}

static inline int manager_teardown(void **state)
{
	behave("serve");
	sip_manager_want(mgr, false);
	until(is_stopped, 8000);
	sip_manager_close(mgr);
	loop_close(loop);
	sip_setup_free(sip);
	return folder_remove(state);
}

#endif
