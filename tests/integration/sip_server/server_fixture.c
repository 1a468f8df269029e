/* server_fixture.c - starts and stops the server under test, and keeps its events. */
#include "server_fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/digest.h"
#include "base/text.h"
#include "fixture_inside.h"
#include "sip/subscriber.h"

static struct env env;

/* The release asked for; "": the one installed. */
static const char *chosen(const char *name)
{
	const char *path = getenv(strcmp(name, "opensips") == 0 ? "NXV_TEST_OPENSIPS" : "NXV_TEST_KAMAILIO");

	return path ? path : "";
}

const struct sip_driver *fixture_driver(const char *name)
{
	const struct sip_driver *driver = sip_driver_find(name, chosen(name), NULL, 0);

	if (driver)
		return driver;
	printf("SKIPPED: %s is not installed here\n", name);
	exit(77);
}

/* A port that is free for UDP and TCP now, below those that systems hand out, so that nobody gets it meanwhile. */
static int free_port(void)
{
	static unsigned next;

	if (!next)
		next = (unsigned)getpid() * 31 + (unsigned)time(NULL);
	for (int tries = 0; tries < 1000; tries++) {
		struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
			.sin_port = htons((uint16_t)(16000 + next++ % 16000)) };
		socklen_t len = sizeof(addr);
		int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
		bool free_too = bind(tcp, (struct sockaddr *)&addr, len) == 0 && bind(udp, (struct sockaddr *)&addr, len) == 0;

		close(tcp);
		close(udp);
		if (free_too)
			return ntohs(addr.sin_port);
	}
	fail_msg("no free port");
	return 0;
}

static const char *keep(struct fixture *f, int i, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static const char *keep(struct fixture *f, int i, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->text[i], sizeof(f->text[i]), fmt, ap);
	va_end(ap);
	return f->text[i];
}

static void make_certificate(struct fixture *f)
{
	char command[512];

	snprintf(command, sizeof(command), "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=%s -keyout %s/key.pem "
		"-out %s/cert.pem 2>/dev/null", FIXTURE_DOMAIN, f->dir, f->dir);
	assert_int_equal(system(command), 0);
}

static void fill_outside(struct fixture *f, const struct fixture_opts *opts)
{
	struct sip_settings *set = &f->set;
	char *text;

	f->gateway_port = free_port();
	set->originator = keep(f, 10, "127.0.0.1:%d", f->gateway_port);
	set->trunk_host = FIXTURE_TRUNK;
	set->trunk_port = f->trunk_port = free_port();
	set->trunk_transport = "udp";
	set->trunk_addresses = FIXTURE_TRUNK " 192.0.2.0/24";
	set->twilio_addresses = FIXTURE_TWILIO "/32";
	set->trunk_username = opts->trunk_username ? opts->trunk_username : "";
	set->trunk_realm = "trunk.test";
	text = text_printf("%s:trunk.test:pw-%s", set->trunk_username, set->trunk_username);
	digest_hex(DIGEST_MD5, text, strlen(text), f->text[11]);
	set->trunk_ha1 = f->text[11];
	free(text);
}

static void fill_settings(struct fixture *f, const struct fixture_opts *opts)
{
	struct sip_settings *set = &f->set;

	f->port = free_port();
	set->domain = FIXTURE_DOMAIN;
	set->listen = keep(f, 0, "127.0.0.1:%d", f->port);
	set->ws_listen = set->tls_listen = set->wss_listen = set->tls_certificate = set->tls_private_key = set->advertise = "";
	set->ws_origins = opts->origins ? opts->origins : "";
	if (opts->origins)
		set->ws_listen = keep(f, 1, "127.0.0.1:%d", f->ws_port = free_port());
	if (opts->tls) {
		make_certificate(f);
		set->tls_listen = keep(f, 2, "127.0.0.1:%d", f->tls_port = free_port());
		set->wss_listen = keep(f, 3, "127.0.0.1:%d", f->wss_port = free_port());
		set->tls_certificate = keep(f, 4, "%s/cert.pem", f->dir);
		set->tls_private_key = keep(f, 5, "%s/key.pem", f->dir);
	}
	set->digest = opts->digest ? opts->digest : "MD5";
	set->run_dir = f->dir;
	set->auth_db = keep(f, 6, "%s/auth.db", f->dir);
	set->location_db = keep(f, 7, "%s/location.db", f->dir);
	set->control = keep(f, 8, "%s/control.sock", f->dir);
	set->events = keep(f, 9, "127.0.0.1:%d", free_port());
	set->originator = "127.0.0.1:9";
	if (opts->outside)
		fill_outside(f, opts);
	set->service_user = FIXTURE_SERVICE;
	set->secret = "0123456789abcdef0123456789abcdef";
	set->binary = f->program;
	set->calls_per_user = 50;
	set->max_call_seconds = 3;
	set->ring_seconds = 60;
	set->idle_seconds = opts->idle_seconds;
}

static void write_config(struct fixture *f, const char *path)
{
	char version[64];
	struct nxv_error err = NXV_ERROR_INIT;
	struct buf text = BUF_INIT;
	FILE *file = fopen(path, "w");

	assert_int_equal(sip_driver_version(f->driver, f->program, version, sizeof(version), &err), NXV_OK);
	if (f->driver->render(&f->set, version, false, &text, &err) != NXV_OK)
		fail_msg("render: %s", err.message);
	assert_non_null(file);
	fwrite(text.data, 1, text.len, file);
	fclose(file);
	buf_free(&text);
}

static void spawn(struct fixture *f)
{
	const char *argv[16];
	char log[96], config[96];

	snprintf(config, sizeof(config), "%s/%s.cfg", f->dir, f->driver->name);
	f->driver->argv(&f->set, config, false, argv);
	snprintf(log, sizeof(log), "%s/log", f->dir);
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (f->pid == 0) {
		const int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		setsid();
		prctl(PR_SET_PDEATHSIG, SIGTERM); /* a failed test leaves no server behind */
		dup2(fd, 1);
		dup2(fd, 2);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
}

static void show_log(struct fixture *f)
{
	char command[128];

	snprintf(command, sizeof(command), "tail -n 20 %s/log >&2", f->dir);
	if (system(command) != 0)
		fprintf(stderr, "no log\n");
}

static void wait_ready(struct fixture *f)
{
	for (int i = 0; i < 100; i++) {
		if (waitpid(f->pid, NULL, WNOHANG) == f->pid) {
			show_log(f);
			f->pid = 0;
			fail_msg("%s ended at once", f->driver->name);
		}
		if (fixture_ready(f) == NXV_OK)
			return;
		usleep(100 * 1000);
	}
	show_log(f);
	fail_msg("%s was not ready within 10 s", f->driver->name);
}

struct fixture *fixture_start(const struct sip_driver *driver, const struct fixture_opts *opts)
{
	static const struct fixture_opts none;
	struct fixture *f = calloc(1, sizeof(*f));
	struct nxv_error err = NXV_ERROR_INIT;
	struct db *auth = NULL;
	char config[96];

	env_defaults(&env);
	assert_non_null(f);
	f->driver = driver;
	snprintf(f->dir, sizeof(f->dir), "/tmp/nxv-%s-XXXXXX", driver->name);
	assert_non_null(mkdtemp(f->dir));
	assert_non_null(sip_driver_find(driver->name, chosen(driver->name), f->program, sizeof(f->program)));
	fill_settings(f, opts ? opts : &none);
	if (subscriber_open(&env, f->set.auth_db, &auth, &err) != NXV_OK || driver->prepare(&env, &f->set, &err) != NXV_OK)
		fail_msg("prepare: %s", err.message);
	db_close(auth);
	fixture_user(f, FIXTURE_SERVICE, "", 0, 0);
	snprintf(config, sizeof(config), "%s/%s.cfg", f->dir, driver->name);
	write_config(f, config);
	spawn(f);
	fixture_loop_start(f, &env);
	wait_ready(f);
	return f;
}

void fixture_user(struct fixture *f, const char *username, const char *owner, int call_limit, long expires_at)
{
	char md5[33], sha256[65], sha512[65], password[80];
	struct nxv_error err = NXV_ERROR_INIT;
	struct subscriber sub = { .username = username, .domain = FIXTURE_DOMAIN, .ha1 = md5, .ha1_sha256 = sha256,
		.ha1_sha512t256 = sha512, .owner = owner, .call_limit = call_limit, .expires_at_ms = (int64_t)expires_at * 1000 };
	struct db *auth = NULL;

	snprintf(password, sizeof(password), "pw-%s", username);
	if (subscriber_digests(username, FIXTURE_DOMAIN, password, md5, sha256, sha512, &err) != NXV_OK ||
			subscriber_open(&env, f->set.auth_db, &auth, &err) != NXV_OK || subscriber_put(auth, &sub, &err) != NXV_OK)
		fail_msg("credential: %s", err.message);
	db_close(auth);
}

/* Wait for the main process; then nothing of its group may be left. */
static bool ended_cleanly(pid_t pid)
{
	int status = 0;

	for (int i = 0; i < 100; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
		if (i == 99)
			return false;
		usleep(50 * 1000);
	}
	for (int i = 0; i < 40; i++) {
		if (kill(-pid, 0) < 0 && errno == ESRCH)
			return WIFEXITED(status) && WEXITSTATUS(status) == 0;
		usleep(50 * 1000);
	}
	return false;
}

void fixture_restart(struct fixture *f, bool again)
{
	kill(f->pid, SIGTERM);
	assert_true(ended_cleanly(f->pid));
	f->pid = 0;
	if (!again)
		return;
	spawn(f);
	wait_ready(f);
}

bool fixture_stop(struct fixture *f)
{
	char command[128];
	bool clean = true;

	if (!f)
		return true;
	fixture_loop_stop(f);
	if (f->pid > 0) {
		kill(f->pid, SIGTERM);
		clean = ended_cleanly(f->pid);
		if (!clean)
			kill(-f->pid, SIGKILL);
	}
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	if (system(command) != 0)
		clean = false;
	free(f);
	return clean;
}
