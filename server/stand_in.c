/* stand_in.c - nexus-sandbox as a child of nexusd: credentials of its own that live as long as both, a pipe that ends it with
 * us however we end, and a thread that starts it again. */
#define _GNU_SOURCE /* pipe2 */
#include "stand_in.h"

#include <nexusvoip/nexusvoip.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "stand_in_note.h"

enum { READY_MS = 10000, PAUSE_MS = 1000, STEP_MS = 50, ENV_MORE = 2, SETTINGS_MAX = 16 };

extern char **environ;

struct stand_in {
	char account[35], token[33];
	char listen[32], sip_proxy[80], sip_listen[80], program[512];
	char *settings[SETTINGS_MAX + 1]; /* KEY=VALUE */
	size_t setting_count;
	const char **set, **env, **child_env;
	char *token_setting, *child_account, *child_token;
	pid_t pid;
	int input; /* its standard input: closed, it ends */
	int note;  /* sandbox.conf */
	const char *state_dir;
	atomic_bool stopping;
	bool watched;
	pthread_t watcher;
};

static char *join(const char *a, const char *b, const char *c)
{
	size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
	char *text = malloc(size);

	if (text)
		snprintf(text, size, "%s%s%s", a, b, c);
	return text;
}

static bool add(struct stand_in *s, const char *key, const char *value)
{
	char *text = s->setting_count < SETTINGS_MAX ? join(key, "=", value) : NULL;

	if (text)
		s->settings[s->setting_count++] = text;
	return text != NULL;
}

static bool random_hex(char *out, size_t bytes)
{
	unsigned char raw[32];

	if (getrandom(raw, bytes, 0) != (ssize_t)bytes)
		return false;
	for (size_t i = 0; i < bytes; i++)
		snprintf(out + 2 * i, 3, "%02x", raw[i]);
	explicit_bzero(raw, sizeof(raw));
	return true;
}

/* A port that is free now. Kept over restarts of the child, so that the configuration stays true. */
static unsigned free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned port = 0;

	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, len) == 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0)
		port = ntohs(at.sin_port);
	if (fd >= 0)
		close(fd);
	return port;
}

/* "HOST:PORT" by its halves; brackets stay with the host. */
static void split(const char *address, char host[64], char port[8])
{
	const char *colon = strrchr(address, ':');

	snprintf(host, 64, "%.*s", colon ? (int)(colon - address) : 0, address);
	snprintf(port, 8, "%s", colon ? colon + 1 : "0");
}

/* Where this machine reaches what listens there. */
static const char *reachable(const char *host)
{
	if (!*host || strcmp(host, "0.0.0.0") == 0)
		return "127.0.0.1";
	return strcmp(host, "[::]") == 0 ? "[::1]" : host;
}

/* The SIP leg comes from an address that phones of this machine do not have, where that is possible. */
static bool choose_sip(struct stand_in *s, const char *sip_listen)
{
	char host[64], port[8], network[80];
	const char *own;
	size_t len;

	split(sip_listen, host, port);
	own = reachable(host);
	snprintf(s->sip_proxy, sizeof(s->sip_proxy), "%s:%s", own, port);
	if (strncmp(own, "127.", 4) == 0)
		own = "127.0.0.2";
	snprintf(s->sip_listen, sizeof(s->sip_listen), "%s:0", own);
	len = strlen(own);
	if (own[0] == '[')
		snprintf(network, sizeof(network), "%.*s/128", (int)len - 2, own + 1);
	else
		snprintf(network, sizeof(network), "%s/32", own);
	return add(s, "twilio.addresses", network);
}

/* Callbacks reach nexusd where it listens; a port left open is chosen here, because the URL has to name it. */
static bool choose_http(struct stand_in *s, const char *http_listen)
{
	char host[64], port[8], text[96];

	split(http_listen, host, port);
	if (strcmp(port, "0") == 0) {
		snprintf(port, sizeof(port), "%u", free_port());
		snprintf(text, sizeof(text), "%s:%s", host, port);
		if (!add(s, "http.listen", text))
			return false;
	}
	snprintf(text, sizeof(text), "http://%s:%s", reachable(host), port);
	return add(s, "http.public_url", text);
}

/* What is not configured is made so that a first call works; what would lead to the real Twilio is overruled. */
static bool choose(struct stand_in *s, const nxv_ctx *ctx)
{
	char text[64];

	snprintf(text, sizeof(text), "http://%s", s->listen);
	return add(s, "twilio.base_url", text) && add(s, "twilio.account_sid", s->account) && add(s, "twilio.api_key_sid", "") &&
		add(s, "twilio.edge", "") && add(s, "twilio.region", "") && add(s, "twilio.creates_per_second", "100") &&
		choose_http(s, nxv_config_get(ctx, "http.listen")) && choose_sip(s, nxv_config_get(ctx, "sip.listen")) &&
		add(s, "calls.allow", "* +0") && add(s, "calls.caller_ids", "*") && add(s, "trunk.host", "") && add(s, "trunk.username", "");
}

static bool read_config(struct stand_in *s, const struct config *config, char *why, size_t why_len)
{
	struct nxv_opts opts = NXV_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_ctx *ctx = NULL;
	bool good;

	opts.state_dir = config->state_dir;
	opts.config_file = config->config_file;
	opts.env = (const char *const *)environ;
	opts.set = config->set;
	opts.create = true;
	if (nxv_open(&opts, &ctx, &err) != NXV_OK) {
		snprintf(why, why_len, "%s", err.message);
		return false;
	}
	good = choose(s, ctx);
	nxv_close(ctx);
	if (!good)
		snprintf(why, why_len, "out of memory");
	return good;
}

static size_t count(const char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

/* Lists with ours behind: the last one counts. */
static bool extend(struct stand_in *s, struct config *config)
{
	const char *const *inherited = (const char *const *)environ;
	size_t sets = count(config->set), envs = count(inherited), kept = 0;

	s->set = calloc(sets + s->setting_count + 1, sizeof(*s->set));
	s->env = calloc(envs + ENV_MORE, sizeof(*s->env));
	s->child_env = calloc(envs + ENV_MORE + 1, sizeof(*s->child_env));
	s->token_setting = join("NEXUSVOIP_TWILIO_AUTH_TOKEN=", s->token, "");
	s->child_account = join("NEXUS_SANDBOX_ACCOUNT_SID=", s->account, "");
	s->child_token = join("NEXUS_SANDBOX_AUTH_TOKEN=", s->token, "");
	if (!s->set || !s->env || !s->child_env || !s->token_setting || !s->child_account || !s->child_token)
		return false;
	memcpy(s->set, config->set, sets * sizeof(*s->set));
	memcpy(s->set + sets, s->settings, s->setting_count * sizeof(*s->set));
	for (size_t i = 0; i < envs; i++)
		if (strncmp(inherited[i], "NEXUSVOIP_TWILIO_A", 18) != 0) /* the real account's secrets */
			s->env[kept++] = inherited[i];
	s->env[kept] = s->token_setting;
	for (size_t i = kept = 0; i < envs; i++)
		if (strncmp(inherited[i], "NEXUS", 5) != 0)
			s->child_env[kept++] = inherited[i];
	s->child_env[kept++] = s->child_account;
	s->child_env[kept] = s->child_token;
	free(config->set);
	config->set = s->set;
	config->env = (const char *const *)s->env;
	s->set = NULL;
	return true;
}

/* Beside ourselves, else on the PATH. */
static void find_program(struct stand_in *s)
{
	ssize_t len = readlink("/proc/self/exe", s->program, sizeof(s->program) - sizeof("nexus-sandbox"));
	char *slash;

	s->program[len > 0 ? len : 0] = '\0';
	slash = strrchr(s->program, '/');
	if (slash)
		memcpy(slash + 1, "nexus-sandbox", sizeof("nexus-sandbox"));
	if (!slash || access(s->program, X_OK) != 0)
		snprintf(s->program, sizeof(s->program), "nexus-sandbox");
}

struct stand_in *stand_in_prepare(struct config *config, char *why, size_t why_len)
{
	struct stand_in *s = calloc(1, sizeof(*s));
	unsigned port = free_port();

	snprintf(why, why_len, "out of memory");
	if (!s)
		return NULL;
	s->input = s->note = -1;
	s->state_dir = config->state_dir;
	memcpy(s->account, "AC", 2);
	snprintf(s->listen, sizeof(s->listen), "127.0.0.1:%u", port);
	find_program(s);
	if (!port || !random_hex(s->account + 2, 16) || !random_hex(s->token, 16))
		snprintf(why, why_len, "no port or no randomness is to be had");
	else if (read_config(s, config, why, why_len) && extend(s, config))
		return s;
	stand_in_stop(s);
	return NULL;
}

static void nap(int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/* Its lines of standard output, up to the one that says that it serves. */
static bool await_ready(int fd)
{
	char text[600];
	size_t len = 0;

	for (int waited = 0; waited < READY_MS && len + 1 < sizeof(text); waited += STEP_MS) {
		ssize_t n = read(fd, text + len, sizeof(text) - 1 - len);

		if (n == 0)
			return false;
		len += n > 0 ? (size_t)n : 0;
		text[len] = '\0';
		if (strstr(text, "ready on "))
			return true;
		nap(STEP_MS);
	}
	return false;
}

static bool spawn(struct stand_in *s, int input, int output)
{
	const char *const argv[] = { s->program, "--until-eof", "--listen", s->listen, "--sip-proxy", s->sip_proxy, "--sip-listen", s->sip_listen, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attrs;
	sigset_t none;
	int bad;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attrs);
	posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
	posix_spawnattr_setsigmask(&attrs, &none);
	posix_spawnattr_setflags(&attrs, POSIX_SPAWN_SETSIGMASK);
	bad = posix_spawnp(&s->pid, s->program, &files, &attrs, (char *const *)(uintptr_t)argv,
		(char *const *)(uintptr_t)s->child_env);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attrs);
	if (bad)
		s->pid = 0;
	return bad == 0;
}

static void reap(struct stand_in *s)
{
	if (s->input >= 0)
		close(s->input);
	s->input = -1;
	while (s->pid > 0 && waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	s->pid = 0;
}

static bool start(struct stand_in *s)
{
	int input[2] = { -1, -1 }, output[2] = { -1, -1 };
	bool ready = false;

	if (pipe2(input, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0 && fcntl(output[0], F_SETFL, O_NONBLOCK) == 0)
		ready = spawn(s, input[0], output[1]);
	if (input[0] >= 0)
		close(input[0]);
	if (output[1] >= 0)
		close(output[1]);
	s->input = input[1];
	ready = ready && await_ready(output[0]);
	if (output[0] >= 0)
		close(output[0]);
	if (!ready)
		reap(s);
	return ready;
}

static void *watch(void *arg)
{
	struct stand_in *s = arg;

	while (!atomic_load(&s->stopping)) {
		if (s->pid > 0 && waitpid(s->pid, NULL, WNOHANG) != s->pid) {
			nap(STEP_MS);
			continue;
		}
		s->pid = 0;
		reap(s);
		log_write(NULL, NXV_LOG_ERROR, "sandbox", "nexus-sandbox has ended; it forgot its calls, and is started again");
		for (int waited = 0; waited < PAUSE_MS && !atomic_load(&s->stopping); waited += STEP_MS)
			nap(STEP_MS);
		if (!atomic_load(&s->stopping) && start(s))
			log_write(NULL, NXV_LOG_WARN, "sandbox", "nexus-sandbox serves again");
	}
	return NULL;
}

bool stand_in_start(struct stand_in *s, char *why, size_t why_len)
{
	char text[160];

	if (!start(s)) {
		snprintf(why, why_len, "nexus-sandbox does not start: is it installed beside nexusd or on the PATH?");
		return false;
	}
	s->note = stand_in_note_open(s->state_dir, s->settings, s->token_setting);
	if (s->note < 0)
		log_write(NULL, NXV_LOG_WARN, "sandbox", "sandbox.conf cannot be written to the state folder: nexusctl will not find the sandbox");
	s->watched = pthread_create(&s->watcher, NULL, watch, s) == 0;
	snprintf(text, sizeof(text), "sandbox: no real calls; nexus-sandbox on http://%s stands in for Twilio", s->listen);
	log_write(NULL, NXV_LOG_WARN, "sandbox", text);
	return true;
}

void stand_in_stop(struct stand_in *s)
{
	if (!s)
		return;
	atomic_store(&s->stopping, true);
	if (s->watched)
		pthread_join(s->watcher, NULL);
	reap(s);
	stand_in_note_close(s->state_dir, s->note);
	for (size_t i = 0; i < s->setting_count; i++)
		free(s->settings[i]);
	explicit_bzero(s->token, sizeof(s->token));
	free(s->set);
	free(s->env);
	free(s->child_env);
	free(s->token_setting);
	free(s->child_account);
	free(s->child_token);
	free(s);
}
