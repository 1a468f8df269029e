/* main.c - nexus-sandbox: options, credentials from the environment, one loop, and an orderly end. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/text.h"
#include "numbers.h"
#include "sandbox.h"

static const char usage[] =
	"usage: nexus-sandbox [--listen HOST:PORT] [--sip-proxy ADDRESS:PORT] [--speed N] ...\n"
	"\n"
	"A stand-in for Twilio's Calls and Recordings API on this machine. No real call is ever made.\n"
	"\n"
	"  --listen HOST:PORT         serve the API here; a loopback address; port 0 takes a free one (127.0.0.1:0)\n"
	"  --sip-proxy ADDRESS:PORT   send real calls for sip: addresses to this SIP server; without it they are simulated\n"
	"  --sip-listen ADDRESS:PORT  own SIP address (127.0.0.1:0)\n"
	"  --speed N                  let simulated time run N times as fast (1)\n"
	"  --calls-per-second N       keep further calls queued (no limit)\n"
	"  --seed N                   of what is left to chance\n"
	"  --until-eof                end when standard input ends\n"
	"  --numbers                  print what each number does, and exit\n"
	"  --version, --help\n"
	"\n"
	"Credentials: NEXUS_SANDBOX_ACCOUNT_SID and NEXUS_SANDBOX_AUTH_TOKEN in the environment, and for an API key\n"
	"NEXUS_SANDBOX_API_KEY_SID and NEXUS_SANDBOX_API_KEY_SECRET. Without the first two, an account is made up and printed.\n";

enum { FAREWELL_MS = 500 };
enum { OPT_LISTEN = 1, OPT_SIP_PROXY, OPT_SIP_LISTEN, OPT_SPEED, OPT_CPS, OPT_SEED, OPT_EOF, OPT_NUMBERS, OPT_VERSION, OPT_HELP };

static const struct option options[] = {
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "sip-proxy", required_argument, NULL, OPT_SIP_PROXY },
	{ "sip-listen", required_argument, NULL, OPT_SIP_LISTEN },
	{ "speed", required_argument, NULL, OPT_SPEED },
	{ "calls-per-second", required_argument, NULL, OPT_CPS },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "until-eof", no_argument, NULL, OPT_EOF },
	{ "numbers", no_argument, NULL, OPT_NUMBERS },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

struct program {
	struct sandbox_opts opts;
	char account[SID_SIZE], token[SID_SIZE];
	bool until_eof, made_up;
	int done; /* exit status + 1 once it is known */
	struct loop *loop;
	struct loop_timer *farewell;
	struct sandbox *sandbox;
	int signals;
};

static int print_numbers(void)
{
	for (const struct number_row *row = number_rows; row->pattern; row++)
		printf("%-14s %-11s %s\n", row->pattern, row->role, row->what);
	return 1;
}

static bool take(struct program *p, int option)
{
	int64_t n = 0;
	char *stop;

	switch (option) {
	case OPT_LISTEN:
		p->opts.listen = optarg;
		return true;
	case OPT_SIP_PROXY:
		p->opts.sip_proxy = optarg;
		return true;
	case OPT_SIP_LISTEN:
		p->opts.sip_listen = optarg;
		return true;
	case OPT_SPEED:
		p->opts.speed = strtod(optarg, &stop);
		return *optarg && !*stop && p->opts.speed >= 0.1 && p->opts.speed <= 1000;
	case OPT_CPS:
		p->opts.calls_per_second = text_int(optarg, 0, 100000, &n) ? (unsigned)n : 0;
		return n || strcmp(optarg, "0") == 0;
	case OPT_SEED:
		if (!text_int(optarg, 1, INT32_MAX, &n))
			return false;
		p->opts.seed = (uint64_t)n;
		return true;
	case OPT_EOF:
		p->until_eof = true;
		return true;
	case OPT_NUMBERS:
		p->done = print_numbers();
		return true;
	case OPT_VERSION:
		p->done = printf("nexus-sandbox %s\n", NXV_VERSION) > 0;
		return true;
	case OPT_HELP:
		p->done = fputs(usage, stdout) >= 0;
		return true;
	default:
		return false;
	}
}

static bool read_options(struct program *p, int argc, char **argv)
{
	int option;

	opterr = 0;
	while (!p->done && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!take(p, option)) {
			fprintf(stderr, "nexus-sandbox: '%s' is not known, or its value cannot be\n%s", argv[optind - 1], usage);
			return false;
		}
	if (!p->done && optind < argc) {
		fprintf(stderr, "nexus-sandbox: '%s' is not expected\n%s", argv[optind], usage);
		return false;
	}
	return true;
}

static const char *from_env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static bool read_credentials(struct program *p)
{
	struct sandbox_opts *o = &p->opts;

	o->account_sid = from_env("NEXUS_SANDBOX_ACCOUNT_SID");
	o->auth_token = from_env("NEXUS_SANDBOX_AUTH_TOKEN");
	o->key_sid = from_env("NEXUS_SANDBOX_API_KEY_SID");
	o->key_secret = from_env("NEXUS_SANDBOX_API_KEY_SECRET");
	if (!o->account_sid && !o->auth_token) {
		sandbox_sid("AC", p->account);
		sandbox_sid("AC", p->token);
		o->account_sid = p->account;
		o->auth_token = p->token + 2;
		p->made_up = true;
	}
	if (o->account_sid && o->auth_token && strncmp(o->account_sid, "AC", 2) == 0 && strlen(o->account_sid) == 34 &&
		strspn(o->account_sid + 2, "0123456789abcdefABCDEF") == 32 && !o->key_sid == !o->key_secret)
		return true;
	fputs("nexus-sandbox: give both NEXUS_SANDBOX_ACCOUNT_SID (AC and 32 hex digits) and NEXUS_SANDBOX_AUTH_TOKEN, or neither;\n"
	      "likewise both of NEXUS_SANDBOX_API_KEY_SID and NEXUS_SANDBOX_API_KEY_SECRET, or neither\n", stderr);
	return false;
}

static void stop_now(void *arg)
{
	struct program *p = arg;

	loop_stop(p->loop);
}

/* Phones are told first. */
static void stop(struct program *p)
{
	if (loop_timer_running(p->farewell))
		return;
	if (sandbox_hang_up(p->sandbox))
		loop_timer_start(p->farewell, FAREWELL_MS);
	else
		stop_now(p);
}

static void on_signal(int events, void *arg)
{
	struct program *p = arg;
	struct signalfd_siginfo got;

	(void)events;
	if (read(p->signals, &got, sizeof(got)) == sizeof(got))
		stop(p);
}

static void on_input(int events, void *arg)
{
	struct program *p = arg;
	char dropped[256];

	(void)events;
	if (read(STDIN_FILENO, dropped, sizeof(dropped)) <= 0) {
		loop_fd_clear(p->loop, STDIN_FILENO);
		stop(p);
	}
}

static bool watch_end(struct program *p)
{
	p->farewell = loop_timer_new(p->loop, stop_now, p);
	return p->farewell && loop_fd_set(p->loop, p->signals, LOOP_READ, on_signal, p, NULL) == NXV_OK &&
		(!p->until_eof || loop_fd_set(p->loop, STDIN_FILENO, LOOP_READ, on_input, p, NULL) == NXV_OK);
}

/* SIGTERM and SIGINT come as a descriptor; every thread made later has them blocked. */
static int signal_fd(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void say_ready(const struct program *p)
{
	if (p->made_up)
		printf("account %s\ntoken %s\n", p->opts.account_sid, p->opts.auth_token);
	printf("nexus-sandbox ready on http://%s\n", p->sandbox->address);
	printf("No real calls: numbers are simulated, sip: addresses %s\n",
		p->opts.sip_proxy ? "ring through the SIP server" : "are simulated, too");
	fflush(stdout);
}

static int run(struct program *p)
{
	struct nxv_error err = NXV_ERROR_INIT;
	char why[400] = "";
	int status = 1;

	p->signals = signal_fd();
	if (p->signals < 0 || loop_open(&p->loop, &err) != NXV_OK) {
		fprintf(stderr, "nexus-sandbox: cannot start: %s\n", err.message);
		return 1;
	}
	p->sandbox = sandbox_open(p->loop, &p->opts, why, sizeof(why));
	if (!p->sandbox || !watch_end(p)) {
		fprintf(stderr, "nexus-sandbox: cannot start: %s\n", why);
	} else {
		say_ready(p);
		status = loop_run(p->loop, &err) == NXV_OK ? 0 : 1;
	}
	loop_fd_clear(p->loop, p->signals);
	loop_fd_clear(p->loop, STDIN_FILENO);
	sandbox_close(p->sandbox);
	loop_timer_free(p->farewell);
	loop_close(p->loop);
	close(p->signals);
	return status;
}

int main(int argc, char **argv)
{
	struct program p = { .opts = { .listen = "127.0.0.1:0", .sip_listen = "127.0.0.1:0", .speed = 1, .seed = 1 } };

	if (!read_options(&p, argc, argv))
		return 2;
	if (p.done)
		return p.done - 1;
	if (!read_credentials(&p))
		return 2;
	return run(&p);
}
