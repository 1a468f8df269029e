/* main.c - nexusd: opens the state folder, is its engine, serves HTTP on one or two loops, stops when told to. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config.h"
#include "exchange.h"
#include "log.h"
#include "media.h"
#include "notify.h"
#include "stand_in.h"

enum { LOOPS_MAX = 2, GRACE_MS = 5000, CONNECTIONS_MAX = 8192, TWILIO_THREADS = 4 };

extern char **environ;

/* Everything that must be undone at the end. */
struct server {
	struct config config;
	struct app app;
	struct media_desk media;
	struct http_listener *listener;
	struct lane lanes[LOOPS_MAX];
	unsigned loops;
	struct stand_in *stand_in; /* NULL: none */
};

static void complain(const char *what, const char *message)
{
	fprintf(stderr, "nexusd: %s%s%s\n", what, what[0] ? ": " : "", message);
}

static void http_log(void *user, const char *text)
{
	(void)user;
	log_sparse("http", text);
}

static bool open_context(struct server *server)
{
	struct nxv_opts opts = NXV_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;

	opts.state_dir = server->config.state_dir;
	opts.config_file = server->config.config_file;
	opts.env = server->config.env ? server->config.env : (const char *const *)environ;
	opts.set = server->config.set;
	opts.create = true;
	opts.log = log_write;
	if (nxv_open(&opts, &server->app.ctx, &err) != NXV_OK) {
		complain("cannot start", err.message);
		return false;
	}
	server->app.cors_origins = nxv_config_get(server->app.ctx, "http.cors_origins");
	if (!server->app.cors_origins)
		server->app.cors_origins = "";
	server->app.initiate_wait_ms =
		(uint32_t)strtoul(nxv_config_get(server->app.ctx, "http.initiate_wait_ms"), NULL, 10);
	return true;
}

/* Twilio's place is taken before anything could ask for Twilio. */
static bool start_stand_in(struct server *server)
{
	char why[400];

	if (!server->config.sandbox)
		return true;
	server->stand_in = stand_in_prepare(&server->config, why, sizeof(why));
	if (server->stand_in && stand_in_start(server->stand_in, why, sizeof(why))) {
		server->app.sandbox = true;
		return true;
	}
	complain("cannot start the sandbox", why);
	return false;
}

/* Told at once, not when the first call fails. Calls that need no secret go on. */
static void check_secrets(const struct server *server)
{
	struct nxv_error err = NXV_ERROR_INIT;
	char text[400];

	if (nxv_secret_check(server->app.ctx, &err) == NXV_OK)
		return;
	snprintf(text, sizeof(text), "stored secrets cannot be used: %s", err.message);
	log_write(NULL, NXV_LOG_ERROR, "secrets", text);
}

/* The engine comes before the first connection, so that no request finds none. */
static bool start_engine(struct server *server)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_start(server->app.ctx, &err) == NXV_OK)
		return true;
	complain("cannot be the engine", err.message);
	return false;
}

static unsigned connection_limit(unsigned loops)
{
	struct rlimit files;
	rlim_t room = 1024;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files) != 0)
			getrlimit(RLIMIT_NOFILE, &files);
		room = files.rlim_cur;
	}
	room = room > 256 ? room - 128 : room / 2; /* the rest: database, SIP, logs */
	if (room > CONNECTIONS_MAX)
		room = CONNECTIONS_MAX;
	return (unsigned)room / loops;
}

static bool start_loop(struct server *server, unsigned index, unsigned connections)
{
	struct lane *lane = &server->lanes[index];
	struct nxv_error err = NXV_ERROR_INIT;

	lane->app = &server->app;
	if (nxv_inbox_open(server->app.ctx, &lane->inbox, &err) != NXV_OK) {
		complain("cannot start", err.message);
		return false;
	}
	lane->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	lane->aside = aside_open(1, lane->bell);
	lane->twilio = aside_open(TWILIO_THREADS, lane->bell);
	lane->store = aside_open(1, lane->bell);
	if (lane->bell < 0 || !lane->aside || !lane->twilio || !lane->store) {
		complain("cannot start", "no more threads can be made");
		return false;
	}
	lane->http = (struct http_app){
		.user = lane,
		.handle = exchange_serve,
		.hurry = exchange_hurry,
		.done = exchange_done,
		.malformed = exchange_malformed,
		.wake = exchange_wake,
		.wake_fds = { nxv_inbox_fd(lane->inbox), lane->bell },
		.log = http_log,
	};
	lane->loop = http_loop_start(server->listener, index, &lane->http, connections);
	if (!lane->loop)
		complain("cannot start", "the HTTP loop does not start; is the limit of open files too low?");
	return lane->loop != NULL;
}

static bool start_http(struct server *server)
{
	const char *address = nxv_config_get(server->app.ctx, "http.listen");
	unsigned connections;
	char why[400];

	server->loops = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1;
	server->listener = http_listener_open(address, server->loops, why, sizeof(why));
	if (!server->listener) {
		complain("", why);
		return false;
	}
	connections = connection_limit(server->loops);
	for (unsigned i = 0; i < server->loops; i++)
		if (!start_loop(server, i, connections))
			return false;
	if (!http_listener_is_loopback(server->listener))
		log_write(NULL, NXV_LOG_WARN, "http",
			"API keys travel in clear here: put a TLS proxy in front, or listen on loopback");
	return true;
}

/* First the loops, which still need the engine for what is in flight; then the engine; then the store. */
static void stop(struct server *server)
{
	atomic_store(&server->app.draining, true);
	for (unsigned i = 0; i < server->loops; i++)
		http_loop_stop(server->lanes[i].loop, GRACE_MS);
	for (unsigned i = 0; i < server->loops; i++) {
		http_loop_join(server->lanes[i].loop);
		aside_close(server->lanes[i].aside);
		aside_close(server->lanes[i].twilio);
		aside_close(server->lanes[i].store);
		if (server->lanes[i].app)
			media_wake(&server->lanes[i]);
		if (server->lanes[i].aside)
			close(server->lanes[i].bell);
		nxv_inbox_close(server->lanes[i].inbox);
	}
	http_listener_close(server->listener);
	media_desk_close(&server->media);
	if (server->app.ctx)
		nxv_stop(server->app.ctx);
	nxv_close(server->app.ctx);
	stand_in_stop(server->stand_in);
	config_free(&server->config);
}

static void print_routes(void)
{
	const struct route *route;

	for (size_t i = 0; (route = router_at(i)); i++) {
		printf("%s %s ", route->method, route->pattern);
		if (route->flags & ROUTE_RAW)
			printf("signed\n"); /* no key, but a signature */
		else if (route->flags & ROUTE_OPEN)
			printf("open\n");
		else
			printf("%s\n", route->permissions ? nxv_permission_name(route->permissions) : "any");
	}
}

/* Signals are taken by sigwait() here; every thread made later inherits the mask, and none is interrupted. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int run(struct server *server)
{
	sigset_t set;
	int got = 0;

	block_signals(&set);
	if (!start_stand_in(server) || !open_context(server))
		return 1;
	check_secrets(server);
	if (!start_engine(server) || !start_http(server))
		return 1;
	if (server->app.sandbox)
		fprintf(stderr, "nexusd: sandbox: no real calls are made\n");
	fprintf(stderr, "nexusd ready on http://%s\n", http_listener_name(server->listener));
	notify("READY=1");
	sigwait(&set, &got);
	notify("STOPPING=1");
	log_write(NULL, NXV_LOG_INFO, "main", "stopping");
	return 0;
}

int main(int argc, char **argv)
{
	struct server server = { 0 };
	char why[200];
	int status;

	if (!config_read(&server.config, argc, argv, why, sizeof(why))) {
		fprintf(stderr, "nexusd: %s\n%s", why, config_usage);
		config_free(&server.config);
		return 2;
	}
	if (server.config.help || server.config.version || server.config.routes) {
		if (server.config.help)
			fputs(config_usage, stdout);
		else if (server.config.version)
			printf("nexusd %s\n", nxv_version());
		else
			print_routes();
		config_free(&server.config);
		return 0;
	}
	media_desk_open(&server.media);
	server.app.media = &server.media;
	status = run(&server);
	stop(&server);
	return status;
}
